/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/roster and core/alarm: who has the array, and two nodes with one slot. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alarm.h"
#include "core/roster.h"

/* The cluster of three nodes as one of them sees it. */
struct bed {
	struct mdc_roster roster;
	struct mdc_cibview view;
	struct mdc_roster_seen seen;
	uint32_t lockspace[4];
	struct mdc_mod_member members[4];
	int64_t now_ms;
	char told[1024];
};

static void tell(const struct mdc_roster *roster, enum mdc_roster_news news,
		 const struct mdc_roster_node *node, void *data)
{
	static const char *const words[] = {
		[MDC_ROSTER_JOINED] = "joined", [MDC_ROSTER_LEFT] = "left",
		[MDC_ROSTER_ABSENT] = "absent", [MDC_ROSTER_LINGERS] = "lingers",
		[MDC_ROSTER_CLASH] = "clash", [MDC_ROSTER_CLASH_OVER] = "over",
	};
	struct bed *b = data;
	size_t used = strlen(b->told);

	if (node)
		snprintf(b->told + used, sizeof(b->told) - used, "%s %s %u;", node->name,
			 words[news], node->slot);
	else
		snprintf(b->told + used, sizeof(b->told) - used, "%s %s %s %u;",
			 roster->clash.names[0], roster->clash.names[1], words[news],
			 roster->clash.slot);
}

static void told(struct bed *b, const char *want)
{
	mdc_roster_look(&b->roster, &b->seen, b->now_ms, tell, b);
	assert_string_equal(b->told, want);
	b->told[0] = '\0';
}

static void lockspace(struct bed *b, unsigned int n, const uint32_t *nodes)
{
	memcpy(b->lockspace, nodes, n * sizeof(*nodes));
	b->seen.lockspace_known = true;
	b->seen.n_lockspace = n;
}
#define LOCKSPACE(b, ...) lockspace(b, COUNT(((uint32_t[]){ __VA_ARGS__ })), \
				    (uint32_t[]){ __VA_ARGS__ })

