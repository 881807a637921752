/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the `track` line and the rules for its fields. Pure. The same rules hold for the
 * agent's parameters, so what the agent lets pass always fits the line.
 */
#include "core/track.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MD_MINOR_MAX 1048575	/* md's minors have 20 bits */
#define MD_NAME_LEN_MAX 32	/* of the name in the superblock, which mdadm puts in /dev/md */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-' || c == '.' || c == '+';
}

/* A file name that needs no quoting anywhere: not hidden, no path, no option. */
static bool name_valid(const char *name, size_t max)
{
	size_t n;

	if (*name == '.' || *name == '-')
		return false;
	for (n = 0; name[n]; n++)
		if (n >= max || !is_name_char(name[n]))
			return false;
	return n > 0;
}

/* Decimal without sign, spaces or leading zeros. */
static int parse_number(const char *text, unsigned int max, unsigned int *out)
{
	unsigned long v = 0;
	const char *p;

	if (!is_digit(*text) || (*text == '0' && text[1]))
		return -EINVAL;
	for (p = text; *p; p++) {
		if (!is_digit(*p))
			return -EINVAL;
		v = v * 10 + (unsigned long)(*p - '0');
		if (v > max)
			return -EINVAL;
	}
	*out = (unsigned int)v;
	return 0;
}

static bool minor_valid(const char *text)
{
	unsigned int minor;

	return parse_number(text, MD_MINOR_MAX, &minor) == 0;
}

bool mdc_device_valid(const char *device)
{
	if (!strncmp(device, "/dev/md/", 8))
		return name_valid(device + 8, MD_NAME_LEN_MAX);
	return !strncmp(device, "/dev/md", 7) && minor_valid(device + 7);
}

bool mdc_md_valid(const char *md)
{
	if (!strncmp(md, "md_", 3))
		return name_valid(md + 3, MD_NAME_LEN_MAX);
	return !strncmp(md, "md", 2) && minor_valid(md + 2);
}

bool mdc_id_valid(const char *id)
{
	size_t n;

	/* The characters of an XML id that are plain ASCII; the first is a letter or '_'. */
	if (is_digit(*id) || *id == '-' || *id == '.')
		return false;
	for (n = 0; id[n]; n++)
		if (n >= MDC_NAME_MAX - 1 || !is_name_char(id[n]) || id[n] == '+')
			return false;
	return n > 0;
}

/* The length of one well-formed UTF-8 character, 0 for anything else. */
static size_t utf8_len(const unsigned char *s)
{
	uint32_t c, least;
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0) {
		n = 2;
		c = s[0] & 0x1f;
		least = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0f;
		least = 0x800;
	} else if (s[0] >= 0xf0 && s[0] < 0xf5) {
		n = 4;
		c = s[0] & 0x07;
		least = 0x10000;
	} else {
		return 0;
	}
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* One path or glob: absolute, short enough, no control character, proper UTF-8. */
static bool member_valid(const char *word, size_t len)
{
	size_t i = 0;

	if (len < 2 || len >= MDC_PATH_MAX || word[0] != '/')
		return false;
	while (i < len) {
		const unsigned char *s = (const unsigned char *)word + i;
		size_t n = utf8_len(s);

		if (!n || *s < 0x20 || *s == 0x7f)
			return false;
		i += n;
	}
	return i == len;
}

bool mdc_members_valid(const char *members)
{
	const char *word = members;

	if (strlen(members) >= MDC_MEMBERS_MAX)
		return false;
	if (!*members)
		return true;
	for (;;) {
		size_t len = strcspn(word, " ");

		if (!member_valid(word, len))
			return false;
		if (!word[len])
			return true;
		word += len + 1;
	}
}

/* Copies the value of key= at *line and steps over the space behind it. */
static int take(const char **line, const char *key, char *out, size_t size)
{
	size_t klen = strlen(key), len;
	const char *value = *line + klen + 1;

	if (strncmp(*line, key, klen) || (*line)[klen] != '=')
		return -EINVAL;
	len = strcspn(value, " ");
	if (len >= size || value[len] != ' ')
		return -EINVAL;
	memcpy(out, value, len);
	out[len] = '\0';
	*line = value + len + 1;
	return 0;
}

static int take_number(const char **line, const char *key, unsigned int max, unsigned int *out)
{
	char text[16];

	if (take(line, key, text, sizeof(text)))
		return -EINVAL;
	return parse_number(text, max, out);
}

int mdc_track_parse(struct mdc_track *track, const char *line)
{
	struct mdc_track t = { 0 };
	char uuid[MDC_UUID_DASH];
	unsigned int readd;

	if (take(&line, "uuid", uuid, sizeof(uuid)) || mdc_uuid_parse(&t.uuid, uuid))
		return -EINVAL;
	if (take(&line, "device", t.device, sizeof(t.device)) || !mdc_device_valid(t.device))
		return -EINVAL;
	if (take(&line, "md", t.md, sizeof(t.md)) || !mdc_md_valid(t.md))
		return -EINVAL;
	if (take(&line, "id", t.id, sizeof(t.id)) || !mdc_id_valid(t.id))
		return -EINVAL;
	if (take_number(&line, "disk_wait", MDC_DISK_WAIT_MAX, &t.disk_wait_s) ||
	    take_number(&line, "verdict_wait", MDC_VERDICT_WAIT_MAX, &t.verdict_wait_s) ||
	    take_number(&line, "readd", 1, &readd))
		return -EINVAL;
	t.readd = readd;
	if (strncmp(line, "members=", 8) || !mdc_members_valid(line + 8))
		return -EINVAL;
	memcpy(t.members, line + 8, strlen(line + 8));
	*track = t;
	return 0;
}

int mdc_track_format(const struct mdc_track *track, char *out, size_t size)
{
	char uuid[MDC_UUID_COLON];
	int n;

	mdc_uuid_colon(&track->uuid, uuid);
	n = snprintf(out, size,
		     "uuid=%s device=%s md=%s id=%s disk_wait=%u verdict_wait=%u readd=%d members=%s",
		     uuid, track->device, track->md, track->id, track->disk_wait_s,
		     track->verdict_wait_s, track->readd, track->members);
	if (n < 0 || (size_t)n >= size)
		return -ENOSPC;
	return n;
}
