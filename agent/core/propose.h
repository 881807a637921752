/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node does when its own kernel module is about to add a disk and waits for
 * mdclusterd's word (DESIGN.md, the add, steps 2 to 5): asks the other nodes through the CIB,
 * and says PROCEED or REFUSE. Pure: events in, actions out, the clock handed in.
 *
 * The same is done for `mdclusterctl add`, before the kernel knows of the disk: an announced
 * disk has no device UUID yet, but a nonce, and no writer waits, so that every node is heard.
 *
 * One struct an array for each of the two: the module has one add of an array at a time.
 */
#ifndef MDC_PROPOSE_H
#define MDC_PROPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addtext.h"
#include "core/cibtext.h"
#include "core/heard.h"

#define MDC_PROPOSE_PEERS_MAX MDC_CIB_NODES_MAX
#define MDC_PROPOSE_ACTIONS_MAX 4
#define MDC_PROPOSE_REASON_MAX 256	/* MDCLUSTER_REASON_MAX and NUL */
#define MDC_PROPOSE_GRACE_MS 150	/* for the other refusals, when one has come */
#define MDC_PROPOSE_PATIENCE_MIN_MS 300
/* Half of the patience, and at least what it takes through a busy CIB, there and back. */
#define MDC_PROPOSE_SILENT_MIN_MS 2000
/*
 * Through corosync: a third of it, and at least what a peer looks for before it says so
 * (MDC_VERDICT_TELL_MS) and as much again for a node that is busy.
 */
#define MDC_PROPOSE_SILENT_HEARD_MIN_MS 700
/* From PROCEED or OVER on, until the kernel's result: newdisk_timeout, and to spare. */
#define MDC_PROPOSE_SETTLE_MS 8000
#define MDC_PROPOSE_AGREED_MS 60000	/* from then on an agreement is no news any more */
#define MDC_ANNOUNCE_TRAVEL_MS 3000	/* beyond what a peer waits: through the CIB and back */

enum mdc_propose_phase {	/* the words of `status` */
	MDC_PROPOSE_NONE,
	MDC_PROPOSE_ASKING,
	MDC_PROPOSE_PROCEEDING,	/* the kernel asks the peers now; its result is not known */
	MDC_PROPOSE_ADDED,
	MDC_PROPOSE_REFUSED,
	MDC_PROPOSE_AGREED,	/* announced, and all that were asked see it */
	MDC_PROPOSE_OVER,	/* the kernel did not wait for the verdict, or gave the add up */
};

enum mdc_propose_answer {
	MDC_ANSWER_NOT_ASKED,	/* no mdclusterd there: the kernel will ask it */
	MDC_ANSWER_WAITING,
	MDC_ANSWER_FOUND,
	MDC_ANSWER_MISSING,
};

enum mdc_propose_do {
	MDC_PROPOSE_PUBLISH,	/* mdc_propose_attr() has changed: write it, or delete it */
	MDC_PROPOSE_PROCEED,	/* the kernel, or mdclusterctl, is to go on; `reason`: for the log */
	MDC_PROPOSE_REFUSE,	/* ... to give up, for `reason` */
	MDC_PROPOSE_DONE,	/* the result is known: phase and reason */
};

struct mdc_propose_actions {
	unsigned int n;
	enum mdc_propose_do a[MDC_PROPOSE_ACTIONS_MAX];
};

struct mdc_propose_peer {
	uint32_t node;
	char name[MDC_NAME_MAX];
	enum mdc_propose_answer answer;
	char device[MDC_KNAME_MAX];	/* FOUND */
	struct mdc_reason reason;	/* MISSING; WAITING for too long: silent */
	bool looking;			/* WAITING: it says that it looks for the disk */
	bool heard;			/* it is in corosync's group: its words need no CIB */
	bool in;			/* propose.c's own: is in the lockspace */
};

/* What the node knows now. */
struct mdc_propose_seen {
	uint32_t self;			/* this node's id */
	const char *id;			/* the primitive */
	const uint32_t *members;	/* node ids in the lockspace, self too; NULL: not known */
	unsigned int n_members;
	const struct mdc_cibview *view;	/* NULL: no connection to Pacemaker */
	const struct mdc_heard *heard;	/* who is in the group; NULL: not known */
	bool out;			/* what this node has said there has reached it */
};

