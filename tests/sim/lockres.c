// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * module/lockres.h on the simulated DLM: the node's side of its locks. Requests wait while the
 * lockspace stands still, as dlm_lock() and dlm_unlock() do, and no signal helps there.
 */
#include "check.h"
#include "dlm.h"
#include "members.h"
#include "world.h"

#define CB_LATE_US 3000
#define CANCEL_JIFFIES (10 * HZ)	/* to wait for the end of what was given up */

/* Callbacks: at once, as from softirq, or a little later, as from a workqueue. */

static void cast_now(void *a, u64 b)
{
	struct mdc_lock *lock = a;

	if (lock->generation != (u32)b || member_dead(lock->node))
		return;
	lock->done = true;
	sim_wake_queue(&lock->wait);
}

static void bast_now(void *a, u64 b)
{
	struct mdc_lock *lock = a;

	if (lock->generation == (u32)b && !member_dead(lock->node) && !lock->orphan)
		lock->bast(lock->arg, b >> 32);
}

static void callback(struct mdc_lock *lock, void (*fn)(void *a, u64 b), int mode)
{
	u64 b = (u64)mode << 32 | lock->generation;

	if (!sim_dlm.callbacks_late) {
		sim_softirq_begin();
		fn(lock, b);
		sim_softirq_end();
		return;
	}
	lock->cb_at = max(lock->cb_at, sim_now_us + sim_below(CB_LATE_US));
	sim_after(lock->cb_at - sim_now_us, fn, lock, b);
}

void dlm_cast(struct mdc_lock *lock, int status)
{
	lock->status = status;
	lock->last_cast = lock->granted;
	lock->last_bast = -1;
	callback(lock, cast_now, 0);
}

void dlm_unlocked(struct mdc_lock *lock)
{
	dlm_cast(lock, 0);
	/* Before its owner hears of it: a recovery does not bring it back. */
	lock->granted = -1;
	if (lock->orphan)
		dlm_lock_forget(lock);
}

static void bast(struct mdc_lock *lock, int mode)
{
	/* As fs/dlm leaves some out that say nothing new. */
	if (!lock->bast || dlm_compatible(lock->last_cast, mode) ||
	    lock->last_bast == mode || (lock->last_bast > mode && lock->last_bast > MDC_PR))
		return;
	lock->last_bast = mode;
	callback(lock, bast_now, mode);
}

static void granted(struct mdc_lock *lock, const struct dlm_msg *msg)
{
	bool up = lock->granted < MDC_PW ? msg->mode >= lock->granted :
					   lock->granted == MDC_PW && msg->mode == MDC_EX;

	if (lock->with_lvb && up && msg->has_lvb) {
		memcpy(lock->lvb, msg->lvb, MDC_LVB_SIZE);
		lock->tag = msg->tag;
	} else if (lock->with_lvb && up && lock->granted == MDC_NL) {
		memset(lock->lvb, 0, MDC_LVB_SIZE);
	}
	if (lock->with_lvb)
		lock->lvb_seq = msg->lvb_seq;
	lock->lvb_bad = msg->lvb_bad;
	lock->granted = msg->mode;
	lock->wanted = -1;
	lock->queued = false;
	dlm_cast(lock, 0);
	if (lock->orphan && !lock->busy) {
		lock->waits = WAITS_UNLOCK;
		dlm_submit(lock, DLM_UNLOCK, MDC_NL);
	}
}

void dlm_down_now(struct mdc_lock *lock)
{
	lock->unposted = true;
	lock->granted = lock->wanted;
	lock->wanted = -1;
	lock->waits = WAITS_NOT;
	dlm_cast(lock, 0);
}

void dlm_node_receive(struct dlm_msg *msg)
{
	struct mdc_lock *lock = msg->lock;

	switch (msg->type) {
	case DLM_REPLY:
		lock->waits = WAITS_NOT;
		lock->queued = msg->result == -EINPROGRESS;
		if (!msg->result) {
			granted(lock, msg);
		} else if (msg->result != -EINPROGRESS) {
			lock->wanted = -1;
			dlm_cast(lock, msg->result);
		}
		break;
	case DLM_GRANT:
		granted(lock, msg);
		break;
	case DLM_BAST:
		bast(lock, msg->mode);
		break;
	case DLM_CANCEL_REPLY:
		lock->cancelling = false;
		sim_wake_queue(&lock->wait);
		if (msg->result) {
			lock->queued = false;
			lock->wanted = -1;
			dlm_cast(lock, msg->result);
		}
		break;
	case DLM_UNLOCK_REPLY:
		lock->waits = WAITS_NOT;
		dlm_unlocked(lock);
		break;
	default:
		break;
	}
}

