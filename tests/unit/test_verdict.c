/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node that is asked for a disk through the CIB: when it says what. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/verdict.h"

#define WAIT 2000
#define LOOK_MS (WAIT - MDC_VERDICT_TRAVEL_MS)
#define ID "raid"
#define PROPOSED "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7"

struct bed {
	struct mdc_cibview view;
	struct mdc_verdict v;
	struct mdc_verdict_actions out;
	struct mdc_verdict_seen seen;
	uint32_t members[8];
	int64_t moved_ms;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	*state = b;
	if (!b)
		return -1;
	for (uint32_t id = 1; id <= 4; id++) {
		char name[8];

		snprintf(name, sizeof(name), "n%u", id);
		b->members[id - 1] = id;
		mdc_cibview_add_node(&b->view, id, name, MDC_CIB_ONLINE);
	}
	b->seen = (struct mdc_verdict_seen){
		.self = 2, .id = ID, .members = b->members, .n_members = 3, .view = &b->view,
		.wait_ms = WAIT,
	};
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void says(struct bed *b, uint32_t id, const char *value)
{
	unsigned int i, n = 0;

	for (i = 0; i < b->view.n_attrs; i++)
		if (b->view.attrs[i].id != id)
			b->view.attrs[n++] = b->view.attrs[i];
	b->view.n_attrs = n;
	if (value)
		assert_int_equal(mdc_cibview_add_attr(&b->view, id, "mdcluster-" ID "-add", value),
				 0);
}

static uint32_t look(struct bed *b, int64_t now_ms)
{
	b->out.n = 0;
	return mdc_verdict_look(&b->v, now_ms, &b->seen, &b->out);
}

static void disk(struct bed *b, const char *kname, const char *by, const char *holder_of_first)
{
	struct mdc_verdict_disk d = { .kname = kname, .holder = by, .sectors = 1000,
				      .need_sectors = 1000 };

	b->out.n = 0;
	mdc_verdict_disk(&b->v, 0, &d, holder_of_first, &b->out);
}

static void looked(struct bed *b, int64_t now_ms, unsigned int stuck)
{
	b->out.n = 0;
	mdc_verdict_looked(&b->v, now_ms, b->moved_ms, stuck, &b->out);
}

static void tick(struct bed *b, int64_t now_ms)
{
	b->out.n = 0;
	mdc_verdict_tick(&b->v, now_ms, &b->out);
}

/* The one and only; the others need not have answered. */
static void finds_at_last(struct bed *b)
{
	tick(b, b->v.sure_ms - 1);
	assert_int_equal(b->v.phase, MDC_VERDICT_LOOKING);
	tick(b, b->v.sure_ms);
	assert_int_equal(b->v.phase, MDC_VERDICT_FOUND);
	assert_int_equal(b->out.n, 1);
	assert_int_equal(b->out.a[0].what, MDC_VERDICT_PUBLISH);
}

static void finds(struct bed *b, const char *kname)
{
	disk(b, kname, "", NULL);
	assert_int_equal(b->out.n, 0);
	finds_at_last(b);
}

static void attr_is(const struct bed *b, const char *want)
{
	char value[MDC_ATTR_VALUE_MAX];

	if (!want) {
		assert_false(mdc_verdict_attr(&b->v, value));
		return;
	}
	assert_true(mdc_verdict_attr(&b->v, value));
	assert_string_equal(value, want);
}

#define DID(b, ...) \
	do { \
		const enum mdc_verdict_do want[] = { __VA_ARGS__ }; \
		assert_int_equal((b)->out.n, COUNT(want)); \
		for (size_t i_ = 0; i_ < COUNT(want); i_++) \
			assert_int_equal((b)->out.a[i_].what, want[i_]); \
	} while (0)
#define DID_NOTHING(b) assert_int_equal((b)->out.n, 0)
/* That it looks, as that takes time. */
#define DID_TELL(b) DID(b, MDC_VERDICT_PUBLISH)
#define DID_MISSING(b) DID(b, MDC_VERDICT_STOP, MDC_VERDICT_PUBLISH)

static void asked(struct bed *b)
{
	says(b, 1, PROPOSED);
	assert_int_equal(look(b, 0), 0);
	DID(b, MDC_VERDICT_SEARCH);
}

static void test_found(void **state)
{
	struct mdc_uuid uuid;
	struct bed *b = *state;

	asked(b);
	attr_is(b, NULL);
	assert_int_equal(mdc_verdict_deadline(&b->v), MDC_VERDICT_TELL_MS);
	/* The same view again is no new question. */
	look(b, 10);
	DID_NOTHING(b);
	disk(b, "vdd", "", NULL);
	DID_NOTHING(b);
	attr_is(b, NULL);
	assert_int_equal(mdc_verdict_deadline(&b->v), MDC_VERDICT_SURE_MS);
	looked(b, 50, 0);
	DID(b, MDC_VERDICT_PUBLISH);
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");
	assert_int_equal(mdc_verdict_deadline(&b->v), -1);
	looked(b, 60, 0);
	DID_NOTHING(b);
	says(b, 1, NULL);
	look(b, 200);
	DID(b, MDC_VERDICT_STOP);
	mdc_uuid_parse(&uuid, SOME_UUID);
	assert_string_equal(mdc_verdict_knows(&b->v, &uuid), "vdd");
	assert_true(mdc_verdict_said_found(&b->v, &uuid, "vdd"));
	assert_false(mdc_verdict_said_found(&b->v, &uuid, "vde"));
	uuid.b[15] ^= 1;
	assert_null(mdc_verdict_knows(&b->v, &uuid));
	assert_false(mdc_verdict_said_found(&b->v, &uuid, "vdd"));
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");
}

/* Only when all has been looked at and the wait is over as well. */
static void test_unseen(void **state)
{
	struct bed *b = *state;

	asked(b);
	looked(b, 50, 0);
	DID_TELL(b);
	attr_is(b, "looking:2:0a1b2c3d:1.7");
	assert_int_equal(mdc_verdict_deadline(&b->v), LOOK_MS);
	tick(b, LOOK_MS - 1);
	DID_NOTHING(b);
	tick(b, LOOK_MS);
	DID_MISSING(b);
	attr_is(b, "missing:unseen:2:0a1b2c3d:1.7");
	/* Said once. */
	look(b, LOOK_MS + 10);
	DID_NOTHING(b);
	disk(b, "vdd", "", NULL);
	DID_NOTHING(b);
}

/* Nothing has come or gone for long: no writer is to wait for what nobody has seen a sign of. */
static void test_unseen_quiet(void **state)
{
	struct bed *b = *state;

	b->moved_ms = 50 - MDC_VERDICT_QUIET_MS;
	asked(b);
	looked(b, 49, 0);
	DID_TELL(b);
	looked(b, 50, 0);
	DID_MISSING(b);
	attr_is(b, "missing:unseen:2:0a1b2c3d:1.7");
}

/* It may be the one that is slow, or that fails for now. */
static void test_quiet_but_patient(void **state)
{
	struct bed *b = *state;

	b->moved_ms = -MDC_VERDICT_QUIET_MS;
	asked(b);
	looked(b, 50, 1);
	DID_TELL(b);
	finds(b, "vdd");
	says(b, 1, NULL);
	look(b, 60);
	asked(b);
	mdc_verdict_unreadable(&b->v, "vdx", false);
	looked(b, 50, 0);
	DID_TELL(b);
	/* It can be read now, and is another one. */
	b->out.n = 0;
	mdc_verdict_block(&b->v, "vdx", &b->out);
	DID(b, MDC_VERDICT_PROBE);
	looked(b, 60, 0);
	DID_MISSING(b);
	attr_is(b, "missing:unseen:2:0a1b2c3d:1.7");
	/* A person waits for as long as was said. */
	says(b, 1, "announced:10:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:8");
	look(b, 100);
	looked(b, 150, 0);
	DID_TELL(b);
	assert_int_equal(mdc_verdict_deadline(&b->v), 10100);
}

/* A search that takes its time: the node that asks is to know that there is one. */
static void test_tells_that_it_looks(void **state)
{
	struct bed *b = *state;

	asked(b);
	tick(b, MDC_VERDICT_TELL_MS - 1);
	DID_NOTHING(b);
	tick(b, MDC_VERDICT_TELL_MS);
	DID_TELL(b);
	attr_is(b, "looking:2:0a1b2c3d:1.7");
	tick(b, MDC_VERDICT_TELL_MS + 1);
	DID_NOTHING(b);
	looked(b, 300, 0);
	DID_NOTHING(b);
	/* It is not asked any more. */
	says(b, 1, NULL);
	look(b, 400);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_PUBLISH);
	attr_is(b, NULL);
}

