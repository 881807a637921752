// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * md core: the operations that it calls, and what the protocol wants of it. The only file that
 * knows md.h, and where kernels differ. compat/ finds out by compiling what the kernel at hand
 * has; each HAVE_ stands in one place here, with the release that brought it.
 */
#define pr_fmt(fmt) "md-cluster: " fmt

#include <linux/module.h>
#include <linux/raid/md_p.h>
#include "md.h"
#include "md-bitmap.h"
#include "md-cluster.h"
#include "raid1.h"
#include "compat/compat.h"
#include "mdport.h"
#include "ops.h"

/* Of a version 1 superblock, which every clustered array has. */
#define SB_BYTES 4096

/* No request of a resync has more sectors. */
#define REQUEST_SECTORS 256

/* How far beyond its end an array's ranges of a resync may reach, in sectors: one window. */
#define WINDOW_SECTORS (128 * 1024)

/* Differences between kernels. */

static sector_t *resync_mark(struct mddev *mddev)
{
#ifdef HAVE_RESYNC_OFFSET	/* Linux 6.18, and stable updates of older ones */
	return &mddev->resync_offset;
#else
	return &mddev->recovery_cp;
#endif
}

#ifdef HAVE_BITMAP_OPS		/* Linux 6.12 */

static bool bm_has_hooks(struct mddev *mddev)
{
	const struct bitmap_operations *ops = mddev->bitmap_ops;

	return ops && ops->resize && ops->start_sync && ops->close_sync && ops->update_sb &&
	       ops->get_stats && ops->sync_with_cluster && ops->get_from_slot &&
	       ops->copy_from_slot && ops->set_pages && ops->free;
}

static void *bm_of(struct mddev *mddev, int slot)
{
	return mddev->bitmap_ops->get_from_slot(mddev, slot);
}

static void bm_free(struct mddev *mddev, void *bitmap)
{
	mddev->bitmap_ops->free(bitmap);
}

static int bm_stats(struct mddev *mddev, void *bitmap, struct md_bitmap_stats *stats)
{
	return mddev->bitmap_ops->get_stats(bitmap, stats);
}

static void bm_set_pages(struct mddev *mddev, void *bitmap, unsigned long pages)
{
	mddev->bitmap_ops->set_pages(bitmap, pages);
}

static void bm_write_sb(struct mddev *mddev, void *bitmap)
{
	mddev->bitmap_ops->update_sb(bitmap);
}

static int bm_copy(struct mddev *mddev, int slot, sector_t *lo, sector_t *hi, bool clear)
{
	return mddev->bitmap_ops->copy_from_slot(mddev, slot, lo, hi, clear);
}

static void bm_follow(struct mddev *mddev, const struct mdc_range *done,
			  const struct mdc_range *next)
{
	mddev->bitmap_ops->sync_with_cluster(mddev, done->lo, done->hi, next->lo, next->hi);
}

/* Whether a resync is to go over the chunks at SECTOR; a degraded array's bits are only read. */
static bool bm_needs(struct mddev *mddev, sector_t sector, sector_t *sectors)
{
	return mddev->bitmap_ops->start_sync(mddev, sector, sectors, true);
}

static void bm_close_sync(struct mddev *mddev)
{
	mddev->bitmap_ops->close_sync(mddev);
}

static int bm_resize(struct mddev *mddev, sector_t sectors)
{
#ifdef HAVE_BITMAP_RESIZE_INIT	/* until Linux 6.18 */
	return mddev->bitmap_ops->resize(mddev, sectors, 0, false);
#else
	return mddev->bitmap_ops->resize(mddev, sectors, 0);
#endif
}

#else

static bool bm_has_hooks(struct mddev *mddev)
{
	return true;
}

static void *bm_of(struct mddev *mddev, int slot)
{
	return get_bitmap_from_slot(mddev, slot);
}

static void bm_free(struct mddev *mddev, void *bitmap)
{
	md_bitmap_free(bitmap);
}

static int bm_stats(struct mddev *mddev, void *bitmap, struct md_bitmap_stats *stats)
{
	return md_bitmap_get_stats(bitmap, stats);
}

