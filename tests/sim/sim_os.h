/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What module/os.h takes from the kernel, for the simulator: the same names over coroutines and
 * a simulated clock. A thread runs until it blocks; it may also be put aside, at random, at locks
 * and wake-ups. Nothing may block while a spinlock is held or in a callback of the DLM.
 */
#ifndef SIM_OS_H
#define SIM_OS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/types.h"

typedef int64_t s64;
typedef int32_t s32;
typedef uint32_t __le32;
typedef uint64_t __le64;
typedef unsigned int gfp_t;

#define __must_check __attribute__((warn_unused_result))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define likely(x) (x)
#define unlikely(x) (x)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define ERESTARTSYS 512

#define ERR_PTR(err) ((void *)(intptr_t)(err))
#define PTR_ERR(ptr) ((long)(intptr_t)(ptr))
#define IS_ERR(ptr) ((uintptr_t)(ptr) >= (uintptr_t)-4095)

void sim_fail(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

#define BUG_ON(cond) \
	do { \
		if (cond) \
			sim_fail("BUG_ON(%s) in %s", #cond, __func__); \
	} while (0)
#define WARN_ON(cond) \
	({ \
		bool bad_ = (cond); \
		if (bad_) \
			sim_fail("WARN_ON(%s) in %s", #cond, __func__); \
		bad_; \
	})
#define WARN_ON_ONCE(cond) WARN_ON(cond)

/* Log. */
void sim_log(const char *level, const char *fmt, ...) __printf(2, 3);
#define pr_err(...) sim_log("err", __VA_ARGS__)
#define pr_warn(...) sim_log("warn", __VA_ARGS__)
#define pr_info(...) sim_log("info", __VA_ARGS__)

/* Memory; what a node has not freed when it is gone is a leak. */
#define GFP_KERNEL 1u
#define GFP_ATOMIC 2u
void *sim_alloc(size_t size, gfp_t flags);
void kfree(const void *ptr);
#define kzalloc(size, flags) sim_alloc(size, flags)
#define kcalloc(n, size, flags) sim_alloc((size_t)(n) * (size), flags)

/* Time. */
#define HZ 250
#define MAX_SCHEDULE_TIMEOUT INT64_MAX
extern u64 sim_now_us;
static inline u64 mdc_now_ms(void)
{
	return sim_now_us / 1000;
}
static inline long msecs_to_jiffies(unsigned int ms)
{
	return ((long)ms * HZ + 999) / 1000;
}
#define jiffies ((unsigned long)(sim_now_us / (1000000 / HZ)))
void msleep(unsigned int ms);

/* Threads. */
struct task_struct;
struct task_struct *sim_current(void);
#define current sim_current()
struct task_struct *sim_kthread_run(int (*fn)(void *arg), void *arg, const char *fmt, ...)
	__printf(3, 4);
#define kthread_run(fn, arg, ...) sim_kthread_run(fn, arg, __VA_ARGS__)
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);
static inline void mdc_thread_never_writes_for_memory(void)
{
}
bool fatal_signal_pending(struct task_struct *task);
void wake_up_process(struct task_struct *task);
void cond_resched(void);
#define might_sleep() sim_may_block(__func__)
void sim_may_block(const char *who);

/* One kind of lock: it does not block, and there is no one to spin against. */
typedef struct {
	struct task_struct *holder;
} spinlock_t;
void spin_lock_init(spinlock_t *lock);
void sim_spin_lock(spinlock_t *lock, const char *who);
void sim_spin_unlock(spinlock_t *lock, const char *who);
#define spin_lock(lock) sim_spin_lock(lock, __func__)
#define spin_unlock(lock) sim_spin_unlock(lock, __func__)
#define spin_lock_irq(lock) sim_spin_lock(lock, __func__)
#define spin_unlock_irq(lock) sim_spin_unlock(lock, __func__)
#define spin_lock_irqsave(lock, flags) \
	do { \
		(flags) = 0; \
		sim_spin_lock(lock, __func__); \
	} while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { \
		(void)(flags); \
		sim_spin_unlock(lock, __func__); \
	} while (0)

/*
 * Wait queues. A waiter is on its queue before it looks at its condition, as in the kernel; it
 * goes on when that queue is woken, when its time is over or, killably, when it is killed, and
 * not otherwise: a lost wake-up is a hang that is found.
 */
typedef struct {
	const void *self;
} wait_queue_head_t;
void init_waitqueue_head(wait_queue_head_t *queue);
void wake_up(wait_queue_head_t *queue);
#define wake_up_all(queue) wake_up(queue)

enum sim_wait { SIM_DEAF, SIM_KILLABLE };

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

/* TIMEOUT in jiffies; the result is as wait_event_killable_timeout() has it. */
u64 sim_wait_deadline(long timeout);
void sim_wait_begin(wait_queue_head_t *queue, enum sim_wait how, u64 deadline, const char *who);
bool sim_wait_over(long *result);	/* killed, or out of time */
void sim_wait_block(void);
void sim_wait_end(void);
long sim_wait_left(u64 deadline);

#define SIM_WAIT(queue, condition, how, timeout) \
	({ \
		long result_ = 0; \
		u64 deadline_ = sim_wait_deadline(timeout); \
		for (;;) { \
			sim_wait_begin(&(queue), how, deadline_, __func__); \
			if (condition) { \
				result_ = sim_wait_left(deadline_); \
				break; \
			} \
			if (sim_wait_over(&result_)) \
				break; \
			sim_wait_block(); \
		} \
		sim_wait_end(); \
		result_; \
	})
#define wait_event(queue, condition) \
	((void)SIM_WAIT(queue, condition, SIM_DEAF, MAX_SCHEDULE_TIMEOUT))
#define wait_event_idle(queue, condition) wait_event(queue, condition)
#define wait_event_timeout(queue, condition, timeout) \
	SIM_WAIT(queue, condition, SIM_DEAF, timeout)
#define wait_event_idle_timeout(queue, condition, timeout) \
	SIM_WAIT(queue, condition, SIM_DEAF, timeout)
#define wait_event_killable_timeout(queue, condition, timeout) \
	SIM_WAIT(queue, condition, SIM_KILLABLE, timeout)
#define wait_event_killable(queue, condition) \
	({ \
		long killed_ = SIM_WAIT(queue, condition, SIM_KILLABLE, MAX_SCHEDULE_TIMEOUT); \
		killed_ < 0 ? (int)killed_ : 0; \
	})

/* Bits. */
#define BITS_PER_LONG (8 * (int)sizeof(long))
#define BITS_TO_LONGS(bits) (((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG) & 1;
}

static inline void set_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << (bit % BITS_PER_LONG);
}

