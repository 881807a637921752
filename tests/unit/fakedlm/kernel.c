// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fake of the kernel's delayed work and RCU. A work runs in a thread of its own, never two at a
 * time; one that is queued while it runs runs again after it. Only addresses of works are kept: the
 * memory of one that has run may be gone.
 */
#include "fakedlm.h"

#define WORKS_MAX 64
#define WORK_LATE_US 100
#define GRACE_US 50

struct item {
	struct delayed_work *work;	/* NULL: the place is free */
	u64 turn;
	bool due;			/* it waits for its last run to end */
};

static struct item queued[WORKS_MAX];
static const struct delayed_work *running[WORKS_MAX];
static u64 next_turn;
static int readers;

void fake_kernel_reset(void)
{
	memset(queued, 0, sizeof(queued));
	memset(running, 0, sizeof(running));
	readers = 0;
}

/* The place of WORK; of NULL: a free one. */
static struct item *item_of(const struct delayed_work *work)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queued); i++)
		if (queued[i].work == work)
			return &queued[i];
	return NULL;
}

static struct item *item_by_turn(u64 turn)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queued); i++)
		if (queued[i].work && queued[i].turn == turn)
			return &queued[i];
	return NULL;
}

static const struct delayed_work **run_of(const struct delayed_work *work)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(running); i++)
		if (running[i] == work)
			return &running[i];
	return NULL;
}

int fake_kernel_works(void)
{
	int count = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(queued); i++)
		count += queued[i].work != NULL;
	return count;
}

static int run(void *arg)
{
	struct item *item = item_by_turn((uintptr_t)arg);
	const struct delayed_work **place;
	struct delayed_work *work;

	/* It may have been put off once more meanwhile. */
	if (!item)
		return 0;
	work = item->work;
	if (run_of(work)) {
		item->due = true;
		return 0;
	}
	item->work = NULL;
	place = run_of(NULL);
	if (!place)
		sim_fail("more than %d works run", WORKS_MAX);
	*place = work;
	work->work.func(&work->work);
	*place = NULL;
	item = item_of(work);
	if (item && item->due)
		sim_spawn(NULL, "work", run, (void *)(uintptr_t)item->turn);
	return 0;
}

static void due(void *a, u64 turn)
{
	(void)a;
	if (item_by_turn(turn))
		sim_spawn(NULL, "work", run, (void *)(uintptr_t)turn);
}

bool fake_mod_delayed_work(struct delayed_work *work, unsigned long delay)
{
	struct item *item = item_of(work);
	bool was_queued = item;

	if (!was_queued)
		item = item_of(NULL);
	if (!item)
		sim_fail("more than %d works are queued", WORKS_MAX);
	item->work = work;
	item->turn = ++next_turn;
	item->due = false;
	/* At once, at times: what queued it may not be out of the lock yet. */
	if (!delay && sim_chance(2))
		due(NULL, item->turn);
	else
		sim_after((u64)delay * (1000000 / HZ) + sim_below(WORK_LATE_US), due, NULL,
			  item->turn);
	return was_queued;
}

/* RCU. */

void rcu_read_lock(void)
{
	readers++;
}

void rcu_read_unlock(void)
{
	readers--;
}

static void grace_over(void *ptr, u64 unused)
{
	if (readers) {
		sim_after(GRACE_US, grace_over, ptr, unused);
		return;
	}
	fake_dlm_check_out(ptr);
	kfree(ptr);
}

void fake_kfree_rcu(void *ptr, size_t size)
{
	size_t i;

	fake_dlm_check_free(ptr);
	for (i = 0; i < ARRAY_SIZE(queued); i++)
		if ((char *)queued[i].work >= (char *)ptr &&
		    (char *)queued[i].work < (char *)ptr + size)
			sim_fail("memory is freed with a work in it that is queued");
	if (sim_chance(2))
		grace_over(ptr, 0);
	else
		sim_after(sim_below(GRACE_US), grace_over, ptr, 0);
}
