// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is to be made up for: bitmaps of nodes that are gone, their ranges, what a start could not
 * learn. PROTOCOL.md, "A node joins" and "A node fails". Process context, but for
 * mdc_recover_slot().
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "recover.h"
#include "catchup.h"
#include "channel.h"
#include "comm.h"
#include "fault.h"
#include "netlink.h"
#include "resync.h"
#include "suspend.h"
#include "trace.h"

#define RETRY_MS 10000
#define CATCH_UP_MS 500	/* between looks at what md core does by itself */
#define MUTEX_MS 5000	/* long for md core, and short for who starts the array meanwhile */

/* Bitmaps of nodes that are gone. */

static void set_read_again(struct mdc_cluster *c, bool due)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->read_again = due;
	if (due && c->recover_wait)
		mdc_lock_poke(c->recover_wait);
	spin_unlock_irqrestore(&c->lock, flags);
}

void mdc_recover_slot(struct mdc_cluster *c, int slot)
{
	if (slot < 0 || slot >= c->slots) {
		mdc_warn(c, "slot %d has no bitmap to take over: the array has bitmaps for %d nodes\n",
			 slot, c->slots);
		return;
	}
	/* It may have come back since that was put off. */
	clear_bit(slot, c->put_off);
	set_bit(slot, c->to_recover);
	mdc_changed(c);
	set_read_again(c, true);
}

/* SLOT's node is gone, though not from the lockspace yet: it resyncs no more. */
static void end_range_of(struct mdc_cluster *c, int slot)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (mdc_suspended_end_of(&c->suspended, slot))
		c->range_lost = true;
	spin_unlock_irqrestore(&c->lock, flags);
}

/*
 * This node copies a leg onto another one, and takes a chunk for done then, however many other legs
 * differ there; or it checks, and takes what differs for done as well. What comes up meanwhile stays
 * where it is, so that nothing forgets it.
 */
static bool put_off(struct mdc_cluster *c, int slot)
{
	unsigned long flags;
	bool off;

	spin_lock_irqsave(&c->lock, flags);
	off = c->leg_first ||
	      (c->resyncing && (mdc_md_recovers(c->mddev) || mdc_md_checks(c->mddev)));
	if (off)
		set_bit(slot, c->put_off);
	spin_unlock_irqrestore(&c->lock, flags);
	return off;
}

struct due {
	struct mdc_cluster *c;
	int slot;
	u64 since;		/* ms */
};

static bool has_node_again(const struct due *due)
{
	return !test_bit(due->slot, due->c->to_recover);
}

static bool others_first(void *arg)
{
	struct due *due = arg;

	return has_node_again(due) || mdc_now_ms() - due->since >= MUTEX_MS;
}

/*
 * Its bitmap lock is held in PW: its owner is gone, and nobody else takes it over. A node that has
 * the slot anew waits for that lock before it acknowledges anything, as does one that starts and
 * looks at all slots; and who has the mutex may wait for just that. So the mutex is not waited for
 * with that lock for long.
 */
static int take_over(struct mdc_cluster *c, int slot)
{
	struct due due = { c, slot, mdc_now_ms() };
	struct mdc_range dirty;
	enum mdc_borrow how;
	unsigned long flags;
	bool later = false;
	int ret;

	mdc_fault("recover.2");
	how = mdc_borrow_unless(c, others_first, &due);
	if (how == MDC_BORROW_NOT)
		return others_first(&due) ? -EAGAIN : -ESHUTDOWN;
	/* Nothing is resynced of an array that somebody has made read-only: others can. */
	if (mdc_md_read_only(c->mddev)) {
		mdc_borrow_end(c, how);
		return -EAGAIN;
	}
	/* Ours is on the disks before the other one is cleared: one of them always has it. */
	ret = mdc_md_bitmap_take(c->mddev, slot, false, &dirty);
	if (!ret && dirty.hi) {
		if (mdc_md_leg_first(c->mddev))
			mdc_catchup_leg_first(c);
		/* Before it is looked whether a recovery runs, which looks at the mark as it begins. */
		mdc_lower_mark(c, dirty.lo);
		mdc_md_end_auto_read(c->mddev);
		later = put_off(c, slot);
		if (!later)
			ret = mdc_md_bitmap_take(c->mddev, slot, true, &dirty);
	}
	mdc_borrow_end(c, how);
	trace_mdc_slot(c, slot, ret ? 0 : dirty.lo, ret ? 0 : dirty.hi, ret);
	if (ret) {
		mdc_err(c, "the bitmap of slot %d cannot be read (%d): what it left is not resynced yet; trying again\n",
			slot, ret);
		return ret;
	}
	end_range_of(c, slot);
	mdc_md_continue_reshape(c->mddev);
	if (dirty.hi) {
		mdc_md_set_remote_resync(c->mddev, false);
		mdc_md_resync_needed(c->mddev);
	}
	if (later)
		return -EAGAIN;
	clear_bit(slot, c->to_recover);
	spin_lock_irqsave(&c->lock, flags);
	c->counters.slots_recovered++;
	spin_unlock_irqrestore(&c->lock, flags);
	/* After a leave in good order nothing was left. */
	if (dirty.hi) {
		mdc_info(c, "bitmap of slot %d taken over: a resync is due\n", slot);
		mdc_netlink_event(c, MDC_EVENT_RECOVERED, slot);
	}
	return 0;
}

