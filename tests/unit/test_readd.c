/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/readd: only a member that went away and came back, and only while it is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/readd.h"

static const struct mdc_uuid array = { { 9 } }, disk0 = { { 1 } }, disk1 = { { 2 } };

static void known(struct mdc_readd *r)
{
	memset(r, 0, sizeof(*r));
	mdc_readd_learn(r, &disk0, "vdb");
	mdc_readd_learn(r, &disk1, "vdc");
}

static struct mdc_array state_of(unsigned int degraded, const char *dev, const char *state)
{
	struct mdc_array a = { .degraded = degraded, .n_members = 1, .raid_disks = 2 };

	snprintf(a.members[0].device, sizeof(a.members[0].device), "vdb");
	strcpy(a.members[0].state, "in_sync");
	if (dev) {
		a.n_members = 2;
		snprintf(a.members[1].device, sizeof(a.members[1].device), "%s", dev);
		snprintf(a.members[1].state, sizeof(a.members[1].state), "%s", state);
	}
	return a;
}

static const struct mdc_super super1 = { .array = { { 9 } }, .device = { { 2 } }, .role = 1 };

/* An administrator's --fail: the device never went away. */
static void test_failed_by_hand(void **state)
{
	struct mdc_array a = state_of(1, "vdc", "faulty");
	struct mdc_readd r;

	(void)state;
	known(&r);
	assert_null(mdc_readd_needed(&r, &a));
	assert_false(mdc_readd_returned(&r, &array, &super1, "vdc"));
	assert_null(mdc_readd_needed(&r, &a));
}

static void test_comes_back(void **state)
{
	struct mdc_array whole = state_of(0, "vdc", "in_sync"), hurt = state_of(1, "vdc", "faulty"),
			 back = state_of(0, "vde", "in_sync");
	struct mdc_readd_disk *d;
	struct mdc_readd r;

	(void)state;
	known(&r);
	mdc_readd_gone(&r, "vdc");
	assert_true(mdc_readd_any_away(&r));
	assert_null(mdc_readd_needed(&r, &whole));	/* md has not noticed */
	assert_true(mdc_readd_returned(&r, &array, &super1, "vde"));
	assert_null(mdc_readd_needed(&r, &whole));
	d = mdc_readd_needed(&r, &hurt);
	assert_non_null(d);
	assert_string_equal(d->back, "vde");
	assert_string_equal(d->kname, "vdc");
	assert_null(mdc_readd_needed(&r, &back));	/* another node was first */
	assert_false(mdc_readd_any_away(&r));
	assert_true(mdc_readd_knows(&r, "vde"));
	assert_false(mdc_readd_knows(&r, "vdc"));
}

static void test_one_attempt(void **state)
{
	struct mdc_array hurt = state_of(1, NULL, NULL);
	struct mdc_readd_disk *d;
	struct mdc_readd r;

	(void)state;
	known(&r);
	mdc_readd_gone(&r, "vdc");
	mdc_readd_returned(&r, &array, &super1, "vdc");
	d = mdc_readd_needed(&r, &hurt);
	assert_non_null(d);
	d->tried = true;
	assert_null(mdc_readd_needed(&r, &hurt));
	mdc_readd_gone(&r, "vdc");			/* away again, back again: once more */
	assert_null(mdc_readd_needed(&r, &hurt));
	mdc_readd_returned(&r, &array, &super1, "vdc");
	assert_non_null(mdc_readd_needed(&r, &hurt));
}

static void test_not_ours(void **state)
{
	struct mdc_super other = super1;
	struct mdc_readd r;

	(void)state;
	known(&r);
	mdc_readd_gone(&r, "vdc");
	mdc_readd_gone(&r, "vdz");
	other.array.b[0] = 8;
	assert_false(mdc_readd_returned(&r, &array, &other, "vdc"));
	other = super1;
	other.role = MDC_ROLE_SPARE;
	assert_false(mdc_readd_returned(&r, &array, &other, "vdc"));
	other = super1;
	other.device.b[0] = 7;
	assert_false(mdc_readd_returned(&r, &array, &other, "vdc"));
}

static void test_full(void **state)
{
	struct mdc_readd r;
	char name[16];
	int i;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (i = 0; i < 100; i++) {
		struct mdc_uuid u = { { 3, (uint8_t)i } };

		snprintf(name, sizeof(name), "sd%d", i);
		mdc_readd_learn(&r, &u, name);
	}
	assert_int_equal(r.n, MDC_READD_DISKS_MAX);
}

static void test_turns(void **state)
{
	static const uint32_t nodes[] = { 1, 2, 7 };

	(void)state;
	assert_int_equal(mdc_readd_turn_ms(nodes, 3, 1), 0);
	assert_int_equal(mdc_readd_turn_ms(nodes, 3, 7), 20000);
	assert_int_equal(mdc_readd_turn_ms(nodes, 3, 3), -1);
	assert_int_equal(mdc_readd_turn_ms(nodes, 0, 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failed_by_hand), cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_one_attempt), cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_full), cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
