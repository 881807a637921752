/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module/core/wire: the bytes of the wire, and which messages are no good ones. */
#include "unit.h"

#include "core/wire.h"

static const struct mdc_wire_limits limits = {
	.our_slot = 2,
	.slots = 4,
	.devices = 8,
	.sectors = 0x20000,
};

/* As the kernel's own module puts them there, little endian and 48 bytes long. */
static const struct {
	struct mdc_msg msg;
	u8 bytes[MDC_WIRE_MSG_SIZE];
} vectors[] = {
	{ { .type = MDC_METADATA_UPDATED, .slot = 1, .raid_slot = 5 },
	  { [4] = 0x01, [40] = 0x05 } },
	{ { .type = MDC_RESYNCING, .slot = 3, .low = 0x1122334455667788, .high = 0x99aabbccddeeff00 },
	  { 0x01, 0, 0, 0, 0x03, 0, 0, 0,
	    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
	    0x00, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99 } },
	{ { .type = MDC_NEWDISK, .raid_slot = 0x01020304,
	    .uuid = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		      0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 } },
	  { 0x02, [24] = 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
	    0x04, 0x03, 0x02, 0x01 } },
	{ { .type = MDC_REMOVE, .slot = 0x80000001, .raid_slot = 1 },
	  { 0x03, [4] = 0x01, [7] = 0x80, [40] = 0x01 } },
	{ { .type = MDC_RE_ADD, .raid_slot = 2 }, { 0x04, [40] = 0x02 } },
	{ { .type = MDC_BITMAP_NEEDS_SYNC, .slot = 1 }, { 0x05, [4] = 0x01 } },
	{ { .type = MDC_CHANGE_CAPACITY, .slot = 1 }, { 0x06, [4] = 0x01 } },
	{ { .type = MDC_BITMAP_RESIZE, .high = 0x10000 }, { 0x07, [18] = 0x01 } },
	{ { .type = MDC_RESYNCING_START, .slot = 1 }, { 0x08, [4] = 0x01 } },
};

static void test_put(void **state)
{
	u8 lvb[MDC_LVB_SIZE], want[MDC_LVB_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(vectors); i++) {
		memset(lvb, 0xee, sizeof(lvb));
		memset(want, 0, sizeof(want));
		memcpy(want, vectors[i].bytes, sizeof(vectors[i].bytes));
		mdc_wire_put_msg(lvb, &vectors[i].msg);
		assert_memory_equal(lvb, want, sizeof(want));
	}
}

static void test_get(void **state)
{
	u8 lvb[MDC_LVB_SIZE];
	struct mdc_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(vectors); i++) {
		/* What follows the message does not matter. */
		memset(lvb, 0xee, sizeof(lvb));
		memcpy(lvb, vectors[i].bytes, sizeof(vectors[i].bytes));
		memset(&msg, 0x55, sizeof(msg));
		mdc_wire_get_msg(lvb, &limits, &msg);
		assert_int_equal(msg.type, vectors[i].msg.type);
		assert_int_equal(msg.slot, vectors[i].msg.slot);
		assert_true(msg.low == vectors[i].msg.low);
		assert_true(msg.high == vectors[i].msg.high);
		assert_memory_equal(msg.uuid, vectors[i].msg.uuid, MDC_UUID_SIZE);
		assert_int_equal(msg.raid_slot, vectors[i].msg.raid_slot);
	}
}

#define DISK .uuid = { 1 }

static const struct {
	struct mdc_msg msg;
	enum mdc_wire_fault want;
} checks[] = {
	{ { .type = MDC_METADATA_UPDATED, .raid_slot = 7 }, MDC_WIRE_OK },
	{ { .type = MDC_METADATA_UPDATED, .raid_slot = 8 }, MDC_WIRE_DEVICE },
	{ { .type = MDC_METADATA_UPDATED, .slot = 3 }, MDC_WIRE_OK },
	{ { .type = MDC_METADATA_UPDATED, .slot = 4 }, MDC_WIRE_SLOT },
	{ { .type = MDC_METADATA_UPDATED, .slot = 0xffffffff }, MDC_WIRE_SLOT },
	{ { .type = MDC_METADATA_UPDATED, .slot = 2 }, MDC_WIRE_OWN },
	{ { .type = MDC_MSG_TYPES }, MDC_WIRE_TYPE },
	{ { .type = 0xffffffff, .slot = 2 }, MDC_WIRE_TYPE },
	{ { .type = MDC_NEWDISK, .raid_slot = 7, DISK }, MDC_WIRE_OK },
	{ { .type = MDC_NEWDISK, .raid_slot = 0xffffffff, DISK }, MDC_WIRE_DEVICE },
	{ { .type = MDC_NEWDISK, .raid_slot = 1 }, MDC_WIRE_UUID },
	{ { .type = MDC_NEWDISK, .raid_slot = 1, .uuid = { [15] = 1 } }, MDC_WIRE_OK },
	{ { .type = MDC_REMOVE, .raid_slot = 8 }, MDC_WIRE_DEVICE },
	{ { .type = MDC_RE_ADD, .raid_slot = 8 }, MDC_WIRE_DEVICE },
	{ { .type = MDC_RE_ADD, .raid_slot = 0 }, MDC_WIRE_OK },
	/* Device and range mean nothing here. */
	{ { .type = MDC_CHANGE_CAPACITY, .raid_slot = 99, .low = 9, .high = 1 }, MDC_WIRE_OK },
	{ { .type = MDC_BITMAP_NEEDS_SYNC, .raid_slot = 99 }, MDC_WIRE_OK },
	{ { .type = MDC_RESYNCING_START, .raid_slot = 99 }, MDC_WIRE_OK },
	{ { .type = MDC_RESYNCING, .raid_slot = 99 }, MDC_WIRE_OK },
	{ { .type = MDC_RESYNCING, .low = 0, .high = 0x10000 }, MDC_WIRE_OK },
	{ { .type = MDC_RESYNCING, .low = 5, .high = 5 }, MDC_WIRE_OK },
	{ { .type = MDC_RESYNCING, .low = 5, .high = 4 }, MDC_WIRE_RANGE },
	{ { .type = MDC_RESYNCING, .low = 1, .high = 0 }, MDC_WIRE_RANGE },
	{ { .type = MDC_BITMAP_RESIZE, .high = 1 }, MDC_WIRE_OK },
	{ { .type = MDC_BITMAP_RESIZE, .high = 0 }, MDC_WIRE_RANGE },
};

