/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words between nodes: their text, the table of what was heard, and the view made of it. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heard.h"

#define ADD "mdcluster-raid-add"
#define FOUND "found:vdd:2:0a1b2c3d:1.7"
#define LOOKING "looking:2:0a1b2c3d:1.7"

static void test_form(void **state)
{
	char text[MDC_WORD_MAX];
	struct mdc_word word;
	char *exact;

	(void)state;
	assert_int_equal(mdc_word_format(text, ADD, FOUND), (int)strlen("1 " ADD " " FOUND));
	assert_string_equal(text, "1 " ADD " " FOUND);
	/* A copy of exactly that length, without NUL. */
	exact = malloc(strlen(text));
	memcpy(exact, text, strlen(text));
	assert_int_equal(mdc_word_parse(&word, exact, strlen(text)), 0);
	free(exact);
	assert_string_equal(word.name, ADD);
	assert_string_equal(word.value, FOUND);
	assert_true(mdc_word_format(text, ADD, NULL) > 0);
	assert_string_equal(text, "1 " ADD " gone");
	assert_int_equal(mdc_word_parse(&word, text, strlen(text)), 0);
	assert_string_equal(word.name, ADD);
	assert_string_equal(word.value, "");
	/* What a node answers its kernel with is nothing to those who decide. */
	assert_true(mdc_word_format(text, ADD, "searching:2:0a1b2c3d") > 0);
	assert_string_equal(text, "1 " ADD " gone");
	assert_true(mdc_word_format(text, ADD, "refused:2:0a1b2c3d:n 2=unseen") > 0);
	assert_string_equal(text, "1 " ADD " gone");
}

static void test_longest(void **state)
{
	char id[MDC_NAME_MAX], name[MDC_ATTR_NAME_MAX], text[MDC_WORD_MAX];
	char value[MDC_ATTR_VALUE_MAX + 1] = "refused:2:0a1b2c3d:";
	struct mdc_word word;
	int len;

	(void)state;
	memset(id, 'i', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(mdc_attr_name(name, id, MDC_ATTR_ADD), 0);
	memset(value + strlen(value), 'n', sizeof(value) - strlen(value) - 1);
	/* One too long: it cannot be any node's value. */
	memcpy(value + MDC_ATTR_VALUE_MAX - 7, "=unseen", 8);
	assert_int_equal(strlen(value), MDC_ATTR_VALUE_MAX);
	len = mdc_word_format(text, name, value);
	assert_string_equal(text + len - 5, " gone");
	memmove(value + 20, value + 21, strlen(value + 21) + 1);
	len = mdc_word_format(text, name, value);
	assert_true(len > 0 && len < MDC_WORD_MAX);
	assert_int_equal(mdc_word_parse(&word, text, (size_t)len), 0);
	assert_string_equal(word.name, name);
	assert_string_equal(word.value, value);
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
		"", "-add", "mdcluster-add", "mdcluster--add", "mdcluster-raid-state", "raid-add",
		"mdcluster-raid-adds", "mdcluster-ra id-add", "mdcluster-1raid-add",
		"mdcluster-ra:id-add", "Mdcluster-raid-add", "mdcluster-ra\nid-add",
	};
	char text[MDC_WORD_MAX], name[MDC_ATTR_NAME_MAX + 8];
	struct mdc_word word;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(mdc_word_format(text, bad[i], FOUND), -EINVAL);
		snprintf(text, sizeof(text), "1 %s " FOUND, bad[i]);
		assert_int_equal(mdc_word_parse(&word, text, strlen(text)), -EINVAL);
	}
	memset(name, 'i', sizeof(name));
	memcpy(name, "mdcluster-", 10);
	strcpy(name + sizeof(name) - 5, "-add");
	assert_int_equal(mdc_word_format(text, name, NULL), -EINVAL);
}

static void test_bad_texts(void **state)
{
	static const struct {
		const char *text;
		int ret;
	} bad[] = {
		{ "", -EINVAL }, { "1", -EINVAL }, { "1 ", -EINVAL }, { "1 " ADD, -EINVAL },
		{ "1 " ADD " ", -EINVAL }, { "1 " ADD " found", -EINVAL },
		{ "1 " ADD " " FOUND " ", -EINVAL }, { "1 " ADD " " FOUND "\n", -EINVAL },
		{ "1  " ADD " " FOUND, -EINVAL }, { "1 " ADD "  " FOUND, -EINVAL },
		{ " 1 " ADD " " FOUND, -EINVAL }, { "1 " ADD " Gone", -EINVAL },
		{ "1 " ADD " gone gone", -EINVAL }, { "1 " ADD " searching:2:0a1b2c3d", -EINVAL },
		{ "1 " ADD " refused:2:0a1b2c3d:\x01=unseen", -EINVAL },
		{ "2 " ADD " " FOUND, -EPROTONOSUPPORT }, { "11 whatever", -EPROTONOSUPPORT },
		{ "0 " ADD " gone", -EPROTONOSUPPORT }, { "1a " ADD " gone", -EINVAL },
		{ "one " ADD " gone", -EINVAL }, { "-1 " ADD " gone", -EINVAL },
	};
	char nul[] = "1 " ADD " gone\0", many[MDC_WORD_MAX];
	struct mdc_word word;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(mdc_word_parse(&word, bad[i].text, strlen(bad[i].text)),
				 bad[i].ret);
	assert_int_equal(mdc_word_parse(&word, nul, strlen(nul)), 0);
	assert_int_equal(mdc_word_parse(&word, nul, strlen(nul) + 1), -EINVAL);
	memset(many, '1', sizeof(many));
	assert_int_equal(mdc_word_parse(&word, many, sizeof(many)), -EINVAL);
}

