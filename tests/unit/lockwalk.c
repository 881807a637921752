// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The random walk: a few locks, each with an owner that does what comes to its mind, while signals,
 * BASTs, other nodes' writes and recoveries come at any time.
 */
#include "unit.h"

#include "lockstep.h"
#include "lockwalk.h"

#define OWNERS 3
#define OPS 40
#define LIVES (OPS + 1)
#define HANG_MS (24 * 3600 * 1000ULL)
#define TOLD_MS 500		/* a result is heard of in this time: nobody looks so often */
#define END_MS 13000		/* to give up: 10 s for the end of a cancel, looks at the clock */

enum kind { CONVERT, TRY, UNLESS, LOWER, DROP, KINDS };

/* One lock of an owner, for its BASTs. */
struct life {
	bool freed;
};

struct owner {
	struct task_struct *task;
	char name[16];
	bool with_lvb, done;
	struct mdc_lock *lock;		/* NULL: there is none, or it is being made or freed */
	struct life lives[LIVES];
	int life;
	enum mdc_mode mode;		/* what it was told */
	u32 down;			/* modes below it, given up, that may still come true */
	u32 wanted, tried;		/* modes that may be asked for */
	int strays;			/* the life whose request was given up last; -1: none */
	int hard;			/* error for good that its request has had */
	bool give_up;
	bool let_go;			/* of a way down, that is then done behind it */
	u8 block[MDC_LVB_SIZE];		/* what it has in its value block */
	bool valid;			/* and what it was told of it */
};

static struct {
	struct owner owners[OWNERS];
	bool lossy;			/* steps of the module's own may fail for good */
	bool over;
	int nemeses;
} walk;

u64 walk_steps;

static u32 some_us(void)
{
	switch (sim_below(4)) {
	case 0:
		return 0;
	case 1:
		return sim_below(300);
	case 2:
		return sim_below(5 * MS);
	default:
		return sim_below(200 * MS);
	}
}

static u32 long_us(void)
{
	return (u32)sim_between(1000 * MS, 20000 * MS);
}

static int any_of(const int *values, u32 count)
{
	return values[sim_below(count)];
}

static struct owner *owner_of(const char *name)
{
	struct owner *o;

	for (o = walk.owners; o < walk.owners + OWNERS; o++)
		if (!strcmp(o->name, name))
			return o;
	sim_fail("a lock %s", name);
}

/* Is it the owner's request? Otherwise it must be a step of the module's own that is in order. */
static bool is_request(const struct owner *o, const struct fake_call *call)
{
	const struct mdc_lock *lock = call->arg;
	u32 lvb = o->with_lvb ? DLM_LKF_VALBLK : 0;
	u32 noqueue = call->flags & DLM_LKF_NOQUEUE;

	switch (call->what) {
	case FAKE_NEW:
		check_int(call->mode, MDC_NL);
		check_int(call->flags, DLM_LKF_EXPEDITE | lvb);
		return true;
	case FAKE_CONVERT:
		break;
	case FAKE_UNLOCK:
		/* It is not taken away from its owner. */
		check(lock != o->lock);
		return false;
	default:
		return false;
	}
	if (lock->asked == MDC_STEP_CONVERT) {
		check_int(call->granted, mdc_lock_mode(lock));
		check((noqueue ? o->tried : o->wanted) >> call->mode & 1);
		check_int(call->flags, DLM_LKF_CONVERT | noqueue | lvb);
		return true;
	}
	check_int(call->flags, DLM_LKF_CONVERT | noqueue);
	check_int(call->mode, noqueue ? call->granted : (int)mdc_lock_mode(lock));
	return false;
}

static void decide_convert(const struct fake_call *call, struct fake_fate *fate)
{
	bool to_other = call->granted == MDC_PR && call->mode == MDC_CW;

	fate->after_us = some_us();
	/* The way down is never refused; but CW and PR do not agree with each other. */
	if (call->mode <= call->granted && !to_other)
		return;
	if (call->flags & DLM_LKF_NOQUEUE)
		fate->status = sim_chance(3) ? -EAGAIN : 0;
	else if (sim_chance(12))
		fate->status = -EDEADLK;
	else if (sim_chance(3))
		fate->after_us = long_us();
}

