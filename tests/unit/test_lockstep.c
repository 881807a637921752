// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * module/lockres.c and module/lockstep.c over a fake DLM (fakedlm/): what it is asked for, in
 * written-out cases, and a random walk (lockwalk.c). Threads and time are the simulator's; each
 * case runs in a few schedules, and must end in the same way in all of them. `test_lockstep SEED`
 * shows the walk of that seed.
 */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "lockwalk.h"
#include "world.h"

#define CASE_SEEDS 40
#define WALK_SEEDS 400
#define RING_LINES 80
#define SEED_S_MAX 60
#define QUIET_MS 60000		/* what is left to itself has ended by then */

u32 no_memory_one_in;

/* What the simulator's files ask of its world. */
const char *sim_node_name(const struct sim_node *node)
{
	(void)node;
	return "fake";
}

bool sim_out_of_memory(const struct sim_node *node)
{
	(void)node;
	return sim_chance(no_memory_one_in);
}

static char signal_text[60];

static void end_by_signal(int number)
{
	(void)number;
	_exit(write(STDOUT_FILENO, signal_text, strlen(signal_text)) < 0 ? 2 : 1);
}

/* A schedule that fails is run once more, with its last lines shown. */
static void run_seed(u64 seed, void (*begin)(void))
{
	char why[300];

	snprintf(signal_text, sizeof(signal_text), "seed %llu crashes, or does not end\n",
		 (unsigned long long)seed);
	signal(SIGSEGV, end_by_signal);
	signal(SIGALRM, end_by_signal);
	alarm(SEED_S_MAX);
	if (sim_run(seed, begin))
		return;
	snprintf(why, sizeof(why), "%s", sim_why());
	sim_options.ring = true;
	sim_run(seed, begin);
	sim_options.ring = false;
	sim_ring_print(RING_LINES);
	fail_msg("seed %llu: %s", (unsigned long long)seed, why);
}

void nothing_left(void)
{
	u64 end = sim_now_us + QUIET_MS * MS;

	while ((sim_memory_of(NULL) || fake_kernel_works() || fake_lockspace.refs.count > 1) &&
	       sim_now_us < end)
		sim_sleep_us(10 * MS);
	check_int(fake_dlm_locks(), 0);
	check_int(fake_kernel_works(), 0);
	check_int(sim_memory_of(NULL), 0);
	check(list_empty(&fake_lockspace.locks));
	check_int(fake_lockspace.refs.count, 1);
}

/*
 * Written-out cases. Each call of the DLM has the next fate that was planned; the others are
 * answered well, after a millisecond.
 */

static struct fake_fate plan[16];
static size_t planned, taken;
static bool never_busy;		/* it takes a conversion though a cancel has no answer yet */

static void plan_decide(const struct fake_call *call, struct fake_fate *fate)
{
	fate->after_us = MS;
	if (call->crossed && call->what != FAKE_CANCEL && !never_busy)
		fate->error = -EBUSY;
	else if (taken < planned)
		*fate = plan[taken++];
}

static void plan_add(struct fake_fate fate)
{
	check(planned < COUNT(plan));
	plan[planned++] = fate;
}

#define NEXT(...) plan_add((struct fake_fate){ __VA_ARGS__ })

struct later {
	u64 ms;
	void (*fn)(void);
};

static void (*body)(void);
static struct later laters[8];
static size_t laters_used;
static struct task_struct *owner_task;
static struct mdc_lock *a_lock;
static bool wants_no_more;

static int do_later(void *arg)
{
	struct later *later = arg;

	sim_sleep_us(later->ms * MS);
	later->fn();
	return 0;
}

/* Another thread does FN, MS from now. */
static void meanwhile(u64 ms, void (*fn)(void))
{
	check(laters_used < COUNT(laters));
	laters[laters_used] = (struct later){ ms, fn };
	sim_spawn(NULL, "meanwhile", do_later, &laters[laters_used++]);
}

static int case_thread(void *arg)
{
	(void)arg;
	owner_task = current;
	body();
	nothing_left();
	sim_done();
	return 0;
}

