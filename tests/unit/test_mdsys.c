/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port/mdsys.c over a directory that stands for sysfs. */
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "port/mdsys.h"

static char *root;

static void put(const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (!text) {
		mkdir(full, 0755);
		return;
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	static char name[] = "mdsys-XXXXXX";

	(void)state;
	strcpy(name, "mdsys-XXXXXX");
	root = mkdtemp(name);
	return root ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_array(void)
{
	put("block/md127/size", "520192\n");
	put("block/md127/md/array_state", "active\n");
	put("block/md127/md/level", "raid1\n");
	put("block/md127/md/raid_disks", "3 (2)\n");
	put("block/md127/md/degraded", "1\n");
	put("block/md127/md/sync_action", "recover\n");
	put("block/md127/md/sync_completed", "1000 / 520192\n");
	put("block/md127/md/sync_speed", "9000\n");
	put("block/md127/md/uuid", SOME_UUID_DASH "\n");
	put("block/md127/md/dev-vdd/slot", "none\n");
	put("block/md127/md/dev-vdd/state", "spare\n");
	put("block/md127/md/dev-vdc/slot", "1\n");
	put("block/md127/md/dev-vdc/state", "in_sync,write_mostly\n");
	put("block/md127/md/dev-vdb/slot", "0\n");
	put("block/md127/md/dev-vdb/state", "in_sync\n");
	put("block/md127/md/dev-gone", NULL);
}

static void test_read(void **state)
{
	struct mdc_array a;

	(void)state;
	assert_int_equal(mdc_mdsys_read(root, "md127", &a), -ENOENT);
	put_array();
	assert_int_equal(mdc_mdsys_read(root, "md127", &a), 0);
	assert_string_equal(a.array_state, "active");
	assert_string_equal(a.level, "raid1");
	assert_int_equal(a.raid_disks, 3);
	assert_int_equal(a.degraded, 1);
	assert_int_equal(a.size_kib, 260096);
	assert_string_equal(a.sync_action, "recover");
	assert_int_equal(a.sync_done, 1000);
	assert_int_equal(a.sync_total, 520192);
	assert_int_equal(a.sync_speed_kib, 9000);
	assert_false(a.sync_delayed);
	assert_int_equal(a.n_members, 3);
	assert_string_equal(a.members[0].device, "vdb");
	assert_string_equal(a.members[1].state, "in_sync,write_mostly");
	assert_string_equal(a.members[2].device, "vdd");
	assert_int_equal(a.members[2].role, -1);
}

static void test_sync_words(void **state)
{
	static const struct {
		const char *action, *completed;
		uint64_t total;
		bool delayed;
	} table[] = {
		{ "idle\n", "none\n", 0, false },	  { "frozen\n", "none\n", 0, false },
		{ "resync\n", "delayed\n", 0, true },	  { "resync\n", "none\n", 0, true },
		{ "resync\n", "5 / 10\n", 10, false },	  { "resync\n", "11 / 10\n", 10, false },
		{ "resync\n", "rubbish\n", 0, true },	  { "resync\n", "5 / 0\n", 0, true },
		{ "\n", "5 / 10\n", 0, false },
	};
	struct mdc_array a;

	(void)state;
	put_array();
	for (size_t i = 0; i < COUNT(table); i++) {
		put("block/md127/md/sync_action", table[i].action);
		put("block/md127/md/sync_completed", table[i].completed);
		assert_int_equal(mdc_mdsys_read(root, "md127", &a), 0);
		assert_int_equal(a.sync_total, table[i].total);
		assert_int_equal(a.sync_delayed, table[i].delayed);
		assert_true(a.sync_done <= a.sync_total);
	}
}

static void test_odd(void **state)
{
	struct mdc_array a;

	(void)state;
	put_array();
	put("block/md127/md/raid_disks", "-3\n");
	put("block/md127/md/degraded", "99999999999\n");
	put("block/md127/md/array_state", "a word much longer than any the kernel has for it\n");
	put("block/md127/md/dev-vdb/slot", "7x\n");
	assert_int_equal(mdc_mdsys_read(root, "md127", &a), 0);
	assert_int_equal(a.raid_disks, 0);
	assert_true(a.degraded == UINT32_MAX);
	assert_int_equal(strlen(a.array_state), sizeof(a.array_state) - 1);
	assert_int_equal(a.members[2].role == -1 && a.members[1].role == -1, 1);
	for (int i = 0; i < MDC_MEMBERS_SHOWN + 5; i++) {
		char path[64];

		snprintf(path, sizeof(path), "block/md127/md/dev-x%d/state", i);
		put(path, "spare\n");
	}
	assert_int_equal(mdc_mdsys_read(root, "md127", &a), 0);
	assert_int_equal(a.n_members, MDC_MEMBERS_SHOWN);
}

static void test_uuid_and_lockspace(void **state)
{
	struct mdc_uuid uuid, want;

	(void)state;
	assert_int_equal(mdc_uuid_parse(&want, SOME_UUID), 0);
	assert_false(mdc_mdsys_lockspace(root, &want));
	assert_int_equal(mdc_mdsys_uuid(root, "md127", &uuid), -ENOENT);
	put_array();
	put("kernel/dlm/" SOME_UUID_DASH "/id", "1\n");
	assert_true(mdc_mdsys_lockspace(root, &want));
	assert_int_equal(mdc_mdsys_uuid(root, "md127", &uuid), 0);
	assert_true(mdc_uuid_equal(&uuid, &want));
	put("block/md127/md/uuid", "no uuid\n");
	assert_int_equal(mdc_mdsys_uuid(root, "md127", &uuid), -EINVAL);
}

static int count(const char *md, void *data)
{
	int *n = data;

	return !strcmp(md, "md7") ? 7 : (++*n, 0);
}

static void test_each(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(mdc_mdsys_each(root, count, &n), -ENOENT);
	put("block/sda/size", "1\n");
	put("block/mdx/size", "1\n");
	put("block/md0/size", "1\n");
	put("block/md_named/size", "1\n");
	assert_int_equal(mdc_mdsys_each(root, count, &n), 0);
	assert_int_equal(n, 2);
	put("block/md7/size", "1\n");
	assert_int_equal(mdc_mdsys_each(root, count, &n), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sync_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_uuid_and_lockspace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
