/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's status as text and as an exit status, with what it may lack or get wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_table.h"
#include "ctl_view.h"

static const char full[] =
	"{\"version\": 1, \"node\": {\"name\": \"n1\", \"id\": 1}, \"pacemaker\": \"connecte"
	"d\", \"quorate\": true,\n"
	" \"nodes\": [{\"id\": 1, \"name\": \"n1\", \"state\": \"online\"}, {\"id\": 2, \"name"
	"\": \"n2\", \"state\": \"online\"}],\n"
	" \"arrays\": [{\"uuid\": \"0f3a1c55:7c0ddf8e:8a1d0c7f:11223344\", \"device\": "
	"\"/dev/md/shared\", \"md\": \"md127\", \"id\": \"raid\",\n"
	"  \"running\": true, \"state\": \"recover\", \"level\": \"raid1\", \"raid_disks\":"
	" 2, \"degraded\": 1, \"size_kib\": 260096, \"slot\": 1, \"slots\": 4,\n"
	"  \"sync\": {\"action\": \"recover\", \"done_kib\": 65024, \"total_kib\": 260096"
	", \"percent\": 25.0, \"speed_kib\": 9000},\n"
	"  \"members\": [{\"device\": \"vdb\", \"role\": 0, \"state\": \"in_sync\"}, {\"devi"
	"ce\": \"vdd\", \"role\": null, \"state\": \"spare\"}],\n"
	"  \"add\": {\"phase\": \"found\", \"device\": \"vdd\", \"device_uuid\": \"aabbccdd:"
	"7c0ddf8e:8a1d0c7f:11223344\", \"raid_disk\": 2, \"age_s\": 12, \"reason\": \"\""
	"},\n"
	"  \"nodes\": [{\"name\": \"n1\", \"id\": 1, \"online\": true, \"instance\": \"runni"
	"ng\", \"slot\": 1, \"state\": \"recover\", \"sync\": \"20%\", \"add\": null},\n"
	"            {\"name\": \"n2\", \"id\": 2, \"online\": true, \"instance\": \"runni"
	"ng\", \"slot\": 2, \"state\": \"recover\", \"sync\": null, \"add\": \"found:vdd:2\""
	"},\n"
	"            {\"name\": \"n3\", \"id\": 3, \"online\": false, \"instance\": \"stop"
	"ped\", \"slot\": null, \"state\": null, \"sync\": null, \"add\": null}]}]}\n";

static const char full_text[] =
	"raid: /dev/md/shared (md127), raid1 of 2 disks, 254 MiB\n"
	"  UUID      0f3a1c55:7c0ddf8e:8a1d0c7f:11223344\n"
	"  state     recover, 1 disk missing, slot 1 of 4\n"
	"  recover   [==========>.............................]  25.0%  8.8 MiB"
	"/s  about 22 s left\n"
	"  add       found: vdd as disk 2, 12 s ago, device UUID aabbccdd:7c0dd"
	"f8e:8a1d0c7f:11223344\n"
	"  members\n"
	"    DISK  ROLE  STATE\n"
	"    vdb   0     in_sync\n"
	"    vdd   -     spare\n"
	"  nodes\n"
	"    NODE       CLUSTER  RESOURCE  SLOT  STATE    SYNC  ADD\n"
	"    n1 (here)  online   running   1     recover  20%   -\n"
	"    n2         online   running   2     recover  -     found:vdd:2\n"
	"    n3         offline  stopped   -     -        -     -\n";

static char *show(const char *json, unsigned int width, bool colour)
{
	struct mdc_ctl_look look = { .width = width, .colour = colour };
	JsonNode *node = mdc_ctl_view_parse(json);
	char *text;

	assert_non_null(node);
	text = mdc_ctl_view_text(node, &look);
	json_node_unref(node);
	return text;
}

static void test_full(void **state)
{
	char *text = show(full, 100, false);

	(void)state;
	assert_string_equal(text, full_text);
	g_free(text);
}

