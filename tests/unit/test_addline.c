/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/addline: the lines between mdclusterd and `mdclusterctl add`. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/addline.h"

static const char *const good[] = {
	"wait 13000", "wait 1", "wait 4294967295",
	"node 2 n2 waiting", "node 2 - left", "node 4294967295 n3.example unasked",
	"node 2 n2 found vdd", "node 2 fd00::2 found cciss!c0d1",
	"node 2 n2 missing unseen", "node 2 n2 missing inuse=dm-3", "node 2 n2 missing silent",
	"end agreed", "end agreed no other node has the array",
	"end refused n2: does not see it; n3: no answer", "end unusable x", "end lost x y",
};

static void test_good(void **state)
{
	struct mdc_addline line;
	char again[MDC_ADDLINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (mdc_addline_parse(&line, good[i]))
			fail_msg("not taken: %s", good[i]);
		assert_int_equal(mdc_addline_format(&line, again), 0);
		assert_string_equal(again, good[i]);
	}
	assert_int_equal(mdc_addline_parse(&line, good[9]), 0);
	assert_int_equal(line.id, 2);
	assert_string_equal(line.name, "n2");
	assert_int_equal(line.node, MDC_NODE_MISSING);
	assert_int_equal(line.reason.why, MDC_WHY_INUSE);
	assert_string_equal(line.reason.by, "dm-3");
	assert_int_equal(mdc_addline_parse(&line, good[13]), 0);
	assert_int_equal(line.end, MDC_END_REFUSED);
	assert_string_equal(line.text, "n2: does not see it; n3: no answer");
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", " ", "wait", "wait ", "wait 0", "wait 01", "wait -1", "wait 4294967296",
		"wait 1 ", "wait 1 2", "Wait 1",
		"node", "node 2", "node 2 n2", "node 0 n2 waiting", "node 2 n2 odd",
		"node 2 n2 waiting x", "node 2 n2 waiting ", "node 2  n2 waiting",
		"node 2 n2 found", "node 2 n2 found ", "node 2 n2 found a b", "node 2 n2 found a:b",
		"node 2 n2 missing", "node 2 n2 missing odd", "node 2 n2 missing unseen x",
		"end", "end ", "end odd", "end agreed ", "end agreed a\tb", "end refused a\x7f",
		"begin",
	};
	struct mdc_addline line;
	char longer[MDC_ADDLINE_MAX + 8];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (mdc_addline_parse(&line, bad[i]) != -EINVAL)
			fail_msg("taken: '%s'", bad[i]);
	snprintf(longer, sizeof(longer), "end refused %0*d", MDC_ADDLINE_TEXT, 1);
	assert_int_equal(mdc_addline_parse(&line, longer), -EINVAL);
	snprintf(longer, sizeof(longer), "node 2 %0*d waiting", MDC_NAME_MAX, 1);
	assert_int_equal(mdc_addline_parse(&line, longer), -EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(mdc_addline_parse(&line, longer), -EINVAL);
}

/* What no line can carry does not break it. */
static void test_made_fit(void **state)
{
	struct mdc_addline line = { .kind = MDC_LINE_NODE, .id = 2, .node = MDC_NODE_FOUND,
				    .name = "node 2", .device = "a:b" };
	char text[MDC_ADDLINE_MAX];

	(void)state;
	assert_int_equal(mdc_addline_format(&line, text), 0);
	assert_string_equal(text, "node 2 - found a_b");
	line = (struct mdc_addline){ .kind = MDC_LINE_END, .end = MDC_END_LOST, .text = "a\nb" };
	assert_int_equal(mdc_addline_format(&line, text), 0);
	assert_string_equal(text, "end lost a?b");
	memset(line.text, 'x', sizeof(line.text) - 1);
	assert_int_equal(mdc_addline_format(&line, text), 0);
	assert_int_equal(mdc_addline_parse(&line, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_made_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
