// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking the DLM for what the owners of locks want, and hearing its answers.
 *
 * A lock's owner never calls the DLM. It leaves a request in the lock (lockres.c), and the lock's
 * work item asks the DLM for it, one step at a time, while the lockspace runs: so an owner waits
 * only as long as it wants to, whatever the DLM does, and nobody sleeps in the DLM while locks
 * stand still. (But for a work that has just entered it when they stop: the DLM tells of it after
 * the fact. It sleeps in there until they go on, and holds up nobody.) A request that its owner no
 * longer waits for is brought to its end by the work: cancelled, and if it was granted, converted
 * back. Until that is done the lock takes no other step; the lock status block is the DLM's for as
 * long as the DLM knows the lock.
 *
 * What a cancel can meet, in the DLM of Linux 6.1 to 7.2 (dlm_unlock() returns 0 for all of it):
 *   - the conversion waits: one AST, -DLM_ECANCEL;
 *   - it has been granted or refused already: nothing is cancelled, and the one AST, sent or on its
 *     way, is the conversion's own;
 *   - the grant and the cancel cross between two nodes: the AST is the grant's. The answer to the
 *     cancel comes after it, and until then the DLM refuses conversions (-EBUSY), or takes the old
 *     answer for one to a new cancel and loses a grant; and if the other node dies before it has
 *     answered, a second AST comes, -DLM_ECANCEL, for a lock that is granted.
 * Hence two rules. After a cancel that did not end in -DLM_ECANCEL the next step is a conversion to
 * the mode that is held, without queueing: the nodes' messages are in order, so with its answer all
 * of the cancel's is over (MDC_STEP_SETTLE). And an AST that no step waits for is passed over: that
 * is -DLM_ECANCEL where nothing was cancelled, and -DLM_EUNLOCK where nothing is unlocked.
 *
 * The work: process context, never two at a time for a lock. AST and BAST: as if in softirq
 * context; they hold the DLM's own locks, so they set state, wake, and queue the work.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "lockstep.h"

#define PAUSE_MS 10U		/* before asking the DLM again for what it could not do, doubled */
#define PAUSE_MS_MAX 1000U

const char *mdc_mode_name(enum mdc_mode mode)
{
	static const char * const names[] = { "NL", "CR", "CW", "PR", "PW", "EX" };

	return mode <= MDC_EX ? names[mode] : "?";
}

static void unlink_lock(struct kref *refs)
{
	list_del(&container_of(refs, struct mdc_lock, refs)->node);
}

/* LOCK, unlinked. The caller has a reference to the lockspace. */
static void free_lock(struct mdc_lock *lock)
{
	wake_up_all(&lock->ls->wait);
	mdc_lockspace_put(lock->ls);
	/* The AST of its unlocking may not be out of the spinlock yet. */
	kfree_rcu(lock, rcu);
}

void mdc_lock_put(struct mdc_lock *lock)
{
	struct mdc_lockspace *ls = lock->ls;
	bool last;

	mdc_lockspace_get(ls);
	spin_lock(&ls->lock);
	last = kref_put(&lock->refs, unlink_lock);
	spin_unlock(&ls->lock);
	if (last)
		free_lock(lock);
	mdc_lockspace_put(ls);
}

static void not_last(struct kref *refs)
{
	WARN_ON(1);
}

void mdc_lock_call_work(struct mdc_lock *lock, unsigned int delay_ms)
{
	kref_get(&lock->refs);
	/* If it was queued already, it has its reference. */
	if (mdc_lockspace_queue(&lock->work, msecs_to_jiffies(delay_ms)))
		kref_put(&lock->refs, not_last);
}

void mdc_locks_look_again(struct mdc_lockspace *ls)
{
	struct mdc_lock *lock, *next;

	spin_lock(&ls->lock);
	list_for_each_entry_safe(lock, next, &ls->locks, node) {
		wake_up_all(&lock->wait);
		kref_get(&lock->refs);
		if (mdc_lockspace_queue(&lock->work, 0) && kref_put(&lock->refs, unlink_lock))
			free_lock(lock);
	}
	spin_unlock(&ls->lock);
}