static void bm_set_pages(struct mddev *mddev, void *bitmap, unsigned long pages)
{
	((struct bitmap *)bitmap)->counts.pages = pages;
}

static void bm_write_sb(struct mddev *mddev, void *bitmap)
{
	md_bitmap_update_sb(bitmap);
}

static int bm_copy(struct mddev *mddev, int slot, sector_t *lo, sector_t *hi, bool clear)
{
	return md_bitmap_copy_from_slot(mddev, slot, lo, hi, clear);
}

static void bm_follow(struct mddev *mddev, const struct mdc_range *done,
			  const struct mdc_range *next)
{
	md_bitmap_sync_with_cluster(mddev, done->lo, done->hi, next->lo, next->hi);
}

static bool bm_needs(struct mddev *mddev, sector_t sector, sector_t *sectors)
{
	return md_bitmap_start_sync(mddev->bitmap, sector, sectors, 1);
}

static void bm_close_sync(struct mddev *mddev)
{
	md_bitmap_close_sync(mddev->bitmap);
}

static int bm_resize(struct mddev *mddev, sector_t sectors)
{
	return md_bitmap_resize(mddev->bitmap, sectors, 0, 0);
}

#endif

/* What md core calls. It never does before join, and may once more after leave: no cluster then. */

static struct mdc_cluster *cluster_of(struct mddev *mddev)
{
	return (struct mdc_cluster *)READ_ONCE(mddev->cluster_info);
}

static int op_leave(struct mddev *mddev)
{
	struct mdc_cluster *c = cluster_of(mddev);

	/* md core also leaves after a join that failed. */
	if (!c)
		return 0;
	mdc_ops_leave(c);
	WRITE_ONCE(mddev->cluster_info, NULL);
	return 0;
}

static int op_join(struct mddev *mddev, int slots)
{
	struct mdc_cluster *c;
	int ret;

	if (!bm_has_hooks(mddev)) {
		pr_err("%s: this kernel's bitmap of the array knows nothing of clusters\n",
		       mdname(mddev));
		return -EOPNOTSUPP;
	}
	/* md core does not leave when a start fails after the join: that cluster has served. */
	op_leave(mddev);
	ret = mdc_ops_join(mddev, slots, &c);
	if (ret)
		return ret;
	WRITE_ONCE(mddev->cluster_info, (struct md_cluster_info *)c);
	return 0;
}

