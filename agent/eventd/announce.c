/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the question about a disk that `mdclusterctl add` puts to the other nodes before the
 * kernel hears of it (DESIGN.md, "Writers pay for every wait"): carries out what
 * core/propose.c decides, and tells the client each node's word as it comes. The question lives
 * as long as the client's connection.
 */
#include <string.h>

#include "core/addline.h"
#include "core/verdict.h"
#include "eventd/daemon.h"

static void perform(struct mdc_tracked *t, const struct mdc_propose_actions *actions);

static gboolean deadline(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_propose_actions out = { 0 };

	t->announce_timer = 0;
	mdc_propose_tick(&t->announce, mdc_now_ms(), &out);
	perform(t, &out);
	return G_SOURCE_REMOVE;
}

static void arm(struct mdc_tracked *t)
{
	mdc_timer_at(&t->announce_timer, mdc_propose_deadline(&t->announce), G_PRIORITY_DEFAULT,
		     deadline, t);
}

static void send_line(struct mdc_conn *conn, const struct mdc_addline *line)
{
	char text[MDC_ADDLINE_MAX + 1];

	if (!conn || mdc_addline_format(line, text))
		return;
	strcat(text, "\n");
	mdc_conn_send(conn, text, strlen(text));
}

static void send_end(struct mdc_conn *conn, enum mdc_addline_end end, const char *why)
{
	struct mdc_addline line = { .kind = MDC_LINE_END, .end = end };

	g_strlcpy(line.text, why, sizeof(line.text));
	send_line(conn, &line);
}

static void node_line(const struct mdc_propose_peer *peer, struct mdc_addline *line)
{
	*line = (struct mdc_addline){ .kind = MDC_LINE_NODE, .id = peer->node,
				      .reason = peer->reason };
	g_strlcpy(line->name, peer->name, sizeof(line->name));
	memcpy(line->device, peer->device, sizeof(line->device));
	switch (peer->answer) {
	case MDC_ANSWER_NOT_ASKED:
		line->node = MDC_NODE_UNASKED;
		break;
	case MDC_ANSWER_WAITING:
		line->node = mdc_propose_refuses(peer) ? MDC_NODE_MISSING : MDC_NODE_WAITING;
		break;
	case MDC_ANSWER_FOUND:
		line->node = MDC_NODE_FOUND;
		break;
	case MDC_ANSWER_MISSING:
		line->node = MDC_NODE_MISSING;
		break;
	}
}

static bool is_peer(const struct mdc_propose *p, uint32_t node)
{
	unsigned int i;

	for (i = 0; i < p->n_peers; i++)
		if (p->peers[i].node == node)
			return true;
	return false;
}

/* What the client has not been told of the nodes yet. */
static void tell_nodes(struct mdc_tracked *t)
{
	const struct mdc_propose *p = &t->announce;
	struct mdc_addline line;
	GHashTableIter iter;
	unsigned int i;
	gpointer id;

	for (i = 0; i < p->n_peers; i++) {
		struct mdc_addline *had = g_hash_table_lookup(t->announce_told,
							      GUINT_TO_POINTER(p->peers[i].node));

		node_line(&p->peers[i], &line);
		if (had && had->node == line.node && !strcmp(had->device, line.device) &&
		    mdc_reason_equal(&had->reason, &line.reason))
			continue;
		send_line(t->announce_conn, &line);
		g_hash_table_insert(t->announce_told, GUINT_TO_POINTER(line.id),
				    g_memdup2(&line, sizeof(line)));
	}
	g_hash_table_iter_init(&iter, t->announce_told);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		if (is_peer(p, GPOINTER_TO_UINT(id)))
			continue;
		line = (struct mdc_addline){ .kind = MDC_LINE_NODE, .node = MDC_NODE_LEFT,
					     .id = GPOINTER_TO_UINT(id) };
		send_line(t->announce_conn, &line);
		g_hash_table_iter_remove(&iter);
	}
}

static void release(struct mdc_tracked *t)
{
	if (t->announce_conn)
		mdc_conn_stay(t->announce_conn, NULL, NULL);
	t->announce_conn = NULL;
	g_clear_pointer(&t->announce_told, g_hash_table_unref);
}

static void finish(struct mdc_tracked *t)
{
	const struct mdc_propose *p = &t->announce;
	long long after = p->ended_ms - p->started_ms;
	enum mdc_addline_end end;

	switch (p->phase) {
	case MDC_PROPOSE_AGREED:
		end = MDC_END_AGREED;
		mdc_notice("%s: %s can be added, after %lld ms: all nodes that were asked see it"
			   "%s%s", t->track.device, t->announce_disk.kname, after,
			   p->reason[0] ? "; " : "", p->reason);
		break;
	case MDC_PROPOSE_REFUSED:
		end = MDC_END_REFUSED;
		mdc_warn("%s: %s is not to be added, after %lld ms: %s", t->track.device,
			 t->announce_disk.kname, after, p->reason);
		break;
	default:
		end = MDC_END_LOST;
		mdc_notice("%s: the question about %s is given up: %s", t->track.device,
			   t->announce_disk.kname, p->reason);
	}
	send_end(t->announce_conn, end, p->reason);
	release(t);
}

