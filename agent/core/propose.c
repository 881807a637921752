/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the decision on a disk that this node's kernel is about to add. All of it is made anew
 * from what is known at each change, so that views that come late, twice or with a peer
 * less need no care of their own. An answer counts only with the proposal's own number; once
 * given it stays, until that peer says something else of the same proposal or leaves.
 */
#include "core/propose.h"

#include <stdio.h>
#include <string.h>

#include "core/verdict.h"

static void emit(struct mdc_propose_actions *out, enum mdc_propose_do what)
{
	if (out->n < MDC_PROPOSE_ACTIONS_MAX)
		out->a[out->n++] = what;
}

static void say(struct mdc_propose *p, const char *why)
{
	snprintf(p->reason, sizeof(p->reason), "%s", why);
}

static void end(struct mdc_propose *p, int64_t now_ms, enum mdc_propose_phase phase,
		struct mdc_propose_actions *out)
{
	p->phase = phase;
	p->ended_ms = now_ms;
	emit(out, MDC_PROPOSE_PUBLISH);
	emit(out, MDC_PROPOSE_DONE);
}

/*
 * The kernel waits for it, and the array's writers with the kernel: so nothing is written to the CIB
 * now, and the proposal stands there until the result is known.
 */
static void proceed(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	emit(out, MDC_PROPOSE_PROCEED);
	if (p->announced) {
		end(p, now_ms, MDC_PROPOSE_AGREED, out);
		return;
	}
	p->phase = MDC_PROPOSE_PROCEEDING;
	p->deadline_ms = now_ms + MDC_PROPOSE_SETTLE_MS;
}

static void refuse(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	emit(out, MDC_PROPOSE_REFUSE);
	end(p, now_ms, MDC_PROPOSE_REFUSED, out);
}

bool mdc_propose_refuses(const struct mdc_propose_peer *peer)
{
	return peer->answer == MDC_ANSWER_MISSING ||
	       (peer->answer == MDC_ANSWER_WAITING && peer->reason.why == MDC_WHY_SILENT);
}

static unsigned int count(const struct mdc_propose *p, enum mdc_propose_answer answer)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->n_peers; i++)
		n += p->peers[i].answer == answer;
	return n;
}

/* Those that have not said a word; at the end, with nothing found, those that looked as well. */
static void name_silent(struct mdc_propose *p, bool end)
{
	unsigned int i;

	for (i = 0; i < p->n_peers; i++) {
		struct mdc_propose_peer *peer = &p->peers[i];

		if (peer->answer != MDC_ANSWER_WAITING || (peer->looking && !end))
			continue;
		if (peer->looking)
			peer->answer = MDC_ANSWER_MISSING;
		mdc_reason_set(&peer->reason, peer->looking ? MDC_WHY_UNSEEN : MDC_WHY_SILENT, NULL);
	}
}

static unsigned int count_refused(const struct mdc_propose *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->n_peers; i++)
		n += mdc_propose_refuses(&p->peers[i]);
	return n;
}

/* "n2: does not see it; n3: no answer" */
static void refuse_peers(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	unsigned int i, left = count_refused(p);

	p->reason[0] = '\0';
	for (i = 0; i < p->n_peers && left; i++) {
		const struct mdc_propose_peer *peer = &p->peers[i];
		char text[MDC_ADD_REASON_MAX], item[MDC_NAME_MAX + MDC_ADD_REASON_MAX + 2];

		if (!mdc_propose_refuses(peer))
			continue;
		mdc_reason_text(&peer->reason, text);
		snprintf(item, sizeof(item), "%s: %s", peer->name, text);
		if (!mdc_list_add(p->reason, sizeof(p->reason), "; ", item, !--left))
			break;
	}
	refuse(p, now_ms, out);
}

/* When those that are silent are to be named; -1: they are. */
static int64_t silent_at(const struct mdc_propose *p)
{
	int64_t heard_ms = (p->deadline_ms - p->started_ms) / 3;
	unsigned int i;

	/* A person who has announced a disk has time, and a busy node may need it. */
	if (p->silent_ms < 0 || p->announced || p->said_ms < 0)
		return p->silent_ms;
	for (i = 0; i < p->n_peers; i++)
		if (p->peers[i].answer == MDC_ANSWER_WAITING && !p->peers[i].looking &&
		    !p->peers[i].heard)
			return p->silent_ms;
	if (heard_ms < MDC_PROPOSE_SILENT_HEARD_MIN_MS)
		heard_ms = MDC_PROPOSE_SILENT_HEARD_MIN_MS;
	heard_ms += p->said_ms;
	return heard_ms < p->silent_ms ? heard_ms : p->silent_ms;
}