static int op_slot_number(struct mddev *mddev)
{
	struct mdc_cluster *c = cluster_of(mddev);

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

static int op_resync_info_update(struct mddev *mddev, sector_t lo, sector_t hi)
{
	sector_t *told = told_up_to(mddev);
	u32 least = told && *told == hi ? least_window(mddev, lo) : 0;
	u64 end = hi;
	int ret;

	ret = mdc_ops_resync_update(cluster_of(mddev), lo, &end, least);
	if (least)
		*told = end;
	return ret;
}

static void op_resync_info_get(struct mddev *mddev, sector_t *lo, sector_t *hi)
{
	u64 from, to;

	mdc_ops_resync_range(cluster_of(mddev), &from, &to);
	*lo = from;
	*hi = to;
}

static int op_metadata_update_start(struct mddev *mddev)
{
	return mdc_ops_metadata_start(cluster_of(mddev));
}

static int op_metadata_update_finish(struct mddev *mddev)
{
	return mdc_ops_metadata_finish(cluster_of(mddev));
}

static void op_metadata_update_cancel(struct mddev *mddev)
{
	mdc_ops_metadata_cancel(cluster_of(mddev));
}

static int op_resync_start(struct mddev *mddev)
{
	return mdc_ops_resync_start(cluster_of(mddev));
}

/* Called for the sake of a flag, which may be left from before the array was clustered no more. */
static int op_resync_finish(struct mddev *mddev)
{
	struct mdc_cluster *c = cluster_of(mddev);

	return c ? mdc_ops_resync_finish(c) : 0;
}

static int op_area_resyncing(struct mddev *mddev, int direction, sector_t lo, sector_t hi)
{
	struct mdc_cluster *c = cluster_of(mddev);

	return c && mdc_ops_area_busy(c, direction == WRITE, lo, hi);
}

static int op_add_new_disk(struct mddev *mddev, struct md_rdev *rdev)
{
	return mdc_ops_add(cluster_of(mddev), rdev);
}

static void op_add_new_disk_cancel(struct mddev *mddev)
{
	mdc_ops_add_cancel(cluster_of(mddev));
}

static int op_new_disk_ack(struct mddev *mddev, bool found)
{
	return mdc_ops_add_answer(cluster_of(mddev), found);
}

static int op_remove_disk(struct mddev *mddev, struct md_rdev *rdev)
{
	return mdc_ops_remove(cluster_of(mddev), rdev);
}

static void op_load_bitmaps(struct mddev *mddev, int slots)
{
	mdc_ops_load_bitmaps(cluster_of(mddev));
}

static int op_gather_bitmaps(struct md_rdev *rdev)
{
	return mdc_ops_readd(cluster_of(rdev->mddev), rdev);
}

static int op_resize_bitmaps(struct mddev *mddev, sector_t sectors, sector_t old_sectors)
{
	return mdc_ops_resize_bitmaps(cluster_of(mddev), sectors, old_sectors);
}

static int op_lock_all_bitmaps(struct mddev *mddev)
{
	return mdc_ops_lock_bitmaps(cluster_of(mddev));
}

static void op_unlock_all_bitmaps(struct mddev *mddev)
{
	mdc_ops_unlock_bitmaps(cluster_of(mddev));
}

static void op_update_size(struct mddev *mddev, sector_t old_device_sectors)
{
	mdc_ops_update_size(cluster_of(mddev), old_device_sectors);
}

#ifdef HAVE_RESYNC_START_NOTIFY	/* Linux 6.11 */
static int op_resync_start_notify(struct mddev *mddev)
{
	return mdc_ops_resync_announce(cluster_of(mddev));
}

static int op_resync_status_get(struct mddev *mddev)
{
	return mdc_ops_waits_for_sync(cluster_of(mddev));
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
	.slot_number = op_slot_number,
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

bool mdc_md_closing(struct mddev *mddev)
{
	return test_bit(MD_CLOSING, &mddev->flags);
}

void mdc_md_drain(struct mddev *mddev)
{
	mddev->pers->quiesce(mddev, true);
	mddev->pers->quiesce(mddev, false);
}

void mdc_md_uevent(struct mddev *mddev, char **env)
{
	kobject_uevent_env(&disk_to_dev(mddev->gendisk)->kobj, KOBJ_CHANGE, env);
}

/* The superblock. */

void mdc_md_update_sb(struct mddev *mddev)
{
	md_update_sb(mddev, 1);
}

void mdc_md_reload_sb(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;

	mddev->good_device_nr = device;
	md_reload_sb(mddev, device);
	/* A candidate that is to go, see mdc_md_drop_candidate(), was made a spare by that. */
	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk < 0 && !test_bit(Faulty, &rdev->flags) &&
		    test_bit(ClusterRemove, &rdev->flags))
			set_bit(Candidate, &rdev->flags);
}

bool mdc_md_sb_pending(struct mddev *mddev)
{
	return test_bit(MD_SB_CHANGE_DEVS, &mddev->sb_flags) ||
	       test_bit(MD_SB_CHANGE_PENDING, &mddev->sb_flags);
}

u64 mdc_md_events(struct mddev *mddev)
{
	return mddev->events;
}

/* Under rcu_read_lock(). */
static struct md_rdev *good_member(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rdev_for_each_rcu(rdev, mddev)
		if (rdev->raid_disk >= 0 && !test_bit(Faulty, &rdev->flags))
			return rdev;
	return NULL;
}

int mdc_md_good_device(struct mddev *mddev)
{
	struct md_rdev *rdev;
	int device;

	rcu_read_lock();
	rdev = good_member(mddev);
	device = rdev ? rdev->desc_nr : -1;
	rcu_read_unlock();
	return device;
}

/* Members. */

/* The caller holds the mutex, which keeps the device there. */
static struct md_rdev *find_device(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->desc_nr == device)
			return rdev;
	return NULL;
}

