// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The array's mutex, members and thread, as md core has them.
 */
#include "ops.h"
#include "world.h"

struct md_disks md_disks;

void md_disks_init(int slots, bool in_sync)
{
	int i, j;

	memset(&md_disks, 0, sizeof(md_disks));
	md_disks.slots = slots;
	for (i = 0; i < MD_DISKS; i++) {
		md_disks.disk[i].uuid[0] = 0xd0;
		md_disks.disk[i].uuid[15] = i + 1;
	}
	for (i = 0; i < MD_LEGS; i++) {
		struct md_super *sb = &md_disks.disk[i].sb;

		sb->there = true;
		sb->number = i;
		sb->events = 1;
		sb->resync_mark = in_sync ? MDC_MD_CLEAN : 0;
		for (j = 0; j < MD_DEVICES; j++)
			sb->roles[j] = j < MD_LEGS ? j : ROLE_SPARE;
	}
	for (i = 0; i < MD_CHUNKS && !in_sync; i++)
		md_disks.disk[1].data[i][0] = ++md_disks.writes;
}

void md_init(struct mddev *md, struct sim_node *node, int index)
{
	memset(md, 0, sizeof(*md));
	md->node = node;
	md->index = index;
	md->mark = MDC_MD_CLEAN;
	md->sync_chunk = -1;
	md->copying = -1;
	memset(md->uuid, 0xa5, sizeof(md->uuid));
	init_waitqueue_head(&md->mutex_wait);
	init_waitqueue_head(&md->thread_wait);
	init_waitqueue_head(&md->sb_wait);
	init_waitqueue_head(&md->resync_wait);
	init_waitqueue_head(&md->thread_gone);
	init_waitqueue_head(&md->barrier_wait);
}

/* reconfig_mutex. */

bool md_trylock(struct mddev *md)
{
	if (md->owner)
		return false;
	md->owner = current;
	return true;
}

void md_lock(struct mddev *md)
{
	wait_event(md->mutex_wait, md_trylock(md));
}

int md_lock_killable(struct mddev *md)
{
	return wait_event_killable(md->mutex_wait, md_trylock(md)) ? -EINTR : 0;
}

void md_unlock(struct mddev *md)
{
	if (md->owner != current)
		sim_fail("%s unlocks the array's mutex, which it does not hold", sim_name(current));
	md->owner = NULL;
	wake_up(&md->mutex_wait);
	md_wake(md);
	wake_up(&md->sb_wait);
}

/* Members. */

struct md_rdev *md_find(struct mddev *md, int number)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].number == number)
			return &md->rdevs[i];
	return NULL;
}

struct md_rdev *md_find_disk(struct mddev *md, int disk)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].disk == disk)
			return &md->rdevs[i];
	return NULL;
}

struct md_rdev *md_good(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg >= 0 && !md->rdevs[i].faulty)
			return &md->rdevs[i];
	return NULL;
}

int md_bind(struct mddev *md, int disk, const struct md_super *sb, struct md_rdev **result)
{
	struct md_rdev *rdev;
	int i;

	if (md_find_disk(md, disk))
		return -EEXIST;
	if (md_find(md, sb->number))
		return -EBUSY;
	for (i = 0; i < MD_DEVICES && md->rdevs[i].used; i++)
		;
	if (i == MD_DEVICES || sb->number >= MD_DEVICES)
		return -EBUSY;
	rdev = &md->rdevs[i];
	memset(rdev, 0, sizeof(*rdev));
	rdev->md = md;
	rdev->used = true;
	rdev->disk = disk;
	rdev->number = sb->number;
	rdev->leg = -1;
	rdev->saved_leg = -1;
	rdev->sb = *sb;
	memcpy(rdev->uuid, md_disks.disk[disk].uuid, MDC_UUID_SIZE);
	*result = rdev;
	sim_trace("bind device %d (disk %d)", rdev->number, disk);
	return 0;
}

