/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers that tell md something: real processes, over a directory that stands for sysfs. That
 * each call is carried out and answered once, by the worker that was there in advance first, that
 * there is another one afterwards, and that one that has died costs no call.
 */
#include "forked.h"

#include <errno.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/mdioctl.h"
#include "port/worker.h"

#define BOUND_S 20		/* for what takes a moment */

struct bed {
	struct mdc_mdioctl *io;
	char *sys;
	unsigned int forks, answers;
	pid_t last;			/* worker */
	bool late;
	enum mdc_mdioctl_kind kind;
	int err;
	unsigned int seq;
	void *owner;
};

static struct bed *bed;

/* As the real one, but counted, and ended where a test fails. */
pid_t mdc_worker_fork(void (*fn)(int fd, const void *data), const void *data,
		      bool die_with_parent, int *fd)
{
	assert_false(die_with_parent);
	bed->last = forked(fn, data, BOUND_S, fd);
	bed->forks++;
	return bed->last;
}

static void done(enum mdc_mdioctl_kind kind, int err, unsigned int seq, void *owner, void *data)
{
	assert_ptr_equal(data, bed);
	bed->answers++;
	bed->kind = kind;
	bed->err = err;
	bed->seq = seq;
	bed->owner = owner;
}

static void put(const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/block/md127/md/%s", bed->sys, name);
	g_autofree char *dir = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(dir, 0755), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *get(const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/block/md127/md/%s", bed->sys, name);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static int setup(void **state)
{
	char name[] = "mdioctl-XXXXXX";

	(void)state;
	bed = g_new0(struct bed, 1);
	if (!g_mkdtemp(name))
		return -1;
	bed->sys = g_strdup(name);
	put("dev-vdc/state", "");
	put("dev-vdc/slot", "none\n");
	put("dev-vdd/state", "");
	put("dev-vdd/slot", "1\n");
	bed->io = mdc_mdioctl_new(done, bed);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	int ret = nftw(bed->sys, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	(void)state;
	mdc_mdioctl_free(bed->io);
	g_free(bed->sys);
	g_free(bed);
	return ret;
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

static void take_out(const char *kname, unsigned int seq)
{
	unsigned int before = bed->answers;

	assert_int_equal(mdc_mdioctl_remove(bed->io, bed->sys, "md127", kname, seq, &bed->seq), 0);
	UNTIL(bed->answers > before);
	assert_int_equal(bed->answers, before + 1);
	assert_int_equal(bed->kind, MDC_IO_REMOVE);
	assert_int_equal(bed->seq, seq);
	assert_ptr_equal(bed->owner, &bed->seq);
}

static void test_tells(void **state)
{
	g_autofree char *text = NULL;

	(void)state;
	take_out("vdc", 7);
	assert_int_equal(bed->err, 0);
	text = get("dev-vdc/state");
	assert_string_equal(text, "remove");
	/* Nobody has asked for one in advance. */
	assert_int_equal(bed->forks, 1);
}

static void test_leaves_what_has_a_role(void **state)
{
	g_autofree char *text = NULL;

	(void)state;
	take_out("vdd", 1);
	assert_int_equal(bed->err, EBUSY);
	text = get("dev-vdd/state");
	assert_string_equal(text, "");
}

static void test_no_such_array(void **state)
{
	(void)state;
	assert_int_equal(mdc_mdioctl_nack(bed->io, bed->sys, "md126", 1, NULL), -ENODEV);
	take_out("vde", 1);
	assert_int_equal(bed->err, ENOENT);
	assert_int_equal(bed->answers, 1);
}

static void test_one_is_there_in_advance(void **state)
{
	pid_t spare;

	(void)state;
	mdc_mdioctl_ready(bed->io);
	assert_int_equal(bed->forks, 0);
	UNTIL(bed->forks == 1);
	spare = bed->last;
	take_out("vdc", 1);
	assert_int_equal(bed->err, 0);
	assert_int_equal(bed->forks, 1);
	UNTIL(bed->forks == 2);
	assert_int_not_equal(bed->last, spare);
	/* Two at once: the second one has a worker of its own. */
	for (unsigned int seq = 2; seq < 4; seq++)
		assert_int_equal(mdc_mdioctl_remove(bed->io, bed->sys, "md127", "vdc", seq, NULL), 0);
	UNTIL(bed->answers == 3);
	assert_in_range(bed->forks, 3, 4);
}

static void test_one_that_has_died_is_replaced(void **state)
{
	(void)state;
	mdc_mdioctl_ready(bed->io);
	UNTIL(bed->forks == 1);
	assert_int_equal(kill(bed->last, SIGKILL), 0);
	UNTIL(bed->forks == 2);
	take_out("vdc", 1);
	assert_int_equal(bed->err, 0);
	assert_int_equal(bed->forks, 2);
}

/* The loop has not seen it yet as it is asked. */
static void test_one_that_has_just_died(void **state)
{
	siginfo_t ended;

	(void)state;
	mdc_mdioctl_ready(bed->io);
	UNTIL(bed->forks == 1);
	assert_int_equal(kill(bed->last, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)bed->last, &ended, WEXITED | WNOWAIT), 0);
	take_out("vdc", 1);
	assert_int_equal(bed->err, 0);
	assert_int_equal(bed->forks, 2);
}

static void test_forgotten(void **state)
{
	int other;

	(void)state;
	assert_int_equal(mdc_mdioctl_remove(bed->io, bed->sys, "md127", "vdc", 1, &other), 0);
	mdc_mdioctl_forget(bed->io, &other);
	take_out("vdc", 2);
	take_out("vdc", 3);
	assert_int_equal(bed->answers, 2);
}

static void test_ends_with_us(void **state)
{
	pid_t spare;

	(void)state;
	mdc_mdioctl_ready(bed->io);
	UNTIL(bed->forks == 1);
	spare = bed->last;
	g_clear_pointer(&bed->io, mdc_mdioctl_free);
	/* It has met the end of its socket. */
	assert_int_equal(waitpid(spare, NULL, 0), spare);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tells, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaves_what_has_a_role, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_array, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_is_there_in_advance, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_has_died_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_has_just_died, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_with_us, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
