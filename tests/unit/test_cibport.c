/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter round mdcluster-cib, with scripts in the child's place: what it hands out and
 * in, and that a child which dies, lies, is deaf or cannot start is started again.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "log.h"
#include "port/cib.h"

#define BOUND_MS 20000

struct seen {
	GMainLoop *loop;
	char *dir, *program;
	unsigned int snapshots, lost, last_nodes;
	unsigned int want_snapshots, want_lost;
	bool lost_had_view;
	struct mdc_cib *cib;
	void (*then)(struct seen *seen);	/* at the first snapshot */
	unsigned int failed, want_failed;
	bool want_idle;
	GString *log;
	guint bound;
};

static void on_log(enum mdc_level level, const char *text, void *data)
{
	struct seen *seen = data;

	g_string_append_printf(seen->log, "%s %s\n", mdc_level_name(level), text);
}

static gboolean too_late(gpointer data)
{
	struct seen *seen = data;

	seen->bound = 0;
	g_main_loop_quit(seen->loop);
	return G_SOURCE_REMOVE;
}

static void end_if_seen(struct seen *seen)
{
	if (seen->snapshots >= seen->want_snapshots && seen->lost >= seen->want_lost &&
	    seen->failed >= seen->want_failed && (!seen->want_idle || mdc_cib_idle(seen->cib)))
		g_main_loop_quit(seen->loop);
}

static void failed(const char *name, const char *why, void *data)
{
	struct seen *seen = data;

	assert_string_equal(name, "mdcluster-raid-add");
	assert_string_equal(why, "not allowed");
	seen->failed++;
	end_if_seen(seen);
}

static void changed(const struct mdc_cibview *view, bool connected, void *data)
{
	struct seen *seen = data;

	if (connected) {
		seen->snapshots++;
		seen->last_nodes = view->n_nodes;
	} else {
		seen->lost++;
		seen->lost_had_view = view != NULL;
	}
	if (seen->then && seen->snapshots == 1)
		seen->then(seen);
	end_if_seen(seen);
}

static int setup(void **state)
{
	struct seen *seen = g_new0(struct seen, 1);

	seen->loop = g_main_loop_new(NULL, FALSE);
	seen->dir = g_dir_make_tmp("mdc-cib-XXXXXX", NULL);
	seen->program = g_build_filename(seen->dir, "child", NULL);
	seen->log = g_string_new(NULL);
	mdc_log_sink(on_log, seen);
	*state = seen;
	return seen->dir ? 0 : -1;
}

static int teardown(void **state)
{
	struct seen *seen = *state;

	mdc_log_sink(NULL, NULL);
	g_unlink(seen->program);
	g_rmdir(seen->dir);
	g_free(seen->program);
	g_free(seen->dir);
	g_string_free(seen->log, TRUE);
	g_main_loop_unref(seen->loop);
	g_free(seen);
	return 0;
}

