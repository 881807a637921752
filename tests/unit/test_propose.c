/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node that adds a disk: whom it asks, when it says which verdict, and the reasons. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/propose.h"

#define PATIENCE 6000
#define ID "raid"

struct bed {
	struct mdc_cibview view;
	struct mdc_propose p;
	struct mdc_propose_actions out;
	struct mdc_propose_seen seen;
	struct mdc_uuid uuid;
	uint32_t members[70];
	struct mdc_heard heard;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	*state = b;
	if (!b)
		return -1;
	mdc_uuid_parse(&b->uuid, SOME_UUID);
	b->seen.self = 1;
	b->seen.id = ID;
	b->seen.members = b->members;
	b->seen.view = &b->view;
	b->seen.heard = &b->heard;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Nodes 1 to n in the lockspace, each with an mdclusterd. */
static void nodes(struct bed *b, unsigned int n)
{
	b->seen.n_members = n;
	for (uint32_t id = 1; id <= n; id++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u", id);
		b->members[id - 1] = id;
		assert_int_equal(mdc_cibview_add_node(&b->view, id, name, MDC_CIB_ONLINE), 0);
		assert_int_equal(mdc_cibview_add_attr(&b->view, id, "mdcluster-" ID "-state",
						      "clean"), 0);
	}
}

static void unset(struct bed *b, uint32_t id, const char *name)
{
	unsigned int i, n = 0;

	for (i = 0; i < b->view.n_attrs; i++)
		if (b->view.attrs[i].id != id || strcmp(b->view.attrs[i].name, name))
			b->view.attrs[n++] = b->view.attrs[i];
	b->view.n_attrs = n;
}

static void says(struct bed *b, uint32_t id, const char *value)
{
	unset(b, id, "mdcluster-" ID "-add");
	assert_int_equal(mdc_cibview_add_attr(&b->view, id, "mdcluster-" ID "-add", value), 0);
}

static void look(struct bed *b, int64_t now_ms)
{
	b->out.n = 0;
	mdc_propose_look(&b->p, now_ms, &b->seen, &b->out);
}

static void tick(struct bed *b, int64_t now_ms)
{
	b->out.n = 0;
	mdc_propose_tick(&b->p, now_ms, &b->out);
}

static void begin(struct bed *b, uint64_t proposal)
{
	b->out.n = 0;
	mdc_propose_begin(&b->p, 0, proposal, &b->uuid, 2, PATIENCE, &b->seen, &b->out);
}

static void attr_is(const struct bed *b, const char *want)
{
	char value[MDC_ATTR_VALUE_MAX];

	if (!want) {
		assert_false(mdc_propose_attr(&b->p, value));
		return;
	}
	assert_true(mdc_propose_attr(&b->p, value));
	assert_string_equal(value, want);
}

#define DID(b, ...) \
	do { \
		const enum mdc_propose_do want[] = { __VA_ARGS__ }; \
		assert_int_equal((b)->out.n, COUNT(want)); \
		for (size_t i_ = 0; i_ < COUNT(want); i_++) \
			assert_int_equal((b)->out.a[i_], want[i_]); \
	} while (0)
#define DID_NOTHING(b) assert_int_equal((b)->out.n, 0)
#define DID_REFUSE(b) DID(b, MDC_PROPOSE_REFUSE, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE)
#define DID_PROCEED(b) DID(b, MDC_PROPOSE_PROCEED)

static void test_all_found(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 0x500000007ull);
	DID(b, MDC_PROPOSE_PUBLISH);
	attr_is(b, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 2);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	says(b, 3, "found:dm-3:2:0a1b2c3d:1.7");
	look(b, 120);
	DID_PROCEED(b);
	attr_is(b, NULL);
	assert_true(mdc_propose_underway(&b->p));
	assert_string_equal(b->p.reason, "");
	b->out.n = 0;
	mdc_propose_added(&b->p, 300, &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, "added:2:0a1b2c3d");
	assert_int_equal(mdc_propose_deadline(&b->p), -1);
	/* Nothing more comes of it. */
	look(b, 400);
	DID_NOTHING(b);
	mdc_propose_added(&b->p, 400, &b->out);
	DID_NOTHING(b);
}

