/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array that mdclusterd looks after, and the line that describes it (README.md). */
#ifndef MDC_TRACK_H
#define MDC_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/uuid.h"

#define MDC_LINE_MAX 4096	/* a request with its newline */
#define MDC_PATH_MAX 256	/* device, with NUL */
#define MDC_NAME_MAX 128	/* primitive, kernel name, with NUL */
#define MDC_MEMBERS_MAX 2048	/* the members parameter, with NUL */
#define MDC_DISK_WAIT_MAX 3600	/* s */
#define MDC_VERDICT_WAIT_MAX 30	/* s */

struct mdc_track {
	struct mdc_uuid uuid;
	char device[MDC_PATH_MAX];	/* /dev/md/NAME or /dev/mdN */
	char md[MDC_NAME_MAX];		/* kernel name, mdN or md_NAME */
	char id[MDC_NAME_MAX];		/* the primitive, without a clone's :N */
	unsigned int disk_wait_s;
	unsigned int verdict_wait_s;
	bool readd;
	char members[MDC_MEMBERS_MAX];	/* globs divided by one space, or empty */
};

/* The line without "track " before it and without a newline. 0 or -EINVAL. */
int mdc_track_parse(struct mdc_track *track, const char *line);
/* Writes the same form with NUL; returns its length or -ENOSPC. */
int mdc_track_format(const struct mdc_track *track, char *out, size_t size);

/* The field rules, each on its own, for the agent's parameters as well. */
bool mdc_device_valid(const char *device);
bool mdc_md_valid(const char *md);
bool mdc_id_valid(const char *id);
bool mdc_members_valid(const char *members);

#endif