struct waiting {
	struct mdc_cluster *c;
	int slot;
	unsigned long known[BITS_TO_LONGS(MDC_SLOTS_MAX)];
};

/*
 * Writers wait, the superblock is to be read, the slot has a node again, or another one's bitmap
 * came up, which may be had at once.
 */
static bool more_to_recover(void *arg)
{
	struct waiting *w = arg;
	int slot;

	if (kthread_should_stop() || READ_ONCE(w->c->wake_writers) ||
	    READ_ONCE(w->c->catching_up) || READ_ONCE(w->c->range_lost) ||
	    READ_ONCE(w->c->read_again) || mdc_catchup_leg_whole(w->c) ||
	    !test_bit(w->slot, w->c->to_recover))
		return true;
	for_each_set_bit(slot, w->c->to_recover, MDC_SLOTS_MAX)
		if (!test_bit(slot, w->known) && !test_bit(slot, w->c->put_off))
			return true;
	return false;
}

/*
 * One slot: 0 when done, -EAGAIN when its lock is held by a node, which is leaving, or has taken
 * the slot anew and looks after the bitmap itself. W: wait for the lock, until more comes up, or
 * TIMEOUT_MS.
 */
static int recover_one(struct mdc_cluster *c, int slot, struct waiting *w, unsigned int timeout_ms)
{
	char name[MDC_LOCK_NAME];
	struct mdc_lock *lock;
	unsigned long flags;
	int ret;

	mdc_bitmap_lock_name(name, slot);
	ret = mdc_lock_new(c->ls, name, true, NULL, NULL, 0, &lock);
	if (ret)
		return ret;
	if (w) {
		w->slot = slot;
		spin_lock_irqsave(&c->lock, flags);
		c->recover_wait = lock;
		spin_unlock_irqrestore(&c->lock, flags);
		ret = mdc_lock_convert_unless(lock, MDC_PW, timeout_ms, more_to_recover, w);
		spin_lock_irqsave(&c->lock, flags);
		c->recover_wait = NULL;
		spin_unlock_irqrestore(&c->lock, flags);
	} else {
		ret = mdc_lock_try(lock, MDC_PW);
	}
	if (!ret)
		ret = take_over(c, slot);
	mdc_lock_free(lock);
	return ret;
}

static bool recoverer_stops(void *arg)
{
	return kthread_should_stop();
}

/* A node is there: does it resync? Its range stands in the block of its bitmap lock. */
static int learn_range(struct mdc_cluster *c, int slot, struct mdc_lock *lock)
{
	struct mdc_range range = { 0, 0 };
	int ret;

	ret = mdc_lock_convert_unless(lock, MDC_CR, c->limits->join_timeout, NULL, NULL);
	if (ret)
		return ret;
	if (mdc_lock_lvb_valid(lock) && !mdc_wire_get_range(mdc_lock_lvb(lock), &range))
		mdc_warn(c, "the range that slot %d resyncs is malformed; it is taken as none\n",
			 slot);
	if (!range.hi)
		return 0;
	if (mdc_suspend_learn(c, slot, &range))
		mdc_info(c, "slot %d resyncs sectors %llu to %llu\n", slot,
			 (unsigned long long)range.lo, (unsigned long long)range.hi);
	return 0;
}

