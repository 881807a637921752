// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks as their owners see them: requests, and waiting for them. The owner leaves its request in
 * the lock and waits for the result; what asks the DLM is the lock's work (lockstep.c), so that the
 * owner can stop waiting whenever it has a reason to. Process context.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "lockstep.h"
#include "trace.h"

#define FIRST_LOG_MS 5000	/* a wait this long is logged, again at twice the time and so on */
#define LOG_MS_MAX 300000	/* at least so often */
#define LOOK_MS 1000		/* between looks at what wakes nobody: signals, the clock */
#define CANCEL_MS 10000		/* to wait for the end of what was given up, or freed */
#define DEADLOCK_MS 100U	/* before asking again after -EDEADLK, doubled */
#define DEADLOCK_MS_MAX 5000U

/* How long an owner waits, and what for: without any of it, for the end. */
struct patience {
	unsigned int timeout_ms;	/* 0: no limit */
	bool killable;			/* at any time; others only while locks stand still */
	bool uninterruptible;		/* not even then */
	bool (*give_up)(void *arg);
	void *arg;
};

struct waiting {
	u64 since;
	u64 next_log;
	bool logged;
};

/* Why not to wait any longer; 0: no reason. */
static int reason(struct mdc_lock *lock, const struct patience *p, const struct waiting *w)
{
	if (mdc_lockspace_abandoned(lock->ls) || mdc_lockspace_over(lock->ls))
		return -ESHUTDOWN;
	/* Whoever pokes after this is heard at the next look. */
	atomic_xchg(&lock->poked, 0);
	if (p->give_up && p->give_up(p->arg))
		return -ECANCELED;
	if (!p->uninterruptible && fatal_signal_pending(current) &&
	    (p->killable || mdc_lockspace_stopped(lock->ls)))
		return -EINTR;
	if (p->timeout_ms && mdc_now_ms() - w->since >= p->timeout_ms)
		return -ETIMEDOUT;
	return 0;
}

static bool request_done(struct mdc_lock *lock)
{
	bool done;

	spin_lock_irq(&lock->lock);
	done = lock->request == MDC_REQUEST_DONE;
	spin_unlock_irq(&lock->lock);
	return done;
}

static bool worth_a_look(struct mdc_lock *lock)
{
	return request_done(lock) || atomic_read(&lock->poked) ||
	       mdc_lockspace_abandoned(lock->ls);
}

/*
 * Waits a while, in a way that does not count as hung. Signals, the clock and what else wakes
 * nobody are looked at in between.
 */
static void wait_a_while(struct mdc_lock *lock, const struct patience *p, const struct waiting *w)
{
	u64 ms = LOOK_MS, passed = mdc_now_ms() - w->since;
	long jiffies_left;

	if (p->timeout_ms)
		ms = min_t(u64, ms, passed < p->timeout_ms ? p->timeout_ms - passed : 0);
	jiffies_left = msecs_to_jiffies(ms) + 1;
	if (p->killable)
		wait_event_killable_timeout(lock->wait, worth_a_look(lock), jiffies_left);
	else
		wait_event_idle_timeout(lock->wait, worth_a_look(lock), jiffies_left);
}

static void log_wait(struct mdc_lock *lock, enum mdc_mode from, enum mdc_mode to,
		     const struct patience *p, struct waiting *w)
{
	u64 ms = mdc_now_ms() - w->since;
	bool stopped = mdc_lockspace_stopped(lock->ls), lost = READ_ONCE(lock->lost);
	const char *why = "another node has it (dlm_tool lockdebug)";

	if (ms < w->next_log)
		return;
	if (lost)
		why = "the DLM does not know it any more; stop the array on this node";
	else if (stopped)
		why = "all locks stand still, no quorum or an endless recovery (dlm_tool ls)";
	/* Who can be interrupted may well wait for long: for another node's resync, say. */
	if (stopped || lost || !p->killable)
		pr_warn("lockspace %s: lock %s: waiting for %s -> %s for %llu s: %s\n",
			lock->ls->name, lock->name, mdc_mode_name(from), mdc_mode_name(to),
			ms / MSEC_PER_SEC, why);
	else
		pr_info("lockspace %s: lock %s: waiting for %s -> %s for %llu s: %s\n",
			lock->ls->name, lock->name, mdc_mode_name(from), mdc_mode_name(to),
			ms / MSEC_PER_SEC, why);
	w->logged = true;
	while (w->next_log <= ms)
		w->next_log += min_t(u64, w->next_log, LOG_MS_MAX);
}