static void decide(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	int64_t at = silent_at(p);
	unsigned int refused, awaited = 0, i;

	if (p->phase != MDC_PROPOSE_ASKING)
		return;
	if (at >= 0 && now_ms >= at) {
		name_silent(p, false);
		p->silent_ms = -1;
	}
	if (now_ms >= p->deadline_ms)
		name_silent(p, true);
	refused = count_refused(p);
	for (i = 0; i < p->n_peers; i++)
		awaited += p->peers[i].answer == MDC_ANSWER_WAITING &&
			   !mdc_propose_refuses(&p->peers[i]);
	if (!refused) {
		/* The one that had refused may have left. */
		p->refuse_ms = -1;
		if (!awaited)
			proceed(p, now_ms, out);
		return;
	}
	/* Nobody waits for the end of an announcement but a person, who wants to hear all. */
	if (p->refuse_ms < 0)
		p->refuse_ms = p->announced ? p->deadline_ms : now_ms + MDC_PROPOSE_GRACE_MS;
	if (!awaited || now_ms >= p->refuse_ms)
		refuse_peers(p, now_ms, out);
}

static struct mdc_propose_peer *peer_of(struct mdc_propose *p, uint32_t node)
{
	struct mdc_propose_peer *peer;
	unsigned int i;

	for (i = 0; i < p->n_peers; i++)
		if (p->peers[i].node == node)
			return &p->peers[i];
	if (p->n_peers == MDC_PROPOSE_PEERS_MAX)
		return NULL;
	peer = &p->peers[p->n_peers++];
	memset(peer, 0, sizeof(*peer));
	peer->node = node;
	snprintf(peer->name, sizeof(peer->name), "node %u", node);
	return peer;
}

static bool is_answer(const struct mdc_propose *p, const struct mdc_addtext *text)
{
	return (text->kind == MDC_ADD_LOOKING || text->kind == MDC_ADD_FOUND ||
		text->kind == MDC_ADD_MISSING) &&
	       text->node == p->self && text->number == mdc_propose_number(p) &&
	       text->raid_disk == p->raid_disk &&
	       mdc_add_head_equal(&text->device_uuid, &p->device_uuid);
}

static void hear(struct mdc_propose *p, struct mdc_propose_peer *peer,
		 const struct mdc_propose_seen *seen)
{
	const struct mdc_cib_node *node = mdc_cibview_node(seen->view, peer->node);
	char state[MDC_ATTR_NAME_MAX], add[MDC_ATTR_NAME_MAX];
	struct mdc_addtext text;
	const char *value;

	if (!node || mdc_attr_name(state, seen->id, MDC_ATTR_STATE) ||
	    mdc_attr_name(add, seen->id, MDC_ATTR_ADD))
		return;
	snprintf(peer->name, sizeof(peer->name), "%s", node->name);
	peer->heard = seen->heard && mdc_heard_node(seen->heard, peer->node, add);
	value = mdc_cibview_attr(seen->view, peer->node, add);
	if (value && !mdc_addtext_parse(&text, value) && is_answer(p, &text)) {
		peer->answer = text.kind == MDC_ADD_LOOKING ? MDC_ANSWER_WAITING :
			       text.kind == MDC_ADD_FOUND ? MDC_ANSWER_FOUND : MDC_ANSWER_MISSING;
		peer->looking = text.kind == MDC_ADD_LOOKING;
		memcpy(peer->device, text.device, sizeof(peer->device));
		peer->reason = text.reason;
		return;
	}
	if (peer->answer == MDC_ANSWER_FOUND || peer->answer == MDC_ANSWER_MISSING)
		return;
	/* An mdclusterd that looks after the array says how it stands. */
	peer->answer = mdc_cibview_attr(seen->view, peer->node, state) ? MDC_ANSWER_WAITING :
		       MDC_ANSWER_NOT_ASKED;
}

static void drop_gone(struct mdc_propose *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->n_peers; i++)
		if (p->peers[i].in)
			p->peers[n++] = p->peers[i];
	p->n_peers = n;
}

/* Who has the array is not known for the moment: those that were asked still count. */
static void take_asked(struct mdc_propose *p, const struct mdc_propose_seen *seen)
{
	unsigned int i;

	for (i = 0; seen->view && i < p->n_peers; i++)
		hear(p, &p->peers[i], seen);
}