static void begin_case(void)
{
	fake_kernel_reset();
	fake_lockspace_reset();
	fake_dlm_reset(plan_decide);
	fake_dlm.softirq = sim_chance(2);
	no_memory_one_in = 0;
	planned = 0;
	taken = 0;
	never_busy = false;
	laters_used = 0;
	wants_no_more = false;
	sim_spawn(NULL, "case", case_thread, NULL);
}

static void run_case(void (*fn)(void))
{
	u64 seed;

	body = fn;
	for (seed = 1; seed <= CASE_SEEDS; seed++)
		run_seed(seed, begin_case);
}

#define TEST(name) \
	static void name##_body(void); \
	static void name(void **state) \
	{ \
		(void)state; \
		run_case(name##_body); \
	} \
	static void name##_body(void)

static void check_asked(const char *expected, int line)
{
	if (strcmp(fake_dlm_asked(), expected))
		sim_fail("line %d: the DLM was asked for\n%snot for\n%s", line, fake_dlm_asked(),
			 expected);
}

#define ASKED(...) check_asked(__VA_ARGS__, __LINE__)

static struct mdc_lock *make_lvb(bool with_lvb)
{
	check_int(mdc_lock_new(&fake_lockspace, "L", with_lvb, NULL, NULL, 0, &a_lock), 0);
	check_int(mdc_lock_mode(a_lock), MDC_NL);
	return a_lock;
}

static struct mdc_lock *make(void)
{
	return make_lvb(false);
}

/* The same, in MODE. */
static struct mdc_lock *make_in(enum mdc_mode mode)
{
	struct mdc_lock *lock = make();

	check_int(mdc_lock_convert(lock, mode), 0);
	return lock;
}

static bool give_up(void *arg)
{
	(void)arg;
	return wants_no_more;
}

static int convert_for(struct mdc_lock *lock, enum mdc_mode mode, unsigned int timeout_ms)
{
	return mdc_lock_convert_unless(lock, mode, timeout_ms, give_up, NULL);
}

static void locks_stop(void)
{
	fake_lockspace_stop(0);
}

static void be_killed(void)
{
	sim_kill(owner_task);
}

static void poke_to_give_up(void)
{
	wants_no_more = true;
	mdc_lock_poke(a_lock);
}

static u64 since;

/* MS have passed since begin_clock(), and not much more. */
static void begin_clock(void)
{
	since = sim_now_us;
}

static void check_took(u64 ms, int line)
{
	u64 took = sim_now_us - since;

	if (took + 10 * MS < ms * MS || took > (ms + 100) * MS)
		sim_fail("line %d: took %llu us, not %llu ms", line, (unsigned long long)took,
			 (unsigned long long)ms);
}

#define TOOK(ms) check_took(ms, __LINE__)

/* What the DLM holds is what the owner was told, once nothing is under way. */
static void check_held(struct mdc_lock *lock, enum mdc_mode mode)
{
	sim_sleep_us(2000 * MS);
	check_int(fake_dlm_find(lock)->op, FAKE_NOTHING);
	check_int(fake_dlm_find(lock)->granted, mode);
	check_int(mdc_lock_mode(lock), mode);
}

TEST(test_value_block)
{
	struct fake_resource *res = fake_dlm_resource("L");
	struct mdc_lock *lock = make_lvb(true);
	u8 zero[MDC_LVB_SIZE] = {};

	/* Nobody has written it. */
	memset(mdc_lock_lvb(lock), 'x', MDC_LVB_SIZE);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check(!memcmp(mdc_lock_lvb(lock), zero, MDC_LVB_SIZE));
	check(mdc_lock_lvb_valid(lock));
	/* Nor is it written from PR; and then nothing is left of what was there. */
	memset(mdc_lock_lvb(lock), 'y', MDC_LVB_SIZE);
	mdc_lock_drop(lock);
	check(!res->written);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check(!memcmp(mdc_lock_lvb(lock), zero, MDC_LVB_SIZE));
	/* It is read on the way up, and its writer has died. */
	memset(res->block, 'a', MDC_LVB_SIZE);
	res->written = true;
	res->invalid = true;
	check_int(mdc_lock_convert(lock, MDC_EX), 0);
	check(!memcmp(mdc_lock_lvb(lock), res->block, MDC_LVB_SIZE));
	check(!mdc_lock_lvb_valid(lock));
	/* It is written on the way down. */
	memset(mdc_lock_lvb(lock), 'b', MDC_LVB_SIZE);
	check_int(mdc_lock_convert(lock, MDC_CR), 0);
	check_int(res->block[MDC_LVB_SIZE - 1], 'b');
	check(mdc_lock_lvb_valid(lock));
	mdc_lock_drop(lock);
	mdc_lock_free(lock);
	ASKED("new L 0 lvb\nconvert L 3 lvb\nconvert L 0 lvb\nconvert L 3 lvb\nconvert L 5 lvb\n"
	      "convert L 1 lvb\nconvert L 0 lvb\nunlock L\n");
}

TEST(test_no_value_block)
{
	struct mdc_lock *lock = make_in(MDC_PR);

	check(!mdc_lock_lvb(lock));
	check(!strcmp(mdc_lock_name(lock), "L"));
	mdc_lock_drop(lock);
	check_int(mdc_lock_mode(lock), MDC_NL);
	mdc_lock_free(lock);
	mdc_lock_free(NULL);
	ASKED("new L 0\nconvert L 3\nconvert L 0\nunlock L\n");
}

TEST(test_try)
{
	struct mdc_lock *lock = make();

	NEXT(.status = -EAGAIN, .after_us = MS);
	check_int(mdc_lock_try(lock, MDC_EX), -EAGAIN);
	check_int(mdc_lock_mode(lock), MDC_NL);
	check_int(mdc_lock_try(lock, MDC_PR), 0);
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5 noqueue\nconvert L 3 noqueue\nunlock L\n");
}

/* A grant wakes its owner: it does not wait for the next look at the clock. */
TEST(test_told_at_once)
{
	struct mdc_lock *lock = make();

	begin_clock();
	NEXT(.after_us = 300 * MS);
	check_int(mdc_lock_convert(lock, MDC_EX), 0);
	TOOK(300);
	mdc_lock_free(lock);
	TOOK(300);
}

TEST(test_timeout)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 3000), -ETIMEDOUT);
	TOOK(3000);
	check_held(lock, MDC_NL);
	/* The cancel has had its answer: nothing is to be settled. */
	check_int(convert_for(lock, MDC_PR, 3000), 0);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 3\nunlock L\n");
}

