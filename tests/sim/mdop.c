// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What mdadm does on a node. Each command is a thread of its node.
 */
#include "check.h"
#include "main.h"
#include "ops.h"
#include "world.h"

struct mdc_limits mdc_limits = {
	.newdisk_timeout = 5000,
	.verdict_timeout = 4000,
	.join_timeout = 60000,
	.leave_timeout = 10000,
	.stuck_after = 60000,
};

/* Starting and stopping. */

static const struct md_super *freshest(void)
{
	const struct md_super *best = NULL;
	int i;

	for (i = 0; i < MD_DISKS; i++) {
		const struct md_super *sb = &md_disks.disk[i].sb;

		if (sb->there && sb->number < MD_DEVICES && sb->roles[sb->number] < ROLE_FAULTY &&
		    (!best || sb->events > best->events))
			best = sb;
	}
	return best;
}

/*
 * As mdadm --assemble: members by the newest superblock. For a spare that says nothing of what
 * became of its add or removal; people do not give mdadm those that are out.
 */
static int assemble(struct sim_node *node)
{
	const struct md_super best = *freshest();
	struct mddev *md = &node->md;
	struct md_rdev *rdev;
	int i;

	for (i = 0; i < MD_DISKS; i++) {
		const struct md_super *sb = &md_disks.disk[i].sb;
		u16 role;

		if (!sb->there)
			continue;
		role = best.roles[sb->number];
		if (role == ROLE_FAULTY || (role == ROLE_SPARE && !md_disks.disk[i].spare))
			continue;
		if (role != ROLE_SPARE && sb->events + 1 < best.events)
			continue;
		if (md_bind(md, i, sb, &rdev))
			continue;
		if (role != ROLE_SPARE) {
			/* Cut off between two superblocks, its own may still have it as a spare. */
			bool whole = sb->roles[sb->number] < ROLE_FAULTY && !sb->has_offset;

			rdev->leg = role;
			rdev->insync = whole;
			rdev->offset = sb->has_offset ? sb->offset : 0;
			rdev->saved_leg = sb->by_bitmap ? role : -1;
			md->full_sync |= !whole && !sb->by_bitmap;
		}
		rdev->sb = *sb;
		memcpy(rdev->sb.roles, best.roles, sizeof(best.roles));
	}
	md->events = best.events;
	md->mark = best.resync_mark;
	return md_in_sync(md) ? 0 : -EIO;
}

/* NEVER_SYNCED: the superblock says that all from the mark on may differ. */
static void load_own_bitmap(struct mddev *md, bool never_synced)
{
	u32 bits = md_disks.bitmap[md->slot];
	int i;

	/* As in md core, bits below the mark stand for nothing. */
	md->dirty = bits;
	for (i = 0; i < MD_CHUNKS; i++)
		if (i * MD_CHUNK >= md->mark && (bits >> i & 1 || never_synced))
			md->need |= 1u << i;
	md->bitmap_loaded = true;
	md->needed = true;
	md_wake(md);
}

/* Others have a disk by now that this node was not started with, or the other way round. */
static bool other_disks(struct sim_node *node)
{
	int i, j;

	for (i = 0; i < sim_world.count; i++) {
		struct sim_node *other = &sim_world.nodes[i];

		for (j = 0; j < MD_DEVICES && other->up && other->md.there; j++) {
			struct md_rdev *rdev = &other->md.rdevs[j];

			if (rdev->used && !rdev->faulty && !rdev->candidate &&
			    !md_find_disk(&node->md, rdev->disk))
				return true;
			rdev = &node->md.rdevs[j];
			if (other != node && rdev->used && !rdev->faulty &&
			    (!md_find_disk(&other->md, rdev->disk) ||
			     md_find_disk(&other->md, rdev->disk)->candidate))
				return true;
		}
	}
	return false;
}

