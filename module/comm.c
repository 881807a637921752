// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The receiver, and what it does with each message: the other side of PROTOCOL.md, "A message";
 * channel.c says who may convert which lock. Process context, but for the BAST.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "comm.h"
#include "catchup.h"
#include "fault.h"
#include "netlink.h"
#include "newdisk.h"
#include "recover.h"
#include "resync.h"
#include "trace.h"

#define RETRY_MS 1000	/* after a lock error that should not be */

#define NEWEST -1	/* the member whose superblock is the newest */

void mdc_comm_bast(void *arg, int mode)
{
	struct mdc_cluster *c = arg;
	unsigned long flags;

	if (mode != MDC_EX)
		return;
	spin_lock_irqsave(&c->lock, flags);
	c->message_waits = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

void mdc_comm_read_newest(struct mdc_cluster *c)
{
	u64 events = mdc_md_events(c->mddev);
	int device = mdc_md_newest_device(c->mddev);

	if (device >= 0)
		mdc_md_reload_sb(c->mddev, device);
	if (mdc_md_events(c->mddev) == events && !c->untold)
		return;
	/* Reading it once more takes md core's reason for that update away. */
	c->untold = true;
	mdc_md_force_update(c->mddev);
	mdc_md_wake(c->mddev);
}

/* Where a spare becomes a leg, its own superblock says what it lacks. */
static int best_of(struct mdc_cluster *c, int device)
{
	int newest = mdc_md_newest_device(c->mddev);

	return newest < 0 ? device : newest;
}

/* Another node has told all: there is nothing left to tell of what was read before. */
static void read_told(struct mdc_cluster *c, int device)
{
	c->untold = false;
	mdc_md_reload_sb(c->mddev, mdc_md_has_spare(c->mddev) ? best_of(c, device) : device);
}

/* DEVICE: where to read it, or NEWEST. */
static void take_update_in(struct mdc_cluster *c, u32 slot, int device)
{
	enum mdc_borrow how;

	mdc_newdisk_before_update(c);
	/* An add is over with it, whoever added: this node stands in for the next one again. */
	if (mdc_lock_mode(c->no_new_dev) != MDC_CR && mdc_lock_convert(c->no_new_dev, MDC_CR))
		mdc_err(c, "the lock %s failed\n", mdc_lock_name(c->no_new_dev));
	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return;
	if (device == NEWEST || !mdc_md_has_device(c->mddev, device))
		mdc_comm_read_newest(c);
	else
		read_told(c, device);
	mdc_newdisk_after_update(c);
	mdc_catchup_updated(c);
	mdc_md_take_clean(c->mddev);
	mdc_borrow_end(c, how);
	mdc_netlink_event(c, MDC_EVENT_UPDATED, slot);
}

void mdc_comm_read_again(struct mdc_cluster *c)
{
	take_update_in(c, c->our_slot, NEWEST);
}

/*
 * The roles for which it begins are in the superblock, and may have been read while this node was
 * not to act on them yet. Once it has acknowledged, it must write to all that have one.
 */
static void received_sync_start(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	unsigned long flags;

	mdc_fault("resync.2.peer");
	spin_lock_irqsave(&c->lock, flags);
	c->waits_for_sync = false;
	spin_unlock_irqrestore(&c->lock, flags);
	take_update_in(c, msg->slot, NEWEST);
	mdc_catchup_hold_writes(c);
}

static void received_resize(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	bool other = msg->high != mdc_md_wanted_sectors(c->mddev);
	int ret;

	/* Back to the array's own size as well, if it is another one's now. */
	if (!other && !c->bitmap_differs)
		return;
	ret = mdc_md_bitmap_resize(c->mddev, msg->high);
	if (!ret)
		c->bitmap_differs = other;
	if (ret)
		mdc_err(c, "the bitmap cannot be resized for %llu sectors (%d): the node that grows the array will take its growth back\n",
			(unsigned long long)msg->high, ret);
}

static void act(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	switch (msg->type) {
	case MDC_METADATA_UPDATED:
		take_update_in(c, msg->slot, msg->raid_slot);
		break;
	case MDC_RESYNCING:
		mdc_resync_received(c, msg);
		break;
	case MDC_NEWDISK:
		mdc_newdisk_received(c, msg);
		break;
	case MDC_REMOVE:
		mdc_end_auto_read(c);
		if (mdc_md_mark_removed(c->mddev, msg->raid_slot))
			mdc_newdisk_sweep(c);
		else
			mdc_info(c, "slot %u removes device %u, which is no member here\n",
				 msg->slot, msg->raid_slot);
		break;
	case MDC_RE_ADD:
		mdc_end_auto_read(c);
		if (!mdc_catchup_readd(c, msg->raid_slot))
			mdc_warn(c, "slot %u adds device %u again, which is no faulty member here\n",
				 msg->slot, msg->raid_slot);
		break;
	case MDC_BITMAP_NEEDS_SYNC:
		mdc_fault("leave.1.peer");
		mdc_recover_slot(c, msg->slot);
		break;
	case MDC_CHANGE_CAPACITY:
		mdc_md_set_capacity(c->mddev);
		break;
	case MDC_BITMAP_RESIZE:
		received_resize(c, msg);
		break;
	case MDC_RESYNCING_START:
		received_sync_start(c, msg);
		break;
	}
}

static void count_received(struct mdc_cluster *c, const struct mdc_msg *msg,
			   enum mdc_wire_fault fault, bool valid)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (!valid)
		c->counters.lost++;
	else if (fault)
		c->counters.dropped[fault]++;
	else
		c->counters.received[msg->type]++;
	spin_unlock_irqrestore(&c->lock, flags);
}

/*
 * Step 5, with the message readable. Whatever it is, it will be acknowledged. True if it was acted
 * upon.
 */
