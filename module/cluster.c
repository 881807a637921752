// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joining and leaving, what the DLM tells of membership, and the lent mutex. Process context, but
 * for the DLM's callbacks, which come from its recovery thread.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "cluster.h"
#include "catchup.h"
#include "channel.h"
#include "comm.h"
#include "fault.h"
#include "netlink.h"
#include "newdisk.h"
#include "ops.h"
#include "recover.h"
#include "resync.h"

#define LOOK_MS 1000	/* between looks at what wakes nobody: the clock */

void mdc_uuid_text(char *text, const u8 *uuid)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < MDC_UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[uuid[i] >> 4];
		*text++ = digits[uuid[i] & 15];
	}
	*text = 0;
}

void mdc_bitmap_lock_name(char *name, int slot)
{
	snprintf(name, MDC_LOCK_NAME, "bitmap%04d", slot);
}

void mdc_changed(struct mdc_cluster *c)
{
	wake_up_all(&c->wait);
}

bool mdc_first_of_kind(struct mdc_cluster *c, enum mdc_wire_fault fault)
{
	return !test_and_set_bit(fault, c->fault_logged);
}

/* What the DLM tells. */

static void stopped(void *arg)
{
	struct mdc_cluster *c = arg;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->stopped = true;
	c->stopped_since = mdc_now_ms();
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	mdc_info(c, "locks: running -> stopped (a node failed, comes or goes, or the quorum is lost)\n");
	mdc_netlink_event(c, MDC_EVENT_STOPPED, 0);
}

static void member_failed(void *arg, const struct mdc_member *member)
{
	struct mdc_cluster *c = arg;
	int slot = member->slot - 1;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (slot >= 0 && slot < c->slots)
		set_bit(slot, c->failed);
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_info(c, "node %d in slot %d is gone: its bitmap will be taken over\n",
		 member->nodeid, slot);
	/* running() may never have named it: it came and died in the same recovery. */
	mdc_recover_slot(c, slot);
	mdc_netlink_event(c, MDC_EVENT_MEMBER_FAILED, slot);
}

bool mdc_alone(struct mdc_cluster *c)
{
	unsigned long flags;
	bool alone;

	spin_lock_irqsave(&c->lock, flags);
	alone = c->members_count < 2;
	spin_unlock_irqrestore(&c->lock, flags);
	return alone;
}

bool mdc_locks_stand_still(void *arg)
{
	struct mdc_cluster *c = arg;

	return mdc_lockspace_stopped(c->ls);
}

bool mdc_waits_in_vain(void *arg)
{
	struct mdc_cluster *c = arg;
	unsigned long flags;
	bool long_stopped, ends;

	spin_lock_irqsave(&c->lock, flags);
	long_stopped = c->stopped && !c->must_tell &&
		       mdc_now_ms() - c->stopped_since >= c->limits->leave_timeout;
	ends = c->handing_over;
	spin_unlock_irqrestore(&c->lock, flags);
	return long_stopped && (ends || mdc_md_closing(c->mddev));
}

bool mdc_is_member(const struct mdc_cluster *c, u32 slot)
{
	int i;

	for (i = 0; i < c->members_count; i++)
		if (c->members[i].slot - 1 == slot)
			return true;
	return false;
}

bool mdc_may_be_live(const struct mdc_cluster *c, u32 slot)
{
	return c->stopped || mdc_is_member(c, slot);
}

/* Under the lock. The same node in the same slot may have failed and come back in one recovery. */
static bool is_among(const struct mdc_cluster *c, const struct mdc_member *member,
		     const struct mdc_member *members, int count)
{
	int i;

	if (test_bit(member->slot - 1, c->failed))
		return false;
	for (i = 0; i < count; i++)
		if (members[i].nodeid == member->nodeid && members[i].slot == member->slot)
			return true;
	return false;
}

/*
 * Under the lock. Slots whose node is gone, however: GONE. Where another node has the slot by now,
 * that one looks after the bitmap as it loads its own, and nobody else is to: NEXT are its members.
 */
static void compare_members(struct mdc_cluster *c, const struct mdc_member *next, int count,
			    unsigned long *gone)
{
	int i, slot;

	for (i = 0; i < c->members_count; i++) {
		slot = c->members[i].slot - 1;
		if (slot >= c->slots || is_among(c, &c->members[i], next, count))
			continue;
		set_bit(slot, gone);
		/* It copies no more, and who has its slot now has not begun to. */
		if (mdc_suspended_end_of(&c->suspended, slot))
			c->range_lost = true;
	}
	for (i = 0; i < count; i++) {
		slot = next[i].slot - 1;
		if (slot >= c->slots || is_among(c, &next[i], c->members, c->members_count))
			continue;
		clear_bit(slot, gone);
		clear_bit(slot, c->to_recover);
		clear_bit(slot, c->put_off);
	}
	bitmap_zero(c->failed, MDC_SLOTS_MAX);
}

