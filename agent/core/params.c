/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the parameters' rules and the sentences about their faults. Pure. Everything here
 * can be judged without looking at the host, so a fault is one on every node.
 */
#include "core/params.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void mdc_printable(const char *text, char *out, unsigned int size)
{
	unsigned int i;

	for (i = 0; text[i] && i + 1 < size; i++)
		out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	if (text[i] && size > 4)
		memcpy(out + size - 4, "...", 3);
	out[i] = '\0';
}

int mdc_boolean(const char *text)
{
	static const char *const yes[] = { "yes", "true", "1", "on", "y", "ja" };
	static const char *const no[] = { "no", "false", "0", "off", "n", "nein" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(text, yes[i]))
			return 1;
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (!strcasecmp(text, no[i]))
			return 0;
	return -EINVAL;
}

static void __attribute__((format(printf, 3, 4)))
fault(struct mdc_params *p, unsigned int bit, const char *fmt, ...)
{
	va_list ap;

	if (!p->bad) {
		va_start(ap, fmt);
		vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
		va_end(ap);
	}
	p->bad |= bit;
}

/* An empty value is the same as none: that is how a tool clears a parameter. */
static const char *get(mdc_env_fn env, void *data, const char *name)
{
	const char *value = env(name, data);

	return value && *value ? value : NULL;
}

static void read_uuid(struct mdc_params *p, const char *value)
{
	static const struct mdc_uuid zero;
	char shown[48];

	if (!value) {
		fault(p, MDC_BAD_UUID, "parameter uuid is missing: set it to the array UUID that "
		      "`mdadm --detail` prints");
		return;
	}
	if (mdc_uuid_parse(&p->uuid, value) || mdc_uuid_equal(&p->uuid, &zero)) {
		mdc_printable(value, shown, sizeof(shown));
		fault(p, MDC_BAD_UUID, "parameter uuid is \"%s\", not an array UUID as "
		      "`mdadm --detail` prints it (8:8:8:8 hexadecimal digits)", shown);
		return;
	}
	mdc_uuid_colon(&p->uuid, p->uuid_text);
}

static void read_device(struct mdc_params *p, const char *value)
{
	char shown[64];

	if (!value) {
		fault(p, MDC_BAD_DEVICE, "parameter device is missing: set it to /dev/md/NAME or "
		      "/dev/mdN, the name to assemble the array as");
		return;
	}
	if (!mdc_device_valid(value)) {
		mdc_printable(value, shown, sizeof(shown));
		fault(p, MDC_BAD_DEVICE, "parameter device is \"%s\", not /dev/mdN or /dev/md/NAME "
		      "(NAME: up to 32 letters, digits and _ - . +)", shown);
		return;
	}
	strcpy(p->device, value);
}

static bool listed(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (n == len && !memcmp(list, word, len))
			return true;
		list += n;
		if (*list)
			list++;
	}
	return false;
}

static void read_members(struct mdc_params *p, const char *value)
{
	static const char space[] = " \t\n\r";
	char *end = p->members;
	char shown[64];

	if (!value)
		return;
	if (strlen(value) >= sizeof(p->members)) {
		fault(p, MDC_BAD_OTHER, "parameter members is longer than %d bytes: use globs",
		      MDC_MEMBERS_MAX - 1);
		return;
	}
	for (value += strspn(value, space); *value; value += strspn(value, space)) {
		size_t len = strcspn(value, space);

		if (!listed(p->members, value, len)) {
			if (end != p->members)
				*end++ = ' ';
			memcpy(end, value, len);
			end += len;
			*end = '\0';
		}
		value += len;
	}
	if (!mdc_members_valid(p->members)) {
		mdc_printable(p->members, shown, sizeof(shown));
		fault(p, MDC_BAD_OTHER, "parameter members is \"%s\": each entry must be an absolute "
		      "path or glob in UTF-8, at most %d bytes long", shown, MDC_PATH_MAX - 1);
		p->members[0] = '\0';
	}
}

static void read_seconds(struct mdc_params *p, const char *name, const char *value,
			 unsigned int least, unsigned int most, unsigned int *out)
{
	unsigned int v = 0;
	const char *c;
	char shown[48];

	if (!value)
		return;
	for (c = value; *c >= '0' && *c <= '9' && v <= most; c++)
		v = v * 10 + (unsigned int)(*c - '0');
	if (c == value || *c || v < least || v > most) {
		mdc_printable(value, shown, sizeof(shown));
		fault(p, MDC_BAD_OTHER, "parameter %s is \"%s\", not a whole number of seconds "
		      "from %u to %u", name, shown, least, most);
		return;
	}
	*out = v;
}

static void read_readd(struct mdc_params *p, const char *value)
{
	char shown[48];
	int v;

	if (!value)
		return;
	v = mdc_boolean(value);
	if (v < 0) {
		mdc_printable(value, shown, sizeof(shown));
		fault(p, MDC_BAD_OTHER, "parameter readd is \"%s\", neither true nor false", shown);
		return;
	}
	p->readd = v;
}

/* An instance's name serves as part of attribute names, so it is made to fit. */
static void read_id(struct mdc_params *p, const char *value)
{
	size_t i;

	if (!value)
		value = "mdcluster";
	for (i = 0; value[i] && value[i] != ':' && i < sizeof(p->id) - 1; i++) {
		p->id[i] = value[i];
		p->id[i + 1] = '\0';
		if (!mdc_id_valid(p->id))
			p->id[i] = '_';
	}
	if (!i)
		strcpy(p->id, "mdcluster");
}

int mdc_params_read(struct mdc_params *p, mdc_env_fn env, void *data)
{
	memset(p, 0, sizeof(*p));
	p->disk_wait_s = MDC_DISK_WAIT_DEFAULT;
	p->verdict_wait_s = MDC_VERDICT_WAIT_DEFAULT;
	p->readd = true;
	read_id(p, get(env, data, "OCF_RESOURCE_INSTANCE"));
	read_uuid(p, get(env, data, "OCF_RESKEY_uuid"));
	read_device(p, get(env, data, "OCF_RESKEY_device"));
	read_members(p, get(env, data, "OCF_RESKEY_members"));
	read_seconds(p, "disk_wait", get(env, data, "OCF_RESKEY_disk_wait"), 0,
		     MDC_DISK_WAIT_MAX, &p->disk_wait_s);
	read_seconds(p, "verdict_wait", get(env, data, "OCF_RESKEY_verdict_wait"), 1,
		     MDC_VERDICT_WAIT_MAX, &p->verdict_wait_s);
	read_readd(p, get(env, data, "OCF_RESKEY_readd"));
	return p->bad ? -EINVAL : 0;
}