static struct mdc_word said(const char *name, const char *value)
{
	struct mdc_word word;

	snprintf(word.name, sizeof(word.name), "%s", name);
	snprintf(word.value, sizeof(word.value), "%s", value);
	return word;
}

static int take(struct mdc_heard *heard, uint32_t node, uint32_t pid, const char *value)
{
	struct mdc_word word = said(ADD, value);

	return mdc_heard_take(heard, node, pid, &word);
}

static void test_table(void **state)
{
	struct mdc_heard *heard = calloc(1, sizeof(*heard));
	struct mdc_word other = said("mdcluster-b-add", FOUND);

	(void)state;
	assert_non_null(heard);
	assert_int_equal(take(heard, 2, 100, LOOKING), 1);
	assert_int_equal(take(heard, 2, 100, LOOKING), 0);
	assert_int_equal(take(heard, 2, 100, FOUND), 1);
	assert_int_equal(take(heard, 3, 100, FOUND), 1);
	assert_false(mdc_heard_node(heard, 2, other.name));
	assert_int_equal(mdc_heard_take(heard, 2, 100, &other), 1);
	assert_true(mdc_heard_node(heard, 2, other.name));
	assert_false(mdc_heard_node(heard, 3, other.name));
	assert_int_equal(heard->n, 3);
	assert_int_equal(take(heard, 2, 100, ""), 1);
	assert_int_equal(heard->n, 3);
	assert_false(mdc_heard_forget(heard, 2, 101));
	/* Its successor has spoken before it was seen to leave. */
	assert_int_equal(take(heard, 2, 101, ""), 0);
	assert_true(mdc_heard_forget(heard, 2, 100));
	assert_int_equal(heard->n, 2);
	assert_false(mdc_heard_forget(heard, 2, 100));
	assert_true(mdc_heard_forget(heard, 2, 101));
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->words[0].node, 3);
	free(heard);
}

static void test_full(void **state)
{
	struct mdc_heard *heard = calloc(1, sizeof(*heard));

	(void)state;
	assert_non_null(heard);
	for (uint32_t node = 1; node <= MDC_HEARD_MAX; node++)
		assert_int_equal(take(heard, node, 1, LOOKING), 1);
	assert_int_equal(take(heard, MDC_HEARD_MAX + 1, 1, LOOKING), -ENOSPC);
	/* Those that stand go on. */
	assert_int_equal(take(heard, MDC_HEARD_MAX, 1, FOUND), 1);
	assert_true(mdc_heard_forget(heard, 7, 1));
	assert_int_equal(take(heard, MDC_HEARD_MAX + 1, 1, LOOKING), 1);
	free(heard);
}

static void test_view(void **state)
{
	struct mdc_heard *heard = calloc(1, sizeof(*heard));
	struct mdc_cibview *view = calloc(1, sizeof(*view)), *out = malloc(sizeof(*out));

	(void)state;
	assert_true(heard && view && out);
	memset(out, 0xa5, sizeof(*out));
	mdc_cibview_add_node(view, 1, "n1", MDC_CIB_ONLINE);
	mdc_cibview_add_node(view, 2, "n2", MDC_CIB_ONLINE);
	mdc_cibview_add_attr(view, 1, ADD, LOOKING);
	mdc_cibview_add_attr(view, 2, "mdcluster-raid-state", "clean");
	mdc_cibview_add_instance(view, 2, "raid", MDC_CIB_RUNNING);
	mdc_heard_over(heard, view, out);
	assert_true(mdc_cibview_equal(view, out));
	/* New, another, and one of a node that is not known. */
	take(heard, 2, 1, FOUND);
	take(heard, 1, 1, FOUND);
	take(heard, 9, 1, FOUND);
	mdc_heard_over(heard, view, out);
	assert_string_equal(mdc_cibview_attr(out, 2, ADD), FOUND);
	assert_string_equal(mdc_cibview_attr(out, 1, ADD), FOUND);
	assert_string_equal(mdc_cibview_attr(out, 2, "mdcluster-raid-state"), "clean");
	assert_null(mdc_cibview_attr(out, 9, ADD));
	assert_int_equal(out->n_attrs, 3);
	assert_non_null(mdc_cibview_instance(out, 2, "raid"));
	/* The view itself is as it was. */
	assert_string_equal(mdc_cibview_attr(view, 1, ADD), LOOKING);
	assert_null(mdc_cibview_attr(view, 2, ADD));
	take(heard, 1, 1, "");
	mdc_heard_over(heard, view, out);
	assert_null(mdc_cibview_attr(out, 1, ADD));
	/* Forgotten: the CIB's again. */
	mdc_heard_forget(heard, 1, 1);
	mdc_heard_over(heard, view, out);
	assert_string_equal(mdc_cibview_attr(out, 1, ADD), LOOKING);
	free(heard);
	free(view);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form), cmocka_unit_test(test_longest),
		cmocka_unit_test(test_bad_names), cmocka_unit_test(test_bad_texts),
		cmocka_unit_test(test_table), cmocka_unit_test(test_full),
		cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests_name("word", tests, NULL, NULL);
}
