/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/dlmlocks: the list as debugfs prints it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/dlmlocks.h"

#define HEAD "id nodeid remid pid xid exflags flags sts grmode rqmode time_us r_nodeid r_len r_name\n"
#define LINE(flags, sts, mode, name) \
	"1 0 0 77 0 8 " flags " " sts " " mode " -1 123456 0 10 \"" name "\"\n"

static const struct {
	const char *text;
	int want;
} rows[] = {
	{ HEAD LINE("0", "2", "4", "bitmap0000"), 1 },
	{ HEAD LINE("0", "2", "1", "ack") LINE("0", "2", "4", "bitmap0003"), 4 },
	{ HEAD LINE("0", "2", "4", "bitmap9999"), 10000 },
	/* a copy for another node; not granted; not PW; another's name */
	{ HEAD LINE("10000", "2", "4", "bitmap0001"), -ENOENT },
	{ HEAD LINE("0", "3", "4", "bitmap0001"), -ENOENT },
	{ HEAD LINE("0", "2", "1", "bitmap0001"), -ENOENT },
	{ HEAD LINE("0", "2", "4", "bitmap001"), -ENOENT },
	{ HEAD LINE("0", "2", "4", "bitmap00011"), -ENOENT },
	{ HEAD LINE("10000", "2", "4", "bitmap0001") LINE("0", "2", "4", "bitmap0002"), 3 },
	{ HEAD LINE("0", "2", "4", "bitmap0001") LINE("0", "2", "4", "bitmap0002"), -EAGAIN },
	{ HEAD LINE("0", "2", "4", "bitmap0001") LINE("0", "2", "4", "bitmap0001"), 2 },
	{ HEAD "1 0 0 \"bitmap0001\"\n" LINE("0", "2", "4", "bitmap0002"), 3 },
	{ HEAD LINE("zz", "2", "4", "bitmap0001"), -ENOENT },
	{ HEAD "1  0 0 77 0 8 0 2 4 -1 1 0 10 \"bitmap0001\"\n", -ENOENT },
	{ HEAD, -ENOENT },
	{ "", -ENOENT },
	{ "Resource 0xabc Name (len=3)\n", -EINVAL },
	{ "\n", -EINVAL },
};

static void test_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = mdc_dlmlocks_slot(rows[i].text, strlen(rows[i].text));

		if (got != rows[i].want)
			fail_msg("row %zu: %d, not %d", i, got, rows[i].want);
	}
}

static void test_bytes(void **state)
{
	static const char text[] = HEAD LINE("0", "2", "4", "bitmap0002");
	char *longest = malloc(2000);
	size_t len;

	(void)state;
	assert_non_null(longest);
	memset(longest, 'a', 2000);
	assert_int_equal(mdc_dlmlocks_slot(longest, 2000), -EINVAL);
	free(longest);
	for (len = 0; len < sizeof(text); len++) {
		char *buf = malloc(len + 1);

		assert_non_null(buf);
		memcpy(buf, text, len);
		mdc_dlmlocks_slot(buf, len);
		free(buf);
	}
	assert_int_equal(mdc_dlmlocks_slot(text, sizeof(text)), -EINVAL);	/* with the NUL */
	assert_int_equal(mdc_dlmlocks_slot(text, sizeof(text) - 2), 3);	/* no last newline */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
