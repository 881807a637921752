/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the form of a disk's name in the cluster. It is made in the same way on every node, and
 * only ever compared; one that is too long keeps its beginning, for a person, and a hash of all
 * of it. Two disks that come to one name do no harm: what proves a disk is its nonce.
 */
#include "core/diskid.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HASH_DIGITS 16

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '_' || c == '-';
}

/* FNV-1a. */
static uint64_t hash(uint64_t sum, const char *text)
{
	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3ull;
	return sum;
}

/* A run of anything else is one '_', none at the beginning and the end. */
static size_t plain(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < size - 1; text++) {
		char c = is_plain(*text) ? *text : '_';

		if ((c == '_' || c == '-' || c == '.') && (!n || (c == '_' && out[n - 1] == '_')))
			continue;
		out[n++] = c;
	}
	while (n && out[n - 1] == '_')
		n--;
	out[n] = '\0';
	return n;
}

bool mdc_diskid_make(char out[MDC_DISKID_MAX], const char *text, unsigned int part)
{
	char all[512], tail[16] = "";
	size_t n = plain(all, sizeof(all) - sizeof(tail), text), keep;

	out[0] = '\0';
	if (!n)
		return false;
	if (part)
		snprintf(tail, sizeof(tail), "-part%u", part);
	if (n + strlen(tail) < MDC_DISKID_MAX) {
		snprintf(out, MDC_DISKID_MAX, "%.*s%s", (int)n, all, tail);
		return true;
	}
	keep = MDC_DISKID_MAX - 1 - HASH_DIGITS - 1;
	snprintf(out, MDC_DISKID_MAX, "%.*s-%0*" PRIx64, (int)keep, all, HASH_DIGITS,
		 hash(hash(0xcbf29ce484222325ull, text), tail));
	return true;
}

bool mdc_diskid_valid(const char *id)
{
	size_t n;

	if (*id == '-' || *id == '_' || *id == '.')
		return false;
	for (n = 0; id[n]; n++)
		if (n >= MDC_DISKID_MAX - 1 || !is_plain(id[n]))
			return false;
	return n > 0;
}