bool mdc_md_has_device(struct mddev *mddev, u32 device)
{
	return find_device(mddev, device);
}

u32 mdc_md_rdev_number(struct md_rdev *rdev)
{
	return rdev->desc_nr;
}

const u8 *mdc_md_rdev_uuid(struct md_rdev *rdev)
{
	const struct mdp_superblock_1 *sb = page_address(rdev->sb_page);

	return sb->device_uuid;
}

struct mddev *mdc_md_rdev_mddev(struct md_rdev *rdev)
{
	return rdev->mddev;
}

static void take_out(struct mddev *mddev, struct md_rdev *rdev)
{
	set_bit(ClusterRemove, &rdev->flags);
	mdc_md_resync_needed(mddev);
}

bool mdc_md_sweep(struct mddev *mddev)
{
	struct md_rdev *rdev;
	bool left = false;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev)
		left |= rdev->raid_disk < 0 && test_bit(ClusterRemove, &rdev->flags);
	rcu_read_unlock();
	if (left)
		mdc_md_resync_needed(mddev);
	return left;
}

bool mdc_md_mark_removed(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;

	rcu_read_lock();
	rdev = md_find_rdev_nr_rcu(mddev, device);
	if (rdev)
		take_out(mddev, rdev);
	rcu_read_unlock();
	return rdev;
}

bool mdc_md_clear_faulty(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;
	bool faulty;

	rcu_read_lock();
	rdev = md_find_rdev_nr_rcu(mddev, device);
	faulty = rdev && test_and_clear_bit(Faulty, &rdev->flags);
	rcu_read_unlock();
	return faulty;
}

/*
 * md core compares this, and some more, with its own idea, and writes all of it anew. The page is
 * its copy: what stands there meanwhile is on no disk.
 */
void mdc_md_force_update(struct mddev *mddev)
{
	struct mdp_superblock_1 *sb;
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev) {
		if (!rdev->sb_page)
			continue;
		sb = page_address(rdev->sb_page);
		sb->chunksize = cpu_to_le32(~mddev->chunk_sectors);
	}
	set_mask_bits(&mddev->sb_flags, 0, BIT(MD_SB_CHANGE_DEVS) | BIT(MD_SB_CHANGE_PENDING));
}

static bool recovery_unrecorded(struct md_rdev *rdev)
{
	const struct mdp_superblock_1 *sb;

	if (!rdev->sb_page || !test_bit(In_sync, &rdev->flags) || test_bit(Faulty, &rdev->flags))
		return false;
	sb = page_address(rdev->sb_page);
	return le32_to_cpu(sb->feature_map) & MD_FEATURE_RECOVERY_OFFSET;
}

bool mdc_md_recovery_unrecorded(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (recovery_unrecorded(rdev))
			return true;
	return false;
}

static u16 role_in(const struct mdp_superblock_1 *sb, u32 device)
{
	return device < le32_to_cpu(sb->max_dev) ? le16_to_cpu(sb->dev_roles[device]) :
						   MD_DISK_ROLE_SPARE;
}

/* The leg that the superblock read last has RDEV, a good spare here, as; or -1. */
static int leg_in_sb(struct mddev *mddev, struct md_rdev *rdev)
{
	struct md_rdev *good;
	u16 role = MD_DISK_ROLE_SPARE;

	rcu_read_lock();
	good = good_member(mddev);
	if (good && good->sb_page && rdev->raid_disk < 0 && !test_bit(Faulty, &rdev->flags))
		role = role_in(page_address(good->sb_page), rdev->desc_nr);
	rcu_read_unlock();
	return role < MD_DISK_ROLE_MAX ? role : -1;
}

/* For mdc_ops_remove(): another node made a leg of it, and this one has not followed yet. */
bool mdc_md_leg_elsewhere(struct mddev *mddev, struct md_rdev *rdev)
{
	return leg_in_sb(mddev, rdev) >= 0;
}

