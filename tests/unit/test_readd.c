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

/* Observes, and says what is to be taken back. */
static struct mdc_readd_disk *needed(struct mdc_readd *r, const struct mdc_array *a, int64_t now_ms)
{
	mdc_readd_observe(r, a, now_ms);
	return mdc_readd_needed(r, a, now_ms);
}

static const struct mdc_super super1 = { .array = { { 9 } }, .device = { { 2 } }, .role = 1 };

/* An administrator's --fail: the device never went away. */
static void test_failed_by_hand(void **state)
{
	struct mdc_array a = state_of(1, "vdc", "faulty");
	struct mdc_readd r;

	(void)state;
	known(&r);
	assert_null(needed(&r, &a, 0));
	assert_false(mdc_readd_returned(&r, &array, &super1, "vdc"));
	assert_null(needed(&r, &a, 0));
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
	assert_null(needed(&r, &whole, 0));	/* md has not noticed */
	assert_true(mdc_readd_returned(&r, &array, &super1, "vde"));
	assert_null(needed(&r, &whole, 0));
	d = needed(&r, &hurt, 0);
	assert_non_null(d);
	assert_string_equal(d->back, "vde");
	assert_string_equal(d->kname, "vdc");
	assert_null(needed(&r, &back, 0));	/* another node was first */
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
	d = needed(&r, &hurt, 0);
	assert_non_null(d);
	d->tried = true;
	assert_null(needed(&r, &hurt, 0));
	mdc_readd_gone(&r, "vdc");			/* away again, back again: once more */
	assert_null(needed(&r, &hurt, 0));
	mdc_readd_returned(&r, &array, &super1, "vdc");
	assert_non_null(needed(&r, &hurt, 0));
}

/* its device goes, comes back, and is taken back by this node. */
static void once(struct mdc_readd *r, int64_t now_ms)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), whole = state_of(0, "vdc", "in_sync");
	struct mdc_readd_disk *d;

	mdc_readd_gone(r, "vdc");
	assert_null(needed(r, &hurt, now_ms));
	assert_true(mdc_readd_returned(r, &array, &super1, "vdc"));
	d = needed(r, &hurt, now_ms);
	assert_non_null(d);
	assert_in_range(mdc_readd_begin(d, now_ms), 1, MDC_READD_PER_HOUR);
	assert_null(needed(r, &hurt, now_ms));
	assert_null(needed(r, &whole, now_ms));
	assert_false(mdc_readd_any_away(r));
}

/* A peer was not ready: another attempt later, but no more than the hour's. */
static void test_attempt_failed(void **state)
{
	struct mdc_array hurt = state_of(1, NULL, NULL), whole = state_of(0, "vdc", "in_sync");
	struct mdc_readd_disk *d;
	struct mdc_readd r;
	int64_t now = 1000;
	unsigned int i;

	(void)state;
	known(&r);
	assert_false(mdc_readd_failed(&r, now));
	mdc_readd_gone(&r, "vdc");
	mdc_readd_returned(&r, &array, &super1, "vdc");
	for (i = 1; i <= MDC_READD_PER_HOUR; i++) {
		d = needed(&r, &hurt, now);
		assert_non_null(d);
		assert_int_equal(mdc_readd_begin(d, now), i);
		assert_false(mdc_readd_any_pending(&r));
		assert_null(needed(&r, &hurt, now + MDC_READD_AGAIN_MS));	/* it goes on */
		if (i == MDC_READD_PER_HOUR)
			break;
		assert_true(mdc_readd_failed(&r, now));
		assert_false(mdc_readd_failed(&r, now));
		assert_true(mdc_readd_any_pending(&r));
		assert_null(needed(&r, &hurt, now + MDC_READD_AGAIN_MS - 1));
		now += MDC_READD_AGAIN_MS;
	}
	assert_false(mdc_readd_failed(&r, now));
	assert_false(mdc_readd_any_pending(&r));
	assert_null(needed(&r, &hurt, now + 2 * MDC_READD_HOUR_MS));
	/* By hand it comes back, and that is the end of it. */
	mdc_readd_gone(&r, "vdc");
	mdc_readd_returned(&r, &array, &super1, "vdc");
	assert_null(needed(&r, &whole, now));
	assert_false(mdc_readd_failed(&r, now));
}

