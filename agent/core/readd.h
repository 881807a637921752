/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a member that failed may be taken back without being asked (parameter readd): only
 * if its device went away from this node and has come back, never merely because it is
 * marked faulty, since an administrator may have failed it on purpose. Pure.
 */
#ifndef MDC_READD_H
#define MDC_READD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/state.h"
#include "core/superblock.h"
#include "core/uevent.h"

#define MDC_READD_DISKS_MAX 64
#define MDC_READD_STEP_MS 10000	/* between one node's turn and the next one's */

struct mdc_readd_disk {
	struct mdc_uuid device;		/* the member's own UUID */
	char kname[MDC_KNAME_MAX];	/* the name it had as a member */
	bool away;			/* that device has gone from this node since */
	char back[MDC_KNAME_MAX];	/* the name under which it is back; empty: it is not */
	bool lost;			/* the array has been seen without it since */
	bool tried;			/* this return has had its attempt */
};

/* What is remembered of an array's members. Zero-filled is none. */
struct mdc_readd {
	unsigned int n;
	struct mdc_readd_disk disks[MDC_READD_DISKS_MAX];
};

/* kname has been seen to be this member (by its superblock). */
void mdc_readd_learn(struct mdc_readd *readd, const struct mdc_uuid *device, const char *kname);
/* Is it known which member bears or bore this name? */
bool mdc_readd_knows(const struct mdc_readd *readd, const char *kname);
/* The block device has gone. */
void mdc_readd_gone(struct mdc_readd *readd, const char *kname);
/* Is there a member that has gone away and not been taken back? */
bool mdc_readd_any_away(const struct mdc_readd *readd);
/* A device bears this superblock: true if it is one of the array's that was away. */
bool mdc_readd_returned(struct mdc_readd *readd, const struct mdc_uuid *array,
			const struct mdc_super *super, const char *kname);
/*
 * With the array as it is now: the disk that is back and that the array lacks, or NULL.
 * Forgets the absence of those that the array has again.
 */
struct mdc_readd_disk *mdc_readd_needed(struct mdc_readd *readd, const struct mdc_array *array);
/*
 * How long this node waits for others to do it: its place among the lockspace's nodes,
 * ascending. -1 where it is not among them.
 */
int64_t mdc_readd_turn_ms(const uint32_t *nodes, unsigned int n, uint32_t self);

#endif
