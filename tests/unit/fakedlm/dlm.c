// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fake DLM: no other nodes, no queues, only what this node sees of them. A call draws its fate
 * from the test; what comes of it is on the simulated clock. Callbacks keep their order.
 */
#include <stdarg.h>

#include "fakedlm.h"

#define LOCKS_MAX 16
#define RESOURCES_MAX 8
#define CALLBACKS_MAX 256
#define CALLS_MAX 20000		/* of one schedule; more is a loop */
#define AGAIN_US 20000		/* until an answer that is due looks again whether locks go on */

struct callback {
	u32 id;
	bool bast, second;
	int status;			/* BAST: the mode */
	char sb_flags;
};

struct fake_dlm fake_dlm;

static struct fake_lock locks[LOCKS_MAX];
static struct fake_resource resources[RESOURCES_MAX];
static struct callback callbacks[CALLBACKS_MAX];
static u32 callbacks_first, callbacks_next, callbacks_due;
static wait_queue_head_t callback_wait;
static const void *calling;		/* the argument of the callback that runs */
static u32 next_id;
static u64 next_turn;
static int calls;
static char asked[2000];

/* The log. */

static void note(const char *fmt, ...) __printf(1, 2);
static void note(const char *fmt, ...)
{
	size_t len = strlen(asked), line;
	char text[120];
	va_list args;

	va_start(args, fmt);
	line = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sim_trace("DLM: %s", text);
	if (len >= line + 1 && !strncmp(asked + len - line - 1, text, line) &&
	    (len == line + 1 || asked[len - line - 2] == '\n'))
		return;
	if (len + line + 2 < sizeof(asked)) {
		memcpy(asked + len, text, line);
		strcpy(asked + len + line, "\n");
	}
}

const char *fake_dlm_asked(void)
{
	return asked;
}

/* Locks. */

static struct fake_lock *lock_by_id(u32 id)
{
	int i;

	for (i = 0; i < LOCKS_MAX; i++)
		if (id && locks[i].id == id)
			return &locks[i];
	return NULL;
}

struct fake_lock *fake_dlm_find(const void *arg)
{
	int i;

	for (i = 0; i < LOCKS_MAX; i++)
		if (locks[i].id && locks[i].arg == arg)
			return &locks[i];
	return NULL;
}

int fake_dlm_locks(void)
{
	int i, count = 0;

	for (i = 0; i < LOCKS_MAX; i++)
		count += locks[i].id != 0;
	return count;
}

struct fake_resource *fake_dlm_resource(const char *name)
{
	int i;

	for (i = 0; i < RESOURCES_MAX && resources[i].name[0]; i++)
		if (!strcmp(resources[i].name, name))
			return &resources[i];
	if (i == RESOURCES_MAX)
		sim_fail("more than %d names of locks", RESOURCES_MAX);
	strscpy(resources[i].name, name, sizeof(resources[i].name));
	return &resources[i];
}

static struct fake_lock *new_lock(void *arg, const char *name, unsigned int namelen)
{
	int i;

	if (fake_dlm_find(arg))
		sim_fail("%s is made twice", name);
	for (i = 0; i < LOCKS_MAX && locks[i].id; i++)
		;
	if (i == LOCKS_MAX)
		sim_fail("more than %d locks", LOCKS_MAX);
	memset(&locks[i], 0, sizeof(locks[i]));
	locks[i].id = ++next_id;
	locks[i].arg = arg;
	locks[i].granted = -1;
	if (!namelen || namelen > DLM_RESNAME_MAXLEN)
		sim_fail("a name of %u bytes", namelen);
	memcpy(locks[i].name, name, namelen);
	return &locks[i];
}

void fake_dlm_check_free(const void *ptr)
{
	const struct fake_lock *lock = fake_dlm_find(ptr);

	if (lock)
		sim_fail("the memory of %s is freed, and the DLM knows it", lock->name);
}

void fake_dlm_check_out(const void *ptr)
{
	if (calling == ptr)
		sim_fail("the memory of a lock is freed while its AST runs");
}

/* Callbacks. */

static void end_op(struct fake_lock *lock, int status)
{
	if (lock->op == FAKE_NOTHING || !lock->answered)
		sim_fail("fake DLM: an AST for nothing");
	lock->must_settle = lock->cancelled && status != -DLM_ECANCEL;
	lock->called_at = sim_now_us;
	if (lock->op == FAKE_UNLOCK)
		lock->id = 0;
	lock->op = FAKE_NOTHING;
	lock->cancelled = false;
	lock->answered = false;
}