static void test_bound(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), whole = state_of(0, "vdc", "in_sync");
	const struct mdc_readd_disk *out;
	struct mdc_readd r;
	int i;

	(void)state;
	known(&r);
	for (i = 0; i < MDC_READD_PER_HOUR; i++)
		once(&r, i * 600000);
	mdc_readd_gone(&r, "vdc");
	mdc_readd_returned(&r, &array, &super1, "vdc");
	assert_null(needed(&r, &hurt, 1800000));
	out = mdc_readd_stays_out(&r);
	assert_non_null(out);
	assert_int_equal(out->out, MDC_READD_OFTEN);
	assert_null(mdc_readd_stays_out(&r));		/* said once */
	/* Not even later: an administrator has been told to see to it ... */
	assert_null(needed(&r, &hurt, 3 * MDC_READD_HOUR_MS));
	/* ... and has, which ends it. */
	assert_null(needed(&r, &whole, 3 * MDC_READD_HOUR_MS));
	once(&r, 3 * MDC_READD_HOUR_MS + 1);
}

/* Returns that are spread out are no trouble; the hour is one that moves. */
static void test_bound_is_an_hours(void **state)
{
	struct mdc_readd r;
	int i;

	(void)state;
	known(&r);
	for (i = 0; i < 20; i++)
		once(&r, i * (MDC_READD_HOUR_MS / MDC_READD_PER_HOUR));
	assert_null(mdc_readd_stays_out(&r));
}

/* What another node takes back counts as well where it was seen to go; what a person does, not. */
static void test_bound_is_the_clusters(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), whole = state_of(0, "vdc", "in_sync");
	struct mdc_readd r;
	int i;

	(void)state;
	known(&r);
	for (i = 0; i < MDC_READD_PER_HOUR * 2; i++) {
		assert_null(needed(&r, &hurt, i));
		assert_null(needed(&r, &whole, i));
	}
	for (i = 0; i < MDC_READD_PER_HOUR; i++) {
		mdc_readd_gone(&r, "vdc");
		mdc_readd_returned(&r, &array, &super1, "vdc");
		assert_non_null(needed(&r, &hurt, i));
		assert_null(needed(&r, &whole, i));
	}
	mdc_readd_gone(&r, "vdc");
	mdc_readd_returned(&r, &array, &super1, "vdc");
	assert_null(needed(&r, &hurt, 100));
	assert_non_null(mdc_readd_stays_out(&r));
}

/* The next look at a failed disk, by its name; "" for none. */
static const char *look(struct mdc_readd *r, const struct mdc_array *a, int64_t now_ms)
{
	struct mdc_readd_disk *d;
	unsigned int at = 0;

	mdc_readd_observe(r, a, now_ms);
	d = mdc_readd_look(r, now_ms, &at);
	return d ? d->kname : "";
}

/* Its device is there all the time, but cannot be read, and then can. */
static void test_unreadable(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), whole = state_of(0, "vdc", "in_sync");
	struct mdc_readd_disk *d;
	struct mdc_readd r;
	unsigned int at = 0;

	(void)state;
	known(&r);
	assert_string_equal(look(&r, &whole, 0), "");
	assert_string_equal(look(&r, &hurt, 1000), "vdc");
	assert_string_equal(look(&r, &hurt, 1001), "");
	assert_true(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1002));
	assert_null(mdc_readd_hangs(&r, &hurt, 99999, &at));	/* it has answered */
	assert_true(mdc_readd_any_pending(&r));
	assert_null(needed(&r, &hurt, 1003));
	assert_string_equal(look(&r, &hurt, 1000 + MDC_READD_LOOK_MS - 1), "");
	assert_string_equal(look(&r, &hurt, 1000 + MDC_READD_LOOK_MS), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 17000));	/* not new */
	assert_false(mdc_readd_changed(&r, "vdb", 18000));
	assert_true(mdc_readd_changed(&r, "vdc", 18000));
	assert_string_equal(look(&r, &hurt, 18000), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 18001));
	d = needed(&r, &hurt, 18002);
	assert_non_null(d);
	assert_string_equal(d->back, "vdc");
	assert_false(mdc_readd_any_pending(&r));
	assert_int_equal(mdc_readd_begin(d, 18003), 1);
	assert_null(needed(&r, &whole, 20000));
	assert_null(mdc_readd_stays_out(&r));
}

