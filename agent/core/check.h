/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `mdclusterd --check` prints (README.md): the host as start needs to know it. */
#ifndef MDC_CHECK_H
#define MDC_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"

#define MDC_CHECK_MEMBERS_MAX 64
#define MDC_CHECK_NODES_MAX 64
#define MDC_ROLE_SPARE (-1)
#define MDC_ROLE_FAULTY (-2)

struct mdc_check_member {
	char path[MDC_PATH_MAX];
	char kname[MDC_NAME_MAX];
	char holder[MDC_NAME_MAX];	/* empty: none */
	int role;			/* raid disk number or MDC_ROLE_… */
	uint64_t events;
	bool fresh;			/* its superblock is as new as start needs */
};

struct mdc_check {
	/* -1 where the line is missing: not known */
	int corosync, quorate, dlm;
	int64_t nodeid;
	char cluster[65];		/* corosync's name; empty: not known */
	bool have_lockspace, have_array, have_active, complete;
	unsigned int n_lockspace, lockspace[MDC_CHECK_NODES_MAX];
	unsigned int raid_disks, slots;
	int level;
	unsigned int layout;
	bool clustered;
	char array_cluster[65];
	unsigned int n_active, active[MDC_CHECK_MEMBERS_MAX];
	unsigned int n_members;
	struct mdc_check_member members[MDC_CHECK_MEMBERS_MAX];
	unsigned int n_stuck, n_nomatch;
	char stuck[MDC_PATH_MAX], nomatch[MDC_PATH_MAX];	/* the first of each */
};

void mdc_check_init(struct mdc_check *check);
/* One line without newline. 0, or -EINVAL for a line that is not of the form. */
int mdc_check_line(struct mdc_check *check, const char *line);

#endif
