/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `mdclusterctl add` shows of the nodes' words. */
#include "unit.h"

#include <string.h>

#include "ctl_addview.h"

static const struct mdc_addline *take(struct mdc_addview *view, const char *text)
{
	struct mdc_addline line;

	assert_int_equal(mdc_addline_parse(&line, text), 0);
	return mdc_addview_take(view, &line);
}

static void row_is(const struct mdc_addline *row, const char *want)
{
	char *text;

	assert_non_null(row);
	text = mdc_addview_row(row);
	assert_string_equal(text, want);
	g_free(text);
}

static void test_rows(void **state)
{
	struct mdc_addview view = { .n = 0 };

	(void)state;
	row_is(take(&view, "node 2 n2 waiting"), "n2: is looking for it");
	assert_null(take(&view, "node 2 n2 waiting"));
	row_is(take(&view, "node 3 - unasked"), "node 3: not asked, as it has no mdclusterd for "
	       "this array: its kernel will ask it");
	row_is(take(&view, "node 2 n2 missing inuse=dm-3"), "n2: sees it, but dm-3 uses it");
	row_is(take(&view, "node 2 n2 found vdd"), "n2: sees it as vdd");
	assert_null(take(&view, "node 2 n2 found vdd"));
	row_is(take(&view, "node 2 n2 found vde"), "n2: sees it as vde");
	/* It keeps the name that it had. */
	row_is(take(&view, "node 2 - left"), "n2: no longer has the array");
	assert_int_equal(view.n, 2);
	for (unsigned int id = 4; id < 4 + MDC_ADDVIEW_NODES_MAX; id++) {
		struct mdc_addline line = { .kind = MDC_LINE_NODE, .id = id };

		mdc_addview_take(&view, &line);
	}
	assert_int_equal(view.n, MDC_ADDVIEW_NODES_MAX);
}

static void test_frames(void **state)
{
	struct mdc_addview view = { .n = 0 };
	char *text;

	(void)state;
	take(&view, "node 2 n2 waiting");
	take(&view, "node 3 n3 found vdd");
	text = mdc_addview_frame(&view, 3, 13, 80, false);
	assert_string_equal(text, "\r\033[K  n2: is looking for it (3 of up to 13 s)\n"
			    "\r\033[K  n3: sees it as vdd\n");
	g_free(text);
	take(&view, "node 2 n2 missing unseen");
	take(&view, "node 4 n4 waiting");
	/* Over the two rows that stand there. */
	text = mdc_addview_frame(&view, 4, 13, 40, false);
	assert_string_equal(text, "\033[2A\r\033[K  n2: does not see it\n"
			    "\r\033[K  n3: sees it as vdd\n"
			    "\r\033[K  n4: is looking for it (4 of up to 13 \n");
	g_free(text);
	text = mdc_addview_frame(&view, 4, 13, 80, true);
	assert_true(g_str_has_prefix(text, "\033[3A"));
	assert_non_null(strstr(text, "\033[31;1mn2: does not see it\033[0m"));
	g_free(text);
}

static void test_json(void **state)
{
	struct mdc_addview view = { .n = 0 };
	char *text = mdc_addview_json(take(&view, "node 2 n2 missing small=vdd"));

	(void)state;
	assert_string_equal(text, "{\"event\":\"verdict\",\"node\":\"n2\",\"id\":2,"
			    "\"verdict\":\"missing\",\"device\":null,\"why\":\"small=vdd\","
			    "\"reason\":\"sees it as vdd, but too small\"}");
	g_free(text);
	text = mdc_addview_json(take(&view, "node 3 - left"));
	assert_string_equal(text, "{\"event\":\"verdict\",\"node\":null,\"id\":3,"
			    "\"verdict\":\"left\",\"device\":null,\"why\":null,\"reason\":null}");
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_frames),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
