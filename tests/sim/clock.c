// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulated clock, what is due on it, and the numbers that decide: all from the seed.
 */
#include "sim.h"

#define EVENTS_MAX 16384

struct event {
	u64 at;
	u64 order;
	void (*fn)(void *a, u64 b);
	void *a;
	u64 b;
};

u64 sim_now_us;

static struct event events[EVENTS_MAX];
static int events_count;
static u64 next_order;
static u64 random_state;

void clock_reset(u64 seed)
{
	events_count = 0;
	next_order = 0;
	sim_now_us = 1000000;
	random_state = seed * 0x2545f4914f6cdd1dULL + 1;
}

u64 sim_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u32 sim_below(u32 limit)
{
	return ((sim_random() >> 32) * limit) >> 32;
}

bool sim_chance(u32 one_in)
{
	return one_in && !sim_below(one_in);
}

u64 sim_between(u64 lo, u64 hi)
{
	return lo + sim_random() % (hi - lo + 1);
}

/* Events, in a heap by time and order of arrival. */

static bool before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void sim_after(u64 us, void (*fn)(void *a, u64 b), void *a, u64 b)
{
	struct event new = { sim_now_us + us, next_order++, fn, a, b };
	int i = events_count++;

	if (i == EVENTS_MAX)
		sim_fail("more than %d events are due", EVENTS_MAX);
	while (i && before(&new, &events[(i - 1) / 2])) {
		events[i] = events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	events[i] = new;
}

static struct event take_event(void)
{
	struct event first = events[0], last = events[--events_count];
	int i = 0, child;

	while ((child = 2 * i + 1) < events_count) {
		if (child + 1 < events_count && before(&events[child + 1], &events[child]))
			child++;
		if (!before(&events[child], &last))
			break;
		events[i] = events[child];
		i = child;
	}
	events[i] = last;
	return first;
}

u64 clock_next(void)
{
	return events_count ? events[0].at : UINT64_MAX;
}

void clock_run_next(void)
{
	struct event event = take_event();

	if (event.at > sim_now_us)
		sim_now_us = event.at;
	event.fn(event.a, event.b);
}
