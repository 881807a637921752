// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One array as a dump of the netlink family shows it (uapi/mdcluster.h, GET_ARRAYS). Owns nothing:
 * the cluster's state is copied under its lock, and formatted after it. Process context.
 */
#include <net/netlink.h>

#include "netdump.h"
#include "uapi/mdcluster.h"

/* The parts of a cluster's state that a dump shows. */
struct snapshot {
	int our_slot;
	int members_count;
	struct mdc_member members[MDC_MEMBERS_MAX];
	bool stopped, in_cluster;
	struct mdc_suspended suspended;
	struct mdc_range own_range;
	DECLARE_BITMAP(to_recover, MDC_SLOTS_MAX);
	struct mdc_peer_add add;
	struct mdc_own_add own_add;
	u64 proposal;		/* 0: none waits */
	u64 receiving_since;
	struct mdc_counters counters;
};

static const char * const fault_kinds[MDC_WIRE_FAULTS] = {
	[MDC_WIRE_TYPE] = "type",
	[MDC_WIRE_SLOT] = "slot",
	[MDC_WIRE_OWN] = "own",
	[MDC_WIRE_DEVICE] = "device",
	[MDC_WIRE_RANGE] = "range",
	[MDC_WIRE_UUID] = "uuid",
};

#define SAME(a, b) static_assert((int)(a) == (int)(b))
SAME(MDC_ADD_WAITING, MDCLUSTER_STEP_WAITING);
SAME(MDC_ADD_FOUND, MDCLUSTER_STEP_FOUND);
SAME(MDC_ADD_MISSING, MDCLUSTER_STEP_MISSING);
SAME(MDC_ADD_SETTLING, MDCLUSTER_STEP_SETTLING);

static int put_u64(struct sk_buff *skb, int attr, u64 value, int pad)
{
	return nla_put_u64_64bit(skb, attr, value, pad);
}

static int put_slot(struct sk_buff *skb, int attr, int slot)
{
	return slot < 0 ? 0 : nla_put_u32(skb, attr, slot);
}

static int put_members(struct sk_buff *skb, const struct snapshot *s)
{
	struct nlattr *all = nla_nest_start(skb, MDCLUSTER_A_MEMBERS);
	int i;

	if (!all)
		return -EMSGSIZE;
	for (i = 0; i < s->members_count; i++) {
		struct nlattr *one = nla_nest_start(skb, MDCLUSTER_A_MEMBER);

		if (!one || nla_put_u32(skb, MDCLUSTER_MEMBER_NODE, s->members[i].nodeid) ||
		    put_slot(skb, MDCLUSTER_MEMBER_SLOT, s->members[i].slot - 1))
			return -EMSGSIZE;
		nla_nest_end(skb, one);
	}
	nla_nest_end(skb, all);
	return 0;
}

