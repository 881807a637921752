/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds decided through the CIB, by N nodes in one process: each runs both sides (propose,
 * verdict) over views that come late and out of date. Disks are announced, proposed, seen or not,
 * nodes join, are fenced, lose their mdclusterd or their connection, kernels give up. In every
 * other world some or all of them are in the process group as well, which they leave and join, and
 * hear there what the CIB shows them later. The seed is printed where a rule is broken;
 * MDC_SIM_SEED runs that one alone.
 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heard.h"
#include "core/propose.h"
#include "core/verdict.h"

#define NODES 5
#define SEEDS 4000
#define STEPS 280		/* longer than an announcement stands */
#define STEP_MS 25
#define FOUND_KEPT 8
#define EVENTS 8192		/* of the group, in one world */
#define ID "raid"
#define PATIENCE 2000
#define KERNEL_MS 4000
#define HOLD_MS 1500
#define ADD "mdcluster-" ID "-add"

struct attr {
	bool state;
	char add[MDC_ATTR_VALUE_MAX];
};

/* What the cluster's CIB and lockspace are at a moment. */
struct picture {
	bool in[NODES], up[NODES];	/* in the lockspace; in the cluster */
	struct attr attr[NODES];
};

/* What happens in the group, in the order in which all who are in it see it. */
struct event {
	enum { SAID, LEFT, JOINED } kind;
	uint32_t node, pid;
	char value[MDC_ATTR_VALUE_MAX];
};

struct membership {
	bool in;
	uint32_t pid;
	unsigned int next;		/* event to hear of */
	char own[MDC_ATTR_VALUE_MAX];	/* what its mdclusterd says; empty: nothing */
	int64_t hold_ms;		/* the CIB gets that then; 0: it has it */
};

struct node {
	struct mdc_propose propose, announce;
	struct mdc_verdict verdict;
	struct picture seen;		/* what has reached it */
	bool connected, daemon;
	bool searching;
	int64_t search_done_ms;
	/* its kernel */
	bool waits;
	uint64_t proposal;
	int64_t kernel_until_ms;
	unsigned int disk;
	/*
	 * What the other nodes' words are worth: for which of its questions each has truly said
	 * found. More than the last: who leaves the group goes by an older view of the CIB, and
	 * may answer an older question once more.
	 */
	uint64_t found_for[NODES][FOUND_KEPT];
	unsigned int n_found[NODES];
};

struct world {
	unsigned int seed;
	uint64_t rand;
	int64_t now_ms;
	struct picture truth;
	struct node node[NODES];
	bool sees[NODES][4];		/* node, disk */
	uint64_t last_proposal;
	struct mdc_cibview view, over;	/* scratch */
	bool words;			/* there is a group */
	unsigned int cib_odds;		/* of a view, in one step */
	struct membership group[NODES];
	struct mdc_heard heard[NODES];
	unsigned int n_events, news;
	struct event events[EVENTS];
	unsigned int proceeds, refusals, asked, busy, overs;
	unsigned int agreed, declined, put_off;		/* announcements */
};

static unsigned int roll(struct world *w, unsigned int n)
{
	w->rand = w->rand * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)((w->rand >> 33) % n);
}

static void broken(const struct world *w, unsigned int n, const char *what)
{
	fail_msg("seed %u, %lld ms, node %u: %s", w->seed, (long long)w->now_ms, n + 1, what);
}

static struct mdc_uuid disk_uuid(unsigned int disk)
{
	struct mdc_uuid uuid;

	memset(&uuid, 0x11 * (int)(disk + 1), sizeof(uuid));
	return uuid;
}

/* What it is announced by. */
static struct mdc_uuid disk_nonce(unsigned int disk)
{
	struct mdc_uuid nonce = disk_uuid(disk);

	nonce.b[0] ^= 0xff;
	return nonce;
}

static const struct mdc_cibview *view_of(struct world *w, const struct picture *p)
{
	w->view.n_nodes = w->view.n_attrs = w->view.n_instances = 0;
	for (uint32_t i = 0; i < NODES; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%u", i + 1);
		mdc_cibview_add_node(&w->view, i + 1, name, p->up[i] ? MDC_CIB_ONLINE :
				     MDC_CIB_OFFLINE);
		if (p->attr[i].state)
			mdc_cibview_add_attr(&w->view, i + 1, "mdcluster-" ID "-state", "clean");
		if (p->attr[i].add[0])
			mdc_cibview_add_attr(&w->view, i + 1, ADD, p->attr[i].add);
	}
	return &w->view;
}