TEST(test_give_up)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(300, poke_to_give_up);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 0), -ECANCELED);
	TOOK(300);
	/* It says so before anything is asked. */
	check_int(convert_for(lock, MDC_EX, 0), -ECANCELED);
	TOOK(300);
	check_held(lock, MDC_NL);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nunlock L\n");
}

TEST(test_killed)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(300, be_killed);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 0), -EINTR);
	TOOK(300);
	/* A conversion that must be goes on, and so does one that has its answer soon. */
	NEXT(.after_us = 7000 * MS);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	NEXT(.after_us = 3000 * MS);
	check_int(mdc_lock_try(lock, MDC_EX), 0);
	TOOK(10300);
	/* But not while locks stand still. */
	locks_stop();
	check_int(mdc_lock_try(lock, MDC_PR), -EINTR);
	check_int(mdc_lock_new(&fake_lockspace, "M", false, NULL, NULL, 0, &a_lock), -EINTR);
	meanwhile(500, fake_lockspace_go);
	check_int(mdc_lock_convert(lock, MDC_NL), 0);
	TOOK(10800);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 3\nconvert L 5 noqueue\nconvert L 0\n"
	      "unlock L\n");
}

/* What a cancel can meet. */

TEST(test_granted_before_the_cancel)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	check_held(lock, MDC_EX);
	mdc_lock_drop(lock);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue\nconvert L 0\nunlock L\n");
}

