/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what follows from each thing that the outside tells: who is to hear of it. */
#include <string.h>

#include "eventd/daemon.h"

static void lost_events(struct mdc_daemon *d)
{
	guint i;

	d->moved_ms = mdc_now_ms();	/* a device's may be among them */
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		mdc_adds_rescan(t);
		mdc_verdict_rescan(t);
		/* The kernel may have asked in what was lost; a refusal costs one add. */
		if (!t->module && mdc_react_deadline(&t->react) < 0)
			mdc_mdioctl_nack(d->io, d->sys, t->track.md, 0, t);
		mdc_observe(t);
	}
	mdc_module_take_up(d);
}

static void array_event(struct mdc_daemon *d, const struct mdc_uevent *event)
{
	struct mdc_tracked *t;

	if (mdc_uevent_is_add(event)) {
		t = mdc_arrays_untracked(d, event->kname);
		if (t)
			mdc_adds_request(t, &event->device_uuid, event->raid_disk, 0,
					 MDC_ASKED_BY_UEVENT);
		return;
	}
	t = mdc_arrays_by_md(d, event->kname);
	if (!t)
		return;
	if (t->tracked)
		mdc_observe(t);
	else if (!strcmp(event->action, "remove"))
		mdc_arrays_drop(t);
}

static bool is_array(const char *kname)
{
	return !strncmp(kname, "md", 2) && (g_ascii_isdigit(kname[2]) || kname[2] == '_');
}

void mdc_events_uevent(const struct mdc_uevent *event, void *data)
{
	struct mdc_daemon *d = data;
	bool gone;
	guint i;

	if (!event) {
		lost_events(d);
		return;
	}
	if (is_array(event->kname)) {
		if (strcmp(event->devtype, "partition"))
			array_event(d, event);
		return;
	}
	gone = !strcmp(event->action, "remove") || mdc_uevent_no_path(event);
	if (!gone && strcmp(event->action, "add") && strcmp(event->action, "change"))
		return;
	d->moved_ms = mdc_now_ms();
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		if (!gone) {
			mdc_adds_block(t, event->kname);
			mdc_verdict_blockdev(t, event->kname);
		}
		mdc_readd_block(t, event->kname, gone);
	}
}

void mdc_events_nodes(struct mdc_daemon *d)
{
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		mdc_proposals_look(t);
		mdc_roster_update(t);
		/* Who has come may go by the CIB. */
		if (t->tracked && !mdc_words_reach_all(t))
			mdc_cib_release(d->cib);
	}
}

void mdc_events_cib(const struct mdc_cibview *view, bool connected, void *data)
{
	struct mdc_daemon *d = data;
	uint32_t self = mdc_corosync_view(d->coro)->nodeid;
	char name[MDC_ATTR_NAME_MAX];
	guint i;
	int attr;

	mdc_add_view_old(d);
	/* Who has joined an array, or left it, shows here too: time to list them again. */
	mdc_arrays_lockspaces(d);
	mdc_cib_self(d->cib, self);
	mdc_events_nodes(d);
	if (!connected || !view || !self || !mdc_cibview_node(view, self))
		return;
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		for (attr = 0; t->tracked && attr < MDC_ATTR_COUNT; attr++) {
			if (mdc_attr_name(name, t->track.id, attr))
				continue;
			if (attr == MDC_ATTR_ADD)
				mdc_cib_seen(d->cib, name, mdc_cibview_attr(view, self, name));
			else
				mdc_attrd_seen(d->attrd, name, mdc_cibview_attr(view, self, name));
		}
		mdc_words_ready(t);
		mdc_settle_view(t, view, self);
	}
}

void mdc_events_coro(const struct mdc_coro_view *view, void *data)
{
	struct mdc_daemon *d = data;

	mdc_cib_self(d->cib, view->nodeid);
	mdc_events_nodes(d);
	mdc_debug("corosync: %s, %s, node %u", view->up ? "up" : "down",
		  view->quorate ? "quorate" : "not quorate", view->nodeid);
}

void mdc_events_mdstat(void *data)
{
	mdc_observe_all(data);
}
