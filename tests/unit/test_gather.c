/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pauses between looks at the CIB. */
#include "unit.h"

#include <stdbool.h>

#include "core/gather.h"

static void test_first(void **state)
{
	struct mdc_gather g = { 0 };

	(void)state;
	assert_int_equal(mdc_gather_wait(&g, 100000), MDC_GATHER_FIRST_MS);
	mdc_gather_looked(&g, 100010);
	assert_int_equal(mdc_gather_wait(&g, 100010 + MDC_GATHER_QUIET_MS), MDC_GATHER_FIRST_MS);
}

/* A proposal, and two answers to it 100 ms later: each is seen within a fraction of that. */
static void test_add(void **state)
{
	struct mdc_gather g = { 0 };

	(void)state;
	mdc_gather_looked(&g, 1000);
	assert_true(mdc_gather_wait(&g, 2000) <= 20);
	mdc_gather_looked(&g, 2010);
	assert_true(mdc_gather_wait(&g, 2110) <= 20);
	mdc_gather_looked(&g, 2130);
	assert_true(mdc_gather_wait(&g, 2140) <= 40);
}

/* Changes without end: no more than five looks a second. */
static void test_many(void **state)
{
	struct mdc_gather g = { 0 };
	int64_t now_ms = 0;
	unsigned int looks = 0;

	(void)state;
	for (; now_ms < 20000; looks++) {
		now_ms += mdc_gather_wait(&g, now_ms);
		mdc_gather_looked(&g, now_ms);
	}
	assert_in_range(looks, 95, 110);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first), cmocka_unit_test(test_add),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
