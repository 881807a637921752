// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The channel: the sender's side of PROTOCOL.md, "A message". Process context.
 *
 * The locks "message" and "ack" are converted by whoever has the channel with the token, or by the
 * receiver (comm.c), never by both: has_token and receiving exclude each other, under the
 * cluster's lock. Only the token's holder makes others receive, so while this node has it there is
 * nothing to receive here but the end of the message before.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "channel.h"
#include "fault.h"
#include "trace.h"

#define LOOK_MS 1000	/* between looks at what wakes nobody: the clock */

static bool take_right(struct mdc_cluster *c)
{
	unsigned long flags;
	bool mine;

	spin_lock_irqsave(&c->lock, flags);
	mine = !c->sending;
	if (mine)
		c->sending = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return mine;
}

static void give_right(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->sending = false;
	c->has_token = false;
	c->kept = false;
	c->announce = false;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

/* Takes over from an add that has kept the channel. */
static bool take_kept(struct mdc_cluster *c)
{
	unsigned long flags;
	bool mine;

	spin_lock_irqsave(&c->lock, flags);
	mine = c->kept;
	c->kept = false;
	spin_unlock_irqrestore(&c->lock, flags);
	return mine;
}

/* With the token granted: keeps the receiver out, once it has ended what it is at. */
static bool keep_receiver_out(struct mdc_cluster *c)
{
	unsigned long flags;
	bool out;

	spin_lock_irqsave(&c->lock, flags);
	out = !c->receiving;
	if (out)
		c->has_token = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return out;
}

/* The right to send, or (KEPT not NULL) the channel as it was kept. */
static int take_turn(struct mdc_cluster *c, bool (*give_up)(void *arg), bool *kept)
{
	while (!wait_event_timeout(c->wait, (kept && (*kept = take_kept(c))) || take_right(c),
				   msecs_to_jiffies(LOOK_MS)))
		if (give_up && give_up(c))
			return -ECANCELED;
	return 0;
}

/* Having the right to send: the token. On error the right is given back. */
static int take_token(struct mdc_cluster *c, bool (*give_up)(void *arg), int ret)
{
	if (ret) {
		give_right(c);
		return ret;
	}
	while (!wait_event_timeout(c->wait, keep_receiver_out(c), msecs_to_jiffies(LOOK_MS))) {
		if (!give_up || !give_up(c))
			continue;
		mdc_lock_drop_until(c->token, give_up, c);
		give_right(c);
		return -ECANCELED;
	}
	return 0;
}

/*
 * Holding the mutex: an add has kept the channel for md core's thread, which now waits for the
 * mutex. So what the thread is to write is written here. The channel is kept, and taken over, by
 * those who hold the mutex only.
 */
static void use_kept(struct mdc_cluster *c)
{
	if (READ_ONCE(c->kept))
		mdc_md_update_sb(c->mddev);
}

int mdc_channel_take(struct mdc_cluster *c, bool holds_mutex)
{
	int ret;

	if (holds_mutex) {
		use_kept(c);
		mdc_lend(c);
	}
	ret = take_turn(c, mdc_waits_in_vain, NULL);
	if (!ret)
		ret = take_token(c, mdc_waits_in_vain,
				 mdc_lock_convert_until(c->token, MDC_EX, mdc_waits_in_vain, c));
	if (holds_mutex)
		mdc_lend_end(c);
	if (ret && ret != -ECANCELED)
		mdc_err(c, "no message can be sent: the lock %s failed (%d)\n",
			mdc_lock_name(c->token), ret);
	return ret;
}

static int take_unless(struct mdc_cluster *c, unsigned int timeout_ms,
		       bool (*give_up)(void *arg), void *arg)
{
	u64 end = mdc_now_ms() + timeout_ms;
	bool over = false, mine = false;
	u64 now;
	long left;

	left = timeout_ms ? msecs_to_jiffies(timeout_ms) : MAX_SCHEDULE_TIMEOUT;
	left = wait_event_killable_timeout(c->wait,
					   (give_up && (over = give_up(arg))) ||
					   (mine = take_right(c)), left);
	if (left < 0)
		return -EINTR;
	if (over)
		return -ECANCELED;
	if (!mine)
		return -ETIMEDOUT;
	now = mdc_now_ms();
	if (timeout_ms)
		timeout_ms = now < end ? end - now : 1;
	return take_token(c, mdc_waits_in_vain,
			  mdc_lock_convert_unless(c->token, MDC_EX, timeout_ms, give_up, arg));
}

int mdc_channel_take_unless(struct mdc_cluster *c, bool holds_mutex, unsigned int timeout_ms,
			    bool (*give_up)(void *arg), void *arg)
{
	int ret;

	if (holds_mutex) {
		use_kept(c);
		mdc_lend(c);
	}
	ret = take_unless(c, timeout_ms, give_up, arg);
	if (holds_mutex)
		mdc_lend_end(c);
	return ret;
}

int mdc_channel_take_kept(struct mdc_cluster *c)
{
	bool kept = false;
	int ret;

	mdc_lend(c);
	ret = take_turn(c, mdc_waits_in_vain, &kept);
	if (!ret && !kept)
		ret = take_token(c, mdc_waits_in_vain,
				 mdc_lock_convert_until(c->token, MDC_EX, mdc_waits_in_vain, c));
	mdc_lend_end(c);
	return ret;
}

void mdc_channel_keep(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->kept = true;
	c->announce = true;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

bool mdc_channel_drop_kept(struct mdc_cluster *c)
{
	if (!take_kept(c))
		return false;
	mdc_channel_give(c);
	return true;
}

void mdc_channel_give(struct mdc_cluster *c)
{
	mdc_lock_drop_until(c->token, mdc_waits_in_vain, c);
	give_right(c);
}

/* Of TIMEOUT_MS, which run since BEGIN. 0 has no end. */
static unsigned int rest_of(u64 begin, unsigned int timeout_ms)
{
	u64 passed = mdc_now_ms() - begin;

	if (!timeout_ms)
		return 0;
	return passed < timeout_ms ? timeout_ms - passed : 1;
}

static void count_sent(struct mdc_cluster *c, u32 type)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->counters.sent[type]++;
	spin_unlock_irqrestore(&c->lock, flags);
}

/* LOCK to EX; TIMEOUT_MS 0: as long as it takes, but not in vain. */
static int convert(struct mdc_cluster *c, struct mdc_lock *lock, unsigned int timeout_ms)
{
	if (!timeout_ms)
		return mdc_lock_convert_until(lock, MDC_EX, mdc_waits_in_vain, c);
	return mdc_lock_convert_unless(lock, MDC_EX, timeout_ms, mdc_waits_in_vain, c);
}

/* Steps 4 to 6: the message is in its block; every other node reads it. */
static int hand_out(struct mdc_cluster *c, unsigned int timeout_ms)
{
	int ret;

	ret = mdc_lock_convert_until(c->message, MDC_CW, mdc_waits_in_vain, c);
	if (ret)
		return ret;
	mdc_fault("send.4");
	ret = convert(c, c->ack, timeout_ms);
	if (ret) {
		/*
		 * While locks stand still a cancel is not over when it returns, and until it is
		 * nodes are asked for "ack" again: "message" is to hold them back until then. (Where it
		 * is all in vain it does not: what is said then may be heard twice.)
		 */
		if (mdc_lock_lower(c->ack, MDC_CR, mdc_waits_in_vain, c))
			mdc_err(c, "the lock %s failed\n", mdc_lock_name(c->ack));
		return ret;
	}
	mdc_fault("send.7");
	return mdc_lock_lower(c->ack, MDC_CR, mdc_waits_in_vain, c);
}

static int send_one(struct mdc_cluster *c, struct mdc_msg *msg, unsigned int timeout_ms)
{
	u64 begin = mdc_now_ms();
	int ret;

	msg->slot = c->our_slot;
	mdc_fault("send.3");
	/* Step 3. Who still reads the message before holds it in CR. */
	ret = convert(c, c->message, timeout_ms);
	if (!ret) {
		mdc_wire_put_msg(mdc_lock_lvb(c->message), msg);
		ret = hand_out(c, rest_of(begin, timeout_ms));
		/* Step 7: those that wait with PR go on. */
		mdc_lock_drop_until(c->message, mdc_waits_in_vain, c);
	}
	trace_mdc_sent(c, msg, ret);
	if (!ret)
		count_sent(c, msg->type);
	else if (ret == -ECANCELED)
		mdc_warn(c, "%s is not told, as the array is being stopped and locks stand still: the other nodes look for themselves when this one has left\n",
			 mdc_wire_type_name(msg->type));
	else if (!timeout_ms)
		mdc_err(c, "%s was not delivered (%d): the other nodes may not know\n",
			mdc_wire_type_name(msg->type), ret);
	return ret;
}

int mdc_channel_repeat(struct mdc_cluster *c, unsigned int timeout_ms)
{
	u64 begin = mdc_now_ms();
	struct mdc_msg again;
	int ret;

	while (c->unsaid.count) {
		again = c->unsaid.msg[0];
		ret = send_one(c, &again, rest_of(begin, timeout_ms));
		if (ret)
			return ret;
		mdc_unsaid_known(&c->unsaid, &again);
		mdc_info(c, "a node is gone: its %s may not have reached all, and is sent once more\n",
			 mdc_wire_type_name(again.type));
	}
	return 0;
}

int mdc_channel_send(struct mdc_cluster *c, struct mdc_msg *msg, unsigned int timeout_ms)
{
	u64 begin = mdc_now_ms();
	int ret;

	if (READ_ONCE(c->read_again)) {
		ret = mdc_channel_repeat(c, timeout_ms);
		if (ret)
			return ret;
	}
	return send_one(c, msg, rest_of(begin, timeout_ms));
}

int mdc_send(struct mdc_cluster *c, struct mdc_msg *msg, bool holds_mutex)
{
	int ret;

	ret = mdc_channel_take(c, holds_mutex);
	if (ret)
		return ret;
	ret = mdc_channel_send(c, msg, 0);
	mdc_channel_give(c);
	return ret;
}
