/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/check.c: what --check prints, line by line, and what it must never be taken for. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/check.h"

static void test_whole(void **state)
{
	static const char *const lines[] = {
		"corosync up", "quorate yes", "cluster my cluster", "nodeid 4294967295", "dlm down",
		"lockspace 1 2 30",
		"array raid_disks=2 level=-1 layout=258 clustered=yes slots=4 cluster_name=my cluster",
		"active 0 1",
		"member /dev/vdb vdb role=0 events=18446744073709551615 fresh=yes holder=-",
		"member /dev/vdc vdc role=spare events=18 fresh=no holder=md127",
		"member /dev/vdd vdd role=faulty events=0 fresh=no holder=dm-3",
		"stuck /dev/vde", "stuck /dev/vdf", "nomatch /dev/by id/x*", "end",
	};
	struct mdc_check c;

	(void)state;
	mdc_check_init(&c);
	assert_int_equal(c.corosync, -1);
	assert_int_equal(c.nodeid, -1);
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(mdc_check_line(&c, lines[i]), 0);
	assert_int_equal(c.corosync, 1);
	assert_int_equal(c.quorate, 1);
	assert_int_equal(c.dlm, 0);
	assert_string_equal(c.cluster, "my cluster");
	assert_true(c.nodeid == 4294967295);
	assert_int_equal(c.n_lockspace, 3);
	assert_int_equal(c.lockspace[2], 30);
	assert_true(c.have_array && c.clustered && c.complete);
	assert_int_equal(c.level, -1);
	assert_int_equal(c.layout, 258);
	assert_int_equal(c.slots, 4);
	assert_string_equal(c.array_cluster, "my cluster");
	assert_int_equal(c.n_active, 2);
	assert_int_equal(c.n_members, 3);
	assert_int_equal(c.members[0].role, 0);
	assert_true(c.members[0].events == UINT64_MAX);
	assert_true(c.members[0].fresh);
	assert_string_equal(c.members[0].holder, "");
	assert_int_equal(c.members[1].role, MDC_ROLE_SPARE);
	assert_string_equal(c.members[1].holder, "md127");
	assert_int_equal(c.members[2].role, MDC_ROLE_FAULTY);
	assert_int_equal(c.n_stuck, 2);
	assert_string_equal(c.stuck, "/dev/vde");
	assert_int_equal(c.n_nomatch, 1);
	assert_int_equal(mdc_check_line(&c, "corosync up"), -EINVAL);	/* after the end */
}

static void test_empty_lists(void **state)
{
	struct mdc_check c;

	(void)state;
	mdc_check_init(&c);
	assert_int_equal(mdc_check_line(&c, "lockspace"), 0);
	assert_int_equal(mdc_check_line(&c, "active"), 0);
	assert_true(c.have_lockspace && c.have_active);
	assert_int_equal(c.n_lockspace, 0);
	assert_int_equal(mdc_check_line(&c, "array raid_disks=2 level=1 layout=0 clustered=no "
					"slots=0 cluster_name="), 0);
	assert_string_equal(c.array_cluster, "");
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", " ", "corosync", "corosync  up", "corosync up ", "corosync maybe", "quorate",
		"dlm yes", "cluster", "cluster ",
		"cluster 12345678901234567890123456789012345678901234567890123456789012345",
		"nodeid", "nodeid -1", "nodeid 4294967296", "nodeid 1 2", "nodeid 0x1", "nodeid 01",
		"lockspace 1  2", "lockspace 1 ", "lockspace x", "lockspace 4294967296",
		"array", "array raid_disks=2",
		"array raid_disks=2 level=1 layout=0 clustered=maybe slots=4 cluster_name=c",
		"array raid_disks=2 level=1 layout=0 clustered=yes slots=-4 cluster_name=c",
		"array raid_disks=2 level=1 layout=0 clustered=yes slots=4",
		"array level=1 raid_disks=2 layout=0 clustered=yes slots=4 cluster_name=c",
		"array raid_disks=2 level=- layout=0 clustered=yes slots=4 cluster_name=c",
		"member", "member /dev/vdb", "member /dev/vdb vdb",
		"member vdb vdb role=0 events=1 fresh=yes holder=-",
		"member /dev/vdb vdb role=-1 events=1 fresh=yes holder=-",
		"member /dev/vdb vdb role=active events=1 fresh=yes holder=-",
		"member /dev/vdb vdb role=0 events=18446744073709551616 fresh=yes holder=-",
		"member /dev/vdb vdb role=0 events=1 fresh=1 holder=-",
		"member /dev/vdb vdb role=0 events=1 fresh=yes holder=",
		"member /dev/vdb vdb role=0 events=1 fresh=yes holder=- x",
		"member /dev/vdb vdb role=0 events=1 fresh=yes",
		"stuck", "stuck ", "nomatch", "end ", "End", "ended", "hello",
	};
	struct mdc_check c;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		mdc_check_init(&c);
		if (mdc_check_line(&c, bad[i]) != -EINVAL)
			fail_msg("taken: \"%s\"", bad[i]);
	}
}

static void test_twice(void **state)
{
	static const char *const once[] = {
		"corosync up", "quorate no", "dlm up", "cluster c", "nodeid 1", "lockspace", "active 0",
		"array raid_disks=2 level=1 layout=0 clustered=no slots=0 cluster_name=",
	};
	struct mdc_check c;

	(void)state;
	mdc_check_init(&c);
	for (size_t i = 0; i < COUNT(once); i++) {
		assert_int_equal(mdc_check_line(&c, once[i]), 0);
		assert_int_equal(mdc_check_line(&c, once[i]), -EINVAL);
	}
}

static void test_too_many(void **state)
{
	char line[1024] = "lockspace";
	struct mdc_check c;
	int i;

	(void)state;
	mdc_check_init(&c);
	for (i = 0; i <= MDC_CHECK_NODES_MAX; i++)
		sprintf(line + strlen(line), " %d", i + 1);
	assert_int_equal(mdc_check_line(&c, line), -EINVAL);
	for (i = 0; i < MDC_CHECK_MEMBERS_MAX; i++)
		assert_int_equal(mdc_check_line(&c, "member /dev/a a role=0 events=1 fresh=no holder=-"),
				 0);
	assert_int_equal(mdc_check_line(&c, "member /dev/a a role=0 events=1 fresh=no holder=-"),
			 -EINVAL);
	snprintf(line, sizeof(line), "stuck /%0*d", MDC_PATH_MAX, 0);
	assert_int_equal(mdc_check_line(&c, line), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_empty_lists),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_twice),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
