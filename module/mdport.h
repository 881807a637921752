/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md core, as far as the protocol needs it. Who includes mdcore.h brings it; the simulator brings
 * an mdport.c of its own.
 *
 * "Needs the array's mutex": the caller holds reconfig_mutex, or has borrowed it from a thread
 * that holds it and waits (cluster.h, "The lent mutex").
 */
#ifndef MDC_MDPORT_H
#define MDC_MDPORT_H

#include "os.h"
#include "core/wire.h"

struct mddev;
struct md_rdev;

int mdc_md_register(void);
void mdc_md_unregister(void);

/* What never changes while the array is clustered. */
const char *mdc_md_name(struct mddev *mddev);		/* "md0" */
int mdc_md_minor(struct mddev *mddev);
const u8 *mdc_md_uuid(struct mddev *mddev);		/* MDC_UUID_SIZE bytes */
const char *mdc_md_cluster_name(struct mddev *mddev);
int mdc_md_slots(struct mddev *mddev);			/* bitmaps that it has */
u32 mdc_md_devices(struct mddev *mddev);		/* device numbers are below this */
u64 mdc_md_sectors(struct mddev *mddev);		/* no range of a resync begins beyond; 0: not known */

/*
 * reconfig_mutex. Who waits for it sleeps on the queue that mdc_md_waiters() gives, which is woken
 * after each unlock.
 */
bool mdc_md_trylock(struct mddev *mddev);
void mdc_md_unlock(struct mddev *mddev);
wait_queue_head_t *mdc_md_waiters(struct mddev *mddev);
/* For lockdep alone: this thread acts for the one that holds it, and waits; and it is over. */
void mdc_md_lock_lent(struct mddev *mddev);
void mdc_md_lock_returned(struct mddev *mddev);

/* Wakes the array's thread; nothing where it has none (yet, or any more). */
void mdc_md_wake(struct mddev *mddev);
bool mdc_md_has_thread(struct mddev *mddev);

/* An array that becomes writable with its first write: is it one, and it is so now. */
bool mdc_md_auto_read(struct mddev *mddev);
void mdc_md_end_auto_read(struct mddev *mddev);

/*
 * For what keeps the channel until md core has written the superblock: of an array that is
 * read-only it does not. False: it stays so, by somebody's wish. Needs the array's mutex.
 */
bool mdc_md_make_writable(struct mddev *mddev);
bool mdc_md_read_only(struct mddev *mddev);	/* it would stay so. Needs the array's mutex */

/* The array is about to be stopped. */
bool mdc_md_closing(struct mddev *mddev);

/* The superblock. */
void mdc_md_update_sb(struct mddev *mddev);			/* needs the array's mutex */
void mdc_md_reload_sb(struct mddev *mddev, u32 device);		/* needs the array's mutex */
/* What md core has changed of it is not on the disks yet. mdc_md_waiters() is woken when it is. */
bool mdc_md_sb_pending(struct mddev *mddev);
int mdc_md_good_device(struct mddev *mddev);			/* its number, or -1 */
/* The good member whose superblock is the newest on disk, or -1. Needs the array's mutex. */
int mdc_md_newest_device(struct mddev *mddev);

/*
 * For a start: the newest superblock has legs that md core has not, or none of those that it has
 * for good, or a leg's recovery is over meanwhile, which it cannot make up for any more. Needs the
 * array's mutex.
 */
bool mdc_md_outdated(struct mddev *mddev);

bool mdc_md_has_device(struct mddev *mddev, u32 device);	/* needs the array's mutex */
bool mdc_md_has_spare(struct mddev *mddev);			/* likewise; a good one */

/* Members. Device numbers are those of the superblock (desc_nr). */
u32 mdc_md_rdev_number(struct md_rdev *rdev);
const u8 *mdc_md_rdev_uuid(struct md_rdev *rdev);		/* needs the array's mutex */
u64 mdc_md_rdev_disk(struct md_rdev *rdev);			/* major << 32 | minor */
struct mddev *mdc_md_rdev_mddev(struct md_rdev *rdev);
bool mdc_md_mark_removed(struct mddev *mddev, u32 device);	/* false: no such member */
/*
 * md core's thread takes out what was removed, but only what it finds at the beginning of a pass.
 * Has it look again; false: nothing is left to be taken out.
 */