/* SLOT resyncs it. */
static int put_range(struct sk_buff *skb, int attr, const struct mdc_range *range, int slot)
{
	struct nlattr *nest;

	if (!range->hi)
		return 0;
	nest = nla_nest_start(skb, attr);
	if (!nest || put_u64(skb, MDCLUSTER_RANGE_LO, range->lo, MDCLUSTER_RANGE_PAD) ||
	    put_u64(skb, MDCLUSTER_RANGE_HI, range->hi, MDCLUSTER_RANGE_PAD) ||
	    put_slot(skb, MDCLUSTER_RANGE_SLOT, slot))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_to_recover(struct sk_buff *skb, const unsigned long *slots)
{
	struct nlattr *nest = nla_nest_start(skb, MDCLUSTER_A_TO_RECOVER);
	unsigned int slot;

	if (!nest)
		return -EMSGSIZE;
	for_each_set_bit(slot, slots, MDC_SLOTS_MAX)
		if (nla_put_u32(skb, MDCLUSTER_A_SLOT, slot))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_add(struct sk_buff *skb, const struct mdc_peer_add *add, u64 now)
{
	struct nlattr *nest;

	if (add->step == MDC_ADD_NONE)
		return 0;
	nest = nla_nest_start(skb, MDCLUSTER_A_ADD);
	if (!nest || nla_put_u32(skb, MDCLUSTER_ADD_STEP, add->step) ||
	    nla_put(skb, MDCLUSTER_ADD_DEVICE_UUID, MDC_UUID_SIZE, add->uuid) ||
	    nla_put_u32(skb, MDCLUSTER_ADD_DEVICE, add->device) ||
	    nla_put_u32(skb, MDCLUSTER_ADD_SLOT, add->slot) ||
	    put_u64(skb, MDCLUSTER_ADD_SINCE, now - add->since, MDCLUSTER_ADD_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_own_add(struct sk_buff *skb, const struct snapshot *s, u64 now)
{
	const struct mdc_own_add *add = &s->own_add;
	struct nlattr *nest;

	if (!add->asks)
		return 0;
	nest = nla_nest_start(skb, MDCLUSTER_A_OWN_ADD);
	if (!nest || nla_put(skb, MDCLUSTER_OWN_ADD_DEVICE_UUID, MDC_UUID_SIZE, add->uuid) ||
	    nla_put_u32(skb, MDCLUSTER_OWN_ADD_DEVICE, add->device) ||
	    put_u64(skb, MDCLUSTER_OWN_ADD_DISK, add->number, MDCLUSTER_OWN_ADD_PAD) ||
	    put_u64(skb, MDCLUSTER_OWN_ADD_SINCE, now - add->since, MDCLUSTER_OWN_ADD_PAD) ||
	    (s->proposal && put_u64(skb, MDCLUSTER_OWN_ADD_PROPOSAL, s->proposal,
				    MDCLUSTER_OWN_ADD_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_limits(struct sk_buff *skb, const struct mdc_limits *limits)
{
	struct nlattr *nest = nla_nest_start(skb, MDCLUSTER_A_LIMITS);

	if (!nest || nla_put_u32(skb, MDCLUSTER_LIMIT_NEWDISK_TIMEOUT,
				 READ_ONCE(limits->newdisk_timeout)) ||
	    nla_put_u32(skb, MDCLUSTER_LIMIT_JOIN_TIMEOUT, READ_ONCE(limits->join_timeout)) ||
	    nla_put_u32(skb, MDCLUSTER_LIMIT_LEAVE_TIMEOUT, READ_ONCE(limits->leave_timeout)) ||
	    nla_put_u32(skb, MDCLUSTER_LIMIT_STUCK_AFTER, READ_ONCE(limits->stuck_after)) ||
	    nla_put_u32(skb, MDCLUSTER_LIMIT_VERDICT_TIMEOUT,
			READ_ONCE(limits->verdict_timeout)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counter(struct sk_buff *skb, const char *name, const char *kind, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, MDCLUSTER_A_COUNTER);

	if (!nest || nla_put_string(skb, MDCLUSTER_COUNTER_NAME, name) ||
	    (kind && nla_put_string(skb, MDCLUSTER_COUNTER_KIND, kind)) ||
	    put_u64(skb, MDCLUSTER_COUNTER_VALUE, value, MDCLUSTER_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counters(struct sk_buff *skb, const struct mdc_counters *n)
{
	struct nlattr *nest = nla_nest_start(skb, MDCLUSTER_A_COUNTERS);
	u32 type;
	int ret = nest ? 0 : -EMSGSIZE;

	for (type = 0; !ret && type < MDC_MSG_TYPES; type++)
		ret = put_counter(skb, "sent", mdc_wire_type_name(type), n->sent[type]);
	for (type = 0; !ret && type < MDC_MSG_TYPES; type++)
		ret = put_counter(skb, "received", mdc_wire_type_name(type), n->received[type]);
	for (type = 0; !ret && type < MDC_WIRE_FAULTS; type++)
		if (fault_kinds[type])
			ret = put_counter(skb, "dropped", fault_kinds[type], n->dropped[type]);
	if (ret || put_counter(skb, "lost", NULL, n->lost) ||
	    put_counter(skb, "adds_refused", NULL, n->adds_refused) ||
	    put_counter(skb, "candidates_dropped", NULL, n->candidates_dropped) ||
	    put_counter(skb, "slots_recovered", NULL, n->slots_recovered) ||
	    put_counter(skb, "quiesced", NULL, n->quiesced))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void take_snapshot(struct mdc_cluster *c, struct snapshot *s)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	s->our_slot = c->our_slot;
	s->members_count = c->members_count;
	memcpy(s->members, c->members, sizeof(s->members));
	s->stopped = c->stopped;
	s->in_cluster = c->in_cluster;
	s->suspended = c->suspended;
	s->own_range = c->own_range;
	bitmap_copy(s->to_recover, c->to_recover, MDC_SLOTS_MAX);
	s->add = c->add;
	s->own_add = c->own_add;
	s->proposal = c->proposal.verdict == MDC_VERDICT_NONE ? c->proposal.id : 0;
	s->receiving_since = c->receiving_since;
	s->counters = c->counters;
	spin_unlock_irqrestore(&c->lock, flags);
}

static int put_cluster(struct sk_buff *skb, struct mdc_cluster *c, const struct snapshot *s)
{
	u64 now = mdc_now_ms();

	if (nla_put_string(skb, MDCLUSTER_A_CLUSTER_NAME, mdc_md_cluster_name(c->mddev)) ||
	    put_slot(skb, MDCLUSTER_A_OUR_SLOT, s->our_slot) ||
	    nla_put_u32(skb, MDCLUSTER_A_SLOTS, c->slots) ||
	    put_members(skb, s) ||
	    (s->stopped && nla_put_flag(skb, MDCLUSTER_A_STOPPED)) ||
	    (s->in_cluster && nla_put_flag(skb, MDCLUSTER_A_IN_CLUSTER)) ||
	    put_range(skb, MDCLUSTER_A_SUSPENDED, &s->suspended.range, s->suspended.owner) ||
	    put_range(skb, MDCLUSTER_A_RESYNCING, &s->own_range, s->our_slot) ||
	    put_to_recover(skb, s->to_recover) ||
	    put_add(skb, &s->add, now) ||
	    put_own_add(skb, s, now) ||
	    (s->receiving_since && put_u64(skb, MDCLUSTER_A_RECEIVING, now - s->receiving_since,
					   MDCLUSTER_A_PAD)) ||
	    put_limits(skb, c->limits) ||
	    put_counters(skb, &s->counters))
		return -EMSGSIZE;
	return 0;
}

int mdc_netdump_put(struct sk_buff *skb, struct mdc_cluster *c)
{
	/* No I/O for it: who waits for the caller's lock may hold an array's mutex. */
	struct snapshot *s = kmalloc(sizeof(*s), GFP_NOIO);
	int ret;

	if (!s)
		return -ENOMEM;
	take_snapshot(c, s);
	ret = put_cluster(skb, c, s);
	kfree(s);
	return ret;
}