static void perform(struct mdc_tracked *t, const struct mdc_propose_actions *actions)
{
	char value[MDC_ATTR_VALUE_MAX];
	bool done = false;
	unsigned int i;

	if (!t->announce_told)
		return;		/* none is asked about */
	for (i = 0; i < actions->n; i++) {
		if (actions->a[i] == MDC_PROPOSE_PUBLISH)
			mdc_publish_add_value(t, mdc_propose_attr(&t->announce, value) ? value :
					      NULL);
		done |= actions->a[i] == MDC_PROPOSE_DONE;
	}
	tell_nodes(t);
	arm(t);
	if (done)
		finish(t);
}

/* The client has ended, by itself or by Ctrl-C. */
static void gone(void *data)
{
	struct mdc_tracked *t = data;

	t->announce_conn = NULL;
	mdc_announce_stop(t, "mdclusterctl has ended");
}

/* May it be asked about now? Else the client is told why not. */
static bool may_ask(struct mdc_tracked *t, struct mdc_conn *conn,
		    const struct mdc_announced *disk, struct mdc_blockdev *dev)
{
	const char *sys = t->daemon->sys;
	g_autofree char *why = NULL;

	if (!t->present || !mdc_array_running(&t->array)) {
		send_end(conn, MDC_END_LOST, "the array does not run on this node");
	} else if (t->announce_told || t->propose.phase == MDC_PROPOSE_ASKING ||
		   mdc_propose_underway(&t->propose)) {
		send_end(conn, MDC_END_REFUSED, "a disk is being added on this node already: try "
			 "again when that is done");
	} else if (!mdc_blockdev_get(sys, disk->kname, dev)) {
		send_end(conn, MDC_END_UNUSABLE, "mdclusterd does not see it");
	} else if (!mdc_blockdev_allowed(sys, t->track.members, disk->kname)) {
		why = g_strdup_printf("the resource's parameter members (%s) leaves it out: the "
				      "array would not find it when it is started",
				      t->track.members);
		send_end(conn, MDC_END_UNUSABLE, why);
	} else {
		return true;
	}
	return false;
}

void mdc_announce_request(struct mdc_daemon *d, struct mdc_conn *conn,
			  const struct mdc_request *r)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, &r->uuid);
	const struct mdc_announced *disk = &r->announced;
	struct mdc_addline wait = { .kind = MDC_LINE_WAIT };
	uint32_t nodes[MDC_MOD_MEMBERS_MAX];
	struct mdc_propose_actions out = { 0 };
	struct mdc_propose_seen seen;
	struct mdc_blockdev dev;
	char asked[256];

	if (!t) {
		static const char unknown[] = "error no such array is tracked here\n";

		mdc_conn_send(conn, unknown, sizeof(unknown) - 1);
		return;
	}
	mdc_conn_send(conn, "ok\n", 3);
	if (!may_ask(t, conn, disk, &dev))
		return;
	t->announce_conn = conn;
	t->announce_told = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	t->announce_disk = dev;
	mdc_conn_stay(conn, gone, t);
	wait.wait_ms = (uint32_t)(mdc_verdict_announced_ms(t->track.disk_wait_s) +
				  MDC_ANNOUNCE_TRAVEL_MS);
	send_line(conn, &wait);
	seen = mdc_propose_see(t, nodes);
	mdc_propose_announce(&t->announce, mdc_now_ms(), g_random_int(), &disk->nonce,
			     disk->sectors, disk->disk, t->track.disk_wait_s, &seen, &out);
	perform(t, &out);
	if (t->announce.phase != MDC_PROPOSE_ASKING)
		return;
	mdc_propose_names(&t->announce, MDC_ANSWER_WAITING, asked, sizeof(asked));
	mdc_notice("%s: mdclusterctl is about to add %s: asking %s", t->track.device,
		   t->announce_disk.kname, asked);
	mdc_proposals_look(t);
}

void mdc_announce_look(struct mdc_tracked *t, uint32_t rival)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX];
	struct mdc_propose_actions out = { 0 };
	struct mdc_propose_seen seen;

	if (t->announce.phase != MDC_PROPOSE_ASKING)
		return;
	if (rival)
		mdc_propose_rival(&t->announce, mdc_now_ms(), rival, &out);
	seen = mdc_propose_see(t, nodes);
	mdc_propose_look(&t->announce, mdc_now_ms(), &seen, &out);
	perform(t, &out);
}

void mdc_announce_cib_failed(struct mdc_tracked *t, const char *why)
{
	struct mdc_propose_actions out = { 0 };

	mdc_propose_unwritten(&t->announce, mdc_now_ms(), why, &out);
	perform(t, &out);
}

void mdc_announce_stop(struct mdc_tracked *t, const char *why)
{
	struct mdc_propose_actions out = { 0 };

	mdc_propose_cancel(&t->announce, mdc_now_ms(), why, &out);
	perform(t, &out);
}
