/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a member that failed may be taken back without being asked (parameter readd): only
 * if its device went away from this node and has come back, or could not be read here when
 * it failed and can be read again. Never merely because it is marked faulty, since an
 * administrator may have failed it on purpose, and then pulls it; not for ever, since a disk that
 * fails again and again costs a recovery each time. Pure, with the clock handed in.
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
#define MDC_READD_LOOK_MS 15000	/* between two looks at a member that cannot be read */
#define MDC_READD_AGAIN_MS 30000	/* from an attempt that has failed to the next one */
#define MDC_READD_HOUR_MS (3600 * 1000LL)
#define MDC_READD_PER_HOUR 3	/* returns of one disk, by whichever node's doing */

enum mdc_readd_out {		/* why a disk is not taken back any more */
	MDC_READD_NOT_OUT,
	MDC_READD_AGAIN,	/* it was taken back, and has failed again within the hour */
	MDC_READD_OFTEN,	/* it went away and came back too often within the hour */
};

struct mdc_readd_disk {
	struct mdc_uuid device;		/* the member's own UUID */
	char kname[MDC_KNAME_MAX];	/* the name it had as a member */
	bool away;			/* that device has gone from this node since */
	bool unreadable;		/* that device could not be read since it failed */
	bool looked;			/* a look at it was begun since it failed */
	bool asked;			/* ... and has not been answered */
	bool by_hand;			/* it was read well since, or removed: it is to be out */
	int64_t look_ms;		/* when to try it again */
	char back[MDC_KNAME_MAX];	/* the name under which it can be read again; empty: none */
	bool lost;			/* the array has been seen without it since */
	bool tried;			/* this return has had its attempt */
	bool ours;			/* ... which was this node's */
	bool trying;			/* ... and goes on */
	int64_t again_ms;		/* when it is to have another one; 0: never */
	enum mdc_readd_out out;
	bool out_said;
	unsigned int n_returns;		/* the newest first */
	int64_t returns_ms[MDC_READD_PER_HOUR];
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
/* The name under which that member can be read again, or NULL. */
const char *mdc_readd_back(const struct mdc_readd *readd, const struct mdc_uuid *device);
/* A device bears this superblock: true if it is one of the array's that was away. */
bool mdc_readd_returned(struct mdc_readd *readd, const struct mdc_uuid *array,
			const struct mdc_super *super, const char *kname);
/* Looks at the array as it is now: what it lacks, and what it has again. */
void mdc_readd_observe(struct mdc_readd *readd, const struct mdc_array *array, int64_t now_ms);
/*
 * The next disk, from *at on, that is to be read to see whether it can be, or NULL. One that
 * was failed or removed by hand is asked for once, one that could not be read again and again.
 */
struct mdc_readd_disk *mdc_readd_look(struct mdc_readd *readd, int64_t now_ms, unsigned int *at);
/*
 * Is there one that cannot be read, or has not answered, so that there is to be another look; or
 * one that is to have another attempt?
 */
bool mdc_readd_any_pending(const struct mdc_readd *readd);
/* Something has happened to that device: true if the next look is due now. */
bool mdc_readd_changed(struct mdc_readd *readd, const char *kname, int64_t now_ms);
/*
 * What came of the look: err 0 and super, what it bears; err 0 without: no member of this array;
 * else it cannot be read. True if that is new, and it will be looked at again.
 */
bool mdc_readd_looked(struct mdc_readd *readd, const struct mdc_array *array, const char *kname,
		      int err, const struct mdc_super *super, int64_t now_ms);
/*
 * A disk, from *at on, that has not answered by the time of the next look, which is news; or
 * NULL. It counts as unreadable, and is not looked at again until it has answered.
 */
const struct mdc_readd_disk *mdc_readd_hangs(struct mdc_readd *readd,
					     const struct mdc_array *array, int64_t now_ms,
					     unsigned int *at);
/* The disk that is back and that the array, which was observed before, lacks; or NULL. */
struct mdc_readd_disk *mdc_readd_needed(struct mdc_readd *readd, const struct mdc_array *array,
					int64_t now_ms);
/* This node makes its attempt. Returns how many there have been within the hour, with it. */
unsigned int mdc_readd_begin(struct mdc_readd_disk *disk, int64_t now_ms);
/* There can be no attempt now: later. True if that is new. */
bool mdc_readd_defer(struct mdc_readd_disk *disk, int64_t now_ms);
/* The attempt has failed. True: there will be another one, as the hour's are not used up. */
bool mdc_readd_failed(struct mdc_readd *readd, int64_t now_ms);
/* A disk that stays out, which has not been returned here before; or NULL. */
const struct mdc_readd_disk *mdc_readd_stays_out(struct mdc_readd *readd);
/*
 * How long this node waits for others to do it: its place among the lockspace's nodes, by their
 * ids, in whatever order they are. -1 where it is not among them.
 */
int64_t mdc_readd_turn_ms(const uint32_t *nodes, unsigned int n, uint32_t self);

#endif