/* What a node goes by. */
static const struct mdc_cibview *view_at(struct world *w, unsigned int n)
{
	const struct mdc_cibview *view = view_of(w, &w->node[n].seen);

	if (!w->heard[n].n)
		return view;
	mdc_heard_over(&w->heard[n], view, &w->over);
	return &w->over;
}

static void happens_in_group(struct world *w, unsigned int n, int kind, const char *value)
{
	struct event *e = &w->events[w->n_events++];

	if (w->n_events == EVENTS)
		broken(w, n, "more events than the test has room for");
	e->kind = kind;
	e->node = n + 1;
	e->pid = w->group[n].pid;
	snprintf(e->value, sizeof(e->value), "%s", value);
}

static void join_group(struct world *w, unsigned int n)
{
	struct membership *m = &w->group[n];

	if (!w->words || m->in)
		return;
	m->in = true;
	m->pid++;
	m->next = w->n_events;
	happens_in_group(w, n, JOINED, "");
}


static bool reaches_all(const struct world *w, unsigned int n)
{
	for (uint32_t i = 0; i < NODES; i++)
		if (i != n && w->node[n].seen.in[i] && !mdc_heard_node(&w->heard[n], i + 1, ADD))
			return false;
	return true;
}

static void write_add(struct world *w, unsigned int n)
{
	w->group[n].hold_ms = 0;
	memcpy(w->truth.attr[n].add, w->group[n].own, sizeof(w->truth.attr[n].add));
}

static void leave_group(struct world *w, unsigned int n)
{
	if (w->group[n].in)
		happens_in_group(w, n, LEFT, "");
	w->group[n].in = false;
	w->heard[n].n = 0;
	if (w->group[n].hold_ms)
		write_add(w, n);
}

/* Also called for what a node says already: said once, as in mdclusterd. */
static void set_add(struct world *w, unsigned int n, const char *value)
{
	struct membership *m = &w->group[n];

	if (m->in && strcmp(m->own, value ? value : ""))
		happens_in_group(w, n, SAID, value ? value : "");
	snprintf(m->own, sizeof(m->own), "%s", value ? value : "");
	if (!reaches_all(w, n))
		write_add(w, n);
	else if (!m->hold_ms)
		m->hold_ms = w->now_ms + HOLD_MS;
}

/* Has all that this node has said come round? */
static bool is_out(const struct world *w, unsigned int n)
{
	const struct membership *m = &w->group[n];

	for (unsigned int i = m->next; m->in && i < w->n_events; i++)
		if (w->events[i].node == n + 1)
			return false;
	return m->in;
}

static unsigned int members(const struct picture *p, uint32_t out[NODES])
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < NODES; i++)
		if (p->in[i])
			out[n++] = i + 1;
	return n;
}

/* Each that was asked and is there, as far as is known here, has it. */
static void check_found(struct world *w, unsigned int n, uint64_t number)
{
	const struct node *me = &w->node[n];
	unsigned int i, k;

	for (i = 0; i < NODES; i++) {
		if (i == n || !me->seen.in[i] || !me->seen.attr[i].state)
			continue;
		for (k = 0; k < FOUND_KEPT && me->found_for[i][k] != number; k++)
			;
		if (k == FOUND_KEPT)
			broken(w, n, "goes on, but an asked node never said found for this one");
	}
}

static void check_proceed(struct world *w, unsigned int n)
{
	const struct node *me = &w->node[n];

	w->proceeds++;
	if (me->propose.reason[0])
		return;		/* not asked at all, and said so */
	w->asked++;
	check_found(w, n, me->proposal);
}

static void check_refuse(struct world *w, unsigned int n)
{
	const struct node *me = &w->node[n];

	w->refusals++;
	if (!me->propose.reason[0])
		broken(w, n, "refuses without a reason");
	if (strstr(me->propose.reason, "is adding a disk itself"))
		w->busy++;
}

