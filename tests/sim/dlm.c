// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the masters of resources do, as fs/dlm does it: compatible modes, conversions in order,
 * value blocks, blocking ASTs once for each mode.
 *
 * All new requests are for NL and expedited, so there is no queue of new requests.
 */
#include "dlm.h"
#include "check.h"

struct dlm sim_dlm;

void dlm_reset(void)
{
	static const u32 delays[] = { 300, 2000, 20000 };
	int i;

	for (i = 0; i < DLM_RESOURCES_MAX; i++)
		dlm_copies_free(&sim_dlm.res[i]);
	memset(sim_dlm.res, 0, sizeof(sim_dlm.res));
	for (i = 0; i < DLM_LOCKS_MAX; i++)
		sim_dlm.locks[i].used = false;
	sim_dlm.order = 0;
	sim_dlm.tags = 0;
	sim_dlm.callbacks_late = sim_chance(2);
	sim_dlm.delay_us = delays[sim_below(ARRAY_SIZE(delays))];
	dlm_messages_reset();
}

/* Resources. */

void dlm_copies_free(struct dlm_resource *res)
{
	struct dlm_copy *copy;

	while ((copy = res->copies)) {
		res->copies = copy->next;
		free(copy);
	}
}

void dlm_resource_unuse(struct dlm_resource *res)
{
	if (res->copies || !res->used)
		return;
	/* The value block goes with the last lock. */
	res->has_lvb = false;
	res->lvb_bad = false;
	res->lvb_seq = 0;
	res->tag = 0;
	memset(res->lvb, 0, sizeof(res->lvb));
}

struct dlm_resource *dlm_resource(const char *name, int node)
{
	struct dlm_resource *res, *unused = NULL;
	int i;

	for (i = 0; i < DLM_RESOURCES_MAX; i++) {
		res = &sim_dlm.res[i];
		if (res->used && !strcmp(res->name, name))
			break;
		if (!res->used && !unused)
			unused = res;
	}
	if (i == DLM_RESOURCES_MAX) {
		res = unused;
		if (!res)
			sim_fail("more than %d lock names: '%s' is one more", DLM_RESOURCES_MAX,
				 name);
		memset(res, 0, sizeof(*res));
		res->used = true;
		res->master = -1;
		snprintf(res->name, sizeof(res->name), "%s", name);
	}
	if (res->master < 0)
		res->master = node;
	return res;
}

struct dlm_copy *dlm_copy_new(struct dlm_resource *res, struct mdc_lock *lock)
{
	struct dlm_copy *copy = calloc(1, sizeof(*copy));

	if (!copy) {
		fprintf(stderr, "sim: no memory\n");
		exit(2);
	}
	copy->res = res;
	copy->lock = lock;
	copy->generation = lock->generation;
	copy->owner = lock->node;
	copy->granted = -1;
	copy->wanted = -1;
	copy->has_lvb = lock->with_lvb;
	copy->has_bast = lock->bast != NULL;
	copy->next = res->copies;
	res->copies = copy;
	return copy;
}

static struct dlm_copy *copy_of(struct dlm_resource *res, struct mdc_lock *lock, u32 generation)
{
	struct dlm_copy *copy;

	for (copy = res->copies; copy; copy = copy->next)
		if (copy->lock == lock && copy->generation == generation)
			return copy;
	return NULL;
}

static void copy_free(struct dlm_copy *copy)
{
	struct dlm_copy **at = &copy->res->copies;

	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
	free(copy);
}

/* Modes. */

bool dlm_compatible(int granted, int wanted)
{
	static const bool matrix[6][6] = {
		/* NL CR CW PR PW EX, wanted */
		{ 1, 1, 1, 1, 1, 1 },
		{ 1, 1, 1, 1, 1, 0 },
		{ 1, 1, 1, 0, 0, 0 },
		{ 1, 1, 0, 1, 0, 0 },
		{ 1, 1, 0, 0, 0, 0 },
		{ 1, 0, 0, 0, 0, 0 },
	};

	return granted < 0 || wanted < 0 || matrix[granted][wanted];
}

bool dlm_is_down(int granted, int wanted)
{
	bool middle = (granted == MDC_PR && wanted == MDC_CW) ||
		      (granted == MDC_CW && wanted == MDC_PR);

	return !middle && wanted < granted;
}

/* 1: the block is handed out, 0: it is written, -1: neither. */
static int lvb_step(int granted, int wanted)
{
	if (granted < 0)
		return 1;
	if (granted == MDC_EX)
		return 0;
	if (granted == MDC_PW)
		return wanted == MDC_EX ? 1 : 0;
	return wanted >= granted ? 1 : -1;
}

/* Granting. */

