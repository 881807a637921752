/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a snapshot: what is taken, what is refused, and that both directions agree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cibtext.h"

static const char good[] =
	"begin\n"
	"node 1 n1 online\n"
	"node 2 n2.example.org pending\n"
	"node 4294967295 n3 offline\n"
	"attr 1 mdcluster-raid-slot 1\n"
	"attr 2 mdcluster-raid-slot 2\n"
	"attr 2 mdcluster-raid-add found:vdd:2\n"
	"instance 1 raid running\n"
	"instance 2 raid failed\n"
	"instance 4294967295 raid stopped\n"
	"end\n";

/* Feeds in pieces of `piece` bytes; the result of the last call. */
static int feed(struct mdc_cibtext *text, const char *data, size_t len, size_t piece,
		unsigned int *snapshots)
{
	size_t at = 0, used;
	int rc = 0;

	*snapshots = 0;
	while (at < len) {
		size_t n = len - at < piece ? len - at : piece;

		rc = mdc_cibtext_feed(text, data + at, n, &used);
		if (rc < 0)
			return rc;
		*snapshots += rc == 1;
		at += used;
	}
	return rc;
}

static void test_good(void **state)
{
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	const struct mdc_cibview *view = &text->view;
	char out[1024];
	unsigned int n;

	(void)state;
	for (size_t piece = 1; piece < sizeof(good); piece++) {
		mdc_cibtext_init(text);
		assert_int_equal(feed(text, good, strlen(good), piece, &n), 1);
		assert_int_equal(n, 1);
	}
	assert_int_equal(view->n_nodes, 3);
	assert_int_equal(view->nodes[2].id, 4294967295u);
	assert_int_equal(mdc_cibview_node(view, 2)->state, MDC_CIB_PENDING);
	assert_int_equal(mdc_cibview_named(view, "n1")->id, 1);
	assert_null(mdc_cibview_named(view, "n"));
	assert_string_equal(mdc_cibview_attr(view, 2, "mdcluster-raid-slot"), "2");
	assert_null(mdc_cibview_attr(view, 1, "mdcluster-raid-add"));
	assert_int_equal(mdc_cibview_instance(view, 2, "raid")->state, MDC_CIB_FAILED);
	assert_int_equal(mdc_cibview_format(view, out, sizeof(out)), (int)strlen(good));
	assert_string_equal(out, good);
	assert_int_equal(mdc_cibview_format(view, out, strlen(good)), -ENOSPC);
	free(text);
}

static void test_many(void **state)
{
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	char twice[2 * sizeof(good)];
	unsigned int n;
	size_t used;

	(void)state;
	snprintf(twice, sizeof(twice), "%sbegin\nend\n", good);
	assert_int_equal(feed(text, twice, strlen(twice), 7, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(text->view.n_nodes, 0);
	/* Feeding stops behind a snapshot, so that none is overwritten unseen. */
	assert_int_equal(mdc_cibtext_feed(text, twice, strlen(twice), &used), 1);
	assert_int_equal(used, strlen(good));
	assert_int_equal(text->view.n_nodes, 3);
	free(text);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
		{ "\n", -EINVAL },
		{ "end\n", -EINVAL },
		{ "Begin\n", -EINVAL },
		{ "begin \n", -EINVAL },
		{ "begin\r\n", -EINVAL },
		{ "node 1 n1 online\n", -EINVAL },
		{ "begin\nbegin\n", -EINVAL },
		{ "begin\n\n", -EINVAL },
		{ "begin\nnode 0 n1 online\n", -EINVAL },
		{ "begin\nnode 01 n1 online\n", -EINVAL },
		{ "begin\nnode -1 n1 online\n", -EINVAL },
		{ "begin\nnode 4294967296 n1 online\n", -EINVAL },
		{ "begin\nnode 99999999999999999999999 n1 online\n", -EINVAL },
		{ "begin\nnode 1 n1 up\n", -EINVAL },
		{ "begin\nnode 1 n1\n", -EINVAL },
		{ "begin\nnode 1  online\n", -EINVAL },
		{ "begin\nnode 1 n1 online \n", -EINVAL },
		{ "begin\nnode 1 n1 online x\n", -EINVAL },
		{ "begin\nnode 1 n\t1 online\n", -EINVAL },
		{ "begin\nnode 1 n1 online\nnode 1 n2 online\n", -EINVAL },
		{ "begin\nnode 1 n1 online\nnode 2 n1 online\n", -EINVAL },
		{ "begin\nattr 1 mdcluster-raid-slot 1\n", -EINVAL },
		{ "begin\nnode 1 n1 online\nattr 1 other 1\n", -EINVAL },
		{ "begin\nnode 1 n1 online\nattr 1 mdcluster-a 1\nattr 1 mdcluster-a 2\n",
		  -EINVAL },
		{ "begin\nnode 1 n1 online\ninstance 1 raid going\n", -EINVAL },
		{ "begin\nnode 1 n1 online\ninstance 2 raid running\n", -EINVAL },
		{ "begin\nwhat 1 n1 online\n", -EINVAL },
	};
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	unsigned int n;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mdc_cibtext_init(text);
		if (feed(text, table[i].text, strlen(table[i].text), 4096, &n) != table[i].rc)
			fail_msg("taken: %s", table[i].text);
		assert_int_equal(n, 0);
	}
	mdc_cibtext_init(text);
	assert_int_equal(feed(text, "beg\0in\n", 7, 4096, &n), -EINVAL);
	free(text);
}