/* "1, 2, 5"; what has no room is left out. */
static void slots_text(char *text, size_t size, const struct mdc_member *members, int count)
{
	size_t at = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < count && at < size; i++)
		at += snprintf(text + at, size - at, "%s%d", i ? ", " : "", members[i].slot - 1);
}

static void log_running(struct mdc_cluster *c, const struct mdc_member *members, int count)
{
	char slots[MDC_MEMBERS_MAX * sizeof("255,")];

	slots_text(slots, sizeof(slots), members, count);
	mdc_info(c, "locks: stopped -> running (%d node%s, slot%s %s)\n", count,
		 count == 1 ? "" : "s", count == 1 ? "" : "s", slots);
}

static void running(void *arg, const struct mdc_member *members, int count, int our_slot)
{
	DECLARE_BITMAP(gone, MDC_SLOTS_MAX) = { 0 };
	struct mdc_cluster *c = arg;
	unsigned long flags;
	bool stood_still;
	int slot;

	count = count < MDC_MEMBERS_MAX ? count : MDC_MEMBERS_MAX;
	spin_lock_irqsave(&c->lock, flags);
	compare_members(c, members, count, gone);
	c->our_slot = our_slot - 1;
	c->members_count = count;
	memcpy(c->members, members, count * sizeof(*members));
	stood_still = c->stopped;
	c->stopped = false;
	if (c->recover_wait)
		mdc_lock_poke(c->recover_wait);
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	wake_up_all(mdc_md_waiters(c->mddev));
	/* What the join itself brings is said when it is done. */
	if (stood_still)
		log_running(c, members, count);
	/* One that left may have had something unfinished and no way to say so. */
	for_each_set_bit(slot, gone, MDC_SLOTS_MAX)
		mdc_recover_slot(c, slot);
	mdc_netlink_event(c, MDC_EVENT_RUNNING, 0);
}

static const struct mdc_lockspace_events lockspace_events = {
	.stopped = stopped,
	.member_failed = member_failed,
	.running = running,
};

/* The lent mutex. */

void mdc_lend(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->lent = true;
	spin_unlock_irqrestore(&c->lock, flags);
	wake_up_all(mdc_md_waiters(c->mddev));
}

static bool take_back(struct mdc_cluster *c)
{
	unsigned long flags;
	bool back;

	spin_lock_irqsave(&c->lock, flags);
	back = !c->borrowed;
	if (back)
		c->lent = false;
	spin_unlock_irqrestore(&c->lock, flags);
	return back;
}

void mdc_lend_end(struct mdc_cluster *c)
{
	wait_event(c->wait, take_back(c));
}