TEST(test_refused_before_the_cancel)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE, .status = -EDEADLK);
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	check_held(lock, MDC_NL);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 0 noqueue\nunlock L\n");
}

/* Until the answer to the cancel is there the DLM takes nothing. */
TEST(test_cancel_crosses_the_grant)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_CROSSES, .after_us = 2000 * MS);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	check_int(mdc_lock_mode(lock), MDC_EX);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check(sim_now_us - since >= 1900 * MS && sim_now_us - since < 3500 * MS);
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue: -16\nconvert L 5 noqueue\n"
	      "convert L 3\nunlock L\n");
}

/* The other node dies before it has answered the cancel: the second AST is for nothing. */
TEST(test_second_ast)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_CROSSES_DEATH, .after_us = 50 * MS);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	NEXT(.after_us = 500 * MS);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue: -16\nconvert L 5 noqueue\n"
	      "convert L 3\nunlock L\n");
}

/* The same while the next step is under way: it is not that one's. */
TEST(test_second_ast_within_a_step)
{
	struct mdc_lock *lock = make();

	never_busy = true;
	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_CROSSES_DEATH, .after_us = 200 * MS);
	NEXT(.after_us = 500 * MS);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	TOOK(500);
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue\nconvert L 3\nunlock L\n");
}

TEST(test_freed_before_it_is_settled)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_CROSSES_DEATH, .after_us = 2000 * MS);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue: -16\nconvert L 5 noqueue\n"
	      "unlock L\n");
}

TEST(test_cancel_refused)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.error = -ENOBUFS);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	TOOK(2000);
	/* For good: then the conversion goes on, and its grant is not wasted. */
	NEXT(.after_us = 4000 * MS);
	NEXT(.error = -EINVAL);
	NEXT(.error = -EINVAL);
	NEXT(.error = -EINVAL);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	TOOK(6000);
	check_held(lock, MDC_EX);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L: -105\ncancel L\nconvert L 5\ncancel L: -22\n"
	      "unlock L\n");
}

/* Locks stand still: a request that is given up is brought to its end behind its owner. */

TEST(test_late_grant_is_taken_back)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	meanwhile(500, locks_stop);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	TOOK(1000);
	fake_lockspace_go();
	check_held(lock, MDC_NL);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue\nconvert L 0\nunlock L\n");
}

TEST(test_late_way_down_stands)
{
	struct mdc_lock *lock = make_in(MDC_EX);

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	meanwhile(500, locks_stop);
	check_int(convert_for(lock, MDC_PR, 1000), -ETIMEDOUT);
	check_int(mdc_lock_mode(lock), MDC_EX);
	fake_lockspace_go();
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\nconvert L 3\ncancel L\nconvert L 3 noqueue\nunlock L\n");
}

/* The owner's block is not touched by what it does not wait for any more. */
TEST(test_late_grant_leaves_the_block)
{
	struct fake_resource *res = fake_dlm_resource("L");
	struct mdc_lock *lock = make_lvb(true);

	check_int(mdc_lock_convert(lock, MDC_CR), 0);
	memset(mdc_lock_lvb(lock), 'x', MDC_LVB_SIZE);
	memset(res->block, 'a', MDC_LVB_SIZE);
	res->written = true;
	res->invalid = true;
	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	meanwhile(500, locks_stop);
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	fake_lockspace_go();
	check_held(lock, MDC_CR);
	check_int(mdc_lock_lvb(lock)[0], 'x');
	check(mdc_lock_lvb_valid(lock));
	/* The way back does not write it either: who reads it still hears that it is not good. */
	check_int(res->block[0], 'a');
	check(res->invalid);
	mdc_lock_free(lock);
	ASKED("new L 0 lvb\nconvert L 1 lvb\nconvert L 5 lvb\ncancel L\nconvert L 5 noqueue\n"
	      "convert L 1\nunlock L\n");
}

TEST(test_next_request_waits_for_the_end_of_the_last)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(500, locks_stop);
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	meanwhile(500, fake_lockspace_go);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check_held(lock, MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 3\nunlock L\n");
}

