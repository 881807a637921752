// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What md core asks of a clustered array, put in terms of the channel, the add and the recovery.
 * Process context; mdc_ops_area_busy() is on the path of every write.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "ops.h"
#include "catchup.h"
#include "channel.h"
#include "fault.h"
#include "main.h"
#include "newdisk.h"
#include "recover.h"
#include "resync.h"
#include "suspend.h"

int mdc_ops_join(struct mddev *mddev, int slots, struct mdc_cluster **c)
{
	return mdc_cluster_join(mddev, slots, &mdc_limits, c);
}

void mdc_ops_leave(struct mdc_cluster *c)
{
	mdc_cluster_leave(c);
}

int mdc_ops_slot(struct mdc_cluster *c)
{
	return c->our_slot;
}

void mdc_ops_load_bitmaps(struct mdc_cluster *c)
{
	mdc_cluster_start(c);
}

/* The superblock. */

static void begin_updating(struct mdc_cluster *c)
{
	bool must_tell = mdc_md_update_counts(c->mddev);
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->updating = true;
	c->must_tell = must_tell;
	spin_unlock_irqrestore(&c->lock, flags);
}

static void end_updating(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->updating = false;
	c->must_tell = false;
	spin_unlock_irqrestore(&c->lock, flags);
	wake_up_all(mdc_md_waiters(c->mddev));
}

/*
 * What was added or is back as a mere spare changes no role, and md core may find nothing to write:
 * it is to be written all the same.
 *
 * Without the token md core writes all the same, unless it finds nothing to write. So it is made to
 * find nothing where a resync ends that a stop has cut off. Where roles or the size have changed there
 * is no giving up, as another node may be writing a change of its own.
 */
int mdc_ops_metadata_start(struct mdc_cluster *c)
{
	int ret;

	mdc_catchup_before_update(c);
	/* A member may fail meanwhile. */
	do {
		begin_updating(c);
		ret = mdc_channel_take_kept(c);
	} while (ret == -ECANCELED && mdc_md_update_counts(c->mddev));
	if (ret == -ECANCELED) {
		mdc_md_skip_update(c->mddev);
		mdc_recover_untold(c);
	}
	if (ret)
		end_updating(c);
	else
		begin_updating(c);
	if (!ret && c->announce)
		mdc_md_force_update(c->mddev);
	return ret;
}

static int tell_update(struct mdc_cluster *c)
{
	struct mdc_msg msg = { .type = MDC_METADATA_UPDATED };
	int device = mdc_md_good_device(c->mddev);

	if (device < 0) {
		mdc_warn(c, "no member is left to read the superblock from: the other nodes are not told of its update\n");
		return 0;
	}
	msg.raid_slot = device;
	return mdc_channel_send(c, &msg, 0);
}

int mdc_ops_metadata_finish(struct mdc_cluster *c)
{
	int ret;

	mdc_fault("add.11");
	ret = tell_update(c);
	if (!ret)
		c->untold = false;
	else if (ret == -ECANCELED)
		mdc_recover_untold(c);
	mdc_channel_give(c);
	end_updating(c);
	return ret;
}

void mdc_ops_metadata_cancel(struct mdc_cluster *c)
{
	mdc_channel_give(c);
	end_updating(c);
}

/* Resync. */

int mdc_ops_resync_start(struct mdc_cluster *c)
{
	return mdc_resync_begin(c);
}

int mdc_ops_resync_announce(struct mdc_cluster *c)
{
	struct mdc_msg msg = { .type = MDC_RESYNCING_START };

	return mdc_send(c, &msg, false);
}

void mdc_ops_resync_told(struct mdc_cluster *c)
{
	mdc_resync_told(c);
}

int mdc_ops_resync_update(struct mdc_cluster *c, u64 lo, u64 *hi, u32 least)
{
	u64 begun = mdc_now_ms();
	struct mdc_range range = { lo, *hi };
	int ret;

	if (least)
		range.hi = mdc_window_next(&c->window, begun, &range, least);
	ret = mdc_resync_tell(c, &range, false);
	mdc_window_told(&c->window, begun, mdc_now_ms());
	*hi = range.hi;
	return ret;
}

int mdc_ops_resync_finish(struct mdc_cluster *c)
{
	return mdc_resync_end(c);
}

bool mdc_ops_waits_for_sync(struct mdc_cluster *c)
{
	return READ_ONCE(c->waits_for_sync);
}

void mdc_ops_resync_range(struct mdc_cluster *c, u64 *lo, u64 *hi)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	*lo = c->suspended.range.lo;
	*hi = c->suspended.range.hi;
	spin_unlock_irqrestore(&c->lock, flags);
}