static inline void clear_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~(1UL << (bit % BITS_PER_LONG));
}

static inline bool test_and_set_bit(unsigned long bit, unsigned long *map)
{
	bool was = test_bit(bit, map);

	set_bit(bit, map);
	return was;
}

static inline bool test_and_clear_bit(unsigned long bit, unsigned long *map)
{
	bool was = test_bit(bit, map);

	clear_bit(bit, map);
	return was;
}


static inline unsigned long find_next_bit(const unsigned long *map, unsigned long bits,
					  unsigned long from)
{
	while (from < bits) {
		unsigned long rest = map[from / BITS_PER_LONG] >> (from % BITS_PER_LONG);

		if (rest)
			return min(from + __builtin_ctzl(rest), bits);
		from += BITS_PER_LONG - from % BITS_PER_LONG;
	}
	return bits;
}

#define find_first_bit(map, bits) find_next_bit(map, bits, 0)
#define for_each_set_bit(bit, map, bits) \
	for ((bit) = find_first_bit(map, bits); (bit) < (bits); \
	     (bit) = find_next_bit(map, bits, (bit) + 1))
#define bitmap_zero(map, bits) memset(map, 0, BITS_TO_LONGS(bits) * sizeof(long))
#define bitmap_copy(to, from, bits) memcpy(to, from, BITS_TO_LONGS(bits) * sizeof(long))
#define bitmap_empty(map, bits) (find_first_bit(map, bits) >= (bits))
static inline void bitmap_andnot(unsigned long *to, const unsigned long *from,
				 const unsigned long *mask, u32 bits)
{
	u32 i;

	for (i = 0; i < BITS_TO_LONGS(bits); i++)
		to[i] = from[i] & ~mask[i];
}
static inline bool bitmap_subset(const unsigned long *part, const unsigned long *all, u32 bits)
{
	u32 i;

	for (i = 0; i < BITS_TO_LONGS(bits); i++)
		if (part[i] & ~all[i])
			return false;
	return true;
}

#endif
