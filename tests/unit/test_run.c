/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c with the programs that every system has. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static int go(struct mdc_run *run, const char *const *argv, char *out, size_t size, int timeout_ms)
{
	memset(run, 0, sizeof(*run));
	run->argv = argv;
	run->timeout_ms = timeout_ms;
	run->out = out;
	run->out_size = size;
	return mdc_run(run);
}

static void test_codes(void **state)
{
	static const char *const yes[] = { "/bin/true", NULL }, *const no[] = { "/bin/false", NULL };
	static const char *const none[] = { "/nonexistent/program", NULL };
	struct mdc_run run;

	(void)state;
	assert_int_equal(go(&run, yes, NULL, 0, 10000), 0);
	assert_int_equal(run.exit_code, 0);
	assert_int_equal(go(&run, no, NULL, 0, 10000), 0);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(go(&run, none, NULL, 0, 10000), -ENOENT);
	assert_int_equal(run.exit_code, -1);
}

static void test_output(void **state)
{
	static const char *const echo[] = { "/bin/echo", "a b;$(c)", NULL };
	static const char *const env[] = { "MDC_TEST=some thing", NULL };
	static const char *const print[] = { "/usr/bin/env", NULL };
	char out[65536], small[5];	/* make hands the list of all tests down in the environment */
	struct mdc_run run;

	(void)state;
	assert_int_equal(go(&run, echo, out, sizeof(out), 10000), 0);
	assert_string_equal(out, "a b;$(c)\n");
	assert_false(run.truncated);
	assert_int_equal(go(&run, echo, small, sizeof(small), 10000), 0);
	assert_string_equal(small, "a b;");
	assert_true(run.truncated);
	memset(&run, 0, sizeof(run));
	run.argv = print;
	run.env = env;
	run.timeout_ms = 10000;
	run.out = out;
	run.out_size = sizeof(out);
	assert_int_equal(mdc_run(&run), 0);
	assert_non_null(strstr(out, "MDC_TEST=some thing\n"));
	assert_non_null(strstr(out, "LC_ALL=C\n"));
	assert_null(getenv("MDC_TEST"));
}

static void test_err_keeps_end(void **state)
{
	static const char *const ls[] = { "/bin/ls", "/nonexistent-one", "/nonexistent-two", NULL };
	struct mdc_run run = { .argv = ls, .timeout_ms = 10000 };
	char err[24];

	(void)state;
	run.err = err;
	run.err_size = sizeof(err);
	assert_int_equal(mdc_run(&run), 0);
	assert_int_not_equal(run.exit_code, 0);
	assert_int_equal(strlen(err), sizeof(err) - 1);
	assert_non_null(strstr(err, "file or directory\n"));
}

static void test_ends_early(void **state)
{
	static const char *const sleep_long[] = { "/bin/sleep", "100", NULL };
	volatile sig_atomic_t stop = 1;
	struct mdc_run run;

	(void)state;
	assert_int_equal(go(&run, sleep_long, NULL, 0, 50), -ETIMEDOUT);
	assert_int_equal(run.signal, SIGTERM);
	assert_false(run.left_behind);
	memset(&run, 0, sizeof(run));
	run.argv = sleep_long;
	run.timeout_ms = 100000;
	run.stop = &stop;
	assert_int_equal(mdc_run(&run), -EINTR);
}

static void test_last_line(void **state)
{
	static const struct {
		const char *text, *last;
	} table[] = {
		{ "", "" }, { "\n\n", "" }, { "a", "a" }, { "a\n", "a" }, { "a\nb", "b" },
		{ "a\nb\n \n\n", "b" }, { "a\r\n", "a" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		strcpy(text, table[i].text);
		assert_string_equal(mdc_last_line(text), table[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),	   cmocka_unit_test(test_output),
		cmocka_unit_test(test_err_keeps_end), cmocka_unit_test(test_ends_early),
		cmocka_unit_test(test_last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
