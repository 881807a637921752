// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler: coroutines, and which of them comes next. One thread of the host; a schedule
 * depends on its seed and on nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sim.h"
#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (256 * 1024)
#else
#define STACK_SIZE (64 * 1024)
#endif

#define TASKS_MAX 160
#define STEPS_MAX 4000000	/* of one schedule; more is a livelock */

struct sim_options sim_options;

static struct task_struct tasks[TASKS_MAX];
static ucontext_t contexts[TASKS_MAX], main_context;
static int tasks_used;
static struct task_struct *ready[TASKS_MAX];
static int ready_count;
static struct task_struct *running;	/* NULL: the scheduler itself, or an event */
static struct task_struct softirq;
static u64 next_id, next_timer;

static u32 preempt_one_in;
static bool failed, done;
static char why[4096];
static jmp_buf from_event;

#ifdef WITH_ASAN
static void *main_fake_stack;
static const void *main_bottom;
static size_t main_size;
#endif

/* Coroutines. */

void sim_make_ready(struct task_struct *task)
{
	task->state = TASK_READY;
	task->ready_at = ready_count;
	ready[ready_count++] = task;
}

static void make_unready(struct task_struct *task)
{
	struct task_struct *last = ready[--ready_count];

	ready[task->ready_at] = last;
	last->ready_at = task->ready_at;
}

static void switch_to(struct task_struct *task)
{
	running = task;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&main_fake_stack, task->stack, STACK_SIZE);
#endif
	swapcontext(&main_context, &contexts[task->index]);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(main_fake_stack, NULL, NULL);
#endif
	running = NULL;
}

void sim_switch_out(void)
{
	struct task_struct *task = running;

#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(task->state == TASK_ENDED ? NULL : &task->fake_stack,
				       main_bottom, main_size);
#endif
	swapcontext(&contexts[task->index], &main_context);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(task->fake_stack, &main_bottom, &main_size);
#endif
}

static void end_task(struct task_struct *task)
{
	task->state = TASK_ENDED;
	if (task->kthread)
		sim_wake_queue(&task->ended);
	else
		task->state = TASK_FREE;
}

static void body(void)
{
	struct task_struct *task = running;

#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(NULL, &main_bottom, &main_size);
#endif
	/* As in the kernel: a thread that is stopped before it ran never runs. */
	if (!task->kthread || !task->should_stop) {
		task->started = true;
		task->result = task->fn(task->arg);
	} else {
		task->result = -EINTR;
	}
	sim_trace("ends (%d)", task->result);
	if (task->atomic)
		sim_fail("%s ends with a spinlock held", task->name);
	end_task(task);
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(NULL, main_bottom, main_size);
#endif
	setcontext(&main_context);
}

static void *new_stack(struct task_struct *task)
{
	if (!task->stack) {
		task->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (task->stack == MAP_FAILED) {
			fprintf(stderr, "sim: no memory for stacks\n");
			exit(2);
		}
	}
#ifdef WITH_ASAN
	__asan_unpoison_memory_region(task->stack, STACK_SIZE);
#endif
	return task->stack;
}

static struct task_struct *free_task(void)
{
	int i;

	for (i = 0; i < tasks_used; i++)
		if (tasks[i].state == TASK_FREE)
			return &tasks[i];
	if (tasks_used == TASKS_MAX)
		sim_fail("more than %d threads", TASKS_MAX);
	return &tasks[tasks_used++];
}

struct task_struct *sim_spawn(struct sim_node *node, const char *name, int (*fn)(void *arg),
			      void *arg)
{
	struct task_struct *task = free_task();
	void *stack = new_stack(task);
	ucontext_t *context;

	memset(task, 0, sizeof(*task));
	task->index = task - tasks;
	task->stack = stack;
	task->id = ++next_id;
	task->node = node;
	snprintf(task->name, sizeof(task->name), "%s", name);
	task->fn = fn;
	task->arg = arg;
	init_waitqueue_head(&task->ended);
	context = &contexts[task->index];
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = STACK_SIZE;
	context->uc_link = NULL;
	makecontext(context, body, 0);
	sim_make_ready(task);
	return task;
}

struct task_struct *sim_current(void)
{
	return softirq.atomic || !running ? &softirq : running;
}

struct sim_node *sim_current_node(void)
{
	return running ? running->node : NULL;
}

u64 sim_id(const struct task_struct *task)
{
	return task->id;
}

const char *sim_name(const struct task_struct *task)
{
	return task->name;
}

bool sim_alive(const struct task_struct *task, u64 id)
{
	return task && task->id == id && task->state != TASK_FREE && task->state != TASK_ENDED;
}

int sim_threads_of(const struct sim_node *node)
{
	int i, count = 0;

	for (i = 0; i < tasks_used; i++)
		count += tasks[i].state != TASK_FREE && tasks[i].node == node;
	return count;
}

void sim_power_off(struct sim_node *node)
{
	int i;

	for (i = 0; i < tasks_used; i++) {
		if (tasks[i].state == TASK_FREE || tasks[i].node != node)
			continue;
		if (tasks[i].state == TASK_READY)
			make_unready(&tasks[i]);
		tasks[i].state = TASK_FREE;
		tasks[i].wait.queue = NULL;
	}
	sim_memory_forget(node);
}

