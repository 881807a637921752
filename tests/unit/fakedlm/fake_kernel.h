/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake of what the module's lock files use of the kernel beyond the simulator's sim_os.h: lists,
 * references, RCU, delayed work. kernel.c.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "sim_os.h"

#define MSEC_PER_SEC 1000ULL	/* what is divided by it is printed with %llu */
#define clamp(value, lo, hi) min(max(value, lo), hi)
#define pr_err_ratelimited(...) pr_err(__VA_ARGS__)

typedef struct {
	int value;
} atomic_t;

static inline int atomic_read(const atomic_t *atomic)
{
	return atomic->value;
}

static inline int atomic_xchg(atomic_t *atomic, int value)
{
	int old = atomic->value;

	atomic->value = value;
	return old;
}

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_add(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	entry->next = NULL;
	entry->prev = NULL;
}

#define list_entry_of(ptr, pos, member) container_of(ptr, __typeof__(*(pos)), member)
#define list_for_each_entry_safe(pos, n, head, member) \
	for ((pos) = list_entry_of((head)->next, pos, member), \
	     (n) = list_entry_of((pos)->member.next, pos, member); \
	     &(pos)->member != (head); \
	     (pos) = (n), (n) = list_entry_of((n)->member.next, pos, member))

struct kref {
	int count;
};

static inline void kref_init(struct kref *kref)
{
	kref->count = 1;
}

static inline void kref_get(struct kref *kref)
{
	if (kref->count <= 0)
		sim_fail("a reference is taken where there is none");
	kref->count++;
}

static inline bool kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (kref->count <= 0)
		sim_fail("a reference is given up where there is none");
	if (--kref->count)
		return false;
	release(kref);
	return true;
}

struct mutex {
	int unused;
};

struct rcu_head {
	int unused;
};

void rcu_read_lock(void);
void rcu_read_unlock(void);
void fake_kfree_rcu(void *ptr, size_t size);
#define kfree_rcu(ptr, member) ((void)&(ptr)->member, fake_kfree_rcu(ptr, sizeof(*(ptr))))

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
};

#define to_delayed_work(ptr) container_of(ptr, struct delayed_work, work)
#define INIT_DELAYED_WORK(ptr, fn) ((ptr)->work.func = (fn))
bool fake_mod_delayed_work(struct delayed_work *work, unsigned long delay);

#endif