static void dlm_stops(void)
{
	fake_lockspace_stop(2000 * MS);
}

/* The DLM tells of it late: a work sleeps in it meanwhile, and holds up nobody. */
TEST(test_asleep_in_the_dlm)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(0, dlm_stops);
	sim_sleep_us(100 * MS);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	TOOK(1900);
	check_int(fake_dlm.inside, 1);
	mdc_lock_free(lock);
	TOOK(1900);
	fake_lockspace_go();
	sim_sleep_us(100 * MS);
	ASKED("new L 0\nconvert L 5\ncancel L\nunlock L\n");
}

TEST(test_freed_while_locks_stand_still)
{
	struct mdc_lock *lock = make_in(MDC_EX);

	locks_stop();
	begin_clock();
	mdc_lock_free(lock);
	TOOK(0);
	check(sim_memory_of(NULL) != 0);
	ASKED("new L 0\nconvert L 5\n");
	fake_lockspace_go();
	sim_sleep_us(100 * MS);
	ASKED("new L 0\nconvert L 5\nunlock L\n");
}

/* What it was converted to is not given back before. */
TEST(test_freed_with_a_request_left)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	meanwhile(500, locks_stop);
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	mdc_lock_free(lock);
	fake_lockspace_go();
	sim_sleep_us(100 * MS);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue\nunlock L\n");
}

/* Given up in vain, and what is given back meanwhile. */

static void no_more(void)
{
	wants_no_more = true;
}

TEST(test_converted_until)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(500, locks_stop);
	meanwhile(700, be_killed);
	meanwhile(1500, no_more);
	begin_clock();
	check_int(mdc_lock_convert_until(lock, MDC_EX, give_up, NULL), -ECANCELED);
	/* Looked at once a second, as nobody was woken by that. */
	TOOK(2000);
	check_int(mdc_lock_mode(lock), MDC_NL);
	fake_lockspace_go();
	check_held(lock, MDC_NL);
	ASKED("new L 0\nconvert L 5\ncancel L\n");
	mdc_lock_free(lock);
}

TEST(test_lowered_while_locks_stand_still)
{
	struct mdc_lock *lock = make_in(MDC_EX);

	locks_stop();
	no_more();
	begin_clock();
	check_int(mdc_lock_lower(lock, MDC_CR, give_up, NULL), 0);
	check_int(mdc_lock_mode(lock), MDC_CR);
	mdc_lock_drop_until(lock, give_up, NULL);
	check_int(mdc_lock_mode(lock), MDC_NL);
	TOOK(0);
	ASKED("new L 0\nconvert L 5\n");
	fake_lockspace_go();
	check_held(lock, MDC_NL);
	ASKED("new L 0\nconvert L 5\nconvert L 0\n");
	mdc_lock_free(lock);
}

TEST(test_lowered_before_the_next_request)
{
	struct mdc_lock *lock = make_in(MDC_EX);

	locks_stop();
	no_more();
	mdc_lock_drop_until(lock, give_up, NULL);
	meanwhile(500, fake_lockspace_go);
	check_int(mdc_lock_convert(lock, MDC_PR), 0);
	check_held(lock, MDC_PR);
	ASKED("new L 0\nconvert L 5\nconvert L 0\nconvert L 3\n");
	mdc_lock_free(lock);
}

/* The way back to the mode that it had; granted too late, that is taken back as well. */
TEST(test_lowered_with_a_request_left)
{
	struct mdc_lock *lock = make_in(MDC_CR);

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	meanwhile(500, locks_stop);
	meanwhile(700, no_more);
	check_int(mdc_lock_convert_until(lock, MDC_EX, give_up, NULL), -ECANCELED);
	check_int(mdc_lock_lower(lock, MDC_CR, give_up, NULL), 0);
	check_int(mdc_lock_lower(lock, MDC_PR, give_up, NULL), 0);
	check_int(mdc_lock_mode(lock), MDC_CR);
	fake_lockspace_go();
	check_held(lock, MDC_CR);
	mdc_lock_free(lock);
}

