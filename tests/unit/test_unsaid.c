// SPDX-License-Identifier: GPL-2.0-or-later
/* module/core/unsaid: what a node that is gone may have told only some. */
#include "unit.h"

#include "core/unsaid.h"

static struct mdc_unsaid u;

static int setup(void **state)
{
	(void)state;
	memset(&u, 0, sizeof(u));
	return 0;
}

static bool read_it(u32 type, u32 slot, u32 device)
{
	struct mdc_msg msg = { .type = type, .slot = slot, .raid_slot = device };

	return mdc_unsaid_read(&u, &msg);
}

static bool read_size(u64 sectors)
{
	struct mdc_msg msg = { .type = MDC_BITMAP_RESIZE, .slot = 1, .high = sectors };

	return mdc_unsaid_read(&u, &msg);
}

static void assert_devices(u32 count, const u32 *device)
{
	u32 i;

	assert_int_equal(u.count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(u.msg[i].raid_slot, device[i]);
}

/* The superblock has it, or it ends with its sender. */
static void test_what_does_not_matter(void **state)
{
	u32 type;

	(void)state;
	for (type = 0; type < MDC_MSG_TYPES; type++)
		if (type != MDC_REMOVE && type != MDC_CHANGE_CAPACITY && type != MDC_BITMAP_RESIZE)
			assert_true(read_it(type, 1, 3));
	assert_int_equal(u.count, 0);
}

/* An older one that is said again does not hide the one that came after it. */
static void test_each_is_kept(void **state)
{
	(void)state;
	assert_true(read_it(MDC_REMOVE, 1, 3));
	assert_true(read_it(MDC_REMOVE, 2, 2));
	assert_true(read_it(MDC_METADATA_UPDATED, 2, 0));
	assert_devices(2, (const u32[]){ 3, 2 });
}

/* Whoever says it again: it is the same message. */
static void test_known_to_all(void **state)
{
	struct mdc_msg again = { .type = MDC_REMOVE, .slot = 4, .raid_slot = 3 };

	(void)state;
	read_it(MDC_REMOVE, 1, 3);
	read_it(MDC_REMOVE, 1, 2);
	mdc_unsaid_known(&u, &again);
	assert_devices(1, (const u32[]){ 2 });
	mdc_unsaid_known(&u, &again);
	assert_devices(1, (const u32[]){ 2 });
}

/* Said twice it is one, and the last one. */
static void test_order(void **state)
{
	(void)state;
	assert_true(read_size(1000));
	assert_true(read_size(500));
	assert_true(read_size(1000));
	assert_int_equal(u.count, 2);
	assert_int_equal(u.msg[0].high, 500);
	assert_int_equal(u.msg[1].high, 1000);
}

static void test_new_disk_of_the_number(void **state)
{
	(void)state;
	read_it(MDC_REMOVE, 1, 3);
	read_it(MDC_REMOVE, 1, 2);
	read_it(MDC_NEWDISK, 2, 5);
	assert_devices(2, (const u32[]){ 3, 2 });
	read_it(MDC_NEWDISK, 2, 3);
	assert_devices(1, (const u32[]){ 2 });
}

static void test_no_room(void **state)
{
	u32 device;

	(void)state;
	for (device = 0; device < MDC_UNSAID_MAX; device++)
		assert_true(read_it(MDC_REMOVE, 1, device));
	assert_false(read_it(MDC_REMOVE, 1, device));
	assert_int_equal(u.count, MDC_UNSAID_MAX);
	assert_int_equal(u.msg[0].raid_slot, 1);
	assert_int_equal(u.msg[MDC_UNSAID_MAX - 1].raid_slot, MDC_UNSAID_MAX);
	/* One that is there already needs none. */
	assert_true(read_it(MDC_REMOVE, 2, 2));
	assert_devices(MDC_UNSAID_MAX, (const u32[]){ 1, 3, 4, 2 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_does_not_matter, setup),
		cmocka_unit_test_setup(test_each_is_kept, setup),
		cmocka_unit_test_setup(test_known_to_all, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_new_disk_of_the_number, setup),
		cmocka_unit_test_setup(test_no_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
