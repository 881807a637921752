/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the picture of each array's nodes up to date, tells what changes in it, and publishes
 * what a person should look into. Woken by the CIB, corosync, the kernel module and Pacemaker's
 * notifications; a timer runs only while something has to last before it is said.
 */
#include <string.h>

#include "eventd/daemon.h"
#include "port/mdsys.h"

static void tell(const struct mdc_roster *roster, enum mdc_roster_news news,
		 const struct mdc_roster_node *node, void *data)
{
	const struct mdc_tracked *t = data;
	const struct mdc_roster_clash *c = &roster->clash;
	char slot[32] = "";

	if (node && node->slot)
		g_snprintf(slot, sizeof(slot), ", slot %u", node->slot);
	switch (news) {
	case MDC_ROSTER_JOINED:
		mdc_notice("%s: node %s has joined%s", t->track.device, node->name, slot);
		break;
	case MDC_ROSTER_LEFT:
		mdc_notice("%s: node %s has left%s", t->track.device, node->name, slot);
		break;
	case MDC_ROSTER_ABSENT:
		mdc_warn("%s: Pacemaker has started it on node %s, which is not in its DLM "
			 "lockspace %d s later: look at the log there", t->track.device, node->name,
			 MDC_ROSTER_HOLD_MS / 1000);
		break;
	case MDC_ROSTER_LINGERS:
		mdc_warn("%s: Pacemaker does not have it on node %s, which is still in its DLM "
			 "lockspace %d s later: the node is being fenced, or the array runs there "
			 "without Pacemaker", t->track.device, node->name,
			 MDC_ROSTER_HOLD_MS / 1000);
		break;
	case MDC_ROSTER_CLASH:
		mdc_err("%s: ALARM: nodes %s and %s both have slot %u. They write the same bitmap, "
			"so a crash of one may leave the mirror's disks different without a "
			"resync. Stop the array on one of them now (crm_standby -N %s -v on), then "
			"compare: echo check > /sys/block/%s/md/sync_action", t->track.device,
			c->names[0], c->names[1], c->slot, c->names[1], t->track.md);
		break;
	case MDC_ROSTER_CLASH_OVER:
		mdc_notice("%s: nodes %s and %s no longer share slot %u", t->track.device,
			   c->names[0], c->names[1], c->slot);
		break;
	}
}

static void publish(struct mdc_tracked *t)
{
	char name[MDC_ATTR_NAME_MAX], text[MDC_ATTR_VALUE_MAX];
	bool any = mdc_alarm_text(&t->alarm, &t->roster, mdc_self(t), mdc_now_ms(), text);

	if (!mdc_attr_name(name, t->track.id, MDC_ATTR_ALARM))
		mdc_attrd_set(t->daemon->attrd, name, any ? text : NULL);
}

static gboolean again(gpointer data)
{
	struct mdc_tracked *t = data;

	t->roster_timer = 0;
	mdc_roster_update(t);
	return G_SOURCE_REMOVE;
}

static void arm(struct mdc_tracked *t)
{
	int64_t now = mdc_now_ms(), at = mdc_roster_deadline(&t->roster),
		alarm = mdc_alarm_deadline(&t->alarm);

	g_clear_handle_id(&t->roster_timer, g_source_remove);
	/* One that is past has been seen to. */
	if (alarm > now && (at < 0 || alarm < at))
		at = alarm;
	if (at >= 0)
		t->roster_timer = g_timeout_add(at > now ? (guint)(at - now) : 1, again, t);
}

void mdc_roster_update(struct mdc_tracked *t)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX];
	struct mdc_roster_seen seen = { .id = t->track.id, .lockspace = nodes };

	if (!t->tracked || !t->present)
		return;
	/* A view that is old still knows the nodes' names. */
	seen.view = mdc_cib_view(t->daemon->cib, NULL);
	seen.lockspace_known = mdc_lockspace_nodes(t, nodes, &seen.n_lockspace);
	/* While this node joins, or leaves, what it sees of the others is not whole. */
	if (!mdc_mdsys_lockspace(t->daemon->sys, &t->track.uuid))
		return;
	if (t->module) {
		seen.members = t->module->members;
		seen.n_members = t->module->n_members;
	}
	mdc_roster_look(&t->roster, &seen, mdc_now_ms(), tell, t);
	publish(t);
	arm(t);
}

void mdc_roster_notify(struct mdc_tracked *t, const struct mdc_notify *notify)
{
	mdc_info("%s: Pacemaker tells of a %s %s the fact; %s: %s", t->track.device, notify->action,
		 notify->post ? "after" : "before", notify->post ? "it is now on" : "it is on",
		 notify->nodes[0] ? notify->nodes : "no node");
	mdc_roster_plan(&t->roster, notify, mdc_now_ms());
	mdc_arrays_lockspaces(t->daemon);
	mdc_module_refresh(t->daemon);
	mdc_observe(t);
}

void mdc_roster_stop(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->roster_timer, g_source_remove);
	memset(&t->roster, 0, sizeof(t->roster));
	memset(&t->alarm, 0, sizeof(t->alarm));
}