int op_start(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	u64 changes = sim_world.member_changes;
	int i, ret, writers = sim_below(MD_WRITERS + 1);
	bool never_synced;

	md_init(md, node, node->index);
	md_lock(md);
	ret = assemble(node);
	if (!ret)
		ret = md_thread_start(md);
	if (ret)
		goto out;
	ret = mdc_ops_join(md, md_disks.slots, &md->c);
	if (ret) {
		md->c = NULL;
		goto out;
	}
	md->slot = mdc_ops_slot(md->c);
	never_synced = md->mark != MDC_MD_CLEAN;
	mdc_ops_load_bitmaps(md->c);
	load_own_bitmap(md, never_synced);
	if (changes != sim_world.member_changes || sim_world.adds || other_disks(node))
		sim_world.vague = true;
	/* A leg that is to be taken in only now: another case that is md core's. */
	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && mdc_md_leg_elsewhere(md, &md->rdevs[i]))
			sim_world.vague = true;
	md->there = true;
	sim_trace("array started");
	for (i = 0; i < writers && !sim_world.writers_stop; i++) {
		md->writers++;
		sim_spawn(node, "writer", md_writer, md);
	}
out:
	sim_trace("start: %d", ret);
	if (ret) {
		md_thread_stop(md);
		memset(md->rdevs, 0, sizeof(md->rdevs));
		check_left(node->index);
	}
	md_unlock(md);
	node->commands--;
	return ret;
}

int op_stop(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	struct mdc_cluster *c = md->c;

	md->closing = true;
	wait_event(md->sb_wait, !md->writers && !md->active);
	md->stopping_us = sim_now_us;
	md_lock(md);
	md_stop_sync(md);
	md_quiesce(md, true);
	md_quiesce(md, false);
	if (md->change_devs || md->change_clean || md->change_pending)
		md_update_sb(md, true);
	mdc_ops_leave(c);
	md->c = NULL;
	md_thread_stop(md);
	memset(md->rdevs, 0, sizeof(md->rdevs));
	md->there = false;
	md->closing = false;
	md->stopping_us = 0;
	sim_trace("array stopped");
	check_left(node->index);
	md_unlock(md);
	node->commands--;
	return 0;
}

/* Adding. */

static int pick_free_disk(void)
{
	int disks[MD_DISKS], i, j, count = 0;

	for (i = 0; i < MD_DISKS; i++) {
		bool used = md_disks.disk[i].taken;

		for (j = 0; j < sim_world.count; j++)
			used = used || (sim_world.nodes[j].up &&
					md_find_disk(&sim_world.nodes[j].md, i));
		if (!used)
			disks[count++] = i;
	}
	return count ? disks[sim_below(count)] : -1;
}

static int free_number(struct mddev *md)
{
	int number = MD_LEGS;

	while (md_find(md, number))
		number++;
	return number;
}

/* What this node's agent is told of it, and whether its word counts. */
static int ask(struct sim_node *node)
{
	struct mdc_cluster *c = node->md.c;
	bool given_up;
	int ret;

	node->refused = 0;
	node->said_refused = node->said_over = 0;
	ret = mdc_ops_add(c, &node->adding);
	given_up = ret == -EINTR || ret == -EAGAIN;
	if (node->refused && node->refused == c->proposal.last && ret != -ENOENT && ret != -EINTR)
		sim_fail("the refusal that was taken has been passed over (%d)", ret);
	if (node->said_refused != (ret && !given_up))
		sim_fail("an add that ends with %d is told as %srefused", ret,
			 node->said_refused ? "" : "not ");
	if (given_up && !node->said_over)
		sim_fail("an add that is given up is not told as such");
	return ret;
}

static int add(struct sim_node *node, int disk)
{
	struct mddev *md = &node->md;
	struct md_rdev *rdev;
	int ret;

	md_suspend(md);
	ret = md_lock_killable(md);
	if (ret) {
		md_resume(md);
		return ret;
	}
	memset(&node->adding, 0, sizeof(node->adding));
	node->adding.md = md;
	node->adding.disk = disk;
	node->adding.number = md_disks.disk[disk].sb.number;
	memcpy(node->adding.uuid, md_disks.disk[disk].uuid, MDC_UUID_SIZE);
	ret = ask(node);
	if (!ret) {
		ret = sim_chance(sim_world.bind_fails_one_in) && !sim_world.healing ? -EIO :
		      md_bind(md, disk, &md_disks.disk[disk].sb, &rdev);
		if (ret) {
			mdc_ops_add_cancel(md->c);
			if (node->said_refused || !node->said_over)
				sim_fail("an add that md core could not do is not told as such");
		} else {
			md_disks.disk[disk].spare = true;
			md->change_devs = true;
			md->needed = true;
		}
	}
	md_resume(md);
	md_unlock(md);
	return ret;
}