/* After test_unreadable's life: the second failure within the hour is the last. */
static void test_fails_again(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), whole = state_of(0, "vdc", "in_sync");
	const struct mdc_readd_disk *out;
	struct mdc_readd r;

	(void)state;
	known(&r);
	look(&r, &hurt, 0);
	mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1);
	mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 2);
	mdc_readd_begin(needed(&r, &hurt, 3), 3);
	assert_null(needed(&r, &whole, 4));
	assert_string_equal(look(&r, &hurt, 1000), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1001));
	assert_null(mdc_readd_stays_out(&r));		/* is it its path? */
	assert_string_equal(look(&r, &hurt, 1000 + MDC_READD_LOOK_MS), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 1001 + MDC_READD_LOOK_MS));
	out = mdc_readd_stays_out(&r);
	assert_non_null(out);
	assert_int_equal(out->out, MDC_READD_AGAIN);
	assert_string_equal(look(&r, &hurt, 1002 + 2 * MDC_READD_LOOK_MS), "");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 60000));
	assert_null(needed(&r, &hurt, MDC_READD_HOUR_MS * 2));
	/* By hand it comes back, and an hour later it is as good as any other. */
	assert_null(needed(&r, &whole, MDC_READD_HOUR_MS * 2));
	assert_string_equal(look(&r, &hurt, MDC_READD_HOUR_MS * 4), "vdc");
	assert_true(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, MDC_READD_HOUR_MS * 4));
}

/* Its path goes within the hour, and errors show first: that is no disk that fails again. */
static void test_path_goes_again(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty");
	struct mdc_readd r;

	(void)state;
	known(&r);
	once(&r, 0);
	assert_string_equal(look(&r, &hurt, 1000), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1001));
	mdc_readd_gone(&r, "vdc");
	assert_false(mdc_readd_any_pending(&r));
	assert_string_equal(look(&r, &hurt, 60000), "");
	once(&r, 60000);
	assert_null(mdc_readd_stays_out(&r));
}

/* One that hangs is not asked again as long as it does; its answer may still come. */
static void test_hangs(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty");
	const struct mdc_readd_disk *d;
	struct mdc_readd r;
	unsigned int at = 0;

	(void)state;
	known(&r);
	assert_string_equal(look(&r, &hurt, 0), "vdc");
	assert_null(mdc_readd_hangs(&r, &hurt, MDC_READD_LOOK_MS - 1, &at));	/* it is busy */
	assert_true(mdc_readd_any_pending(&r));
	at = 0;
	d = mdc_readd_hangs(&r, &hurt, MDC_READD_LOOK_MS, &at);
	assert_non_null(d);
	assert_string_equal(d->kname, "vdc");
	assert_null(mdc_readd_hangs(&r, &hurt, MDC_READD_LOOK_MS, &at));
	at = 0;
	assert_null(mdc_readd_hangs(&r, &hurt, MDC_READD_LOOK_MS, &at));	/* said once */
	assert_true(mdc_readd_any_pending(&r));
	assert_string_equal(look(&r, &hurt, 5 * MDC_READD_LOOK_MS), "");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 5 * MDC_READD_LOOK_MS));
	assert_non_null(needed(&r, &hurt, 5 * MDC_READD_LOOK_MS));
}

/* A look that takes its time, at a disk that was failed by hand. */
static void test_slow(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty");
	struct mdc_readd r;
	unsigned int at = 0;

	(void)state;
	known(&r);
	look(&r, &hurt, 0);
	assert_null(mdc_readd_hangs(&r, &hurt, MDC_READD_LOOK_MS - 1, &at));
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, MDC_READD_LOOK_MS - 1));
	assert_null(needed(&r, &hurt, MDC_READD_LOOK_MS));
	assert_false(mdc_readd_any_pending(&r));
}

/* Readable when it is looked at: by hand, unless the kernel remembers a write that failed. */
static void test_readable_at_once(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"),
			 wrote = state_of(1, "vdc", "faulty,write_error,want_replacement");
	struct mdc_readd r;

	(void)state;
	known(&r);
	assert_string_equal(look(&r, &hurt, 0), "vdc");
	assert_false(mdc_readd_looked(&r, &hurt, "vdc", 0, &super1, 1));
	assert_null(needed(&r, &hurt, 2));
	assert_string_equal(look(&r, &hurt, MDC_READD_LOOK_MS * 2), "");	/* asked once */

	known(&r);
	assert_string_equal(look(&r, &wrote, 0), "vdc");
	assert_false(mdc_readd_looked(&r, &wrote, "vdc", 0, &super1, 1));
	assert_non_null(needed(&r, &wrote, 2));
}

