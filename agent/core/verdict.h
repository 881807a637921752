/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node does when another one proposes a disk through the CIB (DESIGN.md, the add,
 * step 4): looks for it, again at each new block device, and says `found` or `missing`. Pure:
 * events in, actions out, the clock handed in.
 *
 * The same for a disk that mdclusterctl announces there: it is known by its nonce, and there is
 * more time, as no writer waits.
 *
 * One struct an array: one is dealt with at a time, proposals before announcements, and of the
 * same kind that of the node with the lowest id, so that all nodes come to the same order.
 * One that has stood for longer than any node waits is left over from an mdclusterd that died,
 * and is passed over.
 */
#ifndef MDC_VERDICT_H
#define MDC_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addtext.h"
#include "core/cibtext.h"

#define MDC_VERDICT_TRAVEL_MS 600	/* the proposal here, the answer back */
#define MDC_VERDICT_WAIT_MIN_MS 300
#define MDC_VERDICT_QUIET_MS 10000	/* a rescan or a flapping link shows within that */
#define MDC_VERDICT_TELL_MS 250		/* who looks for longer says so */
/*
 * By then the rest has been looked at, as a rule: a disk of the same identity, or a map of which
 * this is a path; multipathd makes that of a path that has just come in a moment of its own.
 */
#define MDC_VERDICT_SURE_MS 100
#define MDC_VERDICT_LATE_SURE_MS 500
#define MDC_VERDICT_AGAIN_MS 100	/* between two looks at what the array still holds */
#define MDC_VERDICT_STALE_MS 6000
#define MDC_VERDICT_ANNOUNCED_MIN_MS 2000	/* to look at all block devices once */
#define MDC_VERDICT_ANNOUNCED_STALE_MS 10000	/* beyond its wait */
#define MDC_VERDICT_ACTIONS_MAX 6

enum mdc_verdict_phase {	/* the words of `status` */
	MDC_VERDICT_NONE,
	MDC_VERDICT_LOOKING,
	MDC_VERDICT_FOUND,
	MDC_VERDICT_MISSING,
};

enum mdc_verdict_do {
	MDC_VERDICT_SEARCH,	/* look everywhere for the UUID or nonce; reports disk, looked */
	MDC_VERDICT_PROBE,	/* look at `device` as well, soon */
	MDC_VERDICT_STOP,	/* no more of that search */
	MDC_VERDICT_PUBLISH,	/* mdc_verdict_attr() has changed */
};

struct mdc_verdict_action {
	enum mdc_verdict_do what;
	char device[MDC_KNAME_MAX];	/* PROBE */
};

struct mdc_verdict_actions {
	unsigned int n;
	struct mdc_verdict_action a[MDC_VERDICT_ACTIONS_MAX];
};

/* What the node knows now. */
struct mdc_verdict_seen {
	uint32_t self;
	const char *id;			/* the primitive */
	const uint32_t *members;	/* node ids in the array's lockspace; NULL: not known */
	unsigned int n_members;
	const struct mdc_cibview *view;
	bool proposing;			/* this node's own proposal stands */
	bool announcing;		/* this node's own announcement stands */
	bool underway;			/* this node's own add goes on in the kernel */
	int64_t wait_ms;		/* verdict_wait, as far as the kernel waits that long */
};

/* A device that bears the disk's UUID and the array's; announced: one that bears the nonce. */
struct mdc_verdict_disk {
	const char *kname;
	const char *holder;		/* what is built on it; empty: nothing */
	bool own;			/* ... and that is the array itself: it may be letting go */
	bool mounted;
	uint64_t sectors, need_sectors;
};

/* A proposal that stands in the CIB, from when on. */
struct mdc_verdict_heard {
	uint32_t node, number;
	struct mdc_uuid device_uuid;
	int64_t since_ms;
	int64_t stale_ms;		/* from then on it counts as left over */
	bool here;			/* verdict.c's own: it is still there */
};

