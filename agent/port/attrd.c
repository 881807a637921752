/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns what this node says of itself to pacemaker-attrd. A call takes the better part of a
 * second where CPU is scarce, and for ever if Pacemaker hangs: nothing waits for it here.
 */
#include "port/attrd.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "log.h"
#include "port/proc.h"

/*
 * A change waits so long for another one. An add is over by then, as a rule, and does not
 * have to share the CPU with a program that says that it has begun.
 */
#define COALESCE_MS 500
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 60000
#define KEEP_MAX 512
#define SETTLE_US (20 * G_USEC_PER_SEC)	/* so long the CIB may take to show a write first */

struct attr {
	char *name;
	char *want;			/* NULL: not there */
	char *sent;			/* what the last good call wrote */
	bool known;			/* sent is meaningful */
	bool shown;			/* the CIB has shown it since */
	gint64 sent_us;
};

struct mdc_attrd {
	GPtrArray *attrs;		/* in the order in which they changed */
	struct mdc_proc *proc;
	struct attr *calling;
	char *called_with;
	unsigned int pause_ms;		/* 0: the last call was good */
	guint timer;
};

static void next_call(struct mdc_attrd *attrd);

static void free_attr(void *data)
{
	struct attr *attr = data;

	g_free(attr->name);
	g_free(attr->want);
	g_free(attr->sent);
	g_free(attr);
}

static bool due(const struct attr *attr)
{
	if (!attr->known)
		return true;
	return g_strcmp0(attr->want, attr->sent);
}

static gboolean pause_over(gpointer data)
{
	struct mdc_attrd *attrd = data;

	attrd->timer = 0;
	next_call(attrd);
	return G_SOURCE_REMOVE;
}

static void failed(struct mdc_attrd *attrd, const struct attr *attr, int status,
		   const char *text)
{
	/* Once at the first failure, then each time the pause has grown to its end. */
	if (!attrd->pause_ms || attrd->pause_ms == PAUSE_MAX_MS) {
		if (status == -ETIMEDOUT)
			mdc_warn("attrd_updater did not end within %d s for %s: is Pacemaker "
				 "running? Trying again", MDC_ATTRD_CALL_MS / 1000, attr->name);
		else
			mdc_warn("attrd_updater failed (%d) for %s: %s; trying again", status,
				 attr->name, *text ? text : "it did not say why");
	}
	attrd->pause_ms = attrd->pause_ms ? MIN(attrd->pause_ms * 2, PAUSE_MAX_MS) :
					    PAUSE_FIRST_MS;
	attrd->timer = g_timeout_add(attrd->pause_ms, pause_over, attrd);
}

static void called(int status, const char *text, void *data)
{
	struct mdc_attrd *attrd = data;
	struct attr *attr = attrd->calling;

	attrd->proc = NULL;
	attrd->calling = NULL;
	if (status) {
		failed(attrd, attr, status, text);
		g_clear_pointer(&attrd->called_with, g_free);
		return;
	}
	if (attrd->pause_ms)
		mdc_notice("node attributes can be written again");
	attrd->pause_ms = 0;
	g_free(attr->sent);
	attr->sent = g_steal_pointer(&attrd->called_with);
	attr->known = true;
	attr->shown = false;
	attr->sent_us = g_get_monotonic_time();
	next_call(attrd);
}

static void next_call(struct mdc_attrd *attrd)
{
	struct attr *attr = NULL;
	guint i;

	if (attrd->proc || attrd->timer)
		return;
	for (i = 0; i < attrd->attrs->len && !attr; i++)
		if (due(attrd->attrs->pdata[i]))
			attr = attrd->attrs->pdata[i];
	if (!attr)
		return;
	attrd->calling = attr;
	g_free(attrd->called_with);
	attrd->called_with = g_strdup(attr->want);
	if (attr->want) {
		char *argv[] = { "attrd_updater", "-n", attr->name, "-U", attr->want, NULL };

		attrd->proc = mdc_proc_run(argv, MDC_ATTRD_CALL_MS, called, attrd);
	} else {
		char *argv[] = { "attrd_updater", "-n", attr->name, "-D", NULL };

		attrd->proc = mdc_proc_run(argv, MDC_ATTRD_CALL_MS, called, attrd);
	}
	if (!attrd->proc) {
		attrd->calling = NULL;
		failed(attrd, attr, 127, "it cannot be started");
	}
}

static struct attr *find(const struct mdc_attrd *attrd, const char *name)
{
	guint i;

	for (i = 0; i < attrd->attrs->len; i++) {
		struct attr *attr = attrd->attrs->pdata[i];

		if (!strcmp(attr->name, name))
			return attr;
	}
	return NULL;
}

static struct attr *add(struct mdc_attrd *attrd, const char *name)
{
	struct attr *attr;
	guint i;

	/* Those that are long deleted need no memory. */
	for (i = attrd->attrs->len; attrd->attrs->len >= KEEP_MAX && i > 0; i--) {
		attr = attrd->attrs->pdata[i - 1];
		if (!attr->want && !due(attr) && attr != attrd->calling)
			g_ptr_array_remove_index(attrd->attrs, i - 1);
	}
	attr = g_new0(struct attr, 1);
	attr->name = g_strdup(name);
	g_ptr_array_add(attrd->attrs, attr);
	return attr;
}

void mdc_attrd_set(struct mdc_attrd *attrd, const char *name, const char *value)
{
	struct attr *attr = find(attrd, name);

	/* A value left by an earlier mdclusterd is found when the CIB shows it. */
	if (!attr && !value)
		return;
	if (!attr)
		attr = add(attrd, name);
	else if (!g_strcmp0(attr->want, value))
		return;
	g_free(attr->want);
	attr->want = g_strdup(value);
	if (!attrd->proc && !attrd->timer)
		attrd->timer = g_timeout_add(COALESCE_MS, pause_over, attrd);
}

void mdc_attrd_clear(struct mdc_attrd *attrd, const char *name)
{
	if (!find(attrd, name))
		add(attrd, name);
	mdc_attrd_set(attrd, name, NULL);
	next_call(attrd);
}

void mdc_attrd_seen(struct mdc_attrd *attrd, const char *name, const char *value)
{
	struct attr *attr = find(attrd, name);

	if (!attr) {
		if (!value)
			return;
		add(attrd, name);
		next_call(attrd);
		return;
	}
	if (!attr->known || attr == attrd->calling || due(attr))
		return;
	if (!g_strcmp0(attr->sent, value)) {
		attr->shown = true;
		return;
	}
	if (!attr->shown && g_get_monotonic_time() - attr->sent_us < SETTLE_US)
		return;
	mdc_info("node attribute %s is %s in the CIB, writing %s again", name,
		 value ? value : "gone", attr->want ? attr->want : "nothing");
	attr->known = false;
	next_call(attrd);
}

bool mdc_attrd_idle(const struct mdc_attrd *attrd)
{
	guint i;

	for (i = 0; i < attrd->attrs->len; i++)
		if (due(attrd->attrs->pdata[i]))
			return false;
	return !attrd->proc;
}

struct mdc_attrd *mdc_attrd_new(void)
{
	struct mdc_attrd *attrd = g_new0(struct mdc_attrd, 1);

	attrd->attrs = g_ptr_array_new_with_free_func(free_attr);
	return attrd;
}

void mdc_attrd_free(struct mdc_attrd *attrd)
{
	if (!attrd)
		return;
	mdc_proc_forget(attrd->proc);
	g_clear_handle_id(&attrd->timer, g_source_remove);
	g_ptr_array_free(attrd->attrs, TRUE);
	g_free(attrd->called_with);
	g_free(attrd);
}
