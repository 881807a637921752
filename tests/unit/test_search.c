/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers that look at devices: real processes, with a look that reads nothing. That each
 * device is answered for, by the workers that were there in advance first, and that they are
 * there again afterwards.
 */
#include "forked.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "port/search.h"
#include "port/worker.h"

#define BOUND_S 20		/* for what takes a moment */

struct bed {
	struct mdc_search_pool *pool;
	struct mdc_search *search;
	unsigned int forks;
	pid_t pids[16];			/* of the workers, as they were forked */
	GString *seen;
	bool idle, late;
	unsigned int looked_at, stuck;
};

static struct bed *bed;

/* In the worker: its answer tells which one it is, and what it was asked. */
void mdc_probe_device(const char *sys, const struct mdc_probe_device *dev, struct mdc_probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	if (strcmp(sys, "/sys"))
		_exit(1);
	if (!strcmp(dev->kname, "dies"))
		_exit(1);
	snprintf(probe->id, sizeof(probe->id), "%d.%u", (int)getpid(), dev->also);
}

pid_t mdc_worker_fork(void (*fn)(int fd, const void *data), const void *data,
		      bool die_with_parent, int *fd)
{
	pid_t pid = forked(fn, data, BOUND_S, fd);

	assert_true(die_with_parent);
	assert_true(bed->forks < COUNT(bed->pids));
	bed->pids[bed->forks++] = pid;
	return pid;
}

static int setup(void **state)
{
	(void)state;
	bed = g_new0(struct bed, 1);
	bed->seen = g_string_new(NULL);
	bed->pool = mdc_search_pool_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mdc_search_stop(bed->search);
	mdc_search_pool_free(bed->pool);
	g_string_free(bed->seen, TRUE);
	g_free(bed);
	return 0;
}

static gboolean too_late(gpointer data)
{
	(void)data;
	bed->late = true;
	return G_SOURCE_REMOVE;
}

/* Runs the loop until that is so. */
#define UNTIL(cond) \
	do { \
		guint bound = g_timeout_add_seconds(BOUND_S, too_late, NULL); \
		while (!(cond) && !bed->late) \
			g_main_context_iteration(NULL, TRUE); \
		assert_false(bed->late); \
		g_source_remove(bound); \
	} while (0)

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	assert_ptr_equal(data, bed);
	g_string_append_printf(bed->seen, "%s %s %d\n", dev->kname, probe->id, probe->err);
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	assert_ptr_equal(data, bed);
	bed->idle = true;
	bed->looked_at = looked_at;
	bed->stuck = stuck;
}

static void start(const char *const *names, unsigned int n, unsigned int also)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));

	for (unsigned int i = 0; i < n; i++) {
		struct mdc_blockdev dev = { .major = 1, .minor = i };

		g_strlcpy(dev.kname, names[i], sizeof(dev.kname));
		g_array_append_val(list, dev);
	}
	g_clear_pointer(&bed->search, mdc_search_stop);
	bed->idle = false;
	g_string_truncate(bed->seen, 0);
	bed->search = mdc_search_start(bed->pool, list, also, seen, idle, bed);
}

static const char *const three[] = { "vda", "vdb", "vdc" };

static void test_looks(void **state)
{
	(void)state;
	start(three, COUNT(three), MDC_PROBE_NAME);
	UNTIL(bed->idle);
	assert_int_equal(bed->looked_at, 3);
	assert_int_equal(bed->stuck, 0);
	assert_non_null(strstr(bed->seen->str, "vda "));
	assert_non_null(strstr(bed->seen->str, "vdb "));
	assert_non_null(strstr(bed->seen->str, "vdc "));
	assert_non_null(strstr(bed->seen->str, ".2 0\n"));
	/* Nobody has asked for one in advance. */
	assert_in_range(bed->forks, 1, 2);
}

static void test_dies(void **state)
{
	static const char *const names[] = { "vda", "dies" };

	(void)state;
	start(names, COUNT(names), 0);
	UNTIL(bed->idle);
	assert_int_equal(bed->looked_at, 2);
	assert_non_null(strstr(bed->seen->str, "dies  -5\n"));
}

/* Was VDA looked at by one of the first N workers? */
static bool looked_by_first(unsigned int n)
{
	char want[64];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "vda %d.0 0\n", (int)bed->pids[i]);
		if (strstr(bed->seen->str, want))
			return true;
	}
	return false;
}

static void test_spares(void **state)
{
	unsigned int before;

	(void)state;
	mdc_search_pool_ready(bed->pool);
	mdc_search_pool_ready(bed->pool);
	assert_int_equal(bed->forks, 0);
	UNTIL(bed->forks == 2);
	start(three, COUNT(three), 0);
	UNTIL(bed->idle);
	assert_true(looked_by_first(2));
	/* Kept, or, as a search that lasts has others made, replaced. */
	for (int i = 0; i < 3; i++) {
		before = bed->forks;
		start(three, COUNT(three), 0);
		UNTIL(bed->idle);
		assert_true(looked_by_first(before));
	}
}

static void test_spare_dies(void **state)
{
	(void)state;
	mdc_search_pool_ready(bed->pool);
	UNTIL(bed->forks == 2);
	assert_int_equal(kill(bed->pids[1], SIGKILL), 0);
	UNTIL(bed->forks == 3);
}

/* It has died a moment ago, and nobody knows yet: each device is answered for all the same. */
static void test_dead_spare(void **state)
{
	(void)state;
	mdc_search_pool_ready(bed->pool);
	UNTIL(bed->forks == 2);
	assert_int_equal(kill(bed->pids[0], SIGKILL), 0);
	assert_int_equal(kill(bed->pids[1], SIGKILL), 0);
	start(three, COUNT(three), 0);
	UNTIL(bed->idle);
	assert_int_equal(bed->looked_at, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_looks), TEST(test_dies), TEST(test_spares), TEST(test_spare_dies),
		TEST(test_dead_spare),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