struct mdc_propose {
	enum mdc_propose_phase phase;
	uint64_t proposal;
	struct mdc_uuid device_uuid;	/* announced: the nonce */
	uint32_t raid_disk;		/* announced: MDC_ADD_NO_DISK */
	bool announced;
	uint32_t wait_s;		/* announced: how long the peers look for it */
	uint64_t sectors;		/* ... its size, and its WWN or serial number */
	char disk[MDC_DISKID_MAX];
	uint32_t self;
	char reason[MDC_PROPOSE_REASON_MAX];	/* why refused, or why not asked; else empty */
	int64_t started_ms, ended_ms;
	int64_t said_ms;		/* since when the others have the question; -1: not known */
	unsigned int n_peers;
	struct mdc_propose_peer peers[MDC_PROPOSE_PEERS_MAX];
	/* The rest is propose.c's own. */
	int64_t deadline_ms;		/* of what the phase waits for */
	int64_t silent_ms;		/* who has not said a word by then is silent; -1: done */
	int64_t refuse_ms;		/* one has refused: not later than this; -1: none has */
};

/* Who is silent has refused like any other. */
bool mdc_propose_refuses(const struct mdc_propose_peer *peer);
/* The kernel asks. What went before, if it was not answered, is over for the kernel. */
void mdc_propose_begin(struct mdc_propose *propose, int64_t now_ms, uint64_t proposal,
		       const struct mdc_uuid *device_uuid, uint32_t raid_disk, int64_t patience_ms,
		       const struct mdc_propose_seen *seen, struct mdc_propose_actions *out);
/*
 * The same, where all nodes of the array have just found the disk that was announced: goes on
 * without asking again, as the array's writers wait, and the kernel asks each of them. True: done,
 * and the agreement is used up.
 */
bool mdc_propose_agreed(struct mdc_propose *propose, int64_t now_ms, uint64_t proposal,
			const struct mdc_uuid *device_uuid, uint32_t raid_disk,
			struct mdc_propose *announced, const struct mdc_propose_seen *seen,
			struct mdc_propose_actions *out);
/* mdclusterctl asks. number: the announcement's; disk: its WWN or serial number, or empty. */
void mdc_propose_announce(struct mdc_propose *propose, int64_t now_ms, uint32_t number,
			  const struct mdc_uuid *nonce, uint64_t sectors, const char *disk,
			  uint32_t wait_s, const struct mdc_propose_seen *seen,
			  struct mdc_propose_actions *out);
/* Something of it has changed, or may have. */
void mdc_propose_look(struct mdc_propose *propose, int64_t now_ms,
		      const struct mdc_propose_seen *seen, struct mdc_propose_actions *out);
/* Another node, which comes first, adds a disk to the same array. */
void mdc_propose_rival(struct mdc_propose *propose, int64_t now_ms, uint32_t node,
		       struct mdc_propose_actions *out);
/* The proposal could not be written: nobody can answer it. */
void mdc_propose_unwritten(struct mdc_propose *propose, int64_t now_ms, const char *why,
			   struct mdc_propose_actions *out);
/* The kernel waits no longer, or has given the add up. proposal 0: whichever it was. */
void mdc_propose_over(struct mdc_propose *propose, int64_t now_ms, uint64_t proposal,
		      struct mdc_propose_actions *out);
/* The verdict came too late, or the array is stopped: nothing more is known of it. */
void mdc_propose_cancel(struct mdc_propose *propose, int64_t now_ms, const char *why,
			struct mdc_propose_actions *out);
/* The array has the disk. */
void mdc_propose_added(struct mdc_propose *propose, int64_t now_ms,
		       struct mdc_propose_actions *out);
/* The peers have refused it when the kernel asked them. */
void mdc_propose_failed(struct mdc_propose *propose, int64_t now_ms, uint32_t raid_disk,
			struct mdc_propose_actions *out);
/* Time has passed; due at mdc_propose_deadline(), harmless at any time. */
void mdc_propose_tick(struct mdc_propose *propose, int64_t now_ms,
		      struct mdc_propose_actions *out);

/* When to call mdc_propose_tick, or -1. */
int64_t mdc_propose_deadline(const struct mdc_propose *propose);
/* What the attribute bears of the proposal's number. */
uint32_t mdc_propose_number(const struct mdc_propose *propose);
/* Is this node's add under way in the kernel? Then it can take no other node's disk. */
bool mdc_propose_underway(const struct mdc_propose *propose);
/* The attribute's value; false where it is to be deleted. */
bool mdc_propose_attr(const struct mdc_propose *propose, char out[MDC_ATTR_VALUE_MAX]);
/* The word of `status`. */
const char *mdc_propose_phase_name(const struct mdc_propose *propose);
const char *mdc_propose_answer_name(enum mdc_propose_answer answer);
/* The names of the peers with that answer, "n2, n3"; empty: there are none. */
void mdc_propose_names(const struct mdc_propose *propose, enum mdc_propose_answer answer,
		       char *out, size_t size);

#endif