bool mdc_md_sweep(struct mddev *mddev);
bool mdc_md_clear_faulty(struct mddev *mddev, u32 device);	/* false: none, or not faulty */
/* It is faulty, and md core has not taken it out of its place among the legs yet. */
bool mdc_md_failed_in_place(struct mddev *mddev, u32 device);
/* ... and the superblock read last says so as well. Needs the array's mutex. */
bool mdc_md_failed_in_sb(struct mddev *mddev, u32 device);
/*
 * md core writes the superblock of a clustered array only if it sees a change of roles or sizes.
 * This has the next update write it, where there is something else to say; no write to the array
 * begins before that, if it is written to at all yet. Needs the array's mutex.
 */
void mdc_md_force_update(struct mddev *mddev);
/* The recovery of a member is over, and its superblock does not say so yet. As above. */
bool mdc_md_recovery_unrecorded(struct mddev *mddev);
/* The superblock has a spare of ours as a leg. Needs the array's mutex. */
bool mdc_md_leg_elsewhere(struct mddev *mddev, struct md_rdev *rdev);
/* ... any of ours, in a place that no good member has here. */
bool mdc_md_leg_missing(struct mddev *mddev);
/*
 * The candidate with this number: a disk that is bound here for an add that another node has not
 * ended. Takes it out. 0, or -ENOENT. Needs the array's mutex.
 */
int mdc_md_drop_candidate(struct mddev *mddev, u32 device);
/*
 * How new its superblock is by now, on the disk itself: 0 with *EVENTS, -ENOENT if there is no
 * such candidate, -EINVAL if it has no superblock of this array and device UUID (NULL: of any), or
 * what reading it gave. Needs the array's mutex.
 */
int mdc_md_candidate_events(struct mddev *mddev, u32 device, const u8 *uuid, u64 *events);
/* Whether there is one, with the device UUID that its superblock had when it was bound. As above. */
bool mdc_md_candidate_is(struct mddev *mddev, u32 device, const u8 *uuid);
/* Whether there is one of this array; it has that device UUID from now on. As above. */
bool mdc_md_candidate_adopt(struct mddev *mddev, u32 device, const u8 *uuid);
/* ... was a leg before, and our bitmap has what was written while it was away. As above. */
bool mdc_md_lacks_writes(struct mddev *mddev, u32 device);
/* Keeps it a candidate over the update that was just read, which it may not belong to. As above. */
void mdc_md_hold_candidate(struct mddev *mddev, u32 device);
/*
 * Roles, size or shape have changed since the superblock was read or written last. And where they
 * have not: has md core write nothing at the update that it has just begun. Need the array's mutex.
 */
bool mdc_md_update_counts(struct mddev *mddev);
void mdc_md_skip_update(struct mddev *mddev);
/* How new this node's idea of the array is. */
u64 mdc_md_events(struct mddev *mddev);

/*
 * Writes that have not begun wait, before md core counts them: since 6.8 it waits for those that
 * it has counted when it is to take a disk in, also for those that mdc_ops_area_busy() holds.
 * BEFORE: what an administrator has had wait, for mdc_md_let_writes().
 */
void mdc_md_hold_writes(struct mddev *mddev, struct mdc_range *before);
void mdc_md_let_writes(struct mddev *mddev, const struct mdc_range *before);
/* Waits while they are held until all that have begun have ended; false: not within MS. Sleeps. */
bool mdc_md_writes_end(struct mddev *mddev, unsigned int ms);

/*
 * Ends all requests that have begun; those that wait to begin then look again. False: some may
 * have begun that were not counted. Sleeps.
 */
bool mdc_md_drain(struct mddev *mddev);
/* md core asks before each write whether it may begin; false: not for all (discards of RAID10). */
bool mdc_md_asks_for_all(struct mddev *mddev);
/*
 * A member has failed, and that is not on the disks yet: writes wait for that which md core has
 * let in, but does not count meanwhile.
 */
bool mdc_md_blocked(struct mddev *mddev);