/* The caller holds the mutex. */
static struct md_rdev *candidate(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = find_device(mddev, device);

	return rdev && rdev->raid_disk < 0 && test_bit(Candidate, &rdev->flags) ? rdev : NULL;
}

/*
 * md core no longer lets modules take a device out. But its thread does it for one that another
 * node removed, as soon as it gets the mutex, on an array that is not read-only; and md core has
 * made this one writable when it bound the candidate.
 */
int mdc_md_drop_candidate(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = candidate(mddev, device);

	if (!rdev)
		return -ENOENT;
	take_out(mddev, rdev);
	return 0;
}

bool mdc_md_candidate_is(struct mddev *mddev, u32 device, const u8 *uuid)
{
	struct md_rdev *rdev = candidate(mddev, device);

	return rdev && rdev->sb_page && !memcmp(mdc_md_rdev_uuid(rdev), uuid, MDC_UUID_SIZE);
}

void mdc_md_hold_candidate(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = find_device(mddev, device);

	if (rdev && rdev->raid_disk < 0)
		set_bit(Candidate, &rdev->flags);
}

/* From the disk, not from what md core has read of it. The caller holds the mutex. */
static int read_super(struct mddev *mddev, struct md_rdev *rdev, struct page *page)
{
	const struct mdp_superblock_1 *sb = page_address(page);

	if (!sync_page_io(rdev, 0, SB_BYTES, page, REQ_OP_READ, true))
		return -EIO;
	return le32_to_cpu(sb->magic) != MD_SB_MAGIC || le32_to_cpu(sb->major_version) != 1 ||
	       le32_to_cpu(sb->max_dev) > (SB_BYTES - sizeof(*sb)) / sizeof(sb->dev_roles[0]) ||
	       memcmp(sb->set_uuid, mddev->uuid, sizeof(sb->set_uuid)) ? -EINVAL : 0;
}

static int events_on_disk(struct mddev *mddev, struct md_rdev *rdev, u64 *events)
{
	const struct mdp_superblock_1 *sb;
	struct page *page;
	int ret;

	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	sb = page_address(page);
	ret = read_super(mddev, rdev, page);
	if (!ret)
		*events = le64_to_cpu(sb->events);
	__free_page(page);
	return ret;
}

int mdc_md_candidate_events(struct mddev *mddev, u32 device, u64 *events)
{
	struct md_rdev *rdev = candidate(mddev, device);

	return rdev ? events_on_disk(mddev, rdev, events) : -ENOENT;
}

/*
 * A member that another node has failed is not written any more: it is not the newest. A spare is
 * written, and may be a leg by now, elsewhere.
 */
int mdc_md_newest_device(struct mddev *mddev)
{
	struct md_rdev *rdev;
	u64 events, most = 0;
	int device = -1;

	rdev_for_each(rdev, mddev) {
		if (test_bit(Candidate, &rdev->flags) || test_bit(Faulty, &rdev->flags) ||
		    events_on_disk(mddev, rdev, &events))
			continue;
		if (device < 0 || events > most) {
			device = rdev->desc_nr;
			most = events;
		}
	}
	return device;
}

/* Whether what SB says cannot be made of what md core has assembled. */
static bool too_far(struct mddev *mddev, const struct mdp_superblock_1 *sb)
{
	bool newer = le64_to_cpu(sb->events) > mddev->events;
	struct md_rdev *rdev;
	int good = 0;
	u32 i;

	for (i = 0; i < le32_to_cpu(sb->max_dev); i++) {
		if (role_in(sb, i) >= MD_DISK_ROLE_MAX)
			continue;
		rdev = find_device(mddev, i);
		if (rdev ? rdev->raid_disk < 0 : newer)
			return true;
		good += rdev && test_bit(In_sync, &rdev->flags);
	}
	return !good;
}

bool mdc_md_outdated(struct mddev *mddev)
{
	int device = mdc_md_newest_device(mddev);
	struct md_rdev *rdev = device < 0 ? NULL : find_device(mddev, device);
	bool outdated = false;
	struct page *page;

	if (!rdev)
		return false;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return true;
	if (!read_super(mddev, rdev, page))
		outdated = too_far(mddev, page_address(page));
	__free_page(page);
	return outdated;
}