static void test_late_disk(void **state)
{
	struct bed *b = *state;

	asked(b);
	looked(b, 50, 0);
	b->out.n = 0;
	mdc_verdict_block(&b->v, "vdd", &b->out);
	DID(b, MDC_VERDICT_PROBE);
	assert_string_equal(b->out.a[0].device, "vdd");
	finds(b, "vdd");
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");
}

static void test_unread(void **state)
{
	struct bed *b = *state;

	asked(b);
	tick(b, LOOK_MS);
	DID_MISSING(b);
	attr_is(b, "missing:unread:2:0a1b2c3d:1.7");
	says(b, 1, NULL);
	look(b, LOOK_MS);
	asked(b);
	looked(b, 600, 1);
	tick(b, LOOK_MS);
	attr_is(b, "missing:unread:2:0a1b2c3d:1.7");
}

static void test_ioerror(void **state)
{
	struct bed *b = *state;

	asked(b);
	mdc_verdict_unreadable(&b->v, "vdx", false);
	mdc_verdict_unreadable(&b->v, "vdy", false);
	looked(b, 50, 0);
	/* It is not known to be the disk, so late ones are waited for. */
	DID_TELL(b);
	tick(b, LOOK_MS);
	attr_is(b, "missing:ioerror=vdx:2:0a1b2c3d:1.7");
	says(b, 1, NULL);
	look(b, LOOK_MS);
	asked(b);
	mdc_verdict_unreadable(&b->v, "vdx", false);
	mdc_verdict_block(&b->v, "vdx", &b->out);
	looked(b, 60, 0);
	tick(b, LOOK_MS);
	attr_is(b, "missing:unseen:2:0a1b2c3d:1.7");
}