static void test_one_missing(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	says(b, 3, "missing:inuse=dm-3:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n3: sees it, but dm-3 uses it");
	attr_is(b, "refused:2:0a1b2c3d:n3=inuse=dm-3");
	assert_int_equal(mdc_propose_deadline(&b->p), -1);
}

/* The others have a moment to say no as well; who has said nothing by then is not accused. */
static void test_grace(void **state)
{
	struct bed *b = *state;

	nodes(b, 5);
	begin(b, 7);
	says(b, 3, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	assert_int_equal(mdc_propose_deadline(&b->p), 100 + MDC_PROPOSE_GRACE_MS);
	says(b, 2, "missing:small=vdd:2:0a1b2c3d:1.7");
	says(b, 4, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 180);
	DID_NOTHING(b);
	tick(b, 249);
	DID_NOTHING(b);
	tick(b, 250);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: sees it as vdd, but too small; n3: does not see it");
	attr_is(b, "refused:2:0a1b2c3d:n2=small=vdd,n3=unseen");
}

static void test_grace_not_beyond_patience(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "looking:2:0a1b2c3d:1.7");
	says(b, 3, "looking:2:0a1b2c3d:1.7");
	look(b, 100);
	tick(b, PATIENCE / 2);
	says(b, 3, "missing:small=vdd:2:0a1b2c3d:1.7");
	look(b, PATIENCE - 50);
	DID_NOTHING(b);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE);
	tick(b, PATIENCE);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: does not see it; n3: sees it as vdd, but too small");
}

static void test_silent(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	tick(b, PATIENCE / 2 - 1);
	DID_NOTHING(b);
	tick(b, PATIENCE / 2);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n3: no answer");
	attr_is(b, "refused:2:0a1b2c3d:n3=silent");
	/* A late word changes nothing. */
	says(b, 3, "found:vdd:2:0a1b2c3d:1.7");
	look(b, PATIENCE + 10);
	DID_NOTHING(b);
	attr_is(b, "refused:2:0a1b2c3d:n3=silent");
}

/* Who says that it looks has its time, and is not silent. */
static void test_looking(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "looking:2:0a1b2c3d:1.7");
	/* Of another question. */
	says(b, 3, "looking:2:0a1b2c3d:1.6");
	look(b, 100);
	tick(b, PATIENCE / 2);
	DID_NOTHING(b);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 2 + MDC_PROPOSE_GRACE_MS);
	/* Late, but not too late. */
	says(b, 3, "found:vdd:2:0a1b2c3d:1.7");
	look(b, PATIENCE / 2 + 10);
	tick(b, PATIENCE / 2 + MDC_PROPOSE_GRACE_MS);
	DID_NOTHING(b);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE);
	says(b, 2, "found:vde:2:0a1b2c3d:1.7");
	look(b, PATIENCE - 1);
	DID_PROCEED(b);
}

static void hears(struct bed *b, uint32_t id)
{
	struct mdc_word word = { .name = "mdcluster-" ID "-add" };

	mdc_heard_take(&b->heard, id, 100, &word);
}