TEST(test_made_in_time)
{
	struct mdc_lock *lock = NULL;

	locks_stop();
	begin_clock();
	check_int(mdc_lock_new(&fake_lockspace, "L", false, NULL, NULL, 1500, &lock), -ETIMEDOUT);
	TOOK(1500);
	check(!lock);
	fake_lockspace_go();
	sim_sleep_us(100 * MS);
	ASKED("");
}

/* The end of the lockspace. */

TEST(test_abandoned)
{
	struct mdc_lock *lock = make(), *other;

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(1500, fake_lockspace_abandon);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_EX), -ESHUTDOWN);
	TOOK(1500);
	check_int(mdc_lock_convert(lock, MDC_EX), -ESHUTDOWN);
	check_int(mdc_lock_try(lock, MDC_EX), -ESHUTDOWN);
	check_int(mdc_lock_new(&fake_lockspace, "M", false, NULL, NULL, 0, &other), -ESHUTDOWN);
	mdc_lock_free(lock);
	TOOK(1500);
	sim_sleep_us(100 * MS);
	ASKED("new L 0\nconvert L 5\ncancel L\nunlock L\n");
}

TEST(test_released_with_a_request)
{
	struct mdc_lock *lock = make_in(MDC_PR);

	NEXT(.after_us = FAKE_NEVER);
	meanwhile(1500, fake_lockspace_release);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_EX), -ESHUTDOWN);
	TOOK(1500);
	check_int(mdc_lock_convert(lock, MDC_EX), -ESHUTDOWN);
	check_int(mdc_lock_mode(lock), MDC_PR);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 3\nconvert L 5\n");
}

/* The same with one that nobody has asked for yet. */
TEST(test_released_while_locks_stand_still)
{
	struct mdc_lock *lock = make_in(MDC_PR);

	sim_sleep_us(100 * MS);
	locks_stop();
	meanwhile(1500, fake_lockspace_release);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_EX), -ESHUTDOWN);
	TOOK(1500);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 3\n");
}

TEST(test_released_with_a_lock_that_was_freed)
{
	struct mdc_lock *lock = make_in(MDC_PR);

	/* No work is just about to enter the DLM. */
	sim_sleep_us(100 * MS);
	locks_stop();
	mdc_lock_free(lock);
	fake_lockspace_release();
	ASKED("new L 0\nconvert L 3\n");
}

/* What the DLM refuses. */

TEST(test_errors_that_pass)
{
	static const int errors[] = { -EBUSY, -EAGAIN, -ENOMEM, -ENOBUFS };
	struct mdc_lock *lock = make();
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		NEXT(.error = errors[i]);
		NEXT(.error = errors[i]);
		begin_clock();
		check_int(mdc_lock_convert(lock, i % 2 ? MDC_NL : MDC_EX), 0);
		check(sim_now_us - since >= 30 * MS);
		check(sim_now_us - since <= 200 * MS);
		check_int(mdc_lock_mode(lock), i % 2 ? MDC_NL : MDC_EX);
	}
	NEXT(.error = -EBUSY);
	mdc_lock_free(lock);
	ASKED("new L 0\n"
	      "convert L 5: -16\nconvert L 5\nconvert L 0: -11\nconvert L 0\n"
	      "convert L 5: -12\nconvert L 5\nconvert L 0: -105\nconvert L 0\n"
	      "unlock L: -16\nunlock L\n");
}

/* Given up while the DLM has no time for it: nothing is to be cancelled. */
TEST(test_given_up_before_it_was_taken)
{
	struct mdc_lock *lock = make();
	size_t i;

	for (i = 0; i < COUNT(plan); i++)
		NEXT(.error = -EBUSY);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 400), -ETIMEDOUT);
	TOOK(400);
	taken = planned;
	check_held(lock, MDC_NL);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5: -16\nunlock L\n");
}

/* The DLM, which the module does not hear of. */
static void dlm_goes_on(void)
{
	fake_dlm.stopped = false;
	wake_up_all(&fake_dlm.wait);
}

