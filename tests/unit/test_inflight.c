// SPDX-License-Identifier: GPL-2.0-or-later
/* module/core/inflight: where writes may be in flight. */
#include "unit.h"

#include "core/inflight.h"

#define REGION ((u64)1 << MDC_REGION_SHIFT)
#define AROUND ((u64)MDC_REGIONS << MDC_REGION_SHIFT)

static struct mdc_inflight f;
static u64 now;

static void note(u64 lo, u64 hi)
{
	mdc_inflight_note(&f, now, lo, hi);
}

/* Later, when all that has begun was counted. */
static void drain(void)
{
	now += MDC_COUNTED_MS + 1;
	mdc_inflight_drained(&f, now);
}

static int setup(void **state)
{
	(void)state;
	now = 1000;
	mdc_inflight_init(&f, now);
	mdc_inflight_begin(&f, now);
	drain();
	return 0;
}

static void test_nothing(void **state)
{
	(void)state;
	mdc_inflight_init(&f, 5);
	assert_false(mdc_inflight_any(&f, 0, AROUND));
}

/* Before the first drain all may be in flight, whatever was noted. */
static void test_unknown(void **state)
{
	(void)state;
	now = 1000;
	mdc_inflight_init(&f, now);
	mdc_inflight_begin(&f, now);
	assert_true(mdc_inflight_any(&f, 0, 1));
	assert_true(mdc_inflight_any(&f, 1000 * REGION, 1000 * REGION + 1));
	assert_false(mdc_inflight_any(&f, 5, 5));
	/* One that had begun before does not count. */
	mdc_inflight_drained(&f, now - 100);
	assert_true(mdc_inflight_any(&f, 0, 1));
	drain();
	assert_false(mdc_inflight_any(&f, 0, AROUND));
	mdc_inflight_begin(&f, now);
	assert_true(mdc_inflight_any(&f, 0, 1));
}

static void test_regions(void **state)
{
	(void)state;
	note(2 * REGION - 1, 3 * REGION + 1);
	assert_false(mdc_inflight_any(&f, 0, REGION));
	assert_true(mdc_inflight_any(&f, REGION, REGION + 1));
	assert_true(mdc_inflight_any(&f, 0, REGION + 1));
	assert_true(mdc_inflight_any(&f, 2 * REGION, 3 * REGION));
	assert_true(mdc_inflight_any(&f, 4 * REGION - 1, 5 * REGION));
	assert_false(mdc_inflight_any(&f, 4 * REGION, 5 * REGION));
	assert_false(mdc_inflight_any(&f, 3 * REGION, 3 * REGION));
	/* What shares its place counts too, and a write of everything is all of it. */
	assert_true(mdc_inflight_any(&f, AROUND + 2 * REGION, AROUND + 2 * REGION + 1));
	drain();
	assert_false(mdc_inflight_any(&f, 0, AROUND));
	note(0, UINT64_MAX);
	assert_true(mdc_inflight_any(&f, 77 * REGION, 77 * REGION + 1));
}

/* A drain ends what was counted before it began, and nothing else. */
static void test_drains(void **state)
{
	u64 first, second;

	(void)state;
	note(0, 1);
	now += MDC_COUNTED_MS;
	/* Just so not counted for sure. */
	mdc_inflight_drained(&f, now);
	assert_true(mdc_inflight_any(&f, 0, 1));
	first = ++now;
	note(REGION, REGION + 1);
	now += MDC_COUNTED_MS + 1;
	second = now;
	note(2 * REGION, 2 * REGION + 1);
	assert_true(mdc_inflight_any(&f, 0, 1));
	mdc_inflight_drained(&f, first);
	assert_false(mdc_inflight_any(&f, 0, 1));
	assert_true(mdc_inflight_any(&f, REGION, REGION + 1));
	mdc_inflight_drained(&f, second);
	assert_false(mdc_inflight_any(&f, REGION, REGION + 1));
	assert_true(mdc_inflight_any(&f, 2 * REGION, 2 * REGION + 1));
	/* They may end in another order. */
	mdc_inflight_drained(&f, first);
	assert_false(mdc_inflight_any(&f, REGION, REGION + 1));
}

/* However long ago the last drain was: what began since may be in flight, what it ended is not. */
static void test_long_ago(void **state)
{
	static const u64 day = 24 * 3600 * 1000;
	u64 days;

	for (days = 1; days < 1000; days += 7) {
		setup(state);
		now += days * day;
		mdc_inflight_begin(&f, now);
		assert_true(mdc_inflight_any(&f, 0, 1));
		drain();
		note(REGION, REGION + 1);
		assert_true(mdc_inflight_any(&f, REGION, REGION + 1));
		now += days * day;
		assert_true(mdc_inflight_any(&f, REGION, REGION + 1));
		assert_false(mdc_inflight_any(&f, 0, 1));
		drain();
		assert_false(mdc_inflight_any(&f, 0, AROUND));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test_setup(test_regions, setup),
		cmocka_unit_test_setup(test_drains, setup),
		cmocka_unit_test(test_long_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
