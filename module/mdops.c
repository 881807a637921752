// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What md core calls, and the registration there. Before join it calls leave alone, and it may
 * call once more after leave: no cluster then.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "mdcore.h"
#include "ops.h"

/* No request of a resync has more sectors. */
#define REQUEST_SECTORS 256

/* Of each member, as much as md core says of RAID1 at a time. */
#define RECOVERY_SECTORS 65536

static void leave(struct mddev *mddev)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);

	if (c)
		mdc_ops_leave(c);
	WRITE_ONCE(mddev->cluster_info, NULL);
}

/* md core also leaves after a join that failed. */
static int op_leave(struct mddev *mddev)
{
	/*
	 * It gives up a reference to this module then. Where it cannot read the first bitmap of any
	 * array it leaves as well (before Linux 6.15), without a join, and the reference would be
	 * somebody else's.
	 */
	if (!READ_ONCE(mddev->cluster_info))
		__module_get(THIS_MODULE);
	leave(mddev);
	return 0;
}

static int join(struct mddev *mddev, int slots)
{
	struct mdc_cluster *c;
	int ret;

	if (!mdc_bm_usable(mddev)) {
		pr_err("%s: this kernel's bitmap of the array knows nothing of clusters\n",
		       mdname(mddev));
		return -EOPNOTSUPP;
	}
	ret = mdc_ops_join(mddev, slots, &c);
	if (ret)
		return ret;
	/*
	 * md core sets that only when it has read our slot's bitmap, and where it fails to leaves
	 * the cluster only if that is set.
	 */
	mddev->bitmap_info.nodes = slots;
	WRITE_ONCE(mddev->cluster_info, (struct md_cluster_info *)c);
	return 0;
}

static int op_join(struct mddev *mddev, int slots)
{
	int ret;

	/* md core does not leave when a start fails after the join: that cluster has served. */
	leave(mddev);
	ret = join(mddev, slots);
	if (ret)
		WRITE_ONCE(mddev->cluster_info, MDC_NOT_JOINED);
	return ret;
}

int mdc_own_slot(struct mddev *mddev)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);

	return c ? mdc_ops_slot(c) : -1;
}

/* Where RAID1 keeps how far it may go before it tells again; the resync thread's alone. */
static sector_t *told_up_to(struct mddev *mddev)
{
	struct r1conf *conf = mddev->private;

	return mddev->level == 1 && conf ? &conf->cluster_sync_high : NULL;
}

/*
 * The least that a window from LO on may be; 0: it is to be as md core has it. So it is where
 * requests from before LO are still under way, and in the first chunk of the bitmap: there a peer
 * with the kernel's own module warns of ranges smaller than a chunk. At each window md core goes
 * over all chunks before it: a sector for each, or that would take longer than the copying.
 */
static u32 least_window(struct mddev *mddev, sector_t lo)
{
	u64 chunk = mddev->bitmap_info.chunksize >> SECTOR_SHIFT;

	if (!chunk || lo < chunk || lo < mddev->curr_resync)
		return 0;
	return max_t(u64, REQUEST_SECTORS, lo >> ilog2(chunk));
}

/*
 * SECTOR of the members of a RAID10 with near copies: where the array's chunks begin that have
 * something there, or (UP) where they end.
 */
static u64 array_sector(struct mddev *mddev, u64 sector, bool up)
{
	u64 chunk = mddev->chunk_sectors, chunks;
	u32 copies = mddev->layout & 0xff;

	chunks = div64_u64(sector + (up ? chunk - 1 : 0), chunk) * mddev->raid_disks;
	return div_u64(chunks + (up ? copies - 1 : 0), copies) * chunk;
}

/* The other way round, for the chunk that has SECTOR. */
static u64 member_sector(struct mddev *mddev, u64 sector)
{
	u64 chunks = div_u64(sector, mddev->chunk_sectors) * (mddev->layout & 0xff);

	return div_u64(chunks, mddev->raid_disks) * mddev->chunk_sectors;
}

static bool has_near_copies(struct mddev *mddev)
{
	return mddev->level == 10 && mddev->chunk_sectors && (mddev->layout & 0xff) &&
	       (mddev->layout >> 8 & 0xff) == 1;
}

static bool recovers_near_copies(struct mddev *mddev)
{
	return has_near_copies(mddev) && test_bit(MD_RECOVERY_RECOVER, &mddev->recovery) &&
	       !test_bit(MD_RECOVERY_SYNC, &mddev->recovery) &&
	       !test_bit(MD_RECOVERY_RESHAPE, &mddev->recovery);
}

static bool is_recovered(const struct md_rdev *rdev)
{
	return rdev->raid_disk >= 0 && !test_bit(In_sync, &rdev->flags) &&
	       !test_bit(Faulty, &rdev->flags);
}

