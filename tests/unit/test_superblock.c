/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/superblock: made here byte by byte, then damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/superblock.h"

static void put(uint8_t *p, uint64_t v, int n)
{
	for (; n--; v >>= 8)
		*p++ = (uint8_t)v;
}

static void seal(uint8_t *b)
{
	uint32_t max_dev = (uint32_t)(b[220] | b[221] << 8), size = 256 + 2 * max_dev, i;
	uint64_t sum = 0;

	put(b + 216, 0, 4);
	for (i = 0; i + 4 <= size; i += 4)
		sum += (uint32_t)b[i] | (uint32_t)b[i + 1] << 8 | (uint32_t)b[i + 2] << 16 |
		       (uint32_t)b[i + 3] << 24;
	if (i < size)
		sum += (uint32_t)(b[i] | b[i + 1] << 8);
	put(b + 216, (sum & 0xffffffff) + (sum >> 32), 4);
}

/* Disk 1 of a clustered RAID1 of two, with a spare (2) and a faulty one (3, 4 in the list). */
static void make(uint8_t *b)
{
	static const uint16_t roles[] = { 0, 1, 0xffff, 0xfffe, 0xfffe };
	unsigned int i;

	memset(b, 0, MDC_SUPER_BYTES);
	put(b, 0xa92b4efc, 4);
	put(b + 4, 1, 4);
	put(b + 8, 1 | 256, 4);
	for (i = 0; i < 16; i++) {
		b[16 + i] = (uint8_t)i;
		b[168 + i] = (uint8_t)(0xf0 + i);
	}
	put(b + 72, 1, 4);		/* level */
	put(b + 80, 16384, 8);		/* size */
	put(b + 92, 2, 4);		/* raid_disks */
	put(b + 96, 8, 4);		/* bitmap_offset */
	put(b + 128, 2048, 8);
	put(b + 136, 20480, 8);
	put(b + 144, 8, 8);		/* super_offset */
	put(b + 160, 1, 4);		/* dev_number */
	put(b + 200, 77, 8);		/* events */
	put(b + 220, 5, 4);		/* max_dev: odd, so the sum ends with half a word */
	for (i = 0; i < 5; i++)
		put(b + 256 + 2 * i, roles[i], 2);
	seal(b);
}

static void test_good(void **state)
{
	uint8_t b[MDC_SUPER_BYTES];
	struct mdc_super s;

	(void)state;
	make(b);
	assert_int_equal(mdc_super_parse(&s, b, sizeof(b)), 0);
	assert_memory_equal(s.array.b, b + 16, 16);
	assert_memory_equal(s.device.b, b + 168, 16);
	assert_int_equal(s.events, 77);
	assert_int_equal(s.level, 1);
	assert_int_equal(s.raid_disks, 2);
	assert_int_equal(s.role, 1);
	assert_true(s.clustered);
	assert_true(s.have_bitmap);
	assert_int_equal(s.bitmap_sect, 16);
	assert_int_equal(s.n_active, 2);
	assert_int_equal(s.active[1], 1);
	assert_int_equal(s.data_end_sect, 22528);
	assert_int_equal(s.number, 1);
}

struct damage {
	unsigned int at, size;
	uint64_t value;
	int seal, ret, role;
};

static const struct damage damages[] = {
	{ 0, 4, 0xa92b4efd, 1, -ENOENT, 0 },
	{ 4, 4, 2, 1, -EOPNOTSUPP, 0 },
	{ 200, 8, 78, 0, -EBADMSG, 0 },		/* the sum no longer fits */
	{ 220, 4, 1921, 0, -EBADMSG, 0 },	/* more roles than there is room */
	{ 220, 4, 0xffffffff, 0, -EBADMSG, 0 },
	{ 144, 8, 0, 1, -EOPNOTSUPP, 0 },	/* 1.1 */
	{ 92, 4, 0xffff0000, 1, -EBADMSG, 0 },
	{ 128, 8, UINT64_MAX, 1, -EBADMSG, 0 },
	{ 96, 4, (uint32_t)-16, 1, -EBADMSG, 0 },	/* bitmap before the device */
	{ 160, 4, 2, 1, 0, MDC_ROLE_SPARE },
	{ 160, 4, 3, 1, 0, MDC_ROLE_FAULTY },
	{ 160, 4, 5, 1, 0, MDC_ROLE_SPARE },	/* a number beyond the list */
	{ 160, 4, 0xffffffff, 1, 0, MDC_ROLE_SPARE },
	{ 256, 2, 0xff00, 1, 0, 1 },
};

static void test_damaged(void **state)
{
	uint8_t b[MDC_SUPER_BYTES];
	struct mdc_super s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		int ret;

		make(b);
		put(b + damages[i].at, damages[i].value, (int)damages[i].size);
		if (damages[i].seal)
			seal(b);
		ret = mdc_super_parse(&s, b, sizeof(b));
		if (ret != damages[i].ret || (!ret && s.role != damages[i].role))
			fail_msg("row %zu: %d role %d", i, ret, s.role);
	}
	make(b);
	assert_int_equal(mdc_super_parse(&s, b, MDC_SUPER_BYTES - 1), -ENOENT);
	assert_int_equal(mdc_super_parse(&s, b, 0), -ENOENT);
}

static void make_bitmap(uint8_t *b)
{
	memset(b, 0, MDC_BITMAP_BYTES);
	put(b, 0x6d746962, 4);
	put(b + 4, 5, 4);
	put(b + 68, 4, 4);
	memcpy(b + 72, "cl1", 3);
}

static void test_bitmap(void **state)
{
	uint8_t b[MDC_BITMAP_BYTES];
	struct mdc_bitmap_super m;

	(void)state;
	make_bitmap(b);
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), 0);
	assert_int_equal(m.slots, 4);
	assert_string_equal(m.cluster, "cl1");
	memset(b + 72, 'x', 64);	/* no NUL */
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), 0);
	assert_int_equal(strlen(m.cluster), 64);
	b[80] = ' ';
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), -EBADMSG);
	make_bitmap(b);
	put(b + 68, 0, 4);
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), -EBADMSG);
	make_bitmap(b);
	put(b + 4, 4, 4);
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), -EOPNOTSUPP);
	b[0] = 0;
	assert_int_equal(mdc_bitmap_super_parse(&m, b, sizeof(b)), -ENOENT);
	assert_int_equal(mdc_bitmap_super_parse(&m, b, 10), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