static void test_unusable(void **state)
{
	struct mdc_verdict_disk d = { .kname = "vdd", .holder = "", .sectors = 999,
				      .need_sectors = 1000 };
	struct bed *b = *state;

	asked(b);
	mdc_verdict_disk(&b->v, 0, &d, NULL, &b->out);
	looked(b, 50, 0);
	DID_MISSING(b);
	attr_is(b, "missing:small=vdd:2:0a1b2c3d:1.7");

	says(b, 1, NULL);
	look(b, 60);
	asked(b);
	d.sectors = 1000;
	d.mounted = true;
	mdc_verdict_disk(&b->v, 0, &d, NULL, &b->out);
	looked(b, 50, 1);
	DID_MISSING(b);
	attr_is(b, "missing:mounted=vdd:2:0a1b2c3d:1.7");

	says(b, 1, NULL);
	look(b, 60);
	asked(b);
	disk(b, "vdd", "md126", NULL);
	DID_NOTHING(b);
	tick(b, LOOK_MS);
	DID_MISSING(b);
	attr_is(b, "missing:inuse=md126:2:0a1b2c3d:1.7");
}

/* The map is chosen, whichever of the two is seen first; a path is no second disk. */
static void held(struct bed *b, int64_t now_ms, const char *kname)
{
	struct mdc_verdict_disk d = { .kname = kname, .holder = "md127", .own = true,
				      .sectors = 1000, .need_sectors = 1000 };

	b->out.n = 0;
	mdc_verdict_disk(&b->v, now_ms, &d, NULL, &b->out);
}