/* Locks. */

static struct mdc_lock *new_lock(int node)
{
	struct mdc_lock *lock;
	u32 generation;
	int i;

	for (i = 0; i < DLM_LOCKS_MAX && sim_dlm.locks[i].used; i++)
		;
	if (i == DLM_LOCKS_MAX)
		sim_fail("more than %d locks", DLM_LOCKS_MAX);
	lock = &sim_dlm.locks[i];
	generation = lock->generation + 1;
	memset(lock, 0, sizeof(*lock));
	lock->generation = generation;
	lock->used = true;
	lock->node = node;
	lock->granted = -1;
	lock->wanted = -1;
	lock->last_cast = -1;
	lock->last_bast = -1;
	init_waitqueue_head(&lock->wait);
	return lock;
}

void dlm_lock_forget(struct mdc_lock *lock)
{
	lock->used = false;
	lock->generation++;
	/* Only what ends a request that was given up may still wait there. */
	if (lock->busy)
		sim_wake_queue(&lock->wait);
	else
		sim_check_waiters_in(lock, sizeof(*lock));
}

void dlm_void_locks_of(int node)
{
	int i;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		if (sim_dlm.locks[i].used && sim_dlm.locks[i].node == node) {
			sim_dlm.locks[i].used = false;
			sim_dlm.locks[i].generation++;
		}
}

int dlm_locks_of(int node)
{
	int i, count = 0;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		count += sim_dlm.locks[i].used && sim_dlm.locks[i].node == node;
	return count;
}

void dlm_orphans_gone(int node)
{
	int i;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		if (sim_dlm.locks[i].used && sim_dlm.locks[i].node == node &&
		    sim_dlm.locks[i].orphan)
			dlm_lock_forget(&sim_dlm.locks[i]);
}

void dlm_wake_locks(int node)
{
	int i;

	for (i = 0; i < DLM_LOCKS_MAX; i++)
		if (sim_dlm.locks[i].used && sim_dlm.locks[i].node == node)
			sim_wake_queue(&sim_dlm.locks[i].wait);
}

/* Hands the request in, while the locks run; its answer is in STATUS when DONE is set. */
static void request(struct mdc_lock *lock, enum dlm_type type, int mode)
{
	lock->done = false;
	if (lock->waits || lock->queued || lock->wanted >= 0)
		sim_fail("two requests at a time for the lock %s", lock->res->name);
	lock->waits = type == DLM_UNLOCK ? WAITS_UNLOCK :
		      type == DLM_REQUEST ? WAITS_REQUEST : WAITS_CONVERT;
	lock->wanted = mode;
	if (lock->res->master < 0)
		lock->res->master = lock->node;
	dlm_submit(lock, type, mode);
	sim_preempt();
}

static void must_be_ours(const struct mdc_lock *lock, const char *who)
{
	sim_may_block(who);
	if (!lock || !lock->used || lock->orphan || lock->node != sim_node_here())
		sim_fail("%s() of a lock that this node does not have", who);
}

static bool may_ask(struct mdc_lock *lock)
{
	return member_locks_run(lock->node) && !lock->busy && !lock->cancelling;
}

static bool is_done(struct mdc_lock *lock)
{
	return lock->done;
}

static bool never(struct mdc_lock *lock)
{
	(void)lock;
	return false;
}

/* Waiting for an answer, or for leave to ask. */

enum killable { KILLABLE_NOT, KILLABLE_STOPPED, KILLABLE };

struct limit {
	struct mdc_lock *lock;
	bool (*give_up)(void *arg);
	void *arg;
	enum killable killable;
	u64 end;
	int why;
};

static bool over(struct limit *limit, bool (*until)(struct mdc_lock *lock))
{
	if (until(limit->lock))
		return true;
	if (member_abandoned(limit->lock->node))
		limit->why = -ESHUTDOWN;
	else if (limit->give_up && limit->give_up(limit->arg))
		limit->why = -ECANCELED;
	else if (limit->killable == KILLABLE_STOPPED && fatal_signal_pending(current) &&
		 !member_locks_run(limit->lock->node))
		limit->why = -EINTR;
	return limit->why != 0;
}

