// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk that this node is about to add, and the agent's verdict on it. While it is waited for,
 * nothing has been said to other nodes, the channel is free, and md core holds back this node's
 * I/O (Linux 6.7 on): so the wait is short. One add at a time, as reconfig_mutex is held.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "propose.h"
#include "fault.h"
#include "netlink.h"
#include "trace.h"

void mdc_own_add_begin(struct mdc_cluster *c, const struct mdc_new_disk *disk)
{
	struct mdc_own_add *add = &c->own_add;
	u64 now = mdc_now_ms();
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	add->asks = true;
	add->device = disk->device;
	memcpy(add->uuid, disk->uuid, MDC_UUID_SIZE);
	add->number = disk->number;
	add->since = now;
	spin_unlock_irqrestore(&c->lock, flags);
}

void mdc_own_add_end(struct mdc_cluster *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->own_add.asks = false;
	spin_unlock_irqrestore(&c->lock, flags);
}

/* Never that of a proposal before, which a verdict may still be on its way for. */
static u64 begin(struct mdc_cluster *c)
{
	struct mdc_proposal *p = &c->proposal;
	u64 now = mdc_now_ms();
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	p->last = max(p->last + 1, now);
	p->id = p->last;
	p->verdict = MDC_VERDICT_NONE;
	p->reason[0] = '\0';
	spin_unlock_irqrestore(&c->lock, flags);
	return p->last;
}

/* None is taken after this: the one that has been taken counts. */
static enum mdc_verdict end(struct mdc_cluster *c)
{
	enum mdc_verdict verdict;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	verdict = c->proposal.verdict;
	c->proposal.id = 0;
	spin_unlock_irqrestore(&c->lock, flags);
	return verdict;
}

static enum mdc_verdict verdict_of(struct mdc_cluster *c)
{
	enum mdc_verdict verdict;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	verdict = c->proposal.verdict;
	spin_unlock_irqrestore(&c->lock, flags);
	return verdict;
}

/* 0: there is a verdict, or none to be had, or not in time; -EINTR. */
static int wait_for_verdict(struct mdc_cluster *c, u32 port)
{
	long left;

	mdc_lend(c);
	left = wait_event_killable_timeout(c->wait,
					   verdict_of(c) != MDC_VERDICT_NONE ||
					   !mdc_netlink_is_agent(port),
					   msecs_to_jiffies(c->limits->verdict_timeout));
	mdc_lend_end(c);
	return left < 0 ? -EINTR : 0;
}

int mdc_propose(struct mdc_cluster *c, const struct mdc_new_disk *disk)
{
	u32 port, device = disk->device;
	enum mdc_verdict verdict;
	u64 id;
	int ret;

	if (mdc_alone(c))
		return 0;
	id = begin(c);
	port = mdc_netlink_propose(c, id, disk);
	if (!port) {
		end(c);
		return 0;
	}
	trace_mdc_add(c, 2, device, 0);
	mdc_fault("add.2");
	ret = wait_for_verdict(c, port);
	verdict = end(c);
	if (!ret)
		ret = verdict;
	trace_mdc_add(c, 5, device, ret);
	/* What the agent has published for it is to go. */
	if (ret == MDC_VERDICT_NONE)
		mdc_netlink_event(c, MDC_EVENT_PROPOSAL_OVER, device);
	switch (ret) {
	case MDC_VERDICT_PROCEED:
		return 0;
	case MDC_VERDICT_REFUSE:
		mdc_err(c, "device %u (new) is not added: %s\n", device,
			c->proposal.reason[0] ? c->proposal.reason : "the cluster refuses it");
		return -ENOENT;
	case MDC_VERDICT_NONE:
		mdc_warn(c, "device %u (new): no verdict of the cluster's (verdict_timeout: %u ms), so each node is asked as it is added\n",
			 device, c->limits->verdict_timeout);
		return 0;
	default:
		return ret;
	}
}

int mdc_propose_verdict(struct mdc_cluster *c, u64 id, bool proceed, const char *reason)
{
	struct mdc_proposal *p = &c->proposal;
	unsigned long flags;
	int ret = -ENOENT;

	spin_lock_irqsave(&c->lock, flags);
	if (p->id == id && p->verdict == MDC_VERDICT_NONE) {
		p->verdict = proceed ? MDC_VERDICT_PROCEED : MDC_VERDICT_REFUSE;
		strscpy(p->reason, reason, sizeof(p->reason));
		ret = 0;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
	return ret;
}