static void walk_decide(const struct fake_call *call, struct fake_fate *fate)
{
	static const int passing[] = { -EBUSY, -EAGAIN, -ENOMEM, -ENOBUFS };
	static const int for_good[] = { -EINVAL, -ENOENT, -EBADR };
	struct fake_lock *lock = fake_dlm_find(call->arg);
	struct owner *o = owner_of(call->name);
	bool request = is_request(o, call);

	walk_steps++;
	if (call->crossed && call->what == FAKE_CONVERT && !sim_chance(3)) {
		fate->error = -EBUSY;
	} else if (sim_chance(8)) {
		fate->error = any_of(passing, COUNT(passing));
	} else if (sim_chance(60) && (request || call->what == FAKE_CANCEL || walk.lossy)) {
		fate->error = any_of(for_good, COUNT(for_good));
		if (request)
			o->hard = fate->error;
	} else if (call->what == FAKE_CONVERT) {
		decide_convert(call, fate);
	} else {
		fate->after_us = sim_chance(20) ? long_us() : some_us();
		fate->cancel = sim_below(FAKE_CROSSES_DEATH + 1);
		if (call->what == FAKE_CANCEL)
			fate->status = lock->status;
	}
}

static void walk_bast(void *arg, int mode)
{
	struct life *life = arg;

	check(!life->freed);
	check(mode >= MDC_NL && mode <= MDC_EX);
}

static bool owner_gives_up(void *arg)
{
	struct owner *o = arg;

	return o->give_up;
}

static bool owner_need_not_wait(void *arg)
{
	struct owner *o = arg;

	o->let_go = o->give_up && mdc_lockspace_stopped(&fake_lockspace);
	return o->let_go;
}

static void check_shut(void)
{
	check(fake_lockspace.abandoned || fake_lockspace.state == MDC_LS_OVER);
}

/* The mode may only have changed by a way down that was given up. */
static void check_mode(struct owner *o)
{
	enum mdc_mode mode = mdc_lock_mode(o->lock);

	if (mode != o->mode) {
		check(o->down >> mode & 1);
		o->mode = mode;
		o->down = 0;
	}
	check_int(mdc_lock_lvb_valid(o->lock), o->valid);
	check(!o->with_lvb || !memcmp(mdc_lock_lvb(o->lock), o->block, MDC_LVB_SIZE));
}

static void judge_granted(struct owner *o, enum mdc_mode from, enum mdc_mode mode)
{
	const struct fake_lock *lock = fake_dlm_find(o->lock);
	bool wrote = from >= MDC_PW && (mode <= MDC_PW || from == MDC_EX);
	u8 *block = mdc_lock_lvb(o->lock);

	check_int(mdc_lock_mode(o->lock), mode);
	if (lock) {
		check_int(lock->granted, mode);
		check(sim_now_us - lock->called_at < TOLD_MS * MS);
	}
	if (lock && o->with_lvb) {
		check(!memcmp(block, lock->seen, MDC_LVB_SIZE));
		check_int(mdc_lock_lvb_valid(o->lock), !lock->invalid);
		/* With a way down still to come FROM is not certain. */
		check(o->down || !wrote || !memcmp(block, o->block, MDC_LVB_SIZE));
	}
	if (o->with_lvb)
		memcpy(o->block, block, MDC_LVB_SIZE);
	o->valid = mdc_lock_lvb_valid(o->lock);
	check(o->valid || o->with_lvb);
	o->mode = mode;
	o->down = 0;
	if (o->strays == o->life)
		o->strays = -1;
}

/* The DLM may have it higher until locks go on: nobody can tell the difference before that. */
static void judge_let_go(struct owner *o, enum mdc_mode mode)
{
	check_int(mdc_lock_mode(o->lock), mode);
	if (o->with_lvb)
		memcpy(o->block, mdc_lock_lvb(o->lock), MDC_LVB_SIZE);
	o->valid = mdc_lock_lvb_valid(o->lock);
	o->mode = mode;
	o->down = 0;
	o->strays = o->life;
}

static void judge_error(struct owner *o, enum kind kind, int ret)
{
	const struct fake_lock *lock = fake_dlm_find(o->lock);

	check(ret == -ESHUTDOWN || ret == o->hard || kind == TRY || kind == UNLESS);
	switch (ret) {
	case -ESHUTDOWN:
		check_shut();
		break;
	case -EAGAIN:
		check_int(kind, TRY);
		check(!lock || lock->bad == -EAGAIN);
		break;
	case -EDEADLK:
		check(!lock || lock->bad == -EDEADLK);
		break;
	case -ECANCELED:
		check(o->give_up);
		break;
	case -EINTR:
		check(current->killed);
		break;
	case -ETIMEDOUT:
		check_int(kind, UNLESS);
		break;
	default:
		check_int(ret, o->hard);
	}
}