static void end_waiting(struct mdc_lock *lock, enum mdc_mode from, enum mdc_mode to,
			const struct waiting *w, int result)
{
	u64 ms = mdc_now_ms() - w->since;

	trace_mdc_lock_wait(lock->name, from, to, ms, result);
	/* After a deadlock the wait goes on. */
	if (w->logged && result != -EDEADLK)
		pr_info("lockspace %s: lock %s: %s -> %s %s after %llu s\n", lock->ls->name,
			lock->name, mdc_mode_name(from), mdc_mode_name(to),
			result ? "given up" : "granted", ms / MSEC_PER_SEC);
}

static void begin_waiting(struct waiting *w)
{
	w->since = mdc_now_ms();
	w->next_log = FIRST_LOG_MS;
	w->logged = false;
}

static void post(struct mdc_lock *lock, enum mdc_mode mode, bool no_queue)
{
	spin_lock_irq(&lock->lock);
	lock->request = MDC_REQUEST_WANTED;
	lock->wanted = mode;
	lock->no_queue = no_queue;
	lock->give_up = false;
	spin_unlock_irq(&lock->lock);
	mdc_lock_call_work(lock, 0);
}

/* Takes the result, or takes the request back for the reason WHY. */
static int collect(struct mdc_lock *lock, int why)
{
	int ret = why;

	spin_lock_irq(&lock->lock);
	if (lock->request == MDC_REQUEST_DONE)
		ret = lock->result && why ? why : lock->result;
	lock->request = MDC_REQUEST_NONE;
	/* Nothing that may still be under way for a request that is done touches the block. */
	if (!ret && lock->with_lvb)
		memcpy(lock->lvb, lock->dlm_lvb, MDC_LVB_SIZE);
	spin_unlock_irq(&lock->lock);
	return ret;
}

/*
 * Gives the request up for the reason WHY, and waits for its end. If that does not come, since
 * locks stand still, the work goes on alone: the lock is back in its mode before it takes another
 * step.
 */
static int withdraw(struct mdc_lock *lock, int why)
{
	u64 since = mdc_now_ms();
	bool asked;

	spin_lock_irq(&lock->lock);
	asked = lock->request == MDC_REQUEST_ASKED;
	lock->give_up = asked;
	if (lock->request == MDC_REQUEST_WANTED)
		lock->request = MDC_REQUEST_NONE;
	spin_unlock_irq(&lock->lock);
	if (asked) {
		mdc_lock_call_work(lock, 0);
		while (!request_done(lock) && why != -ESHUTDOWN &&
		       mdc_now_ms() - since < CANCEL_MS && !mdc_lockspace_stopped(lock->ls))
			wait_event_idle_timeout(lock->wait, request_done(lock) ||
						mdc_lockspace_stopped(lock->ls),
						msecs_to_jiffies(LOOK_MS));
	}
	return collect(lock, why);
}

/* The owner's request, from its beginning to its end or as far as PATIENCE goes. */
static int request(struct mdc_lock *lock, enum mdc_mode mode, bool no_queue,
		   const struct patience *p, struct waiting *w)
{
	enum mdc_mode from = lock->mode;
	int ret;

	ret = reason(lock, p, w);
	if (ret)
		return ret;
	post(lock, mode, no_queue);
	while (!request_done(lock)) {
		wait_a_while(lock, p, w);
		if (request_done(lock))
			break;
		log_wait(lock, from, mode, p, w);
		ret = reason(lock, p, w);
		if (ret)
			break;
	}
	ret = ret ? withdraw(lock, ret) : collect(lock, 0);
	end_waiting(lock, from, mode, w, ret);
	return ret;
}

int mdc_lock_new(struct mdc_lockspace *ls, const char *name, bool with_lvb,
		 void (*bast_fn)(void *arg, int mode), void *arg, unsigned int timeout_ms,
		 struct mdc_lock **result)
{
	const struct patience patience = { .timeout_ms = timeout_ms };
	struct mdc_lock *lock;
	struct waiting w;
	int ret;

	if (strlen(name) > DLM_RESNAME_MAXLEN)
		return -ENAMETOOLONG;
	lock = mdc_lock_alloc(ls, name, with_lvb);
	if (!lock)
		return -ENOMEM;
	lock->bast = bast_fn;
	lock->bast_arg = arg;
	begin_waiting(&w);
	ret = request(lock, MDC_NL, false, &patience, &w);
	if (ret)
		mdc_lock_free(lock);
	else
		*result = lock;
	return ret;
}

/* There is no lock any more, or nobody can tell when that will be. */
static bool free_enough(struct mdc_lock *lock)
{
	bool gone;

	spin_lock_irq(&lock->lock);
	gone = lock->lost || (!lock->known && lock->asked == MDC_STEP_NONE);
	spin_unlock_irq(&lock->lock);
	return gone || mdc_lockspace_stopped(lock->ls) || mdc_lockspace_abandoned(lock->ls);
}