static bool read_message(struct mdc_cluster *c, struct mdc_msg *msg)
{
	struct mdc_wire_limits limits = {
		.our_slot = c->our_slot,
		.slots = c->slots,
		.devices = mdc_md_devices(c->mddev),
		.sectors = mdc_md_sectors(c->mddev),
	};
	bool valid = mdc_lock_lvb_valid(c->message);
	enum mdc_wire_fault fault;

	fault = mdc_wire_get_msg(mdc_lock_lvb(c->message), &limits, msg);
	trace_mdc_received(c, msg, fault);
	count_received(c, msg, fault, valid);
	if (!valid) {
		/*
		 * Its sender died, and what it said with it. An update of the superblock would be
		 * missed for good; a resync that it told of ends with it, and an add is settled.
		 * What others have acted on for good they say again.
		 */
		mdc_info(c, "a message was lost with its sender: reading the superblock instead\n");
		mdc_comm_read_again(c);
	} else if (!fault) {
		if (!mdc_unsaid_read(&c->unsaid, msg))
			mdc_err(c, "more messages than can be kept did not reach all: the nodes may differ in their members or size\n");
		act(c, msg);
		return true;
	} else if (mdc_first_of_kind(c, fault)) {
		mdc_warn(c, "a message is dropped: %s (type %u, slot %u, device %u); further ones of this kind are only counted\n",
			 mdc_wire_fault_name(fault), msg->type, msg->slot, msg->raid_slot);
	}
	return false;
}

/* Steps 5 and 6 of the side that receives. */
static int take_message(struct mdc_cluster *c)
{
	struct mdc_msg msg;
	unsigned long flags;
	bool acted;
	int ret;

	ret = mdc_lock_convert(c->message, MDC_CR);
	if (ret)
		return ret;
	mdc_fault("receive.5");
	acted = read_message(c, &msg);
	mdc_fault("receive.6");
	ret = mdc_lock_convert(c->ack, MDC_NL);
	if (ret)
		return ret;
	/* In NL nothing calls for ack; what does from now on is a new message. */
	spin_lock_irqsave(&c->lock, flags);
	c->message_waits = false;
	spin_unlock_irqrestore(&c->lock, flags);
	/* Not granted before the sender has heard all: so ack is not taken back too early. */
	ret = mdc_lock_convert(c->message, MDC_PR);
	if (ret)
		return ret;
	/* Unless its sender has died instead, which this node is told before it is granted that. */
	if (acted && !READ_ONCE(c->read_again))
		mdc_unsaid_known(&c->unsaid, &msg);
	ret = mdc_lock_convert(c->ack, MDC_CR);
	if (ret)
		return ret;
	return mdc_lock_convert(c->message, MDC_NL);
}

static bool may_receive(struct mdc_cluster *c)
{
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&c->lock, flags);
	may = c->message_waits && c->in_cluster && !c->has_token && !c->leaving;
	if (may) {
		c->receiving = true;
		c->receiving_since = mdc_now_ms();
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return may;
}

static void end_receiving(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->receiving = false;
	c->receiving_since = 0;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

static int receiver(void *arg)
{
	struct mdc_cluster *c = arg;
	bool waits = false;
	int ret;

	mdc_thread_never_writes_for_memory();
	while (!kthread_should_stop()) {
		wait_event_idle(c->wait, kthread_should_stop() || (waits = may_receive(c)));
		if (!waits)
			break;
		waits = false;
		ret = take_message(c);
		end_receiving(c);
		if (ret && ret != -ESHUTDOWN) {
			mdc_err(c, "receiving failed: a lock of the channel gave %d; trying again\n",
				ret);
			wait_event_idle_timeout(c->wait, kthread_should_stop(),
						msecs_to_jiffies(RETRY_MS));
		}
	}
	return 0;
}

int mdc_comm_open(struct mdc_cluster *c)
{
	unsigned int patience = c->limits->join_timeout;
	struct task_struct *thread;
	int ret;

	ret = mdc_lock_new(c->ls, "message", true, NULL, NULL, patience, &c->message);
	if (!ret)
		ret = mdc_lock_new(c->ls, "token", false, NULL, NULL, patience, &c->token);
	if (!ret)
		ret = mdc_lock_new(c->ls, "no-new-dev", false, NULL, NULL, patience, &c->no_new_dev);
	if (ret)
		return ret;
	/* With the token nobody sends while this node becomes one more that must acknowledge. */
	ret = mdc_lock_convert_unless(c->token, MDC_EX, patience, NULL, NULL);
	if (ret)
		return ret;
	ret = mdc_lock_new(c->ls, "ack", false, mdc_comm_bast, c, patience, &c->ack);
	if (!ret)
		ret = mdc_lock_convert_unless(c->ack, MDC_CR, patience, NULL, NULL);
	mdc_lock_drop_until(c->token, mdc_locks_stand_still, c);
	if (!ret)
		ret = mdc_lock_convert_unless(c->no_new_dev, MDC_CR, patience, NULL, NULL);
	if (ret)
		return ret;
	thread = kthread_run(receiver, c, "%s_mdc_recv", mdc_md_name(c->mddev));
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	c->receiver = thread;
	return 0;
}

void mdc_comm_start(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->in_cluster = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

void mdc_comm_close(struct mdc_cluster *c)
{
	if (c->receiver)
		kthread_stop(c->receiver);
	c->receiver = NULL;
	mdc_lock_free(c->ack);
	mdc_lock_free(c->message);
	mdc_lock_free(c->no_new_dev);
	mdc_lock_free(c->token);
	c->ack = NULL;
	c->message = NULL;
	c->no_new_dev = NULL;
	c->token = NULL;
}
