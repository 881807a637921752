/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the picture of the array's nodes. The DLM's word on who has joined counts before an
 * attribute, which outlives a node that was fenced, and lags behind one that joins.
 */
#include "core/roster.h"

#include <stdio.h>
#include <string.h>

const struct mdc_roster_node *mdc_roster_node(const struct mdc_roster *roster, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < roster->n; i++)
		if (roster->nodes[i].id == id)
			return &roster->nodes[i];
	return NULL;
}

static struct mdc_roster_node *entry(struct mdc_roster *roster, uint32_t id)
{
	struct mdc_roster_node *node = (struct mdc_roster_node *)mdc_roster_node(roster, id);

	if (node || roster->n == MDC_ROSTER_MAX)
		return node;
	node = &roster->nodes[roster->n++];
	memset(node, 0, sizeof(*node));
	node->id = id;
	snprintf(node->name, sizeof(node->name), "%u", id);
	return node;
}

/* The slot that a node says it has; 0: it says none. */
static uint32_t said(const struct mdc_roster_seen *seen, uint32_t id)
{
	char name[MDC_ATTR_NAME_MAX];
	const char *text;
	uint32_t slot;

	if (mdc_attr_name(name, seen->id, MDC_ATTR_SLOT))
		return 0;
	text = mdc_cibview_attr(seen->view, id, name);
	return text && !mdc_cib_number(text, &slot) ? slot : 0;
}

static void read_view(struct mdc_roster *now, const struct mdc_roster_seen *seen)
{
	unsigned int i;

	for (i = 0; seen->view && i < seen->view->n_nodes; i++) {
		const struct mdc_cib_node *n = &seen->view->nodes[i];
		struct mdc_roster_node *node = entry(now, n->id);

		if (!node)
			return;
		snprintf(node->name, sizeof(node->name), "%s", n->name);
		if (n->state == MDC_CIB_OFFLINE)
			continue;
		node->slot = said(seen, n->id);
		/* Without the DLM's word its own must do. */
		node->joined = !seen->lockspace_known && node->slot;
	}
}

static void read_lockspace(struct mdc_roster *now, const struct mdc_roster_seen *seen)
{
	struct mdc_roster_node *node;
	unsigned int i;

	for (i = 0; seen->lockspace_known && i < seen->n_lockspace; i++) {
		node = entry(now, seen->lockspace[i]);
		if (node)
			node->joined = true;
	}
	for (i = 0; i < now->n; i++)
		if (!now->nodes[i].joined)
			now->nodes[i].slot = 0;
	for (i = 0; i < seen->n_members; i++) {
		node = entry(now, seen->members[i].node);
		if (node && node->joined && seen->members[i].slot)
			node->slot = seen->members[i].slot;
	}
}

/*
 * The slot that a and b both have. What a node says counts only where the DLM does not know: its
 * attribute may be of the time before it left and came back with another slot.
 */
static uint32_t common(const struct mdc_roster_node *a, const struct mdc_roster_node *b)
{
	return a->joined && b->joined && a->slot == b->slot ? a->slot : 0;
}

static struct mdc_roster_clash find_clash(const struct mdc_roster *now)
{
	struct mdc_roster_clash clash = { 0 };
	unsigned int i, k;

	for (i = 0; i < now->n && !clash.slot; i++) {
		for (k = i + 1; k < now->n && !clash.slot; k++) {
			const struct mdc_roster_node *a = &now->nodes[i], *b = &now->nodes[k];

			clash.slot = common(a, b);
			if (!clash.slot)
				continue;
			clash.nodes[0] = a->id;
			clash.nodes[1] = b->id;
			memcpy(clash.names[0], a->name, sizeof(a->name));
			memcpy(clash.names[1], b->name, sizeof(b->name));
		}
	}
	return clash;
}

static bool same_clash(const struct mdc_roster_clash *a, const struct mdc_roster_clash *b)
{
	return a->slot == b->slot && a->nodes[0] == b->nodes[0] && a->nodes[1] == b->nodes[1];
}

