// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The superblock, as md core writes it and takes it in: when it is written, what the cluster is
 * asked on the way, and what changes when another node's is read.
 */
#include "ops.h"
#include "world.h"

bool md_roles_differ(struct mddev *md)
{
	struct md_rdev *good = md_good(md);
	int i;

	if (!good)
		return false;
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];
		u16 role = good->sb.roles[rdev->number];

		if (!rdev->used)
			continue;
		if (role == ROLE_SPARE && rdev->leg >= 0 && !rdev->faulty)
			return true;
		if (rdev->faulty && role < ROLE_FAULTY)
			return true;
	}
	return false;
}

static bool sb_needs_changing(struct mddev *md)
{
	struct md_rdev *good = md_good(md);

	return good && (good->sb.other_size || md_roles_differ(md));
}

static u16 role_of(const struct md_rdev *rdev)
{
	if (rdev->faulty)
		return ROLE_FAULTY;
	return rdev->leg >= 0 ? rdev->leg : ROLE_SPARE;
}

static void fill_sb(struct mddev *md, struct md_rdev *rdev)
{
	struct md_super *sb = &rdev->sb;
	int i;

	sb->there = true;
	sb->other_size = false;
	sb->events = md->events;
	sb->resync_mark = md->mark;
	sb->has_offset = rdev->leg >= 0 && !rdev->insync;
	sb->offset = sb->has_offset ? rdev->offset : 0;
	sb->by_bitmap = sb->has_offset && rdev->saved_leg >= 0;
	for (i = 0; i < MD_DEVICES; i++)
		sb->roles[i] = ROLE_SPARE;
	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used)
			sb->roles[md->rdevs[i].number] = role_of(&md->rdevs[i]);
}

static void write_sbs(struct mddev *md)
{
	bool acked[MD_DEVICES];
	int i;

	md->events++;
	sim_trace("writes superblocks, events %llu", (unsigned long long)md->events);
	for (i = 0; i < MD_DEVICES; i++) {
		acked[i] = md->rdevs[i].used && md->rdevs[i].faulty;
		if (md->rdevs[i].used)
			fill_sb(md, &md->rdevs[i]);
	}
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (!rdev->used || rdev->faulty || rdev->candidate)
			continue;
		sim_sleep_us(sim_between(50, 1500));
		md_disks.disk[rdev->disk].sb = rdev->sb;
	}
	for (i = 0; i < MD_DEVICES; i++)
		if (acked[i])
			md->rdevs[i].blocked = false;
}

void md_update_sb(struct mddev *md, bool force)
{
	int ret = -1;

	do {
		if (md->c) {
			md->change_devs = false;
			md->change_clean = false;
			ret = mdc_ops_metadata_start(md->c);
			if (!sb_needs_changing(md)) {
				if (!ret)
					mdc_ops_metadata_cancel(md->c);
				if (!md->change_devs && !md->change_clean)
					md->change_pending = false;
				wake_up(&md->sb_wait);
				return;
			}
		}
		md->change_devs = false;
		md->change_clean = false;
		write_sbs(md);
		if (md->c && !ret)
			mdc_ops_metadata_finish(md->c);
	} while (md->change_devs || md->change_clean);
	md->change_pending = false;
	wake_up(&md->sb_wait);
	(void)force;
}

static void read_rdev(struct mddev *md, struct md_rdev *rdev)
{
	sim_sleep_us(sim_between(20, 800));
	if (!rdev->used || !md_disks.disk[rdev->disk].sb.there)
		return;
	rdev->sb = md_disks.disk[rdev->disk].sb;
	if (rdev->sb.has_offset)
		rdev->offset = rdev->sb.offset;
	if (rdev->offset == MDC_MD_CLEAN && rdev->leg >= 0 && !rdev->insync && !rdev->faulty)
		rdev->insync = true;
	(void)md;
}

static void take_changes(struct mddev *md, const struct md_super *sb)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];
		u16 role = sb->roles[rdev->number];

		if (!rdev->used)
			continue;
		if (rdev->faulty) {
			if (rdev->removing)
				md->needed = true;
			continue;
		}
		if (rdev->candidate) {
			if (role == ROLE_FAULTY) {
				md_kick(rdev);
				continue;
			}
			sim_trace("device %d is no candidate any more", rdev->number);
			rdev->candidate = false;
			md_disks.disk[rdev->disk].spare = true;
		}
		if (rdev->leg == -1 && role != ROLE_SPARE && role != ROLE_FAULTY &&
		    !(md->c && mdc_ops_waits_for_sync(md->c))) {
			rdev->saved_leg = sb->has_offset && !sb->by_bitmap ? -1 : role;
			md_spares(md, rdev);
			md->needed = true;
			md_wake(md);
		}
		if (role == ROLE_FAULTY) {
			md_fail(rdev);
			rdev->blocked = false;
		}
	}
	md->events = sb->events;
}

void md_reload_sb(struct mddev *md, int number)
{
	struct md_rdev *rdev = md_find(md, number);
	struct md_super sb;
	int i;

	sim_trace("reads the superblock of device %d%s", number, rdev ? "" : ", which is not there");
	if (!rdev)
		return;
	read_rdev(md, rdev);
	sb = rdev->sb;
	take_changes(md, &sb);
	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && !md->rdevs[i].faulty)
			read_rdev(md, &md->rdevs[i]);
}