/* The end of a step. */

/* The request is over, unless its owner has left it already. */
static void end_request(struct mdc_lock *lock, int result)
{
	if (lock->request != MDC_REQUEST_ASKED)
		return;
	lock->request = MDC_REQUEST_DONE;
	lock->result = result;
}

static void end_convert(struct mdc_lock *lock, int result)
{
	lock->unsettled = lock->cancelled && result != -DLM_ECANCEL;
	if (!result) {
		lock->held = lock->target;
		if (lock->request == MDC_REQUEST_ASKED)
			lock->lvb_valid = !(lock->lksb.sb_flags & DLM_SBF_VALNOTVALID);
		/* Too late for its owner: a conversion down stands, one up is taken back. */
		if (lock->request == MDC_REQUEST_ASKED || lock->target < lock->mode)
			lock->mode = lock->target;
	}
	end_request(lock, result);
}

/* What was asked has ended with RESULT. Under the lock. */
static void end_step(struct mdc_lock *lock, int result)
{
	enum mdc_step step = lock->asked;

	lock->asked = MDC_STEP_NONE;
	switch (step) {
	case MDC_STEP_NEW:
		lock->known = !result;
		end_request(lock, result);
		break;
	case MDC_STEP_CONVERT:
		end_convert(lock, result);
		break;
	case MDC_STEP_SETTLE:
		lock->unsettled = false;
		break;
	case MDC_STEP_REVERT:
		if (!result)
			lock->held = lock->target;
		break;
	case MDC_STEP_UNLOCK:
		lock->known = false;
		break;
	case MDC_STEP_NONE:
		break;
	}
	wake_up_all(&lock->wait);
}

/* What is to be asked next, with nothing under way. Under the lock. */
static enum mdc_step next_step(const struct mdc_lock *lock)
{
	if (lock->asked != MDC_STEP_NONE || lock->lost)
		return MDC_STEP_NONE;
	if (!lock->known)
		return lock->request == MDC_REQUEST_WANTED ? MDC_STEP_NEW : MDC_STEP_NONE;
	if (lock->unsettled)
		return MDC_STEP_SETTLE;
	if (lock->freed)
		return MDC_STEP_UNLOCK;
	if (lock->held != lock->mode)
		return MDC_STEP_REVERT;
	return lock->request == MDC_REQUEST_WANTED ? MDC_STEP_CONVERT : MDC_STEP_NONE;
}

/* Nothing is under way, and the DLM knows nothing of the lock: it will not call again. */
static bool dlm_is_done(const struct mdc_lock *lock)
{
	return lock->dlm_ref && !lock->known && lock->asked == MDC_STEP_NONE;
}

/* Whether STATUS answers what was asked. Under the lock. */
static bool awaited(const struct mdc_lock *lock, int status)
{
	if (status == -DLM_ECANCEL)
		return lock->asked == MDC_STEP_CONVERT && lock->cancelled;
	if (lock->asked == MDC_STEP_UNLOCK)
		return status == -DLM_EUNLOCK;
	return lock->asked != MDC_STEP_NONE && status != -DLM_EUNLOCK;
}

static void ast(void *arg)
{
	struct mdc_lock *lock = arg;
	unsigned long flags;
	int status;

	/* Once the lock is let go below, the work may free it: not before this is over. */
	rcu_read_lock();
	spin_lock_irqsave(&lock->lock, flags);
	status = lock->lksb.sb_status;
	if (awaited(lock, status)) {
		end_step(lock, status);
		if (!lock->stepping && (dlm_is_done(lock) || next_step(lock) != MDC_STEP_NONE))
			mdc_lock_call_work(lock, 0);
	}
	spin_unlock_irqrestore(&lock->lock, flags);
	rcu_read_unlock();
}

static void bast(void *arg, int mode)
{
	struct mdc_lock *lock = arg;
	unsigned long flags;

	spin_lock_irqsave(&lock->lock, flags);
	if (!lock->freed)
		lock->bast(lock->bast_arg, mode);
	spin_unlock_irqrestore(&lock->lock, flags);
}

