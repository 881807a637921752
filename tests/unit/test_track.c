/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/track.c: the line there and back, the field rules, bad lines. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/track.h"

#define HEAD "uuid=" SOME_UUID " device=/dev/md/shared md=md127 id=raid"
#define WAITS " disk_wait=10 verdict_wait=2 readd=1"

static void test_round_trip(void **state)
{
	static const char *const lines[] = {
		HEAD WAITS " members=",
		HEAD WAITS " members=/dev/sd?",
		HEAD WAITS " members=/dev/sd? /dev/mapper/mpath* /dev/disk/by-id/\xc3\xa9",
		"uuid=" SOME_UUID " device=/dev/md0 md=md_x id=_ disk_wait=0 verdict_wait=0 readd=0 "
		"members=",
		"uuid=" SOME_UUID " device=/dev/md1048575 md=md1048575 id=a.b-c disk_wait=3600 "
		"verdict_wait=30 readd=1 members=/a=b",
	};
	char out[MDC_LINE_MAX];
	struct mdc_track track;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(mdc_track_parse(&track, lines[i]), 0);
		assert_int_equal(mdc_track_format(&track, out, sizeof(out)), strlen(lines[i]));
		assert_string_equal(out, lines[i]);
		assert_int_equal(mdc_track_format(&track, out, strlen(lines[i])), -ENOSPC);
	}
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"", " ", "track " HEAD WAITS " members=", HEAD, HEAD WAITS, HEAD WAITS " ",
		HEAD WAITS " members", HEAD WAITS "  members=", HEAD WAITS " members= /dev/sda",
		HEAD WAITS " members=/dev/sda ", HEAD WAITS " members=/dev/sda  /dev/sdb",
		HEAD WAITS " members=sda", HEAD WAITS " members=/dev/\x01", HEAD WAITS " members=/dev/\xff",
		HEAD WAITS " members=/dev/\xc0\xaf", HEAD WAITS " members=/\xed\xa0\x80",
		HEAD WAITS " members=/dev/sda\n",
		HEAD " verdict_wait=2 disk_wait=10 readd=1 members=",
		HEAD " disk_wait=10 disk_wait=10 verdict_wait=2 readd=1 members=",
		HEAD " disk_wait= verdict_wait=2 readd=1 members=",
		HEAD " disk_wait=-1 verdict_wait=2 readd=1 members=",
		HEAD " disk_wait=010 verdict_wait=2 readd=1 members=",
		HEAD " disk_wait=3601 verdict_wait=2 readd=1 members=",
		HEAD " disk_wait=99999999999999999999 verdict_wait=2 readd=1 members=",
		HEAD " disk_wait=10 verdict_wait=31 readd=1 members=",
		HEAD " disk_wait=10 verdict_wait=2 readd=2 members=",
		HEAD " disk_wait=10 verdict_wait=2 readd=yes members=",
		"uuid=" SOME_UUID_DASH "0 device=/dev/md0 md=md0 id=r" WAITS " members=",
		"device=/dev/md0 uuid=" SOME_UUID " md=md0 id=r" WAITS " members=",
		"uuid=" SOME_UUID " device=/dev/sda md=md0 id=r" WAITS " members=",
		"uuid=" SOME_UUID " device=/dev/md0 md=sda id=r" WAITS " members=",
		"uuid=" SOME_UUID " device=/dev/md0 md=md0 id=" WAITS " members=",
		"uuid=" SOME_UUID " device=/dev/md0 md=md0 id=r:0" WAITS " members=",
	};
	struct mdc_track track, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < COUNT(bad); i++) {
		track = before;
		if (mdc_track_parse(&track, bad[i]) != -EINVAL)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_memory_equal(&track, &before, sizeof(track));
	}
}

