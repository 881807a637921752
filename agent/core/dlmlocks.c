/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds this node's own bitmap lock in the text that the DLM prints for a lockspace:
 * a heading, then a line a lock,
 * "id nodeid remid pid xid exflags flags sts grmode rqmode time_us r_nodeid r_len "NAME"".
 * Kernels differ in a word of the heading, not in the columns. A master
 * holds a copy of each lock that another node has on its resources; these carry a flag
 * and are not ours.
 */
#include "core/dlmlocks.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FLAG_MASTER_COPY 0x00010000ul
#define FIELDS 13
#define LINE_BYTES 512

enum { F_FLAGS = 6, F_STATUS = 7, F_GRMODE = 8 };

/* 0: not our bitmap lock; > 0: the slot; -EINVAL: not a line of the list. */
static int line_slot(char *line)
{
	char *field[FIELDS];
	char *at = line, *end;
	unsigned int n, slot = 0;

	for (n = 0; n < FIELDS; n++) {
		field[n] = at;
		at = strchr(at, ' ');
		if (!at || at == field[n])
			return -EINVAL;
		*at++ = '\0';
	}
	if (*at++ != '"')
		return -EINVAL;
	if (strncmp(at, "bitmap", 6))
		return 0;
	at += 6;
	for (n = 0; n < 4; n++, at++) {
		if (!isdigit((unsigned char)*at))
			return 0;
		slot = slot * 10 + (unsigned int)(*at - '0');
	}
	if (strcmp(at, "\""))
		return 0;
	/* status 2: granted; mode 4: PW */
	if (strcmp(field[F_STATUS], "2") || strcmp(field[F_GRMODE], "4"))
		return 0;
	errno = 0;
	if (strtoul(field[F_FLAGS], &end, 16) & FLAG_MASTER_COPY)
		return 0;
	if (errno || *end || end == field[F_FLAGS])
		return -EINVAL;
	return (int)slot + 1;
}

int mdc_dlmlocks_slot(const char *buf, size_t len)
{
	char line[LINE_BYTES];
	int slot = -ENOENT;
	bool first = true;

	while (len) {
		const char *nl = memchr(buf, '\n', len);
		size_t n = nl ? (size_t)(nl - buf) : len;
		int got;

		if (n >= sizeof(line) || memchr(buf, '\0', n))
			return -EINVAL;
		memcpy(line, buf, n);
		line[n] = '\0';
		len -= nl ? n + 1 : n;
		buf += nl ? n + 1 : n;
		if (first) {
			first = false;
			if (strncmp(line, "id nodeid remid", 15))
				return -EINVAL;
			continue;
		}
		/* The kernel cuts its list where a lock goes away under it: one bad line is none. */
		got = line_slot(line);
		if (got <= 0)
			continue;
		if (slot > 0 && slot != got)
			return -EAGAIN;
		slot = got;
	}
	return slot;
}