static bool given_up(int ret)
{
	return ret == -ESHUTDOWN || ret == -ECANCELED || ret == -EINTR || ret == -ETIMEDOUT;
}

static void convert_somehow(struct owner *o)
{
	static const u32 timeouts[] = { 0, 1, 20, 300, 4000 };
	unsigned int timeout_ms = timeouts[sim_below(COUNT(timeouts))];
	enum mdc_mode from, mode = sim_below(MDC_EX + 1);
	enum kind kind = sim_below(KINDS);
	u64 begin = sim_now_us;
	int ret = 0;

	o->let_go = false;
	check_mode(o);
	from = o->mode;
	if (kind == DROP)
		mode = MDC_NL;
	if (kind == DROP && from == MDC_NL)
		return;
	if (kind == LOWER)
		mode = sim_below(from + 1);
	if (o->with_lvb) {
		memset(o->block, (int)sim_below(256), MDC_LVB_SIZE);
		memcpy(mdc_lock_lvb(o->lock), o->block, MDC_LVB_SIZE);
	}
	if (o->strays < 0) {
		o->wanted = 0;
		o->tried = 0;
	}
	if (kind == TRY)
		o->tried |= 1U << mode;
	else
		o->wanted |= 1U << mode;
	switch (kind) {
	case CONVERT:
		ret = mdc_lock_convert(o->lock, mode);
		break;
	case TRY:
		ret = mdc_lock_try(o->lock, mode);
		break;
	case UNLESS:
		ret = mdc_lock_convert_unless(o->lock, mode, timeout_ms, owner_gives_up, o);
		check(!timeout_ms || sim_now_us - begin < (timeout_ms + END_MS) * MS);
		check(ret != -ETIMEDOUT || sim_now_us - begin > (timeout_ms - 1) * MS);
		break;
	case LOWER:
		ret = mdc_lock_lower(o->lock, mode, owner_need_not_wait, o);
		break;
	default:
		/* It says nothing, but the mode does. */
		mdc_lock_drop(o->lock);
		if (mdc_lock_mode(o->lock) != MDC_NL)
			ret = o->hard ? o->hard : -ESHUTDOWN;
		break;
	}
	if (!ret && o->let_go) {
		judge_let_go(o, mode);
		return;
	}
	if (!ret) {
		judge_granted(o, from, mode);
		return;
	}
	if (given_up(ret)) {
		o->strays = o->life;
		o->down |= mode < from ? 1U << mode : 0;
	}
	judge_error(o, kind, ret);
	check_mode(o);
}

static void make_lock(struct owner *o)
{
	struct life *life = &o->lives[++o->life];
	struct mdc_lock *lock;
	int ret;

	ret = mdc_lock_new(&fake_lockspace, o->name, o->with_lvb,
			   sim_chance(4) ? NULL : walk_bast, life, 0, &lock);
	if (ret) {
		life->freed = true;
		check(ret == -EINTR || ret == -ESHUTDOWN || ret == -ENOMEM || ret == o->hard);
		check(ret != -EINTR || current->killed);
		if (ret == -ESHUTDOWN)
			check_shut();
		return;
	}
	check_int(mdc_lock_mode(lock), MDC_NL);
	check_int(fake_dlm_find(lock)->granted, MDC_NL);
	o->lock = lock;
	o->mode = MDC_NL;
	o->down = 0;
	o->valid = mdc_lock_lvb_valid(lock);
	if (o->with_lvb)
		memcpy(o->block, mdc_lock_lvb(lock), MDC_LVB_SIZE);
}

static void free_lock(struct owner *o)
{
	struct mdc_lock *lock = o->lock;

	if (!lock)
		return;
	check_mode(o);
	o->lock = NULL;
	mdc_lock_free(lock);
	o->lives[o->life].freed = true;
}

