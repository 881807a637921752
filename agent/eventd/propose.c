/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what core/propose.c decides about a disk that this node's kernel is about to
 * add, and tells it what came of it (DESIGN.md, the add, steps 2 to 5). From Linux 6.7 on the
 * array's writers on this node wait meanwhile: the verdict goes out before anything else.
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"
#include "mdcluster.h"
#include "port/mdsys.h"

#define TRAVEL_MS 500		/* what is left of the kernel's own wait */

static void perform(struct mdc_tracked *t, const struct mdc_propose_actions *actions);

uint32_t mdc_self(const struct mdc_tracked *t)
{
	uint32_t self = mdc_corosync_view(t->daemon->coro)->nodeid;
	unsigned int i;

	for (i = 0; !self && t->module && i < t->module->n_members; i++)
		if (t->module->slot && t->module->members[i].slot == t->module->slot)
			self = t->module->members[i].node;
	return self;
}

bool mdc_lockspace_nodes(const struct mdc_tracked *t, uint32_t nodes[MDC_MOD_MEMBERS_MAX],
			 unsigned int *n)
{
	const struct mdc_coro_lockspace *ls;
	unsigned int i;

	*n = 0;
	/* Our module knows it from the DLM itself. */
	if (t->module && t->module->n_members) {
		for (i = 0; i < t->module->n_members; i++)
			nodes[(*n)++] = t->module->members[i].node;
		return true;
	}
	ls = mdc_coro_lockspace(mdc_corosync_view(t->daemon->coro), &t->track.uuid);
	if (!ls || !ls->known)
		return false;
	for (i = 0; i < ls->n && i < MDC_MOD_MEMBERS_MAX; i++)
		nodes[(*n)++] = ls->nodes[i];
	return true;
}

struct mdc_propose_seen mdc_propose_see(const struct mdc_tracked *t, uint32_t *nodes)
{
	struct mdc_propose_seen seen = {
		.self = mdc_self(t), .id = t->track.id,
	};
	bool connected = false;
	const struct mdc_cibview *view = mdc_add_view(t->daemon, &connected);

	if (mdc_lockspace_nodes(t, nodes, &seen.n_members))
		seen.members = nodes;
	seen.view = connected ? view : NULL;
	seen.heard = mdc_words_heard(t->daemon->words);
	seen.out = mdc_words_out(t->daemon->words);
	return seen;
}

static gboolean deadline(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_propose_actions out = { 0 };

	t->propose_timer = 0;
	mdc_propose_tick(&t->propose, mdc_now_ms(), &out);
	perform(t, &out);
	return G_SOURCE_REMOVE;
}

static void arm(struct mdc_tracked *t)
{
	mdc_timer_at(&t->propose_timer, mdc_propose_deadline(&t->propose), G_PRIORITY_HIGH,
		     deadline, t);
}

static void verdict(struct mdc_tracked *t, const char *refusal)
{
	int ret = mdc_netlink_verdict(t->daemon->netlink, &t->track.uuid, t->propose.proposal,
				      refusal);

	if (ret)
		mdc_err("%s: cannot give the kernel the verdict on raid disk %u: %s. It goes on "
			"without it when its own wait is over, and asks each node by itself",
			t->track.device, t->propose.raid_disk, strerror(-ret));
}

static void publish(struct mdc_tracked *t)
{
	char value[MDC_ATTR_VALUE_MAX];

	mdc_publish_add_value(t, mdc_propose_attr(&t->propose, value) ? value : NULL);
}

static void say_proceed(const struct mdc_tracked *t)
{
	const struct mdc_propose *p = &t->propose;
	char found[256], others[256];

	mdc_propose_names(p, MDC_ANSWER_FOUND, found, sizeof(found));
	mdc_propose_names(p, MDC_ANSWER_NOT_ASKED, others, sizeof(others));
	if (p->reason[0])
		mdc_notice("%s: raid disk %u goes on without asking the nodes first: %s. The "
			   "kernel asks each of them", t->track.device, p->raid_disk, p->reason);
	else
		mdc_notice("%s: raid disk %u is seen by %s: going on, %lld ms after the "
			   "question%s%s", t->track.device, p->raid_disk, found,
			   (long long)(mdc_now_ms() - p->started_ms), others[0] ?
			   "; without mdclusterd, and so asked by the kernel alone: " : "", others);
}

