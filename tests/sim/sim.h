/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's core: one schedule at a time, all of it decided by its seed. Threads of all
 * nodes are coroutines; what else happens is an event on the simulated clock.
 */
#ifndef SIM_H
#define SIM_H

#include "os.h"

#define SIM_NODES_MAX 5

struct sim_node;

/* Faults put into the simulated surroundings: each must be found by some schedule. */
enum sim_break {
	SIM_BREAK_NOTHING,
	SIM_BREAK_LOSE_BAST,	/* a BAST is lost now and then */
	SIM_BREAK_LVB_STALE,	/* a value block is not handed on now and then */
	SIM_BREAK_EARLY_GRANT,	/* EX is granted beside others now and then */
	SIM_BREAK_LOSE_WAKE,	/* a wake-up is lost now and then */
	SIM_BREAK_NO_PURGE,	/* locks of a dead node stay */
	SIM_BREAK_NO_FAILED,	/* survivors are not told that a member failed */
	SIM_BREAKS
};

struct sim_options {
	int nodes;		/* 0: by the seed */
	enum sim_break fault;
	bool trace;		/* to standard error, as it happens */
	bool ring;		/* kept, for the end of a failed run */
};

extern struct sim_options sim_options;

/* One schedule. False: it failed, and sim_why() says so. */
bool sim_run(u64 seed, void (*begin)(void));
const char *sim_why(void);
void sim_ring_print(int lines);

/* Numbers, from the seed alone. */
u64 sim_random(void);
u32 sim_below(u32 limit);		/* 0 .. limit - 1 */
bool sim_chance(u32 one_in);
u64 sim_between(u64 lo, u64 hi);

#define sim_trace(...) \
	do { \
		if (sim_options.trace || sim_options.ring) \
			sim_trace_line(__VA_ARGS__); \
	} while (0)
void sim_trace_line(const char *fmt, ...) __printf(1, 2);

/* The clock. FN runs outside of any thread and must not block. */
void sim_after(u64 us, void (*fn)(void *a, u64 b), void *a, u64 b);
void sim_sleep_us(u64 us);
void clock_reset(u64 seed);
u64 clock_next(void);			/* when something is due; UINT64_MAX: nothing */
void clock_run_next(void);

/* Threads. NODE may be NULL: one of the world's own. They vanish with sim_power_off(). */
struct task_struct *sim_spawn(struct sim_node *node, const char *name, int (*fn)(void *arg),
			      void *arg);
struct sim_node *sim_current_node(void);
void sim_kill(struct task_struct *task);		/* as a fatal signal does */
bool sim_alive(const struct task_struct *task, u64 id);
u64 sim_id(const struct task_struct *task);
const char *sim_name(const struct task_struct *task);
void sim_power_off(struct sim_node *node);		/* its threads and memory are gone */
int sim_threads_of(const struct sim_node *node);
void sim_preempt(void);
void sim_done(void);					/* the schedule is over, and good */

/* Around what the DLM calls in softirq context. */
void sim_softirq_begin(void);
void sim_softirq_end(void);

/* Memory that nodes have from kzalloc(). */
long sim_memory_of(const struct sim_node *node);
void sim_memory_forget(struct sim_node *node);
void sim_memory_reset(void);

/* sched.c's own part of a task, for os.c. */
struct sim_waiting {
	wait_queue_head_t *queue;
	enum sim_wait how;
	u64 deadline;
	bool woken;
	const char *who;
};

struct task_struct {
	int index;
	u64 id;
	enum { TASK_FREE, TASK_READY, TASK_BLOCKED, TASK_ENDED } state;
	int ready_at;			/* place in the list of ready ones */
	struct sim_node *node;
	char name[24];
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool kthread, started, should_stop, killed;
	int atomic;			/* spinlocks held */
	struct sim_waiting wait;
	u64 timer;			/* of the deadline that is on the clock */
	wait_queue_head_t ended;
	void *stack, *fake_stack, *context;
};

void sim_switch_out(void);
void sim_make_ready(struct task_struct *task);
void sim_wake_queue(wait_queue_head_t *queue);
void sim_check_waiters_in(const void *from, size_t size);
int sim_wait_list(char *text, size_t size);

#endif