/* The same while the call is under way: it is not asked for again. */
TEST(test_given_up_while_it_was_refused)
{
	struct mdc_lock *lock = make();

	NEXT(.error = -EBUSY);
	fake_dlm.stopped = true;
	meanwhile(1500, dlm_goes_on);
	begin_clock();
	check_int(convert_for(lock, MDC_EX, 1000), -ETIMEDOUT);
	TOOK(1500);
	check_held(lock, MDC_NL);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 5: -16\nunlock L\n");
}

TEST(test_errors_for_good)
{
	static const int errors[] = { -EINVAL, -ENOENT, -EBADR };
	struct mdc_lock *lock = make();
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		NEXT(.error = errors[i]);
		check_int(mdc_lock_convert(lock, MDC_EX), errors[i]);
		check_held(lock, MDC_NL);
		NEXT(.error = errors[i]);
		check_int(mdc_lock_try(lock, MDC_EX), errors[i]);
	}
	check_int(mdc_lock_convert(lock, MDC_EX), 0);
	mdc_lock_free(lock);
}

TEST(test_lock_that_cannot_be_made)
{
	char name[DLM_RESNAME_MAXLEN + 2];
	struct mdc_lock *lock;

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	check_int(mdc_lock_new(&fake_lockspace, name, false, NULL, NULL, 0, &lock), -ENAMETOOLONG);
	no_memory_one_in = 1;
	check_int(mdc_lock_new(&fake_lockspace, "L", false, NULL, NULL, 0, &lock), -ENOMEM);
	no_memory_one_in = 0;
	NEXT(.error = -EINVAL);
	check_int(mdc_lock_new(&fake_lockspace, "L", false, NULL, NULL, 0, &lock), -EINVAL);
	nothing_left();
	NEXT(.error = -ENOMEM);
	mdc_lock_free(make());
}

/* A step of the module's own is refused for good: it asks no more, until the lockspace is left. */
TEST(test_lost)
{
	struct mdc_lock *lock = make();

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	NEXT(.error = -ENOENT);
	check_int(convert_for(lock, MDC_EX, 1000), 0);
	sim_sleep_us(100 * MS);
	check_int(convert_for(lock, MDC_NL, 1000), -ETIMEDOUT);
	check_int(mdc_lock_mode(lock), MDC_EX);
	begin_clock();
	mdc_lock_free(lock);
	TOOK(0);
	sim_sleep_us(5000 * MS);
	check(sim_memory_of(NULL) != 0);
	ASKED("new L 0\nconvert L 5\ncancel L\nconvert L 5 noqueue: -2\n");
	fake_lockspace_release();
}

/* mdc_lock_free() does not wait on for a lock that is found to be lost meanwhile. */
TEST(test_lost_while_it_is_freed)
{
	struct mdc_lock *lock = make();

	NEXT(.error = -ENOENT);
	fake_dlm.stopped = true;
	meanwhile(100, dlm_goes_on);
	begin_clock();
	mdc_lock_free(lock);
	TOOK(100);
	fake_lockspace_release();
}

TEST(test_deadlock)
{
	struct mdc_lock *lock = make_in(MDC_PR);

	NEXT(.status = -EDEADLK, .after_us = MS);
	check_int(convert_for(lock, MDC_EX, 0), -EDEADLK);
	check_held(lock, MDC_PR);
	NEXT(.status = -EDEADLK, .after_us = MS);
	NEXT(.status = -EDEADLK, .after_us = MS);
	begin_clock();
	check_int(mdc_lock_convert(lock, MDC_EX), 0);
	TOOK(300);
	check_held(lock, MDC_EX);
	mdc_lock_free(lock);
}

/*
 * WEAK: the way back from PR to CW, which is no way down, can be refused as well. It is asked for
 * again at once, as often as that happens. There should be a pause: this then takes longer.
 */