static bool conflicts(const struct dlm_copy *copy)
{
	struct dlm_copy *other;

	for (other = copy->res->copies; other; other = other->next)
		if (other != copy && !dlm_compatible(other->granted, copy->wanted))
			return true;
	return false;
}

static struct dlm_copy *first_queued(struct dlm_resource *res)
{
	struct dlm_copy *copy, *first = NULL;

	for (copy = res->copies; copy; copy = copy->next)
		if (copy->queued && (!first || copy->queued_at < first->queued_at))
			first = copy;
	return first;
}

static bool grantable(const struct dlm_copy *copy, bool now)
{
	if (conflicts(copy))
		return sim_options.fault == SIM_BREAK_EARLY_GRANT && copy->wanted == MDC_EX &&
		       sim_chance(20);
	return now || copy->res->recover_grant || first_queued(copy->res) == copy;
}

/* A conversion that would wait for one that waits for it. */
static bool deadlock(const struct dlm_copy *copy)
{
	struct dlm_copy *other;
	bool ahead;

	for (other = copy->res->copies; other; other = other->next) {
		if (!other->queued || other == copy)
			continue;
		ahead = !copy->queued || other->queued_at < copy->queued_at;
		if (dlm_compatible(copy->granted, other->wanted))
			continue;
		if (ahead || !dlm_compatible(other->granted, copy->wanted))
			return true;
	}
	return false;
}

static void move_lvb(struct dlm_copy *copy)
{
	struct dlm_resource *res = copy->res;
	int step = lvb_step(copy->granted, copy->wanted);

	if (!copy->has_lvb)
		return;
	if (step == 1 && res->has_lvb) {
		if (sim_options.fault == SIM_BREAK_LVB_STALE && sim_chance(20))
			return;
		memcpy(copy->lvb, res->lvb, MDC_LVB_SIZE);
		copy->lvb_seq = res->lvb_seq;
		copy->tag = res->tag;
	} else if (step == 0) {
		memcpy(res->lvb, copy->lvb, MDC_LVB_SIZE);
		res->has_lvb = true;
		res->lvb_bad = false;
		copy->lvb_seq = ++res->lvb_seq;
		copy->tag = res->tag = ++sim_dlm.tags;
		if (copy->lock->generation == copy->generation)
			copy->lock->tag = copy->tag;
		if (copy->granted == MDC_EX && copy->wanted == MDC_CW &&
		    !strcmp(res->name, "message"))
			check_message_out(copy->owner, res->tag, res->lvb);
	}
}

static void grant(struct dlm_copy *copy)
{
	move_lvb(copy);
	copy->queued = false;
	copy->granted = copy->wanted;
	copy->wanted = -1;
	copy->highbast = 0;
	if (copy->lock->generation == copy->generation)
		copy->lock->unposted = false;
	if (copy->granted == MDC_EX && !strcmp(copy->res->name, "ack"))
		check_message_heard(copy->owner);
}

static struct dlm_msg *to_node(struct dlm_copy *copy, enum dlm_type type, int mode, int result)
{
	struct dlm_msg *msg = dlm_msg_new();

	msg->type = type;
	msg->from = copy->res->master;
	msg->to = copy->owner;
	msg->res = copy->res;
	msg->lock = copy->lock;
	msg->generation = copy->generation;
	msg->mode = mode;
	msg->result = result;
	msg->lvb_bad = copy->res->lvb_bad;
	msg->has_lvb = copy->has_lvb && copy->res->has_lvb;
	if (msg->has_lvb)
		memcpy(msg->lvb, copy->lvb, MDC_LVB_SIZE);
	msg->lvb_seq = copy->lvb_seq;
	msg->tag = copy->tag;
	return msg;
}

static bool needs_bast(const struct dlm_copy *copy, int mode)
{
	if (!copy->has_bast || copy->queued)
		return false;
	return copy->highbast < mode && !dlm_compatible(copy->granted, mode);
}

static void send_bast(struct dlm_copy *copy, int mode)
{
	copy->highbast = mode;
	if (sim_options.fault == SIM_BREAK_LOSE_BAST && sim_chance(50))
		return;
	dlm_post(to_node(copy, DLM_BAST, mode, 0));
}

/*
 * Conversions that can be granted now are, then those in their way are told of the highest mode
 * that still waits. What is granted on the master itself may lead back here: each round looks anew.
 */
