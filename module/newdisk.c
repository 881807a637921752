// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Adding a disk, both sides: steps 6 to 11 of PROTOCOL.md, "A disk is added". Process context.
 *
 * A peer that has said "found" has a candidate bound, and does not hold no-new-dev until it knows
 * what became of the add. That stands on the disk: a node with this module has its superblock
 * written again if, and only if, it was added. It can be read as soon as the other is done, which
 * is when anybody else's message arrives, or when the settler gets the token.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "newdisk.h"
#include "channel.h"
#include "comm.h"
#include "fault.h"
#include "netlink.h"
#include "propose.h"
#include "trace.h"

/* What a peer at its own limit, of the same length, needs to be heard. */
#define GRACE_MS 500
/*
 * A node with the kernel's module may tell of the add of a mere spare in no other way than that
 * mdadm does not clear the superblock of the disk, which it does at once after a refusal.
 */
#define UNSURE_MS 5000
#define SWEEP_MS 1000

enum verdict { VERDICT_UNSURE, VERDICT_IN, VERDICT_OUT };

static enum mdc_add_step step_of(struct mdc_cluster *c)
{
	enum mdc_add_step step;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	step = c->add.step;
	spin_unlock_irqrestore(&c->lock, flags);
	return step;
}

/* The node that adds. */

/* With the channel: 0 if every other node has the disk. */
static int ask(struct mdc_cluster *c, struct mdc_msg *msg)
{
	int ret;

	ret = mdc_channel_send(c, msg, c->limits->newdisk_timeout + GRACE_MS);
	if (ret)
		return ret;
	/* Step 10. Who has the disk has let go of it. */
	ret = mdc_lock_try(c->no_new_dev, MDC_EX);
	if (!ret)
		return mdc_lock_convert(c->no_new_dev, MDC_CR);
	return ret == -EAGAIN ? -ENOENT : ret;
}

static void log_refusal(struct mdc_cluster *c, u32 device, int ret)
{
	if (ret == -ENOENT)
		mdc_err(c, "device %u (new) is not added: a node does not see it. Which one: see the log of mdclusterd on each node\n",
			device);
	else if (ret == -ETIMEDOUT)
		mdc_err(c, "device %u (new) is not added: a node gave no answer in %u ms. Is mdclusterd running on each node?\n",
			device, c->limits->newdisk_timeout);
	else
		mdc_err(c, "device %u (new) is not added: asking the other nodes failed (%d)\n",
			device, ret);
}

/* 0: all have it, and the channel is kept. What is said of a failure is said here. */
static int ask_all(struct mdc_cluster *c, const struct mdc_new_disk *disk)
{
	struct mdc_msg msg = {
		.type = MDC_NEWDISK,
		.low = MDC_NEWDISK_WRITES,
		.raid_slot = disk->device,
	};
	u32 device = disk->device;
	int ret;

	memcpy(msg.uuid, disk->uuid, MDC_UUID_SIZE);
	if (mdc_lockspace_stopped(c->ls)) {
		mdc_err(c, "device %u (new) is not added: the cluster's locks stand still (a node is being fenced, or the quorum is lost); try again when they go on\n",
			device);
		return -EAGAIN;
	}
	ret = mdc_propose(c, disk);
	if (ret)
		return ret;
	ret = mdc_channel_take_unless(c, true, c->limits->newdisk_timeout, NULL, NULL);
	if (ret == -ETIMEDOUT) {
		mdc_err(c, "device %u (new) is not added: another node has been sending for %u ms; try again\n",
			device, c->limits->newdisk_timeout);
		return -EAGAIN;
	}
	if (ret)
		return ret;
	mdc_fault("add.6");
	ret = ask(c, &msg);
	mdc_fault("add.10");
	trace_mdc_add(c, 10, device, ret);
	if (!ret) {
		mdc_channel_keep(c);
		return 0;
	}
	mdc_channel_give(c);
	log_refusal(c, device, ret);
	return ret;
}

/* Nobody has refused it: mdadm was killed, or this node cannot go on with it. */
static void end_given_up(struct mdc_cluster *c, u32 device)
{
	mdc_netlink_event(c, MDC_EVENT_PROPOSAL_OVER, device);
}