/* 0: UNTIL came about; else why it is not waited for any longer. */
static int wait_unless(struct limit *limit, bool (*until)(struct mdc_lock *lock), u64 end)
{
	wait_queue_head_t *queue = &limit->lock->wait;
	long left;

	end = min(end, limit->end);
	do {
		left = MAX_SCHEDULE_TIMEOUT;
		if (end != UINT64_MAX)
			left = end > sim_now_us ? (long)((end - sim_now_us + 3999) / 4000) : 0;
		/* What would have it give up wakes nobody. */
		if (limit->give_up)
			left = min(left, (long)HZ);
		if (limit->killable == KILLABLE)
			left = wait_event_killable_timeout(*queue, over(limit, until), left);
		else
			left = wait_event_timeout(*queue, over(limit, until), left);
		if (limit->why || left > 0)
			return limit->why;
		if (left < 0)
			return -EINTR;
	} while (sim_now_us < end);
	return -ETIMEDOUT;
}

int mdc_lock_new(struct mdc_lockspace *ls, const char *name, bool with_lvb,
		 void (*bast_fn)(void *arg, int mode), void *arg, unsigned int timeout_ms,
		 struct mdc_lock **result)
{
	struct limit limit = {
		.killable = KILLABLE_STOPPED,
		.end = timeout_ms ? sim_now_us + (u64)timeout_ms * 1000 : UINT64_MAX,
	};
	struct mdc_lock *lock;
	int ret;

	sim_may_block(__func__);
	if (!ls)
		sim_fail("a lock is made without a lockspace");
	if (sim_out_of_memory(sim_current_node()))
		return -ENOMEM;
	lock = new_lock(sim_node_here());
	limit.lock = lock;
	lock->with_lvb = with_lvb;
	lock->bast = bast_fn;
	lock->arg = arg;
	lock->mode = MDC_NL;
	ret = wait_unless(&limit, may_ask, UINT64_MAX);
	if (ret) {
		dlm_lock_forget(lock);
		return ret;
	}
	lock->res = dlm_resource(name, lock->node);
	request(lock, DLM_REQUEST, MDC_NL);
	ret = wait_unless(&limit, is_done, UINT64_MAX);
	if (ret) {
		lock->orphan = true;
		return ret;
	}
	*result = lock;
	return 0;
}

void mdc_lock_free(struct mdc_lock *lock)
{
	if (!lock)
		return;
	must_be_ours(lock, __func__);
	sim_trace("free %s", lock->res->name);
	if (lock->busy || !member_locks_run(lock->node)) {
		lock->orphan = true;
		return;
	}
	lock->freed = true;
	request(lock, DLM_UNLOCK, MDC_NL);
	wait_event_timeout(lock->wait, lock->done || !member_locks_run(lock->node),
			   CANCEL_JIFFIES);
	if (lock->done)
		dlm_lock_forget(lock);
	else
		lock->orphan = true;
}

/*
 * A request that was given up, and whose end was not awaited: cancelled, or taken back. The lock
 * may be gone meanwhile.
 */
static int end_given_up(void *arg)
{
	struct mdc_lock *lock = arg;
	u32 life = lock->generation;

	while (!lock->done) {
		if (member_locks_run(lock->node) && !lock->cancelling) {
			lock->cancelling = true;
			dlm_submit(lock, DLM_CANCEL, lock->wanted);
		}
		/* One that came too late, or went down with a master, is said again. */
		wait_event_timeout(lock->wait, lock->generation != life || lock->done, HZ);
		if (lock->generation != life)
			return 0;
	}
	/* A conversion down may come true all the same. */
	lock->mode = min(lock->mode, lock->granted);
	while (lock->granted != lock->mode) {
		wait_event(lock->wait, lock->generation != life || member_locks_run(lock->node));
		if (lock->generation != life)
			return 0;
		request(lock, DLM_CONVERT, lock->mode);
		wait_event(lock->wait, lock->generation != life || lock->done);
		if (lock->generation != life)
			return 0;
	}
	lock->busy = false;
	if (lock->orphan && member_locks_run(lock->node))
		request(lock, DLM_UNLOCK, MDC_NL);
	sim_wake_queue(&lock->wait);
	return 0;
}

static void give_up(struct limit *limit)
{
	struct mdc_lock *lock = limit->lock;

	if (member_locks_run(lock->node)) {
		lock->cancelling = true;
		dlm_submit(lock, DLM_CANCEL, lock->wanted);
	}
	wait_event_timeout(lock->wait, lock->done || !member_locks_run(lock->node) ||
			   limit->why == -ESHUTDOWN, CANCEL_JIFFIES);
	if (lock->done)
		return;
	lock->busy = true;
	sim_spawn(sim_current_node(), "lockwork", end_given_up, lock);
}