static void test_width(void **state)
{
	char *text = show(full, 50, false);
	char **rows = g_strsplit(text, "\n", -1);

	(void)state;
	/* The heading of an array is never cut. */
	for (unsigned int i = 1; rows[i]; i++)
		assert_true(g_utf8_strlen(rows[i], -1) <= 50);
	g_strfreev(rows);
	g_free(text);
	text = show(full, 100, true);
	assert_non_null(strstr(text, "\033[33mrecover\033[0m"));
	g_free(text);
}

#define ARRAY(fields, nodes) "{\"version\":1,\"quorate\":true,\"pacemaker\":\"connected\"," \
	"\"arrays\":[{\"id\":\"raid\"," fields ",\"nodes\":[" nodes "]}]}"
#define RUNS "\"running\":true,\"state\":"
#define PEER(state) "{\"name\":\"n2\",\"online\":true,\"instance\":\"running\",\"state\":" state "}"

static void test_exit(void **state)
{
	static const struct {
		const char *json;
		enum mdc_ctl_exit want;
	} table[] = {
		{ "{\"version\":1}", MDC_CTL_ABSENT },
		{ "{\"version\":1,\"arrays\":[]}", MDC_CTL_ABSENT },
		{ ARRAY(RUNS "\"clean\"", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"sync\":null,\"add\":null", PEER("\"clean\"")),
		  MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"degraded\"", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"resync\"", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"sync\":{\"action\":\"check\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"searching\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"looking\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"announced\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"agreed\"}", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"proposed\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"proceeding\"}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"refused\"}", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"failed\"}", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"broken\"", ""), MDC_CTL_BROKEN },
		{ ARRAY(RUNS "\"clean\",\"module\":null", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"module\":{\"stuck\":false,\"stopped\":false}", ""),
		  MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"module\":{\"stuck\":true}", ""), MDC_CTL_BROKEN },
		{ ARRAY(RUNS "\"clean\",\"module\":{\"stopped\":true}", ""), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\",\"slot_alarm\":null", ""), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\",\"slot_alarm\":{}", ""), MDC_CTL_BROKEN },
		{ ARRAY("\"running\":false,\"state\":null", ""), MDC_CTL_BROKEN },
		{ ARRAY("\"running\":1,\"state\":\"clean\"", ""), MDC_CTL_BROKEN },
		{ ARRAY(RUNS "\"clean\"", PEER("\"broken\"")), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"clean\"", PEER("null")), MDC_CTL_CLEAN },
		{ ARRAY(RUNS "\"clean\"", "{\"name\":\"n2\",\"online\":false,"
			"\"instance\":\"failed\"}"), MDC_CTL_BUSY },
		{ ARRAY(RUNS "\"broken\"", PEER("\"degraded\"")), MDC_CTL_BROKEN },
		{ "{\"version\":1,\"quorate\":false,\"pacemaker\":\"connected\",\"arrays\":"
		  "[{" RUNS "\"clean\"}]}", MDC_CTL_BUSY },
		{ "{\"version\":1,\"quorate\":true,\"pacemaker\":\"lost\",\"arrays\":"
		  "[{" RUNS "\"clean\"}]}", MDC_CTL_BUSY },
		{ "{\"version\":1,\"arrays\":[1,null,\"x\"]}", MDC_CTL_BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		JsonNode *node = mdc_ctl_view_parse(table[i].json);
		char *text;

		assert_non_null(node);
		if (mdc_ctl_view_exit(node) != table[i].want)
			fail_msg("%d for %s", mdc_ctl_view_exit(node), table[i].json);
		json_node_unref(node);
		text = show(table[i].json, 80, false);
		assert_true(g_str_has_suffix(text, "\n"));
		g_free(text);
	}
}