void md_kick(struct md_rdev *rdev)
{
	sim_trace("kick device %d (disk %d)%s", rdev->number, rdev->disk,
		  rdev->candidate ? ", a candidate" : "");
	md_disks.disk[rdev->disk].spare = false;
	if (rdev->leg >= 0)
		sim_fail("device %d is taken out while it is in use", rdev->number);
	rdev->used = false;
}

int md_in_sync(const struct mddev *md)
{
	int i, count = 0;

	for (i = 0; i < MD_DEVICES; i++)
		count += md->rdevs[i].used && md->rdevs[i].leg >= 0 && md->rdevs[i].insync &&
			 !md->rdevs[i].faulty;
	return count;
}

int md_spare_count(const struct mddev *md)
{
	int i, count = 0;

	for (i = 0; i < MD_DEVICES; i++)
		count += md->rdevs[i].used && md->rdevs[i].leg < 0 && !md->rdevs[i].faulty;
	return count;
}

void md_fail(struct md_rdev *rdev)
{
	struct mddev *md = rdev->md;

	if (rdev->faulty || (rdev->insync && rdev->leg >= 0 && md_in_sync(md) == 1))
		return;
	sim_trace("device %d is faulty", rdev->number);
	rdev->blocked = true;
	rdev->insync = false;
	rdev->faulty = true;
	md->intr = true;
	md->change_devs = true;
	md->change_pending = true;
	md->needed = true;
	md_wake(md);
}

static int free_leg(struct mddev *md)
{
	bool taken[MD_LEGS] = { false };
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg >= 0)
			taken[md->rdevs[i].leg] = true;
	for (i = 0; i < MD_LEGS; i++)
		if (!taken[i])
			return i;
	return -1;
}

static bool may_go(const struct md_rdev *rdev)
{
	return rdev->used && rdev->leg >= 0 && rdev->faulty && !rdev->blocked && !rdev->pending;
}

static bool may_come(const struct md_rdev *rdev)
{
	return rdev->used && !rdev->candidate && rdev->leg < 0 && !rdev->faulty;
}

static bool remove_faulty(struct mddev *md, struct md_rdev *only)
{
	bool removed = false;
	int i;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if ((only && only != rdev) || !may_go(rdev))
			continue;
		rdev->saved_leg = rdev->leg;
		rdev->leg = -1;
		removed = true;
		md->change_devs = true;
	}
	return removed;
}

int md_spares(struct mddev *md, struct md_rdev *only)
{
	int i, leg, spares = 0;

	if (only && md->running)
		return 0;
	if (remove_faulty(md, only) && only)
		return 0;
	/* By number: which of several spares it is must not depend on the node. */
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = md_find(md, i);

		if (!rdev || (only && only != rdev))
			continue;
		if (rdev->leg >= 0 && !rdev->insync && !rdev->faulty && !rdev->candidate)
			spares++;
		if (!may_come(rdev))
			continue;
		leg = free_leg(md);
		if (leg < 0)
			continue;
		sim_trace("device %d becomes leg %d", rdev->number, leg);
		rdev->offset = 0;
		rdev->leg = leg;
		md->full_sync |= rdev->saved_leg < 0;
		md->change_devs = true;
		spares++;
	}
	return spares;
}

/* The thread. */

void md_wake(struct mddev *md)
{
	md->thread_woken = true;
	wake_up(&md->thread_wait);
}

static void spares_active(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (!rdev->used || rdev->leg < 0 || rdev->faulty || rdev->insync ||
		    rdev->offset != MDC_MD_CLEAN)
			continue;
		sim_trace("device %d is in sync", rdev->number);
		rdev->insync = true;
		md->change_devs = true;
	}
}

