// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of locks when members are gone: theirs are taken away, resources that they were
 * the masters of get a new one, which is told of the others' locks in any order, and value blocks
 * whose last state is not known are marked so.
 */
#include "check.h"
#include "dlm.h"
#include "members.h"

static void purge(struct dlm_resource *res, const bool *gone)
{
	struct dlm_copy **at = &res->copies, *copy;

	while ((copy = *at)) {
		if (!gone[copy->owner] ||
		    (sim_options.fault == SIM_BREAK_NO_PURGE && sim_chance(3))) {
			at = &copy->next;
			continue;
		}
		if (copy->granted >= MDC_PW && copy->has_lvb)
			res->lvb_bad = true;
		res->recover_grant = true;
		*at = copy->next;
		free(copy);
	}
}

static bool survives(const struct mdc_lock *lock, const struct dlm_resource *res,
		     const bool *gone)
{
	return lock->used && lock->res == res && !gone[lock->node] && lock->granted >= 0 &&
	       !member_dead(lock->node);
}

static int pick_master(const struct dlm_resource *res, const bool *gone)
{
	int nodes[SIM_NODES_MAX];
	int i, count = 0;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		if (survives(&sim_dlm.locks[i], res, gone) && count < SIM_NODES_MAX)
			nodes[count++] = sim_dlm.locks[i].node;
	return count ? nodes[sim_below(count)] : -1;
}

/* What LOCK's node had under way with a master that is gone. */
static void settle_pending(struct mdc_lock *lock)
{
	if (lock->waits == WAITS_UNLOCK) {
		lock->waits = WAITS_NOT;
		lock->unlocked = true;
	} else if (lock->cancelling) {
		/* Unless what is cancelled was granted before. */
		lock->cancelled = lock->waits || lock->queued;
		lock->waits = WAITS_NOT;
		lock->cancelling = false;
	} else if (lock->waits) {
		lock->resend = true;
	}
}

static void rebuild_one(struct dlm_resource *res, struct mdc_lock *lock)
{
	struct dlm_copy *copy = dlm_copy_new(res, lock);

	copy->granted = lock->granted;
	copy->lvb_seq = lock->lvb_seq;
	copy->tag = lock->tag;
	memcpy(copy->lvb, lock->lvb, MDC_LVB_SIZE);
	if (lock->queued && !lock->cancelled) {
		copy->queued = true;
		copy->wanted = lock->wanted;
		/* The order is not the old one. */
		copy->queued_at = sim_dlm.order + 1 + sim_below(1000) * DLM_LOCKS_MAX +
				  (lock - sim_dlm.locks);
	}
	if (lock->unposted && lock->with_lvb) {
		copy->tag = ++sim_dlm.tags;
		lock->tag = copy->tag;
		if (lock->granted == MDC_CW && !strcmp(res->name, "message"))
			check_message_out(lock->node, copy->tag, lock->lvb);
	}
	lock->unposted = false;
}

static void rebuild(struct dlm_resource *res, const bool *gone)
{
	int i;

	dlm_copies_free(res);
	for (i = 0; i < DLM_LOCKS_MAX; i++) {
		struct mdc_lock *lock = &sim_dlm.locks[i];

		if (!lock->used || lock->res != res || gone[lock->node] ||
		    member_dead(lock->node))
			continue;
		settle_pending(lock);
		if (lock->granted >= 0 && !lock->unlocked)
			rebuild_one(res, lock);
	}
	sim_dlm.order += 1001 * DLM_LOCKS_MAX;
	res->recover_grant = true;
}

/* The new master knows of the value block what the locks' holders have of it. */
static void rebuild_lvb(struct dlm_resource *res)
{
	struct dlm_copy *copy, *big = NULL, *newest = NULL;

	for (copy = res->copies; copy; copy = copy->next) {
		if (!copy->has_lvb)
			continue;
		if (copy->granted > MDC_CR)
			big = copy;
		if (!newest || (s32)(copy->lvb_seq - newest->lvb_seq) >= 0)
			newest = copy;
	}
	if (!newest)
		return;
	res->lvb_bad = !big;
	if (big)
		newest = big;
	res->has_lvb = true;
	res->lvb_seq = newest->lvb_seq;
	res->tag = newest->tag;
	memcpy(res->lvb, newest->lvb, MDC_LVB_SIZE);
}

void dlm_take_away(const bool *gone)
{
	int i, j, master;

	for (i = 0; i < DLM_RESOURCES_MAX; i++) {
		struct dlm_resource *res = &sim_dlm.res[i];

		if (!res->used || res->master < 0)
			continue;
		if (!gone[res->master]) {
			purge(res, gone);
			dlm_resource_unuse(res);
			continue;
		}
		master = pick_master(res, gone);
		if (master < 0) {
			/* Requests that were under way find a new master when they are sent again. */
			for (j = 0; j < DLM_LOCKS_MAX; j++)
				if (sim_dlm.locks[j].used && sim_dlm.locks[j].res == res &&
				    !gone[sim_dlm.locks[j].node])
					settle_pending(&sim_dlm.locks[j]);
			dlm_copies_free(res);
			dlm_resource_unuse(res);
			res->master = -1;
			continue;
		}
		res->master = master;
		rebuild(res, gone);
		rebuild_lvb(res);
	}
}

void dlm_resend(int node)
{
	static const enum dlm_type types[] = {
		[WAITS_REQUEST] = DLM_REQUEST,
		[WAITS_CONVERT] = DLM_CONVERT,
		[WAITS_UNLOCK] = DLM_UNLOCK,
	};
	int i;

	for (i = 0; i < DLM_LOCKS_MAX; i++) {
		struct mdc_lock *lock = &sim_dlm.locks[i];

		if (!lock->used || lock->node != node)
			continue;
		if (lock->unlocked) {
			lock->unlocked = false;
			dlm_unlocked(lock);
		} else if (lock->cancelled) {
			lock->cancelled = false;
			lock->queued = false;
			lock->wanted = -1;
			dlm_cast(lock, -ECANCELED);
		} else if (lock->resend) {
			lock->resend = false;
			if (lock->res->master < 0)
				lock->res->master = node;
			dlm_submit(lock, types[lock->waits], lock->wanted);
		} else if (lock->orphan && !lock->waits && !lock->queued && !lock->busy) {
			lock->waits = WAITS_UNLOCK;
			lock->wanted = MDC_NL;
			if (lock->res->master < 0)
				lock->res->master = node;
			dlm_submit(lock, DLM_UNLOCK, MDC_NL);
		}
	}
}

void dlm_recovered(int node)
{
	int i;

	for (i = 0; i < DLM_RESOURCES_MAX; i++) {
		struct dlm_resource *res = &sim_dlm.res[i];

		if (!res->used || res->master != node || !res->recover_grant)
			continue;
		dlm_grant_pending(res);
		res->recover_grant = false;
	}
}