/*
 * A node that left in the middle of a resync may have left its range in the block of its slot's
 * bitmap lock, and another one has the slot by now. But who resyncs holds "resync".
 */
static void check_range(struct mdc_cluster *c)
{
	struct mdc_lock *lock;
	unsigned long flags;

	if (!READ_ONCE(c->suspended.range.hi) ||
	    mdc_lock_new(c->ls, "resync", false, NULL, NULL, c->limits->join_timeout,
			 &lock))
		return;
	if (!mdc_lock_try(lock, MDC_EX)) {
		spin_lock_irqsave(&c->lock, flags);
		mdc_suspended_init(&c->suspended);
		spin_unlock_irqrestore(&c->lock, flags);
	}
	mdc_lock_free(lock);
}

/* Unless a node has joined with it meanwhile, which looks after it. */
static void nobody_has(struct mdc_cluster *c, int slot)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (!mdc_is_member(c, slot))
		set_bit(slot, c->to_recover);
	spin_unlock_irqrestore(&c->lock, flags);
}

/*
 * What SLOT's node resyncs. Where nobody has the slot, its last owner may have left something: the
 * recoverer takes that over once the array is started. Not now: md core has not read our own
 * bitmap yet, and would write over it.
 */
static int learn_slot(struct mdc_cluster *c, int slot)
{
	char name[MDC_LOCK_NAME];
	struct mdc_lock *lock;
	int ret;

	mdc_bitmap_lock_name(name, slot);
	ret = mdc_lock_new(c->ls, name, true, NULL, NULL, c->limits->join_timeout, &lock);
	if (ret)
		return ret;
	ret = mdc_lock_try(lock, MDC_PW);
	if (ret == -EAGAIN)
		ret = learn_range(c, slot, lock);
	else if (!ret)
		nobody_has(c, slot);
	mdc_lock_free(lock);
	return ret;
}

int mdc_recover_gather(struct mdc_cluster *c)
{
	int slot, ret, failed = 0;

	for (slot = 0; slot < c->slots; slot++) {
		if (slot == c->our_slot)
			continue;
		ret = learn_slot(c, slot);
		if (ret) {
			set_bit(slot, c->to_learn);
			mdc_catchup_begin(c);
			failed = ret;
		}
	}
	check_range(c);
	return failed;
}

/*
 * What the start could not learn; no write has begun here. With the channel, nobody tells of a
 * range meanwhile that an older one would then replace.
 */
static int learn_rest(struct mdc_cluster *c)
{
	int slot, ret;

	if (bitmap_empty(c->to_learn, MDC_SLOTS_MAX))
		return 0;
	ret = mdc_channel_take_unless(c, false, 0, recoverer_stops, c);
	if (ret)
		return ret;
	for_each_set_bit(slot, c->to_learn, MDC_SLOTS_MAX) {
		if (!ret)
			ret = learn_slot(c, slot);
		if (!ret)
			clear_bit(slot, c->to_learn);
	}
	if (!ret)
		check_range(c);
	mdc_channel_give(c);
	return ret;
}

static int catch_up(struct mdc_cluster *c)
{
	int ret;

	if (!READ_ONCE(c->catching_up))
		return 0;
	ret = learn_rest(c);
	return ret ? ret : mdc_catchup_look(c);
}

void mdc_recover_untold(struct mdc_cluster *c)
{
	c->untold = true;
	set_read_again(c, true);
	mdc_changed(c);
}

/*
 * A node may have died after it wrote the superblock and before it told of it, or when it had told
 * some. The token: nobody else writes or sends just now.
 */
static int make_up_for_it(struct mdc_cluster *c)
{
	int ret;

	if (!READ_ONCE(c->read_again))
		return 0;
	ret = mdc_channel_take_unless(c, false, 0, recoverer_stops, c);
	if (ret)
		return ret;
	/* First: another one may go meanwhile. */
	set_read_again(c, false);
	ret = mdc_channel_repeat(c, 0);
	if (ret)
		set_read_again(c, true);
	mdc_comm_read_again(c);
	mdc_channel_give(c);
	return ret;
}