/* Where all that say nothing are in corosync's group they are silent sooner. */
static void test_silent_in_group(void **state)
{
	struct bed *b = *state;

	nodes(b, 4);
	hears(b, 2);
	hears(b, 3);
	b->seen.out = true;
	begin(b, 7);
	look(b, 0);
	/* Node 4 has only the CIB. */
	tick(b, PATIENCE / 3);
	DID_NOTHING(b);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	says(b, 4, "looking:2:0a1b2c3d:1.7");
	look(b, PATIENCE / 3);
	DID_NOTHING(b);
	assert_int_equal(mdc_propose_deadline(&b->p),
			 PATIENCE / 3 + MDC_PROPOSE_GRACE_MS);
	tick(b, PATIENCE / 3 + MDC_PROPOSE_GRACE_MS);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n3: no answer");
	/* It has left the group meanwhile: the CIB may still bring its word. */
	begin(b, 8);
	look(b, 0);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.8");
	says(b, 4, "found:vdd:2:0a1b2c3d:1.8");
	mdc_heard_forget(&b->heard, 3, 100);
	look(b, 100);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 2);
	says(b, 3, "found:vdd:2:0a1b2c3d:1.8");
	look(b, PATIENCE / 2 - 1);
	DID_PROCEED(b);
}

/* Nobody is silent who has not been asked: the group may stand still as a node comes or goes. */
static void test_silent_once_asked(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	hears(b, 2);
	begin(b, 7);
	look(b, 100);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 2);
	b->seen.out = true;
	look(b, 150);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 3 + 150);
	/* The next word is on its way. */
	b->seen.out = false;
	look(b, 200);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 3 + 150);
	/* No later than without. */
	begin(b, 8);
	b->seen.out = true;
	look(b, PATIENCE / 2 - 1);
	assert_int_equal(mdc_propose_deadline(&b->p), PATIENCE / 2);
}

static void test_leaves(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	b->seen.n_members = 2;
	look(b, 200);
	DID_PROCEED(b);
	assert_int_equal(b->p.n_peers, 1);
}

static void test_refuser_leaves(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 3, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 100);
	b->seen.n_members = 2;
	look(b, 150);
	DID_NOTHING(b);
	tick(b, 260);
	DID_NOTHING(b);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 300);
	DID_PROCEED(b);
}

static void test_joins(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	b->seen.n_members = 2;
	begin(b, 7);
	b->seen.n_members = 3;
	look(b, 50);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	says(b, 3, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 200);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n3: does not see it");
}

static void test_no_mdclusterd(void **state)
{
	struct bed *b = *state;
	char names[64];

	nodes(b, 4);
	unset(b, 3, "mdcluster-" ID "-state");
	begin(b, 7);
	DID(b, MDC_PROPOSE_PUBLISH);
	mdc_propose_names(&b->p, MDC_ANSWER_NOT_ASKED, names, sizeof(names));
	assert_string_equal(names, "n3");
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	/* The one that was waited for has stopped looking after the array. */
	unset(b, 4, "mdcluster-" ID "-state");
	look(b, 200);
	DID_PROCEED(b);
	mdc_propose_names(&b->p, MDC_ANSWER_NOT_ASKED, names, sizeof(names));
	assert_string_equal(names, "n3, n4");
}

static void test_nobody(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	unset(b, 2, "mdcluster-" ID "-state");
	begin(b, 7);
	DID_PROCEED(b);
	assert_string_equal(b->p.reason, "no other node of the array runs mdclusterd");
	b->seen.n_members = 1;
	begin(b, 8);
	DID_PROCEED(b);
	assert_string_equal(b->p.reason, "no other node has the array");
}

static void test_no_connection(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	b->seen.view = NULL;
	begin(b, 7);
	DID_PROCEED(b);
	assert_non_null(strstr(b->p.reason, "no connection to Pacemaker"));
}

static void test_lost_connection(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	b->seen.view = NULL;
	look(b, 200);
	DID_PROCEED(b);
	assert_non_null(strstr(b->p.reason, "was lost"));

	/* With a refusal heard, it stays a refusal. */
	b->seen.view = &b->view;
	begin(b, 8);
	says(b, 2, "missing:unseen:2:0a1b2c3d:1.8");
	look(b, 100);
	b->seen.view = NULL;
	look(b, 110);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: does not see it");
}