int op_add(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	int disk = pick_free_disk(), ret = -ENODEV;
	struct md_rdev *good = md_good(md);
	struct md_super *sb;

	if (disk < 0 || !good || free_number(md) >= MD_DEVICES)
		goto out;
	/* See may_fail(): one spare at a time for a leg that is missing. */
	if ((md_in_sync(md) < MD_LEGS || sim_world.fails) && md_spare_count(md) + sim_world.adds)
		goto out;
	sim_world.adds++;
	sim_world.member_changes++;
	sb = &md_disks.disk[disk].sb;
	md_disks.disk[disk].taken = true;
	*sb = md_disks.disk[good->disk].sb;
	sb->there = true;
	sb->has_offset = false;
	sb->by_bitmap = false;
	sb->number = free_number(md);
	md_disks.disk[disk].uuid[MD_UUID_ADD]++;
	sim_trace("add disk %d as device %d", disk, sb->number);
	sim_sleep_us(sim_between(100, 20000));
	ret = add(node, disk);
	if (ret)
		sb->there = false;
	md_disks.disk[disk].taken = false;
	sim_world.member_changes++;
	sim_world.adds--;
out:
	sim_trace("add: %d", ret);
	node->commands--;
	return ret;
}

/* Failing, removing, adding again. */

int op_fail(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	struct md_rdev *legs[MD_DEVICES];
	int i, count = 0;

	if (md_lock_killable(md))
		goto out;
	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].insync && !md->rdevs[i].faulty)
			legs[count++] = &md->rdevs[i];
	if (count == MD_LEGS)
		md_fail(legs[sim_below(count)]);
	md_unlock(md);
	/* It is done when the others know. */
	wait_event(md->sb_wait, !md->change_pending || md->closing);
out:
	sim_world.fails--;
	node->commands--;
	return 0;
}

int op_remove(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	struct md_rdev *picked = NULL;
	int i, ret = -ENXIO;

	sim_world.member_changes++;
	if (md_lock_killable(md))
		goto out;
	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && !md->rdevs[i].candidate &&
		    (md->rdevs[i].faulty ||
		     (md->rdevs[i].leg < 0 && md_in_sync(md) == MD_LEGS && !sim_world.fails)) &&
		    (!picked || sim_chance(2)))
			picked = &md->rdevs[i];
	if (picked) {
		if (picked->leg >= 0) {
			picked->blocked = false;
			md_spares(md, picked);
		}
		ret = picked->leg >= 0 ? -EBUSY : mdc_ops_remove(md->c, picked);
		if (!ret && picked->used) {
			md_kick(picked);
			md->change_devs = true;
		}
	}
	md_unlock(md);
out:
	sim_trace("remove: %d", ret);
	sim_world.member_changes++;
	node->commands--;
	return ret;
}

/* A node that has assembled without the failed disk cannot be told to take it back. */
static bool faulty_everywhere(int disk)
{
	int i;

	for (i = 0; i < sim_world.count; i++) {
		struct sim_node *node = &sim_world.nodes[i];
		struct md_rdev *rdev = md_find_disk(&node->md, disk);

		if (node->up && (node->md.there || node->commands) && (!rdev || !rdev->faulty))
			return false;
	}
	return true;
}

static bool leg_missing(struct mddev *md)
{
	int i, legs = 0;

	for (i = 0; i < MD_DEVICES; i++)
		legs += md->rdevs[i].used && !md->rdevs[i].faulty;
	return legs < MD_LEGS;
}

int op_readd(void *arg)
{
	struct sim_node *node = arg;
	struct mddev *md = &node->md;
	struct md_rdev *rdev = NULL;
	int i, ret = -ENXIO;

	if (md_lock_killable(md))
		goto out;
	for (i = 0; i < MD_DEVICES && !rdev && leg_missing(md); i++)
		if (md->rdevs[i].used && md->rdevs[i].faulty && md->rdevs[i].leg < 0 &&
		    md->rdevs[i].saved_leg >= 0 && faulty_everywhere(md->rdevs[i].disk))
			rdev = &md->rdevs[i];
	if (rdev) {
		ret = mdc_ops_readd(md->c, rdev);
		if (!ret) {
			rdev->faulty = false;
			md->change_devs = true;
			md->needed = true;
		}
	}
	md_unlock(md);
out:
	sim_trace("re-add: %d", ret);
	node->commands--;
	return ret;
}