/* Taken out of the array meanwhile, by whoever means to replace it; or overwritten. */
static void test_unreadable_and_removed(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), without = state_of(1, NULL, NULL);
	struct mdc_super other = super1;
	struct mdc_readd r;

	(void)state;
	known(&r);
	look(&r, &hurt, 0);
	mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1);
	assert_null(needed(&r, &without, 2));
	assert_false(mdc_readd_any_pending(&r));
	assert_false(mdc_readd_looked(&r, &without, "vdc", 0, &super1, 3));
	assert_null(needed(&r, &without, 4));

	known(&r);
	look(&r, &hurt, 0);
	mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1);
	mdc_readd_looked(&r, &hurt, "vdc", 0, NULL, 2);
	assert_null(needed(&r, &hurt, 3));
	other.device.b[0] = 7;
	mdc_readd_looked(&r, &hurt, "vdc", 0, &other, 4);
	assert_null(needed(&r, &hurt, 5));
}

/* Failed by hand, with or without --remove, and then pulled and put back: it is left alone. */
static void test_failed_by_hand_and_pulled(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), without = state_of(1, NULL, NULL),
			 whole = state_of(0, "vdd", "in_sync");
	const struct mdc_array *const seen[][2] = {
		{ &hurt, &hurt }, { &hurt, &without }, { &without, &without },
	};
	struct mdc_readd r;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		known(&r);
		assert_string_equal(look(&r, seen[i][0], 0), "vdc");
		assert_null(needed(&r, seen[i][1], 1));
		assert_false(mdc_readd_looked(&r, seen[i][1], "vdc", 0, &super1, 2));
		mdc_readd_gone(&r, "vdc");
		assert_false(mdc_readd_any_away(&r));
		assert_false(mdc_readd_returned(&r, &array, &super1, "vdd"));
		assert_null(needed(&r, &without, 3));
		/* What stands in its bay now is another disk, and is to be learned. */
		assert_false(mdc_readd_knows(&r, "vdc"));
		/* Taken in by hand it is a member like any other. */
		mdc_readd_learn(&r, &disk1, "vdd");
		assert_null(needed(&r, &whole, 4));
		mdc_readd_gone(&r, "vdd");
		assert_true(mdc_readd_returned(&r, &array, &super1, "vdd"));
		assert_non_null(needed(&r, &without, 5));
	}
}

/* It gave errors, and was removed: pulled and put back, it stays out all the same. */
static void test_unreadable_removed_and_pulled(void **state)
{
	struct mdc_array hurt = state_of(1, "vdc", "faulty"), without = state_of(1, NULL, NULL);
	struct mdc_readd r;

	(void)state;
	known(&r);
	look(&r, &hurt, 0);
	assert_true(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1));
	assert_null(needed(&r, &without, 2));
	mdc_readd_gone(&r, "vdc");
	assert_false(mdc_readd_returned(&r, &array, &super1, "vdc"));
	/* Neither failed by hand nor removed: its path was going when it was looked at. */
	known(&r);
	look(&r, &hurt, 0);
	assert_true(mdc_readd_looked(&r, &hurt, "vdc", -EIO, NULL, 1));
	mdc_readd_gone(&r, "vdc");
	assert_true(mdc_readd_returned(&r, &array, &super1, "vdc"));
	assert_non_null(needed(&r, &hurt, 2));
	/* The same, where something else has removed it by the time of the look. */
	known(&r);
	look(&r, &without, 0);
	assert_false(mdc_readd_looked(&r, &without, "vdc", -ENODEV, NULL, 1));
	mdc_readd_gone(&r, "vdc");
	assert_true(mdc_readd_returned(&r, &array, &super1, "vdc"));
	assert_non_null(needed(&r, &without, 2));
}

/* One that hangs, and was removed, is said nothing of. */
static void test_hangs_removed(void **state)
{
	struct mdc_array without = state_of(1, NULL, NULL);
	struct mdc_readd r;
	unsigned int at = 0;

	(void)state;
	known(&r);
	assert_string_equal(look(&r, &without, 0), "vdc");
	assert_null(mdc_readd_hangs(&r, &without, 2 * MDC_READD_LOOK_MS, &at));
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
	static const uint32_t nodes[] = { 7, 1, 2 };	/* the kernel has them by slot */

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
		cmocka_unit_test(test_attempt_failed),
		cmocka_unit_test(test_full), cmocka_unit_test(test_turns),
		cmocka_unit_test(test_bound), cmocka_unit_test(test_bound_is_an_hours),
		cmocka_unit_test(test_bound_is_the_clusters), cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_fails_again), cmocka_unit_test(test_readable_at_once),
		cmocka_unit_test(test_unreadable_and_removed), cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_path_goes_again),
		cmocka_unit_test(test_failed_by_hand_and_pulled),
		cmocka_unit_test(test_unreadable_removed_and_pulled),
		cmocka_unit_test(test_hangs_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