static void test_over_long(void **state)
{
	char line[2 * MDC_LINE_MAX];
	struct mdc_track track;
	int n = snprintf(line, sizeof(line), "%s members=", HEAD WAITS);
	size_t i;

	(void)state;
	/* The most that fits, one byte more, and a word that is too long. */
	for (i = 0; i < MDC_MEMBERS_MAX - 1; i++)
		line[(size_t)n + i] = i % 128 == 0 ? '/' : i % 128 == 127 ? ' ' : 'a';
	line[(size_t)n + i - 1] = 'a';
	line[(size_t)n + i] = '\0';
	assert_int_equal(mdc_track_parse(&track, line), 0);
	line[(size_t)n + i] = 'a';
	line[(size_t)n + i + 1] = '\0';
	assert_int_equal(mdc_track_parse(&track, line), -EINVAL);
	memset(line + n, 'a', MDC_PATH_MAX);
	line[n] = '/';
	line[n + MDC_PATH_MAX] = '\0';
	assert_int_equal(mdc_track_parse(&track, line), -EINVAL);
	line[n + MDC_PATH_MAX - 1] = '\0';
	assert_int_equal(mdc_track_parse(&track, line), 0);
}

static void test_fields(void **state)
{
	static const struct {
		bool (*fn)(const char *text);
		const char *text;
		bool valid;
	} table[] = {
		{ mdc_device_valid, "/dev/md/shared", true },
		{ mdc_device_valid, "/dev/md/5", true },
		{ mdc_device_valid, "/dev/md/a_b-c.d+e", true },
		{ mdc_device_valid, "/dev/md127", true },
		{ mdc_device_valid, "/dev/md/12345678901234567890123456789012", true },
		{ mdc_device_valid, "/dev/md/123456789012345678901234567890123", false },
		{ mdc_device_valid, "/dev/md/", false },
		{ mdc_device_valid, "/dev/md", false },
		{ mdc_device_valid, "/dev/md/.", false },
		{ mdc_device_valid, "/dev/md/..", false },
		{ mdc_device_valid, "/dev/md/-x", false },
		{ mdc_device_valid, "/dev/md/a/b", false },
		{ mdc_device_valid, "/dev/md/a b", false },
		{ mdc_device_valid, "/dev/md/\xc3\xa9", false },
		{ mdc_device_valid, "/dev/md01", false },
		{ mdc_device_valid, "/dev/md1048576", false },
		{ mdc_device_valid, "/dev/mdx", false },
		{ mdc_device_valid, "/dev/md_x", false },
		{ mdc_device_valid, "/dev/md1p1", false },
		{ mdc_device_valid, "md0", false },
		{ mdc_device_valid, "", false },
		{ mdc_md_valid, "md0", true },
		{ mdc_md_valid, "md_shared", true },
		{ mdc_md_valid, "md", false },
		{ mdc_md_valid, "md_", false },
		{ mdc_md_valid, "md0p1", false },
		{ mdc_md_valid, "md/0", false },
		{ mdc_md_valid, "mdadm", false },
		{ mdc_md_valid, "dm-0", false },
		{ mdc_md_valid, "md_../x", false },
		{ mdc_id_valid, "raid", true },
		{ mdc_id_valid, "_r.1-2", true },
		{ mdc_id_valid, "1r", false },
		{ mdc_id_valid, "-r", false },
		{ mdc_id_valid, "r:0", false },
		{ mdc_id_valid, "r s", false },
		{ mdc_id_valid, "r+", false },
		{ mdc_id_valid, "", false },
		{ mdc_members_valid, "", true },
		{ mdc_members_valid, "/", false },
		{ mdc_members_valid, "/dev/*", true },
		{ mdc_members_valid, "/dev/a\tb", false },
		{ mdc_members_valid, "/dev/\xf0\x9f\x92\xbe", true },
		{ mdc_members_valid, "/dev/\xf0\x9f\x92", false },
		{ mdc_members_valid, "/dev/\xf4\x90\x80\x80", false },
		{ mdc_members_valid, "/dev/\xe0\x80\xaf", false },
		{ mdc_members_valid, " ", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].fn(table[i].text) != table[i].valid)
			fail_msg("row %zu: \"%s\"", i, table[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_over_long),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