static void say_done(const struct mdc_tracked *t)
{
	const struct mdc_propose *p = &t->propose;

	if (p->phase == MDC_PROPOSE_ADDED)
		mdc_notice("%s: raid disk %u was added, %lld ms after the question",
			   t->track.device, p->raid_disk,
			   (long long)(p->ended_ms - p->started_ms));
	else if (p->phase == MDC_PROPOSE_OVER)
		mdc_notice("%s: raid disk %u: %s", t->track.device, p->raid_disk, p->reason);
}

static void say_refuse(const struct mdc_tracked *t)
{
	char uuid[MDC_UUID_COLON];

	mdc_uuid_colon(&t->propose.device_uuid, uuid);
	mdc_warn("%s: adding raid disk %u (device UUID %s) is refused: %s. Nothing has changed in "
		 "the array; see to the disk there, then add it again", t->track.device,
		 t->propose.raid_disk, uuid, t->propose.reason);
}

static void perform(struct mdc_tracked *t, const struct mdc_propose_actions *actions)
{
	unsigned int i;

	for (i = 0; i < actions->n; i++) {
		switch (actions->a[i]) {
		case MDC_PROPOSE_PROCEED:
			verdict(t, NULL);
			break;
		case MDC_PROPOSE_REFUSE:
			verdict(t, t->propose.reason);
			break;
		case MDC_PROPOSE_PUBLISH:
			publish(t);
			break;
		case MDC_PROPOSE_DONE:
			say_done(t);
			break;
		}
	}
	/* Last, as a log file may be slow. */
	for (i = 0; i < actions->n; i++) {
		if (actions->a[i] == MDC_PROPOSE_PROCEED)
			say_proceed(t);
		else if (actions->a[i] == MDC_PROPOSE_REFUSE)
			say_refuse(t);
	}
	arm(t);
}

static int64_t patience(const struct mdc_tracked *t, uint32_t kernel_ms)
{
	int64_t ms = t->track.verdict_wait_s * 1000ll, most = (int64_t)kernel_ms - TRAVEL_MS;

	return ms < most ? ms : most;
}

int64_t mdc_verdict_patience(const struct mdc_tracked *t)
{
	uint32_t kernel_ms = t->module ? t->module->verdict_timeout_ms : 0;

	return patience(t, kernel_ms ? kernel_ms : MDC_VERDICT_TIMEOUT_MS);
}

static void say_asking(const struct mdc_tracked *t)
{
	const struct mdc_propose *p = &t->propose;
	char asked[256], others[256], uuid[MDC_UUID_COLON];

	mdc_uuid_colon(&p->device_uuid, uuid);
	mdc_propose_names(p, MDC_ANSWER_WAITING, asked, sizeof(asked));
	mdc_propose_names(p, MDC_ANSWER_NOT_ASKED, others, sizeof(others));
	mdc_notice("%s: this node adds a disk as raid disk %u, device UUID %s: asking %s%s%s",
		   t->track.device, p->raid_disk, uuid, asked, others[0] ?
		   "; without mdclusterd, and so asked by the kernel alone: " : "", others);
}

/* Is it the disk that the others were asked for last? */
static bool is_announced(const struct mdc_tracked *t, const struct mdc_mod_notice *n)
{
	const struct mdc_blockdev *asked = &t->announce_disk;
	struct mdc_blockdev dev;

	return n->disk && mdc_blockdev_get(t->daemon->sys, asked->kname, &dev) &&
	       n->disk == ((uint64_t)dev.major << 32 | dev.minor) && dev.seq == asked->seq;
}

void mdc_propose_request(struct mdc_daemon *d, const struct mdc_mod_notice *n)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, &n->uuid);
	uint32_t nodes[MDC_MOD_MEMBERS_MAX];
	struct mdc_propose_actions out = { 0 };
	struct mdc_propose_seen seen;
	struct mdc_array now;

	if (!t) {
		int ret = mdc_netlink_verdict(d->netlink, &n->uuid, n->proposal, NULL);

		mdc_notice("%s: a disk is added, but the array is not under Pacemaker on this "
			   "node: the kernel asks each node by itself%s%s", n->md,
			   ret ? "; it could not be told: " : "", ret ? strerror(-ret) : "");
		return;
	}
	if (!t->module)
		mdc_module_refresh(d);
	/* Writers wait for this one, and the node has one attribute for both. */
	mdc_announce_stop(t, "another disk is being added on this node: try again when that is "
			  "done");
	t->before_add = t->array;
	seen = mdc_propose_see(t, nodes);
	if (!is_announced(t, n) ||
	    !mdc_propose_agreed(&t->propose, mdc_now_ms(), n->proposal, &n->device_uuid,
				n->device, &t->announce, &seen, &out))
		mdc_propose_begin(&t->propose, mdc_now_ms(), n->proposal, &n->device_uuid,
				  n->device, patience(t, n->timeout_ms), &seen, &out);
	perform(t, &out);
	/* As it is without the new member, which is known by its being new. */
	if (mdc_mdsys_read(d->sys, t->track.md, &now))
		mdc_warn("%s: %s cannot be looked at", t->track.device, t->track.md);
	else
		t->before_add = now;
	if (t->propose.phase == MDC_PROPOSE_ASKING) {
		say_asking(t);
		mdc_proposals_look(t);
	}
	/* Nothing else would tell, should this mdadm end without having let go of it. */
	mdc_frozen_look(t, t->before_add.sync_action);
}

