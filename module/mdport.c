// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * md core, as far as the protocol wants something of it: this file, and mdsuper.c, mdmember.c and
 * mdbitmap.c. What md core calls is in mdops.c. Only these know md.h, and where kernels differ:
 * compat/ finds out by compiling what the kernel at hand has; each HAVE_ has beside it the release
 * that brought it.
 */
#include <linux/delay.h>
#include "mdcore.h"

/* How far beyond its end an array's ranges of a resync may reach, in sectors: one window. */
#define WINDOW_SECTORS (128 * 1024)

/* Of mddev->ro. */
#define AUTO_READ 2

/* For threads that were woken to get a processor. Beyond it something else holds them up. */
#define COUNTED_MS 1000

/* What never changes. */

const char *mdc_md_name(struct mddev *mddev)
{
	return mdname(mddev);
}

int mdc_md_minor(struct mddev *mddev)
{
	return mddev->md_minor;
}

const u8 *mdc_md_uuid(struct mddev *mddev)
{
	return (const u8 *)mddev->uuid;
}

const char *mdc_md_cluster_name(struct mddev *mddev)
{
	return mddev->bitmap_info.cluster_name;
}

int mdc_md_slots(struct mddev *mddev)
{
	return mddev->bitmap_info.nodes;
}

u32 mdc_md_devices(struct mddev *mddev)
{
	return mddev->max_disks;
}

/*
 * A window of RAID1 is 32 MiB and of RAID10 64 MiB or a stripe, and is not cut off at the end.
 * A reshape has sectors of two shapes in its ranges: no limit is known then.
 */
u64 mdc_md_sectors(struct mddev *mddev)
{
	u64 stripe = (u64)(mddev->raid_disks + 2) * mddev->chunk_sectors;

	if (mddev->reshape_position != MaxSector || mdc_md_reshaping(mddev))
		return 0;
	return max_t(u64, mddev->resync_max_sectors, mddev->array_sectors) +
	       max_t(u64, stripe, WINDOW_SECTORS);
}

/* reconfig_mutex. */

bool mdc_md_trylock(struct mddev *mddev)
{
	return mddev_trylock(mddev);
}

void mdc_md_unlock(struct mddev *mddev)
{
	mddev_unlock(mddev);
}

/* md core asserts here and there that its caller holds it. As a trylock: this thread waits for none. */
void mdc_md_lock_lent(struct mddev *mddev)
{
	mutex_acquire(&mddev->reconfig_mutex.dep_map, 0, 1, _RET_IP_);
}

void mdc_md_lock_returned(struct mddev *mddev)
{
	mutex_release(&mddev->reconfig_mutex.dep_map, _RET_IP_);
}

wait_queue_head_t *mdc_md_waiters(struct mddev *mddev)
{
	return &mddev->sb_wait;
}

/* The array and its thread. */

void mdc_md_wake(struct mddev *mddev)
{
	md_wakeup_thread(mddev->thread);
}

bool mdc_md_has_thread(struct mddev *mddev)
{
	return READ_ONCE(mddev->thread) != NULL;
}

bool mdc_md_auto_read(struct mddev *mddev)
{
	return READ_ONCE(mddev->ro) == AUTO_READ;
}

void mdc_md_end_auto_read(struct mddev *mddev)
{
	if (mddev->ro != AUTO_READ)
		return;
	mddev->ro = 0;
	/* As md core does: what has waited for the first write is due. */
	mdc_md_resync_needed(mddev);
}

bool mdc_md_read_only(struct mddev *mddev)
{
	return mddev->ro && mddev->ro != AUTO_READ;
}

bool mdc_md_make_writable(struct mddev *mddev)
{
	mdc_md_end_auto_read(mddev);
	return !mddev->ro;
}

bool mdc_md_closing(struct mddev *mddev)
{
	return test_bit(MD_CLOSING, &mddev->flags);
}