static void call_back(void)
{
	struct callback callback;
	struct fake_lock *lock;

	if (callbacks_first == callbacks_next)
		return;
	callback = callbacks[callbacks_first++ % CALLBACKS_MAX];
	lock = lock_by_id(callback.id);
	if (!lock)
		return;
	calling = lock->arg;
	if (callback.bast) {
		if (lock->granted > MDC_NL)
			lock->bast(lock->arg, callback.status);
	} else {
		sim_trace("AST of %s%s: %d", lock->name, callback.second ? ", a second one" : "",
			  callback.status);
		lock->lksb->sb_status = callback.status;
		lock->lksb->sb_flags = callback.sb_flags;
		if (!callback.second)
			end_op(lock, callback.status);
		lock->ast(lock->arg);
	}
	calling = NULL;
}

static int callback_thread(void *arg)
{
	(void)arg;
	for (;;) {
		wait_event_idle(callback_wait, callbacks_due);
		callbacks_due--;
		call_back();
	}
	return 0;
}

static void callback_due(void *a, u64 b)
{
	(void)a;
	(void)b;
	if (fake_dlm.softirq) {
		call_back();
		return;
	}
	callbacks_due++;
	wake_up(&callback_wait);
}

static void post(struct callback callback)
{
	if (callbacks_next - callbacks_first == CALLBACKS_MAX)
		sim_fail("fake DLM: more than %d callbacks are due", CALLBACKS_MAX);
	callbacks[callbacks_next++ % CALLBACKS_MAX] = callback;
	sim_after(sim_below(fake_dlm.late_us + 1), callback_due, NULL, 0);
}

void fake_dlm_bast(struct fake_lock *lock, int mode)
{
	if (lock->bast && lock->granted > MDC_NL)
		post((struct callback){ .id = lock->id, .bast = true, .status = mode });
}

/* Answers. */

/*
 * The value block is read by a conversion up, and where nobody has ever written it then it is left
 * as it is; written by all others from PW and EX.
 */
static char grant(struct fake_lock *lock)
{
	struct fake_resource *res = fake_dlm_resource(lock->name);
	bool read = lock->granted < MDC_PW ? lock->wanted >= lock->granted :
					     lock->granted == MDC_PW && lock->wanted == MDC_EX;
	bool write = lock->granted >= MDC_PW && !read;
	char *block = lock->lksb->sb_lvbptr;

	lock->granted = lock->wanted;
	if (!(lock->flags & DLM_LKF_VALBLK))
		return 0;
	if (read && res->written)
		memcpy(block, res->block, MDC_LVB_SIZE);
	if (write) {
		memcpy(res->block, block, MDC_LVB_SIZE);
		res->written = true;
		res->invalid = false;
	}
	memcpy(lock->seen, block, MDC_LVB_SIZE);
	lock->invalid = res->invalid;
	return res->invalid ? DLM_SBF_VALNOTVALID : 0;
}

static void end_cross(struct fake_lock *lock)
{
	lock->crossed = false;
	if (lock->death)
		post((struct callback){ .id = lock->id, .second = true, .status = -DLM_ECANCEL });
}

static void answer(struct fake_lock *lock, int status)
{
	struct callback callback = { .id = lock->id, .status = status };

	/* The messages of the other node are in order. */
	if (lock->crossed)
		end_cross(lock);
	if ((lock->flags & DLM_LKF_VALBLK) &&
	    memcmp(lock->block, lock->lksb->sb_lvbptr, MDC_LVB_SIZE))
		sim_fail("the value block of %s has changed while it was the DLM's", lock->name);
	lock->answered = true;
	if (lock->op == FAKE_UNLOCK)
		callback.status = -DLM_EUNLOCK;
	else if (!status)
		callback.sb_flags = grant(lock);
	else
		lock->bad = status;
	post(callback);
}

static bool still_due(const struct fake_lock *lock, u64 turn)
{
	return lock->id && lock->op != FAKE_NOTHING && lock->turn == turn && !lock->answered;
}

static void answer_due(void *a, u64 turn)
{
	struct fake_lock *lock = a;

	if (!still_due(lock, turn))
		return;
	if (fake_dlm.stopped)
		sim_after(AGAIN_US, answer_due, lock, turn);
	else
		answer(lock, lock->status);
}

static void cancel_due(void *a, u64 turn)
{
	struct fake_lock *lock = a;

	if (!still_due(lock, turn))
		return;
	if (fake_dlm.stopped)
		sim_after(AGAIN_US, cancel_due, lock, turn);
	else
		answer(lock, -DLM_ECANCEL);
}

