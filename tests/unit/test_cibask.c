/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mdclusterd asks of mdcluster-cib: the text, the order, and what is asked for again. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cibask.h"
#include "core/cibwant.h"

#define NAME "mdcluster-raid-add"

static void test_line(void **state)
{
	static const char *const good[] = {
		"set 1 3 " NAME " found:vdd:2:0a1b2c3d:1.7",
		"delete 4294967295 4294967295 " NAME,
	};
	static const char *const bad[] = {
		"", "set", "set 1 3 " NAME, "delete 1 3 " NAME " x", "delete 1 3", "get 1 3 " NAME,
		"set 0 3 " NAME " x", "set 1 0 " NAME " x", "set 01 3 " NAME " x",
		"set 1 3 other-add x", "set 1 3 " NAME "  x", "set 1 3 " NAME " x ",
		" set 1 3 " NAME " x", "set 1 3 " NAME " x y", "set 1 3 " NAME " x\ty",
		"set 4294967296 3 " NAME " x", "set -1 3 " NAME " x",
	};
	char line[MDC_CIB_LINE_MAX];
	struct mdc_cibask ask;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(mdc_cibask_parse(&ask, good[i]), 0);
		assert_int_equal(mdc_cibask_format(&ask, line), strlen(good[i]) + 1);
		line[strlen(line) - 1] = '\0';
		assert_string_equal(line, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (mdc_cibask_parse(&ask, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(mdc_cibask_parse(&ask, good[0]), 0);
	strcpy(ask.value, "a b");
	assert_int_equal(mdc_cibask_format(&ask, line), -EINVAL);
	ask.value[0] = '\0';
	assert_int_equal(mdc_cibask_format(&ask, line), -EINVAL);
}

static int feed(struct mdc_cibasks *asks, const char *text)
{
	return mdc_cibasks_feed(asks, text, strlen(text));
}

static void test_order(void **state)
{
	struct mdc_cibasks *asks = calloc(1, sizeof(*asks));
	struct mdc_cibask ask;

	(void)state;
	assert_non_null(asks);
	assert_int_equal(feed(asks, "set 1 3 mdcluster-a-add x\nset 2 3 mdcluster-b-add y\nset 3"),
			 0);
	/* The latest of a name wins, and goes behind the others. */
	assert_int_equal(feed(asks, " 3 mdcluster-a-add z\n"), 0);
	assert_true(mdc_cibasks_next(asks, &ask));
	assert_int_equal(ask.number, 2);
	assert_true(mdc_cibasks_next(asks, &ask));
	assert_int_equal(ask.number, 3);
	assert_string_equal(ask.value, "z");
	assert_false(mdc_cibasks_next(asks, &ask));
	assert_int_equal(feed(asks, "nonsense\n"), -EINVAL);
	memset(asks, 0, sizeof(*asks));
	for (int i = 0; i < 100; i++)
		if (feed(asks, "set 1 3 mdc") != 0)
			break;
	assert_int_equal(feed(asks, "set 1 3 mdc"), -EMSGSIZE);
	memset(asks, 0, sizeof(*asks));
	assert_int_equal(mdc_cibasks_feed(asks, "set\0", 4), -EINVAL);
	memset(asks, 0, sizeof(*asks));
	for (int i = 1; i <= MDC_CIBASK_MAX + 1; i++) {
		char line[64];

		snprintf(line, sizeof(line), "delete %d 3 mdcluster-%d-add\n", i, i);
		assert_int_equal(feed(asks, line), i <= MDC_CIBASK_MAX ? 0 : -E2BIG);
	}
	free(asks);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct mdc_cibwant));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t next_is(struct mdc_cibwant *want, int64_t now_ms, const char *value)
{
	struct mdc_cibask ask;

	assert_true(mdc_cibwant_next(want, now_ms, &ask));
	assert_string_equal(ask.name, NAME);
	assert_int_equal(ask.set, value != NULL);
	if (value)
		assert_string_equal(ask.value, value);
	return ask.number;
}

static void nothing_next(struct mdc_cibwant *want, int64_t now_ms)
{
	struct mdc_cibask ask;

	assert_false(mdc_cibwant_next(want, now_ms, &ask));
}

static void answer(struct mdc_cibwant *want, int64_t now_ms, uint32_t number, bool ok)
{
	const char *name = mdc_cibwant_answer(want, now_ms, number, ok);

	assert_non_null(name);
	assert_string_equal(name, NAME);
}

/* One request at a time; what changes meanwhile is asked for once, with the latest value. */
static void test_latest(void **state)
{
	struct mdc_cibwant *want = *state;
	uint32_t number;

	assert_true(mdc_cibwant_idle(want));
	assert_true(mdc_cibwant_set(want, NAME, NULL, 0));
	nothing_next(want, 0);
	assert_true(mdc_cibwant_set(want, NAME, "a", 0));
	assert_false(mdc_cibwant_idle(want));
	number = next_is(want, 0, "a");
	assert_true(mdc_cibwant_set(want, NAME, "b", 0));
	assert_true(mdc_cibwant_set(want, NAME, "c", 0));
	nothing_next(want, 10);
	assert_null(mdc_cibwant_answer(want, 50, number + 7, true));
	answer(want, 50, number, true);
	number = next_is(want, 50, "c");
	answer(want, 100, number, true);
	assert_true(mdc_cibwant_idle(want));
	assert_true(mdc_cibwant_set(want, NAME, "c", 0));
	nothing_next(want, 100);
	assert_true(mdc_cibwant_set(want, NAME, NULL, 0));
	number = next_is(want, 100, NULL);
	answer(want, 150, number, true);
	assert_true(mdc_cibwant_idle(want));
	assert_false(mdc_cibwant_set(want, NAME, "a b", 0));
}

/* What is held may still change, and then goes out when the first of it would have. */
static void test_held(void **state)
{
	struct mdc_cibwant *want = *state;
	uint32_t number;

	assert_true(mdc_cibwant_set(want, NAME, "a", 500));
	nothing_next(want, 499);
	assert_int_equal(mdc_cibwant_deadline(want, 0), 500);
	assert_true(mdc_cibwant_set(want, NAME, "b", 900));
	assert_int_equal(mdc_cibwant_deadline(want, 400), 500);
	assert_false(mdc_cibwant_idle(want));
	number = next_is(want, 500, "b");
	assert_int_equal(mdc_cibwant_deadline(want, 500), -1);
	/* While that is on its way. */
	assert_true(mdc_cibwant_set(want, NAME, "c", 1010));
	answer(want, 600, number, true);
	nothing_next(want, 1009);
	/* Back to what is there, so there is nothing to write. */
	assert_true(mdc_cibwant_set(want, NAME, "b", 1200));
	assert_true(mdc_cibwant_idle(want));
	assert_int_equal(mdc_cibwant_deadline(want, 1009), -1);
	nothing_next(want, 5000);
	assert_true(mdc_cibwant_set(want, NAME, "d", 6000));
	/* At once, whatever was held. */
	assert_true(mdc_cibwant_set(want, NAME, NULL, 5100));
	number = next_is(want, 5100, NULL);
	/* A failure makes it wait for longer. */
	answer(want, 5200, number, false);
	assert_true(mdc_cibwant_set(want, NAME, "e", 5300));
	assert_int_equal(mdc_cibwant_deadline(want, 5200), 5200 + MDC_CIBWANT_PAUSE_MS);
	nothing_next(want, 5300);
	number = next_is(want, 5200 + MDC_CIBWANT_PAUSE_MS, "e");
	answer(want, 7000, number, true);
	assert_true(mdc_cibwant_set(want, NAME, "f", 9000));
	nothing_next(want, 7000);
	mdc_cibwant_release(want);
	next_is(want, 7000, "f");
}

static void test_fails(void **state)
{
	struct mdc_cibwant *want = *state;
	int64_t now_ms = 0, pause = MDC_CIBWANT_PAUSE_MS;

	mdc_cibwant_set(want, NAME, "a", 0);
	for (int i = 0; i < 8; i++) {
		answer(want, now_ms, next_is(want, now_ms, "a"), false);
		assert_int_equal(mdc_cibwant_deadline(want, now_ms), now_ms + pause);
		nothing_next(want, now_ms + pause - 1);
		now_ms += pause;
		pause = pause * 2 < MDC_CIBWANT_PAUSE_MAX_MS ? pause * 2 : MDC_CIBWANT_PAUSE_MAX_MS;
	}
	answer(want, now_ms, next_is(want, now_ms, "a"), true);
	assert_int_equal(mdc_cibwant_deadline(want, now_ms), -1);
	mdc_cibwant_set(want, NAME, "b", 0);
	next_is(want, now_ms, "b");
}

/* The child is gone in the middle of it: asked for again. */
static void test_reset(void **state)
{
	struct mdc_cibwant *want = *state;
	uint32_t number;

	mdc_cibwant_set(want, NAME, "a", 0);
	number = next_is(want, 0, "a");
	mdc_cibwant_reset(want);
	assert_null(mdc_cibwant_answer(want, 5, number, true));
	answer(want, 10, next_is(want, 5, "a"), true);
	/* Written before the connection was lost: once more only if it is not there. */
	mdc_cibwant_reset(want);
	nothing_next(want, 20);
	mdc_cibwant_seen(want, 20, NAME, "a");
	nothing_next(want, 20);
	mdc_cibwant_seen(want, 20, NAME, NULL);
	next_is(want, 20, "a");
}

/* Its pacemaker-attrd was started again, and has taken all that its node said out of the CIB. */
static void test_lost(void **state)
{
	struct mdc_cibwant *want = *state;

	assert_true(mdc_cibwant_set(want, NAME, "a", 0));
	answer(want, 10, next_is(want, 0, "a"), true);
	mdc_cibwant_seen(want, 11, NAME, NULL);
	nothing_next(want, 11);
	mdc_cibwant_seen(want, 20, NAME, "a");
	mdc_cibwant_seen(want, 30, NAME, NULL);
	answer(want, 40, next_is(want, 30, "a"), true);
	mdc_cibwant_seen(want, 41, NAME, NULL);
	nothing_next(want, 41);
}

static void test_seen(void **state)
{
	struct mdc_cibwant *want = *state;

	/* Left by the process before this one. */
	mdc_cibwant_seen(want, 0, NAME, NULL);
	nothing_next(want, 0);
	mdc_cibwant_seen(want, 0, NAME, "old");
	answer(want, 50, next_is(want, 0, NULL), true);
	/* A view from before the write is no reason to write again. */
	mdc_cibwant_seen(want, 60, NAME, "old");
	nothing_next(want, 60);
	mdc_cibwant_seen(want, 50 + MDC_CIBWANT_SETTLE_MS, NAME, "old");
	next_is(want, 50 + MDC_CIBWANT_SETTLE_MS, NULL);
}

static void test_full(void **state)
{
	struct mdc_cibwant *want = *state;
	struct mdc_cibask ask;
	char name[64];

	for (int i = 0; i < MDC_CIBASK_MAX; i++) {
		snprintf(name, sizeof(name), "mdcluster-%d-add", i);
		assert_true(mdc_cibwant_set(want, name, "x", 0));
	}
	assert_false(mdc_cibwant_set(want, NAME, "x", 0));
	assert_false(mdc_cibwant_clear(want, NAME));
	assert_true(mdc_cibwant_set(want, name, NULL, 0));
	while (mdc_cibwant_next(want, 0, &ask))
		assert_non_null(mdc_cibwant_answer(want, 0, ask.number, true));
	/* The one that is gone makes room. */
	assert_true(mdc_cibwant_set(want, NAME, "x", 0));
	next_is(want, 0, "x");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line), cmocka_unit_test(test_order), TEST(test_latest),
		TEST(test_held),
		TEST(test_fails), TEST(test_reset), TEST(test_lost), TEST(test_seen), TEST(test_full),
	};

	return cmocka_run_group_tests_name("cibask", tests, NULL, NULL);
}