static void end_refused(struct mdc_cluster *c, u32 device)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->counters.adds_refused++;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_netlink_event(c, MDC_EVENT_ADD_REFUSED, device);
}

int mdc_newdisk_ask(struct mdc_cluster *c, const struct mdc_new_disk *disk)
{
	int ret;

	if (!mdc_md_make_writable(c->mddev))
		return -EROFS;
	mdc_own_add_begin(c, disk);
	ret = ask_all(c, disk);
	mdc_own_add_end(c);
	if (ret == -EINTR || ret == -EAGAIN)
		end_given_up(c, disk->device);
	else if (ret)
		end_refused(c, disk->device);
	else
		c->adding = disk->device;
	return ret;
}

void mdc_newdisk_cancel(struct mdc_cluster *c)
{
	if (mdc_channel_drop_kept(c))
		end_given_up(c, c->adding);
}

/* A peer. */

static void end_add(struct mdc_cluster *c, bool joined)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->add.step = MDC_ADD_NONE;
	if (!joined) {
		c->waits_for_sync = false;
		c->counters.candidates_dropped++;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	mdc_lock_poke(c->token);
}

static bool is_live(struct mdc_cluster *c, u32 slot)
{
	unsigned long flags;
	bool live;

	spin_lock_irqsave(&c->lock, flags);
	live = mdc_is_member(c, slot);
	spin_unlock_irqrestore(&c->lock, flags);
	return live;
}

/* Having borrowed the mutex. LATE: the disk has had its time. */
static enum verdict judge(struct mdc_cluster *c, const struct mdc_peer_add *add, bool late)
{
	u64 events = 0;
	int ret;

	/* Where it was not written, another node's mdadm may have left a UUID of its own. */
	ret = mdc_md_candidate_events(c->mddev, add->device, add->writes ? add->uuid : NULL, &events);
	if (ret == -ENOENT || ret == -EINVAL)
		return VERDICT_OUT;
	if (!ret && events > add->events)
		return VERDICT_IN;
	/* It cannot be read: if it is in, md core will find that out. */
	if (ret)
		mdc_warn(c, "device %u (new) cannot be read (%d)\n", add->device, ret);
	else if (add->writes)
		return VERDICT_OUT;
	if (!late)
		return VERDICT_UNSURE;
	return is_live(c, add->slot) ? VERDICT_IN : VERDICT_OUT;
}

static void drop_candidate(struct mdc_cluster *c, const struct mdc_peer_add *add)
{
	if (mdc_md_drop_candidate(c->mddev, add->device))
		return;
	mdc_newdisk_sweep(c);
	mdc_info(c, "device %u (new) is let go: slot %u did not add it\n", add->device, add->slot);
	mdc_netlink_event(c, MDC_EVENT_CANDIDATE_DROPPED, add->device);
}

/*
 * Decides the open add, if there is one and it can be told. By the receiver, or with the channel
 * held. False: not decided.
 */
static bool decide(struct mdc_cluster *c, bool late)
{
	struct mdc_peer_add add;
	enum verdict verdict;
	enum mdc_borrow how;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	add = c->add;
	spin_unlock_irqrestore(&c->lock, flags);
	if (add.step != MDC_ADD_SETTLING)
		return true;
	mdc_fault("add.11.peer");
	how = mdc_borrow(c);
	if (how == MDC_BORROW_NOT)
		return false;
	verdict = judge(c, &add, late);
	if (verdict == VERDICT_OUT)
		drop_candidate(c, &add);
	mdc_borrow_end(c, how);
	if (verdict == VERDICT_UNSURE)
		return false;
	if (mdc_lock_convert(c->no_new_dev, MDC_CR))
		mdc_err(c, "the lock %s failed\n", mdc_lock_name(c->no_new_dev));
	trace_mdc_add(c, 11, add.device, verdict == VERDICT_IN ? 0 : -ENOENT);
	end_add(c, verdict == VERDICT_IN);
	return true;
}

void mdc_newdisk_before_update(struct mdc_cluster *c)
{
	decide(c, false);
}

void mdc_newdisk_after_update(struct mdc_cluster *c)
{
	if (step_of(c) == MDC_ADD_SETTLING)
		mdc_md_hold_candidate(c->mddev, c->add.device);
}