/* Resync. */

static bool is_taken(struct mddev *mddev, int leg)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk == leg && !test_bit(Faulty, &rdev->flags))
			return true;
	return false;
}

bool mdc_md_leg_missing(struct mddev *mddev)
{
	struct md_rdev *rdev;
	int leg;

	rdev_for_each(rdev, mddev) {
		leg = leg_in_sb(mddev, rdev);
		if (leg >= 0 && !is_taken(mddev, leg))
			return true;
	}
	return false;
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

void mdc_md_resync_needed(struct mddev *mddev)
{
	set_bit(MD_RECOVERY_NEEDED, &mddev->recovery);
	mdc_md_wake(mddev);
}

void mdc_md_check_recovery(struct mddev *mddev)
{
	md_check_recovery(mddev);
}

void mdc_md_set_remote_resync(struct mddev *mddev, bool remote)
{
	if (remote)
		set_bit(MD_RESYNCING_REMOTE, &mddev->recovery);
	else
		clear_bit(MD_RESYNCING_REMOTE, &mddev->recovery);
}

/* Whether our own bitmap asks for a resync of anything. No resync runs. */
static bool bm_dirty(struct mddev *mddev)
{
	sector_t sector, sectors;

	/* Chunks that the last range of another node's resync has left marked. */
	bm_close_sync(mddev);
	for (sector = 0; sector < mddev->resync_max_sectors; sector += sectors) {
		if (bm_needs(mddev, sector, &sectors))
			return true;
		cond_resched();
	}
	return false;
}

static bool superblock_clean(struct mddev *mddev)
{
	const struct mdp_superblock_1 *sb;
	struct md_rdev *rdev;
	bool clean = false;

	rcu_read_lock();
	rdev = good_member(mddev);
	if (rdev && rdev->sb_page) {
		sb = page_address(rdev->sb_page);
		clean = le64_to_cpu(sb->resync_offset) == MaxSector &&
			le64_to_cpu(sb->events) == mddev->events;
	}
	rcu_read_unlock();
	return clean;
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
	    !superblock_clean(mddev) || bm_dirty(mddev))
		return false;
	WRITE_ONCE(*resync_mark(mddev), MaxSector);
	md_new_event();
	return true;
}

/* Reshape. */

bool mdc_md_copies_all(struct mddev *mddev)
{
	struct md_rdev *rdev;
	bool all = test_bit(MD_RECOVERY_RECOVER, &mddev->recovery);
	int legs = 0;

	rcu_read_lock();
	rdev_for_each_rcu(rdev, mddev) {
		if (rdev->raid_disk < 0 || test_bit(Faulty, &rdev->flags))
			continue;
		legs++;
		/* A disk that was a leg before is recovered by what bitmaps say. */
		all &= test_bit(In_sync, &rdev->flags) || rdev->saved_raid_disk < 0;
	}
	rcu_read_unlock();
	return all && legs == mddev->raid_disks;
}

bool mdc_md_reshaping(struct mddev *mddev)
{
	const struct mdp_superblock_1 *sb;
	struct md_rdev *rdev;
	bool active = false;

	rcu_read_lock();
	rdev = good_member(mddev);
	if (rdev && rdev->sb_page) {
		sb = page_address(rdev->sb_page);
		active = le32_to_cpu(sb->feature_map) & MD_FEATURE_RESHAPE_ACTIVE;
	}
	rcu_read_unlock();
	return active;
}

bool mdc_md_reshape_cut_off(struct mddev *mddev)
{
	return mddev->reshape_position != MaxSector && mdc_md_closing(mddev);
}

void mdc_md_continue_reshape(struct mddev *mddev)
{
	if (test_bit(MD_RESYNCING_REMOTE, &mddev->recovery) &&
	    test_bit(MD_RECOVERY_RESHAPE, &mddev->recovery) &&
	    mddev->reshape_position != MaxSector)
		md_wakeup_thread(mddev->sync_thread);
}