static int convert_limited(struct limit *limit, enum mdc_mode mode, const char *who)
{
	struct mdc_lock *lock = limit->lock;
	int ret;

	must_be_ours(lock, who);
	ret = wait_unless(limit, may_ask, UINT64_MAX);
	if (!ret) {
		request(lock, DLM_CONVERT, mode);
		/* What is done on the spot takes its time as well. */
		if (lock->done)
			sim_sleep_us(1 + sim_below(20));
		ret = wait_unless(limit, is_done, UINT64_MAX);
		if (ret)
			give_up(limit);
		if (!lock->busy && lock->status != -ECANCELED)
			ret = lock->status;
	}
	if (!ret)
		lock->mode = mode;
	sim_trace("%s to %d: %d", lock->res->name, mode, ret);
	check_lock(lock);
	return ret;
}

int mdc_lock_convert_until(struct mdc_lock *lock, enum mdc_mode mode,
			   bool (*ask)(void *arg), void *arg)
{
	struct limit limit = { .lock = lock, .give_up = ask, .arg = arg, .end = UINT64_MAX };
	u64 pause = 100000;
	int ret;

	while ((ret = convert_limited(&limit, mode, __func__)) == -EDEADLK) {
		ret = wait_unless(&limit, never, sim_now_us + pause);
		if (ret != -ETIMEDOUT)
			break;
		pause = min(2 * pause, (u64)5000000);
	}
	return ret;
}

int mdc_lock_convert(struct mdc_lock *lock, enum mdc_mode mode)
{
	return mdc_lock_convert_until(lock, mode, NULL, NULL);
}

int mdc_lock_lower(struct mdc_lock *lock, enum mdc_mode mode, bool (*ask)(void *arg), void *arg)
{
	int ret = mdc_lock_convert_until(lock, mode, ask, arg);

	if (ret != -ECANCELED)
		return ret;
	lock->mode = min(lock->mode, mode);
	if (!lock->busy && lock->granted != lock->mode) {
		/* Nothing is under way that the work would have to wait for. */
		lock->busy = true;
		lock->done = true;
		sim_spawn(sim_current_node(), "lockwork", end_given_up, lock);
	}
	return 0;
}

int mdc_lock_try(struct mdc_lock *lock, enum mdc_mode mode)
{
	struct limit limit = { .lock = lock, .killable = KILLABLE_STOPPED, .end = UINT64_MAX };
	int ret;

	lock->noqueue = true;
	ret = convert_limited(&limit, mode, __func__);
	lock->noqueue = false;
	return ret;
}

int mdc_lock_convert_unless(struct mdc_lock *lock, enum mdc_mode mode, unsigned int timeout_ms,
			    bool (*ask)(void *arg), void *arg)
{
	struct limit limit = {
		.lock = lock,
		.give_up = ask,
		.arg = arg,
		.killable = KILLABLE,
		.end = timeout_ms ? sim_now_us + (u64)timeout_ms * 1000 : UINT64_MAX,
	};

	return convert_limited(&limit, mode, __func__);
}

void mdc_lock_poke(struct mdc_lock *lock)
{
	if (!lock->used)
		sim_fail("mdc_lock_poke() of a lock that is gone");
	sim_wake_queue(&lock->wait);
}

void mdc_lock_drop_until(struct mdc_lock *lock, bool (*ask)(void *arg), void *arg)
{
	int ret = mdc_lock_lower(lock, MDC_NL, ask, arg);

	if (ret && ret != -ESHUTDOWN)
		sim_fail("the lock %s was not dropped: %d", lock->res->name, ret);
}

void mdc_lock_drop(struct mdc_lock *lock)
{
	mdc_lock_drop_until(lock, NULL, NULL);
}

enum mdc_mode mdc_lock_mode(const struct mdc_lock *lock)
{
	return lock->mode;
}

const char *mdc_lock_name(const struct mdc_lock *lock)
{
	return lock->res->name;
}

u8 *mdc_lock_lvb(struct mdc_lock *lock)
{
	return lock->with_lvb ? lock->lvb : NULL;
}

bool mdc_lock_lvb_valid(const struct mdc_lock *lock)
{
	return !lock->lvb_bad;
}
