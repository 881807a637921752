/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module/core/range: the range that another node resyncs. */
#include "unit.h"

#include "core/range.h"

static const struct {
	struct mdc_range old;
	int owner;
	struct mdc_range next;
	enum mdc_suspend_step want;
} steps[] = {
	{ { 0, 0 }, 1, { 0, 0 }, MDC_SUSPEND_SAME },
	{ { 0, 0 }, 1, { 0, 10 }, MDC_SUSPEND_MORE },
	{ { 0, 0 }, 1, { 5, 10 }, MDC_SUSPEND_MORE },
	{ { 5, 10 }, 1, { 5, 10 }, MDC_SUSPEND_SAME },
	{ { 5, 10 }, 1, { 6, 10 }, MDC_SUSPEND_LESS },
	{ { 5, 10 }, 1, { 5, 9 }, MDC_SUSPEND_LESS },
	{ { 5, 10 }, 1, { 6, 9 }, MDC_SUSPEND_LESS },
	{ { 5, 10 }, 1, { 4, 10 }, MDC_SUSPEND_MORE },
	{ { 5, 10 }, 1, { 5, 11 }, MDC_SUSPEND_MORE },
	{ { 5, 10 }, 1, { 10, 15 }, MDC_SUSPEND_MORE },
	{ { 5, 10 }, 1, { 20, 25 }, MDC_SUSPEND_MORE },
	{ { 5, 10 }, 1, { 0, 0 }, MDC_SUSPEND_LESS },
	/* Ended by whomever: there is one range only. */
	{ { 5, 10 }, 3, { 0, 0 }, MDC_SUSPEND_LESS },
	{ { 5, 10 }, 3, { 5, 10 }, MDC_SUSPEND_SAME },
};

static void test_steps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(steps); i++) {
		struct mdc_suspended s;
		enum mdc_suspend_step got;

		mdc_suspended_init(&s);
		mdc_suspended_set(&s, 1, &steps[i].old);
		got = mdc_suspended_set(&s, steps[i].owner, &steps[i].next);
		if (got != steps[i].want)
			fail_msg("row %zu: %d, not %d", i, got, steps[i].want);
		assert_true(s.range.lo == steps[i].next.lo && s.range.hi == steps[i].next.hi);
		assert_int_equal(s.owner, steps[i].next.hi ? steps[i].owner : -1);
	}
}

static void test_end_of(void **state)
{
	struct mdc_range range = { 5, 10 };
	struct mdc_suspended s;

	(void)state;
	mdc_suspended_init(&s);
	assert_false(mdc_suspended_end_of(&s, -1));
	assert_false(mdc_suspended_end_of(&s, 0));
	mdc_suspended_set(&s, 2, &range);
	assert_false(mdc_suspended_end_of(&s, 1));
	assert_true(mdc_suspended_covers(&s, 5, 6));
	assert_true(mdc_suspended_end_of(&s, 2));
	assert_false(mdc_suspended_covers(&s, 5, 6));
	assert_int_equal(s.owner, -1);
	assert_false(mdc_suspended_end_of(&s, 2));
}

static const struct {
	u64 lo, hi;
	bool want;
} areas[] = {
	{ 0, 5, false }, { 0, 6, true }, { 5, 6, true }, { 7, 8, true }, { 9, 10, true },
	{ 9, 99, true }, { 10, 11, false }, { 0, 99, true }, { 10, UINT64_MAX, false },
	{ 0, UINT64_MAX, true }, { 5, 5, false }, { 7, 7, true },
};

static void test_covers(void **state)
{
	struct mdc_range range = { 5, 10 };
	struct mdc_suspended s;
	size_t i;

	(void)state;
	mdc_suspended_init(&s);
	for (i = 0; i < COUNT(areas); i++)
		assert_false(mdc_suspended_covers(&s, areas[i].lo, areas[i].hi));
	mdc_suspended_set(&s, 0, &range);
	for (i = 0; i < COUNT(areas); i++)
		if (mdc_suspended_covers(&s, areas[i].lo, areas[i].hi) != areas[i].want)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_end_of),
		cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