static int owner_thread(void *arg)
{
	struct owner *o = arg;
	int i;

	o->task = current;
	for (i = 0; i < OPS; i++) {
		current->killed = false;
		o->give_up = false;
		o->hard = 0;
		if (!o->lock)
			make_lock(o);
		else if (sim_chance(10))
			free_lock(o);
		else
			convert_somehow(o);
		if (sim_chance(3))
			sim_sleep_us(some_us());
	}
	free_lock(o);
	o->done = true;
	return 0;
}

/* Others, as far as this node hears of them. */

static void others_write(struct owner *o)
{
	struct fake_lock *lock = o->lock ? fake_dlm_find(o->lock) : NULL;
	struct fake_resource *res = fake_dlm_resource(o->name);

	if (lock && (lock->granted >= MDC_PW || lock->op != FAKE_NOTHING))
		return;
	memset(res->block, (int)sim_below(256), MDC_LVB_SIZE);
	res->written = true;
	res->invalid = sim_chance(3);
}

static void give_up(struct owner *o)
{
	o->give_up = true;
	if (o->lock)
		mdc_lock_poke(o->lock);
}

static void recover(struct owner *o)
{
	fake_lockspace_stop(sim_below(3) * some_us());
	if (sim_chance(2))
		give_up(o);
	sim_sleep_us(sim_chance(5) ? long_us() : some_us());
	fake_lockspace_go();
}

static void do_something_to(struct owner *o)
{
	struct fake_lock *lock = o->lock ? fake_dlm_find(o->lock) : NULL;

	switch (sim_below(8)) {
	case 0:
		if (!o->done && o->task)
			sim_kill(o->task);
		break;
	case 1:
		give_up(o);
		break;
	case 2:
		if (o->lock)
			mdc_lock_poke(o->lock);
		break;
	case 3:
	case 4:
		if (lock)
			fake_dlm_bast(lock, sim_below(MDC_EX + 1));
		break;
	case 5:
	case 6:
		others_write(o);
		break;
	default:
		recover(o);
		break;
	}
}

static int nemesis(void *arg)
{
	(void)arg;
	while (!walk.over) {
		sim_sleep_us(1 + (sim_chance(3) ? sim_below(3000 * MS) : some_us()));
		do_something_to(&walk.owners[sim_below(OWNERS)]);
	}
	walk.nemeses--;
	return 0;
}

static bool owners_done(void)
{
	bool done = true;
	int i;

	for (i = 0; i < OWNERS; i++)
		done = done && walk.owners[i].done;
	return done;
}

static int walk_thread(void *arg)
{
	u64 abandon_at = walk.lossy || sim_chance(5) ? sim_now_us + sim_below(300) * 1000 * MS :
						       UINT64_MAX;
	u64 end = sim_now_us + HANG_MS * MS;
	int i;

	(void)arg;
	for (i = 0; i < OWNERS; i++) {
		struct owner *o = &walk.owners[i];

		snprintf(o->name, sizeof(o->name), "L%d", i);
		o->with_lvb = sim_chance(2);
		o->strays = -1;
		sim_spawn(NULL, o->name, owner_thread, o);
	}
	walk.nemeses = 1;
	sim_spawn(NULL, "nemesis", nemesis, NULL);
	while (!owners_done()) {
		sim_sleep_us(100 * MS);
		if (sim_now_us >= abandon_at && !fake_lockspace.abandoned)
			fake_lockspace_abandon();
		if (sim_now_us > end)
			sim_fail("an owner waits for ever");
	}
	walk.over = true;
	while (walk.nemeses)
		sim_sleep_us(100 * MS);
	if (walk.lossy || sim_chance(4))
		fake_lockspace_release();
	nothing_left();
	sim_done();
	return 0;
}

void begin_walk(void)
{
	static const u32 inside_us[] = { 0, 0, 300, 20 * MS };
	static const u32 late_us[] = { 0, 200, 5 * MS };

	fake_kernel_reset();
	fake_lockspace_reset();
	fake_dlm_reset(walk_decide);
	fake_dlm.softirq = sim_chance(2);
	fake_dlm.inside_us = inside_us[sim_below(COUNT(inside_us))];
	fake_dlm.late_us = late_us[sim_below(COUNT(late_us))];
	memset(walk.owners, 0, sizeof(walk.owners));
	walk.over = false;
	walk.lossy = sim_chance(6);
	no_memory_one_in = sim_chance(2) ? 10 : 0;
	sim_spawn(NULL, "walk", walk_thread, NULL);
}
