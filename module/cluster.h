/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One clustered array on this node: joining, leaving, and the state that the parts share.
 *
 * Locks of this node, in the order in which they are taken:
 *
 *   reconfig_mutex (md's, of the array; may be lent, see below)
 *   the channel (channel.h: the right to send; holds the token while a message is sent)
 *   the lock of struct mdc_cluster (a spinlock, interrupts off; innermost; nothing sleeps in it)
 *
 * Locks of the cluster, each with the threads that may convert it:
 *
 *   token, message, ack   the holder of the channel, and the receiver while no channel holder
 *                         has the token (channel.c keeps the two apart)
 *   no-new-dev            the receiver; the settler with the channel held; an add with the
 *                         channel held
 *   bitmapNNNN, own       join, then whoever calls resync_info_update (md's one resync thread,
 *                         or its reaper)
 *   resync                md's one resync thread, or its reaper; a lock of its own for a look
 *                         whether anybody has it (recover.c)
 *   bitmapNNNN, others    a lock of its own for each use; never kept but between
 *                         lock_all_bitmaps and unlock_all_bitmaps, under reconfig_mutex
 *
 * The lent mutex. A thread that holds reconfig_mutex and waits for the token would stop the
 * receiver from reading the superblock again, which the token's holder waits for. So while it
 * waits it lends the mutex (mdc_lend); the receiver and the settler borrow it (mdc_borrow) if they
 * cannot take it. One borrows at a time; who lends takes it back before going on.
 */
#ifndef MDC_CLUSTER_H
#define MDC_CLUSTER_H

#include "os.h"
#include "core/inflight.h"
#include "core/range.h"
#include "core/unsaid.h"
#include "core/window.h"
#include "core/wire.h"
#include "lockres.h"
#include "mdport.h"

#define MDC_DEVICES_MAX 2048	/* more than a superblock has room for */
#define MDC_SLOTS_MAX 256	/* as many bitmaps as a superblock can have room for */

struct mdc_cluster;
struct task_struct;

/* How long things may take, in ms; module parameters. */
struct mdc_limits {
	unsigned int newdisk_timeout;	/* for a peer to answer for a new disk */
	unsigned int verdict_timeout;	/* for our agent to say whether the others have it */
	unsigned int join_timeout;	/* for the DLM to form */
	unsigned int leave_timeout;	/* for a lockspace that stands still to go on */
	unsigned int stuck_after;	/* in one message, after which this node counts as stuck */
};

enum mdc_add_step {
	MDC_ADD_NONE,
	MDC_ADD_WAITING,	/* for this node's word on the disk */
	MDC_ADD_FOUND,		/* answered; the candidate is bound or about to be */
	MDC_ADD_MISSING,
	MDC_ADD_SETTLING,	/* said found; whether it was added is not known yet */
};

/* The disk that another node adds. Guarded by the cluster's lock. */
struct mdc_peer_add {
	enum mdc_add_step step;
	u32 slot;		/* of the node that adds */
	u32 device;
	u8 uuid[MDC_UUID_SIZE];
	u64 events;		/* of the array, when the disk was proposed */
	u64 since;		/* ms */
	bool writes;		/* its node writes the disk's superblock if it is added */
	bool adopt;		/* udev's rule answers, which owes no other answer */
};

/* The disk that this node is about to add. */
struct mdc_new_disk {
	u32 device;		/* its number in the array */
	const u8 *uuid;		/* the device UUID of its superblock */
	u64 number;		/* of the block device: major << 32 | minor */
};

/* The same, for as long as others are asked for it. Guarded by the cluster's lock. */
struct mdc_own_add {
	bool asks;
	u32 device;
	u8 uuid[MDC_UUID_SIZE];
	u64 number;
	u64 since;		/* ms */
};

enum mdc_verdict { MDC_VERDICT_NONE, MDC_VERDICT_PROCEED, MDC_VERDICT_REFUSE };

#define MDC_REASON_MAX 255	/* characters */

/* What its agent says of it. Guarded by the cluster's lock. */
struct mdc_proposal {
	u64 id;			/* 0: none; else the agent is asked */
	u64 last;		/* id of the newest one */
	enum mdc_verdict verdict;
	char reason[MDC_REASON_MAX + 1];
};

struct mdc_counters {
	u64 sent[MDC_MSG_TYPES];
	u64 received[MDC_MSG_TYPES];
	u64 dropped[MDC_WIRE_FAULTS];
	u64 lost;		/* wake-ups with no message to read (its sender died) */
	u64 adds_refused;	/* as the node that adds */
	u64 candidates_dropped;	/* as a peer */
	u64 slots_recovered;
	u64 quiesced;		/* for a range that another node resyncs */
};

struct mdc_cluster {
	struct mddev *mddev;
	const struct mdc_limits *limits;
	struct mdc_lockspace *ls;
	int slots;			/* of the array; never changes while joined */

	struct mdc_lock *token, *message, *ack, *no_new_dev;
	struct mdc_lock *bitmap;	/* our own slot's, in PW */
	struct mdc_lock *resync;
	struct mdc_lock **others;	/* lock_all_bitmaps; slots entries, NULL if not held */

	struct task_struct *receiver, *settler, *recoverer;
	wait_queue_head_t wait;		/* for every change below; woken after each */

	spinlock_t lock;		/* guards all that follows; taken with interrupts off */
	int our_slot;			/* from 0; -1 until the DLM said */
	struct mdc_member members[MDC_MEMBERS_MAX];
	int members_count;
	DECLARE_BITMAP(failed, MDC_SLOTS_MAX);	/* ... of these nodes, since they were named */
	bool stopped;			/* locks stand still: read balancing as well */
	u64 stopped_since;		/* ms */
	bool catching_up;		/* no writes: a leg of others is none here yet, or ... */
	DECLARE_BITMAP(to_learn, MDC_SLOTS_MAX);	/* ... what these slots resync is unknown */
	DECLARE_BITMAP(to_readd, MDC_DEVICES_MAX);	/* ... or RE_ADD is to be acted upon yet */
	bool sync_asks;			/* meanwhile md core looked at its disks, and would resync */
	bool holds;			/* md core holds writes; had those in held_before wait */
	struct mdc_range held_before;
	bool mark_aside;		/* late_dirt has the mark, so that md core takes a leg in */
	bool leg_first;			/* ... and makes it whole: what may differ comes after that */
	bool in_cluster;		/* the array is up; messages may be acted upon */
	bool handing_over;		/* a leave has begun; its threads go on */
	bool leaving;

	/* The channel: channel.c and comm.c. */
	bool sending;			/* someone sends, or waits for the token */
	bool has_token;			/* ... and has it */
	bool kept;			/* an add or re-add left it held, for the update to come */
	bool announce;			/* ... and that update must not be left out */
	bool message_waits;		/* another node wants ack in EX */
	bool receiving;
	u64 receiving_since;		/* ms; 0: nothing is being received */
	struct mdc_unsaid unsaid;	/* of whoever may convert "message" */

	/* The lent mutex. */
	bool lent;			/* its holder waits */
	bool borrowed;

	struct mdc_suspended suspended;
	struct mdc_inflight inflight;	/* writes that began while something was suspended */
	bool draining;			/* I/O is being brought to an end */
	bool turned_away;		/* writers wait for the range since the last drain */
	bool range_lost;		/* ... until its owner was gone; the recoverer goes on from there */
	bool wake_writers;		/* the recoverer has those look again that wait to write */
	struct mdc_peer_add add;
	u32 udev_owes;			/* answers: to the uevents that were sent since ... */
	u64 udev_since;			/* ms: the last one */
	bool updating;			/* the superblock; md core's own flags say nothing then */
	bool must_tell;			/* ... and roles, size or shape change with it */
	bool bitmap_differs;		/* in size from the array; the receiver's */
	bool untold;			/* news was read from the disks; under reconfig_mutex */
	struct mdc_own_add own_add;
	struct mdc_proposal proposal;	/* ... and what the agent says of it */
	u32 adding;			/* all have it; under reconfig_mutex alone */
	struct mdc_range own_range;	/* that this node resyncs, as it was told last */
	bool resyncing;			/* this node does; md core owns the mark, and lifts it */
	u64 late_dirt;			/* first sector that came up meanwhile; MDC_MD_CLEAN: none */
	struct mdc_window window;	/* the resync thread's alone, as is ... */
	u64 told_to;			/* RAID10, a recovery: up to where of its members */
	bool sweep;			/* a device is to be taken out by md core's thread */
	bool waits_for_sync;		/* a disk came; its recovery has not begun */
	bool own_dirt;			/* was found at the start; the recoverer has it resynced */
	struct mdc_lock *recover_wait;	/* the recoverer waits for it */
	bool read_again;		/* a node is gone that may have written the superblock */

	DECLARE_BITMAP(put_off, MDC_SLOTS_MAX);	/* of to_recover: not while this node resyncs */

	/* Slots whose bitmap is to be taken over; bits are set and cleared one by one, unlocked. */
	DECLARE_BITMAP(to_recover, MDC_SLOTS_MAX);

	struct mdc_counters counters;
	DECLARE_BITMAP(fault_logged, MDC_WIRE_FAULTS);
};

/*
 * Joins: returns the cluster in *C, or -errno with nothing left behind. Under reconfig_mutex;
 * ends early if killed. LIMITS must outlive the cluster.
 */
int mdc_cluster_join(struct mddev *mddev, int slots, const struct mdc_limits *limits,
		     struct mdc_cluster **c);

/*
 * Leaves and frees C. Under reconfig_mutex. Tells the others to finish what this node's bitmap
 * has left, if they can be reached.
 */
void mdc_cluster_leave(struct mdc_cluster *c);

/* The bitmaps are loaded: takes over what absent nodes left, and begins to act on messages. */
void mdc_cluster_start(struct mdc_cluster *c);

/*
 * Whether a node has SLOT, as running() said last; and, true as well while that may change, until
 * it says so. Under the cluster's lock.
 */
bool mdc_is_member(const struct mdc_cluster *c, u32 slot);
bool mdc_may_be_live(const struct mdc_cluster *c, u32 slot);
bool mdc_alone(struct mdc_cluster *c);	/* no other node has the array */

/*
 * C: the array is being stopped, and locks have stood still for leave_timeout. Who has something to
 * say gives up then: the others look for themselves when the DLM names the members without this
 * node. But an update that changes roles, size or shape is written and told whole (must_tell): what
 * this node goes on to acknowledge rests on it, and another one may be about to write one of its own.
 * As a GIVE_UP of lockres.h; true for as long as locks stand still.
 */
bool mdc_waits_in_vain(void *c);
bool mdc_locks_stand_still(void *c);	/* C: just now; as a GIVE_UP as well */

/* The lent mutex: the holder of reconfig_mutex, before and after it waits for the token. */
void mdc_lend(struct mdc_cluster *c);
void mdc_lend_end(struct mdc_cluster *c);

enum mdc_borrow { MDC_BORROW_NOT, MDC_BORROW_TAKEN, MDC_BORROW_LENT };

/*
 * Gets the array's mutex, by taking it or as a loan. MDC_BORROW_NOT: this node leaves, or the
 * array has no thread. Waits as long as it takes.
 */
enum mdc_borrow mdc_borrow(struct mdc_cluster *c);

/* The same; MDC_BORROW_NOT as well when GIVE_UP(ARG) says so, which is asked at least once a second. */
enum mdc_borrow mdc_borrow_unless(struct mdc_cluster *c, bool (*give_up)(void *arg), void *arg);

void mdc_borrow_end(struct mdc_cluster *c, enum mdc_borrow how);

/*
 * Until the first write here (start_ro=1 of Debian) md core lets no disk go, and takes no turn to
 * resync. What another node has begun makes the array writable, as that write would. For the
 * receiver; waits as mdc_borrow().
 */
void mdc_end_auto_read(struct mdc_cluster *c);

/* Name of a slot's bitmap lock, for a buffer of MDC_LOCK_NAME bytes. */
#define MDC_LOCK_NAME 16
void mdc_bitmap_lock_name(char *name, int slot);

/* UUID in the form 01234567-89ab-cdef-0123-456789abcdef, 37 bytes with its end. */
void mdc_uuid_text(char *text, const u8 *uuid);

/* Wakes all that wait for a change of the cluster's state. Any context. */
void mdc_changed(struct mdc_cluster *c);

/* Messages of faulty kinds are logged once each: true the first time. */
bool mdc_first_of_kind(struct mdc_cluster *c, enum mdc_wire_fault fault);

#define mdc_err(c, fmt, ...) \
	pr_err("%s: slot %d: " fmt, mdc_md_name((c)->mddev), (c)->our_slot, ##__VA_ARGS__)
#define mdc_warn(c, fmt, ...) \
	pr_warn("%s: slot %d: " fmt, mdc_md_name((c)->mddev), (c)->our_slot, ##__VA_ARGS__)
#define mdc_info(c, fmt, ...) \
	pr_info("%s: slot %d: " fmt, mdc_md_name((c)->mddev), (c)->our_slot, ##__VA_ARGS__)

#endif