void dlm_grant_pending(struct dlm_resource *res)
{
	struct dlm_copy *copy, *next;
	u64 after = 0;
	int high = -1;

	for (;;) {
		next = NULL;
		for (copy = res->copies; copy; copy = copy->next)
			if (copy->queued && copy->queued_at > after &&
			    (!next || copy->queued_at < next->queued_at))
				next = copy;
		if (!next)
			break;
		after = next->queued_at;
		if (grantable(next, false)) {
			grant(next);
			dlm_post(to_node(next, DLM_GRANT, next->granted, 0));
			after = 0;
			high = -1;
		} else {
			high = max(high, next->wanted);
		}
	}
	for (copy = res->copies; copy; copy = next) {
		next = copy->next;
		if (high >= 0 && needs_bast(copy, high))
			send_bast(copy, high);
	}
}

/* What nodes ask of the master. */

static void answer(struct dlm_copy *copy, bool wanted, int mode, int result)
{
	if (wanted)
		dlm_post(to_node(copy, DLM_REPLY, mode, result));
}

static void convert(struct dlm_copy *copy, const struct dlm_msg *msg)
{
	bool reply = !dlm_is_down(copy->granted, msg->mode) || copy->owner == copy->res->master;
	struct dlm_copy *other, *next;

	copy->wanted = msg->mode;
	if (msg->has_lvb)
		memcpy(copy->lvb, msg->lvb, MDC_LVB_SIZE);
	if (grantable(copy, true)) {
		grant(copy);
		answer(copy, reply, msg->mode, 0);
		dlm_grant_pending(msg->res);
	} else if (msg->noqueue) {
		copy->wanted = -1;
		answer(copy, reply, msg->mode, -EAGAIN);
	} else if (deadlock(copy)) {
		copy->wanted = -1;
		answer(copy, reply, msg->mode, -EDEADLK);
	} else {
		copy->queued = true;
		copy->queued_at = ++sim_dlm.order;
		answer(copy, reply, msg->mode, -EINPROGRESS);
		for (other = msg->res->copies; other; other = next) {
			next = other->next;
			if (other != copy && needs_bast(other, msg->mode))
				send_bast(other, msg->mode);
		}
	}
}

static void unlock(struct dlm_copy *copy, const struct dlm_msg *msg)
{
	struct dlm_resource *res = copy->res;
	struct dlm_msg *reply;

	copy->wanted = -1;
	copy->queued = false;
	if (copy->granted >= MDC_PW && copy->has_lvb) {
		memcpy(res->lvb, msg->lvb, MDC_LVB_SIZE);
		res->has_lvb = true;
		res->lvb_bad = false;
		res->lvb_seq++;
		res->tag = ++sim_dlm.tags;
	}
	reply = to_node(copy, DLM_UNLOCK_REPLY, MDC_NL, 0);
	copy_free(copy);
	dlm_post(reply);
	dlm_resource_unuse(res);
	dlm_grant_pending(res);
}

static void cancel(struct dlm_copy *copy)
{
	struct dlm_resource *res = copy->res;
	bool was = copy->queued;

	if (was) {
		copy->queued = false;
		copy->wanted = -1;
	}
	dlm_post(to_node(copy, DLM_CANCEL_REPLY, copy->granted, was ? -ECANCELED : 0));
	if (was)
		dlm_grant_pending(res);
}

void dlm_master_receive(struct dlm_msg *msg)
{
	struct dlm_copy *copy = copy_of(msg->res, msg->lock, msg->generation);

	if (msg->type == DLM_REQUEST && msg->lock->generation == msg->generation) {
		copy = dlm_copy_new(msg->res, msg->lock);
		copy->wanted = MDC_NL;
		grant(copy);
		dlm_post(to_node(copy, DLM_REPLY, MDC_NL, 0));
		return;
	}
	if (!copy)
		return;
	if (msg->type == DLM_CONVERT)
		convert(copy, msg);
	else if (msg->type == DLM_UNLOCK)
		unlock(copy, msg);
	else if (msg->type == DLM_CANCEL)
		cancel(copy);
}

int dlm_dump(char *text, size_t size)
{
	static const char * const modes[] = { "-", "NL", "CR", "CW", "PR", "PW", "EX" };
	struct dlm_copy *copy;
	size_t len = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < DLM_RESOURCES_MAX; i++) {
		struct dlm_resource *res = &sim_dlm.res[i];

		if (!res->used || !res->copies || len + 100 > size)
			continue;
		len += snprintf(text + len, size - len, "  %s (master %d%s):", res->name,
				res->master + 1, res->lvb_bad ? ", block lost" : "");
		for (copy = res->copies; copy && len + 40 < size; copy = copy->next)
			len += snprintf(text + len, size - len, " %d:%s%s%s", copy->owner + 1,
					modes[copy->granted + 1], copy->queued ? ">" : "",
					copy->queued ? modes[copy->wanted + 1] : "");
		len += snprintf(text + len, size - len, "\n");
	}
	return len;
}