void sim_kill(struct task_struct *task)
{
	task->killed = true;
	if (task->state == TASK_BLOCKED && task->wait.how == SIM_KILLABLE)
		sim_make_ready(task);
}

void wake_up_process(struct task_struct *task)
{
	task->wait.woken = true;
	if (task->state == TASK_BLOCKED)
		sim_make_ready(task);
}

void sim_wake_queue(wait_queue_head_t *queue)
{
	int i;

	for (i = 0; i < tasks_used; i++)
		if (tasks[i].wait.queue == queue && tasks[i].state != TASK_FREE)
			wake_up_process(&tasks[i]);
}

void sim_check_waiters_in(const void *from, size_t size)
{
	int i;

	for (i = 0; i < tasks_used; i++) {
		const char *queue = (const char *)tasks[i].wait.queue;

		if (tasks[i].state != TASK_FREE && queue >= (const char *)from &&
		    queue < (const char *)from + size)
			sim_fail("memory is freed while %s waits on a queue in it (in %s)",
				 tasks[i].name, tasks[i].wait.who);
	}
}

void sim_preempt(void)
{
	struct task_struct *task = running;

	if (!task || task->atomic || softirq.atomic || !sim_chance(preempt_one_in))
		return;
	sim_make_ready(task);
	sim_switch_out();
}

static void deadline_passed(void *a, u64 timer)
{
	struct task_struct *task = a;

	if (task->timer == timer && task->state == TASK_BLOCKED)
		sim_make_ready(task);
}

void sim_wait_block(void)
{
	struct task_struct *task = running;

	if (!task->wait.woken) {
		if (task->wait.deadline != UINT64_MAX) {
			task->timer = ++next_timer;
			sim_after(task->wait.deadline - sim_now_us, deadline_passed, task,
				  task->timer);
		}
		task->state = TASK_BLOCKED;
		sim_switch_out();
		task->timer = 0;
	}
	task->wait.woken = false;
}

void sim_softirq_begin(void)
{
	softirq.atomic++;
}

void sim_softirq_end(void)
{
	softirq.atomic--;
}

/* The end of a schedule. */

void sim_done(void)
{
	done = true;
}

const char *sim_why(void)
{
	return why;
}

int sim_wait_list(char *text, size_t size)
{
	int i, count = 0;
	size_t len = 0;

	text[0] = '\0';
	for (i = 0; i < tasks_used && len + 100 < size; i++) {
		const struct task_struct *task = &tasks[i];

		if (task->state != TASK_BLOCKED && task->state != TASK_READY)
			continue;
		count++;
		len += snprintf(text + len, size - len, "  %s %s: %s in %s%s\n",
				task->node ? sim_node_name(task->node) : "-", task->name,
				task->state == TASK_READY ? "ready" : "waits",
				task->wait.who ? task->wait.who : "?",
				task->wait.deadline != UINT64_MAX ? ", with a timeout" : "");
	}
	return count;
}

void sim_fail(const char *fmt, ...)
{
	va_list args;

	if (!failed) {
		va_start(args, fmt);
		vsnprintf(why, sizeof(why), fmt, args);
		va_end(args);
		sim_trace("FAILED: %s", why);
	}
	failed = true;
	if (running) {
		running->state = TASK_BLOCKED;
		for (;;)
			sim_switch_out();
	}
	longjmp(from_event, 1);
}

static void stuck(void)
{
	static char text[3000];

	sim_wait_list(text, sizeof(text));
	sim_fail("nobody can go on, and no timer runs:\n%s", text);
}

/* Time stands still while threads run; now and then an event comes between them all the same. */
static void step(void)
{
	struct task_struct *task;

	if (clock_next() != UINT64_MAX &&
	    (!ready_count || (sim_chance(16) && clock_next() <= sim_now_us + 2000))) {
		sim_softirq_begin();
		clock_run_next();
		sim_softirq_end();
		return;
	}
	if (!ready_count)
		stuck();
	task = ready[sim_below(ready_count)];
	make_unready(task);
	task->state = TASK_BLOCKED;
	switch_to(task);
}

static void reset(u64 seed)
{
	static const u32 one_in[] = { 0, 2, 4, 16 };
	int i;

	for (i = 0; i < tasks_used; i++)
		tasks[i].state = TASK_FREE;
	ready_count = 0;
	next_id = 0;
	next_timer = 0;
	clock_reset(seed);
	failed = false;
	done = false;
	softirq.atomic = 0;
	running = NULL;
	snprintf(softirq.name, sizeof(softirq.name), "-");
	preempt_one_in = one_in[sim_below(ARRAY_SIZE(one_in))];
	sim_memory_reset();
}

bool sim_run(u64 seed, void (*begin)(void))
{
	volatile u64 steps = 0;

	reset(seed);
	if (!setjmp(from_event)) {
		begin();
		while (!done && !failed) {
			step();
			steps = steps + 1;
			if (steps > STEPS_MAX)
				sim_fail("the schedule does not end: threads run, but nothing comes of it");
		}
	}
	softirq.atomic = 0;
	return !failed;
}