static void test_checks(void **state)
{
	u8 lvb[MDC_LVB_SIZE];
	struct mdc_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(checks); i++) {
		enum mdc_wire_fault got;

		mdc_wire_put_msg(lvb, &checks[i].msg);
		got = mdc_wire_get_msg(lvb, &limits, &msg);
		if (got != checks[i].want)
			fail_msg("row %zu: '%s', not '%s'", i, mdc_wire_fault_name(got),
				 mdc_wire_fault_name(checks[i].want));
	}
}

static enum mdc_wire_fault check_range(u64 low, u64 high, u64 sectors)
{
	struct mdc_wire_limits some = limits;
	struct mdc_msg msg = { .type = MDC_RESYNCING, .low = low, .high = high };
	u8 lvb[MDC_LVB_SIZE];

	some.sectors = sectors;
	mdc_wire_put_msg(lvb, &msg);
	return mdc_wire_get_msg(lvb, &some, &msg);
}

static void test_end_of_array(void **state)
{
	(void)state;
	assert_int_equal(check_range(100, 100, 100), MDC_WIRE_OK);
	assert_int_equal(check_range(101, 200, 100), MDC_WIRE_RANGE);
	assert_int_equal(check_range(UINT64_MAX, UINT64_MAX, 100), MDC_WIRE_RANGE);
	/* The size is not known. */
	assert_int_equal(check_range(101, 200, 0), MDC_WIRE_OK);
	assert_int_equal(check_range(UINT64_MAX, UINT64_MAX, 0), MDC_WIRE_OK);
}

static void test_range(void **state)
{
	static const u8 want[MDC_WIRE_RANGE_SIZE] = {
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
	};
	struct mdc_range range = { 0x0102030405060708, 0x1112131415161718 };
	u8 lvb[MDC_LVB_SIZE];
	size_t i;

	(void)state;
	memset(lvb, 0xee, sizeof(lvb));
	mdc_wire_put_range(lvb, &range);
	assert_memory_equal(lvb, want, sizeof(want));
	for (i = sizeof(want); i < sizeof(lvb); i++)
		assert_int_equal(lvb[i], 0xee);
	range = (struct mdc_range){ 0, 0 };
	assert_true(mdc_wire_get_range(lvb, &range));
	assert_true(range.lo == 0x0102030405060708 && range.hi == 0x1112131415161718);
}

static void test_bad_range(void **state)
{
	struct mdc_range range = { 2, 1 };
	u8 lvb[MDC_LVB_SIZE] = { 0 };

	(void)state;
	assert_true(mdc_wire_get_range(lvb, &range));
	assert_true(range.lo == 0 && range.hi == 0);
	range = (struct mdc_range){ 2, 1 };
	mdc_wire_put_range(lvb, &range);
	assert_false(mdc_wire_get_range(lvb, &range));
	assert_true(range.lo == 0 && range.hi == 0);
	range = (struct mdc_range){ 7, 7 };
	mdc_wire_put_range(lvb, &range);
	assert_true(mdc_wire_get_range(lvb, &range));
}

static void test_names(void **state)
{
	u32 i, j;

	(void)state;
	for (i = 0; i < MDC_MSG_TYPES; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(mdc_wire_type_name(i), mdc_wire_type_name(j));
	assert_string_equal(mdc_wire_type_name(MDC_MSG_TYPES), "unknown");
	assert_string_equal(mdc_wire_type_name(0xffffffff), "unknown");
	for (i = 0; i < MDC_WIRE_FAULTS; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(mdc_wire_fault_name(i), mdc_wire_fault_name(j));
	assert_string_equal(mdc_wire_fault_name(MDC_WIRE_FAULTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_end_of_array),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_bad_range),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
