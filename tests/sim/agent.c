// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agents that answer for a node's disks, and what else of the module stands beside its
 * protocol files: netlink.h and fault.h.
 */
#include "fault.h"
#include "netlink.h"
#include "ops.h"
#include "propose.h"
#include "world.h"

#define REQUESTS 32

struct request {
	struct sim_node *node;
	u8 uuid[MDC_UUID_SIZE];
	u32 number;
};

static struct request requests[REQUESTS];
static u32 next_request;

/* The disk that has, or had before a later add of it, this UUID. */
static int disk_of(const u8 *uuid, bool *now)
{
	const u8 *has;
	int disk;

	for (disk = 0; disk < MD_DISKS; disk++) {
		has = md_disks.disk[disk].uuid;
		*now = has[MD_UUID_ADD] == uuid[MD_UUID_ADD];
		if (!memcmp(has, uuid, MD_UUID_ADD) &&
		    !memcmp(has + MD_UUID_ADD + 1, uuid + MD_UUID_ADD + 1,
			    MDC_UUID_SIZE - MD_UUID_ADD - 1))
			return disk;
	}
	sim_fail("a disk is proposed whose UUID nobody has");
	return 0;
}

static int answer(struct sim_node *node, struct request *request, bool found)
{
	struct mddev *md = &node->md;
	struct md_rdev *rdev = NULL;
	int disk, ret = 0;
	bool now;

	disk = disk_of(request->uuid, &now);
	if (found && !now)
		return -ENXIO;
	if (found)
		md_suspend(md);
	md_lock(md);
	if (!md->there || md->closing || !md->c) {
		ret = -ENODEV;
	} else if (!found) {
		ret = mdc_ops_add_answer(md->c, false);
	} else {
		ret = md_disks.disk[disk].sb.there ?
		      md_bind(md, disk, &md_disks.disk[disk].sb, &rdev) : -ENXIO;
		if (!ret) {
			rdev->candidate = true;
			/* mdadm writes a superblock of its own before it confirms a disk. */
			if (sim_world.uevents)
				rdev->uuid[1] ^= 0xff;
			ret = mdc_ops_add_answer(md->c, true);
			if (ret)
				md_kick(rdev);
		}
	}
	if (found)
		md_resume(md);
	md_unlock(md);
	sim_trace("agent: %s: %d", found ? "found" : "missing", ret);
	return ret;
}

static int agent(void *arg)
{
	struct request *request = arg;
	struct sim_node *node = request->node;
	u32 which = sim_below(100), kind = 0;
	int ret;

	while (kind < ANSWER_NEVER && which >= sim_world.answer_odds[kind])
		which -= sim_world.answer_odds[kind++];
	if (kind == ANSWER_NEVER)
		return 0;
	if (kind == ANSWER_LATE)
		sim_sleep_us(sim_between(4990000, 5600000));
	else
		sim_sleep_us(sim_between(100, sim_chance(2) ? 2000 : 500000));
	ret = answer(node, request, kind != ANSWER_MISSING);
	/* It could not be bound: this node does not have it after all. */
	if (ret == -EBUSY || ret == -EEXIST || ret == -ENXIO)
		answer(node, request, false);
	return 0;
}

void agent_asked(struct sim_node *node, const u8 *uuid, u32 number)
{
	struct request *request = &requests[next_request++ % REQUESTS];

	sim_trace("the agent is asked for device %u", number);
	request->node = node;
	request->number = number;
	memcpy(request->uuid, uuid, MDC_UUID_SIZE);
	sim_spawn(node, "agent", agent, request);
}

/* The node that adds: its agent asks the cluster, which is not played here, and has a word on it. */

struct proposal {
	struct sim_node *node;
	u64 id;
};

static struct proposal proposals[REQUESTS];
static u32 next_proposal;

static int verdict(void *arg)
{
	const struct proposal *p = arg;
	struct mddev *md = &p->node->md;
	u32 which = sim_below(8);
	int ret;

	if (!which)
		return 0;
	if (which == 1) {
		sim_sleep_us(sim_between(100, 2000000));
		p->node->agents++;
		if (md->c)
			mdc_changed(md->c);
		return 0;
	}
	/* Late as a rule means when the kernel gives up waiting, to the millisecond. */
	sim_sleep_us(which > 2 ? sim_between(100, 500000) : sim_chance(4) ?
		     sim_between(3900000, 4200000) : sim_between(4000000, 4001000));
	if (!md->c)
		return 0;
	ret = mdc_propose_verdict(md->c, p->id, which > 3, which > 3 ? "" : "another node has none");
	if (which <= 3 && !ret)
		p->node->refused = p->id;
	sim_trace("verdict: %s: %d", which > 3 ? "proceed" : "refuse", ret);
	return 0;
}

u32 mdc_netlink_propose(struct mdc_cluster *c, u64 id, const struct mdc_new_disk *disk)
{
	struct proposal *p = &proposals[next_proposal++ % REQUESTS];

	sim_may_block(__func__);
	if (sim_world.uevents)
		return 0;
	sim_trace("proposes device %u", disk->device);
	p->node = c->mddev->node;
	p->id = id;
	sim_spawn(p->node, "verdict", verdict, p);
	return p->node->agents + 1;
}

bool mdc_netlink_is_agent(u32 port)
{
	return sim_current_node()->agents + 1 == port;
}

/* module/fault.h: a node that is slow, or dies, at that point. */

bool mdc_fault(const char *name)
{
	sim_may_block(name);
	if (sim_world.healing || !sim_chance(sim_world.faults_one_in))
		return false;
	if (sim_chance(4))
		story_crash_here(name);
	sim_sleep_us(sim_between(100, sim_chance(8) ? 1000000 : 20000));
	return false;
}

/* module/netlink.h */

void mdc_netlink_add(struct mdc_cluster *c)
{
	(void)c;
	sim_may_block(__func__);
}

void mdc_netlink_remove(struct mdc_cluster *c)
{
	(void)c;
	sim_may_block(__func__);
}

void mdc_netlink_event(struct mdc_cluster *c, enum mdc_event event, u32 value)
{
	c->mddev->node->said_refused += event == MDC_EVENT_ADD_REFUSED;
	c->mddev->node->said_over += event == MDC_EVENT_PROPOSAL_OVER;
	sim_trace("event %d, %u", event, value);
}

bool mdc_netlink_newdisk(struct mdc_cluster *c, const struct mdc_msg *msg)
{
	sim_may_block(__func__);
	if (sim_world.uevents)
		return false;
	agent_asked(c->mddev->node, msg->uuid, msg->raid_slot);
	return true;
}
