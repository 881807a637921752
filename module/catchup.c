// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A leg that others write to and that is none here yet: this node's writes are held until md core
 * has taken it in. PROTOCOL.md, "A node resyncs", 2. Process context.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "catchup.h"
#include "suspend.h"

#define PASSING_MS 20		/* for writes between md core's look and its count */
#define THROUGH_MS 20		/* between looks whether the resync thread has ended */
#define ENDING_MS 5000		/* for those that it has counted; what still waits is said */

/* As long as legs of its own may differ, md core takes none in. LEG_FIRST: nor makes one whole. */
static void put_mark_aside(struct mdc_cluster *c, bool leg_first)
{
	unsigned long flags;
	u64 mark;

	spin_lock_irqsave(&c->lock, flags);
	mark = mdc_md_resync_mark(c->mddev);
	if (mark < c->late_dirt)
		c->late_dirt = mark;
	c->mark_aside = true;
	c->leg_first |= leg_first;
	mdc_md_raise_resync_mark(c->mddev);
	spin_unlock_irqrestore(&c->lock, flags);
}

static void bring_mark_back(struct mdc_cluster *c, bool leg_whole)
{
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&c->lock, flags);
	due = c->mark_aside && c->late_dirt != MDC_MD_CLEAN;
	c->mark_aside = false;
	if (leg_whole)
		c->leg_first = false;
	if (due) {
		mdc_md_lower_resync_mark(c->mddev, c->late_dirt);
		c->late_dirt = MDC_MD_CLEAN;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	if (due)
		mdc_md_resync_needed(c->mddev);
}

void mdc_catchup_leg_first(struct mdc_cluster *c)
{
	put_mark_aside(c, true);
	mdc_md_resync_needed(c->mddev);
	mdc_changed(c);
}

bool mdc_catchup_leg_whole(struct mdc_cluster *c)
{
	return READ_ONCE(c->leg_first) && !mdc_md_leg_first(c->mddev);
}

void mdc_catchup_leg_done(struct mdc_cluster *c)
{
	bring_mark_back(c, true);
	bitmap_zero(c->put_off, MDC_SLOTS_MAX);
}

