/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/plan.c: a good host, and one thing at a time wrong with it. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "core/plan.h"

#define MEMBER(n, role, rest) "member /dev/vd" n " vd" n " role=" role " events=9 fresh=" rest
#define OK "yes holder=-"
#define RAID1 "array raid_disks=2 level=1 layout=0 clustered=yes slots=2 cluster_name=c"

/* Lines that replace the good ones with the same first word; "-word" takes it away. */
struct row {
	const char *lines[8];
	enum mdc_ocf code;
	const char *says;
	bool degraded;
	unsigned int n_use;
};

static void set(struct mdc_check *check, const struct row *row)
{
	static const char *const good[] = {
		"corosync up", "quorate yes", "cluster c", "nodeid 1", "dlm up", "lockspace 2", RAID1,
		"active 0 1", MEMBER("b", "0", OK), MEMBER("c", "1", OK),
	};
	char word[32];
	size_t i, j;

	mdc_check_init(check);
	for (i = 0; i < COUNT(good); i++) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(good[i], " "), good[i]);
		for (j = 0; j < COUNT(row->lines) && row->lines[j]; j++) {
			const char *line = row->lines[j] + (row->lines[j][0] == '-');

			if (!strncmp(line, word, strlen(word)))
				break;
		}
		if (j == COUNT(row->lines) || !row->lines[j])
			assert_int_equal(mdc_check_line(check, good[i]), 0);
	}
	for (j = 0; j < COUNT(row->lines) && row->lines[j]; j++)
		if (row->lines[j][0] != '-')
			assert_int_equal(mdc_check_line(check, row->lines[j]), 0);
	assert_int_equal(mdc_check_line(check, "end"), 0);
}