/* RAID1 counts in here who may begin, but has to wait until the array does not stand still. */
static bool any_waiting(struct mddev *mddev)
{
	struct r1conf *conf = mddev->private;
	int i;

	for (i = 0; i < BARRIER_BUCKETS_NR; i++)
		if (atomic_read(&conf->nr_waiting[i]))
			return true;
	return false;
}

static void drain_once(struct mddev *mddev)
{
	mddev->pers->quiesce(mddev, true);
	mddev->pers->quiesce(mddev, false);
}

/*
 * The quiesce does not wait for requests that were let in before it but not counted: RAID1 has
 * them sleep through it. They are awake now, and nobody is told when they have been counted.
 */
static bool drain_raid1(struct mddev *mddev)
{
	u64 end = mdc_now_ms() + COUNTED_MS;
	bool counted;

	drain_once(mddev);
	if (!any_waiting(mddev))
		return true;
	while (any_waiting(mddev) && mdc_now_ms() < end)
		usleep_range(50, 200);
	counted = !any_waiting(mddev);
	drain_once(mddev);
	return counted;
}

/* RAID10's quiesce waits for those that the one before had sleep. */
bool mdc_md_drain(struct mddev *mddev)
{
	if (mddev->level == 1)
		return drain_raid1(mddev);
	drain_once(mddev);
	drain_once(mddev);
	return true;
}

void mdc_md_hold_writes(struct mddev *mddev, struct mdc_range *before)
{
	before->lo = READ_ONCE(mddev->suspend_lo);
	before->hi = READ_ONCE(mddev->suspend_hi);
	WRITE_ONCE(mddev->suspend_lo, 0);
	WRITE_ONCE(mddev->suspend_hi, MaxSector);
}

void mdc_md_let_writes(struct mddev *mddev, const struct mdc_range *before)
{
	WRITE_ONCE(mddev->suspend_lo, before->lo);
	WRITE_ONCE(mddev->suspend_hi, before->hi);
	wake_up(&mddev->sb_wait);
}

/* md core's own count, taken as it does when it is to mark the array clean. */
bool mdc_md_writes_end(struct mddev *mddev, unsigned int ms)
{
	u64 end = mdc_now_ms() + ms;
	bool ended;

	spin_lock(&mddev->lock);
	mddev->sync_checkers++;
	spin_unlock(&mddev->lock);
	percpu_ref_switch_to_atomic_sync(&mddev->writes_pending);
	/* Nobody is told when the last one ends. */
	while (!(ended = percpu_ref_is_zero(&mddev->writes_pending)) && mdc_now_ms() < end)
		usleep_range(200, 1000);
	spin_lock(&mddev->lock);
	if (--mddev->sync_checkers == 0)
		percpu_ref_switch_to_percpu(&mddev->writes_pending);
	spin_unlock(&mddev->lock);
	return ended;
}

bool mdc_md_asks_for_all(struct mddev *mddev)
{
	return mddev->level == 1;
}

bool mdc_md_blocked(struct mddev *mddev)
{
	struct md_rdev *rdev;
	bool blocked = false;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev)
		blocked |= test_bit(Blocked, &rdev->flags) ||
			   test_bit(BlockedBadBlocks, &rdev->flags);
	rcu_read_unlock();
	return blocked;
}

void mdc_md_uevent(struct mddev *mddev, char **env)
{
	kobject_uevent_env(&disk_to_dev(mddev->gendisk)->kobj, KOBJ_CHANGE, env);
}

/* Resync. */

static sector_t *resync_mark(struct mddev *mddev)
{
#ifdef HAVE_RESYNC_OFFSET	/* Linux 6.18, and stable updates of older ones */
	return &mddev->resync_offset;
#else
	return &mddev->recovery_cp;
#endif
}

u64 mdc_md_resync_mark(struct mddev *mddev)
{
	return READ_ONCE(*resync_mark(mddev));
}

void mdc_md_lower_resync_mark(struct mddev *mddev, u64 sector)
{
	if (sector < *resync_mark(mddev))
		WRITE_ONCE(*resync_mark(mddev), sector);
}

