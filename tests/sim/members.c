// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Membership of the lockspace and its recovery, as corosync, dlm_controld and fs/dlm bring it
 * about together; and joining and leaving of module/lockres.h.
 */
#include "check.h"
#include "members.h"
#include "world.h"

#define HELD_MAX 512

struct mdc_lockspace {
	int node;
};

struct member {
	struct mdc_lockspace ls;
	enum member_state state;
	bool dead, reported;		/* powered off; the others know */
	u64 fenced_at;
	bool stopped;			/* locks stand still */
	bool told_stopped;		/* what the callbacks said last */
	bool tell_running;		/* running() is still to be called */
	bool unattended;		/* nobody waits for its join any more */
	bool abandoned;			/* by mdc_lockspace_abandon() */
	u32 life;			/* of this membership */
	int slot, nodeid;
	int ghost;			/* slot, where nobody is told that it is gone */
	const struct mdc_lockspace_events *events;
	void *arg;
	wait_queue_head_t wait;
	struct dlm_msg *held[HELD_MAX];
	int held_count;
};

static struct member members[SIM_NODES_MAX];
static bool quorate, changing, wants_change;
static int stopping;
static u32 generation;
static u64 still_since, still_us;
static u32 detect_jitter_us;

static void stop_all(void *a, u64 b);

void members_reset(void)
{
	int i;

	memset(members, 0, sizeof(members));
	for (i = 0; i < SIM_NODES_MAX; i++) {
		members[i].ls.node = i;
		members[i].nodeid = i + 1;
		init_waitqueue_head(&members[i].wait);
	}
	quorate = true;
	changing = false;
	wants_change = false;
	stopping = 0;
	generation = 0;
	still_since = 0;
	still_us = 0;
	detect_jitter_us = sim_chance(2) ? 2000 : 50000;
}

enum member_state member_state(int node)
{
	return members[node].state;
}

bool member_dead(int node)
{
	return members[node].dead;
}

static bool takes_part(const struct member *m)
{
	return (m->state == MEMBER_IN || m->state == MEMBER_LEAVING) && !m->dead;
}

bool member_locks_run(int node)
{
	return takes_part(&members[node]) && !members[node].stopped;
}

bool member_abandoned(int node)
{
	return members[node].abandoned;
}

int member_slot(int node)
{
	return members[node].slot;
}

void member_hold(int node, struct dlm_msg *msg)
{
	struct member *m = &members[node];

	if (!takes_part(m)) {
		dlm_msg_free(msg);
		return;
	}
	if (m->held_count == HELD_MAX)
		sim_fail("more than %d messages are held back", HELD_MAX);
	m->held[m->held_count++] = msg;
}

u64 members_stood_still_us(void)
{
	return still_us + (still_since ? sim_now_us - still_since : 0);
}

static bool all_run(void)
{
	int i;

	for (i = 0; i < SIM_NODES_MAX; i++) {
		const struct member *m = &members[i];

		if (m->dead && m->state != MEMBER_OUT)
			return false;
		if (takes_part(m) && (m->stopped || m->tell_running))
			return false;
		if (m->state == MEMBER_JOINING || m->state == MEMBER_LEAVING)
			return false;
	}
	return quorate;
}

bool members_quiet(void)
{
	return all_run() && !changing && !wants_change;
}

/* How long locks stood still is kept: what waits for them may take that much longer. */
static void note_still(void)
{
	bool still = !all_run();

	if (still && !still_since) {
		still_since = sim_now_us;
	} else if (!still && still_since) {
		still_us += sim_now_us - still_since;
		still_since = 0;
	}
}

/* A member goes on. */

static void call_running(struct member *m)
{
	struct mdc_member list[SIM_NODES_MAX];
	int i, count = 0;

	m->tell_running = false;
	m->told_stopped = false;
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (members[i].state == MEMBER_IN || members[i].state == MEMBER_LEAVING)
			list[count++] = (struct mdc_member){ members[i].nodeid, members[i].slot };
		else if (members[i].ghost)
			list[count++] = (struct mdc_member){ members[i].nodeid, members[i].ghost };
	sim_trace("node %d: running, slot %d, %d members", m->nodeid, m->slot, count);
	if (m->events)
		m->events->running(m->arg, list, count, m->slot);
	sim_wake_queue(&m->wait);
	note_still();
}

static void tell_running(void *a, u64 life)
{
	struct member *m = a;

	if (m->life == life && m->tell_running && takes_part(m))
		call_running(m);
}