/* Of all that are recovered: what the bitmap asks for, and no more. */
static bool recovers_by_bitmap(struct mddev *mddev)
{
	struct md_rdev *rdev;
	bool all = true;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev)
		if (is_recovered(rdev))
			all &= rdev->saved_raid_disk == rdev->raid_disk;
	rcu_read_unlock();
	return all;
}

/* From which sector of the members on nothing is asked for, NEXT; false: it is at AT. */
static bool is_clean(struct mddev *mddev, u64 at, u64 *next)
{
	u64 end = array_sector(mddev, at + 1, true), sector;
	sector_t sectors;

	for (sector = array_sector(mddev, at, false); sector < end; sector += sectors)
		if (mdc_bm_needs(mddev, sector, &sectors))
			return false;
	*next = max_t(u64, member_sector(mddev, sector), at + mddev->chunk_sectors);
	return true;
}

/*
 * How far md core may be: it says where its request began, and passes over what the bitmap does not
 * ask for (before 6.12 as far as it goes, else for each disk once).
 */
static u64 recovers_at(struct mddev *mddev)
{
	u64 at = mddev->curr_resync, next;

	if (recovers_by_bitmap(mddev))
		for (; at < mddev->dev_sectors && is_clean(mddev, at, &next); at = next)
			cond_resched();
	return at + (u64)REQUEST_SECTORS * (mddev->raid_disks + 2);
}

/*
 * In a recovery of RAID10 md core moves the low end of its range only down. So after its first step
 * it would say the same range for good, and ask at each request: what it is at is told here. Of
 * what it has asked for before, nothing is under way when others may write there.
 */
static int tell_recovery(struct mddev *mddev, sector_t hi)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);
	u64 at = recovers_at(mddev);
	u64 lo, end;
	int ret;

	if (at <= c->told_to)
		return 0;
	wait_event(mddev->recovery_wait, !atomic_read(&mddev->recovery_active));
	at += RECOVERY_SECTORS;
	lo = array_sector(mddev, mddev->curr_resync, false);
	end = min_t(u64, array_sector(mddev, at, true), mddev->array_sectors);
	end = max_t(u64, end, hi);
	ret = mdc_ops_resync_update(c, lo, &end, 0);
	if (!ret)
		c->told_to = at;
	return ret;
}

bool mdc_md_recovery_begins(struct mddev *mddev, struct mdc_range *range)
{
	struct md_rdev *rdev;
	u64 at = MaxSector;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev)
		if (is_recovered(rdev))
			at = min_t(u64, at, rdev->recovery_offset);
	rcu_read_unlock();
	if (at == MaxSector)
		return false;
	range->lo = at;
	range->hi = at + RECOVERY_SECTORS;
	if (has_near_copies(mddev)) {
		range->lo = array_sector(mddev, range->lo, false);
		range->hi = min_t(u64, array_sector(mddev, range->hi, true),
				  mddev->array_sectors);
	}
	return true;
}

static int op_resync_info_update(struct mddev *mddev, sector_t lo, sector_t hi)
{
	sector_t *told = told_up_to(mddev);
	u32 least = told && *told == hi ? least_window(mddev, lo) : 0;
	u64 end = hi;
	int ret;

	if (recovers_near_copies(mddev))
		ret = tell_recovery(mddev, hi);
	else
		ret = mdc_ops_resync_update(mdc_cluster_of(mddev), lo, &end, least);
	/* md core goes on all the same: no further than this request. */
	if (ret)
		mdc_md_interrupt_resync(mddev);
	else if (least)
		*told = end;
	return ret;
}

static void op_resync_info_get(struct mddev *mddev, sector_t *lo, sector_t *hi)
{
	u64 from, to;

	mdc_ops_resync_range(mdc_cluster_of(mddev), &from, &to);
	*lo = from;
	*hi = to;
}

static int op_metadata_update_start(struct mddev *mddev)
{
	return mdc_ops_metadata_start(mdc_cluster_of(mddev));
}

static int op_metadata_update_finish(struct mddev *mddev)
{
	return mdc_ops_metadata_finish(mdc_cluster_of(mddev));
}

static void op_metadata_update_cancel(struct mddev *mddev)
{
	mdc_ops_metadata_cancel(mdc_cluster_of(mddev));
}

static int op_resync_start(struct mddev *mddev)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);
	int ret = mdc_ops_resync_start(c);

#ifndef HAVE_RESYNC_START_NOTIFY	/* Linux 6.11 */
	if (!ret)
		mdc_ops_resync_told(c);
#endif
	return ret;
}

