/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/attrtext: names, and when the progress is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/attrtext.h"

static void test_names(void **state)
{
	char name[MDC_ATTR_NAME_MAX], id[300];

	(void)state;
	assert_int_equal(mdc_attr_name(name, "raid", MDC_ATTR_SLOT), 0);
	assert_string_equal(name, "mdcluster-raid-slot");
	assert_int_equal(mdc_attr_name(name, "raid", MDC_ATTR_ADD), 0);
	assert_string_equal(name, "mdcluster-raid-add");
	memset(id, 'a', sizeof(id));
	id[127] = '\0';			/* the longest primitive there may be */
	assert_int_equal(mdc_attr_name(name, id, MDC_ATTR_STATE), 0);
	id[127] = 'a';
	id[299] = '\0';
	assert_int_equal(mdc_attr_name(name, id, MDC_ATTR_STATE), -ENAMETOOLONG);
}

static const struct {
	int64_t at_ms;
	uint64_t done, total;
	bool write;
	int percent;
} steps[] = {
	{ 0, 0, 0, false, -1 },
	{ 0, 5, 1000, true, 0 },
	{ 5000, 500, 1000, false, 0 },	/* too soon */
	{ 10000, 550, 1000, true, 50 },
	{ 30000, 590, 1000, false, 50 },
	{ 30000, 999, 1000, true, 90 },
	{ 30001, 0, 0, true, -1 },	/* the end is told at once */
	{ 30002, 3, 3, true, 100 },	/* and a new beginning */
	{ 50000, 1, 3, true, 30 },
	{ 70000, UINT64_MAX / 2, UINT64_MAX, true, 50 },
};

static void test_steps(void **state)
{
	struct mdc_attr_sync sync;
	size_t i;

	(void)state;
	mdc_attr_sync_init(&sync);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bool write = mdc_attr_sync_step(&sync, steps[i].done, steps[i].total,
						steps[i].at_ms);

		if (write != steps[i].write || (write && sync.percent != steps[i].percent))
			fail_msg("step %zu: %d %d", i, write, sync.percent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
