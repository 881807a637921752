// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generic netlink family "mdcluster" (uapi/mdcluster.h). Owns the list of this node's clusters
 * for dumps, the port of the attached agent, and the events that wait to be sent. Requests come
 * in process context; events may be raised in any, so they are queued here and sent by a work
 * item: what is sent is a copy, so that no event keeps a cluster alive. Those who wait here may
 * hold an array's mutex or be its receiver, so no memory is asked for that would cost I/O.
 */
#define pr_fmt(fmt) "md-cluster: " fmt

#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#include "netdump.h"
#include "netlink.h"
#include "propose.h"
#include "uapi/mdcluster.h"

#define MESSAGE_BYTES 256	/* a PROPOSED, a NEWDISK or an EVENT fits */
#define QUEUE_LENGTH 128

struct listed {
	struct list_head list;
	unsigned long id;	/* ascending in the list; where a dump goes on */
	struct mdc_cluster *c;
};

struct told {
	u8 uuid[MDC_UUID_SIZE];
	u32 minor;
	char name[MDCLUSTER_NAME_MAX + 1];
	enum mdc_event event;
	u32 value;
};

/* Only a cluster's lock is taken in it. */
static DEFINE_MUTEX(clusters_lock);
static LIST_HEAD(clusters);
static unsigned long last_id;

/* The agent's port; 0: none. Changed by compare and exchange alone. */
static u32 agent;
/* For the extended ack of an ATTACH that comes second: must outlive the request. */
static char attached_text[64];
static atomic64_t lost;

/* Held while the agent and the watchers are told something: they hear it in its order. */
static DEFINE_MUTEX(send_lock);

/* Innermost; interrupts off. */
static DEFINE_SPINLOCK(queue_lock);
static struct told queue[QUEUE_LENGTH];
static unsigned int queue_first, queue_count;

static struct genl_family family;

#define SAME(a, b) static_assert((int)(a) == (int)(b))
SAME(MDC_EVENT_JOINED, MDCLUSTER_EVENT_JOINED);
SAME(MDC_EVENT_LEAVING, MDCLUSTER_EVENT_LEAVING);
SAME(MDC_EVENT_STOPPED, MDCLUSTER_EVENT_STOPPED);
SAME(MDC_EVENT_RUNNING, MDCLUSTER_EVENT_RUNNING);
SAME(MDC_EVENT_MEMBER_FAILED, MDCLUSTER_EVENT_MEMBER_FAILED);
SAME(MDC_EVENT_RECOVERED, MDCLUSTER_EVENT_RECOVERED);
SAME(MDC_EVENT_ADD_REFUSED, MDCLUSTER_EVENT_ADD_REFUSED);
SAME(MDC_EVENT_CANDIDATE_DROPPED, MDCLUSTER_EVENT_CANDIDATE_DROPPED);
SAME(MDC_EVENT_UPDATED, MDCLUSTER_EVENT_UPDATED);
SAME(MDC_EVENT_PROPOSAL_OVER, MDCLUSTER_EVENT_PROPOSAL_OVER);
SAME(MDC_UUID_SIZE, MDCLUSTER_UUID_SIZE);
SAME(MDC_REASON_MAX, MDCLUSTER_REASON_MAX);

static bool has_value(enum mdc_event event)
{
	return event != MDC_EVENT_LEAVING && event != MDC_EVENT_STOPPED &&
	       event != MDC_EVENT_RUNNING;
}

static int put_array_names(struct sk_buff *skb, const u8 *uuid, u32 minor, const char *name)
{
	if (nla_put(skb, MDCLUSTER_A_ARRAY_UUID, MDC_UUID_SIZE, uuid) ||
	    nla_put_u32(skb, MDCLUSTER_A_ARRAY_MINOR, minor) ||
	    nla_put_string(skb, MDCLUSTER_A_ARRAY_NAME, name))
		return -EMSGSIZE;
	return 0;
}

/* Under clusters_lock, which keeps the cluster from being freed. */
static int put_array(struct sk_buff *skb, struct netlink_callback *cb, struct mdc_cluster *c)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
				 NLM_F_MULTI, MDCLUSTER_CMD_GET_ARRAYS);
	u32 port = READ_ONCE(agent);
	int ret;

	if (!head)
		return -EMSGSIZE;
	ret = put_array_names(skb, mdc_md_uuid(c->mddev), mdc_md_minor(c->mddev),
			      mdc_md_name(c->mddev));
	if (!ret)
		ret = mdc_netdump_put(skb, c);
	if (!ret)
		ret = nla_put_u64_64bit(skb, MDCLUSTER_A_LOST, atomic64_read(&lost),
					MDCLUSTER_A_PAD);
	if (!ret && port)
		ret = nla_put_u32(skb, MDCLUSTER_A_AGENT, port);
	if (ret)
		genlmsg_cancel(skb, head);
	else
		genlmsg_end(skb, head);
	return ret;
}