void mdc_lock_free(struct mdc_lock *lock)
{
	if (!lock)
		return;
	spin_lock_irq(&lock->lock);
	lock->freed = true;
	spin_unlock_irq(&lock->lock);
	mdc_lock_call_work(lock, 0);
	/* So that this node's next lock of that name does not find this one in its way. */
	wait_event_idle_timeout(lock->wait, free_enough(lock), msecs_to_jiffies(CANCEL_MS));
	mdc_lock_put(lock);
}

int mdc_lock_convert_until(struct mdc_lock *lock, enum mdc_mode mode,
			   bool (*give_up)(void *arg), void *arg)
{
	const struct patience patience = {
		.uninterruptible = true,
		.give_up = give_up,
		.arg = arg,
	};
	unsigned int pause_ms = DEADLOCK_MS;
	struct waiting w;
	int ret;

	begin_waiting(&w);
	for (;;) {
		ret = request(lock, mode, false, &patience, &w);
		if (ret != -EDEADLK)
			return ret;
		/*
		 * Another node's conversion waits for our mode and we for its: it has to give up,
		 * and one of ours will in time. A request that the kernel's module has left
		 * behind ends with that node's next one, or with the node.
		 */
		if (pause_ms == DEADLOCK_MS)
			pr_warn("lockspace %s: lock %s: %s -> %s and another node's conversion wait for each other (dlm_tool lockdebug): trying again\n",
				lock->ls->name, lock->name, mdc_mode_name(lock->mode),
				mdc_mode_name(mode));
		log_wait(lock, lock->mode, mode, &patience, &w);
		wait_event_idle_timeout(lock->wait, mdc_lockspace_abandoned(lock->ls),
					msecs_to_jiffies(pause_ms));
		pause_ms = min(2 * pause_ms, DEADLOCK_MS_MAX);
	}
}

int mdc_lock_convert(struct mdc_lock *lock, enum mdc_mode mode)
{
	return mdc_lock_convert_until(lock, mode, NULL, NULL);
}

int mdc_lock_lower(struct mdc_lock *lock, enum mdc_mode mode, bool (*give_up)(void *arg),
		   void *arg)
{
	int ret = mdc_lock_convert_until(lock, mode, give_up, arg);

	if (ret != -ECANCELED)
		return ret;
	/* The work brings what is held down to what the owner has. */
	spin_lock_irq(&lock->lock);
	if (mode < lock->mode)
		lock->mode = mode;
	spin_unlock_irq(&lock->lock);
	mdc_lock_call_work(lock, 0);
	return 0;
}

int mdc_lock_try(struct mdc_lock *lock, enum mdc_mode mode)
{
	const struct patience patience = {};
	struct waiting w;

	begin_waiting(&w);
	return request(lock, mode, true, &patience, &w);
}

int mdc_lock_convert_unless(struct mdc_lock *lock, enum mdc_mode mode, unsigned int timeout_ms,
			    bool (*give_up)(void *arg), void *arg)
{
	const struct patience patience = {
		.timeout_ms = timeout_ms,
		.killable = true,
		.give_up = give_up,
		.arg = arg,
	};
	struct waiting w;

	begin_waiting(&w);
	return request(lock, mode, false, &patience, &w);
}

void mdc_lock_poke(struct mdc_lock *lock)
{
	atomic_xchg(&lock->poked, 1);
	wake_up_all(&lock->wait);
}

void mdc_lock_drop_until(struct mdc_lock *lock, bool (*give_up)(void *arg), void *arg)
{
	int ret;

	if (lock->mode == MDC_NL)
		return;
	ret = mdc_lock_lower(lock, MDC_NL, give_up, arg);
	if (ret && ret != -ESHUTDOWN)
		pr_err("lockspace %s: lock %s stays in %s, where it stands in the way of other nodes (%d)\n",
		       lock->ls->name, lock->name, mdc_mode_name(lock->mode), ret);
}

void mdc_lock_drop(struct mdc_lock *lock)
{
	mdc_lock_drop_until(lock, NULL, NULL);
}

enum mdc_mode mdc_lock_mode(const struct mdc_lock *lock)
{
	return READ_ONCE(lock->mode);
}

const char *mdc_lock_name(const struct mdc_lock *lock)
{
	return lock->name;
}

u8 *mdc_lock_lvb(struct mdc_lock *lock)
{
	return lock->with_lvb ? lock->lvb : NULL;
}

bool mdc_lock_lvb_valid(const struct mdc_lock *lock)
{
	return READ_ONCE(lock->lvb_valid);
}
