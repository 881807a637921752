/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One array as this node's kernel shows it, and what that amounts to. */
#ifndef MDC_STATE_H
#define MDC_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/track.h"

#define MDC_MEMBERS_SHOWN 64

enum mdc_state {		/* the words of the attribute, in mdc_state_name() */
	MDC_STATE_CLEAN,
	MDC_STATE_DEGRADED,
	MDC_STATE_RESYNC,
	MDC_STATE_RECOVER,
	MDC_STATE_RESHAPE,
	MDC_STATE_BROKEN,
};

struct mdc_member {
	char device[MDC_NAME_MAX];	/* kernel name */
	int role;			/* raid disk number, -1: none */
	char state[64];			/* sysfs words: in_sync, faulty, spare, … */
};

struct mdc_array {
	char array_state[32];	/* sysfs: clear, inactive, readonly, read-auto, clean, active, … */
	char level[16];
	char sync_action[16];	/* idle where the kernel shows none */
	unsigned int raid_disks, degraded;
	uint64_t size_kib;		/* of the whole array */
	bool sync_delayed;		/* sync_completed says delayed or none while an action runs */
	uint64_t sync_done, sync_total;	/* sectors; total 0: nothing runs */
	uint64_t sync_speed_kib;	/* a second */
	unsigned int n_members;
	struct mdc_member members[MDC_MEMBERS_SHOWN];
};

enum mdc_state mdc_state_of(const struct mdc_array *array);
const char *mdc_state_name(enum mdc_state state);
/* Is the array started: is there a personality behind the node? */
bool mdc_array_running(const struct mdc_array *array);

#endif