static void say(struct bed *b, uint32_t id, const char *slot)
{
	unsigned int i;

	for (i = 0; i < b->view.n_attrs; i++)
		if (b->view.attrs[i].id == id)
			b->view.attrs[i] = b->view.attrs[--b->view.n_attrs];
	if (slot)
		assert_false(mdc_cibview_add_attr(&b->view, id, "mdcluster-raid-slot", slot));
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	unsigned int i;

	assert_non_null(b);
	for (i = 1; i <= 3; i++) {
		char text[8];

		snprintf(text, sizeof(text), "n%u", i);
		mdc_cibview_add_node(&b->view, i, text, MDC_CIB_ONLINE);
		snprintf(text, sizeof(text), "%u", i);
		say(b, i, text);
		b->members[i - 1] = (struct mdc_mod_member){ .node = i, .slot = i };
	}
	b->seen = (struct mdc_roster_seen){ .id = "raid", .view = &b->view,
					    .lockspace = b->lockspace, .members = b->members };
	LOCKSPACE(b, 1, 2, 3);
	told(b, "");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t slot(const struct bed *b, uint32_t id)
{
	const struct mdc_roster_node *node = mdc_roster_node(&b->roster, id);

	assert_non_null(node);
	return node->slot;
}

static void test_leave_and_join(void **state)
{
	struct bed *b = *state;

	assert_int_equal(slot(b, 3), 3);
	LOCKSPACE(b, 1, 2);		/* its attribute is still there */
	told(b, "n3 left 3;");
	assert_int_equal(slot(b, 3), 0);
	assert_false(mdc_roster_node(&b->roster, 3)->joined);
	told(b, "");
	say(b, 3, NULL);
	told(b, "");
	LOCKSPACE(b, 1, 2, 3);
	told(b, "n3 joined 0;");	/* with the kernel's own module its word comes later */
	say(b, 3, "3");
	told(b, "");
	assert_int_equal(slot(b, 3), 3);
}

/* A fenced node is gone from it as soon as the DLM has let go of it, whatever it last said. */
static void test_fenced(void **state)
{
	struct bed *b = *state;

	b->view.nodes[2].state = MDC_CIB_OFFLINE;
	told(b, "");
	assert_true(mdc_roster_node(&b->roster, 3)->joined);
	assert_int_equal(slot(b, 3), 0);	/* what it said is of no worth any more ... */
	b->seen.n_members = 3;
	told(b, "");
	assert_int_equal(slot(b, 3), 3);	/* ... but the DLM still counts it */
	LOCKSPACE(b, 1, 2);
	b->seen.n_members = 2;
	told(b, "n3 left 3;");
	assert_int_equal(slot(b, 3), 0);
	assert_int_equal(slot(b, 2), 2);
}

/* The DLM's word counts before the attribute. */
static void test_dlm_first(void **state)
{
	struct bed *b = *state;

	b->seen.n_members = 3;
	b->members[1].slot = 4;
	say(b, 3, NULL);
	told(b, "");
	assert_int_equal(slot(b, 2), 4);
	assert_int_equal(slot(b, 3), 3);
}

static void test_lockspace_not_known(void **state)
{
	struct bed *b = *state;

	b->seen.lockspace_known = false;
	told(b, "");
	assert_int_equal(slot(b, 2), 2);
	say(b, 2, NULL);
	told(b, "n2 left 2;");
	b->view.nodes[2].state = MDC_CIB_OFFLINE;
	told(b, "n3 left 3;");
	b->seen.view = NULL;			/* nothing is known: it stays as it is */
	told(b, "");
	assert_int_equal(slot(b, 1), 1);
}

static void test_not_in_pacemaker(void **state)
{
	struct bed *b = *state;

	LOCKSPACE(b, 1, 2, 3, 77);
	told(b, "77 joined 0;");
	b->seen.view = NULL;
	told(b, "");
	assert_int_equal(mdc_roster_node(&b->roster, 77)->id, 77);
}

static void test_clash(void **state)
{
	struct bed *b = *state;
	struct mdc_alarm alarm = { 0 };
	char text[MDC_ATTR_VALUE_MAX];

	assert_int_equal(mdc_roster_deadline(&b->roster), -1);
	say(b, 3, "1");
	told(b, "");				/* one of the two may be on its way out */
	assert_int_equal(mdc_roster_deadline(&b->roster), MDC_ROSTER_HOLD_MS);
	assert_false(mdc_alarm_text(&alarm, &b->roster, 1, 0, text));
	b->now_ms = MDC_ROSTER_HOLD_MS - 1;
	told(b, "");
	b->now_ms = MDC_ROSTER_HOLD_MS;
	told(b, "n1 n3 clash 1;");
	told(b, "");
	assert_int_equal(mdc_roster_deadline(&b->roster), -1);
	/* The two say so, and nobody else: a location rule can keep off them. */
	assert_true(mdc_alarm_text(&alarm, &b->roster, 1, b->now_ms, text));
	assert_string_equal(text, "slot:1:n1,n3");
	assert_true(mdc_alarm_text(&alarm, &b->roster, 3, b->now_ms, text));
	assert_false(mdc_alarm_text(&alarm, &b->roster, 2, b->now_ms, text));
	say(b, 3, "3");
	told(b, "n1 n3 over 1;");
	assert_false(mdc_alarm_text(&alarm, &b->roster, 1, b->now_ms, text));
	told(b, "");
}

/* One has left, and another got its slot, before the first one's attribute is gone. */
static void test_slot_passed_on(void **state)
{
	struct bed *b = *state;

	LOCKSPACE(b, 1, 2);
	told(b, "n3 left 3;");
	mdc_cibview_add_node(&b->view, 4, "n4", MDC_CIB_ONLINE);
	say(b, 4, "3");
	LOCKSPACE(b, 1, 2, 4);
	told(b, "n4 joined 3;");
	b->now_ms = 10 * MDC_ROSTER_HOLD_MS;
	told(b, "");
	assert_int_equal(b->roster.clash.slot, 0);
}

/* By the DLM itself; and by what one says of whose slot the DLM does not tell. */
static void test_clash_by_the_dlm(void **state)
{
	struct bed *b = *state;

	b->seen.n_members = 3;
	b->members[2].slot = 2;
	told(b, "");
	b->now_ms = MDC_ROSTER_HOLD_MS;
	told(b, "n2 n3 clash 2;");
	b->members[2].slot = 3;
	told(b, "n2 n3 over 2;");
	say(b, 2, "1");
	b->members[1] = b->members[2];
	b->seen.n_members = 2;
	told(b, "");
	b->now_ms *= 2;
	told(b, "n1 n2 clash 1;");
	LOCKSPACE(b, 1, 3);			/* it was fenced: that ends it */
	told(b, "n2 left 1;n1 n2 over 1;");
}

/* One came back with another slot, a third has its old one, and its attribute lags behind. */
static void test_old_attribute(void **state)
{
	struct bed *b = *state;

	b->seen.n_members = 3;
	b->members[1].slot = 4;
	b->members[2].slot = 2;
	say(b, 3, "2");
	told(b, "");
	b->now_ms = 2 * MDC_ROSTER_HOLD_MS;
	told(b, "");
	assert_int_equal(b->roster.clash.slot, 0);
	assert_int_equal(mdc_roster_deadline(&b->roster), -1);
}

static void plan(struct bed *b, bool post, const char *nodes)
{
	struct mdc_notify n = { .post = post };

	snprintf(n.nodes, sizeof(n.nodes), "%s", nodes);
	mdc_roster_plan(&b->roster, &n, b->now_ms);
}

static void test_plan(void **state)
{
	struct bed *b = *state;

	plan(b, false, "");
	assert_int_equal(mdc_roster_deadline(&b->roster), -1);
	plan(b, true, "n1 n2 n3");
	assert_int_equal(mdc_roster_deadline(&b->roster), MDC_ROSTER_HOLD_MS);
	b->now_ms = MDC_ROSTER_HOLD_MS;
	told(b, "");				/* as planned */
	assert_int_equal(mdc_roster_deadline(&b->roster), -1);
	plan(b, true, "n1 n2");
	LOCKSPACE(b, 1, 3);
	told(b, "n2 left 2;");
	b->now_ms += MDC_ROSTER_HOLD_MS;
	told(b, "n2 absent 0;n3 lingers 3;");
	b->now_ms += MDC_ROSTER_HOLD_MS;
	told(b, "");				/* once for each notification */
	plan(b, true, "n1 n2 n3");
	b->now_ms += MDC_ROSTER_HOLD_MS / 2;
	plan(b, true, "n1 n3");			/* a later one counts */
	b->now_ms += MDC_ROSTER_HOLD_MS / 2;
	told(b, "");
	b->now_ms += MDC_ROSTER_HOLD_MS / 2;
	told(b, "");
}

static void test_refused_add(void **state)
{
	static const char refused[] = "refused:2:1a1b2c3d:n2=unseen";
	static const char *const others[] = {
		"proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7", "found:vdd:2:1a1b2c3d",
		"missing:unseen:2:1a1b2c3d:1.7", "added:2:1a1b2c3d", "searching:2:1a1b2c3d", "",
		"missing:", "missing:2", "missing", "refused", NULL,
	};
	struct bed *b = *state;
	struct mdc_alarm a = { 0 };
	char text[MDC_ATTR_VALUE_MAX];

	assert_int_equal(mdc_alarm_deadline(&a), -1);
	for (size_t i = 0; i < COUNT(others); i++) {
		mdc_alarm_add(&a, refused, 1000);
		assert_true(mdc_alarm_text(&a, &b->roster, 1, 1000, text));
		assert_string_equal(text, refused);
		mdc_alarm_add(&a, others[i], 2000);
		assert_false(mdc_alarm_text(&a, &b->roster, 1, 2000, text));
		assert_int_equal(mdc_alarm_deadline(&a), -1);
	}
	/* The kernel's own way: the node that refused says it. */
	mdc_alarm_add(&a, "missing:2:1a1b2c3d", 3000);
	assert_true(mdc_alarm_text(&a, &b->roster, 2, 3000, text));
	assert_string_equal(text, "missing:2:1a1b2c3d");
	mdc_alarm_add(&a, refused, 5000);
	mdc_alarm_add(&a, refused, 6000);	/* written again, not refused again */
	assert_int_equal(mdc_alarm_deadline(&a), 5000 + MDC_ALARM_ADD_MS);
	assert_true(mdc_alarm_text(&a, &b->roster, 1, 4999 + MDC_ALARM_ADD_MS, text));
	assert_false(mdc_alarm_text(&a, &b->roster, 1, 5000 + MDC_ALARM_ADD_MS, text));
}

/* Two names of the greatest length still make a value that is not cut. */
static void test_long_names(void **state)
{
	struct mdc_roster_clash *c = &((struct bed *)*state)->roster.clash;
	struct mdc_alarm a = { 0 };
	char text[MDC_ATTR_VALUE_MAX];

	*c = (struct mdc_roster_clash){ .slot = UINT32_MAX, .nodes = { 1, 2 }, .alarm = true };
	memset(c->names[0], 'a', MDC_NAME_MAX - 1);
	memset(c->names[1], 'b', MDC_NAME_MAX - 1);
	assert_true(mdc_alarm_text(&a, &((struct bed *)*state)->roster, 2, 0, text));
	assert_string_equal(text + strlen(text) - 3, "bbb");
	assert_true(strlen(text) < MDC_ATTR_VALUE_MAX - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_leave_and_join), TEST(test_fenced), TEST(test_dlm_first),
		TEST(test_lockspace_not_known), TEST(test_not_in_pacemaker), TEST(test_clash),
		TEST(test_slot_passed_on), TEST(test_clash_by_the_dlm), TEST(test_old_attribute),
		TEST(test_plan), TEST(test_refused_add), TEST(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
