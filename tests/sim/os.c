// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's side for the protocol files: memory that is counted by node, waiting, threads,
 * locks, and the log.
 */
#include <stdarg.h>

#include "sim.h"
#include "world.h"

struct block {
	struct block *next, *prev;
	struct sim_node *node;
	size_t size;
	u64 magic;
};

#define MAGIC_LIVE 0x6d64636c6976653fULL
#define RING_LINES 2048
#define LINE_SIZE 240

static struct block blocks = { &blocks, &blocks, NULL, 0, 0 };
static char ring[RING_LINES][LINE_SIZE];
static u64 ring_next;

/* Log. */

static void put_line(const char *text)
{
	struct sim_node *node = sim_current_node();
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%9llu.%03llu %-5s %-16s %s",
		 (unsigned long long)sim_now_us / 1000, (unsigned long long)sim_now_us % 1000,
		 node ? sim_node_name(node) : "-", sim_name(sim_current()), text);
	if (sim_options.trace)
		fprintf(stderr, "%s\n", line);
	memcpy(ring[ring_next++ % RING_LINES], line, LINE_SIZE);
}

void sim_trace_line(const char *fmt, ...)
{
	char text[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_line(text);
}

void sim_log(const char *level, const char *fmt, ...)
{
	char text[LINE_SIZE];
	size_t len;
	va_list args;

	if (!sim_options.trace && !sim_options.ring)
		return;
	len = snprintf(text, sizeof(text), "%s: ", level);
	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	text[strcspn(text, "\n")] = '\0';
	put_line(text);
}

void sim_ring_print(int lines)
{
	u64 i = ring_next > (u64)lines ? ring_next - lines : 0;

	if (ring_next - i > RING_LINES)
		i = ring_next - RING_LINES;
	for (; i < ring_next; i++)
		fprintf(stderr, "%s\n", ring[i % RING_LINES]);
}

/* Memory. */

void *sim_alloc(size_t size, gfp_t flags)
{
	struct block *block;

	if (flags & GFP_KERNEL)
		sim_may_block(__func__);
	if (sim_out_of_memory(sim_current_node()))
		return NULL;
	block = calloc(1, sizeof(*block) + size);
	if (!block) {
		fprintf(stderr, "sim: no memory\n");
		exit(2);
	}
	block->size = size;
	block->node = sim_current_node();
	block->magic = MAGIC_LIVE;
	block->next = &blocks;
	block->prev = blocks.prev;
	blocks.prev->next = block;
	blocks.prev = block;
	return block + 1;
}

static void drop(struct block *block)
{
	block->prev->next = block->next;
	block->next->prev = block->prev;
	block->magic = 0;
	memset(block + 1, 0x6b, block->size);
	free(block);
}

void kfree(const void *ptr)
{
	struct block *block = (struct block *)ptr - 1;

	if (!ptr)
		return;
	if (block->magic != MAGIC_LIVE)
		sim_fail("kfree() of what was not allocated");
	if (block->node != sim_current_node())
		sim_fail("kfree() on one node of another's memory");
	sim_check_waiters_in(ptr, block->size);
	drop(block);
}

long sim_memory_of(const struct sim_node *node)
{
	struct block *block;
	long sum = 0;

	for (block = blocks.next; block != &blocks; block = block->next)
		if (block->node == node)
			sum += block->size;
	return sum;
}

void sim_memory_forget(struct sim_node *node)
{
	struct block *block, *next;

	for (block = blocks.next; block != &blocks; block = next) {
		next = block->next;
		if (block->node == node)
			drop(block);
	}
}

void sim_memory_reset(void)
{
	while (blocks.next != &blocks)
		drop(blocks.next);
	ring_next = 0;
}

/* Waiting. */

void sim_may_block(const char *who)
{
	if (current->atomic)
		sim_fail("%s may block, in atomic context", who);
}

void init_waitqueue_head(wait_queue_head_t *queue)
{
	queue->self = queue;
}

void wake_up(wait_queue_head_t *queue)
{
	if (queue->self != queue)
		sim_fail("a wait queue is woken that was not initialised, or is gone");
	if (sim_options.fault == SIM_BREAK_LOSE_WAKE && sim_chance(200))
		return;
	sim_wake_queue(queue);
	sim_preempt();
}

u64 sim_wait_deadline(long timeout)
{
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return UINT64_MAX;
	return sim_now_us + (u64)max(timeout, 0L) * (1000000 / HZ);
}

void sim_wait_begin(wait_queue_head_t *queue, enum sim_wait how, u64 deadline, const char *who)
{
	struct task_struct *task = current;

	sim_may_block(who);
	if (queue->self != queue)
		sim_fail("%s waits on a queue that was not initialised, or is gone", who);
	if (task->wait.queue && task->wait.queue != queue)
		sim_fail("%s waits while it decides whether to wait", who);
	task->wait.queue = queue;
	task->wait.how = how;
	task->wait.deadline = deadline;
	task->wait.woken = false;
	task->wait.who = who;
}

bool sim_wait_over(long *result)
{
	struct task_struct *task = current;

	if (task->wait.how == SIM_KILLABLE && task->killed)
		*result = -ERESTARTSYS;
	else if (sim_now_us >= task->wait.deadline)
		*result = 0;
	else
		return false;
	return true;
}

void sim_wait_end(void)
{
	current->wait.queue = NULL;
	current->wait.how = SIM_DEAF;
	sim_preempt();
}

long sim_wait_left(u64 deadline)
{
	if (deadline == UINT64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	if (deadline <= sim_now_us)
		return 1;
	return max((long)((deadline - sim_now_us) / (1000000 / HZ)), 1L);
}

void sim_sleep_us(u64 us)
{
	static wait_queue_head_t nobody = { &nobody };
	u64 end = sim_now_us + us;
	long result;

	for (;;) {
		sim_wait_begin(&nobody, SIM_DEAF, end, __func__);
		if (sim_wait_over(&result))
			break;
		sim_wait_block();
	}
	sim_wait_end();
}

void msleep(unsigned int ms)
{
	sim_sleep_us((u64)ms * 1000);
}

void cond_resched(void)
{
	sim_may_block(__func__);
	sim_preempt();
}

/* Threads of the module. */

struct task_struct *sim_kthread_run(int (*fn)(void *arg), void *arg, const char *fmt, ...)
{
	struct task_struct *task;
	char name[24];
	va_list args;

	sim_may_block(__func__);
	if (sim_out_of_memory(sim_current_node()))
		return ERR_PTR(-ENOMEM);
	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	task = sim_spawn(sim_current_node(), name, fn, arg);
	task->kthread = true;
	sim_preempt();
	return task;
}

int kthread_stop(struct task_struct *task)
{
	int result;

	if (!task->kthread || task->state == TASK_FREE || task->node != sim_current_node())
		sim_fail("kthread_stop() of what is no thread of this node");
	task->should_stop = true;
	wake_up_process(task);
	wait_event(task->ended, task->state == TASK_ENDED);
	result = task->result;
	task->state = TASK_FREE;
	return result;
}

bool kthread_should_stop(void)
{
	return current->should_stop;
}

bool fatal_signal_pending(struct task_struct *task)
{
	return task->killed;
}

/* Spinlocks. */

void spin_lock_init(spinlock_t *lock)
{
	lock->holder = NULL;
}

void sim_spin_lock(spinlock_t *lock, const char *who)
{
	sim_preempt();
	if (lock->holder)
		sim_fail("%s: %s takes a spinlock that %s holds", who, current->name,
			 lock->holder->name);
	lock->holder = current;
	current->atomic++;
}

void sim_spin_unlock(spinlock_t *lock, const char *who)
{
	if (lock->holder != current)
		sim_fail("%s: %s releases a spinlock that it does not hold", who, current->name);
	lock->holder = NULL;
	current->atomic--;
	sim_preempt();
}