static int get_arrays_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = MDCLUSTER_MESSAGE_MAX;
	return 0;
}

/* args[0]: the id of the last array that was sent. */
static int get_arrays(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct listed *l;
	int ret = 0;

	mutex_lock(&clusters_lock);
	list_for_each_entry(l, &clusters, list) {
		if (l->id <= (unsigned long)cb->args[0])
			continue;
		ret = put_array(skb, cb, l->c);
		if (ret)
			break;
		cb->args[0] = l->id;
	}
	mutex_unlock(&clusters_lock);
	return skb->len ? skb->len : ret;
}

static int attach(struct sk_buff *skb, struct genl_info *info)
{
	u32 port = info->snd_portid, held = cmpxchg(&agent, 0, port);

	if (held && held != port) {
		if (info->extack)
			info->extack->_msg = attached_text;
		return -EBUSY;
	}
	if (!held) {
		snprintf(attached_text, sizeof(attached_text),
			 "another agent is attached, with netlink port %u", port);
		pr_info("an agent is attached, with netlink port %u\n", port);
	}
	return 0;
}

static int hand_verdict(struct genl_info *info, const char *reason)
{
	u64 id = nla_get_u64(info->attrs[MDCLUSTER_A_PROPOSAL]);
	bool proceed = nla_get_u32(info->attrs[MDCLUSTER_A_VERDICT]) == MDCLUSTER_VERDICT_PROCEED;
	const u8 *uuid = nla_data(info->attrs[MDCLUSTER_A_ARRAY_UUID]);
	struct listed *l;
	int ret = -ENOENT;

	mutex_lock(&clusters_lock);
	list_for_each_entry(l, &clusters, list)
		if (ret && !memcmp(mdc_md_uuid(l->c->mddev), uuid, MDC_UUID_SIZE))
			ret = mdc_propose_verdict(l->c, id, proceed, reason);
	mutex_unlock(&clusters_lock);
	return ret;
}

static int take_verdict(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *reason = info->attrs[MDCLUSTER_A_REASON];
	int ret;

	if (READ_ONCE(agent) != info->snd_portid) {
		NL_SET_ERR_MSG(info->extack, "only the attached agent has a say");
		return -EPERM;
	}
	if (!info->attrs[MDCLUSTER_A_ARRAY_UUID] || !info->attrs[MDCLUSTER_A_PROPOSAL] ||
	    !info->attrs[MDCLUSTER_A_VERDICT]) {
		NL_SET_ERR_MSG(info->extack, "a verdict needs ARRAY_UUID, PROPOSAL and VERDICT");
		return -EINVAL;
	}
	ret = hand_verdict(info, reason ? nla_data(reason) : "");
	if (ret)
		NL_SET_ERR_MSG(info->extack, "no proposal with this number is pending");
	return ret;
}

static const struct nla_policy verdict_policy[] = {
	[MDCLUSTER_A_PAD] = { .type = NLA_REJECT },
	[MDCLUSTER_A_ARRAY_UUID] = NLA_POLICY_EXACT_LEN(MDC_UUID_SIZE),
	[MDCLUSTER_A_PROPOSAL] = NLA_POLICY_MIN(NLA_U64, 1),
	[MDCLUSTER_A_VERDICT] = NLA_POLICY_RANGE(NLA_U32, MDCLUSTER_VERDICT_PROCEED,
						 MDCLUSTER_VERDICT_REFUSE),
	[MDCLUSTER_A_REASON] = { .type = NLA_NUL_STRING, .len = MDCLUSTER_REASON_MAX },
};

/* Without a policy, netlink refuses whatever attribute comes. */
static const struct genl_ops ops[] = {
	{
		.cmd = MDCLUSTER_CMD_GET_ARRAYS,
		.flags = GENL_ADMIN_PERM,
		.start = get_arrays_start,
		.dumpit = get_arrays,
	}, {
		.cmd = MDCLUSTER_CMD_ATTACH,
		.flags = GENL_ADMIN_PERM,
		.doit = attach,
	}, {
		.cmd = MDCLUSTER_CMD_VERDICT,
		.flags = GENL_ADMIN_PERM,
		.policy = verdict_policy,
		.maxattr = ARRAY_SIZE(verdict_policy) - 1,
		.doit = take_verdict,
	},
};