struct mdc_verdict {
	enum mdc_verdict_phase phase;
	uint32_t node, number;		/* whose proposal */
	struct mdc_uuid device_uuid;	/* announced: the nonce */
	uint32_t raid_disk;		/* announced: MDC_ADD_NO_DISK */
	bool announced;
	uint64_t sectors;		/* announced: its size, and its WWN or serial number */
	char disk[MDC_DISKID_MAX];
	char device[MDC_KNAME_MAX];	/* FOUND, or twice; LOOKING: found, if it is the only one */
	char likely[MDC_KNAME_MAX];	/* where the disk was that was announced before */
	struct mdc_reason reason;	/* MISSING */
	int64_t started_ms;
	bool stands;			/* the proposal is still there */
	/* The rest is verdict.c's own. */
	int64_t deadline_ms;
	bool told;			/* LOOKING: it is told that it looks */
	bool searching, looked, free_looked, stuck;
	bool late;			/* a block device has come since all that is free was looked at */
	int64_t sure_ms;		/* device: that it is the only one is taken for sure then */
	bool have_bad;			/* there, but of no use: bad is what to say of it */
	struct mdc_reason bad;
	char leaving[MDC_KNAME_MAX];	/* the array holds it still; empty: none */
	struct mdc_reason held;		/* ... what to say of it if that lasts */
	int64_t again_ms;		/* ... when to look at it again; -1: a look is under way */
	char unreadable[MDC_KNAME_MAX];
	char other[MDC_KNAME_MAX];	/* bears the announced disk's name, but not its nonce */
	unsigned int n_heard;
	struct mdc_verdict_heard heard[MDC_CIB_NODES_MAX];
};

/*
 * The CIB or the lockspace has changed, or may have. Returns the node that comes before this
 * one, where this node's own proposal stands as well: that is then to be given up. Else 0.
 */
uint32_t mdc_verdict_look(struct mdc_verdict *verdict, int64_t now_ms,
			  const struct mdc_verdict_seen *seen, struct mdc_verdict_actions *out);
/* The search has found the disk. holder: of the device found before, as it is now, or NULL. */
void mdc_verdict_disk(struct mdc_verdict *verdict, int64_t now_ms,
		      const struct mdc_verdict_disk *disk, const char *holder,
		      struct mdc_verdict_actions *out);
/* A device could not be read. named: it has the announced disk's name. */
void mdc_verdict_unreadable(struct mdc_verdict *verdict, const char *kname, bool named);
/* A device has the announced disk's name, and another medium. */
void mdc_verdict_other(struct mdc_verdict *verdict, const char *kname);
/*
 * The search has looked at all that there is. moved_ms: when a block device last came, went
 * or changed; stuck: devices that have not answered.
 */
void mdc_verdict_looked(struct mdc_verdict *verdict, int64_t now_ms, int64_t moved_ms,
			unsigned int stuck, struct mdc_verdict_actions *out);
/* The search has looked at all devices that are neither held nor in use. */
void mdc_verdict_free_looked(struct mdc_verdict *verdict, struct mdc_verdict_actions *out);
/* A block device has appeared or changed. */
void mdc_verdict_block(struct mdc_verdict *verdict, const char *kname,
		       struct mdc_verdict_actions *out);
/* Time has passed; due at mdc_verdict_deadline(), harmless at any time. */
void mdc_verdict_tick(struct mdc_verdict *verdict, int64_t now_ms,
		      struct mdc_verdict_actions *out);
/* The array is stopped: nothing is to be answered any more. */
void mdc_verdict_cancel(struct mdc_verdict *verdict, struct mdc_verdict_actions *out);

/* How long a node looks for an announced disk. */
int64_t mdc_verdict_announced_ms(uint32_t wait_s);
int64_t mdc_verdict_deadline(const struct mdc_verdict *verdict);
/*
 * The device that this disk was found as, or where a disk was announced that may be this one; NULL:
 * neither.
 */
const char *mdc_verdict_knows(const struct mdc_verdict *verdict,
			      const struct mdc_uuid *device_uuid);
/* Whether its word is that this proposed disk was found, as that device. */
bool mdc_verdict_said_found(const struct mdc_verdict *verdict, const struct mdc_uuid *device_uuid,
			    const char *device);
/* The attribute's value; false where there is none to show. */
bool mdc_verdict_attr(const struct mdc_verdict *verdict, char out[MDC_ATTR_VALUE_MAX]);
const char *mdc_verdict_phase_name(enum mdc_verdict_phase phase);

#endif