/* Corosync's word is gone for a moment: nobody is forgotten, nor what was said. */
static void test_unknown_members(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 3, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	b->seen.members = NULL;
	b->seen.n_members = 0;
	look(b, 110);
	DID_NOTHING(b);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 120);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n3: does not see it");

	/* At the question: the old way, and said as what it is. */
	begin(b, 8);
	DID_PROCEED(b);
	assert_string_equal(b->p.reason, "corosync does not say which nodes have the array");
}

static void test_unwritten(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	b->out.n = 0;
	mdc_propose_unwritten(&b->p, 50, "Permission denied", &b->out);
	DID_PROCEED(b);
	assert_non_null(strstr(b->p.reason, "Permission denied"));
}

static void test_over(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	b->out.n = 0;
	mdc_propose_over(&b->p, 50, 6, &b->out);
	DID_NOTHING(b);
	mdc_propose_over(&b->p, 50, 7, &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, NULL);
	says(b, 2, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_NOTHING(b);
	tick(b, PATIENCE);
	DID_NOTHING(b);
	/* The kernel went on by itself. */
	mdc_propose_added(&b->p, 3000, &b->out);
	attr_is(b, "added:2:0a1b2c3d");
}

/* It was given up: what is added or refused a day later is not this one. */
static void test_over_ends(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	mdc_propose_over(&b->p, 50, 7, &b->out);
	b->out.n = 0;
	mdc_propose_added(&b->p, 50 + MDC_PROPOSE_SETTLE_MS, &b->out);
	DID_NOTHING(b);
	mdc_propose_failed(&b->p, 50 + MDC_PROPOSE_SETTLE_MS, 2, &b->out);
	DID_NOTHING(b);
	attr_is(b, NULL);
	mdc_propose_failed(&b->p, 49 + MDC_PROPOSE_SETTLE_MS, 2, &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
}

/* Answers of the first proposal mean nothing to the second one, of the same disk. */
static void test_second(void **state)
{
	static const char *const stale[] = {
		"found:vdd:2:0a1b2c3d:1.7", "found:vdd:2:0a1b2c3d:2.8", "found:vdd:3:0a1b2c3d:1.8",
		"found:vdd:2:0a1b2c3e:1.8", "found:vdd:2:0a1b2c3d", "missing:2:0a1b2c3d",
		"missing:unseen:2:0a1b2c3d:1.7", "nonsense",
	};
	struct bed *b = *state;

	nodes(b, 2);
	begin(b, 7);
	says(b, 2, "missing:unseen:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_REFUSE(b);
	for (size_t i = 0; i < COUNT(stale); i++) {
		says(b, 2, stale[i]);
		begin(b, 8);
		DID(b, MDC_PROPOSE_PUBLISH);
		look(b, 100);
		DID_NOTHING(b);
	}
	says(b, 2, "found:vdd:2:0a1b2c3d:1.8");
	look(b, 150);
	DID_PROCEED(b);
}

/* A view from before the answer, after the one with it. */
static void test_late_view(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	unset(b, 2, "mdcluster-" ID "-add");
	look(b, 110);
	DID_NOTHING(b);
	says(b, 3, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 120);
	DID_PROCEED(b);
}

/* What was found has turned out to be of no use: the later word counts. */
static void test_takes_back(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	says(b, 2, "missing:twice=vde:2:0a1b2c3d:1.7");
	says(b, 3, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 110);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: sees two disks of this identity, one of them vde");
}

static void test_rival(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	b->seen.self = 3;
	begin(b, 7);
	says(b, 1, "proposed:3:1a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	b->out.n = 0;
	mdc_propose_rival(&b->p, 60, 1, &b->out);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason,
			    "n1: is adding a disk itself; try again when it has done");
	attr_is(b, "refused:2:0a1b2c3d:n1=busy");
	b->out.n = 0;
	mdc_propose_rival(&b->p, 70, 1, &b->out);
	DID_NOTHING(b);
}

static void test_failed(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	begin(b, 7);
	b->out.n = 0;
	mdc_propose_failed(&b->p, 50, 2, &b->out);
	DID_NOTHING(b);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_PROCEED(b);
	b->out.n = 0;
	mdc_propose_failed(&b->p, 200, 3, &b->out);
	DID_NOTHING(b);
	mdc_propose_failed(&b->p, 200, 2, &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, "refused:2:0a1b2c3d");
}

/* Ctrl-C in mdadm, when the verdict was given: nobody has refused it, and it is over at once. */
static void test_given_up(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_PROCEED(b);
	b->out.n = 0;
	mdc_propose_over(&b->p, 200, 0, &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, NULL);
	assert_int_equal(b->p.phase, MDC_PROPOSE_OVER);
	assert_non_null(strstr(b->p.reason, "has given the add up"));
}

static void test_no_result(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	begin(b, 7);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	assert_int_equal(mdc_propose_deadline(&b->p), 100 + MDC_PROPOSE_SETTLE_MS);
	tick(b, 100 + MDC_PROPOSE_SETTLE_MS);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_int_equal(b->p.phase, MDC_PROPOSE_OVER);
	assert_false(mdc_propose_underway(&b->p));
}

/* The verdict came too late, or the array is stopped. */
static void test_cancel(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	b->out.n = 0;
	mdc_propose_cancel(&b->p, 0, "stopped", &b->out);
	DID_NOTHING(b);
	begin(b, 7);
	b->out.n = 0;
	mdc_propose_cancel(&b->p, 10, "stopped", &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, NULL);
	begin(b, 8);
	says(b, 2, "found:vdd:2:0a1b2c3d:1.8");
	look(b, 100);
	assert_true(mdc_propose_underway(&b->p));
	b->out.n = 0;
	mdc_propose_cancel(&b->p, 110, "too late", &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_false(mdc_propose_underway(&b->p));
	assert_string_equal(b->p.reason, "too late");
	b->out.n = 0;
	mdc_propose_cancel(&b->p, 120, "again", &b->out);
	DID_NOTHING(b);
}

/* All that a cluster can have refuse: cut between two nodes, in both texts. */
static void test_long(void **state)
{
	struct mdc_addtext text;
	char value[MDC_ATTR_VALUE_MAX], full[64];
	struct bed *b = *state;
	size_t len;

	nodes(b, 64);
	begin(b, 7);
	for (uint32_t id = 2; id <= 64; id++)
		says(b, id, "missing:inuse=a-device-with-a-long-name:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_REFUSE(b);
	len = strlen(b->p.reason);
	assert_true(len < MDC_PROPOSE_REASON_MAX && len > 150);
	assert_string_equal(b->p.reason + len - 5, "; ...");
	assert_true(mdc_propose_attr(&b->p, value));
	assert_int_equal(mdc_addtext_parse(&text, value), 0);
	len = strlen(value);
	assert_string_equal(value + len - 4, ",...");
	snprintf(full, sizeof(full), ":n2=inuse=a-device-with-a-long-name,n3=inuse=");
	assert_non_null(strstr(value, full));
}

/* A node that Pacemaker does not know has no name, and is asked by the kernel. */
static void test_unknown_node(void **state)
{
	struct bed *b = *state;
	char names[64];

	nodes(b, 2);
	b->members[2] = 9;
	b->seen.n_members = 3;
	begin(b, 7);
	mdc_propose_names(&b->p, MDC_ANSWER_NOT_ASKED, names, sizeof(names));
	assert_string_equal(names, "node 9");
	says(b, 2, "found:vdd:2:0a1b2c3d:1.7");
	look(b, 100);
	DID_PROCEED(b);
}

#define ANNOUNCE_MS (10000 + MDC_ANNOUNCE_TRAVEL_MS)

static void announce(struct bed *b, uint32_t number, uint32_t wait_s)
{
	b->out.n = 0;
	mdc_propose_announce(&b->p, 0, number, &b->uuid, 524288, "d4", wait_s, &b->seen, &b->out);
}

/* The same question before the kernel has one; every node is heard, whoever says no first. */
static void test_announced(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	announce(b, 9, 10);
	DID(b, MDC_PROPOSE_PUBLISH);
	attr_is(b, "announced:10:524288:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:9");
	assert_string_equal(mdc_propose_phase_name(&b->p), "announced");
	assert_int_equal(mdc_propose_deadline(&b->p), ANNOUNCE_MS / 2);
	/* Of another question: a proposal's answer bears a raid disk. */
	says(b, 2, "found:vdd:2:0a1b2c3d:1.9");
	look(b, 100);
	assert_int_equal(b->p.peers[0].answer, MDC_ANSWER_WAITING);
	says(b, 2, "found:vdd:-:0a1b2c3d:1.9");
	look(b, 100);
	DID_NOTHING(b);
	assert_int_equal(b->p.peers[0].answer, MDC_ANSWER_FOUND);
	says(b, 3, "found:vde:-:0a1b2c3d:1.9");
	look(b, 200);
	DID(b, MDC_PROPOSE_PROCEED, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_int_equal(b->p.phase, MDC_PROPOSE_AGREED);
	attr_is(b, NULL);
	assert_false(mdc_propose_underway(&b->p));
	assert_int_equal(mdc_propose_deadline(&b->p), -1);

	announce(b, 10, 10);
	says(b, 2, "missing:small=vdd:-:0a1b2c3d:1.10");
	says(b, 3, "looking:-:0a1b2c3d:1.10");
	look(b, 100);
	DID_NOTHING(b);
	tick(b, 100 + MDC_PROPOSE_GRACE_MS);
	DID_NOTHING(b);
	says(b, 3, "missing:other=vde:-:0a1b2c3d:1.10");
	look(b, 9000);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: sees it as vdd, but too small; n3: sees a disk of "
			    "that name as vde, but it is not this one");
	attr_is(b, "refused:-:0a1b2c3d:n2=small=vdd,n3=other=vde");
}

static void test_announced_silent(void **state)
{
	struct bed *b = *state;

	nodes(b, 3);
	announce(b, 9, 10);
	says(b, 2, "looking:-:0a1b2c3d:1.9");
	look(b, 100);
	tick(b, ANNOUNCE_MS / 2);
	DID_NOTHING(b);
	says(b, 2, "missing:unseen:-:0a1b2c3d:1.9");
	look(b, 9000);
	DID_REFUSE(b);
	assert_string_equal(b->p.reason, "n2: does not see it; n3: no answer");
	/* However short the wait, all block devices are looked at once. */
	announce(b, 10, 0);
	says(b, 2, "looking:-:0a1b2c3d:1.10");
	says(b, 3, "looking:-:0a1b2c3d:1.10");
	look(b, 100);
	tick(b, 2500);
	assert_int_equal(mdc_propose_deadline(&b->p), 2000 + MDC_ANNOUNCE_TRAVEL_MS);
}

static bool agreed(struct bed *b, struct mdc_propose *announced, int64_t now_ms)
{
	b->out.n = 0;
	return mdc_propose_agreed(&b->p, now_ms, 70, &b->uuid, 2, announced, &b->seen, &b->out);
}

/* What all nodes have just said is not asked again while writers wait. */
static void test_agreed(void **state)
{
	struct bed *b = *state;
	struct mdc_propose announced;

	nodes(b, 3);
	announce(b, 9, 10);
	says(b, 2, "found:vdd:-:0a1b2c3d:1.9");
	announced = b->p;
	assert_false(agreed(b, &announced, 100));
	says(b, 3, "found:vde:-:0a1b2c3d:1.9");
	look(b, 200);
	announced = b->p;
	/* It is too old; another node has come since; who has the array is not known. */
	assert_false(agreed(b, &announced, 200 + MDC_PROPOSE_AGREED_MS));
	b->members[3] = 4;
	b->seen.n_members = 4;
	assert_false(agreed(b, &announced, 300));
	b->seen.n_members = 3;
	b->seen.members = NULL;
	assert_false(agreed(b, &announced, 300));
	b->seen.members = b->members;
	assert_int_equal(b->out.n, 0);
	/* One that has left is not missed. */
	b->seen.n_members = 2;
	assert_true(agreed(b, &announced, 300));
	DID_PROCEED(b);
	attr_is(b, NULL);
	assert_true(mdc_propose_underway(&b->p));
	assert_string_equal(b->p.reason, "");
	/* It holds for one. */
	assert_false(agreed(b, &announced, 301));
	b->out.n = 0;
	mdc_propose_added(&b->p, 400, &b->out);
	attr_is(b, "added:2:0a1b2c3d");
}

/* Nobody to ask is fine; nobody who can be asked is not, as there is a better moment. */
static void test_announced_alone(void **state)
{
	struct bed *b = *state;

	nodes(b, 1);
	announce(b, 9, 10);
	DID(b, MDC_PROPOSE_PROCEED, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_string_equal(b->p.reason, "no other node has the array");
	b->seen.view = NULL;
	announce(b, 9, 10);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_int_equal(b->p.phase, MDC_PROPOSE_OVER);
	assert_non_null(strstr(b->p.reason, "no connection to Pacemaker"));
}

/* Its nodes are not known: no reason to say that all see it. */
static void test_announced_unknown_members(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	announce(b, 7, 10);
	DID(b, MDC_PROPOSE_PUBLISH);
	b->seen.members = NULL;
	b->seen.n_members = 0;
	look(b, 5000);
	DID_NOTHING(b);
	announce(b, 8, 10);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_int_equal(b->p.phase, MDC_PROPOSE_OVER);
}

static void test_announced_ends(void **state)
{
	struct bed *b = *state;

	nodes(b, 2);
	announce(b, 9, 10);
	b->out.n = 0;
	mdc_propose_unwritten(&b->p, 50, "no", &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	assert_int_equal(b->p.phase, MDC_PROPOSE_OVER);
	announce(b, 10, 10);
	b->out.n = 0;
	mdc_propose_rival(&b->p, 50, 2, &b->out);
	DID_REFUSE(b);
	attr_is(b, "refused:-:0a1b2c3d:n2=busy");
	announce(b, 11, 10);
	b->out.n = 0;
	mdc_propose_cancel(&b->p, 50, "why", &b->out);
	DID(b, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
	attr_is(b, NULL);
	/* The one that would have to find it leaves. */
	announce(b, 12, 10);
	b->seen.n_members = 1;
	look(b, 60);
	DID(b, MDC_PROPOSE_PROCEED, MDC_PROPOSE_PUBLISH, MDC_PROPOSE_DONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_found), TEST(test_one_missing), TEST(test_grace),
		TEST(test_grace_not_beyond_patience), TEST(test_silent), TEST(test_looking),
		TEST(test_silent_in_group), TEST(test_silent_once_asked), TEST(test_leaves),
		TEST(test_refuser_leaves), TEST(test_joins), TEST(test_no_mdclusterd),
		TEST(test_nobody), TEST(test_no_connection), TEST(test_lost_connection),
		TEST(test_unknown_members), TEST(test_unwritten), TEST(test_over), TEST(test_over_ends),
		TEST(test_second), TEST(test_late_view),
		TEST(test_takes_back), TEST(test_rival), TEST(test_failed), TEST(test_given_up),
		TEST(test_no_result),
		TEST(test_cancel),
		TEST(test_announced), TEST(test_announced_silent), TEST(test_announced_alone),
		TEST(test_agreed),
		TEST(test_announced_unknown_members), TEST(test_announced_ends),
		TEST(test_long), TEST(test_unknown_node),
	};

	return cmocka_run_group_tests_name("propose", tests, NULL, NULL);
}