static void take(struct mdc_propose *p, const struct mdc_propose_seen *seen)
{
	unsigned int i;

	if (!seen->members) {
		take_asked(p, seen);
		return;
	}
	for (i = 0; i < p->n_peers; i++)
		p->peers[i].in = false;
	for (i = 0; i < seen->n_members; i++) {
		struct mdc_propose_peer *peer = NULL;

		if (seen->members[i] != p->self)
			peer = peer_of(p, seen->members[i]);
		if (!peer)
			continue;
		peer->in = true;
		if (seen->view)
			hear(p, peer, seen);
	}
	drop_gone(p);
}

static void unheard(struct mdc_propose *p, int64_t now_ms, const char *why,
		    struct mdc_propose_actions *out)
{
	/* A refusal that has come stays one. */
	if (count(p, MDC_ANSWER_MISSING)) {
		refuse_peers(p, now_ms, out);
		return;
	}
	say(p, why);
	/* The kernel asks each node by itself; mdclusterctl has time for a better moment. */
	if (p->announced)
		end(p, now_ms, MDC_PROPOSE_OVER, out);
	else
		proceed(p, now_ms, out);
}

static void nobody(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	say(p, p->n_peers ? "no other node of the array runs mdclusterd" :
	    "no other node has the array");
	proceed(p, now_ms, out);
}

static void ask(struct mdc_propose *p, int64_t now_ms, int64_t patience_ms,
		const struct mdc_propose_seen *seen, struct mdc_propose_actions *out)
{
	p->phase = MDC_PROPOSE_ASKING;
	p->self = seen->self;
	p->started_ms = now_ms;
	p->said_ms = -1;
	p->deadline_ms = now_ms + patience_ms;
	p->silent_ms = patience_ms / 2 > MDC_PROPOSE_SILENT_MIN_MS ? patience_ms / 2 :
		       MDC_PROPOSE_SILENT_MIN_MS;
	p->silent_ms += now_ms;
	p->refuse_ms = -1;
	take(p, seen);
	if (!seen->view || !seen->self) {
		unheard(p, now_ms, "no connection to Pacemaker, so that no node can be asked", out);
	} else if (!seen->members) {
		unheard(p, now_ms, "corosync does not say which nodes have the array", out);
	} else if (!count(p, MDC_ANSWER_WAITING)) {
		nobody(p, now_ms, out);
	} else {
		emit(out, MDC_PROPOSE_PUBLISH);
	}
}

void mdc_propose_begin(struct mdc_propose *p, int64_t now_ms, uint64_t proposal,
		       const struct mdc_uuid *device_uuid, uint32_t raid_disk, int64_t patience_ms,
		       const struct mdc_propose_seen *seen, struct mdc_propose_actions *out)
{
	memset(p, 0, sizeof(*p));
	p->proposal = proposal;
	p->device_uuid = *device_uuid;
	p->raid_disk = raid_disk;
	if (patience_ms < MDC_PROPOSE_PATIENCE_MIN_MS)
		patience_ms = MDC_PROPOSE_PATIENCE_MIN_MS;
	ask(p, now_ms, patience_ms, seen, out);
}

static bool agreed_by_all(const struct mdc_propose *announced, const struct mdc_propose_seen *seen)
{
	unsigned int i, k;

	for (i = 0; seen->members && i < seen->n_members; i++) {
		for (k = 0; k < announced->n_peers; k++)
			if (announced->peers[k].node == seen->members[i] &&
			    announced->peers[k].answer == MDC_ANSWER_FOUND)
				break;
		if (k == announced->n_peers && seen->members[i] != announced->self)
			return false;
	}
	return seen->members && announced->n_peers;
}

bool mdc_propose_agreed(struct mdc_propose *p, int64_t now_ms, uint64_t proposal,
			const struct mdc_uuid *device_uuid, uint32_t raid_disk,
			struct mdc_propose *announced, const struct mdc_propose_seen *seen,
			struct mdc_propose_actions *out)
{
	if (announced->phase != MDC_PROPOSE_AGREED ||
	    now_ms - announced->ended_ms >= MDC_PROPOSE_AGREED_MS ||
	    !agreed_by_all(announced, seen))
		return false;
	memset(p, 0, sizeof(*p));
	p->proposal = proposal;
	p->device_uuid = *device_uuid;
	p->raid_disk = raid_disk;
	p->self = announced->self;
	p->started_ms = now_ms;
	p->n_peers = announced->n_peers;
	memcpy(p->peers, announced->peers, sizeof(p->peers));
	announced->phase = MDC_PROPOSE_NONE;
	proceed(p, now_ms, out);
	return true;
}