static void do_propose(struct world *w, unsigned int n, const struct mdc_propose_actions *out)
{
	struct node *me = &w->node[n];
	char value[MDC_ATTR_VALUE_MAX];
	unsigned int i;

	for (i = 0; i < out->n; i++) {
		switch (out->a[i]) {
		case MDC_PROPOSE_PUBLISH:
			set_add(w, n, mdc_propose_attr(&me->propose, value) ? value : NULL);
			break;
		case MDC_PROPOSE_PROCEED:
		case MDC_PROPOSE_REFUSE:
			if (!me->waits && me->propose.phase != MDC_PROPOSE_PROCEEDING)
				broken(w, n, "a second verdict");
			if (out->a[i] == MDC_PROPOSE_PROCEED)
				check_proceed(w, n);
			else
				check_refuse(w, n);
			if (w->now_ms > me->propose.started_ms + PATIENCE + STEP_MS)
				broken(w, n, "a verdict after its patience");
			me->waits = false;
			break;
		case MDC_PROPOSE_DONE:
			break;
		}
	}
}

static void do_announce(struct world *w, unsigned int n, const struct mdc_propose_actions *out)
{
	struct node *me = &w->node[n];
	const struct mdc_propose *p = &me->announce;
	char value[MDC_ATTR_VALUE_MAX];
	unsigned int i;

	for (i = 0; i < out->n; i++) {
		if (out->a[i] == MDC_PROPOSE_PUBLISH)
			set_add(w, n, mdc_propose_attr(p, value) ? value : NULL);
		if (out->a[i] != MDC_PROPOSE_DONE)
			continue;
		if (w->now_ms > p->started_ms + MDC_VERDICT_ANNOUNCED_MIN_MS +
				MDC_ANNOUNCE_TRAVEL_MS + STEP_MS)
			broken(w, n, "an announcement that is not answered in time");
		if (p->phase == MDC_PROPOSE_REFUSED || p->phase == MDC_PROPOSE_OVER) {
			w->declined += p->phase == MDC_PROPOSE_REFUSED;
			if (!p->reason[0])
				broken(w, n, "an announcement ends badly without a reason");
		} else if (p->phase != MDC_PROPOSE_AGREED) {
			broken(w, n, "an announcement ends, and nobody knows how");
		} else if (!p->reason[0]) {
			w->agreed++;
			check_found(w, n, p->proposal);
		}
	}
}

static void note_found(struct node *asking, unsigned int n, uint32_t number)
{
	asking->found_for[n][asking->n_found[n]++ % FOUND_KEPT] = number;
}

static void do_verdict(struct world *w, unsigned int n, const struct mdc_verdict_actions *out)
{
	struct node *me = &w->node[n];
	char value[MDC_ATTR_VALUE_MAX];
	unsigned int i;

	for (i = 0; i < out->n; i++) {
		switch (out->a[i].what) {
		case MDC_VERDICT_SEARCH:
			me->searching = true;
			me->search_done_ms = w->now_ms + roll(w, 8) * STEP_MS;
			break;
		case MDC_VERDICT_STOP:
			me->searching = false;
			break;
		case MDC_VERDICT_PUBLISH:
			if (mdc_verdict_attr(&me->verdict, value))
				set_add(w, n, value);
			else if (!strncmp(w->truth.attr[n].add, "looking:", 8))
				set_add(w, n, NULL);
			if (me->verdict.phase == MDC_VERDICT_FOUND && me->verdict.node)
				note_found(&w->node[me->verdict.node - 1], n, me->verdict.number);
			break;
		case MDC_VERDICT_PROBE:
			break;
		}
	}
}