/* Removed a moment ago, and added again: the array takes its time to let go of it. */
static void test_leaving(void **state)
{
	struct bed *b = *state;

	b->moved_ms = -MDC_VERDICT_QUIET_MS;
	says(b, 1, PROPOSED);
	look(b, 0);
	held(b, 50, "vdd");
	DID_NOTHING(b);
	looked(b, 60, 0);
	DID_TELL(b);
	assert_int_equal(mdc_verdict_deadline(&b->v), 50 + MDC_VERDICT_AGAIN_MS);
	tick(b, 49 + MDC_VERDICT_AGAIN_MS);
	DID_NOTHING(b);
	tick(b, 50 + MDC_VERDICT_AGAIN_MS);
	DID(b, MDC_VERDICT_PROBE);
	assert_string_equal(b->out.a[0].device, "vdd");
	assert_int_equal(mdc_verdict_deadline(&b->v), LOOK_MS);
	held(b, 200, "vdd");
	tick(b, 200 + MDC_VERDICT_AGAIN_MS);
	DID(b, MDC_VERDICT_PROBE);
	finds(b, "vdd");
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");

	/* It stays: a member after all. The path of a map that is leaving is no reason either. */
	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	look(b, 1000);
	held(b, 1010, "dm-1");
	disk(b, "vdd", "dm-1", NULL);
	looked(b, 1020, 0);
	DID_TELL(b);
	tick(b, 1000 + LOOK_MS);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_PUBLISH);
	attr_is(b, "missing:inuse=md127:2:0a1b2c3d:1.8");

	/* It went from the array to somebody else. */
	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:9");
	look(b, 5000);
	held(b, 5010, "vdd");
	disk(b, "vdd", "dm-7", NULL);
	looked(b, 5020, 0);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_PUBLISH);
	attr_is(b, "missing:inuse=dm-7:2:0a1b2c3d:1.9");
}

static void test_multipath(void **state)
{
	struct bed *b = *state;

	asked(b);
	disk(b, "sda", "dm-0", NULL);
	DID_NOTHING(b);
	disk(b, "dm-0", "", NULL);
	disk(b, "sdb", "dm-0", "");
	DID_NOTHING(b);
	looked(b, 10, 0);
	DID(b, MDC_VERDICT_PUBLISH);
	attr_is(b, "found:dm-0:2:0a1b2c3d:1.7");

	says(b, 1, NULL);
	look(b, 60);
	asked(b);
	finds(b, "sda");
	attr_is(b, "found:sda:2:0a1b2c3d:1.7");
	/* multipathd has made the map meanwhile */
	disk(b, "dm-0", "", "dm-0");
	DID(b, MDC_VERDICT_PUBLISH);
	attr_is(b, "found:dm-0:2:0a1b2c3d:1.7");

	/* ... in time, and nobody hears of the path */
	says(b, 1, NULL);
	look(b, 70);
	asked(b);
	looked(b, 80, 0);
	b->out.n = 0;
	mdc_verdict_block(&b->v, "sda", &b->out);
	disk(b, "sda", "", NULL);
	looked(b, 100, 0);
	DID_NOTHING(b);
	attr_is(b, "looking:2:0a1b2c3d:1.7");
	assert_int_equal(mdc_verdict_deadline(&b->v), MDC_VERDICT_LATE_SURE_MS);
	disk(b, "dm-0", "", "dm-0");
	DID_NOTHING(b);
	finds_at_last(b);
	attr_is(b, "found:dm-0:2:0a1b2c3d:1.7");
}

static void test_twice(void **state)
{
	struct bed *b = *state;

	asked(b);
	disk(b, "sda", "", NULL);
	disk(b, "sda", "", "");
	DID_NOTHING(b);
	disk(b, "sdb", "", "");
	DID_MISSING(b);
	attr_is(b, "missing:twice=sdb:2:0a1b2c3d:1.7");
	looked(b, 50, 0);
	DID_NOTHING(b);
	/* That one answers late. */
	says(b, 1, NULL);
	look(b, 60);
	asked(b);
	finds(b, "sda");
	disk(b, "sdb", "", "");
	DID_MISSING(b);
	attr_is(b, "missing:twice=sdb:2:0a1b2c3d:1.7");
}