/* What udev has not done by then it ends. */
#define UDEV_MS (180 * 1000)

static void send_uevent(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	u64 now = mdc_now_ms();
	unsigned long flags;
	char uuid[sizeof("DEVICE_UUID=") + 36];
	char number[sizeof("RAID_DISK=") + 10];
	char event[] = "EVENT=ADD_DEVICE";
	char *env[4];

	spin_lock_irqsave(&c->lock, flags);
	if (now - c->udev_since >= UDEV_MS)
		c->udev_owes = 0;
	c->add.adopt = !c->udev_owes++;
	c->udev_since = now;
	spin_unlock_irqrestore(&c->lock, flags);
	env[0] = event;
	env[1] = uuid;
	env[2] = number;
	env[3] = NULL;
	snprintf(number, sizeof(number), "RAID_DISK=%u", msg->raid_slot);
	memcpy(uuid, "DEVICE_UUID=", sizeof("DEVICE_UUID="));
	mdc_uuid_text(uuid + sizeof("DEVICE_UUID=") - 1, msg->uuid);
	mdc_md_uevent(c->mddev, env);
}

static void begin_add(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	u64 events = mdc_md_events(c->mddev);
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->add.step = MDC_ADD_WAITING;
	c->add.slot = msg->slot;
	c->add.device = msg->raid_slot;
	c->add.events = events;
	c->add.since = mdc_now_ms();
	c->add.writes = msg->low & MDC_NEWDISK_WRITES;
	c->add.adopt = false;
	memcpy(c->add.uuid, msg->uuid, MDC_UUID_SIZE);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* The time is over, or an answer was given: what it comes to. Later answers are refused. */
static enum mdc_add_step close_add(struct mdc_cluster *c)
{
	enum mdc_add_step step;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	step = c->add.step;
	c->add.step = step == MDC_ADD_FOUND ? MDC_ADD_SETTLING : MDC_ADD_NONE;
	if (step == MDC_ADD_FOUND)
		c->waits_for_sync = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return step;
}

void mdc_newdisk_received(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	enum mdc_add_step step;

	/* The add before this one is over, as this one has the token. */
	if (!decide(c, true))
		return;
	begin_add(c, msg);
	trace_mdc_add(c, 7, msg->raid_slot, 0);
	if (!mdc_fault("add.7") && !mdc_netlink_newdisk(c, msg))
		send_uevent(c, msg);
	/* Step 7. */
	wait_event_idle_timeout(c->wait,
				step_of(c) != MDC_ADD_WAITING || kthread_should_stop(),
				msecs_to_jiffies(c->limits->newdisk_timeout));
	step = close_add(c);
	trace_mdc_add(c, 9, msg->raid_slot, step == MDC_ADD_FOUND ? 0 : -ENOENT);
	if (step == MDC_ADD_WAITING && !kthread_should_stop())
		mdc_err(c, "device %u (new, from slot %u): nobody here answered in %u ms, so this node refuses it. Is mdclusterd running?\n",
			msg->raid_slot, msg->slot, c->limits->newdisk_timeout);
	/* Step 9: who keeps it in CR refuses. */
	if (step == MDC_ADD_FOUND && !mdc_fault("add.9"))
		mdc_lock_drop(c->no_new_dev);
	mdc_changed(c);
}

/*
 * What was bound may be the disk of an add before this one, with the same number. mdadm writes a
 * superblock with a UUID of its own before it confirms a disk, and the node that adds it then
 * writes over that: so its answer cannot be told by the UUID, but if it owes no other.
 */
static bool is_the_disk(struct mdc_cluster *c, bool found)
{
	u8 uuid[MDC_UUID_SIZE];
	unsigned long flags;
	bool adopt;
	u32 device;

	spin_lock_irqsave(&c->lock, flags);
	if (c->udev_owes)
		c->udev_owes--;
	adopt = c->add.adopt;
	device = c->add.device;
	memcpy(uuid, c->add.uuid, MDC_UUID_SIZE);
	spin_unlock_irqrestore(&c->lock, flags);
	if (!found)
		return true;
	return adopt ? mdc_md_candidate_adopt(c->mddev, device, uuid) :
	       mdc_md_candidate_is(c->mddev, device, uuid);
}

/*
 * The kernel's own module recovers a disk that was a leg before by its own node's bitmap alone, and
 * then takes it for whole.
 */
static bool loses_writes(struct mdc_cluster *c)
{
	unsigned long flags;
	bool writes;
	u32 device;

	spin_lock_irqsave(&c->lock, flags);
	device = c->add.device;
	writes = c->add.writes;
	spin_unlock_irqrestore(&c->lock, flags);
	return !writes && mdc_md_lacks_writes(c->mddev, device);
}

int mdc_newdisk_answer(struct mdc_cluster *c, bool found)
{
	bool right = is_the_disk(c, found);
	bool loses = found && right && loses_writes(c);
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&c->lock, flags);
	if (c->add.step == MDC_ADD_WAITING && right)
		c->add.step = found && !loses ? MDC_ADD_FOUND : MDC_ADD_MISSING;
	else
		ret = -EINVAL;
	spin_unlock_irqrestore(&c->lock, flags);
	if (loses && !ret) {
		mdc_err(c, "device %u is refused: slot %u, which has the kernel's own md-cluster, adds it again and would not copy what was written here while it was away. Add it from this node, or clear it first (mdadm --zero-superblock)\n",
			c->add.device, c->add.slot);
		ret = -ESTALE;
	}
	if (!right)
		mdc_warn(c, "the disk that was found is not the one that is being added\n");
	else if (ret == -EINVAL)
		mdc_warn(c, "an answer for a new disk comes when nobody waits for it (any more)\n");
	mdc_changed(c);
	return ret;
}

