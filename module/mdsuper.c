// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands in superblocks: the one that md core has read last, and those on the disks. */
#include "mdcore.h"

/* Of a version 1 superblock, which every clustered array has. */
#define SB_BYTES 4096

void mdc_md_update_sb(struct mddev *mddev)
{
	md_update_sb(mddev, 1);
}

/* It becomes a leg, and was none before: no bitmap says what it lacks. */
static bool lacks_all(const struct mdp_superblock_1 *sb)
{
	u32 features = le32_to_cpu(sb->feature_map);

	return (features & MD_FEATURE_RECOVERY_OFFSET) && !(features & MD_FEATURE_RECOVERY_BITMAP);
}

static u16 role_in(const struct mdp_superblock_1 *sb, u32 device)
{
	return device < le32_to_cpu(sb->max_dev) ? le16_to_cpu(sb->dev_roles[device]) :
						   MD_DISK_ROLE_SPARE;
}

/*
 * md core takes a leg that appears for one that was there before, and would recover it by bitmaps
 * if the recovery falls to this node; and write that to its superblock, for others to believe. Also
 * one that it could not take in yet. Where its own superblock has it as a spare, the node that
 * made it a leg died before it wrote that.
 */
static void copy_all_to(struct mddev *mddev, struct md_rdev *rdev)
{
	struct r1conf *conf = mddev->private;
	const struct mdp_superblock_1 *sb;

	if (!rdev->sb_page || test_bit(In_sync, &rdev->flags) || test_bit(Faulty, &rdev->flags))
		return;
	sb = page_address(rdev->sb_page);
	if (!lacks_all(sb) && role_in(sb, rdev->desc_nr) < MD_DISK_ROLE_MAX)
		return;
	rdev->saved_raid_disk = -1;
	if (rdev->raid_disk >= 0 && mddev->level == 1)
		conf->fullsync = 1;
}

void mdc_md_reload_sb(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;

	mddev->good_device_nr = device;
	md_reload_sb(mddev, device);
	rdev_for_each(rdev, mddev) {
		copy_all_to(mddev, rdev);
		/* One that is to go, see mdc_md_drop_candidate(), was made a spare by that. */
		if (rdev->raid_disk < 0 && !test_bit(Faulty, &rdev->flags) &&
		    test_bit(ClusterRemove, &rdev->flags))
			set_bit(Candidate, &rdev->flags);
	}
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
	set_bit(MD_SB_CHANGE_DEVS, &mddev->sb_flags);
	/* That of an array that is not written to waits, and --readonly would wait for it. */
	if (!mddev->ro)
		set_bit(MD_SB_CHANGE_PENDING, &mddev->sb_flags);
}

static bool roles_differ(struct mddev *mddev, const struct mdp_superblock_1 *sb)
{
	struct md_rdev *rdev;
	u16 role;

	rdev_for_each(rdev, mddev) {
		role = role_in(sb, rdev->desc_nr);
		if (test_bit(Faulty, &rdev->flags) ? role < MD_DISK_ROLE_MAX :
		    rdev->raid_disk >= 0 && role == MD_DISK_ROLE_SPARE)
			return true;
	}
	return false;
}

static bool shape_differs(struct mddev *mddev, const struct mdp_superblock_1 *sb)
{
	u32 chunk = le32_to_cpu(sb->chunksize);

	return le64_to_cpu(sb->size) != mddev->dev_sectors ||
	       le32_to_cpu(sb->layout) != mddev->layout ||
	       le32_to_cpu(sb->raid_disks) != mddev->raid_disks ||
	       /* ~: see mdc_md_force_update(). */
	       (chunk != mddev->chunk_sectors && chunk != ~(u32)mddev->chunk_sectors) ||
	       mddev->reshape_position != MaxSector ||
	       le32_to_cpu(sb->feature_map) & MD_FEATURE_RESHAPE_ACTIVE;
}

/* md core's copy, in which it looks for changes; NULL where it has no good member. */
static struct mdp_superblock_1 *good_super(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rcu_read_lock();
	rdev = good_member(mddev);
	rcu_read_unlock();
	return rdev && rdev->sb_page ? page_address(rdev->sb_page) : NULL;
}

bool mdc_md_update_counts(struct mddev *mddev)
{
	const struct mdp_superblock_1 *sb = good_super(mddev);

	return sb && (roles_differ(mddev, sb) || shape_differs(mddev, sb));
}