/* The wait is nearly over: what was found is not given up for a moment's more certainty. */
static void test_found_at_the_end(void **state)
{
	struct bed *b = *state;
	struct mdc_verdict_disk d = { .kname = "vdd", .holder = "", .sectors = 1000,
				      .need_sectors = 1000 };

	asked(b);
	b->out.n = 0;
	mdc_verdict_disk(&b->v, LOOK_MS - 10, &d, NULL, &b->out);
	assert_int_equal(mdc_verdict_deadline(&b->v), MDC_VERDICT_TELL_MS);
	tick(b, LOOK_MS - 1);
	DID_TELL(b);
	assert_int_equal(mdc_verdict_deadline(&b->v), LOOK_MS);
	tick(b, LOOK_MS);
	DID(b, MDC_VERDICT_PUBLISH);
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");
}

static void test_not_of_the_lockspace(void **state)
{
	struct bed *b = *state;

	says(b, 4, PROPOSED);
	look(b, 0);
	DID_NOTHING(b);
	b->seen.n_members = 4;
	look(b, 10);
	DID(b, MDC_VERDICT_SEARCH);
	/* It is fenced. */
	b->seen.n_members = 3;
	look(b, 20);
	DID(b, MDC_VERDICT_STOP);
	assert_int_equal(b->v.phase, MDC_VERDICT_NONE);
	/* Who has the array is not known: better asked once too often. */
	b->seen.members = NULL;
	look(b, 30);
	DID(b, MDC_VERDICT_SEARCH);
}

static void test_others_words(void **state)
{
	static const char *const no[] = {
		"found:vdd:2:0a1b2c3d:1.7", "refused:2:0a1b2c3d:n2=unseen", "added:2:0a1b2c3d",
		"searching:2:0a1b2c3d", "proposed:2:0a1b2c3d:7",
	};
	struct bed *b = *state;

	for (size_t i = 0; i < COUNT(no); i++) {
		says(b, 1, no[i]);
		look(b, 0);
		DID_NOTHING(b);
	}
	/* its own */
	says(b, 1, NULL);
	says(b, 2, PROPOSED);
	look(b, 0);
	DID_NOTHING(b);
}

/* One that came since is not taken for the only one by that. */
static void test_free_looked(void **state)
{
	struct bed *b = *state;

	asked(b);
	memset(&b->out, 0, sizeof(b->out));
	mdc_verdict_free_looked(&b->v, &b->out);
	DID_NOTHING(b);
	disk(b, "vdd", "", NULL);
	mdc_verdict_free_looked(&b->v, &b->out);
	DID(b, MDC_VERDICT_PUBLISH);
	attr_is(b, "found:vdd:2:0a1b2c3d:1.7");
	memset(&b->out, 0, sizeof(b->out));
	mdc_verdict_free_looked(&b->v, &b->out);
	DID_NOTHING(b);

	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	look(b, 100);
	looked(b, 110, 0);
	memset(&b->out, 0, sizeof(b->out));
	mdc_verdict_block(&b->v, "vdd", &b->out);
	disk(b, "vdd", "", NULL);
	mdc_verdict_free_looked(&b->v, &b->out);
	DID_NOTHING(b);

	/* The same while something that is held hangs. */
	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:9");
	look(b, 200);
	memset(&b->out, 0, sizeof(b->out));
	mdc_verdict_free_looked(&b->v, &b->out);
	mdc_verdict_block(&b->v, "vdd", &b->out);
	DID(b, MDC_VERDICT_PROBE);
	disk(b, "vdd", "", NULL);
	mdc_verdict_free_looked(&b->v, &b->out);
	DID_NOTHING(b);
}

static void test_second_at_once(void **state)
{
	struct bed *b = *state;

	asked(b);
	disk(b, "vdd", "", NULL);
	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	look(b, 100);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	attr_is(b, NULL);
	finds(b, "vdd");
	attr_is(b, "found:vdd:2:0a1b2c3d:1.8");
}