/*
 * The node that resynced a range is gone. A recovery onto a new disk leaves no trace in the bitmap,
 * and is to go on all the same.
 */
static bool take_up_lost_range(struct mdc_cluster *c)
{
	unsigned long flags;
	bool lost, again;

	spin_lock_irqsave(&c->lock, flags);
	lost = c->range_lost;
	c->range_lost = false;
	again = c->suspended.range.hi;
	spin_unlock_irqrestore(&c->lock, flags);
	if (lost && !again) {
		mdc_md_set_remote_resync(c->mddev, false);
		mdc_md_resync_needed(c->mddev);
	}
	return lost;
}

static void wake_writers(struct mdc_cluster *c)
{
	bool due = take_up_lost_range(c);
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	due |= c->wake_writers;
	c->wake_writers = false;
	spin_unlock_irqrestore(&c->lock, flags);
	if (due)
		mdc_suspend_drain(c);
}

/* md core resyncs nothing of an array that was not written to (start_ro=1). */
static void resync_own(struct mdc_cluster *c)
{
	WRITE_ONCE(c->own_dirt, false);
	mdc_end_auto_read(c);
	mdc_md_resync_needed(c->mddev);
}

/* All slots whose lock is free; then waits for one of the others. */
static int recover_round(struct mdc_cluster *c)
{
	struct waiting w = { .c = c };
	int slot, held = -1, failed, ret;
	int waits = 0;

	wake_writers(c);
	if (READ_ONCE(c->own_dirt))
		resync_own(c);
	ret = catch_up(c);
	if (ret)
		return ret;
	if (mdc_catchup_leg_whole(c))
		mdc_catchup_leg_done(c);
	bitmap_andnot(w.known, c->to_recover, c->put_off, MDC_SLOTS_MAX);
	failed = make_up_for_it(c);
	for_each_set_bit(slot, w.known, MDC_SLOTS_MAX) {
		if (kthread_should_stop())
			return 0;
		ret = recover_one(c, slot, NULL, 0);
		if (test_bit(slot, c->put_off)) {
			clear_bit(slot, w.known);
		} else if (ret == -EAGAIN) {
			held = slot;
			waits++;
		} else if (ret) {
			failed = ret;
		} else {
			/* If it comes up again, that is news. */
			clear_bit(slot, w.known);
		}
	}
	if (failed || held < 0)
		return failed;
	/* Only one can be waited for; the others are looked at in between. */
	ret = recover_one(c, held, &w, waits > 1 ? RETRY_MS : 0);
	return ret == -ECANCELED || ret == -ETIMEDOUT ? 0 : ret;
}

static bool work_to_do(struct mdc_cluster *c)
{
	unsigned long flags;
	bool started, waking;

	spin_lock_irqsave(&c->lock, flags);
	started = c->in_cluster && !c->leaving;
	waking = c->wake_writers || c->range_lost || c->catching_up || c->read_again;
	spin_unlock_irqrestore(&c->lock, flags);
	waking |= READ_ONCE(c->own_dirt) || mdc_catchup_leg_whole(c);
	return started && (waking || !bitmap_subset(c->to_recover, c->put_off, MDC_SLOTS_MAX));
}

static int recoverer(void *arg)
{
	struct mdc_cluster *c = arg;

	mdc_thread_never_writes_for_memory();
	while (!kthread_should_stop()) {
		wait_event_idle(c->wait, work_to_do(c) || kthread_should_stop());
		if (!kthread_should_stop() && recover_round(c))
			wait_event_idle_timeout(c->wait, kthread_should_stop() ||
						READ_ONCE(c->wake_writers) ||
						READ_ONCE(c->range_lost) ||
						READ_ONCE(c->sync_asks),
						msecs_to_jiffies(READ_ONCE(c->catching_up) ?
								 CATCH_UP_MS : RETRY_MS));
	}
	return 0;
}

int mdc_recover_open(struct mdc_cluster *c)
{
	struct task_struct *thread;

	thread = kthread_run(recoverer, c, "%s_mdc_recover", mdc_md_name(c->mddev));
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	c->recoverer = thread;
	return 0;
}

void mdc_recover_close(struct mdc_cluster *c)
{
	if (c->recoverer)
		kthread_stop(c->recoverer);
	c->recoverer = NULL;
}