static bool try_borrow(struct mdc_cluster *c, enum mdc_borrow *how)
{
	unsigned long flags;

	*how = MDC_BORROW_NOT;
	spin_lock_irqsave(&c->lock, flags);
	if (c->lent && !c->borrowed && !c->leaving) {
		c->borrowed = true;
		*how = MDC_BORROW_LENT;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	if (*how == MDC_BORROW_NOT && mdc_md_trylock(c->mddev))
		*how = MDC_BORROW_TAKEN;
	return *how != MDC_BORROW_NOT;
}

static bool cannot_borrow(struct mdc_cluster *c)
{
	unsigned long flags;
	bool leaving;

	spin_lock_irqsave(&c->lock, flags);
	leaving = c->leaving;
	spin_unlock_irqrestore(&c->lock, flags);
	return leaving || kthread_should_stop();
}

enum mdc_borrow mdc_borrow_unless(struct mdc_cluster *c, bool (*give_up)(void *arg), void *arg)
{
	enum mdc_borrow how = MDC_BORROW_NOT;

	while (!wait_event_idle_timeout(*mdc_md_waiters(c->mddev),
					cannot_borrow(c) || (give_up && give_up(arg)) ||
					try_borrow(c, &how), msecs_to_jiffies(LOOK_MS)))
		;
	if (how == MDC_BORROW_LENT)
		mdc_md_lock_lent(c->mddev);
	if (how != MDC_BORROW_NOT && !mdc_md_has_thread(c->mddev)) {
		mdc_borrow_end(c, how);
		return MDC_BORROW_NOT;
	}
	return how;
}

enum mdc_borrow mdc_borrow(struct mdc_cluster *c)
{
	return mdc_borrow_unless(c, NULL, NULL);
}

void mdc_borrow_end(struct mdc_cluster *c, enum mdc_borrow how)
{
	unsigned long flags;

	if (how == MDC_BORROW_TAKEN) {
		mdc_md_unlock(c->mddev);
	} else if (how == MDC_BORROW_LENT) {
		mdc_md_lock_returned(c->mddev);
		spin_lock_irqsave(&c->lock, flags);
		c->borrowed = false;
		spin_unlock_irqrestore(&c->lock, flags);
		mdc_changed(c);
		wake_up_all(mdc_md_waiters(c->mddev));
	}
}

void mdc_end_auto_read(struct mdc_cluster *c)
{
	enum mdc_borrow how;

	if (!mdc_md_auto_read(c->mddev))
		return;
	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return;
	mdc_md_end_auto_read(c->mddev);
	mdc_borrow_end(c, how);
}

/* Joining. */

static struct mdc_cluster *new_cluster(struct mddev *mddev, int slots,
				       const struct mdc_limits *limits)
{
	struct mdc_cluster *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->mddev = mddev;
	c->slots = slots;
	c->limits = limits;
	c->our_slot = -1;
	c->late_dirt = MDC_MD_CLEAN;
	spin_lock_init(&c->lock);
	init_waitqueue_head(&c->wait);
	mdc_suspended_init(&c->suspended);
	mdc_inflight_init(&c->inflight, mdc_now_ms());
	return c;
}

/* Where to look, for whoever is to mend it: what the errors are is said in lockres.h. */
static const char *why_not_joined(int ret)
{
	switch (ret) {
	case -EBADR:
		return "the DLM belongs to a cluster of another name";
	case -EBUSY:
		return "an earlier join or leave of this array on this node has not ended";
	case -EEXIST:
		return "another program on this node has this lockspace open (dlm_tool ls); end it first";
	case -EINTR:
		return "interrupted";
	case -ENOMEM:
		return "out of memory";
	case -ENOTCONN:
	case -EUNATCH:
		return "is dlm_controld running?";
	case -EOPNOTSUPP:
		return "the DLM does not say which nodes fail, and the array needs to know; is dlm_controld too old?";
	case -EPROTO:
		return "a node that has the array has a DLM or an md-cluster that does not go with this one: the DLM's line with \"mismatch\", before this one, names the node";
	case -ETIMEDOUT:
		return "it did not form in time; is the cluster quorate?";
	default:
		return "see what the DLM and dlm_controld have logged";
	}
}

static int join_lockspace(struct mdc_cluster *c)
{
	char name[37];
	int ret;

	mdc_uuid_text(name, mdc_md_uuid(c->mddev));
	ret = mdc_lockspace_join(name, mdc_md_cluster_name(c->mddev), &lockspace_events, c,
				 c->limits->join_timeout, &c->ls);
	if (ret) {
		mdc_err(c, "cannot join the DLM lockspace %s of cluster '%s' (%d): %s\n",
			name, mdc_md_cluster_name(c->mddev), ret, why_not_joined(ret));
		return ret;
	}
	if (c->our_slot < 0 || c->our_slot >= c->slots) {
		mdc_err(c, "no bitmap for this node: it has slot %d, the array has bitmaps for %d nodes; see mdadm --grow --nodes\n",
			c->our_slot, c->slots);
		return -ERANGE;
	}
	return 0;
}

static int clear_range(struct mdc_cluster *c)
{
	static const struct mdc_range none;

	mdc_wire_put_range(mdc_lock_lvb(c->bitmap), &none);
	return mdc_lock_convert_unless(c->bitmap, MDC_PW, c->limits->join_timeout, NULL, NULL);
}

static int take_bitmap(struct mdc_cluster *c)
{
	unsigned int patience = c->limits->join_timeout;
	char name[MDC_LOCK_NAME];
	int ret;

	mdc_bitmap_lock_name(name, c->our_slot);
	ret = mdc_lock_new(c->ls, name, true, NULL, NULL, patience, &c->bitmap);
	/* Another node may still be taking over what this slot's last owner left. */
	if (!ret)
		ret = mdc_lock_convert_unless(c->bitmap, MDC_PW, patience, NULL, NULL);
	/* Nor does the range of its resync go on. */
	if (!ret)
		ret = clear_range(c);
	if (!ret)
		ret = mdc_lock_new(c->ls, "resync", false, NULL, NULL, patience, &c->resync);
	if (ret)
		mdc_err(c, "the lock %s or resync cannot be had (%d)\n", name, ret);
	return ret;
}

/* Undoes all of a join, whole or in part. Nobody uses C any more but its own threads. */
static void take_apart(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->leaving = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	wake_up_all(mdc_md_waiters(c->mddev));
	/* Whatever the threads wait for, they need not hear of it any more. */
	if (c->ls)
		mdc_lockspace_abandon(c->ls);
	mdc_recover_close(c);
	mdc_newdisk_close(c);
	mdc_comm_close(c);
	mdc_catchup_end(c);
	mdc_lock_free(c->resync);
	mdc_lock_free(c->bitmap);
	if (c->ls)
		mdc_lockspace_leave(c->ls, c->limits->leave_timeout);
	kfree(c);
}

/*
 * Others may have put a disk in the place of a failed one between mdadm's reading the superblocks
 * and this node's taking "ack". md core does not take that in as a whole: it would go on with the
 * failed disk, and even recover the new one from it. From "ack" on others wait for this node.
 */
static int check_members(struct mdc_cluster *c)
{
	if (mdc_alone(c))
		return 0;
	/* md core would go by the position that it has read, while another node moves on. */
	if (mdc_md_reshaping_on_disk(c->mddev)) {
		mdc_err(c, "the array is being reshaped: start it on the other nodes when that is over; if no node has it yet, on one node first\n");
		return -EBUSY;
	}
	if (!mdc_md_outdated(c->mddev))
		return 0;
	mdc_err(c, "the members of the array changed while it was started here: start it again\n");
	return -EAGAIN;
}

int mdc_cluster_join(struct mddev *mddev, int slots, const struct mdc_limits *limits,
		     struct mdc_cluster **cluster)
{
	struct mdc_cluster *c;
	int ret;

	if (slots < 1 || slots > MDC_SLOTS_MAX) {
		pr_err("%s: bitmaps for %d nodes: 1 to %d can be served\n", mdc_md_name(mddev),
		       slots, MDC_SLOTS_MAX);
		return -ERANGE;
	}
	c = new_cluster(mddev, slots, limits);
	if (!c)
		return -ENOMEM;
	ret = join_lockspace(c);
	if (!ret)
		ret = mdc_comm_open(c);
	if (!ret)
		ret = check_members(c);
	if (!ret)
		ret = take_bitmap(c);
	if (!ret)
		ret = mdc_newdisk_open(c);
	if (!ret)
		ret = mdc_recover_open(c);
	if (ret) {
		mdc_err(c, "the array is not joined (%d)\n", ret);
		take_apart(c);
		return ret;
	}
	mdc_info(c, "joined cluster '%s'\n", mdc_md_cluster_name(mddev));
	mdc_netlink_add(c);
	mdc_netlink_event(c, MDC_EVENT_JOINED, c->our_slot);
	*cluster = c;
	return 0;
}

/*
 * Others may have written the superblock between md core's reading it and this node's taking
 * "ack", and did not wait for it then. From "ack" on they do, until mdc_comm_start().
 */
static void catch_up(struct mdc_cluster *c)
{
	if (c->members_count < 2 || !mdc_md_has_thread(c->mddev))
		return;
	mdc_comm_read_newest(c);
	/* The failed disk whose place it takes is still there; only md core's thread can do that. */
	if (mdc_md_leg_missing(c->mddev))
		mdc_catchup_begin(c);
}

void mdc_cluster_start(struct mdc_cluster *c)
{
	int ret = mdc_recover_gather(c);

	/*
	 * The superblock may say that all is in sync, though this node has written since: in a cluster
	 * md core need not record that. It then takes none of its own bitmap's bits seriously.
	 */
	if (mdc_md_own_bitmap_dirty(c->mddev)) {
		mdc_lower_mark(c, 0);
		WRITE_ONCE(c->own_dirt, true);
	}
	catch_up(c);
	if (ret)
		mdc_err(c, "what other nodes resync, or have left to be resynced, could not be read (%d): trying again, and this node writes nothing to the array before\n",
			ret);
	mdc_comm_start(c);
}

/* Leaving. */

static void hand_over(struct mdc_cluster *c)
{
	struct mdc_msg msg = { .type = MDC_BITMAP_NEEDS_SYNC };
	int ret;

	ret = mdc_channel_take_unless(c, true, c->limits->leave_timeout, mdc_locks_stand_still, c);
	if (!ret) {
		if (!mdc_fault("leave.1"))
			ret = mdc_channel_send(c, &msg, c->limits->leave_timeout);
		mdc_channel_give(c);
	}
	if (ret)
		mdc_warn(c, "left with a resync unfinished, and no other node could be told (%d): the next one that starts the array will find it in this slot's bitmap\n",
			 ret);
}

void mdc_cluster_leave(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->handing_over = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_netlink_event(c, MDC_EVENT_LEAVING, 0);
	mdc_netlink_remove(c);
	mdc_channel_drop_kept(c);
	mdc_catchup_end(c);
	/* A recovery onto a new disk leaves no mark, but the range that it was at. */
	if (mdc_md_resync_mark(c->mddev) != MDC_MD_CLEAN || mdc_md_reshape_cut_off(c->mddev) ||
	    mdc_resync_unfinished(c))
		hand_over(c);
	mdc_ops_unlock_bitmaps(c);
	take_apart(c);
}