/* Two at once: the lower node is answered, then the other one. */
static void test_two(void **state)
{
	struct bed *b = *state;

	says(b, 3, "proposed:3:1a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	look(b, 0);
	DID(b, MDC_VERDICT_SEARCH);
	assert_int_equal(b->v.node, 3);
	says(b, 1, PROPOSED);
	look(b, 10);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	assert_int_equal(b->v.node, 1);
	disk(b, "vdd", "", NULL);
	says(b, 1, NULL);
	look(b, 50);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	assert_int_equal(b->v.node, 3);
}

/* With its own proposal standing, a node gives way to a lower one only. */
static void test_own(void **state)
{
	struct bed *b = *state;

	b->seen.proposing = true;
	says(b, 2, PROPOSED);
	says(b, 3, "proposed:3:1a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	assert_int_equal(look(b, 0), 0);
	DID_NOTHING(b);
	says(b, 1, PROPOSED);
	assert_int_equal(look(b, 10), 1);
	DID(b, MDC_VERDICT_SEARCH);
	b->seen.proposing = false;
	assert_int_equal(look(b, 20), 0);
	DID_NOTHING(b);

	/* Its own add goes on in the kernel: it could not take another disk. */
	says(b, 1, NULL);
	b->seen.underway = true;
	look(b, 30);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_PUBLISH);
	attr_is(b, "missing:busy:3:1a1b2c3d:3.4");
}

/* Left over from an mdclusterd that died: it holds up nobody for long. */
static void test_stale(void **state)
{
	struct bed *b = *state;

	b->seen.proposing = true;
	says(b, 1, PROPOSED);
	assert_int_equal(look(b, 0), 1);
	assert_int_equal(look(b, MDC_VERDICT_STALE_MS - 1), 1);
	assert_int_equal(look(b, MDC_VERDICT_STALE_MS), 0);
	b->seen.proposing = false;
	says(b, 3, "proposed:3:1a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	look(b, MDC_VERDICT_STALE_MS + 10);
	assert_int_equal(b->v.node, 3);
	/* A new one of the same node is new. */
	says(b, 1, "proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	look(b, MDC_VERDICT_STALE_MS + 20);
	assert_int_equal(b->v.node, 1);
}

static void test_short_wait(void **state)
{
	struct bed *b = *state;

	b->seen.wait_ms = 100;
	asked(b);
	tick(b, MDC_VERDICT_TELL_MS);
	assert_int_equal(mdc_verdict_deadline(&b->v), MDC_VERDICT_WAIT_MIN_MS);
}

static void test_cancel(void **state)
{
	struct mdc_uuid uuid;
	struct bed *b = *state;

	asked(b);
	disk(b, "vdd", "", NULL);
	b->out.n = 0;
	mdc_verdict_cancel(&b->v, &b->out);
	DID(b, MDC_VERDICT_STOP);
	mdc_uuid_parse(&uuid, SOME_UUID);
	assert_null(mdc_verdict_knows(&b->v, &uuid));
	attr_is(b, NULL);
}

#define ANNOUNCED "announced:10:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7"

static void test_announced(void **state)
{
	struct mdc_uuid uuid;
	struct bed *b = *state;

	says(b, 1, ANNOUNCED);
	assert_int_equal(look(b, 0), 0);
	DID(b, MDC_VERDICT_SEARCH);
	assert_true(b->v.announced);
	assert_string_equal(b->v.disk, "d4");
	looked(b, 50, 0);
	DID_TELL(b);
	attr_is(b, "looking:-:0a1b2c3d:1.7");
	assert_int_equal(mdc_verdict_deadline(&b->v), 10000);
	finds(b, "vdd");
	attr_is(b, "found:vdd:-:0a1b2c3d:1.7");
	/* Its nonce is no device UUID, but what the kernel asks for next may well be this disk. */
	mdc_uuid_parse(&uuid, SOME_UUID);
	uuid.b[0] ^= 1;
	assert_string_equal(mdc_verdict_knows(&b->v, &uuid), "vdd");
	/* Where it was is where to look first when the kernel asks. */
	says(b, 1, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	look(b, 3000);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	assert_string_equal(b->v.likely, "vdd");
	assert_false(b->v.announced);
}

static void test_announced_missing(void **state)
{
	struct bed *b = *state;

	says(b, 1, ANNOUNCED);
	look(b, 0);
	/* The name alone is no proof, and may yet come to the right disk. */
	mdc_verdict_unreadable(&b->v, "vdx", false);
	mdc_verdict_unreadable(&b->v, "vdd", true);
	looked(b, 50, 0);
	DID_TELL(b);
	tick(b, 10000);
	DID_MISSING(b);
	attr_is(b, "missing:ioerror=vdd:-:0a1b2c3d:1.7");
	says(b, 1, "announced:10:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:8");
	look(b, 20000);
	mdc_verdict_other(&b->v, "vdd");
	looked(b, 20050, 0);
	DID_TELL(b);
	tick(b, 30000);
	attr_is(b, "missing:other=vdd:-:0a1b2c3d:1.8");
	/* It was, and is not any more. */
	says(b, 1, "announced:10:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:9");
	look(b, 40000);
	mdc_verdict_other(&b->v, "vdd");
	b->out.n = 0;
	mdc_verdict_block(&b->v, "vdd", &b->out);
	looked(b, 40050, 0);
	tick(b, 50000);
	attr_is(b, "missing:unseen:-:0a1b2c3d:1.9");
	/* A short wait is for one look at all. */
	says(b, 1, "announced:0:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:10");
	look(b, 60000);
	looked(b, 60050, 0);
	assert_int_equal(mdc_verdict_deadline(&b->v), 60000 + MDC_VERDICT_ANNOUNCED_MIN_MS);
}

/* Writers wait for a proposal: it comes first, and the announcement is taken up again. */
static void test_announced_and_proposed(void **state)
{
	struct bed *b = *state;

	says(b, 1, ANNOUNCED);
	look(b, 0);
	says(b, 3, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:3");
	look(b, 100);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	assert_int_equal(b->v.node, 3);
	says(b, 3, NULL);
	look(b, 2000);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	assert_int_equal(b->v.node, 1);
	/* Not for longer than it was asked for. */
	looked(b, 2050, 0);
	assert_int_equal(mdc_verdict_deadline(&b->v), 10000);
	/* A kernel that adds a disk can still look for another. */
	b->seen.underway = true;
	says(b, 1, "announced:10:1000:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:8");
	look(b, 2100);
	DID(b, MDC_VERDICT_STOP, MDC_VERDICT_SEARCH);
	/* One that nobody has taken back for long after its wait. */
	says(b, 3, "announced:10:1000:1a1b2c3d4e5f60718293a4b5c6d7e8f9:d5:1");
	look(b, 2200);
	assert_int_equal(b->v.node, 1);
	look(b, 2100 + 10000 + MDC_VERDICT_ANNOUNCED_STALE_MS);
	assert_int_equal(b->v.node, 3);
}

/* This node (2) announces as well. */
static void test_announcing(void **state)
{
	struct bed *b = *state;

	b->seen.announcing = true;
	says(b, 3, ANNOUNCED);
	assert_int_equal(look(b, 0), 0);
	DID_NOTHING(b);
	says(b, 1, ANNOUNCED);
	assert_int_equal(look(b, 0), 1);
	DID(b, MDC_VERDICT_SEARCH);
	says(b, 1, NULL);
	says(b, 3, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:3");
	assert_int_equal(look(b, 10), 3);
	assert_int_equal(b->v.node, 3);
	/* Its own proposal comes before any announcement. */
	says(b, 3, NULL);
	look(b, 20);
	b->seen.announcing = false;
	b->seen.proposing = true;
	says(b, 1, ANNOUNCED);
	assert_int_equal(look(b, 30), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_found), TEST(test_unseen), TEST(test_tells_that_it_looks),
		TEST(test_unseen_quiet),
		TEST(test_quiet_but_patient), TEST(test_late_disk), TEST(test_unread),
		TEST(test_ioerror), TEST(test_unusable), TEST(test_leaving),
		TEST(test_multipath), TEST(test_twice), TEST(test_found_at_the_end),
		TEST(test_not_of_the_lockspace), TEST(test_others_words),
		TEST(test_free_looked), TEST(test_second_at_once), TEST(test_two), TEST(test_own), TEST(test_stale),
		TEST(test_announced), TEST(test_announced_missing),
		TEST(test_announced_and_proposed), TEST(test_announcing),
		TEST(test_short_wait), TEST(test_cancel),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
