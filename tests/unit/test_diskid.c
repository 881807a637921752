/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/diskid: one name on all nodes, of what sysfs shows. */
#include "unit.h"

#include <string.h>

#include "core/diskid.h"

static void test_make(void **state)
{
	static const struct {
		const char *text;
		unsigned int part;
		const char *want;	/* NULL: none */
	} rows[] = {
		{ "d4", 0, "d4" },
		{ "d4", 3, "d4-part3" },
		{ "naa.60014051234567890abcdef012345678", 0,
		  "naa.60014051234567890abcdef012345678" },
		{ "t10.ATA     Disk  12", 0, "t10.ATA_Disk_12" },
		{ "  spaces round it  ", 0, "spaces_round_it" },
		{ "-._x", 0, "x" },
		{ "a:b=c,d", 0, "a_b_c_d" },
		{ "S\xc3\xa9rie", 0, "S_rie" },
		{ "LVM-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", 0,
		  "LVM-abcdefghijklmnopqrs-" },
		{ "", 0, NULL },
		{ "   ", 0, NULL },
		{ "", 2, NULL },
	};
	char id[MDC_DISKID_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool made = mdc_diskid_make(id, rows[i].text, rows[i].part);

		assert_int_equal(made, rows[i].want != NULL);
		if (!made)
			assert_string_equal(id, "");
		else if (strlen(rows[i].text) < MDC_DISKID_MAX)
			assert_string_equal(id, rows[i].want);
		else
			assert_memory_equal(id, rows[i].want, strlen(rows[i].want));
		assert_int_equal(mdc_diskid_valid(id), made);
	}
}

/* Long ones that differ only at the end, or in the partition, are not the same. */
static void test_long(void **state)
{
	static const char a[] = "eui.0123456789012345678901234567890123456789012345678901";
	static const char b[] = "eui.0123456789012345678901234567890123456789012345678902";
	char ida[MDC_DISKID_MAX], idb[MDC_DISKID_MAX], again[MDC_DISKID_MAX];
	char huge[4096];

	(void)state;
	assert_true(mdc_diskid_make(ida, a, 0) && mdc_diskid_make(idb, b, 0));
	assert_int_equal(strlen(ida), MDC_DISKID_MAX - 1);
	assert_string_not_equal(ida, idb);
	assert_true(mdc_diskid_make(again, a, 0));
	assert_string_equal(ida, again);
	assert_true(mdc_diskid_make(again, a, 1));
	assert_string_not_equal(ida, again);
	assert_true(mdc_diskid_valid(again));
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_true(mdc_diskid_make(ida, huge, 4294967295u));
	assert_true(mdc_diskid_valid(ida));
	huge[sizeof(huge) - 2] = 'y';
	assert_true(mdc_diskid_make(idb, huge, 4294967295u));
	assert_string_not_equal(ida, idb);
}

static void test_valid(void **state)
{
	(void)state;
	assert_false(mdc_diskid_valid(""));
	assert_false(mdc_diskid_valid("-"));
	assert_false(mdc_diskid_valid(".x"));
	assert_false(mdc_diskid_valid("a b"));
	assert_false(mdc_diskid_valid("a:b"));
	assert_true(mdc_diskid_valid("0123456789012345678901234567890123456789"));
	assert_false(mdc_diskid_valid("01234567890123456789012345678901234567890"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make), cmocka_unit_test(test_long),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
