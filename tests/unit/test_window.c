// SPDX-License-Identifier: GPL-2.0-or-later
/* module/core/window: how far ahead a resync is told of. */
#include "unit.h"

#include "core/window.h"

#define MD_CORE 65536

/* A resync that takes COPY ms for MDC_WINDOW_MIN, and TOOK for a message: the size it comes to. */
static u64 settle(u64 copy, u64 took)
{
	struct mdc_range all = { 0, MD_CORE };
	struct mdc_window w = { 0 };
	u64 now = 1000, size = 0;
	int i;

	mdc_window_begin(&w);
	for (i = 0; i < 50; i++) {
		u64 end = mdc_window_next(&w, now, &all, 256);

		size = end - all.lo;
		mdc_window_told(&w, now, now + took);
		now += took + copy * size / MDC_WINDOW_MIN;
		all.lo = end;
		all.hi = end + MD_CORE;
	}
	return size;
}

static void test_size(void **state)
{
	(void)state;
	/* Messages cost next to nothing: as small as can be. */
	assert_int_equal(settle(40, 0), MDC_WINDOW_MIN);
	assert_int_equal(settle(1000, 10), MDC_WINDOW_MIN);
	/* They cost more than the copying: as large as md core has them. */
	assert_int_equal(settle(10, 100), MD_CORE);
	assert_int_equal(settle(0, 5), MD_CORE);
	/* Between, the message is less than a quarter of the copying, and not much less. */
	assert_int_equal(settle(10, 10), 4 * MDC_WINDOW_MIN);
}

static void test_limits(void **state)
{
	struct mdc_range all = { 1000, 1000 + 300 };
	struct mdc_window w = { 0 };

	(void)state;
	mdc_window_begin(&w);
	/* Never more than md core says, never less than it needs. */
	assert_int_equal(mdc_window_next(&w, 5, &all, 256), 1300);
	all.hi = 1000 + MD_CORE;
	assert_int_equal(mdc_window_next(&w, 5, &all, 256), 1000 + w.sectors);
	assert_int_equal(mdc_window_next(&w, 5, &all, 40000), 41000);
	assert_int_equal(mdc_window_next(&w, 5, &all, 2 * MD_CORE), all.hi);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