/* Resync. The mark is the first sector that may differ; MDC_MD_CLEAN: none. */
#define MDC_MD_CLEAN (~(u64)0)
u64 mdc_md_resync_mark(struct mddev *mddev);
void mdc_md_lower_resync_mark(struct mddev *mddev, u64 sector);	/* never raises it */
void mdc_md_raise_resync_mark(struct mddev *mddev);		/* to none */
void mdc_md_resync_needed(struct mddev *mddev);			/* and wakes the thread */
bool mdc_md_resyncs_first(struct mddev *mddev);		/* before it recovers a disk (6.10 on) */
/* The resync thread: it makes a disk into a leg, and is not a resync of legs. */
bool mdc_md_recovers(struct mddev *mddev);
bool mdc_md_checks(struct mddev *mddev);	/* ... it looks for differences, and mends none */
bool mdc_md_resyncs(struct mddev *mddev);	/* ... it makes legs equal */
/*
 * A leg of a RAID10 is not whole yet. A resync (which comes first from 6.10 on) may take what that
 * leg has for the truth, and a recovery takes a chunk for done though other legs may differ there.
 */
bool mdc_md_leg_first(struct mddev *mddev);
bool mdc_md_leg_partial(struct mddev *mddev);	/* the same of whatever level */
/* ... where it begins, as md core tells the others of it. False: another node has done all. */
bool mdc_md_recovery_begins(struct mddev *mddev, struct mdc_range *range);
/* The resync thread: it ends before its next step, and md core begins anew. */
void mdc_md_interrupt_resync(struct mddev *mddev);
/* ... it is to end, by this or by md core: a stop, "frozen", "idle", a leg that failed. */
bool mdc_md_resync_interrupted(struct mddev *mddev);
bool mdc_md_resync_through(struct mddev *mddev);	/* ... it has ended; md core has not seen that yet */
void mdc_md_set_remote_resync(struct mddev *mddev, bool remote);
/* Takes over, from the superblock read last, that the array is in sync. True if it changed. */
bool mdc_md_take_clean(struct mddev *mddev);


/* Reshape. */
bool mdc_md_reshape_begins(struct mddev *mddev);	/* to more legs or fewer */
bool mdc_md_reshaping(struct mddev *mddev);		/* the superblock says so */
bool mdc_md_reshaping_on_disk(struct mddev *mddev);	/* ... the newest one, as it is there now */
bool mdc_md_reshape_cut_off(struct mddev *mddev);	/* stopped in the middle of one */
void mdc_md_continue_reshape(struct mddev *mddev);	/* if a remote one was under way */

/*
 * Bitmaps. All but mdc_md_bitmap_resize() need the array's mutex: a stop takes the array's own bitmap
 * away under it. It is -ENODEV, or nothing, when that has happened.
 *
 * Merges the bitmap of SLOT into ours; RANGE is what was dirty in it. With CLEAR the
 * other one is clean afterwards. 0 or -errno.
 */
int mdc_md_bitmap_take(struct mddev *mddev, int slot, bool clear, struct mdc_range *range);
/* Whether that of our own slot has a bit set, on the disks; before md core has read it. */
bool mdc_md_own_bitmap_dirty(struct mddev *mddev);
int mdc_md_bitmap_pages(struct mddev *mddev, int slot, unsigned long *pages);	/* slot -1: ours */
/*
 * SLOT's, as it is on the disks, is for the array's size, in chunks of the size that ours has: 0, or
 * -EINVAL. Makes it so, with nothing dirty: nobody has the slot, and what was in it is taken over.
 */
int mdc_md_bitmap_fits(struct mddev *mddev, int slot);
int mdc_md_bitmap_make_fit(struct mddev *mddev, int slot);
int mdc_md_bitmap_resize(struct mddev *mddev, u64 sectors);

/* Size. */
u64 mdc_md_wanted_sectors(struct mddev *mddev);		/* as the personality counts */
int mdc_md_resize(struct mddev *mddev, u64 sectors_per_device);
void mdc_md_set_capacity(struct mddev *mddev);

/* The uevent that the kernel's module emits for a proposed disk: ENV is "KEY=value", NULL at end. */
void mdc_md_uevent(struct mddev *mddev, char **env);

#endif