static void look(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];
	struct mdc_propose_actions out = { 0 }, aout = { 0 };
	struct mdc_verdict_actions vout = { 0 };
	const struct mdc_cibview *view = view_at(w, n);
	uint32_t nodes[NODES], rival = 0;
	unsigned int count = members(&me->seen, nodes);
	struct mdc_verdict_seen vseen = {
		.self = n + 1, .id = ID, .members = nodes, .n_members = count, .view = view,
		.proposing = me->propose.phase == MDC_PROPOSE_ASKING,
		.announcing = me->announce.phase == MDC_PROPOSE_ASKING,
		.underway = mdc_propose_underway(&me->propose), .wait_ms = PATIENCE,
	};
	struct mdc_propose_seen seen = {
		.self = n + 1, .id = ID, .members = nodes, .n_members = count,
		.view = me->connected ? view : NULL, .heard = &w->heard[n],
		.out = is_out(w, n),
	};

	if (!me->daemon || !w->truth.in[n])
		return;
	rival = mdc_verdict_look(&me->verdict, w->now_ms, &vseen, &vout);
	do_verdict(w, n, &vout);
	if (rival)
		mdc_propose_rival(&me->announce, w->now_ms, rival, &aout);
	mdc_propose_look(&me->announce, w->now_ms, &seen, &aout);
	do_announce(w, n, &aout);
	if (rival)
		mdc_propose_rival(&me->propose, w->now_ms, rival, &out);
	mdc_propose_look(&me->propose, w->now_ms, &seen, &out);
	do_propose(w, n, &out);
}

static void add(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];
	struct mdc_propose_actions out = { 0 }, aout = { 0 };
	uint32_t nodes[NODES];
	struct mdc_propose_seen seen = {
		.self = n + 1, .id = ID, .members = nodes,
		.n_members = members(&me->seen, nodes),
		.view = me->connected ? view_at(w, n) : NULL, .heard = &w->heard[n],
		.out = is_out(w, n),
	};
	struct mdc_uuid uuid;

	if (me->waits || !me->daemon || !w->truth.in[n] ||
	    me->propose.phase == MDC_PROPOSE_PROCEEDING)
		return;
	/* The kernel's question comes first, and the node has one attribute for both. */
	w->put_off += me->announce.phase == MDC_PROPOSE_ASKING;
	mdc_propose_cancel(&me->announce, w->now_ms, "the kernel asks", &aout);
	do_announce(w, n, &aout);
	me->disk = roll(w, 4);
	uuid = disk_uuid(me->disk);
	me->proposal = ++w->last_proposal;
	me->waits = true;
	me->kernel_until_ms = w->now_ms + KERNEL_MS;
	mdc_propose_begin(&me->propose, w->now_ms, me->proposal, &uuid, me->disk, PATIENCE, &seen,
			  &out);
	do_propose(w, n, &out);
	look(w, n);
}

static void announce(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];
	struct mdc_propose_actions out = { 0 };
	uint32_t nodes[NODES];
	struct mdc_propose_seen seen = {
		.self = n + 1, .id = ID, .members = nodes,
		.n_members = members(&me->seen, nodes),
		.view = me->connected ? view_at(w, n) : NULL, .heard = &w->heard[n],
		.out = is_out(w, n),
	};
	struct mdc_uuid nonce = disk_nonce(roll(w, 4));

	if (!me->daemon || !w->truth.in[n] || me->announce.phase == MDC_PROPOSE_ASKING ||
	    me->propose.phase == MDC_PROPOSE_ASKING || mdc_propose_underway(&me->propose))
		return;
	mdc_propose_announce(&me->announce, w->now_ms, (uint32_t)++w->last_proposal, &nonce, 1,
			     "d", 0, &seen, &out);
	do_announce(w, n, &out);
	look(w, n);
}

static void search_ends(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];
	struct mdc_verdict_actions out = { 0 };
	char kname[8];
	struct mdc_verdict_disk disk = { .kname = kname, .holder = "", .sectors = 1 };

	me->search_done_ms = w->now_ms + 4000;
	for (unsigned int d = 0; d < 4; d++) {
		struct mdc_uuid uuid = me->verdict.announced ? disk_nonce(d) : disk_uuid(d);

		if (!w->sees[n][d] || !mdc_uuid_equal(&uuid, &me->verdict.device_uuid))
			continue;
		snprintf(kname, sizeof(kname), "vd%c", 'a' + (int)d);
		mdc_verdict_disk(&me->verdict, w->now_ms, &disk, NULL, &out);
	}
	mdc_verdict_looked(&me->verdict, w->now_ms, w->now_ms - roll(w, 2) * MDC_VERDICT_QUIET_MS, 0,
			   &out);
	do_verdict(w, n, &out);
}

