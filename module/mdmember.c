// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of an array, by their numbers. */
#include "mdcore.h"

struct md_rdev *mdc_find_rdev(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->desc_nr == device)
			return rdev;
	return NULL;
}

bool mdc_md_has_device(struct mddev *mddev, u32 device)
{
	return mdc_find_rdev(mddev, device);
}

bool mdc_md_has_spare(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk < 0 && !test_bit(Faulty, &rdev->flags))
			return true;
	return false;
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

u64 mdc_md_rdev_disk(struct md_rdev *rdev)
{
	dev_t dev = rdev->bdev->bd_dev;

	return (u64)MAJOR(dev) << 32 | MINOR(dev);
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

bool mdc_md_failed_in_place(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;
	bool in_place;

	rcu_read_lock();
	rdev = md_find_rdev_nr_rcu(mddev, device);
	in_place = rdev && rdev->raid_disk >= 0 && test_bit(Faulty, &rdev->flags);
	rcu_read_unlock();
	return in_place;
}

bool mdc_md_clear_faulty(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev;
	bool faulty;

	rcu_read_lock();
	rdev = md_find_rdev_nr_rcu(mddev, device);
	faulty = rdev && test_bit(Faulty, &rdev->flags);
	if (faulty) {
		/* Still in its place it would count as recovered, from an earlier recovery. */
		rdev->recovery_offset = 0;
		clear_bit(Faulty, &rdev->flags);
	}
	rcu_read_unlock();
	return faulty;
}

/* The caller holds the mutex. */
static struct md_rdev *candidate(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = mdc_find_rdev(mddev, device);

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

bool mdc_md_candidate_adopt(struct mddev *mddev, u32 device, const u8 *uuid)
{
	struct md_rdev *rdev = candidate(mddev, device);
	struct mdp_superblock_1 *sb;

	if (!rdev || !rdev->sb_page)
		return false;
	sb = page_address(rdev->sb_page);
	if (memcmp(sb->set_uuid, mddev->uuid, sizeof(sb->set_uuid)))
		return false;
	memcpy(sb->device_uuid, uuid, sizeof(sb->device_uuid));
	return true;
}

void mdc_md_hold_candidate(struct mddev *mddev, u32 device)
{
	struct md_rdev *rdev = mdc_find_rdev(mddev, device);

	if (rdev && rdev->raid_disk < 0)
		set_bit(Candidate, &rdev->flags);
}

int mdc_md_candidate_events(struct mddev *mddev, u32 device, const u8 *uuid, u64 *events)
{
	struct md_rdev *rdev = candidate(mddev, device);

	return rdev ? mdc_rdev_events(mddev, rdev, uuid, events) : -ENOENT;
}