static const struct row rows[] = {
	{ { NULL }, MDC_OCF_OK, "", false, 2 },
	/* the cluster */
	{ { "corosync down" }, MDC_OCF_GENERIC, "corosync is not running", false, 0 },
	{ { "-corosync" }, MDC_OCF_GENERIC, "corosync does not answer", false, 0 },
	{ { "corosync down", "dlm down", "-member" }, MDC_OCF_GENERIC, "corosync", false, 0 },
	{ { "quorate no" }, MDC_OCF_GENERIC, "not quorate", false, 0 },
	{ { "-quorate" }, MDC_OCF_GENERIC, "not quorate", false, 0 },
	{ { "dlm down" }, MDC_OCF_GENERIC, "dlm_controld is not running", false, 0 },
	{ { "-dlm" }, MDC_OCF_GENERIC, "dlm_controld is not running", false, 0 },
	{ { "-cluster" }, MDC_OCF_GENERIC, "totem.cluster_name", false, 0 },
	/* the array */
	{ { "nomatch /dev/x*" }, MDC_OCF_ARGS, "\"/dev/x*\" matches no block device", false, 0 },
	{ { "-member", "-array", "-active" }, MDC_OCF_GENERIC, "no member of array", false, 0 },
	{ { "-member", "-array", "-active", "stuck /dev/vdq" }, MDC_OCF_GENERIC,
	  "/dev/vdq does not answer", false, 0 },
	{ { "array raid_disks=2 level=1 layout=0 clustered=no slots=0 cluster_name=" },
	  MDC_OCF_CONFIGURED, "is not clustered", false, 0 },
	{ { "array raid_disks=2 level=1 layout=0 clustered=yes slots=0 cluster_name=" },
	  MDC_OCF_GENERIC, "bitmap of array " SOME_UUID " cannot be read", false, 0 },
	{ { "array raid_disks=2 level=5 layout=2 clustered=yes slots=4 cluster_name=c" },
	  MDC_OCF_CONFIGURED, "RAID level 5", false, 0 },
	{ { "array raid_disks=2 level=1 layout=0 clustered=yes slots=4 cluster_name=other" },
	  MDC_OCF_CONFIGURED, "belongs to cluster \"other\", this one is \"c\"", false, 0 },
	{ { "array raid_disks=2 level=1 layout=0 clustered=yes slots=4 cluster_name=C" },
	  MDC_OCF_CONFIGURED, "belongs to cluster \"C\"", false, 0 },
	/* holders */
	{ { MEMBER("b", "0", "yes holder=md9"), MEMBER("c", "1", OK) }, MDC_OCF_GENERIC,
	  "/dev/vdb of array " SOME_UUID " is held by md9", false, 0 },
	{ { MEMBER("b", "0", OK), MEMBER("c", "1", "yes holder=dm-3") }, MDC_OCF_GENERIC,
	  "held by dm-3", false, 0 },
	/* slots: two; our own id in the list is not another node */
	{ { "lockspace 2 3" }, MDC_OCF_GENERIC, "all 2 bitmap slots", false, 0 },
	{ { "lockspace 1 2" }, MDC_OCF_OK, "", false, 2 },
	{ { "lockspace" }, MDC_OCF_OK, "", false, 2 },
	{ { "-lockspace" }, MDC_OCF_OK, "", false, 2 },
	/* members */
	{ { MEMBER("b", "0", OK) }, MDC_OCF_GENERIC,
	  "raid disk 1 of array " SOME_UUID " is in use by the nodes", false, 0 },
	{ { MEMBER("b", "0", OK), "stuck /dev/vdc" }, MDC_OCF_GENERIC, "/dev/vdc does not answer",
	  false, 0 },
	{ { MEMBER("b", "0", OK), "-lockspace" }, MDC_OCF_GENERIC, "not started degraded on a guess",
	  false, 0 },
	{ { MEMBER("b", "0", OK), "lockspace" }, MDC_OCF_OK, "started degraded: raid disk 1", true, 1 },
	{ { MEMBER("b", "0", OK), "lockspace 1" }, MDC_OCF_OK, "started degraded", true, 1 },
	{ { MEMBER("b", "0", OK), "active 0" }, MDC_OCF_OK, "", false, 1 },
	{ { MEMBER("b", "0", "no holder=-"), "lockspace" }, MDC_OCF_GENERIC,
	  "too few up-to-date members", false, 0 },
	{ { MEMBER("b", "0", OK), MEMBER("c", "1", "no holder=-"), "active 0" }, MDC_OCF_OK, "",
	  false, 1 },
	{ { MEMBER("b", "0", OK), MEMBER("c", "faulty", OK), "active 0" }, MDC_OCF_OK, "", false, 1 },
	{ { MEMBER("b", "0", OK), MEMBER("c", "1", OK), MEMBER("d", "spare", OK) }, MDC_OCF_OK, "",
	  false, 3 },
	{ { MEMBER("d", "spare", OK), "lockspace" }, MDC_OCF_GENERIC, "too few", false, 0 },
	/* RAID10 */
	{ { "array raid_disks=4 level=10 layout=258 clustered=yes slots=2 cluster_name=c",
	    "active 0 1 2 3", "lockspace", MEMBER("b", "0", OK), MEMBER("c", "3", OK) },
	  MDC_OCF_OK, "started degraded: raid disk 1, 2 is", true, 2 },
	{ { "array raid_disks=4 level=10 layout=258 clustered=yes slots=2 cluster_name=c",
	    "active 0 1 2 3", "lockspace", MEMBER("b", "0", OK), MEMBER("c", "1", OK) },
	  MDC_OCF_GENERIC, "missing raid disk 2, 3", false, 0 },
	{ { "array raid_disks=3 level=10 layout=258 clustered=yes slots=2 cluster_name=c",
	    "active 0 1 2", "lockspace", MEMBER("b", "0", OK), MEMBER("c", "1", OK) },
	  MDC_OCF_OK, "raid disk 2", true, 2 },
	{ { "array raid_disks=3 level=10 layout=258 clustered=yes slots=2 cluster_name=c",
	    "active 0 1 2", "lockspace", MEMBER("b", "1", OK) },
	  MDC_OCF_GENERIC, "too few", false, 0 },
	{ { "array raid_disks=4 level=10 layout=0 clustered=yes slots=2 cluster_name=c" },
	  MDC_OCF_GENERIC, "too few", false, 0 },
	{ { "array raid_disks=0 level=1 layout=0 clustered=yes slots=2 cluster_name=c" },
	  MDC_OCF_GENERIC, "too few", false, 0 },
	{ { "array raid_disks=4294967295 level=10 layout=258 clustered=yes slots=2 cluster_name=c" },
	  MDC_OCF_GENERIC, "too few", false, 0 },
};