TEST(test_way_back_is_refused)
{
	struct mdc_lock *lock = make_in(MDC_CW);
	int i;

	NEXT(.after_us = FAKE_NEVER);
	NEXT(.cancel = FAKE_TOO_LATE);
	NEXT(.status = 0);
	for (i = 0; i < 10; i++)
		NEXT(.status = -EDEADLK);
	meanwhile(500, locks_stop);
	check_int(convert_for(lock, MDC_PR, 1000), -ETIMEDOUT);
	begin_clock();
	fake_lockspace_go();
	while (taken < planned)
		sim_sleep_us(MS);
	TOOK(0);
	check_held(lock, MDC_CW);
	mdc_lock_free(lock);
	ASKED("new L 0\nconvert L 2\nconvert L 3\ncancel L\nconvert L 3 noqueue\nconvert L 2\n"
	      "unlock L\n");
}

static int basts, bast_mode;

static void count_bast(void *arg, int mode)
{
	check(arg == &basts);
	basts++;
	bast_mode = mode;
}

TEST(test_bast)
{
	struct fake_lock *known;
	struct mdc_lock *lock;

	basts = 0;
	check_int(mdc_lock_new(&fake_lockspace, "L", false, count_bast, &basts, 0, &lock), 0);
	check_int(mdc_lock_convert(lock, MDC_EX), 0);
	known = fake_dlm_find(lock);
	fake_dlm_bast(known, MDC_PR);
	sim_sleep_us(100 * MS);
	check_int(basts, 1);
	check_int(bast_mode, MDC_PR);
	/* Not for one that is freed, which the DLM may know for a while. */
	locks_stop();
	mdc_lock_free(lock);
	fake_dlm_bast(known, MDC_EX);
	sim_sleep_us(100 * MS);
	check_int(basts, 1);
	fake_lockspace_go();
}

static void test_walk(void **state)
{
	u64 seed;

	(void)state;
	walk_steps = 0;
	for (seed = 1; seed <= WALK_SEEDS; seed++)
		run_seed(seed, begin_walk);
	print_message("%llu steps\n", (unsigned long long)walk_steps);
}

static int show(const char *seed)
{
	bool good;

	sim_options.trace = true;
	good = sim_run(strtoull(seed, NULL, 10), begin_walk);
	printf("%s\n", good ? "good" : sim_why());
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_block),
		cmocka_unit_test(test_no_value_block),
		cmocka_unit_test(test_try),
		cmocka_unit_test(test_told_at_once),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_give_up),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_granted_before_the_cancel),
		cmocka_unit_test(test_refused_before_the_cancel),
		cmocka_unit_test(test_cancel_crosses_the_grant),
		cmocka_unit_test(test_second_ast),
		cmocka_unit_test(test_second_ast_within_a_step),
		cmocka_unit_test(test_freed_before_it_is_settled),
		cmocka_unit_test(test_cancel_refused),
		cmocka_unit_test(test_late_grant_is_taken_back),
		cmocka_unit_test(test_late_way_down_stands),
		cmocka_unit_test(test_late_grant_leaves_the_block),
		cmocka_unit_test(test_next_request_waits_for_the_end_of_the_last),
		cmocka_unit_test(test_asleep_in_the_dlm),
		cmocka_unit_test(test_freed_while_locks_stand_still),
		cmocka_unit_test(test_freed_with_a_request_left),
		cmocka_unit_test(test_converted_until),
		cmocka_unit_test(test_lowered_while_locks_stand_still),
		cmocka_unit_test(test_lowered_before_the_next_request),
		cmocka_unit_test(test_lowered_with_a_request_left),
		cmocka_unit_test(test_made_in_time),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_released_with_a_request),
		cmocka_unit_test(test_released_while_locks_stand_still),
		cmocka_unit_test(test_released_with_a_lock_that_was_freed),
		cmocka_unit_test(test_errors_that_pass),
		cmocka_unit_test(test_given_up_before_it_was_taken),
		cmocka_unit_test(test_given_up_while_it_was_refused),
		cmocka_unit_test(test_errors_for_good),
		cmocka_unit_test(test_lock_that_cannot_be_made),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_lost_while_it_is_freed),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_way_back_is_refused),
		cmocka_unit_test(test_bast),
		cmocka_unit_test(test_walk),
	};

	if (argc > 1)
		return show(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