bool mdc_ops_area_busy(struct mdc_cluster *c, bool write, u64 lo, u64 hi)
{
	unsigned long flags;
	bool busy;

	if (write)
		return READ_ONCE(c->catching_up) || !mdc_suspend_may_write(c, lo, hi);
	/* Legs may differ where md core does not know of it (yet). */
	if (READ_ONCE(c->stopped) || READ_ONCE(c->mark_aside) ||
	    READ_ONCE(c->late_dirt) != MDC_MD_CLEAN ||
	    !bitmap_empty(c->to_recover, MDC_SLOTS_MAX))
		return true;
	if (!READ_ONCE(c->suspended.range.hi))
		return false;
	spin_lock_irqsave(&c->lock, flags);
	busy = mdc_suspended_covers(&c->suspended, lo, hi);
	spin_unlock_irqrestore(&c->lock, flags);
	return busy;
}

/* Members. */

int mdc_ops_add(struct mdc_cluster *c, struct md_rdev *rdev)
{
	struct mdc_new_disk disk = {
		.device = mdc_md_rdev_number(rdev),
		.uuid = mdc_md_rdev_uuid(rdev),
		.number = mdc_md_rdev_disk(rdev),
	};

	return mdc_newdisk_ask(c, &disk);
}

void mdc_ops_add_cancel(struct mdc_cluster *c)
{
	mdc_newdisk_cancel(c);
}

int mdc_ops_add_answer(struct mdc_cluster *c, bool found)
{
	return mdc_newdisk_answer(c, found);
}

/* Nothing has changed yet, so who waits here may be killed. Under reconfig_mutex. */
static int take_killable(struct mdc_cluster *c)
{
	return mdc_channel_take_unless(c, true, 0, NULL, NULL);
}

int mdc_ops_remove(struct mdc_cluster *c, struct md_rdev *rdev)
{
	struct mdc_msg msg = {
		.type = MDC_REMOVE,
		.raid_slot = mdc_md_rdev_number(rdev),
	};
	int ret;

	ret = take_killable(c);
	if (ret)
		return ret;
	/* Waiting for the channel this node may have heard that the spare is in use. */
	if (mdc_md_leg_elsewhere(c->mddev, rdev))
		ret = -EBUSY;
	else
		ret = mdc_channel_send(c, &msg, 0);
	mdc_channel_give(c);
	return ret;
}

int mdc_ops_readd(struct mdc_cluster *c, struct md_rdev *rdev)
{
	struct mdc_msg msg = {
		.type = MDC_RE_ADD,
		.raid_slot = mdc_md_rdev_number(rdev),
	};
	int ret;

	if (!mdc_md_make_writable(c->mddev))
		return -EROFS;
	ret = take_killable(c);
	if (ret)
		return ret;
	ret = mdc_channel_send(c, &msg, 0);
	/*
	 * The superblock still says that it failed: nobody is to read that again before md core
	 * has written it, which it does next.
	 */
	if (ret)
		mdc_channel_give(c);
	else
		mdc_channel_keep(c);
	return ret;
}

/* Size. */

/* SLOT's bitmap lock in PW, at once: 0 if nobody has the slot, -EAGAIN if somebody does. */
static int try_slot(struct mdc_cluster *c, int slot, struct mdc_lock **lock)
{
	char name[MDC_LOCK_NAME];
	int ret;

	mdc_bitmap_lock_name(name, slot);
	ret = mdc_lock_new(c->ls, name, true, NULL, NULL, 0, lock);
	if (ret)
		return ret;
	ret = mdc_lock_try(*lock, MDC_PW);
	if (ret) {
		mdc_lock_free(*lock);
		*lock = NULL;
	}
	return ret;
}

static int tell_resize(struct mdc_cluster *c, u64 sectors, bool back)
{
	struct mdc_msg msg = { .type = MDC_BITMAP_RESIZE, .high = sectors };
	int ret = back ? mdc_channel_take(c, true) : take_killable(c);

	if (ret)
		return ret;
	ret = mdc_channel_send(c, &msg, 0);
	mdc_channel_give(c);
	return ret;
}

/* Whether SLOT's bitmap has PAGES pages. That of an absent node is only ever read as the array is. */
static int check_pages(struct mdc_cluster *c, int slot, unsigned long pages)
{
	struct mdc_lock *lock = NULL;
	unsigned long theirs;
	int ret;

	ret = try_slot(c, slot, &lock);
	if (!ret)
		mdc_lock_free(lock);
	if (ret != -EAGAIN)
		return ret;
	ret = mdc_md_bitmap_pages(c->mddev, slot, &theirs);
	if (!ret && theirs != pages)
		ret = -EINVAL;
	return ret;
}

