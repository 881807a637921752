// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A resync or a recovery, of this node or of another: who may, the range that it is at, and the
 * mark from which on there is something to resync. PROTOCOL.md, "A node resyncs". Process context.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "resync.h"
#include "catchup.h"
#include "channel.h"
#include "fault.h"
#include "suspend.h"

#define RETRY_MS 10000		/* after a disk error */
#define REFUSED_MS 20		/* md core starts its thread again at once */

/* A resync that runs here may be past it already, and ends with the mark lifted. */
void mdc_lower_mark(struct mdc_cluster *c, u64 sector)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if ((c->resyncing || c->mark_aside) && sector < c->late_dirt)
		c->late_dirt = sector;
	if (!c->mark_aside)
		mdc_md_lower_resync_mark(c->mddev, sector);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* This node resyncs. */

/*
 * A recovery takes a chunk for done that it has copied to one leg, whatever others differ there, and
 * a check mends nothing. So where there is something to resync, and md core does that first, that is
 * due; a check is then over for this time.
 */
static bool resync_first(struct mdc_cluster *c)
{
	return mdc_md_resync_mark(c->mddev) != MDC_MD_CLEAN &&
	       (mdc_md_checks(c->mddev) ||
		(mdc_md_resyncs_first(c->mddev) && mdc_md_recovers(c->mddev)));
}

static bool leg_first(struct mdc_cluster *c)
{
	return mdc_md_resyncs(c->mddev) && mdc_md_leg_first(c->mddev);
}

/* Which legs are good may have changed while this node has waited for its turn. */
static bool begin_resyncing(struct mdc_cluster *c)
{
	unsigned long flags;
	bool begun;

	spin_lock_irqsave(&c->lock, flags);
	begun = !c->catching_up && !resync_first(c) && !leg_first(c);
	if (begun)
		c->resyncing = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return begun;
}

static void end_resyncing(struct mdc_cluster *c)
{
	unsigned long flags;
	u64 dirt;

	spin_lock_irqsave(&c->lock, flags);
	c->resyncing = false;
	dirt = c->late_dirt;
	c->late_dirt = MDC_MD_CLEAN;
	bitmap_zero(c->put_off, MDC_SLOTS_MAX);
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	if (dirt == MDC_MD_CLEAN)
		return;
	mdc_md_lower_resync_mark(c->mddev, dirt);
	mdc_md_resync_needed(c->mddev);
}

static bool resync_is_off(void *arg)
{
	struct mdc_cluster *c = arg;

	return kthread_should_stop() || mdc_md_resync_interrupted(c->mddev) ||
	       READ_ONCE(c->catching_up);
}

static bool update_due(struct mdc_cluster *c)
{
	return READ_ONCE(c->updating) || mdc_md_sb_pending(c->mddev);
}

/*
 * md core clears its flags before it calls for an update. Who has the mutex, or as a loan, sees it
 * before that or in it.
 */
static int all_know(struct mdc_cluster *c)
{
	enum mdc_borrow how = mdc_borrow(c);
	bool due;

	if (how == MDC_BORROW_NOT)
		return -ECANCELED;
	due = update_due(c);
	mdc_borrow_end(c, how);
	return due ? -EAGAIN : 0;
}

/*
 * Also waits until the others know who takes part: they must write to a disk from before the
 * first sector is copied to it.
 */
int mdc_resync_begin(struct mdc_cluster *c)
{
	int ret;

	if (mdc_catchup_refuses_sync(c)) {
		wait_event_idle_timeout(c->wait, !READ_ONCE(c->catching_up) ||
					kthread_should_stop(), msecs_to_jiffies(REFUSED_MS));
		return -ECANCELED;
	}
	if (leg_first(c)) {
		mdc_catchup_leg_first(c);
		wait_event_idle_timeout(c->wait, kthread_should_stop(),
					msecs_to_jiffies(REFUSED_MS));
		return -ECANCELED;
	}
	ret = mdc_lock_convert_unless(c->resync, MDC_EX, 0, resync_is_off, c);
	if (ret)
		return ret;
	mdc_fault("resync.1");
	do {
		wait_event_idle(*mdc_md_waiters(c->mddev), !update_due(c) || resync_is_off(c));
		ret = resync_is_off(c) ? -ECANCELED : all_know(c);
	} while (ret == -EAGAIN);
	if (!ret && !begin_resyncing(c)) {
		mdc_md_resync_needed(c->mddev);
		ret = -ECANCELED;
	}
	if (ret) {
		mdc_lock_drop_until(c->resync, mdc_waits_in_vain, c);
		return ret;
	}
	mdc_window_begin(&c->window);
	c->told_to = 0;
	return 0;
}

bool mdc_resync_unfinished(struct mdc_cluster *c)
{
	struct mdc_range told;

	return !mdc_wire_get_range(mdc_lock_lvb(c->bitmap), &told) || told.hi;
}

/* In the block, which is the converting thread's alone, and for whoever looks. */
static void put_own_range(struct mdc_cluster *c, const struct mdc_range *range)
{
	unsigned long flags;

	mdc_wire_put_range(mdc_lock_lvb(c->bitmap), range);
	spin_lock_irqsave(&c->lock, flags);
	c->own_range = *range;
	spin_unlock_irqrestore(&c->lock, flags);
}