static void cross_due(void *a, u64 turn)
{
	struct fake_lock *lock = a;

	if (lock->id && lock->crossed && lock->crossed_turn == turn)
		end_cross(lock);
}

/* Calls. */

static void enter(struct fake_lock *lock, const struct mdc_lockspace *ls, const char *who)
{
	sim_may_block(who);
	if (++calls > CALLS_MAX)
		sim_fail("more than %d calls of the DLM", CALLS_MAX);
	if (ls != &fake_lockspace || !ls->inside)
		sim_fail("%s() outside of mdc_dlm_enter() and mdc_dlm_exit()", who);
	if (lock->inside)
		sim_fail("%s(): two calls at a time for %s", who, lock->name);
	lock->inside = true;
	fake_dlm.inside++;
}

/* The DLM has what it needs for the call when this returns. */
static void sleep_inside(void)
{
	if (fake_dlm.inside_us)
		sim_sleep_us(sim_below(fake_dlm.inside_us + 1));
	wait_event(fake_dlm.wait, !fake_dlm.stopped);
}

static int leave(struct fake_lock *lock, int ret)
{
	lock->inside = false;
	fake_dlm.inside--;
	wake_up(&fake_dlm.wait);
	sim_preempt();
	return ret;
}

static void must_be_free(const struct fake_lock *lock, const char *who)
{
	if (lock->op != FAKE_NOTHING)
		sim_fail("%s() for %s, and the AST of the last call is to come", who, lock->name);
}

static void begin_op(struct fake_lock *lock, enum fake_what op, const struct fake_fate *fate)
{
	lock->op = op;
	lock->turn = ++next_turn;
	lock->status = fate->status;
	lock->answered = false;
	lock->cancelled = false;
	if (fate->after_us) {
		if (fate->after_us != FAKE_NEVER)
			sim_after(fate->after_us, answer_due, lock, lock->turn);
		return;
	}
	/* As a lock that is mastered here: before the call returns, if callbacks are like that. */
	answer(lock, fate->status);
	if (!fake_dlm.softirq)
		return;
	sim_softirq_begin();
	while (callbacks_first != callbacks_next)
		call_back();
	sim_softirq_end();
}

static void check_args(int mode, const struct dlm_lksb *lksb, u32 flags, const char *name,
		       unsigned int namelen, u32 parent)
{
	bool expedite = flags & DLM_LKF_EXPEDITE;

	if (mode < DLM_LOCK_NL || mode > DLM_LOCK_EX || parent || strlen(name) != namelen ||
	    (expedite && (mode != DLM_LOCK_NL ||
			  (flags & (DLM_LKF_CONVERT | DLM_LKF_NOQUEUE)))) ||
	    ((flags & DLM_LKF_VALBLK) && !lksb->sb_lvbptr) ||
	    (flags & ~(DLM_LKF_CONVERT | DLM_LKF_NOQUEUE | DLM_LKF_VALBLK | DLM_LKF_EXPEDITE)))
		sim_fail("dlm_lock(%s) with arguments that the DLM does not take", name);
}

int dlm_lock(dlm_lockspace_t *lockspace, int mode, struct dlm_lksb *lksb, u32 flags,
	     const void *name, unsigned int namelen, u32 parent, void (*ast)(void *arg), void *arg,
	     void (*bast)(void *arg, int mode))
{
	bool convert = flags & DLM_LKF_CONVERT;
	struct fake_lock *lock = convert ? lock_by_id(lksb->sb_lkid) : new_lock(arg, name, namelen);
	struct fake_call call = { convert ? FAKE_CONVERT : FAKE_NEW, name, arg, 0, mode, flags,
				  false };
	struct fake_fate fate = {};
	bool settles;

	if (!lock || (convert && (lock->lksb != lksb || lock->arg != arg || lock->ast != ast)))
		sim_fail("dlm_lock(%s) for a lock that the DLM does not know", (const char *)name);
	check_args(mode, lksb, flags, name, namelen, parent);
	enter(lock, lockspace, __func__);
	must_be_free(lock, __func__);
	settles = convert && mode == lock->granted && (flags & DLM_LKF_NOQUEUE) &&
		  !(flags & DLM_LKF_VALBLK);
	if (lock->must_settle && !settles)
		sim_fail("%s: a cancel is not settled, and the next step is not that", lock->name);
	if (flags & DLM_LKF_VALBLK)
		memcpy(lock->block, lksb->sb_lvbptr, MDC_LVB_SIZE);
	sleep_inside();
	call.granted = lock->granted;
	call.crossed = lock->crossed;
	fake_dlm.decide(&call, &fate);
	note("%s %s %d%s%s%s%.0d", convert ? "convert" : "new", lock->name, mode,
	     flags & DLM_LKF_NOQUEUE ? " noqueue" : "", flags & DLM_LKF_VALBLK ? " lvb" : "",
	     fate.error ? ": " : "", fate.error);
	if (fate.error) {
		lock->bad = fate.error;
		if (!convert)
			lock->id = 0;
		return leave(lock, fate.error);
	}
	lock->must_settle = false;
	lock->lksb = lksb;
	lock->ast = ast;
	lock->bast = bast;
	lock->wanted = mode;
	lock->flags = flags;
	lksb->sb_lkid = lock->id;
	begin_op(lock, call.what, &fate);
	return leave(lock, 0);
}

