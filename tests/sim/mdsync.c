// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resync and recovery by windows, writes to the array, and how the two keep out of each other's
 * way on one node (the barrier) and between nodes (what the cluster is asked).
 */
#include "check.h"
#include "ops.h"
#include "world.h"

/* The array's I/O. */

void md_quiesce(struct mddev *md, bool still)
{
	sim_may_block(__func__);
	md->array_frozen = still;
	if (still)
		wait_event(md->barrier_wait, !md->writes_all && md->sync_chunk < 0);
	else
		wake_up(&md->barrier_wait);
}

void md_suspend(struct mddev *md)
{
	md->suspended++;
	wait_event(md->sb_wait, !md->active);
}

void md_resume(struct mddev *md)
{
	md->suspended--;
	wake_up(&md->sb_wait);
}

/* Bits go when all legs have what was written, and nothing is to be resynced. */
void md_bitmap_clean(struct mddev *md)
{
	int i;

	if (!md->c || md_in_sync(md) < MD_LEGS)
		return;
	for (i = 0; i < MD_CHUNKS; i++) {
		u32 bit = 1u << i;

		if (!(md->dirty & bit) || (md->need & bit) || md->writes[i] || md->sync_chunk == i)
			continue;
		md->dirty &= ~bit;
		md_disks.bitmap[md->slot] &= ~bit;
	}
}

/* Writes. */

static bool may_enter(struct mddev *md)
{
	if (md->suspended || md->held || md->change_pending)
		return false;
	md->active++;
	return true;
}

/*
 * md core asks first and counts the write in a little later; between the two nobody sees it. That
 * gap is not the cluster's to close, so the two are one step here.
 */
static bool may_write(struct mddev *md, int chunk)
{
	bool busy;

	sim_softirq_begin();
	busy = mdc_ops_area_busy(md->c, true, chunk * MD_CHUNK, (chunk + 1) * MD_CHUNK);
	sim_softirq_end();
	if (md->array_frozen || md->sync_chunk == chunk || busy)
		return false;
	md->writes[chunk]++;
	md->writes_all++;
	return true;
}

static u32 write_legs(struct mddev *md, int chunk, int cell)
{
	u32 value = ++md_disks.writes, disks = 0;
	struct md_rdev *legs[MD_DEVICES];
	int i, count = 0;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && rdev->leg >= 0 && !rdev->faulty) {
			rdev->pending++;
			legs[count++] = rdev;
		}
	}
	for (i = 0; i < count; i++) {
		sim_sleep_us(sim_between(20, 2000));
		md_disks.disk[legs[i]->disk].data[chunk][cell] = value;
	}
	for (i = 0; i < count; i++) {
		legs[i]->pending--;
		if (!legs[i]->faulty)
			disks |= 1u << legs[i]->disk;
	}
	return disks;
}

static void write_once(struct mddev *md, int cell)
{
	int chunk = sim_below(MD_CHUNKS);
	u32 disks;

	wait_event(md->sb_wait, may_enter(md));
	wait_event(md->barrier_wait, may_write(md, chunk));
	check_write(md, chunk);
	if (!(md->dirty >> chunk & 1)) {
		md->dirty |= 1u << chunk;
		sim_sleep_us(sim_between(20, 500));
	}
	md_disks.bitmap[md->slot] |= 1u << chunk;
	disks = write_legs(md, chunk, md->index * MD_WRITERS + cell);
	/* What a missing leg has not got stays in the bitmap. */
	if (__builtin_popcount(disks) < MD_LEGS)
		md->need |= 1u << chunk;
	md->writes[chunk]--;
	md->writes_all--;
	wake_up(&md->barrier_wait);
	/* A write that lost a leg is not acknowledged before that is recorded. */
	wait_event(md->sb_wait, !md->change_pending);
	check_write_done(md, disks);
	md->active--;
	wake_up(&md->sb_wait);
	if (sim_chance(4))
		md_wake(md);
}

int md_writer(void *arg)
{
	struct mddev *md = arg;
	int cell = 0;

	while (md->cell_used[cell])
		cell++;
	md->cell_used[cell] = true;
	while (!md->closing && !sim_world.writers_stop) {
		write_once(md, cell);
		sim_sleep_us(sim_between(1000, sim_chance(4) ? 2000000 : 100000));
	}
	md->cell_used[cell] = false;
	md->writers--;
	wake_up(&md->sb_wait);
	return 0;
}

/* Resync. */

static bool raise_barrier(struct mddev *md, int chunk)
{
	if (md->array_frozen || md->writes[chunk])
		return false;
	md->sync_chunk = chunk;
	return true;
}