static void test_bounds(void **state)
{
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	char line[MDC_CIB_LINE_MAX + 1];
	unsigned int n;

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_int_equal(feed(text, line, sizeof(line), 100, &n), -EMSGSIZE);
	mdc_cibtext_init(text);
	assert_int_equal(mdc_cibtext_line(text, "begin"), 0);
	for (int i = 1; i <= MDC_CIB_NODES_MAX + 1; i++) {
		snprintf(line, sizeof(line), "node %d n%d online", i, i);
		assert_int_equal(mdc_cibtext_line(text, line),
				 i <= MDC_CIB_NODES_MAX ? 0 : -E2BIG);
	}
	for (int i = 1; i <= MDC_CIB_ATTRS_MAX + 1; i++) {
		snprintf(line, sizeof(line), "attr 1 mdcluster-a%d x", i);
		assert_int_equal(mdc_cibtext_line(text, line),
				 i <= MDC_CIB_ATTRS_MAX ? 0 : -E2BIG);
	}
	snprintf(line, sizeof(line), "node 999 %0*d online", MDC_NAME_MAX, 1);
	assert_int_equal(mdc_cibtext_line(text, line), -EINVAL);
	free(text);
}

static void test_equal(void **state)
{
	struct mdc_cibview *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	(void)state;
	assert_true(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_add_node(a, 1, "n1", MDC_CIB_ONLINE), 0);
	assert_false(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_add_node(b, 1, "n1", MDC_CIB_PENDING), 0);
	assert_false(mdc_cibview_equal(a, b));
	b->nodes[0].state = MDC_CIB_ONLINE;
	memset(b->nodes[0].name + 3, 'x', 20);
	assert_true(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_add_attr(a, 1, "mdcluster-raid-slot", "1"), 0);
	assert_int_equal(mdc_cibview_add_attr(b, 1, "mdcluster-raid-slot", "2"), 0);
	assert_false(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_add_attr(a, 1, "mdcluster-raid-slot", "2"), -EEXIST);
	assert_int_equal(mdc_cibview_add_attr(a, 2, "mdcluster-raid-slot", "2"), -ENOENT);
	assert_int_equal(mdc_cibview_add_attr(a, 1, "mdcluster-x", "a b"), -EINVAL);
	assert_int_equal(mdc_cibview_add_attr(a, 1, "mdcluster-x", ""), -EINVAL);
	free(a);
	free(b);
}