static const struct genl_multicast_group groups[] = {
	{ .name = MDCLUSTER_GENL_GROUP, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static struct genl_family family __ro_after_init = {
	.name = MDCLUSTER_GENL_NAME,
	.version = MDCLUSTER_GENL_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true,	/* clusters_lock and the atomic agent are enough */
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/* Takes SKB. Whether the agent has it; never waits for the agent to make room. */
static bool to_agent(struct sk_buff *skb)
{
	u32 port = READ_ONCE(agent);
	int ret;

	if (!port) {
		nlmsg_free(skb);
		return false;
	}
	ret = genlmsg_unicast(&init_net, skb, port);
	if (!ret)
		return true;
	atomic64_inc(&lost);
	pr_warn_ratelimited("the agent with netlink port %u takes no message: error %d\n", port,
			    ret);
	return false;
}

/* Takes SKB. That nobody watches, or that a watcher does not keep up, is the watchers' affair. */
static void to_watchers(struct sk_buff *skb)
{
	(void)genlmsg_multicast_netns(&family, &init_net, skb, 0, 0, GFP_NOIO);
}

static bool watched(void)
{
	return genl_has_listeners(&family, &init_net, 0);
}

static struct sk_buff *event_message(const struct told *t)
{
	struct sk_buff *skb = nlmsg_new(MESSAGE_BYTES, GFP_NOIO);
	void *head = skb ? genlmsg_put(skb, 0, 0, &family, 0, MDCLUSTER_CMD_EVENT) : NULL;

	if (!head || put_array_names(skb, t->uuid, t->minor, t->name) ||
	    nla_put_u32(skb, MDCLUSTER_A_EVENT, t->event) ||
	    (has_value(t->event) && nla_put_u32(skb, MDCLUSTER_A_VALUE, t->value))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

static bool next_event(struct told *t)
{
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&queue_lock, flags);
	any = queue_count;
	if (any) {
		*t = queue[queue_first];
		queue_first = (queue_first + 1) % QUEUE_LENGTH;
		queue_count--;
	}
	spin_unlock_irqrestore(&queue_lock, flags);
	return any;
}

/* Under send_lock. */
static void send_queued(void)
{
	struct sk_buff *skb;
	struct told t;

	while (next_event(&t)) {
		if (READ_ONCE(agent)) {
			skb = event_message(&t);
			if (skb)
				to_agent(skb);
			else
				atomic64_inc(&lost);
		}
		skb = watched() ? event_message(&t) : NULL;
		if (skb)
			to_watchers(skb);
	}
}

static void send_events(struct work_struct *work)
{
	mutex_lock(&send_lock);
	send_queued();
	mutex_unlock(&send_lock);
}

static DECLARE_WORK(send_work, send_events);

void mdc_netlink_event(struct mdc_cluster *c, enum mdc_event event, u32 value)
{
	struct told t = { .minor = mdc_md_minor(c->mddev), .event = event, .value = value };
	unsigned long flags;

	memcpy(t.uuid, mdc_md_uuid(c->mddev), MDC_UUID_SIZE);
	strscpy(t.name, mdc_md_name(c->mddev), sizeof(t.name));
	spin_lock_irqsave(&queue_lock, flags);
	if (queue_count < QUEUE_LENGTH) {
		queue[(queue_first + queue_count) % QUEUE_LENGTH] = t;
		queue_count++;
	} else {
		atomic64_inc(&lost);
	}
	spin_unlock_irqrestore(&queue_lock, flags);
	schedule_work(&send_work);
}

static struct sk_buff *newdisk_message(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	struct sk_buff *skb = nlmsg_new(MESSAGE_BYTES, GFP_NOIO);
	void *head = skb ? genlmsg_put(skb, 0, 0, &family, 0, MDCLUSTER_CMD_NEWDISK) : NULL;

	if (!head || put_array_names(skb, mdc_md_uuid(c->mddev), mdc_md_minor(c->mddev),
				     mdc_md_name(c->mddev)) ||
	    nla_put(skb, MDCLUSTER_A_DEVICE_UUID, MDC_UUID_SIZE, msg->uuid) ||
	    nla_put_u32(skb, MDCLUSTER_A_DEVICE, msg->raid_slot) ||
	    nla_put_u32(skb, MDCLUSTER_A_SLOT, msg->slot) ||
	    nla_put_u32(skb, MDCLUSTER_A_TIMEOUT, READ_ONCE(c->limits->newdisk_timeout))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

bool mdc_netlink_newdisk(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	struct sk_buff *skb;
	bool taken;

	mutex_lock(&send_lock);
	/* How the add before this one ended comes first. */
	send_queued();
	skb = watched() ? newdisk_message(c, msg) : NULL;
	if (skb)
		to_watchers(skb);
	skb = READ_ONCE(agent) ? newdisk_message(c, msg) : NULL;
	taken = skb && to_agent(skb);
	mutex_unlock(&send_lock);
	return taken;
}

static struct sk_buff *proposed_message(struct mdc_cluster *c, u64 id,
					const struct mdc_new_disk *disk)
{
	struct sk_buff *skb = nlmsg_new(MESSAGE_BYTES, GFP_NOIO);
	void *head = skb ? genlmsg_put(skb, 0, 0, &family, 0, MDCLUSTER_CMD_PROPOSED) : NULL;

	if (!head || put_array_names(skb, mdc_md_uuid(c->mddev), mdc_md_minor(c->mddev),
				     mdc_md_name(c->mddev)) ||
	    nla_put(skb, MDCLUSTER_A_DEVICE_UUID, MDC_UUID_SIZE, disk->uuid) ||
	    nla_put_u32(skb, MDCLUSTER_A_DEVICE, disk->device) ||
	    nla_put_u64_64bit(skb, MDCLUSTER_A_DISK, disk->number, MDCLUSTER_A_PAD) ||
	    nla_put_u64_64bit(skb, MDCLUSTER_A_PROPOSAL, id, MDCLUSTER_A_PAD) ||
	    nla_put_u32(skb, MDCLUSTER_A_TIMEOUT, READ_ONCE(c->limits->verdict_timeout))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

u32 mdc_netlink_propose(struct mdc_cluster *c, u64 id, const struct mdc_new_disk *disk)
{
	struct sk_buff *skb;
	u32 port;

	mutex_lock(&send_lock);
	/* How the add before this one ended comes first. */
	send_queued();
	skb = watched() ? proposed_message(c, id, disk) : NULL;
	if (skb)
		to_watchers(skb);
	port = READ_ONCE(agent);
	skb = port ? proposed_message(c, id, disk) : NULL;
	if (!skb || !to_agent(skb))
		port = 0;
	mutex_unlock(&send_lock);
	return port;
}

bool mdc_netlink_is_agent(u32 port)
{
	return READ_ONCE(agent) == port;
}

void mdc_netlink_add(struct mdc_cluster *c)
{
	/* A few bytes, once for each join: not worth a join that fails. */
	struct listed *l = kmalloc(sizeof(*l), GFP_KERNEL | __GFP_NOFAIL);

	l->c = c;
	mutex_lock(&clusters_lock);
	l->id = ++last_id;
	list_add_tail(&l->list, &clusters);
	mutex_unlock(&clusters_lock);
}

void mdc_netlink_remove(struct mdc_cluster *c)
{
	struct listed *l, *next;

	mutex_lock(&clusters_lock);
	list_for_each_entry_safe(l, next, &clusters, list) {
		if (l->c != c)
			continue;
		list_del(&l->list);
		kfree(l);
	}
	mutex_unlock(&clusters_lock);
}

/* Who waits for the agent waits no more. */
static void wake_all(void)
{
	struct listed *l;

	mutex_lock(&clusters_lock);
	list_for_each_entry(l, &clusters, list)
		mdc_changed(l->c);
	mutex_unlock(&clusters_lock);
}

/* A netlink socket was closed: was it the agent's? In process context. */
static int socket_closed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    net_eq(n->net, &init_net) && n->portid &&
	    cmpxchg(&agent, n->portid, 0) == n->portid) {
		pr_info("the agent with netlink port %u is gone\n", n->portid);
		wake_all();
	}
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = { .notifier_call = socket_closed };

int mdc_netlink_open(void)
{
	int ret = netlink_register_notifier(&socket_notifier);

	if (ret)
		return ret;
	ret = genl_register_family(&family);
	if (ret)
		netlink_unregister_notifier(&socket_notifier);
	return ret;
}

void mdc_netlink_close(void)
{
	/* No cluster is left that could raise another event. */
	flush_work(&send_work);
	genl_unregister_family(&family);
	netlink_unregister_notifier(&socket_notifier);
}