static void copy(struct mddev *md, int chunk)
{
	struct md_rdev *from = NULL;
	u32 value[MD_CELLS];
	int i;

	for (i = 0; i < MD_DEVICES && !from; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg >= 0 && md->rdevs[i].insync &&
		    !md->rdevs[i].faulty)
			from = &md->rdevs[i];
	if (!from) {
		md->intr = true;
		return;
	}
	md->copying = chunk;
	check_copy(md, chunk);
	memcpy(value, md_disks.disk[from->disk].data[chunk], sizeof(value));
	sim_sleep_us(sim_between(100, 4000));
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (!rdev->used || rdev == from || rdev->leg < 0 || rdev->faulty)
			continue;
		if (rdev->insync && !md->sync)
			continue;
		sim_sleep_us(sim_between(20, 2000));
		if (rdev->used && !rdev->faulty)
			memcpy(md_disks.disk[rdev->disk].data[chunk], value, sizeof(value));
	}
	md->copying = -1;
}

static int legs_there(const struct mddev *md)
{
	int i, count = 0;

	for (i = 0; i < MD_DEVICES; i++)
		count += md->rdevs[i].used && md->rdevs[i].leg >= 0 && !md->rdevs[i].faulty;
	return count;
}

static void sync_chunk(struct mddev *md, int chunk)
{
	u64 lo = chunk * MD_CHUNK, hi = lo + MD_CHUNK;

	if (!(md->need >> chunk & 1) && !(md->recover && md->full_sync))
		return;
	wait_event(md->barrier_wait, raise_barrier(md, chunk));
	if (md->sync_high < hi) {
		md->sync_high = md->completed + MD_WINDOW;
		mdc_ops_resync_update(md->c, md->completed, &md->sync_high,
				      sim_chance(4) ? 0 : MD_CHUNK);
	}
	copy(md, chunk);
	/* What a missing leg lacks is still asked for. */
	if (!md->intr && legs_there(md) == MD_LEGS)
		md->need &= ~(1u << chunk);
	md->sync_chunk = -1;
	wake_up(&md->barrier_wait);
}

/* Where it begins: what is to be recovered least far, or the mark. */
u64 md_sync_position(const struct mddev *md)
{
	u64 start = MDC_MD_CLEAN;
	int i;

	if (md->sync)
		return md->mark - md->mark % MD_CHUNK;
	for (i = 0; i < MD_DEVICES; i++) {
		const struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && rdev->leg >= 0 && !rdev->faulty && !rdev->insync)
			start = min(start, rdev->offset);
	}
	return start - start % MD_CHUNK;
}

static void note_offset(struct mddev *md, u64 offset)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && rdev->leg >= 0 && !rdev->faulty && !rdev->insync &&
		    rdev->offset < offset)
			rdev->offset = offset;
	}
}

static void go_over(struct mddev *md)
{
	u64 at = md_sync_position(md);

	sim_trace("%s from %llu", md->sync ? "resync" : "recovery", (unsigned long long)at);
	while (at < MD_SECTORS && !md->intr) {
		md->completed = at;
		if (md->sync && at > md->mark)
			md->mark = at;
		sync_chunk(md, at / MD_CHUNK);
		if (!md->intr)
			at += MD_CHUNK;
		if (sim_chance(4))
			sim_sleep_us(sim_between(100, 20000));
		if (sim_chance(8)) {
			md->change_clean = true;
			md_wake(md);
		}
	}
	sim_trace("%s %s at %llu", md->sync ? "resync" : "recovery",
		  md->intr ? "interrupted" : "done", (unsigned long long)at);
	md->sync_high = 0;
	if (md->sync) {
		if (!md->intr)
			md->mark = MDC_MD_CLEAN;
		else if (at >= md->mark)
			md->mark = at;
	} else if (!md->intr) {
		note_offset(md, MDC_MD_CLEAN);
		md->full_sync = false;
	}
}

int md_sync(void *arg)
{
	struct mddev *md = arg;

	if (md->intr || mdc_ops_resync_start(md->c))
		goto skip;
	md->sync_locked = true;
	if (md->intr)
		goto skip;
	mdc_ops_resync_announce(md->c);
	mdc_ops_resync_told(md->c);
	go_over(md);
skip:
	sim_trace("the resync thread is done");
	md->change_pending = true;
	md->change_devs = true;
	md->done = true;
	wake_up(&md->resync_wait);
	md_wake(md);
	return 0;
}
