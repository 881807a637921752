// SPDX-License-Identifier: GPL-2.0-or-later
/* module/core/inflight: where writes may be in flight. */
#include "unit.h"

#include "core/inflight.h"

#define REGION ((u64)1 << MDC_REGION_SHIFT)
#define AROUND ((u64)MDC_REGIONS << MDC_REGION_SHIFT)

static struct mdc_inflight f;

static void drain(void)
{
	mdc_inflight_drained(&f, mdc_inflight_drain(&f));
}

static int setup(void **state)
{
	(void)state;
	mdc_inflight_init(&f);
	mdc_inflight_begin(&f);
	drain();
	return 0;
}

/* Before the first drain all may be in flight, whatever was noted. */
static void test_unknown(void **state)
{
	u32 early;

	(void)state;
	mdc_inflight_init(&f);
	early = mdc_inflight_drain(&f);
	mdc_inflight_begin(&f);
	assert_true(mdc_inflight_any(&f, 0, 1));
	assert_true(mdc_inflight_any(&f, 1000 * REGION, 1000 * REGION + 1));
	assert_false(mdc_inflight_any(&f, 5, 5));
	/* One that had begun before does not count. */
	mdc_inflight_drained(&f, early);
	assert_true(mdc_inflight_any(&f, 0, 1));
	drain();
	assert_false(mdc_inflight_any(&f, 0, AROUND));
	mdc_inflight_begin(&f);
	assert_true(mdc_inflight_any(&f, 0, 1));
}

static void test_regions(void **state)
{
	(void)state;
	mdc_inflight_note(&f, 2 * REGION - 1, 3 * REGION + 1);
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
	mdc_inflight_note(&f, 0, UINT64_MAX);
	assert_true(mdc_inflight_any(&f, 77 * REGION, 77 * REGION + 1));
}

/* A drain ends what was noted before it began, and nothing else. */
static void test_drains(void **state)
{
	u32 first, second;

	(void)state;
	mdc_inflight_note(&f, 0, 1);
	first = mdc_inflight_drain(&f);
	mdc_inflight_note(&f, REGION, REGION + 1);
	second = mdc_inflight_drain(&f);
	mdc_inflight_note(&f, 2 * REGION, 2 * REGION + 1);
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

static void test_wrap(void **state)
{
	int i;

	(void)state;
	f.next = UINT32_MAX - 2;
	f.drained = UINT32_MAX - 3;
	f.begun = UINT32_MAX - 3;
	for (i = 0; i < 6; i++) {
		mdc_inflight_note(&f, REGION * i, REGION * i + 1);
		assert_true(mdc_inflight_any(&f, REGION * i, REGION * i + 1));
		drain();
		assert_false(mdc_inflight_any(&f, REGION * i, REGION * i + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test_setup(test_regions, setup),
		cmocka_unit_test_setup(test_drains, setup),
		cmocka_unit_test_setup(test_wrap, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