/* What a change of one attribute leaves is what a view that is made anew has, in any order. */
static void test_set_attr(void **state)
{
	struct mdc_cibview *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	(void)state;
	assert_int_equal(mdc_cibview_add_node(a, 1, "n1", MDC_CIB_ONLINE), 0);
	assert_int_equal(mdc_cibview_add_node(b, 1, "n1", MDC_CIB_ONLINE), 0);
	assert_int_equal(mdc_cibview_set_attr(a, 1, "mdcluster-x", "1"), 0);
	assert_int_equal(mdc_cibview_set_attr(a, 1, "mdcluster-y", "2"), 0);
	assert_int_equal(mdc_cibview_set_attr(a, 1, "mdcluster-z", "3"), 0);
	assert_int_equal(mdc_cibview_add_attr(b, 1, "mdcluster-z", "3"), 0);
	assert_int_equal(mdc_cibview_add_attr(b, 1, "mdcluster-y", "2"), 0);
	assert_false(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_add_attr(b, 1, "mdcluster-x", "0"), 0);
	assert_false(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_set_attr(b, 1, "mdcluster-x", "1"), 0);
	assert_true(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_set_attr(a, 1, "mdcluster-x", "a b"), -EINVAL);
	assert_int_equal(mdc_cibview_set_attr(a, 2, "mdcluster-x", "1"), -ENOENT);
	assert_int_equal(mdc_cibview_set_attr(a, 1, "pingd", "1"), -EINVAL);
	assert_true(mdc_cibview_equal(a, b));
	assert_int_equal(mdc_cibview_drop_attr(a, 1, "mdcluster-w"), -ENOENT);
	assert_int_equal(mdc_cibview_drop_attr(a, 2, "mdcluster-x"), -ENOENT);
	assert_int_equal(mdc_cibview_drop_attr(a, 1, "mdcluster-x"), 0);
	assert_int_equal(a->n_attrs, 2);
	assert_null(mdc_cibview_attr(a, 1, "mdcluster-x"));
	assert_string_equal(mdc_cibview_attr(a, 1, "mdcluster-z"), "3");
	assert_int_equal(mdc_cibview_drop_attr(b, 1, "mdcluster-x"), 0);
	assert_true(mdc_cibview_equal(b, a));
	free(a);
	free(b);
}

static void test_answers(void **state)
{
	static const char *const bad[] = {
		"done\n", "done \n", "done 0\n", "done 01\n", "done 1 \n", "done 1 text\n",
		"done 4294967296\n", "done 12345678901234\n", "failed 1\n", "failed 1 \n",
		"failed x text\n", "failed 1 te\txt\n", "failed  1 text\n", "gone 1\n",
		"begin\ndone 1\nend\n",
	};
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	const char *two = "done 7\nfailed 4294967295 not now\n";
	char longer[512];
	size_t used;
	unsigned int n;

	(void)state;
	assert_int_equal(mdc_cibtext_feed(text, two, strlen(two), &used), 2);
	assert_int_equal(used, 7);
	assert_int_equal(text->answer.number, 7);
	assert_true(text->answer.ok);
	assert_string_equal(text->answer.text, "");
	assert_int_equal(mdc_cibtext_feed(text, two + 7, strlen(two) - 7, &used), 2);
	assert_int_equal(text->answer.number, UINT32_MAX);
	assert_false(text->answer.ok);
	assert_string_equal(text->answer.text, "not now");
	/* Between snapshots. */
	assert_int_equal(feed(text, good, strlen(good), 7, &n), 1);
	assert_int_equal(mdc_cibtext_feed(text, two, strlen(two), &used), 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mdc_cibtext_init(text);
		if (feed(text, bad[i], strlen(bad[i]), 100, &n) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	}
	mdc_cibtext_init(text);
	snprintf(longer, sizeof(longer), "failed 1 %0*d\n", MDC_CIB_ANSWER_MAX, 1);
	assert_int_equal(feed(text, longer, strlen(longer), 100, &n), -EINVAL);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_set_attr),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests_name("cibtext", tests, NULL, NULL);
}