int mdc_ops_resize_bitmaps(struct mdc_cluster *c, u64 sectors, u64 old_sectors)
{
	unsigned long pages;
	int slot, ret;

	/* They would not follow in time: PROTOCOL.md, "What remains". */
	if (mdc_md_reshape_begins(c->mddev) && !mdc_alone(c)) {
		mdc_err(c, "an array that other nodes have is not reshaped: stop it there first, and start it there when the reshape is over\n");
		return -EBUSY;
	}
	ret = mdc_md_bitmap_pages(c->mddev, -1, &pages);
	if (!ret)
		ret = tell_resize(c, sectors, false);
	if (ret)
		return ret;
	for (slot = 0; !ret && slot < c->slots; slot++) {
		if (slot == c->our_slot)
			continue;
		ret = check_pages(c, slot, pages);
		if (ret)
			mdc_err(c, "the bitmap of slot %d did not take the new size (%d): all go back to the old one\n",
				slot, ret);
	}
	if (ret && tell_resize(c, old_sectors, true))
		mdc_err(c, "the other nodes were not told to go back to the old bitmap size\n");
	return ret;
}

/* That of a slot without a node is made to fit. 0 or -errno. */
static int check_fit(struct mdc_cluster *c, int slot)
{
	struct mdc_lock *lock = NULL;
	int ret;

	ret = try_slot(c, slot, &lock);
	if (ret)
		return ret == -EAGAIN ? mdc_md_bitmap_fits(c->mddev, slot) : ret;
	/* Its chunks may be other ones by now, or it may even be elsewhere: nothing of it can be kept. */
	ret = test_bit(slot, c->to_recover) ? -EBUSY : mdc_md_bitmap_make_fit(c->mddev, slot);
	mdc_lock_free(lock);
	return ret;
}

static bool all_fit(struct mdc_cluster *c)
{
	int slot, ret;

	for (slot = 0; slot < c->slots; slot++) {
		if (slot == c->our_slot)
			continue;
		ret = check_fit(c, slot);
		if (ret == -EBUSY)
			mdc_err(c, "what slot %d has left in its bitmap is not taken over yet: give the array its new size when it is\n",
				slot);
		else if (ret)
			mdc_err(c, "the bitmap of slot %d did not follow the new size (%d)\n",
				slot, ret);
		if (ret)
			return false;
	}
	return true;
}

/*
 * All nodes read the new size in the superblock; only when each has followed may the array be
 * used up to it. Else it goes back to what it was, for all.
 */
void mdc_ops_update_size(struct mdc_cluster *c, u64 old_device_sectors)
{
	struct mdc_msg capacity = { .type = MDC_CHANGE_CAPACITY };
	bool taken, good;

	mdc_md_update_sb(c->mddev);
	taken = !mdc_channel_take(c, true);
	good = taken && !tell_update(c) && all_fit(c);
	if (good) {
		if (mdc_channel_send(c, &capacity, 0))
			mdc_err(c, "the other nodes do not know the new capacity\n");
		mdc_md_set_capacity(c->mddev);
	}
	if (taken)
		mdc_channel_give(c);
	if (good)
		return;
	mdc_err(c, "the array goes back to its old size\n");
	if (mdc_md_resize(c->mddev, old_device_sectors))
		mdc_err(c, "the array could not go back to its old size\n");
	mdc_md_update_sb(c->mddev);
}

void mdc_ops_unlock_bitmaps(struct mdc_cluster *c)
{
	int slot;

	if (!c->others)
		return;
	for (slot = 0; slot < c->slots; slot++)
		mdc_lock_free(c->others[slot]);
	kfree(c->others);
	c->others = NULL;
}

int mdc_ops_lock_bitmaps(struct mdc_cluster *c)
{
	int slot, ret;

	c->others = kcalloc(c->slots, sizeof(*c->others), GFP_KERNEL);
	if (!c->others)
		return -ENOMEM;
	for (slot = 0; slot < c->slots; slot++) {
		if (slot == c->our_slot)
			continue;
		ret = try_slot(c, slot, &c->others[slot]);
		if (ret == -EAGAIN)
			mdc_err(c, "the node in slot %d uses the array: stop it there first\n",
				slot);
		if (ret)
			return ret;
	}
	return 1;
}