static void fence(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];

	w->truth.in[n] = w->truth.up[n] = false;
	memset(&w->truth.attr[n], 0, sizeof(w->truth.attr[n]));
	memset(&me->announce, 0, sizeof(me->announce));
	memset(&me->propose, 0, sizeof(me->propose));
	memset(&me->verdict, 0, sizeof(me->verdict));
	me->waits = me->searching = false;
	w->group[n].hold_ms = 0;	/* lost with the process */
	leave_group(w, n);
	w->group[n].own[0] = '\0';
}

static void start(struct world *w, unsigned int n, bool daemon)
{
	w->truth.in[n] = w->truth.up[n] = true;
	w->node[n].connected = true;
	w->node[n].daemon = daemon;
	w->truth.attr[n].state = daemon;
	w->node[n].seen = w->truth;
	/* Now and then one without the fast way. */
	if (daemon && roll(w, 8))
		join_group(w, n);
}

/* mdclusterd is killed: its attributes stay, and so does a proposal; the kernel goes on. */
static void kill_daemon(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];

	memset(&me->announce, 0, sizeof(me->announce));
	memset(&me->propose, 0, sizeof(me->propose));
	memset(&me->verdict, 0, sizeof(me->verdict));
	me->daemon = me->waits = me->searching = false;
	w->group[n].hold_ms = 0;	/* lost with the process */
	leave_group(w, n);
	w->group[n].own[0] = '\0';
}

static void happens(struct world *w)
{
	unsigned int n = roll(w, NODES);
	struct node *me = &w->node[n];
	struct mdc_propose_actions out = { 0 };

	switch (roll(w, 40)) {
	case 0:
	case 1:
		add(w, n);
		break;
	case 2:
		announce(w, n);
		break;
	case 3:
		w->sees[n][roll(w, 4)] ^= 1;
		break;
	case 4:
		if (w->truth.in[n])
			fence(w, n);
		else
			start(w, n, roll(w, 4));
		break;
	case 5:
		if (me->daemon)
			kill_daemon(w, n);
		else if (w->truth.in[n])
			start(w, n, true);
		break;
	case 6:
		me->connected = !me->connected || roll(w, 2);
		look(w, n);
		break;
	case 7:		/* mdadm is ended */
		if (!me->waits)
			break;
		me->waits = false;
		w->overs++;
		mdc_propose_over(&me->propose, w->now_ms, me->proposal, &out);
		do_propose(w, n, &out);
		break;
	case 8:		/* mdclusterctl is ended */
		mdc_propose_cancel(&me->announce, w->now_ms, "Ctrl-C", &out);
		do_announce(w, n, &out);
		break;
	case 9:		/* corosync is restarted, or a word did not get out in time */
		if (!me->daemon)
			break;
		if (w->group[n].in)
			leave_group(w, n);
		else
			join_group(w, n);
		look(w, n);
		break;
	default:
		break;
	}
}

static void hear(struct world *w, unsigned int n)
{
	struct membership *m = &w->group[n];
	unsigned int end = w->n_events;

	/* One that is slow hears a word later than the CIB shows it. */
	while (m->in && m->next < end && roll(w, 4)) {
		const struct event *e = &w->events[m->next++];
		struct mdc_word word = { .name = ADD };

		memcpy(word.value, e->value, sizeof(word.value));
		if (e->kind == JOINED)
			happens_in_group(w, n, SAID, m->own);
		if (e->node == n + 1 && is_out(w, n))
			look(w, n);
		if (e->kind == JOINED || e->node == n + 1)
			continue;
		if (e->kind == LEFT && m->hold_ms)
			write_add(w, n);
		if (e->kind == LEFT)
			mdc_heard_forget(&w->heard[n], e->node, e->pid);
		else if (mdc_heard_take(&w->heard[n], e->node, e->pid, &word) == 1)
			w->news++;
		look(w, n);
	}
}

