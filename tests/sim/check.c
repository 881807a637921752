// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must hold. Each broken promise ends the schedule.
 */
#include "check.h"
#include "dlm.h"
#include "members.h"
#include "world.h"

/* The message that is out. */
static struct {
	bool out;
	int from;
	u64 tag;
	u32 type;
	struct mdc_cluster *expected[SIM_NODES_MAX];
	bool waits[SIM_NODES_MAX];	/* for this node */
	u64 before[SIM_NODES_MAX];	/* what it had received */
} message;

void check_reset(void)
{
	memset(&message, 0, sizeof(message));
}

static u64 received(const struct mdc_cluster *c)
{
	u64 sum = c->counters.lost;
	int i;

	for (i = 0; i < MDC_MSG_TYPES; i++)
		sum += c->counters.received[i];
	for (i = 0; i < MDC_WIRE_FAULTS; i++)
		sum += c->counters.dropped[i];
	return sum;
}

static const struct mdc_lock *lock_of(int node, const char *name)
{
	int i;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		if (sim_dlm.locks[i].used && sim_dlm.locks[i].node == node && sim_dlm.locks[i].res &&
		    !strcmp(sim_dlm.locks[i].res->name, name))
			return &sim_dlm.locks[i];
	return NULL;
}

/*
 * One node has the token, and does not receive meanwhile. Who has freed the lock has not, though the
 * answer may still be on its way.
 */
void check_lock(const struct mdc_lock *lock)
{
	int i, holders = 0;

	(void)lock;
	for (i = 0; i < sim_world.count; i++) {
		const struct sim_node *node = &sim_world.nodes[i];
		const struct mdc_lock *token = lock_of(i, "token");

		if (!node->up)
			continue;
		holders += token && !token->orphan && !token->freed && token->granted == MDC_EX;
		if (node->md.c && node->md.c->has_token && node->md.c->receiving)
			sim_fail("node %d sends and receives at once", i + 1);
	}
	if (holders > 1)
		sim_fail("%d nodes have the token", holders);
}

/* Messages: each is taken once by each that listens, before its sender goes on. */

void check_message_out(int node, u64 tag, const u8 *lvb)
{
	int i;

	message.out = true;
	message.from = node;
	message.tag = tag;
	message.type = lvb[0];
	sim_trace("message %llu of node %d is out: %s", (unsigned long long)tag, node + 1,
		  mdc_wire_type_name(message.type));
	for (i = 0; i < sim_world.count; i++) {
		const struct mdc_lock *ack = lock_of(i, "ack");

		message.waits[i] = i != node && sim_world.nodes[i].up && ack &&
				   ack->granted == MDC_CR;
		message.expected[i] = sim_world.nodes[i].md.c;
		message.before[i] = message.expected[i] ? received(message.expected[i]) : 0;
	}
}

static void check_one(int i)
{
	const struct mdc_cluster *c = sim_world.nodes[i].md.c;
	const struct mdc_lock *lock = lock_of(i, "message");
	u64 count;

	if (!c || c->leaving || (message.expected[i] && c != message.expected[i]))
		return;
	count = received(c) - message.before[i];
	if (count != 1)
		sim_fail("message %llu, %s of node %d, was taken %llu times by node %d when its sender went on",
			 (unsigned long long)message.tag, mdc_wire_type_name(message.type),
			 message.from + 1, (unsigned long long)count, i + 1);
	if (!lock || lock->tag != message.tag)
		sim_fail("node %d took message %llu for message %llu", i + 1,
			 (unsigned long long)(lock ? lock->tag : 0),
			 (unsigned long long)message.tag);
}

void check_message_heard(int node)
{
	int i;

	if (!message.out || message.from != node)
		return;
	message.out = false;
	sim_trace("message %llu of node %d was heard", (unsigned long long)message.tag, node + 1);
	for (i = 0; i < sim_world.count; i++)
		if (message.waits[i] && sim_world.nodes[i].up && member_state(i) == MEMBER_IN)
			check_one(i);
}

/* Data. */

static bool active(const struct sim_node *node)
{
	return node->up && node->md.there && node->md.c && !node->md.closing;
}

void check_write(struct mddev *md, int chunk)
{
	int i;

	for (i = 0; i < sim_world.count; i++)
		if (sim_world.nodes[i].up && sim_world.nodes[i].md.copying == chunk)
			sim_fail("node %d writes chunk %d while node %d resyncs it",
				 md->index + 1, chunk, i + 1);
}

void check_copy(struct mddev *md, int chunk)
{
	int i;

	for (i = 0; i < sim_world.count; i++)
		if (sim_world.nodes[i].up && sim_world.nodes[i].md.writes[chunk])
			sim_fail("node %d resyncs chunk %d while node %d writes it",
				 md->index + 1, chunk, i + 1);
}

/* What is acknowledged may be read on any node, from any member that it takes for good. */
void check_write_done(struct mddev *md, u32 disks)
{
	int i, j;

	if (sim_world.vague)
		return;
	for (i = 0; i < sim_world.count; i++) {
		const struct sim_node *node = &sim_world.nodes[i];

		/* Whose locks stand still has not heard all yet. */
		if (&node->md == md || !active(node) || !node->md.c->in_cluster ||
		    node->md.c->stopped || node->md.c->receiving)
			continue;
		for (j = 0; j < MD_DEVICES; j++) {
			const struct md_rdev *rdev = &node->md.rdevs[j];

			if (rdev->used && rdev->leg >= 0 && rdev->insync && !rdev->faulty &&
			    !(disks >> rdev->disk & 1))
				sim_fail("node %d has written, but not to device %d, which node %d reads",
					 md->index + 1, rdev->number, i + 1);
		}
	}
}

