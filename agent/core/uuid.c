/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the text forms of a UUID. Pure; strict on purpose, because the text decides
 * which array is started: what mdadm or the kernel would not write is refused.
 */
#include "core/uuid.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char colon_form[] = "xxxxxxxx:xxxxxxxx:xxxxxxxx:xxxxxxxx";
static const char dash_form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
static const char hex_form[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int parse_as(const char *form, const char *text, struct mdc_uuid *out)
{
	unsigned int nibbles = 0;

	for (; *form; form++, text++) {
		int v;

		if (*form != 'x') {
			if (*text != *form)
				return -EINVAL;
			continue;
		}
		v = hex_value(*text);
		if (v < 0)
			return -EINVAL;
		if (nibbles % 2 == 0)
			out->b[nibbles / 2] = (uint8_t)(v << 4);
		else
			out->b[nibbles / 2] |= (uint8_t)v;
		nibbles++;
	}
	return *text ? -EINVAL : 0;
}

static void format_as(const char *form, const struct mdc_uuid *uuid, char *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int nibbles = 0;

	for (; *form; form++, out++) {
		if (*form != 'x') {
			*out = *form;
			continue;
		}
		*out = digits[(uuid->b[nibbles / 2] >> (nibbles % 2 ? 0 : 4)) & 0xf];
		nibbles++;
	}
	*out = '\0';
}

int mdc_uuid_parse(struct mdc_uuid *uuid, const char *text)
{
	struct mdc_uuid parsed;

	if (parse_as(colon_form, text, &parsed) && parse_as(dash_form, text, &parsed))
		return -EINVAL;
	*uuid = parsed;
	return 0;
}

void mdc_uuid_colon(const struct mdc_uuid *uuid, char out[MDC_UUID_COLON])
{
	format_as(colon_form, uuid, out);
}

void mdc_uuid_dash(const struct mdc_uuid *uuid, char out[MDC_UUID_DASH])
{
	format_as(dash_form, uuid, out);
}

int mdc_uuid_hex_parse(struct mdc_uuid *uuid, const char *text)
{
	struct mdc_uuid parsed;
	const char *c;

	for (c = text; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			return -EINVAL;
	if (parse_as(hex_form, text, &parsed))
		return -EINVAL;
	*uuid = parsed;
	return 0;
}

void mdc_uuid_hex(const struct mdc_uuid *uuid, char out[MDC_UUID_HEX])
{
	format_as(hex_form, uuid, out);
}

bool mdc_uuid_equal(const struct mdc_uuid *a, const struct mdc_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