void mdc_catchup_end(struct mdc_cluster *c)
{
	unsigned long flags;

	bring_mark_back(c, false);
	spin_lock_irqsave(&c->lock, flags);
	if (c->holds)
		mdc_md_let_writes(c->mddev, &c->held_before);
	c->holds = false;
	c->catching_up = false;
	c->wake_writers = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

/* Under the lock. */
static void hold(struct mdc_cluster *c)
{
	if (!c->holds)
		mdc_md_hold_writes(c->mddev, &c->held_before);
	c->holds = true;
}

/* Under the lock. */
static void begin(struct mdc_cluster *c)
{
	hold(c);
	c->catching_up = true;
	if (c->recover_wait)
		mdc_lock_poke(c->recover_wait);
}

void mdc_catchup_begin(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	begin(c);
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

/* Under the lock, so that no resync begins meanwhile. False: a resync goes on that would read it. */
static bool good_again(struct mdc_cluster *c, u32 device, bool *known)
{
	if (c->resyncing && !mdc_md_resync_through(c->mddev) &&
	    mdc_md_failed_in_place(c->mddev, device))
		return false;
	*known = mdc_md_clear_faulty(c->mddev, device);
	return true;
}

bool mdc_catchup_readd(struct mdc_cluster *c, u32 device)
{
	unsigned long flags;
	bool known = true, later;

	spin_lock_irqsave(&c->lock, flags);
	later = !good_again(c, device, &known);
	if (later) {
		set_bit(device, c->to_readd);
		begin(c);
	}
	spin_unlock_irqrestore(&c->lock, flags);
	if (later) {
		mdc_info(c, "device %u is good again, and is still in its place: the resync here is broken off first\n",
			 device);
		mdc_md_interrupt_resync(c->mddev);
		mdc_changed(c);
	}
	return known;
}

void mdc_catchup_updated(struct mdc_cluster *c)
{
	u32 device;

	for_each_set_bit(device, c->to_readd, MDC_DEVICES_MAX)
		if (mdc_md_failed_in_sb(c->mddev, device))
			clear_bit(device, c->to_readd);
}

/* Whether the resync that is in the way still goes on. */
static bool readd_waits(struct mdc_cluster *c)
{
	unsigned long flags;
	bool known;
	u32 device;

	spin_lock_irqsave(&c->lock, flags);
	for_each_set_bit(device, c->to_readd, MDC_DEVICES_MAX)
		if (good_again(c, device, &known))
			clear_bit(device, c->to_readd);
	spin_unlock_irqrestore(&c->lock, flags);
	return !bitmap_empty(c->to_readd, MDC_DEVICES_MAX);
}

/*
 * What is faulty here md core writes as faulty into the superblock, for all. The mutex is lent, as the
 * resync thread may wait for the token, and who has that for this node.
 */
void mdc_catchup_before_update(struct mdc_cluster *c)
{
	if (bitmap_empty(c->to_readd, MDC_DEVICES_MAX))
		return;
	mdc_lend(c);
	/* It looks whether it is to end before each of its steps, and tells nobody but md core's thread. */
	while (!wait_event_idle_timeout(c->wait, !readd_waits(c), msecs_to_jiffies(THROUGH_MS)))
		;
	mdc_lend_end(c);
}

bool mdc_catchup_refuses_sync(struct mdc_cluster *c)
{
	unsigned long flags;
	bool refuses;

	spin_lock_irqsave(&c->lock, flags);
	refuses = c->catching_up;
	c->sync_asks = refuses;
	spin_unlock_irqrestore(&c->lock, flags);
	if (refuses)
		mdc_changed(c);
	return refuses;
}

int mdc_catchup_look(struct mdc_cluster *c)
{
	enum mdc_borrow how;
	unsigned long flags;
	bool waits, missing;

	spin_lock_irqsave(&c->lock, flags);
	c->sync_asks = false;
	spin_unlock_irqrestore(&c->lock, flags);
	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return -ESHUTDOWN;
	waits = readd_waits(c);
	missing = !waits && mdc_md_leg_missing(c->mddev);
	if (missing) {
		put_mark_aside(c, false);
		/* Nor is one taken in before the first write, which would wait here. */
		mdc_md_end_auto_read(c->mddev);
		mdc_md_resync_needed(c->mddev);
	} else if (!waits) {
		/*
		 * With the mutex: the receiver cannot find another one missing meanwhile. Nor does one
		 * come to wait: no resync goes on.
		 */
		mdc_catchup_end(c);
	}
	mdc_borrow_end(c, how);
	return waits || missing ? -EAGAIN : 0;
}

/*
 * md core cannot take a disk in while its own resync thread runs, which waits for "resync" then,
 * or while the failed disk is still in the place. The thread gives up waiting; md core starts it
 * anew.
 */
void mdc_catchup_hold_writes(struct mdc_cluster *c)
{
	enum mdc_borrow how;
	unsigned long flags;
	bool missing, ended;

	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return;
	missing = mdc_md_leg_missing(c->mddev);
	mdc_borrow_end(c, how);
	if (!missing)
		return;
	mdc_info(c, "a recovery begins onto a disk that is not in use here yet: writes wait until it is\n");
	/*
	 * Those that have begun without it are to end; if they were held, the disk would wait for
	 * them. A range is none by now: its sender has "resync" no more.
	 */
	spin_lock_irqsave(&c->lock, flags);
	hold(c);
	mdc_suspended_init(&c->suspended);
	spin_unlock_irqrestore(&c->lock, flags);
	wait_event_idle_timeout(c->wait, kthread_should_stop(), msecs_to_jiffies(PASSING_MS));
	mdc_suspend_drain(c);
	ended = mdc_md_writes_end(c->mddev, ENDING_MS);
	if (!ended)
		mdc_warn(c, "writes that began before have not ended in %u ms: if they go on, this node does not take the disk in, and what they write is not on it\n",
			 ENDING_MS);
	mdc_catchup_begin(c);
	mdc_lock_poke(c->resync);
	wake_up_all(mdc_md_waiters(c->mddev));
}