static void each_node(struct world *w, unsigned int n)
{
	struct node *me = &w->node[n];
	struct mdc_propose_actions out = { 0 }, aout = { 0 };
	struct mdc_verdict_actions vout = { 0 };

	if (!w->truth.in[n] || !me->daemon)
		return;
	if (me->searching && w->now_ms >= me->search_done_ms)
		search_ends(w, n);
	if (w->group[n].hold_ms && w->now_ms >= w->group[n].hold_ms)
		write_add(w, n);
	/* A view comes now and then, whole, and what happened before it is lost. */
	hear(w, n);
	if (me->connected && !roll(w, w->cib_odds)) {
		me->seen = w->truth;
		look(w, n);
	}
	if (mdc_propose_underway(&me->propose) && !roll(w, 6)) {
		if (roll(w, 4))
			mdc_propose_added(&me->propose, w->now_ms, &out);
		else
			mdc_propose_failed(&me->propose, w->now_ms, me->disk, &out);
	}
	mdc_verdict_tick(&me->verdict, w->now_ms, &vout);
	do_verdict(w, n, &vout);
	mdc_propose_tick(&me->announce, w->now_ms, &aout);
	do_announce(w, n, &aout);
	mdc_propose_tick(&me->propose, w->now_ms, &out);
	do_propose(w, n, &out);
	if (me->waits && w->now_ms >= me->kernel_until_ms)
		broken(w, n, "the kernel's own wait is over, and there is no verdict");
}

static void no_group(struct world *w, bool words)
{
	memset(w->group, 0, sizeof(w->group));
	for (unsigned int n = 0; n < NODES; n++)
		w->heard[n].n = 0;
	w->n_events = 0;
	w->words = words;
}

static void run(struct world *w, unsigned int seed)
{
	memset(w->node, 0, sizeof(w->node));
	memset(&w->truth, 0, sizeof(w->truth));
	w->seed = seed;
	w->rand = seed * 2654435761ull + 1;
	w->now_ms = 0;
	no_group(w, seed % 2);
	w->cib_odds = w->words ? 12 : 4;
	for (unsigned int n = 0; n < NODES; n++) {
		for (unsigned int d = 0; d < 4; d++)
			w->sees[n][d] = roll(w, 8);
		start(w, n, true);
	}
	for (unsigned int n = 0; n < NODES; n++)
		w->node[n].seen = w->truth;
	for (unsigned int i = 0; i < STEPS; i++) {
		w->now_ms += STEP_MS;
		happens(w);
		for (unsigned int n = 0; n < NODES; n++)
			each_node(w, n);
	}
}

static void test_many(void **state)
{
	const char *one = getenv("MDC_SIM_SEED");
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	if (one) {
		run(w, (unsigned int)strtoul(one, NULL, 10));
		free(w);
		return;
	}
	for (unsigned int seed = 1; seed <= SEEDS; seed++)
		run(w, seed);
	/* That all of it is met often enough to mean something. */
	assert_true(w->asked > SEEDS / 4 && w->proceeds > w->asked);
	assert_true(w->refusals > w->busy + 100 && w->busy > 100 && w->overs > 100);
	assert_true(w->agreed > 100 && w->declined > 100 && w->put_off > 100);
	assert_true(w->news > SEEDS);
	free(w);
}

/* Without faults: all see it, so each add alone goes on, and soon. */
static void plain(struct world *w, unsigned int seed, bool words)
{
	unsigned int before = w->asked;

	w->seed = seed;
	w->rand = seed;
	memset(w->node, 0, sizeof(w->node));
	memset(&w->truth, 0, sizeof(w->truth));
	no_group(w, words);
	for (unsigned int n = 0; n < NODES; n++)
		start(w, n, true);
	for (unsigned int n = 0; n < NODES; n++) {
		w->node[n].seen = w->truth;
		join_group(w, n);
	}
	add(w, seed % NODES);
	for (unsigned int i = 0; i < PATIENCE / STEP_MS && w->asked == before; i++) {
		w->now_ms += STEP_MS;
		for (unsigned int n = 0; n < NODES; n++)
			each_node(w, n);
	}
	assert_int_equal(w->asked, before + 1);
	assert_int_equal(w->refusals, 0);
}

static void test_plain(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	memset(w->sees, true, sizeof(w->sees));
	w->cib_odds = 4;
	for (unsigned int seed = 1; seed <= 200; seed++)
		plain(w, seed, false);
	/* The CIB's views are as good as none: all of it goes through the group. */
	w->cib_odds = UINT_MAX;
	for (unsigned int seed = 1; seed <= 200; seed++)
		plain(w, seed, true);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("addsim", tests, NULL, NULL);
}