void mdc_propose_announce(struct mdc_propose *p, int64_t now_ms, uint32_t number,
			  const struct mdc_uuid *nonce, uint64_t sectors, const char *disk,
			  uint32_t wait_s, const struct mdc_propose_seen *seen,
			  struct mdc_propose_actions *out)
{
	memset(p, 0, sizeof(*p));
	p->announced = true;
	p->proposal = number;
	p->device_uuid = *nonce;
	p->raid_disk = MDC_ADD_NO_DISK;
	p->wait_s = wait_s;
	p->sectors = sectors;
	snprintf(p->disk, sizeof(p->disk), "%s", disk);
	ask(p, now_ms, mdc_verdict_announced_ms(wait_s) + MDC_ANNOUNCE_TRAVEL_MS, seen, out);
}

void mdc_propose_look(struct mdc_propose *p, int64_t now_ms, const struct mdc_propose_seen *seen,
		      struct mdc_propose_actions *out)
{
	if (p->phase != MDC_PROPOSE_ASKING)
		return;
	if (p->said_ms < 0 && seen->out)
		p->said_ms = now_ms;
	take(p, seen);
	if (!seen->view)
		unheard(p, now_ms, "the connection to Pacemaker was lost, so that no node can "
			"answer", out);
	else
		decide(p, now_ms, out);
}

void mdc_propose_rival(struct mdc_propose *p, int64_t now_ms, uint32_t node,
		       struct mdc_propose_actions *out)
{
	struct mdc_propose_peer *peer;

	if (p->phase != MDC_PROPOSE_ASKING || node == p->self)
		return;
	peer = peer_of(p, node);
	if (!peer)
		return;
	peer->answer = MDC_ANSWER_MISSING;
	mdc_reason_set(&peer->reason, MDC_WHY_BUSY, NULL);
	refuse_peers(p, now_ms, out);
}

void mdc_propose_unwritten(struct mdc_propose *p, int64_t now_ms, const char *why,
			   struct mdc_propose_actions *out)
{
	char text[MDC_PROPOSE_REASON_MAX];

	if (p->phase != MDC_PROPOSE_ASKING)
		return;
	snprintf(text, sizeof(text), "the proposal could not be written to the CIB (%s)", why);
	unheard(p, now_ms, text, out);
}

void mdc_propose_over(struct mdc_propose *p, int64_t now_ms, uint64_t proposal,
		      struct mdc_propose_actions *out)
{
	if ((p->phase != MDC_PROPOSE_ASKING && p->phase != MDC_PROPOSE_PROCEEDING) ||
	    (proposal && proposal != p->proposal))
		return;
	say(p, p->phase == MDC_PROPOSE_ASKING ?
	    "the kernel did not wait for the verdict: mdadm was ended, or it took too long" :
	    "the kernel has given the add up, refused by no node: mdadm was ended, or this node "
	    "could not go on with it; its kernel log says which");
	end(p, now_ms, MDC_PROPOSE_OVER, out);
}

void mdc_propose_cancel(struct mdc_propose *p, int64_t now_ms, const char *why,
			struct mdc_propose_actions *out)
{
	if (p->phase != MDC_PROPOSE_ASKING && p->phase != MDC_PROPOSE_PROCEEDING)
		return;
	say(p, why);
	end(p, now_ms, MDC_PROPOSE_OVER, out);
}

/* May what the kernel shows now have come of it? Of a later add, perhaps another node's, else. */
static bool result_due(const struct mdc_propose *p, int64_t now_ms)
{
	return p->phase == MDC_PROPOSE_PROCEEDING ||
	       (p->phase == MDC_PROPOSE_OVER && now_ms < p->ended_ms + MDC_PROPOSE_SETTLE_MS);
}

void mdc_propose_added(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	if (!result_due(p, now_ms))
		return;
	p->reason[0] = '\0';
	end(p, now_ms, MDC_PROPOSE_ADDED, out);
}

void mdc_propose_failed(struct mdc_propose *p, int64_t now_ms, uint32_t raid_disk,
			struct mdc_propose_actions *out)
{
	if (!result_due(p, now_ms) || raid_disk != p->raid_disk)
		return;
	say(p, "a node refused it, or did not answer, when the kernel asked");
	end(p, now_ms, MDC_PROPOSE_REFUSED, out);
}