static void reap(struct mddev *md)
{
	int i;

	kthread_stop(md->sync_thread);
	md->sync_thread = NULL;
	if (!md->intr)
		spares_active(md);
	for (i = 0; i < MD_DEVICES && md_in_sync(md) == MD_LEGS; i++)
		md->rdevs[i].saved_leg = -1;
	md_update_sb(md, true);
	if (md->sync_locked) {
		md->sync_locked = false;
		mdc_ops_resync_finish(md->c);
	}
	md->running = false;
	md->done = false;
	md->sync = false;
	md->recover = false;
	md->needed = true;
	wake_up(&md->resync_wait);
}

static bool members_change(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (may_go(&md->rdevs[i]) || (may_come(&md->rdevs[i]) && free_leg(md) >= 0))
			return true;
	return false;
}

/* Since Linux 6.10 a resync of what may differ comes before disks are taken in; till then after. */
static void choose(struct mddev *md)
{
	int spares = 0;

	if (sim_world.suspends && md->mark != MDC_MD_CLEAN)
		remove_faulty(md, NULL);
	else
		spares = md_spares(md, NULL);
	md->recover = spares > 0;
	md->sync = !spares && md->mark != MDC_MD_CLEAN;
}

/* With the mutex. False: there is nothing to do. */
static bool begin_sync(struct mddev *md)
{
	if (md->frozen)
		return false;
	choose(md);
	if (!md->recover && !md->sync)
		return false;
	md->sync_thread = kthread_run(md_sync, md, "resync");
	if (!IS_ERR(md->sync_thread))
		return true;
	md->sync_thread = NULL;
	return false;
}

/* In a worker; since Linux 6.8 with I/O suspended if members change. */
static int start_sync(void *arg)
{
	struct mddev *md = arg;
	bool suspended = sim_world.suspends && members_change(md);

	if (suspended)
		md_suspend(md);
	md_lock(md);
	if (!begin_sync(md)) {
		md->recover = false;
		md->sync = false;
		md->running = false;
	}
	md_unlock(md);
	if (suspended)
		md_resume(md);
	wake_up(&md->resync_wait);
	return 0;
}

static void kick_removed(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg < 0 && md->rdevs[i].removing)
			md_kick(&md->rdevs[i]);
}

void md_check_recovery(struct mddev *md)
{
	md_bitmap_clean(md);
	if (!md->change_devs && !md->change_clean && !md->needed && !md->done)
		return;
	/* As in the kernel: nothing is done for one who holds the mutex himself. */
	if (!md_trylock(md))
		return;
	kick_removed(md);
	if (md->change_devs || md->change_clean || md->change_pending)
		md_update_sb(md, false);
	if (md->running) {
		if (!md->done)
			md->needed = false;
		else
			reap(md);
	} else {
		md->completed = 0;
		md->intr = false;
		md->done = false;
		if (md->needed && !md->frozen) {
			md->running = true;
			sim_spawn(md->node, "start_sync", start_sync, md);
		}
		md->needed = false;
	}
	wake_up(&md->sb_wait);
	md_unlock(md);
}

static bool take_wake(struct mddev *md)
{
	bool woken = md->thread_woken;

	md->thread_woken = false;
	return woken;
}

static int thread_body(void *arg)
{
	struct mddev *md = arg;

	while (!kthread_should_stop()) {
		wait_event_idle(md->thread_wait, kthread_should_stop() || take_wake(md));
		if (!kthread_should_stop())
			md_check_recovery(md);
	}
	return 0;
}

int md_thread_start(struct mddev *md)
{
	md->thread = kthread_run(thread_body, md, "md0_raid1");
	if (IS_ERR(md->thread)) {
		md->thread = NULL;
		return -ENOMEM;
	}
	return 0;
}

void md_thread_stop(struct mddev *md)
{
	struct task_struct *thread = md->thread;

	md->thread = NULL;
	if (thread)
		kthread_stop(thread);
}

/* With the mutex, which is given back meanwhile. */
void md_stop_sync(struct mddev *md)
{
	md->frozen = true;
	md->intr = true;
	md_unlock(md);
	if (md->sync_thread)
		wake_up_process(md->sync_thread);
	wait_event(md->resync_wait, !md->running);
	md_lock(md);
}
