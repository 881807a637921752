// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages between nodes and masters: late, in order between two nodes, held back while the
 * receiver's locks stand still, gone with a node that is removed.
 */
#include "dlm.h"
#include "members.h"

#define MSGS_MAX 4096

static struct dlm_msg msgs[MSGS_MAX];
static struct dlm_msg *free_msgs;
static u64 last_arrival[SIM_NODES_MAX][SIM_NODES_MAX];

void dlm_messages_reset(void)
{
	int i;

	memset(last_arrival, 0, sizeof(last_arrival));
	free_msgs = NULL;
	for (i = 0; i < MSGS_MAX; i++)
		dlm_msg_free(&msgs[i]);
}

struct dlm_msg *dlm_msg_new(void)
{
	struct dlm_msg *msg = free_msgs;

	if (!msg)
		sim_fail("more than %d messages of the DLM are under way", MSGS_MAX);
	free_msgs = msg->next;
	memset(msg, 0, sizeof(*msg));
	return msg;
}

void dlm_msg_free(struct dlm_msg *msg)
{
	msg->res = NULL;
	msg->next = free_msgs;
	free_msgs = msg;
}

void dlm_void_messages_of(int node)
{
	int i;

	for (i = 0; i < MSGS_MAX; i++)
		if (msgs[i].res && (msgs[i].from == node || msgs[i].to == node))
			msgs[i].void_ = true;
}

/* Frees MSG. */
void dlm_arrive(struct dlm_msg *msg)
{
	if (!msg->void_ && msg->type <= DLM_CANCEL)
		dlm_master_receive(msg);
	else if (!msg->void_ && msg->lock->generation == msg->generation)
		dlm_node_receive(msg);
	dlm_msg_free(msg);
}

static void arrive(void *a, u64 b)
{
	struct dlm_msg *msg = a;

	(void)b;
	if (msg->void_ || member_dead(msg->to))
		dlm_msg_free(msg);
	else if (!member_locks_run(msg->to))
		member_hold(msg->to, msg);
	else
		dlm_arrive(msg);
}

void dlm_post(struct dlm_msg *msg)
{
	u64 *last = &last_arrival[msg->from][msg->to];
	u64 at;

	if (msg->from == msg->to) {
		dlm_arrive(msg);
		return;
	}
	at = sim_now_us + sim_between(sim_dlm.delay_us / 10, sim_dlm.delay_us);
	*last = max(*last, at);
	sim_after(*last - sim_now_us, arrive, msg, 0);
}

static struct dlm_msg *to_master(struct mdc_lock *lock, enum dlm_type type, int mode)
{
	struct dlm_msg *msg = dlm_msg_new();

	msg->type = type;
	msg->from = lock->node;
	msg->to = lock->res->master;
	msg->res = lock->res;
	msg->lock = lock;
	msg->generation = lock->generation;
	msg->mode = mode;
	msg->noqueue = lock->noqueue;
	msg->has_lvb = lock->with_lvb;
	if (lock->with_lvb) {
		memcpy(msg->lvb, lock->lvb, MDC_LVB_SIZE);
		msg->lvb_seq = lock->lvb_seq;
	}
	return msg;
}

void dlm_submit(struct mdc_lock *lock, enum dlm_type type, int mode)
{
	struct dlm_msg *msg = to_master(lock, type, mode);
	bool down = type == DLM_CONVERT && dlm_is_down(lock->granted, mode) &&
		    msg->from != msg->to;

	/* Who goes down does not wait for an answer. */
	if (down)
		dlm_down_now(lock);
	dlm_post(msg);
}