static void leave_again(void *a, u64 life)
{
	struct member *m = a;

	if (m->life != life || m->state != MEMBER_IN || !m->unattended)
		return;
	m->state = MEMBER_LEAVING;
	wants_change = true;
	stop_all(NULL, 0);
}

/* Locks go on here: what was asked of dead masters is asked again, what was held back is heard. */
static void go_on(void *a, u64 gen)
{
	struct member *m = a;
	int i, node = m - members;

	if (gen != generation || !takes_part(m) || !m->stopped)
		return;
	m->stopped = false;
	sim_trace("node %d: locks go on", m->nodeid);
	for (i = 0; i < m->held_count; i++)
		dlm_arrive(m->held[i]);
	m->held_count = 0;
	dlm_resend(node);
	dlm_wake_locks(node);
	dlm_recovered(node);
	m->tell_running = true;
	sim_after(sim_below(2000), tell_running, m, m->life);
	if (m->unattended)
		sim_after(sim_below(2000000), leave_again, m, m->life);
	sim_wake_queue(&m->wait);
	note_still();
}

/* All members have stopped. */

static bool may_recover(void)
{
	int i;

	if (!quorate)
		return false;
	/* One that is dead takes no part, so nothing goes on before it is known, and fenced. */
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (members[i].dead && members[i].state != MEMBER_OUT &&
		    (!members[i].reported || members[i].fenced_at > sim_now_us))
			return false;
	return true;
}

static void tell_failed(const struct member *gone)
{
	struct mdc_member who = { gone->nodeid, gone->slot };
	int i;

	if (sim_options.fault == SIM_BREAK_NO_FAILED)
		return;
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (takes_part(&members[i]) && members[i].events && members[i].told_stopped)
			members[i].events->member_failed(members[i].arg, &who);
}

static void take_out(struct member *m)
{
	int node = m - members;

	sim_trace("node %d is out of the lockspace", m->nodeid);
	m->state = MEMBER_OUT;
	m->reported = false;
	m->events = NULL;
	m->unattended = false;
	m->ghost = m->dead && sim_options.fault == SIM_BREAK_NO_FAILED ? m->slot : 0;
	m->slot = 0;
	while (m->held_count)
		dlm_msg_free(m->held[--m->held_count]);
	dlm_void_messages_of(node);
	if (!m->dead)
		dlm_orphans_gone(node);
	if (!m->dead && dlm_locks_of(node))
		sim_fail("node %d left the lockspace with %d locks", m->nodeid,
			 dlm_locks_of(node));
	sim_wake_queue(&m->wait);
}

static bool slot_taken(int slot)
{
	int i;

	for (i = 0; i < SIM_NODES_MAX; i++)
		if (members[i].slot == slot)
			return true;
	return false;
}

static void let_in(struct member *m)
{
	int slot = 1;

	while (slot_taken(slot))
		slot++;
	m->state = MEMBER_IN;
	m->ghost = 0;
	m->slot = slot;
	m->stopped = true;
	m->told_stopped = true;
	sim_trace("node %d is in the lockspace, slot %d", m->nodeid, m->slot);
}

static void recover(void)
{
	bool gone[SIM_NODES_MAX] = { false };
	int i, left = 0;

	generation++;
	changing = false;
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (members[i].reported && members[i].state != MEMBER_OUT)
			tell_failed(&members[i]);
	for (i = 0; i < SIM_NODES_MAX; i++) {
		struct member *m = &members[i];

		if ((m->reported && m->state != MEMBER_OUT) ||
		    (m->state == MEMBER_LEAVING && !m->dead)) {
			gone[i] = true;
			left++;
			take_out(m);
		}
	}
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (members[i].state == MEMBER_JOINING && !members[i].dead)
			let_in(&members[i]);
	if (left)
		dlm_take_away(gone);
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (takes_part(&members[i]))
			sim_after(sim_between(100, 20000), go_on, &members[i], generation);
	note_still();
	if (wants_change)
		sim_after(sim_below(detect_jitter_us), stop_all, NULL, 0);
}

static void try_recover(void *a, u64 b)
{
	(void)a;
	(void)b;
	if (!changing || stopping)
		return;
	if (may_recover())
		recover();
	else
		sim_after(50000, try_recover, NULL, 0);
}