static bool nothing_to_settle(void *arg)
{
	struct mdc_cluster *c = arg;

	return step_of(c) != MDC_ADD_SETTLING || kthread_should_stop();
}

/* With the token, nobody is adding. 0: decided; -EAGAIN: not yet. */
static int settle(struct mdc_cluster *c, bool late)
{
	int ret;

	ret = mdc_channel_take_unless(c, false, 0, nothing_to_settle, c);
	if (ret == -ECANCELED)
		return 0;
	if (ret) {
		mdc_err(c, "the add of a disk cannot be settled: the token gave %d; trying again\n",
			ret);
		return -EAGAIN;
	}
	if (!decide(c, late))
		ret = -EAGAIN;
	else
		mdc_comm_read_again(c);
	mdc_channel_give(c);
	return ret;
}

void mdc_newdisk_sweep(struct mdc_cluster *c)
{
	WRITE_ONCE(c->sweep, true);
	mdc_changed(c);
}

/* Until nothing is left that md core's thread is to take out, or there is something else to do. */
static void sweep(struct mdc_cluster *c)
{
	while (READ_ONCE(c->sweep) && nothing_to_settle(c) && !kthread_should_stop()) {
		WRITE_ONCE(c->sweep, false);
		wait_event_idle_timeout(c->wait, READ_ONCE(c->sweep) || !nothing_to_settle(c) ||
					kthread_should_stop(), msecs_to_jiffies(SWEEP_MS));
		if (mdc_md_sweep(c->mddev))
			WRITE_ONCE(c->sweep, true);
	}
}

static int settler(void *arg)
{
	struct mdc_cluster *c = arg;
	bool late;

	mdc_thread_never_writes_for_memory();
	while (!kthread_should_stop()) {
		wait_event_idle(c->wait, step_of(c) == MDC_ADD_SETTLING || READ_ONCE(c->sweep) ||
				kthread_should_stop());
		sweep(c);
		late = false;
		while (!kthread_should_stop() && settle(c, late)) {
			wait_event_idle_timeout(c->wait, nothing_to_settle(c),
						msecs_to_jiffies(UNSURE_MS));
			late = true;
		}
	}
	return 0;
}

int mdc_newdisk_open(struct mdc_cluster *c)
{
	struct task_struct *thread;

	thread = kthread_run(settler, c, "%s_mdc_settle", mdc_md_name(c->mddev));
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	c->settler = thread;
	return 0;
}

void mdc_newdisk_close(struct mdc_cluster *c)
{
	if (c->settler)
		kthread_stop(c->settler);
	c->settler = NULL;
}