void mdc_md_raise_resync_mark(struct mddev *mddev)
{
	WRITE_ONCE(*resync_mark(mddev), MaxSector);
}

void mdc_md_resync_needed(struct mddev *mddev)
{
	set_bit(MD_RECOVERY_NEEDED, &mddev->recovery);
	mdc_md_wake(mddev);
}

bool mdc_md_resyncs_first(struct mddev *mddev)
{
#ifdef HAVE_RESYNC_START_NOTIFY	/* Linux 6.11 */
	return true;
#else
	return false;
#endif
}

bool mdc_md_recovers(struct mddev *mddev)
{
	return test_bit(MD_RECOVERY_RECOVER, &mddev->recovery);
}

bool mdc_md_checks(struct mddev *mddev)
{
	return test_bit(MD_RECOVERY_CHECK, &mddev->recovery);
}

bool mdc_md_resyncs(struct mddev *mddev)
{
	return test_bit(MD_RECOVERY_SYNC, &mddev->recovery);
}

bool mdc_md_leg_first(struct mddev *mddev)
{
	return mddev->level == 10 && mdc_md_leg_partial(mddev);
}

bool mdc_md_leg_partial(struct mddev *mddev)
{
	struct md_rdev *rdev;
	bool partial = false;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev)
		partial |= rdev->raid_disk >= 0 && !test_bit(In_sync, &rdev->flags) &&
			   !test_bit(Faulty, &rdev->flags);
	rcu_read_unlock();
	return partial;
}

void mdc_md_interrupt_resync(struct mddev *mddev)
{
	set_bit(MD_RECOVERY_INTR, &mddev->recovery);
}

bool mdc_md_resync_interrupted(struct mddev *mddev)
{
	return test_bit(MD_RECOVERY_INTR, &mddev->recovery);
}

bool mdc_md_resync_through(struct mddev *mddev)
{
	return test_bit(MD_RECOVERY_DONE, &mddev->recovery);
}

void mdc_md_set_remote_resync(struct mddev *mddev, bool remote)
{
	if (remote)
		set_bit(MD_RESYNCING_REMOTE, &mddev->recovery);
	else
		clear_bit(MD_RESYNCING_REMOTE, &mddev->recovery);
}

/*
 * A superblock that another node wrote says what that one knows: what our own bitmap asks for,
 * from a node that we took it over from or from before a crash, is ours to resync all the same.
 */
bool mdc_md_take_clean(struct mddev *mddev)
{
	if (*resync_mark(mddev) == MaxSector || !mddev->bitmap ||
	    test_bit(MD_RECOVERY_RUNNING, &mddev->recovery) ||
	    test_bit(MD_RESYNCING_REMOTE, &mddev->recovery) ||
	    !mdc_sb_clean(mddev) || mdc_bm_dirty(mddev))
		return false;
	WRITE_ONCE(*resync_mark(mddev), MaxSector);
	md_new_event();
	return true;
}

/* Reshape. */

bool mdc_md_reshape_begins(struct mddev *mddev)
{
	return mddev->delta_disks;
}

bool mdc_md_reshape_cut_off(struct mddev *mddev)
{
	return mddev->reshape_position != MaxSector && mdc_md_closing(mddev);
}

void mdc_md_continue_reshape(struct mddev *mddev)
{
	const unsigned long follows = BIT(MD_RESYNCING_REMOTE) | BIT(MD_RECOVERY_RESHAPE);

	if (mddev->reshape_position == MaxSector)
		return;
	if ((READ_ONCE(mddev->recovery) & follows) == follows)
		md_wakeup_thread(mddev->sync_thread);
}

/* Size. */

u64 mdc_md_wanted_sectors(struct mddev *mddev)
{
	return mddev->pers->size(mddev, 0, 0);
}

int mdc_md_resize(struct mddev *mddev, u64 sectors_per_device)
{
	return mddev->pers->resize(mddev, sectors_per_device);
}

void mdc_md_set_capacity(struct mddev *mddev)
{
	set_capacity_and_notify(mddev->gendisk, mddev->array_sectors);
}