/* Runs the loop until as many snapshots and losses have been seen; fails when it is late. */
static void run(struct seen *seen, const char *script, unsigned int snapshots, unsigned int lost)
{
	bool connected;
	struct mdc_cib *cib;

	if (script) {
		g_autofree char *text = g_strconcat("#!/bin/sh\n", script, NULL);

		assert_true(g_file_set_contents(seen->program, text, -1, NULL));
		assert_int_equal(chmod(seen->program, 0700), 0);
	}
	seen->want_snapshots = snapshots;
	seen->want_lost = lost;
	seen->bound = g_timeout_add(BOUND_MS, too_late, seen);
	cib = mdc_cib_new(seen->program, changed, seen);
	seen->cib = cib;
	mdc_cib_on_failed(cib, failed);
	mdc_cib_self(cib, 3);
	assert_null(mdc_cib_view(cib, &connected));
	assert_false(connected);
	g_main_loop_run(seen->loop);
	assert_int_not_equal(seen->bound, 0);
	g_source_remove(seen->bound);
	mdc_cib_free(cib);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void test_snapshots(void **state)
{
	struct seen *seen = *state;

	run(seen, "printf 'begin\\nnode 1 n1 online\\nend\\nbegin\\nnode 1 n1 online\\n"
	    "node 2 n2 pending\\nend\\n'; read x", 2, 0);
	assert_int_equal(seen->last_nodes, 2);
	assert_int_equal(seen->lost, 0);
	assert_non_null(strstr(seen->log->str, "connected to Pacemaker"));
}

static void test_dies(void **state)
{
	struct seen *seen = *state;

	run(seen, "printf 'begin\\nnode 1 n1 online\\nend\\n'; echo 'note: odd' >&2; "
	    "echo 'the reason' >&2; exit 1", 2, 2);
	assert_true(seen->lost_had_view);
	assert_non_null(strstr(seen->log->str, "Pacemaker: odd"));
	assert_non_null(strstr(seen->log->str, "lost the connection to Pacemaker: the reason"));
}

static void test_lies(void **state)
{
	struct seen *seen = *state;

	run(seen, "printf 'begin\\nnode 1 n1 online\\nend\\nhello\\n'; read x", 1, 1);
	assert_non_null(strstr(seen->log->str, "not a snapshot"));
}

/* Down from the start: said once, and no call, until it comes up. */
static void test_starts_late(void **state)
{
	struct seen *seen = *state;

	run(seen, "if test -e \"$0.up\"; then rm \"$0.up\"; printf 'begin\\nend\\n'; read x; "
	    "else touch \"$0.up\"; echo 'not yet' >&2; exit 1; fi", 1, 0);
	assert_int_equal(seen->lost, 0);
	assert_non_null(strstr(seen->log->str, "no connection to Pacemaker: not yet"));
}

static gboolean write_program(gpointer data)
{
	struct seen *seen = data;

	g_file_set_contents(seen->program, "#!/bin/sh\nprintf 'begin\\nend\\n'; read x\n", -1,
			    NULL);
	chmod(seen->program, 0700);
	return G_SOURCE_REMOVE;
}

static void test_no_program(void **state)
{
	struct seen *seen = *state;

	g_timeout_add(200, write_program, seen);
	run(seen, NULL, 1, 0);
	assert_non_null(strstr(seen->log->str, "no connection to Pacemaker: "));
}

static void test_free_at_once(void **state)
{
	struct seen *seen = *state;

	write_program(seen);
	for (int i = 0; i < 3; i++)
		mdc_cib_free(mdc_cib_new(seen->program, changed, seen));
	mdc_cib_free(NULL);
	while (g_main_context_iteration(NULL, FALSE))
		;
	assert_int_equal(seen->snapshots, 0);
}

/* A child that shows as a snapshot what it was asked for. */
#define VIEW "printf 'begin\\nend\\n'; "
#define ECHO "n=10; while read what number node name value; do " \
	"echo \"$what $node $name $value\" >> $0.log; n=$((n+1)); echo done $number; " \
	"printf \"begin\\nnode $n n$n online\\nend\\n\"; done"

static void set_thrice(struct seen *seen)
{
	mdc_cib_set(seen->cib, "mdcluster-raid-add", "one", 0);
	mdc_cib_set(seen->cib, "mdcluster-raid-add", "two", 0);
	mdc_cib_set(seen->cib, "mdcluster-raid-add", "three", 0);
	mdc_cib_set(seen->cib, "mdcluster-other-add", NULL, 0);
	mdc_cib_clear(seen->cib, "mdcluster-third-add");
	seen->want_idle = true;
}

/* What the child was asked for, one request a line; the file is removed. */
static char *requests(struct seen *seen)
{
	g_autofree char *log = g_strconcat(seen->program, ".log", NULL);
	char *text = NULL;

	g_file_get_contents(log, &text, NULL, NULL);
	g_unlink(log);
	return text;
}

/* The first of a name goes out at once, and of those behind it only the latest. */
static void test_writes(void **state)
{
	struct seen *seen = *state;
	g_autofree char *text = NULL;

	seen->then = set_thrice;
	seen->want_idle = true;
	run(seen, VIEW ECHO, 4, 0);
	text = requests(seen);
	assert_string_equal(text, "set 3 mdcluster-raid-add one\n"
			    "delete 3 mdcluster-third-add \nset 3 mdcluster-raid-add three\n");
}

static void set_one(struct seen *seen)
{
	mdc_cib_set(seen->cib, "mdcluster-raid-add", "one", 0);
	seen->want_idle = true;
}

/* The child dies with the request unanswered; the next one gets it again. */
static void test_writes_again(void **state)
{
	struct seen *seen = *state;
	g_autofree char *text = NULL;

	seen->then = set_one;
	run(seen, "if test -e \"$0.up\"; then rm \"$0.up\"; " VIEW ECHO "; else touch \"$0.up\"; "
	    VIEW "read x; exit 1; fi", 3, 1);
	text = requests(seen);
	assert_string_equal(text, "set 3 mdcluster-raid-add one\n");
}

static void test_write_fails(void **state)
{
	struct seen *seen = *state;
	g_autofree char *text = NULL;

	seen->then = set_one;
	seen->want_failed = 1;
	seen->want_idle = true;
	run(seen, VIEW "read a number b; echo failed $number not allowed; " ECHO, 2, 0);
	text = requests(seen);
	assert_string_equal(text, "set 3 mdcluster-raid-add one\n");
	assert_non_null(strstr(seen->log->str, "mdcluster-raid-add to the CIB: not allowed"));
	assert_non_null(strstr(seen->log->str, "can be written to the CIB again"));
}

/* It closes its input: given up, and what was asked for goes to the next one. */
static void test_deaf(void **state)
{
	struct seen *seen = *state;
	g_autofree char *text = NULL;

	seen->then = set_one;
	run(seen, "if test -e \"$0.up\"; then rm \"$0.up\"; " VIEW ECHO "; else touch \"$0.up\"; "
	    "exec <&-; " VIEW "sleep 60; fi", 3, 1);
	assert_non_null(strstr(seen->log->str, "takes no requests"));
	text = requests(seen);
	assert_string_equal(text, "set 3 mdcluster-raid-add one\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_snapshots), TEST(test_dies), TEST(test_lies), TEST(test_starts_late),
		TEST(test_no_program), TEST(test_free_at_once), TEST(test_writes),
		TEST(test_writes_again), TEST(test_write_fails), TEST(test_deaf),
	};

	/* As in mdclusterd: a child may be gone when it is written to. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("cibport", tests, NULL, NULL);
}