void mdc_md_skip_update(struct mddev *mddev)
{
	struct mdp_superblock_1 *sb = good_super(mddev);

	if (!sb)
		return;
	sb->chunksize = cpu_to_le32(mddev->chunk_sectors);
	/* mdadm leaves 0 there, in which md core sees a change each time. */
	sb->reshape_position = cpu_to_le64(mddev->reshape_position);
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

bool mdc_sb_clean(struct mddev *mddev)
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

bool mdc_md_failed_in_sb(struct mddev *mddev, u32 device)
{
	const struct mdp_superblock_1 *sb = good_super(mddev);

	return sb && role_in(sb, device) == MD_DISK_ROLE_FAULTY;
}

bool mdc_md_lacks_writes(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = mdc_find_rdev(mddev, device);

	return rdev && rdev->sb_page && mddev->degraded && mddev->bitmap &&
	       role_in(page_address(rdev->sb_page), device) < MD_DISK_ROLE_MAX &&
	       mdc_bm_dirty(mddev);
}

/* For mdc_ops_remove(): another node made a leg of it, and this one has not followed yet. */
bool mdc_md_leg_elsewhere(struct mddev *mddev, struct md_rdev *rdev)
{
	return leg_in_sb(mddev, rdev) >= 0;
}

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

	/*
	 * A reshape's new legs md core takes in as it begins the reshape here too, which it
	 * refuses while it is about to recover something.
	 */
	if (mdc_md_reshaping(mddev))
		return false;
	rdev_for_each(rdev, mddev) {
		leg = leg_in_sb(mddev, rdev);
		if (leg >= 0 && !is_taken(mddev, leg))
			return true;
	}
	return false;
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

/* 0 or -errno; -EINVAL as well where UUID is not its device UUID. LACKS: it lacks all. */
static int look_at(struct mddev *mddev, struct md_rdev *rdev, const u8 *uuid, u64 *events,
		   bool *lacks)
{
	const struct mdp_superblock_1 *sb;
	struct page *page;
	int ret;

	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	sb = page_address(page);
	ret = read_super(mddev, rdev, page);
	if (!ret && uuid && memcmp(sb->device_uuid, uuid, MDC_UUID_SIZE))
		ret = -EINVAL;
	if (!ret) {
		*events = le64_to_cpu(sb->events);
		*lacks = lacks_all(sb);
	}
	__free_page(page);
	return ret;
}

int mdc_rdev_events(struct mddev *mddev, struct md_rdev *rdev, const u8 *uuid, u64 *events)
{
	bool lacks;

	return look_at(mddev, rdev, uuid, events, &lacks);
}

/*
 * A member that another node has failed is not written any more: it is not the newest. A spare is
 * written, and may be a leg by now, elsewhere. Of several a disk that lacks all: md core (6.12 on)
 * goes by the superblock that it is told to read.
 */
int mdc_md_newest_device(struct mddev *mddev)
{
	struct md_rdev *rdev;
	u64 events, most = 0;
	int device = -1;
	bool lacks;

	rdev_for_each(rdev, mddev) {
		if (test_bit(Candidate, &rdev->flags) || test_bit(Faulty, &rdev->flags) ||
		    look_at(mddev, rdev, NULL, &events, &lacks))
			continue;
		if (device < 0 || events > most || (events == most && lacks)) {
			device = rdev->desc_nr;
			most = events;
		}
	}
	return device;
}

bool mdc_md_reshaping_on_disk(struct mddev *mddev)
{
	const struct mdp_superblock_1 *sb;
	int device = mdc_md_newest_device(mddev);
	struct md_rdev *rdev = device < 0 ? NULL : mdc_find_rdev(mddev, device);
	struct page *page = rdev ? alloc_page(GFP_KERNEL) : NULL;
	bool active;

	/* Not known: as md core has it. */
	if (!page)
		return mddev->reshape_position != MaxSector;
	sb = page_address(page);
	active = read_super(mddev, rdev, page) ? mddev->reshape_position != MaxSector :
		 le32_to_cpu(sb->feature_map) & MD_FEATURE_RESHAPE_ACTIVE;
	__free_page(page);
	return active;
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
		rdev = mdc_find_rdev(mddev, i);
		if (rdev ? rdev->raid_disk < 0 : newer)
			return true;
		good += rdev && test_bit(In_sync, &rdev->flags);
	}
	return !good;
}

/*
 * Another node has recovered RDEV, and its superblock says no more up to where: a node that reads it
 * now takes it for recovered only if it knew.
 */
static bool recovery_missed(struct mddev *mddev, struct md_rdev *rdev, struct page *page)
{
	const struct mdp_superblock_1 *sb = page_address(page);

	if (rdev->raid_disk < 0 || test_bit(In_sync, &rdev->flags) ||
	    test_bit(Faulty, &rdev->flags) || test_bit(Journal, &rdev->flags) ||
	    read_super(mddev, rdev, page))
		return false;
	return !(le32_to_cpu(sb->feature_map) & MD_FEATURE_RECOVERY_OFFSET) &&
	       role_in(sb, rdev->desc_nr) < MD_DISK_ROLE_MAX;
}

bool mdc_md_outdated(struct mddev *mddev)
{
	int device = mdc_md_newest_device(mddev);
	struct md_rdev *rdev = device < 0 ? NULL : mdc_find_rdev(mddev, device);
	bool outdated = false;
	struct page *page;

	if (!rdev)
		return false;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return true;
	if (!read_super(mddev, rdev, page))
		outdated = too_far(mddev, page_address(page));
	rdev_for_each(rdev, mddev)
		outdated = outdated || recovery_missed(mddev, rdev, page);
	__free_page(page);
	return outdated;
}