static void test_module(void **state)
{
	char *text = show(ARRAY(RUNS "\"clean\",\"module\":{\"attached\":true,\"stuck\":true,"
				"\"receiving_ms\":45123,\"stopped\":false}", ""), 200, false);

	(void)state;
	assert_non_null(strstr(text, "  module    stuck in one message of another node for 45 s: "
				     "what others change does not reach this node\n"));
	g_free(text);
	text = show(ARRAY(RUNS "\"clean\",\"module\":{\"attached\":true,\"stuck\":false,"
			  "\"stopped\":true}", ""), 200, false);
	assert_non_null(strstr(text, "  module    the DLM stands still"));
	g_free(text);
	text = show(ARRAY(RUNS "\"clean\",\"module\":{\"attached\":true,\"stuck\":false}", ""),
		    200, false);
	assert_null(strstr(text, "module"));
	g_free(text);
}

static void test_slot_alarm(void **state)
{
	char *text = show(ARRAY(RUNS "\"clean\",\"slot_alarm\":{\"slot\":2,\"nodes\":["
				"{\"name\":\"n2\",\"id\":2},{\"name\":\"n3\",\"id\":3}]}", ""),
			  200, false);

	(void)state;
	assert_non_null(strstr(text, "  ALARM     nodes n2 and n3 both have slot 2 and write the same "
				     "bitmap: stop the array on one of them now\n"));
	g_free(text);
	text = show(ARRAY(RUNS "\"clean\",\"slot_alarm\":null", ""), 200, false);
	assert_null(strstr(text, "ALARM"));
	g_free(text);
}

static void test_parse(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{", "{\"version\":2}", "{\"version\":\"1\"}",
		"{\"version\":1.5}", "{\"version\":1", "{\"version\":null}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_null(mdc_ctl_view_parse(bad[i]));
}

static void test_select(void **state)
{
	static const struct {
		const char *which;
		bool found;
	} table[] = {
		{ "raid", true }, { "/dev/md/shared", true }, { "md127", true },
		{ "/dev/md127", true }, { "0f3a1c55:7c0ddf8e:8a1d0c7f:11223344", true },
		{ "0F3A1C55-7c0d-df8e-8a1d-0c7f11223344", true }, { "", false },
		{ "rai", false }, { "/dev/md", false }, { "shared", false }, { "/dev/", false },
		{ "0f3a1c55:7c0ddf8e:8a1d0c7f:11223345", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		JsonNode *node = mdc_ctl_view_parse(full);

		if (mdc_ctl_view_select(node, table[i].which) != table[i].found)
			fail_msg("%s", table[i].which);
		json_node_unref(node);
	}
}

/* What came over the cluster must not steer the terminal. */
static void test_clean(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{ NULL, "-" }, { "", "-" }, { "a b", "a b" }, { "a\033[31mb\n", "a?[31mb?" },
		{ "\302\233x", "?x" }, { "\303\244", "\303\244" }, { "\377", "\357\277\275" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		char *text = mdc_text_clean(table[i].text);

		assert_string_equal(text, table[i].want);
		g_free(text);
	}
}

/* Of a refused add each node's word, and what is missing or wrong in it. */
static void test_verdicts(void **state)
{
	char *text = show(ARRAY(RUNS "\"clean\",\"add\":{\"phase\":\"refused\",\"device\":null,"
				"\"raid_disk\":2,\"reason\":\"n3: no answer\",\"by\":1,"
				"\"verdicts\":["
				"{\"name\":\"n2\",\"verdict\":\"found\",\"device\":\"vdd\","
				"\"reason\":null},"
				"{\"name\":\"n3\",\"verdict\":\"waiting\",\"device\":null,"
				"\"reason\":\"no answer\"},"
				"{\"name\":\"n4\",\"verdict\":\"not asked\"},1,{}]}", ""), 100, false);

	(void)state;
	assert_non_null(strstr(text, "  add       refused as disk 2\n"
			       "            n3: no answer\n"
			       "            n2: found as vdd\n"
			       "            n3: waiting, no answer\n"
			       "            n4: not asked\n"
			       "            -: -\n            -: -\n"));
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_slot_alarm),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests_name("ctlview", tests, NULL, NULL);
}
