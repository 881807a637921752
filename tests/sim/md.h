/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of md core as the protocol meets: a RAID1 array of two on shared disks, its members,
 * superblocks, bitmaps, its thread, its resync, writers. mdport.c: module/mdport.h; md.c: members
 * and the thread; mdsb.c: the superblock; mdsync.c: resync and writes; mdop.c: what people do.
 */
#ifndef SIM_MD_H
#define SIM_MD_H

#include "cluster.h"
#include "sim.h"

#define MD_DISKS 6		/* shared, of the array or not */
#define MD_UUID_ADD 2		/* byte of a disk's UUID: mdadm gives it a new one with each add */
#define MD_DEVICES 8		/* device numbers are below this */
#define MD_LEGS 2
#define MD_CHUNKS 8
#define MD_CHUNK ((u64)32768)	/* sectors */
#define MD_WINDOW (2 * MD_CHUNK)
#define MD_SECTORS (MD_CHUNKS * MD_CHUNK)
#define MD_SLOTS_MAX 8
#define MD_WRITERS 2		/* on a node; each has its own cell in each chunk */
#define MD_CELLS (SIM_NODES_MAX * MD_WRITERS)

#define ROLE_SPARE 0xffff
#define ROLE_FAULTY 0xfffe

struct md_super {
	bool there;
	int number;		/* of this device */
	u64 events;
	u16 roles[MD_DEVICES];
	bool has_offset;	/* it is being recovered, up to ... */
	u64 offset;
	bool by_bitmap;		/* ... and what bitmaps do not ask for it has */
	u64 resync_mark;
	bool other_size;	/* than the array has: only ever in memory */
};

struct md_rdev {
	struct mddev *md;
	bool used;
	int disk;
	int number;
	int leg, saved_leg;	/* -1: none */
	bool faulty, insync, candidate, removing, blocked;
	int pending;		/* writes to it */
	u64 offset;
	struct md_super sb;	/* as read last, or written */
	u8 uuid[MDC_UUID_SIZE];
};

struct mddev {
	struct sim_node *node;
	int index;			/* of the node */
	bool there, closing;
	u64 stopping_us;		/* since when a stop has had only the cluster to wait for */
	struct mdc_cluster *c;
	int slot;			/* of the bitmap, from 0 */
	u8 uuid[MDC_UUID_SIZE];
	struct md_rdev rdevs[MD_DEVICES];
	u64 events, mark;

	struct task_struct *owner;	/* of reconfig_mutex */
	wait_queue_head_t mutex_wait;

	struct task_struct *thread;
	bool thread_woken;
	wait_queue_head_t thread_wait, sb_wait, resync_wait, thread_gone;

	bool change_devs, change_clean, change_pending;
	bool needed, running, done, intr, sync, recover, frozen, remote;
	bool sync_locked;		/* the lock "resync" */
	struct task_struct *sync_thread;
	u64 sync_high, completed;

	u32 dirty, need;		/* bits of chunks */
	bool bitmap_loaded;		/* ours; before that nothing is to be merged into it */
	bool full_sync;

	bool array_frozen;
	int suspended, active, writers;	/* the array's I/O, requests in it, who makes them */
	bool held;			/* none of those comes in that have not begun */
	int writes[MD_CHUNKS], writes_all;
	bool cell_used[MD_WRITERS];
	int sync_chunk;			/* -1: none */
	int copying;			/* between disks just now; -1: nothing */
	wait_queue_head_t barrier_wait;
};

/* The disks, which all nodes see. */
struct md_disk {
	struct md_super sb;
	u32 data[MD_CHUNKS][MD_CELLS];
	u8 uuid[MDC_UUID_SIZE];
	bool taken;		/* by somebody's --add, so that a second one takes another */
	bool spare;		/* it is in the array, as far as people know */
};

struct md_disks {
	struct md_disk disk[MD_DISKS];
	u32 bitmap[MD_SLOTS_MAX];	/* of each slot */
	int slots;
	u32 writes;		/* made so far: what is written */
};

extern struct md_disks md_disks;

void md_disks_init(int slots, bool in_sync);
void md_init(struct mddev *md, struct sim_node *node, int index);

/* The mutex. */
bool md_trylock(struct mddev *md);
void md_lock(struct mddev *md);
int md_lock_killable(struct mddev *md);
void md_unlock(struct mddev *md);

/* Members. */
struct md_rdev *md_find(struct mddev *md, int number);
struct md_rdev *md_find_disk(struct mddev *md, int disk);
struct md_rdev *md_good(struct mddev *md);
int md_bind(struct mddev *md, int disk, const struct md_super *sb, struct md_rdev **rdev);
void md_kick(struct md_rdev *rdev);
int md_in_sync(const struct mddev *md);		/* how many */
int md_spare_count(const struct mddev *md);
void md_fail(struct md_rdev *rdev);		/* as md_error() */
int md_spares(struct mddev *md, struct md_rdev *only);

/* The superblock, and the thread. */
void md_update_sb(struct mddev *md, bool force);
bool md_roles_differ(struct mddev *md);
void md_reload_sb(struct mddev *md, int number);
void md_wake(struct mddev *md);
void md_check_recovery(struct mddev *md);
int md_thread_start(struct mddev *md);
void md_thread_stop(struct mddev *md);
void md_stop_sync(struct mddev *md);

/* Resync and writes. */
int md_sync(void *arg);
u64 md_sync_position(const struct mddev *md);	/* where it begins */
int md_writer(void *arg);
void md_quiesce(struct mddev *md, bool still);
void md_suspend(struct mddev *md);
void md_resume(struct mddev *md);
void md_bitmap_clean(struct mddev *md);

#endif