/* Bitmaps. */

/* Of another node; freeing our own slot's would have md core leave the cluster. */
static void *others_bitmap(struct mddev *mddev, int slot)
{
	if (!READ_ONCE(mddev->bitmap))
		return ERR_PTR(-ENODEV);
	if (slot < 0 || slot == op_slot_number(mddev))
		return ERR_PTR(-EINVAL);
	return bm_of(mddev, slot);
}

/*
 * md core says where the first and the last dirty chunk begin, and of the first chunk of the
 * array nothing: 0 also stands for none. So our own bitmap, which has it by then, is asked.
 */
int mdc_md_bitmap_take(struct mddev *mddev, int slot, bool clear, struct mdc_range *range)
{
	sector_t lo, hi, sectors;
	bool first;

	if (!READ_ONCE(mddev->bitmap))
		return -ENODEV;
	if (slot < 0 || slot == op_slot_number(mddev))
		return -EINVAL;
	if (bm_copy(mddev, slot, &lo, &hi, clear))
		return -EIO;
	first = bm_needs(mddev, 0, &sectors);
	range->lo = first ? 0 : lo;
	range->hi = first || hi ? hi + (mddev->bitmap_info.chunksize >> SECTOR_SHIFT) : 0;
	return 0;
}

/* A chunk that is done in part is not done; and md core warns of parts of chunks. */
static struct mdc_range whole_chunks(struct mddev *mddev, const struct mdc_range *range)
{
	u64 chunk = mddev->bitmap_info.chunksize >> SECTOR_SHIFT;
	struct mdc_range chunks = {
		.lo = round_down(range->lo, chunk),
		.hi = round_up(range->hi, chunk),
	};

	return chunks;
}

void mdc_md_bitmap_follow(struct mddev *mddev, const struct mdc_range *done,
			  const struct mdc_range *next)
{
	struct mdc_range from, to;

	/* A stop takes our own bitmap away under it. */
	mutex_lock(&mddev->bitmap_info.mutex);
	if (mddev->bitmap && mddev->bitmap_info.chunksize) {
		from = whole_chunks(mddev, done);
		to = whole_chunks(mddev, next);
		bm_follow(mddev, &from, &to);
	}
	mutex_unlock(&mddev->bitmap_info.mutex);
}

int mdc_md_bitmap_pages(struct mddev *mddev, int slot, unsigned long *pages)
{
	struct md_bitmap_stats stats;
	void *bitmap;
	int ret;

	bitmap = slot < 0 ? mddev->bitmap : others_bitmap(mddev, slot);
	if (IS_ERR_OR_NULL(bitmap))
		return bitmap ? PTR_ERR(bitmap) : -ENODEV;
	ret = bm_stats(mddev, bitmap, &stats);
	*pages = ret ? 0 : stats.pages;
	if (slot >= 0)
		bm_free(mddev, bitmap);
	return ret;
}

int mdc_md_bitmap_set_pages(struct mddev *mddev, int slot, unsigned long pages)
{
	void *bitmap = others_bitmap(mddev, slot);

	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	bm_set_pages(mddev, bitmap, pages);
	bm_free(mddev, bitmap);
	return 0;
}

int mdc_md_bitmap_sync_size(struct mddev *mddev, int slot, bool update, u64 *sectors)
{
	struct md_bitmap_stats stats;
	void *bitmap;
	int ret;

	bitmap = slot < 0 ? mddev->bitmap : others_bitmap(mddev, slot);
	if (IS_ERR_OR_NULL(bitmap))
		return bitmap ? PTR_ERR(bitmap) : -ENODEV;
	if (update)
		bm_write_sb(mddev, bitmap);
	ret = bm_stats(mddev, bitmap, &stats);
	*sectors = ret ? 0 : stats.sync_size;
	if (slot >= 0)
		bm_free(mddev, bitmap);
	return ret;
}

int mdc_md_bitmap_resize(struct mddev *mddev, u64 sectors)
{
	return READ_ONCE(mddev->bitmap) ? bm_resize(mddev, sectors) : -ENODEV;
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
