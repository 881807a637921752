/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the answers to requests on the socket (README.md), and the end after the last untrack. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/request.h"
#include "eventd/daemon.h"

#define END_LOOK_MS 100
#define END_MAX_US (10 * G_USEC_PER_SEC)

static void reply(struct mdc_conn *conn, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	mdc_conn_send(conn, line, strlen(line));
}

static gboolean may_end(gpointer data)
{
	struct mdc_daemon *d = data;

	if (mdc_arrays_count(d)) {
		d->ending = 0;
		return G_SOURCE_REMOVE;
	}
	if (!mdc_attrd_idle(d->attrd) || !mdc_cib_idle(d->cib)) {
		if (g_get_monotonic_time() - d->ending_since_us < END_MAX_US)
			return G_SOURCE_CONTINUE;
		mdc_warn("the node attributes could not be cleared within 10 s: clear them with "
			 "attrd_updater -D or crm_attribute -D when Pacemaker answers again");
	}
	d->ending = 0;
	mdc_info("nothing is tracked any more: ending");
	g_main_loop_quit(d->loop);
	return G_SOURCE_REMOVE;
}

void mdc_requests_end_if_unused(struct mdc_daemon *d)
{
	if (d->ending || mdc_arrays_count(d))
		return;
	d->ending_since_us = g_get_monotonic_time();
	d->ending = g_timeout_add(END_LOOK_MS, may_end, d);
}

static void track(struct mdc_daemon *d, struct mdc_conn *conn, const struct mdc_request *r)
{
	const char *why;
	g_autofree char *text = NULL;

	if (!mdc_arrays_track(d, &r->track, &why)) {
		reply(conn, "ok");
		return;
	}
	text = g_strconcat("error ", why, NULL);
	reply(conn, text);
}

static void ping(struct mdc_daemon *d, struct mdc_conn *conn, const struct mdc_uuid *uuid)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, uuid);
	g_autofree char *text = NULL;
	uint64_t stuck_ms;

	if (!t) {
		reply(conn, "ok untracked");
		return;
	}
	mdc_module_refresh(d);
	stuck_ms = mdc_module_stuck(t);
	if (!stuck_ms) {
		reply(conn, "ok tracked");
		return;
	}
	text = g_strdup_printf("ok stuck %" G_GUINT64_FORMAT, stuck_ms);
	reply(conn, text);
}

static void notify(struct mdc_daemon *d, struct mdc_conn *conn, const struct mdc_notify *n)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, &n->uuid);

	/* Not tracked: the array is just being started or stopped here, and follows by itself. */
	reply(conn, "ok");
	if (t)
		mdc_roster_notify(t, n);
}

void mdc_requests_line(struct mdc_conn *conn, const char *line, size_t len, void *data)
{
	struct mdc_daemon *d = data;
	struct mdc_request r;
	g_autofree char *text = NULL;
	const char *why;

	if (!g_main_loop_is_running(d->loop)) {
		reply(conn, "error mdclusterd is ending; try again");
		return;
	}
	if (mdc_request_parse(&r, line, len, &why)) {
		text = g_strconcat("error ", why, NULL);
		reply(conn, text);
		return;
	}
	switch (r.kind) {
	case MDC_REQ_TRACK:
		track(d, conn, &r);
		break;
	case MDC_REQ_UNTRACK:
		/* Not tracked is what was asked for, so it is no error. */
		if (mdc_arrays_untrack(d, &r.uuid))
			mdc_requests_end_if_unused(d);
		reply(conn, "ok");
		break;
	case MDC_REQ_PING:
		ping(d, conn, &r.uuid);
		break;
	case MDC_REQ_NOTIFY:
		notify(d, conn, &r.notify);
		break;
	case MDC_REQ_STATUS: {
		g_autofree char *json = mdc_status_json(d);

		text = g_strconcat("ok ", json, NULL);
		reply(conn, text);
		break;
	}
	case MDC_REQ_ANNOUNCE:
		mdc_announce_request(d, conn, &r);
		break;
	case MDC_REQ_EVENTS:
		reply(conn, "ok");
		mdc_history_send(d, conn);
		mdc_conn_follow(conn);
		break;
	}
}
