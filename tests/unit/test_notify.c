/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/notify: Pacemaker's variables as they come, and the request made of them. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/notify.h"

#define META "OCF_RESKEY_CRM_meta_notify_"

/* What Pacemaker hands over: an empty list is one space. */
struct vars {
	const char *type, *operation, *active, *start, *stop;
};

static const char *env(const char *name, void *data)
{
	const struct vars *v = data;

	if (strncmp(name, META, strlen(META)))
		return NULL;
	name += strlen(META);
	return !strcmp(name, "type") ? v->type : !strcmp(name, "operation") ? v->operation :
	       !strcmp(name, "active_uname") ? v->active : !strcmp(name, "start_uname") ? v->start :
	       !strcmp(name, "stop_uname") ? v->stop : NULL;
}

static void test_read(void **state)
{
	static const struct {
		struct vars vars;
		int ret;
		const char *nodes;
	} table[] = {
		{ { NULL, NULL, NULL, NULL, NULL }, -ENOENT, "" },
		{ { "", "start", "n1", "n2", NULL }, -ENOENT, "" },
		{ { "during", "start", "n1", "n2", NULL }, -EINVAL, "" },
		{ { "post", NULL, "n1", "n2", NULL }, -EINVAL, "" },
		{ { "post", "Start it", "n1", "n2", NULL }, -EINVAL, "" },
		{ { "post", "start", "n1 n2", "n3", " " }, 0, "n1 n2 n3" },
		{ { "post", "start", " ", "n1 n2 n3", " " }, 0, "n1 n2 n3" },
		{ { "post", "start", "n1 n2", "n2", NULL }, 0, "n1 n2" },
		{ { "post", "start", "  n1   n2 ", " n3  ", " " }, 0, "n1 n2 n3" },
		{ { "pre", "start", "n1 n2", "n3", " " }, 0, "n1 n2" },
		{ { "pre", "stop", "n1 n2 n3", " ", "n3" }, 0, "n1 n2 n3" },
		{ { "post", "stop", "n1 n2 n3", " ", "n3" }, 0, "n1 n2" },
		{ { "post", "stop", "n1", " ", "n1" }, 0, "" },
		/* one that moves: the stop comes first, and the start lists both */
		{ { "post", "stop", "n1 n2", "n3", "n2" }, 0, "n1" },
		{ { "pre", "start", "n1 n2", "n3", "n2" }, 0, "n1" },
		{ { "post", "start", "n1 n2", "n3", "n2" }, 0, "n1 n3" },
		/* restarted: it is back at the end */
		{ { "post", "start", "n1 n2", "n2", "n2" }, 0, "n1 n2" },
		/* a fenced node's instance is stopped by that */
		{ { "post", "stop", "n1 n2 n10", " ", "n1" }, 0, "n2 n10" },
		{ { "post", "start", "n1\tn2", "n3", " " }, -EINVAL, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct mdc_notify n;
		int ret = mdc_notify_read(&n, env, (void *)&table[i].vars);

		if (ret != table[i].ret || (!ret && strcmp(n.nodes, table[i].nodes)))
			fail_msg("row %zu: %d, '%s'", i, ret, n.nodes);
		if (!ret)
			assert_int_equal(n.post, !strcmp(table[i].vars.type, "post"));
	}
}

static void test_too_many(void **state)
{
	char names[MDC_NOTIFY_NODES_MAX + 200] = "";
	struct vars v = { "post", "start", names, "", "" };
	struct mdc_notify n;
	char line[MDC_LINE_MAX];
	size_t used = 0;
	int i;

	(void)state;
	for (i = 0; used < MDC_NOTIFY_NODES_MAX - 20; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, " node%04d", i);
	assert_int_equal(mdc_notify_read(&n, env, &v), 0);
	memset(&n.uuid, 1, sizeof(n.uuid));
	/* What can be read fits into a request. */
	assert_true(mdc_notify_format(&n, line, MDC_LINE_MAX - 8) > 0);
	for (; used < MDC_NOTIFY_NODES_MAX + 100; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, " node%04d", i);
	assert_int_equal(mdc_notify_read(&n, env, &v), -EINVAL);
	memset(names, 'n', MDC_NAME_MAX);
	names[MDC_NAME_MAX] = '\0';
	assert_int_equal(mdc_notify_read(&n, env, &v), -EINVAL);
}

static void test_line(void **state)
{
	static const char good[] = "uuid=" SOME_UUID " when=post action=start nodes=n1 n2";
	static const char *const bad[] = {
		"", "uuid=" SOME_UUID, "uuid=" SOME_UUID " when=post action=start",
		"uuid=" SOME_UUID " when=post action=start ",
		"uuid=1 when=post action=start nodes=",
		"uuid=" SOME_UUID " when=now action=start nodes=",
		"uuid=" SOME_UUID " when= action=start nodes=",
		"uuid=" SOME_UUID " when=post action= nodes=",
		"uuid=" SOME_UUID " when=post action=Start nodes=",
		"uuid=" SOME_UUID " when=post action=aaaaaaaaaaaaaaaa nodes=",
		"uuid=" SOME_UUID " action=start when=post nodes=",
		"uuid=" SOME_UUID " when=post action=start nodes= n1",
		"uuid=" SOME_UUID " when=post action=start nodes=n1 ",
		"uuid=" SOME_UUID " when=post action=start nodes=n1  n2",
		"uuid=" SOME_UUID " when=post action=start nodes=n1 n2 n1",
		"uuid=" SOME_UUID " when=post action=start nodes=n1\tn2",
	};
	struct mdc_notify n;
	char again[sizeof(good) + 1];

	(void)state;
	assert_int_equal(mdc_notify_parse(&n, good), 0);
	assert_true(n.post);
	assert_string_equal(n.action, "start");
	assert_string_equal(n.nodes, "n1 n2");
	assert_int_equal(mdc_notify_format(&n, again, sizeof(again)), sizeof(good) - 1);
	assert_string_equal(again, good);
	assert_int_equal(mdc_notify_format(&n, again, sizeof(good) - 1), -ENOSPC);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (mdc_notify_parse(&n, bad[i]) != -EINVAL)
			fail_msg("'%s'", bad[i]);
}

static void test_has(void **state)
{
	(void)state;
	assert_true(mdc_notify_has("n1 n10 n2", "n1"));
	assert_true(mdc_notify_has("n1 n10 n2", "n2"));
	assert_false(mdc_notify_has("n10 n2", "n1"));
	assert_false(mdc_notify_has("", "n1"));
	assert_false(mdc_notify_has("n1", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_line), cmocka_unit_test(test_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