/* The work. */

/* Its owner does not want it any more. What does not queue has its answer soon enough. */
static bool must_cancel(const struct mdc_lock *lock)
{
	return lock->asked == MDC_STEP_CONVERT && !lock->cancelled &&
	       !(lock->flags & DLM_LKF_NOQUEUE) &&
	       (lock->give_up || lock->request != MDC_REQUEST_ASKED);
}

static void begin_request(struct mdc_lock *lock)
{
	lock->request = MDC_REQUEST_ASKED;
	lock->target = lock->wanted;
	lock->flags |= lock->no_queue ? DLM_LKF_NOQUEUE : 0;
	if (!lock->with_lvb)
		return;
	lock->flags |= DLM_LKF_VALBLK;
	/* The DLM leaves the block as it is if nobody has ever written it: then it is zero. */
	if (lock->held == MDC_NL)
		memset(lock->dlm_lvb, 0, MDC_LVB_SIZE);
	else
		memcpy(lock->dlm_lvb, lock->lvb, MDC_LVB_SIZE);
}

/*
 * What ask() will do. Only a request reads or writes the value block (VALBLK): the other
 * conversions are none of the owner's. Under the lock.
 */
static void begin_step(struct mdc_lock *lock, enum mdc_step step)
{
	lock->asked = step;
	lock->cancelled = false;
	lock->flags = DLM_LKF_CONVERT;
	lock->target = lock->held;
	switch (step) {
	case MDC_STEP_NEW:
		lock->dlm_ref = true;
		kref_get(&lock->refs);
		/* NL is granted whoever waits. */
		begin_request(lock);
		lock->flags ^= DLM_LKF_CONVERT | DLM_LKF_EXPEDITE;
		break;
	case MDC_STEP_CONVERT:
		begin_request(lock);
		break;
	case MDC_STEP_SETTLE:
		lock->flags |= DLM_LKF_NOQUEUE;
		break;
	case MDC_STEP_REVERT:
		lock->target = lock->mode;
		break;
	case MDC_STEP_UNLOCK:
	case MDC_STEP_NONE:
		break;
	}
}

/* The same pointer as AST argument each time: dlm_unlock() replaces it, for a cancel as well. */
static int ask(struct mdc_lock *lock, enum mdc_step step, bool cancel)
{
	dlm_lockspace_t *dlm = lock->ls->dlm;

	if (cancel)
		return dlm_unlock(dlm, lock->lksb.sb_lkid, DLM_LKF_CANCEL, &lock->lksb, lock);
	if (step == MDC_STEP_UNLOCK)
		return dlm_unlock(dlm, lock->lksb.sb_lkid, 0, &lock->lksb, lock);
	return dlm_lock(dlm, lock->target, &lock->lksb, lock->flags, lock->name,
			strlen(lock->name), 0, ast, lock, lock->bast ? bast : NULL);
}

/* Worth asking again a little later: a step before is not quite over, or memory is short. */
static bool passes(int error)
{
	return error == -EBUSY || error == -EAGAIN || error == -ENOMEM || error == -ENOBUFS;
}

/*
 * The DLM did not take what it was asked: no AST comes for it. Returns how long to wait before it
 * is asked again; 0: it is not. Under the lock.
 */
static unsigned int refused(struct mdc_lock *lock, enum mdc_step step, int error)
{
	bool requested = step == MDC_STEP_NEW || step == MDC_STEP_CONVERT;

	if (requested && (!passes(error) || lock->give_up)) {
		end_step(lock, error);
		return 0;
	}
	lock->asked = MDC_STEP_NONE;
	if (requested && lock->request == MDC_REQUEST_ASKED)
		lock->request = MDC_REQUEST_WANTED;
	if (!passes(error)) {
		pr_err("lockspace %s: lock %s, held in %s: the DLM does not know it (%d): it can only be had again after this node has left the lockspace\n",
		       lock->ls->name, lock->name, mdc_mode_name(lock->held), error);
		lock->lost = true;
		wake_up_all(&lock->wait);	/* mdc_lock_free() has nothing more to wait for */
		return 0;
	}
	lock->pause_ms = clamp(2 * lock->pause_ms, PAUSE_MS, PAUSE_MS_MAX);
	return lock->pause_ms;
}