/* Quiet. */

/* Its --re-add was cut off: it is neither in nor out, and the next update says. */
static bool undecided(const struct md_rdev *rdev)
{
	return rdev && rdev->leg < 0 && rdev->sb.roles[rdev->number] == ROLE_FAULTY;
}

static void compare_members(const struct sim_node *a, const struct sim_node *b)
{
	int i;

	for (i = 0; i < MD_DISKS; i++) {
		struct md_rdev *one = md_find_disk((struct mddev *)&a->md, i);
		struct md_rdev *two = md_find_disk((struct mddev *)&b->md, i);

		if (one && two && one->number != two->number)
			sim_fail("disk %d is device %d on node %d, %d on node %d", i, one->number,
				 a->index + 1, two->number, b->index + 1);
		if (one && two && one->leg >= 0 && two->leg >= 0 &&
		    (one->faulty != two->faulty || one->leg != two->leg))
			sim_fail("disk %d is %s leg %d on node %d, %s leg %d on node %d", i,
				 one->faulty ? "faulty" : "good", one->leg, a->index + 1,
				 two->faulty ? "faulty" : "good", two->leg, b->index + 1);
		if (undecided(one) || undecided(two))
			continue;
		if (!one != !two && !((one ? one : two)->faulty))
			sim_fail("disk %d is in the array on node %d, but not on node %d", i,
				 (one ? a : b)->index + 1, (one ? b : a)->index + 1);
		if (one && two && one->faulty != two->faulty)
			sim_fail("disk %d is faulty on node %d, but not on node %d", i,
				 (one->faulty ? a : b)->index + 1,
				 (one->faulty ? b : a)->index + 1);
		if (one && two && (one->leg >= 0) != (two->leg >= 0) && !one->faulty)
			sim_fail("disk %d is a leg on node %d, but not on node %d", i,
				 (one->leg >= 0 ? a : b)->index + 1,
				 (one->leg >= 0 ? b : a)->index + 1);
	}
}

static void check_rdevs(const struct sim_node *node)
{
	const struct md_rdev *legs[MD_DEVICES];
	int i, j, count = 0;

	for (i = 0; i < MD_DEVICES; i++) {
		const struct md_rdev *rdev = &node->md.rdevs[i];

		if (!rdev->used)
			continue;
		if (rdev->candidate)
			sim_fail("device %d is left as a candidate on node %d", rdev->number,
				 node->index + 1);
		if (rdev->leg >= 0 && rdev->insync && !rdev->faulty)
			legs[count++] = rdev;
	}
	for (i = 1; i < count && !sim_world.vague; i++)
		for (j = 0; j < MD_CHUNKS; j++)
			if (memcmp(md_disks.disk[legs[0]->disk].data[j],
				   md_disks.disk[legs[i]->disk].data[j],
				   sizeof(md_disks.disk[0].data[j])))
				sim_fail("chunk %d differs between disks %d and %d, which node %d has for good",
					 j, legs[0]->disk, legs[i]->disk, node->index + 1);
}

static bool slot_is_live(int slot)
{
	int i;

	for (i = 0; i < sim_world.count; i++)
		if (member_slot(i) == slot + 1)
			return true;
	return false;
}

static void check_cluster(const struct sim_node *node)
{
	const struct mdc_cluster *c = node->md.c;
	int slot;

	if (c->sending || c->has_token || c->kept || c->receiving || c->message_waits)
		sim_fail("node %d still sends or receives (%d %d %d %d %d)", node->index + 1,
			 c->sending, c->has_token, c->kept, c->receiving, c->message_waits);
	if (c->add.step != MDC_ADD_NONE)
		sim_fail("node %d is still at an add (%d)", node->index + 1, c->add.step);
	if (c->own_add.asks)
		sim_fail("node %d still asks for device %u", node->index + 1, c->own_add.device);
	if (c->own_range.hi)
		sim_fail("node %d still says that it resyncs sectors %llu to %llu", node->index + 1,
			 (unsigned long long)c->own_range.lo, (unsigned long long)c->own_range.hi);
	if (c->lent || c->borrowed)
		sim_fail("node %d still lends the mutex", node->index + 1);
	if (c->suspended.range.hi)
		sim_fail("node %d still suspends sectors %llu to %llu of slot %d", node->index + 1,
			 (unsigned long long)c->suspended.range.lo,
			 (unsigned long long)c->suspended.range.hi, c->suspended.owner);
	/* Who has the slot by now looks after its bitmap. */
	for_each_set_bit(slot, c->to_recover, MDC_SLOTS_MAX)
		if (!slot_is_live(slot))
			sim_fail("node %d still has the bitmap of slot %d to take over",
				 node->index + 1, slot);
}

void check_quiet(void)
{
	int i, j;

	for (i = 0; i < sim_world.count; i++) {
		const struct sim_node *node = &sim_world.nodes[i];

		if (!active(node))
			continue;
		check_cluster(node);
		check_rdevs(node);
		for (j = i + 1; j < sim_world.count; j++)
			if (active(&sim_world.nodes[j]) && !sim_world.vague)
				compare_members(node, &sim_world.nodes[j]);
	}
}

void check_left(int node)
{
	long left = sim_memory_of(&sim_world.nodes[node]);

	if (left)
		sim_fail("node %d has left, and %ld bytes are not freed", node + 1, left);
}