/* Called for the sake of a flag, which may be left from before the array was clustered no more. */
static int op_resync_finish(struct mddev *mddev)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);

	return c ? mdc_ops_resync_finish(c) : 0;
}

static int op_area_resyncing(struct mddev *mddev, int direction, sector_t lo, sector_t hi)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);

	return c && mdc_ops_area_busy(c, direction == WRITE, lo, hi);
}

static int op_add_new_disk(struct mddev *mddev, struct md_rdev *rdev)
{
	return mdc_ops_add(mdc_cluster_of(mddev), rdev);
}

static void op_add_new_disk_cancel(struct mddev *mddev)
{
	mdc_ops_add_cancel(mdc_cluster_of(mddev));
}

static int op_new_disk_ack(struct mddev *mddev, bool found)
{
	return mdc_ops_add_answer(mdc_cluster_of(mddev), found);
}

static int op_remove_disk(struct mddev *mddev, struct md_rdev *rdev)
{
	return mdc_ops_remove(mdc_cluster_of(mddev), rdev);
}

static void op_load_bitmaps(struct mddev *mddev, int slots)
{
	mdc_ops_load_bitmaps(mdc_cluster_of(mddev));
}

static int op_gather_bitmaps(struct md_rdev *rdev)
{
	return mdc_ops_readd(mdc_cluster_of(rdev->mddev), rdev);
}

static int op_resize_bitmaps(struct mddev *mddev, sector_t sectors, sector_t old_sectors)
{
	return mdc_ops_resize_bitmaps(mdc_cluster_of(mddev), sectors, old_sectors);
}

static int op_lock_all_bitmaps(struct mddev *mddev)
{
	return mdc_ops_lock_bitmaps(mdc_cluster_of(mddev));
}

static void op_unlock_all_bitmaps(struct mddev *mddev)
{
	mdc_ops_unlock_bitmaps(mdc_cluster_of(mddev));
}

static void op_update_size(struct mddev *mddev, sector_t old_device_sectors)
{
	mdc_ops_update_size(mdc_cluster_of(mddev), old_device_sectors);
}

#ifdef HAVE_RESYNC_START_NOTIFY
static int op_resync_start_notify(struct mddev *mddev)
{
	struct mdc_cluster *c = mdc_cluster_of(mddev);
	int ret = mdc_ops_resync_announce(c);

	if (ret)
		mdc_md_interrupt_resync(mddev);
	else
		mdc_ops_resync_told(c);
	return ret;
}

static int op_resync_status_get(struct mddev *mddev)
{
	return mdc_ops_waits_for_sync(mdc_cluster_of(mddev));
}
#endif

static struct md_cluster_operations operations = {
#ifdef HAVE_MD_SUBMODULE	/* Linux 6.15 */
	.head = {
		.type = MD_CLUSTER,
		.id = ID_CLUSTER,
		.name = "cluster",
		.owner = THIS_MODULE,
	},
#endif
	.join = op_join,
	.leave = op_leave,
	.slot_number = mdc_own_slot,
	.resync_info_update = op_resync_info_update,
#ifdef HAVE_RESYNC_START_NOTIFY
	.resync_start_notify = op_resync_start_notify,
	.resync_status_get = op_resync_status_get,
#endif
	.resync_info_get = op_resync_info_get,
	.metadata_update_start = op_metadata_update_start,
	.metadata_update_finish = op_metadata_update_finish,
	.metadata_update_cancel = op_metadata_update_cancel,
	.resync_start = op_resync_start,
	.resync_finish = op_resync_finish,
	.area_resyncing = op_area_resyncing,
	.add_new_disk = op_add_new_disk,
	.add_new_disk_cancel = op_add_new_disk_cancel,
	.new_disk_ack = op_new_disk_ack,
	.remove_disk = op_remove_disk,
	.load_bitmaps = op_load_bitmaps,
	.gather_bitmaps = op_gather_bitmaps,
	.resize_bitmaps = op_resize_bitmaps,
	.lock_all_bitmaps = op_lock_all_bitmaps,
	.unlock_all_bitmaps = op_unlock_all_bitmaps,
	.update_size = op_update_size,
};

int mdc_md_register(void)
{
	int ret;

#ifdef HAVE_MD_SUBMODULE
	ret = register_md_submodule(&operations.head);
#else
	ret = register_md_cluster_operations(&operations, THIS_MODULE);
#endif
	if (ret)
		pr_err("md core has another md-cluster already (%d): unload that one first\n", ret);
	return ret;
}

void mdc_md_unregister(void)
{
#ifdef HAVE_MD_SUBMODULE
	unregister_md_submodule(&operations.head);
#else
	unregister_md_cluster_operations();
#endif
}