static void cancel(struct fake_lock *lock, const struct fake_fate *fate)
{
	/* Its AST has just been called: there is nothing to cancel. */
	if (lock->op == FAKE_NOTHING)
		return;
	if (lock->op != FAKE_CONVERT || (lock->flags & DLM_LKF_NOQUEUE) || lock->cancelled)
		sim_fail("%s is cancelled, and is not a conversion that waits, or for the 2nd time",
			 lock->name);
	if (lock->crossed)
		sim_fail("%s is cancelled, and an older cancel has no answer: a grant may be lost",
			 lock->name);
	lock->cancelled = true;
	if (!lock->answered && fate->cancel == FAKE_CANCELLED) {
		sim_after(fate->after_us, cancel_due, lock, lock->turn);
		return;
	}
	if (!lock->answered)
		answer(lock, fate->status);
	if (fate->cancel != FAKE_CROSSES && fate->cancel != FAKE_CROSSES_DEATH)
		return;
	lock->crossed = true;
	lock->death = fate->cancel == FAKE_CROSSES_DEATH;
	lock->crossed_turn = lock->turn;
	sim_after(fate->after_us, cross_due, lock, lock->turn);
}

int dlm_unlock(dlm_lockspace_t *lockspace, u32 lkid, u32 flags, struct dlm_lksb *lksb, void *arg)
{
	struct fake_lock *lock = lock_by_id(lkid);
	struct fake_call call = { flags ? FAKE_CANCEL : FAKE_UNLOCK, "", arg, 0, 0, flags, false };
	struct fake_fate fate = {};

	/* The argument of the ASTs is replaced by this. */
	if (!lock || lock->lksb != lksb || lock->arg != arg || (flags & ~DLM_LKF_CANCEL))
		sim_fail("dlm_unlock() for what the DLM does not know, or with other arguments");
	enter(lock, lockspace, __func__);
	if (call.what == FAKE_UNLOCK) {
		must_be_free(lock, __func__);
		if (lock->must_settle || lock->crossed)
			sim_fail("%s is unlocked before a cancel is settled", lock->name);
	}
	sleep_inside();
	call.name = lock->name;
	call.granted = lock->granted;
	call.crossed = lock->crossed;
	fake_dlm.decide(&call, &fate);
	note("%s %s%s%.0d", flags ? "cancel" : "unlock", lock->name, fate.error ? ": " : "",
	     fate.error);
	if (fate.error) {
		lock->bad = fate.error;
	} else if (call.what == FAKE_CANCEL) {
		cancel(lock, &fate);
	} else {
		lock->flags = 0;
		begin_op(lock, FAKE_UNLOCK, &fate);
	}
	return leave(lock, fate.error);
}

void fake_dlm_destroy(void)
{
	wait_event(fake_dlm.wait, !fake_dlm.inside);
	memset(locks, 0, sizeof(locks));
	callbacks_first = callbacks_next;
}

void fake_dlm_reset(void (*decide)(const struct fake_call *call, struct fake_fate *fate))
{
	memset(&fake_dlm, 0, sizeof(fake_dlm));
	memset(locks, 0, sizeof(locks));
	memset(resources, 0, sizeof(resources));
	fake_dlm.decide = decide;
	init_waitqueue_head(&fake_dlm.wait);
	init_waitqueue_head(&callback_wait);
	callbacks_first = 0;
	callbacks_next = 0;
	callbacks_due = 0;
	calling = NULL;
	next_id = 0;
	next_turn = 0;
	calls = 0;
	asked[0] = '\0';
	sim_spawn(NULL, "callbacks", callback_thread, NULL);
}