void mdc_propose_tick(struct mdc_propose *p, int64_t now_ms, struct mdc_propose_actions *out)
{
	decide(p, now_ms, out);
	if (p->phase != MDC_PROPOSE_PROCEEDING || now_ms < p->deadline_ms)
		return;
	mdc_propose_cancel(p, now_ms, "what came of it is not known", out);
}

int64_t mdc_propose_deadline(const struct mdc_propose *p)
{
	int64_t at = p->deadline_ms, silent = silent_at(p);

	if (p->phase == MDC_PROPOSE_PROCEEDING)
		return at;
	if (p->phase != MDC_PROPOSE_ASKING)
		return -1;
	if (p->refuse_ms >= 0 && p->refuse_ms < at)
		at = p->refuse_ms;
	return silent >= 0 && silent < at ? silent : at;
}

uint32_t mdc_propose_number(const struct mdc_propose *p)
{
	return (uint32_t)p->proposal;
}

bool mdc_propose_underway(const struct mdc_propose *p)
{
	return p->phase == MDC_PROPOSE_PROCEEDING;
}

/* The nodes that refused, as far as they fit. */
static void attr_list(const struct mdc_propose *p, struct mdc_addtext *text)
{
	char head[MDC_ATTR_VALUE_MAX];
	unsigned int i, left = count_refused(p);
	size_t room;

	if (mdc_addtext_format(text, head))
		return;
	room = sizeof(text->list) - strlen(head) - 1;
	for (i = 0; i < p->n_peers && left; i++) {
		char word[MDC_ADD_WORD_MAX], item[MDC_NAME_MAX + MDC_ADD_WORD_MAX];

		if (!mdc_propose_refuses(&p->peers[i]))
			continue;
		mdc_reason_word(&p->peers[i].reason, word);
		snprintf(item, sizeof(item), "%s=%s", p->peers[i].name, word);
		if (!mdc_list_add(text->list, room, ",", item, !--left))
			break;
	}
}

bool mdc_propose_attr(const struct mdc_propose *p, char out[MDC_ATTR_VALUE_MAX])
{
	struct mdc_addtext text = {
		.raid_disk = p->raid_disk, .device_uuid = p->device_uuid,
		.number = mdc_propose_number(p),
	};

	switch (p->phase) {
	case MDC_PROPOSE_ASKING:
		text.kind = p->announced ? MDC_ADD_ANNOUNCED : MDC_ADD_PROPOSED;
		text.wait_s = p->wait_s;
		text.sectors = p->sectors;
		memcpy(text.disk, p->disk, sizeof(text.disk));
		break;
	case MDC_PROPOSE_ADDED:
		text.kind = MDC_ADD_ADDED;
		break;
	case MDC_PROPOSE_REFUSED:
		text.kind = MDC_ADD_REFUSED;
		attr_list(p, &text);
		break;
	case MDC_PROPOSE_NONE:
	case MDC_PROPOSE_PROCEEDING:
	case MDC_PROPOSE_AGREED:
	case MDC_PROPOSE_OVER:
		return false;
	}
	return !mdc_addtext_format(&text, out);
}

const char *mdc_propose_phase_name(const struct mdc_propose *p)
{
	static const char *const names[] = {
		[MDC_PROPOSE_NONE] = "none",
		[MDC_PROPOSE_ASKING] = "proposed",
		[MDC_PROPOSE_PROCEEDING] = "proceeding",
		[MDC_PROPOSE_ADDED] = "added",
		[MDC_PROPOSE_REFUSED] = "refused",
		[MDC_PROPOSE_AGREED] = "agreed",
		[MDC_PROPOSE_OVER] = "over",
	};

	return p->announced && p->phase == MDC_PROPOSE_ASKING ? "announced" : names[p->phase];
}

const char *mdc_propose_answer_name(enum mdc_propose_answer answer)
{
	static const char *const names[] = {
		[MDC_ANSWER_NOT_ASKED] = "not asked",
		[MDC_ANSWER_WAITING] = "waiting",
		[MDC_ANSWER_FOUND] = "found",
		[MDC_ANSWER_MISSING] = "missing",
	};

	return names[answer];
}

void mdc_propose_names(const struct mdc_propose *p, enum mdc_propose_answer answer, char *out,
		       size_t size)
{
	unsigned int i, left = count(p, answer);

	out[0] = '\0';
	for (i = 0; i < p->n_peers && left; i++)
		if (p->peers[i].answer == answer &&
		    !mdc_list_add(out, size, ", ", p->peers[i].name, !--left))
			break;
}