int mdc_resync_tell(struct mdc_cluster *c, const struct mdc_range *range, bool holds_mutex)
{
	struct mdc_msg msg = {
		.type = MDC_RESYNCING,
		.low = range->lo,
		.high = range->hi,
	};
	int left, ret;

	if (!range->hi && !mdc_resync_unfinished(c))
		return 0;
	mdc_fault("resync.3");
	/* For nodes that join later; PW to PW writes the block. */
	put_own_range(c, range);
	left = mdc_lock_convert_until(c->bitmap, MDC_PW, mdc_waits_in_vain, c);
	if (left == -ECANCELED)
		return left;
	if (left)
		mdc_err(c, "the range of the resync could not be left in %s (%d)\n",
			mdc_lock_name(c->bitmap), left);
	/* Those that are there are to know it all the same. */
	ret = mdc_send(c, &msg, holds_mutex);
	return ret ? ret : left;
}

/* All that other nodes' bitmaps ask for, ours asks for as well. */
static int take_bitmaps(struct mdc_cluster *c)
{
	struct mdc_range dirty;
	enum mdc_borrow how;
	int slot, ret = 0;

	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return -ECANCELED;
	for (slot = 0; !ret && slot < c->slots; slot++) {
		if (slot == c->our_slot)
			continue;
		ret = mdc_md_bitmap_take(c->mddev, slot, false, &dirty);
		if (ret)
			mdc_err(c, "the recovery is put off, as the bitmap of slot %d cannot be read (%d)\n",
				slot, ret);
	}
	mdc_borrow_end(c, how);
	return ret;
}

/*
 * md core recovers a disk that was a leg before by what our own bitmap asks for, and what was
 * written elsewhere while it was away stands in other nodes' bitmaps. By now all write to the disk;
 * what they began without it they end when they hear of the first range, and it is in their bitmaps
 * then. Twice, as another node may be about to take a bitmap over: it has it in its own before it
 * clears that. The range is taken back, as md core may wait for another array on the same disks yet.
 */
void mdc_resync_told(struct mdc_cluster *c)
{
	static const struct mdc_range none;
	struct mdc_range first;
	int ret;

	mdc_fault("resync.2");
	if (!mdc_md_recovers(c->mddev) || !mdc_md_recovery_begins(c->mddev, &first))
		return;
	ret = mdc_resync_tell(c, &first, false);
	if (!ret)
		ret = take_bitmaps(c);
	if (!ret)
		ret = take_bitmaps(c);
	if (!ret)
		ret = mdc_resync_tell(c, &none, false);
	if (!ret)
		return;
	if (ret != -ECANCELED)
		wait_event_idle_timeout(*mdc_md_waiters(c->mddev), resync_is_off(c),
					msecs_to_jiffies(RETRY_MS));
	mdc_md_interrupt_resync(c->mddev);
}

/*
 * The others still have RANGE as what is resynced here, until this node has told them or is gone. If
 * the array goes on here after all (--readonly), and all of it is done, md core would see no
 * reason to come by again.
 */
static void leave_range(struct mdc_cluster *c, const struct mdc_range *range)
{
	if (!range->hi)
		return;
	put_own_range(c, range);
	if (!mdc_md_leg_partial(c->mddev) && !mdc_md_reshaping(c->mddev))
		mdc_lower_mark(c, range->lo);
}

int mdc_resync_end(struct mdc_cluster *c)
{
	static const struct mdc_range none;
	struct mdc_range told = { 0, 0 };
	int ret = -ECANCELED;

	mdc_fault("resync.4");
	mdc_wire_get_range(mdc_lock_lvb(c->bitmap), &told);
	end_resyncing(c);
	mdc_md_set_remote_resync(c->mddev, false);
	/* At a stop it is not over: another node goes on with it. */
	if (!mdc_md_closing(c->mddev)) {
		if (mdc_md_recovery_unrecorded(c->mddev)) {
			mdc_md_force_update(c->mddev);
			mdc_md_update_sb(c->mddev);
		}
		ret = mdc_resync_tell(c, &none, true);
	}
	if (ret == -ECANCELED)
		leave_range(c, &told);
	mdc_lock_drop_until(c->resync, mdc_waits_in_vain, c);
	return ret;
}

/* Another node resyncs. */

void mdc_resync_received(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	struct mdc_range range = { msg->low, msg->high };
	unsigned long flags;

	if (range.hi) {
		mdc_fault("resync.3.peer");
		mdc_md_set_remote_resync(c->mddev, true);
		if (!mdc_suspend_set(c, msg->slot, &range))
			mdc_md_set_remote_resync(c->mddev, false);
		return;
	}
	mdc_md_set_remote_resync(c->mddev, false);
	mdc_suspend_set(c, msg->slot, &range);
	spin_lock_irqsave(&c->lock, flags);
	c->waits_for_sync = false;
	spin_unlock_irqrestore(&c->lock, flags);
	/* In its turn md core sees that there is nothing left to resync. */
	if (mdc_md_resync_mark(c->mddev) != MDC_MD_CLEAN)
		mdc_end_auto_read(c);
	mdc_md_resync_needed(c->mddev);
}