/* The same for a cancel: the conversion goes on, if its AST has not come by now. */
static unsigned int cancel_refused(struct mdc_lock *lock, int error)
{
	lock->cancelled = false;
	if (lock->asked != MDC_STEP_CONVERT)
		return 0;
	if (!passes(error))
		pr_err_ratelimited("lockspace %s: lock %s, held in %s: a conversion cannot be cancelled (%d)\n",
				   lock->ls->name, lock->name, mdc_mode_name(lock->held), error);
	return PAUSE_MS_MAX;
}

/* Asks the DLM for one thing. False: there is nothing to ask for now. */
static bool take_step(struct mdc_lock *lock)
{
	enum mdc_step step = MDC_STEP_NONE;
	unsigned int pause = 0;
	bool cancel;
	int ret;

	if (!mdc_dlm_enter(lock->ls))
		return false;
	spin_lock_irq(&lock->lock);
	cancel = must_cancel(lock);
	if (cancel)
		lock->cancelled = true;
	else
		step = next_step(lock);
	if (step != MDC_STEP_NONE)
		begin_step(lock, step);
	lock->stepping = cancel || step != MDC_STEP_NONE;
	spin_unlock_irq(&lock->lock);

	ret = cancel || step != MDC_STEP_NONE ? ask(lock, step, cancel) : 0;
	mdc_dlm_exit(lock->ls);

	spin_lock_irq(&lock->lock);
	lock->stepping = false;
	if (ret)
		pause = cancel ? cancel_refused(lock, ret) : refused(lock, step, ret);
	else if (step != MDC_STEP_NONE)
		lock->pause_ms = 0;
	spin_unlock_irq(&lock->lock);
	if (pause)
		mdc_lock_call_work(lock, pause);
	return !pause && (cancel || step != MDC_STEP_NONE);
}

/* The lockspace is released: no AST comes any more, whatever was asked. Under the lock. */
static void forget(struct mdc_lock *lock)
{
	if (lock->request == MDC_REQUEST_WANTED)
		lock->request = MDC_REQUEST_ASKED;
	end_request(lock, -ESHUTDOWN);
	lock->asked = MDC_STEP_NONE;
	lock->known = false;
	lock->lost = true;
	wake_up_all(&lock->wait);
}

static void work_on(struct work_struct *work)
{
	struct mdc_lock *lock = container_of(to_delayed_work(work), struct mdc_lock, work);
	bool done;

	while (take_step(lock))
		;
	spin_lock_irq(&lock->lock);
	if (mdc_lockspace_over(lock->ls))
		forget(lock);
	done = dlm_is_done(lock);
	if (done)
		lock->dlm_ref = false;
	spin_unlock_irq(&lock->lock);
	if (done)
		mdc_lock_put(lock);
	mdc_lock_put(lock);
}

struct mdc_lock *mdc_lock_alloc(struct mdc_lockspace *ls, const char *name, bool with_lvb)
{
	struct mdc_lock *lock = kzalloc(sizeof(*lock), GFP_KERNEL);

	if (!lock)
		return NULL;
	lock->ls = ls;
	kref_init(&lock->refs);
	INIT_DELAYED_WORK(&lock->work, work_on);
	init_waitqueue_head(&lock->wait);
	strscpy(lock->name, name, sizeof(lock->name));
	lock->with_lvb = with_lvb;
	if (with_lvb)
		lock->lksb.sb_lvbptr = (char *)lock->dlm_lvb;
	spin_lock_init(&lock->lock);
	mdc_lockspace_get(ls);
	spin_lock(&ls->lock);
	list_add(&lock->node, &ls->locks);
	spin_unlock(&ls->lock);
	return lock;
}