static void look_at_clash(struct mdc_roster *roster, int64_t now_ms, mdc_roster_tell_fn tell,
			  void *data)
{
	struct mdc_roster_clash found = find_clash(roster);

	if (!same_clash(&found, &roster->clash)) {
		if (roster->clash.alarm)
			tell(roster, MDC_ROSTER_CLASH_OVER, NULL, data);
		roster->clash = found;
		roster->clash.since_ms = now_ms;
	}
	if (!roster->clash.slot || roster->clash.alarm ||
	    now_ms - roster->clash.since_ms < MDC_ROSTER_HOLD_MS)
		return;
	roster->clash.alarm = true;
	tell(roster, MDC_ROSTER_CLASH, NULL, data);
}

static void tell_changes(const struct mdc_roster *old, const struct mdc_roster *now,
			 mdc_roster_tell_fn tell, void *data)
{
	unsigned int i;

	for (i = 0; i < old->n; i++) {
		const struct mdc_roster_node *node = mdc_roster_node(now, old->nodes[i].id);

		if (old->nodes[i].joined && (!node || !node->joined))
			tell(now, MDC_ROSTER_LEFT, &old->nodes[i], data);
	}
	for (i = 0; i < now->n; i++) {
		const struct mdc_roster_node *node = mdc_roster_node(old, now->nodes[i].id);

		if (now->nodes[i].joined && (!node || !node->joined))
			tell(now, MDC_ROSTER_JOINED, &now->nodes[i], data);
	}
}

/* What Pacemaker announced has had its time: is it so? */
static void look_at_plan(struct mdc_roster *roster, const struct mdc_roster_seen *seen,
			 int64_t now_ms, mdc_roster_tell_fn tell, void *data)
{
	unsigned int i;

	if (!roster->planned || now_ms - roster->plan_ms < MDC_ROSTER_HOLD_MS)
		return;
	roster->planned = false;
	for (i = 0; seen->lockspace_known && i < roster->n; i++) {
		const struct mdc_roster_node *node = &roster->nodes[i];
		bool planned = mdc_notify_has(roster->plan, node->name);

		if (planned && !node->joined)
			tell(roster, MDC_ROSTER_ABSENT, node, data);
		else if (!planned && node->joined)
			tell(roster, MDC_ROSTER_LINGERS, node, data);
	}
}

void mdc_roster_look(struct mdc_roster *roster, const struct mdc_roster_seen *seen, int64_t now_ms,
		     mdc_roster_tell_fn tell, void *data)
{
	struct mdc_roster now;

	if (!seen->view && !seen->lockspace_known)
		return;
	memset(&now, 0, sizeof(now));
	read_view(&now, seen);
	read_lockspace(&now, seen);
	if (roster->known)
		tell_changes(roster, &now, tell, data);
	roster->known = true;
	roster->n = now.n;
	memcpy(roster->nodes, now.nodes, sizeof(now.nodes));
	look_at_clash(roster, now_ms, tell, data);
	look_at_plan(roster, seen, now_ms, tell, data);
}

void mdc_roster_plan(struct mdc_roster *roster, const struct mdc_notify *notify, int64_t now_ms)
{
	if (!notify->post)
		return;
	memcpy(roster->plan, notify->nodes, sizeof(roster->plan));
	roster->planned = true;
	roster->plan_ms = now_ms;
}

int64_t mdc_roster_deadline(const struct mdc_roster *roster)
{
	int64_t clash = roster->clash.slot && !roster->clash.alarm ?
			roster->clash.since_ms + MDC_ROSTER_HOLD_MS : -1;
	int64_t plan = roster->planned ? roster->plan_ms + MDC_ROSTER_HOLD_MS : -1;

	if (clash < 0 || plan < 0)
		return clash < 0 ? plan : clash;
	return clash < plan ? clash : plan;
}