static void stop_one(void *a, u64 b)
{
	struct member *m = a;

	(void)b;
	stopping--;
	if (takes_part(m)) {
		if (m->tell_running)
			call_running(m);
		m->stopped = true;
		if (!m->told_stopped && m->events) {
			sim_trace("node %d: stopped", m->nodeid);
			m->told_stopped = true;
			m->events->stopped(m->arg);
		}
		dlm_wake_locks(m - members);
		note_still();
	}
	if (!stopping)
		sim_after(sim_between(100, 5000), try_recover, NULL, 0);
}

static void stop_all(void *a, u64 b)
{
	int i;

	(void)a;
	(void)b;
	if (stopping || !wants_change)
		return;
	wants_change = false;
	changing = true;
	generation++;
	for (i = 0; i < SIM_NODES_MAX; i++)
		if (takes_part(&members[i])) {
			stopping++;
			sim_after(sim_below(detect_jitter_us), stop_one, &members[i], 0);
		}
	if (!stopping)
		sim_after(sim_between(100, 5000), try_recover, NULL, 0);
}

void members_stop(void)
{
	wants_change = true;
	note_still();
	sim_after(sim_below(detect_jitter_us), stop_all, NULL, 0);
}

static void noticed(void *a, u64 life)
{
	struct member *m = a;

	if (m->life != life || !m->dead)
		return;
	m->reported = true;
	sim_trace("node %d is found dead", m->nodeid);
	members_stop();
}

void members_crash(int node, u64 detect_us, u64 fence_us)
{
	struct member *m = &members[node];

	m->dead = true;
	m->tell_running = false;
	m->unattended = false;
	m->fenced_at = sim_now_us + detect_us + fence_us;
	dlm_void_locks_of(node);
	if (m->state == MEMBER_JOINING)
		m->state = MEMBER_OUT;
	if (m->state != MEMBER_OUT)
		sim_after(detect_us, noticed, m, m->life);
	note_still();
}

void members_quorum(bool there)
{
	sim_trace("the quorum is %s", there ? "back" : "lost");
	quorate = there;
	if (!there)
		members_stop();
	note_still();
}

/* module/lockres.h */

static int join_refused(const struct member *m)
{
	static const int errors[] = { -EBADR, -EPROTO, -EUNATCH, -ENOMEM };

	if (m->state != MEMBER_OUT)
		return -EBUSY;
	return sim_join_refused() ? errors[sim_below(ARRAY_SIZE(errors))] : 0;
}

int mdc_lockspace_join(const char *name, const char *cluster,
		       const struct mdc_lockspace_events *events, void *arg,
		       unsigned int timeout_ms, struct mdc_lockspace **ls)
{
	struct member *m = &members[sim_node_here()];
	long left;
	int ret;

	sim_may_block(__func__);
	if (strlen(name) != 36 || strcmp(cluster, "sim"))
		sim_fail("lockspace '%s' of cluster '%s'", name, cluster);
	ret = join_refused(m);
	if (ret)
		return ret;
	m->state = MEMBER_JOINING;
	m->dead = false;
	m->life++;
	m->events = events;
	m->arg = arg;
	m->tell_running = false;
	m->abandoned = false;
	m->unattended = false;
	members_stop();
	left = wait_event_killable_timeout(m->wait, m->state == MEMBER_IN && !m->told_stopped,
					   msecs_to_jiffies(timeout_ms));
	if (left > 0) {
		*ls = &m->ls;
		return 0;
	}
	m->events = NULL;
	m->unattended = true;
	if (m->state == MEMBER_IN && !m->stopped)
		sim_after(sim_below(2000000), leave_again, m, m->life);
	return left < 0 ? -EINTR : -ETIMEDOUT;
}

void mdc_lockspace_abandon(struct mdc_lockspace *ls)
{
	members[ls->node].abandoned = true;
	dlm_wake_locks(ls->node);
}

void mdc_lockspace_leave(struct mdc_lockspace *ls, unsigned int timeout_ms)
{
	struct member *m = &members[ls->node];

	sim_may_block(__func__);
	if (ls->node != sim_node_here() || m->state != MEMBER_IN)
		sim_fail("a lockspace is left that this node is not in");
	m->state = MEMBER_LEAVING;
	members_stop();
	wait_event_timeout(m->wait, m->state == MEMBER_OUT, msecs_to_jiffies(timeout_ms));
	m->events = NULL;
}

bool mdc_lockspace_stopped(struct mdc_lockspace *ls)
{
	return members[ls->node].told_stopped || members[ls->node].stopped;
}