void mdc_proposals_look(struct mdc_tracked *t)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX], rival;
	struct mdc_propose_actions out = { 0 };
	struct mdc_propose_seen seen;

	if (!t->tracked)
		return;
	rival = mdc_verdict_view(t);
	mdc_announce_look(t, rival);
	if (t->propose.phase != MDC_PROPOSE_ASKING)
		return;
	if (rival)
		mdc_propose_rival(&t->propose, mdc_now_ms(), rival, &out);
	seen = mdc_propose_see(t, nodes);
	mdc_propose_look(&t->propose, mdc_now_ms(), &seen, &out);
	perform(t, &out);
}

void mdc_propose_observed(struct mdc_tracked *t)
{
	struct mdc_propose_actions out = { 0 };
	unsigned int i, k;

	if (t->propose.phase != MDC_PROPOSE_PROCEEDING && t->propose.phase != MDC_PROPOSE_OVER)
		return;
	for (i = 0; i < t->array.n_members; i++) {
		for (k = 0; k < t->before_add.n_members; k++)
			if (!strcmp(t->array.members[i].device, t->before_add.members[k].device))
				break;
		if (k == t->before_add.n_members)
			break;
	}
	if (i == t->array.n_members)
		return;
	mdc_propose_added(&t->propose, mdc_now_ms(), &out);
	perform(t, &out);
}

bool mdc_propose_event(struct mdc_tracked *t, const struct mdc_mod_notice *n)
{
	struct mdc_propose_actions out = { 0 };
	bool known = t->propose.phase == MDC_PROPOSE_REFUSED && t->propose.raid_disk == n->value;

	if (!n->have_value)
		return false;
	if (n->event == MDCLUSTER_EVENT_PROPOSAL_OVER && n->value == t->propose.raid_disk)
		mdc_propose_over(&t->propose, mdc_now_ms(), 0, &out);
	else if (n->event == MDCLUSTER_EVENT_ADD_REFUSED)
		mdc_propose_failed(&t->propose, mdc_now_ms(), n->value, &out);
	perform(t, &out);
	return n->event == MDCLUSTER_EVENT_ADD_REFUSED && known;
}

void mdc_propose_not_taken(struct mdc_tracked *t, uint64_t proposal, int err)
{
	struct mdc_propose_actions out = { 0 };

	if (t->propose.proposal != proposal)
		return;
	if (err != ENOENT)
		mdc_err("%s: the kernel did not take the verdict on raid disk %u: %s",
			t->track.device, t->propose.raid_disk, strerror(err));
	mdc_propose_cancel(&t->propose, mdc_now_ms(), "the kernel no longer waited for the verdict",
			   &out);
	perform(t, &out);
}

void mdc_propose_cib_failed(const char *name, const char *why, void *data)
{
	struct mdc_daemon *d = data;
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];
		struct mdc_propose_actions out = { 0 };
		char own[MDC_ATTR_NAME_MAX];

		if (!t->tracked || mdc_attr_name(own, t->track.id, MDC_ATTR_ADD) ||
		    strcmp(own, name))
			continue;
		mdc_propose_unwritten(&t->propose, mdc_now_ms(), why, &out);
		perform(t, &out);
		mdc_announce_cib_failed(t, why);
	}
}

void mdc_propose_stop(struct mdc_tracked *t)
{
	struct mdc_propose_actions out = { 0 };

	/* The array may well go on without this process, and its writers are not to wait. */
	if (t->propose.phase == MDC_PROPOSE_ASKING)
		verdict(t, NULL);
	mdc_propose_cancel(&t->propose, mdc_now_ms(), "the array was stopped meanwhile", &out);
	perform(t, &out);
}