static void test_start(void **state)
{
	struct mdc_params params = { .uuid_text = SOME_UUID, .device = "/dev/md/shared" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mdc_check check;
		struct mdc_plan plan;

		set(&check, &rows[i]);
		mdc_plan_start(&plan, &params, &check);
		if (plan.code != rows[i].code)
			fail_msg("row %zu: code %d, \"%s\"", i, plan.code, plan.reason);
		if (!strstr(plan.code == MDC_OCF_OK ? plan.warning : plan.reason, rows[i].says))
			fail_msg("row %zu says \"%s\"", i,
				 plan.code == MDC_OCF_OK ? plan.warning : plan.reason);
		assert_int_equal(plan.run_degraded, rows[i].degraded);
		assert_int_equal(plan.n_use, rows[i].n_use);
		assert_int_equal(strlen(plan.reason) > 0, plan.code != MDC_OCF_OK);
	}
}

static void test_node(void **state)
{
	static const struct {
		struct mdc_node_seen node;
		enum mdc_ocf code;
		const char *says;
	} table[] = {
		{ { "", false, false, false }, MDC_OCF_OK, "" },
		{ { "md9", true, true, false }, MDC_OCF_ARGS, "/dev/md/shared (md9) is in use by another" },
		{ { "md9", true, false, false }, MDC_OCF_ARGS, "another array" },
		{ { "md9", false, true, false }, MDC_OCF_ARGS, "another array" },
		{ { "md9", false, true, true }, MDC_OCF_GENERIC, "assembled but not started" },
		{ { "md9", true, true, true }, MDC_OCF_GENERIC, "without its DLM lockspace" },
	};
	struct mdc_params params = { .uuid_text = SOME_UUID, .device = "/dev/md/shared" };
	struct mdc_plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		mdc_plan_node(&plan, &params, &table[i].node);
		assert_int_equal(plan.code, table[i].code);
		assert_non_null(strstr(plan.reason, table[i].says));
	}
}

static void test_monitor(void **state)
{
	static const struct {
		const char *array_state, *action;
		unsigned int degraded;
		enum mdc_ocf code;
		const char *says;
	} table[] = {
		{ "clean", "idle", 0, MDC_OCF_OK, "" },
		{ "read-auto", "idle", 0, MDC_OCF_OK, "" },
		{ "active", "check", 0, MDC_OCF_OK, "" },
		{ "clean", "idle", 1, MDC_OCF_DEGRADED, "degraded: 1 of 2" },
		{ "active", "resync", 0, MDC_OCF_DEGRADED, "): resync is going on" },
		{ "active", "recover", 1, MDC_OCF_DEGRADED, "degraded: 1 of 2" },
		{ "readonly", "idle", 0, MDC_OCF_GENERIC, "shows it as readonly" },
		{ "broken", "idle", 1, MDC_OCF_GENERIC, "shows it as broken" },
		{ "inactive", "idle", 0, MDC_OCF_GENERIC, "shows it as inactive" },
		{ "", "", 0, MDC_OCF_GENERIC, "shows it as gone" },
	};
	struct mdc_params params = { .device = "/dev/md/shared" };
	char reason[256];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct mdc_array a = { .raid_disks = 2, .degraded = table[i].degraded };

		strcpy(a.array_state, table[i].array_state);
		strcpy(a.sync_action, table[i].action);
		assert_int_equal(mdc_plan_monitor(&params, "md127", &a, reason, sizeof(reason)),
				 table[i].code);
		assert_non_null(strstr(reason, table[i].says));
		assert_int_equal(reason[0] == '\0', table[i].code == MDC_OCF_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
