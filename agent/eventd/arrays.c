/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the table of arrays: tracking, untracking, adoption. */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"
#include "port/mdsys.h"
#include "port/statefile.h"

/* For an array that nobody has told us of. */
#define DEFAULT_VERDICT_WAIT_S 2

static struct mdc_tracked *new_array(struct mdc_daemon *d)
{
	struct mdc_tracked *t;

	if (d->arrays->len >= MDC_ARRAYS_MAX)
		return NULL;
	t = g_new0(struct mdc_tracked, 1);
	t->daemon = d;
	mdc_attr_sync_init(&t->sync);
	mdc_react_init(&t->react);
	t->drops = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	t->said_before = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_ptr_array_add(d->arrays, t);
	return t;
}

struct mdc_tracked *mdc_arrays_by_uuid(struct mdc_daemon *d, const struct mdc_uuid *uuid)
{
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		if (t->tracked && mdc_uuid_equal(&t->track.uuid, uuid))
			return t;
	}
	return NULL;
}

struct mdc_tracked *mdc_arrays_by_md(struct mdc_daemon *d, const char *md)
{
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		if (!strcmp(t->track.md, md))
			return t;
	}
	return NULL;
}

struct mdc_tracked *mdc_arrays_untracked(struct mdc_daemon *d, const char *md)
{
	struct mdc_tracked *t = mdc_arrays_by_md(d, md);

	if (t || !mdc_md_valid(md))
		return t;
	t = new_array(d);
	if (!t) {
		mdc_err("%s: more than %d arrays ask for disks; this one gets no answer from "
			"here", md, MDC_ARRAYS_MAX);
		return NULL;
	}
	g_strlcpy(t->track.md, md, sizeof(t->track.md));
	g_snprintf(t->track.device, sizeof(t->track.device), "/dev/%s", md);
	t->track.verdict_wait_s = DEFAULT_VERDICT_WAIT_S;
	return t;
}

void mdc_arrays_drop(struct mdc_tracked *t)
{
	mdc_adds_stop(t, false);
	mdc_readd_stop(t);
	mdc_observe_stop(t);
	mdc_module_forget(t);
	mdc_mdioctl_forget(t->daemon->io, t);
	g_ptr_array_remove_fast(t->daemon->arrays, t);
	g_hash_table_unref(t->drops);
	g_hash_table_unref(t->said_before);
	g_free(t);
}

unsigned int mdc_arrays_count(const struct mdc_daemon *d)
{
	unsigned int n = 0;
	guint i;

	for (i = 0; i < d->arrays->len; i++)
		if (((struct mdc_tracked *)d->arrays->pdata[i])->tracked)
			n++;
	return n;
}

void mdc_arrays_lockspaces(struct mdc_daemon *d)
{
	struct mdc_uuid uuids[MDC_ARRAYS_MAX];
	unsigned int n = 0;
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		if (t->tracked)
			uuids[n++] = t->track.uuid;
	}
	if (d->coro)
		mdc_corosync_lockspaces(d->coro, uuids, n);
}

/* Another name for the primitive: what the old one says is to go. */
static void take_over(struct mdc_tracked *t, const struct mdc_track *track)
{
	if (t->tracked && strcmp(t->track.id, track->id))
		mdc_publish_clear(t);
	if (t->tracked && strcmp(t->track.md, track->md)) {
		mdc_adds_stop(t, false);
		mdc_readd_stop(t);
		mdc_observe_stop(t);
		t->present = false;
	}
	t->tracked = true;
	t->track = *track;
	mdc_words_ready(t);
}

static struct mdc_tracked *put(struct mdc_daemon *d, const struct mdc_track *track)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, &track->uuid);
	struct mdc_tracked *other = mdc_arrays_by_md(d, track->md);

	if (!t && other && !other->tracked)
		t = other;
	else if (other && other != t && !other->tracked)
		mdc_arrays_drop(other);
	if (!t)
		t = new_array(d);
	if (!t)
		return NULL;
	take_over(t, track);
	mdc_search_pool_ready(d->pool);
	mdc_mdioctl_ready(d->io);
	return t;
}

int mdc_arrays_track(struct mdc_daemon *d, const struct mdc_track *track, const char **why)
{
	bool had = mdc_arrays_by_uuid(d, &track->uuid);
	struct mdc_tracked *t = put(d, track);
	int ret;

	if (!t) {
		*why = "64 arrays are tracked already, which is the limit";
		return -E2BIG;
	}
	ret = mdc_statefile_save(d->rundir, track);
	if (ret)
		mdc_err("%s: what is known of it could not be saved: a new mdclusterd will only "
			"know it again after the next monitor", track->device);
	g_clear_handle_id(&d->unused, g_source_remove);
	if (d->ending) {
		g_clear_handle_id(&d->ending, g_source_remove);
		mdc_info("an array is tracked again: staying");
	}
	if (!had) {
		mdc_notice("tracking %s (%s) for %s", track->device, track->md, track->id);
		mdc_arrays_lockspaces(d);
	}
	t->slot_tries = 0;
	mdc_observe(t);
	return 0;
}

bool mdc_arrays_untrack(struct mdc_daemon *d, const struct mdc_uuid *uuid)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, uuid);
	int ret = mdc_statefile_remove(d->rundir, uuid);

	if (ret)
		mdc_err("cannot remove the state file of an untracked array: %s", strerror(-ret));
	if (!t)
		return false;
	mdc_notice("%s (%s) is not tracked any more", t->track.device, t->track.md);
	mdc_publish_clear(t);
	mdc_arrays_drop(t);
	mdc_arrays_lockspaces(d);
	return true;
}

/* The mdclusterd before this one may have died with its attributes set. */
static void clear_left(struct mdc_daemon *d, const struct mdc_track *track)
{
	char name[MDC_ATTR_NAME_MAX];
	int attr;

	for (attr = 0; attr < MDC_ATTR_COUNT; attr++) {
		if (mdc_attr_name(name, track->id, attr))
			continue;
		if (attr == MDC_ATTR_ADD)
			mdc_cib_clear(d->cib, name);
		else
			mdc_attrd_clear(d->attrd, name);
	}
	mdc_requests_end_if_unused(d);
}

static void adopt_one(const struct mdc_track *track, void *data)
{
	struct mdc_daemon *d = data;
	struct mdc_tracked *t;

	if (!mdc_mdsys_lockspace(d->sys, &track->uuid)) {
		mdc_notice("%s (%s) does not run on this node any more: not tracked",
			   track->device, track->md);
		mdc_statefile_remove(d->rundir, &track->uuid);
		clear_left(d, track);
		return;
	}
	t = put(d, track);
	if (t)
		mdc_notice("%s (%s): adopted for %s", track->device, track->md, track->id);
}

void mdc_arrays_adopt(struct mdc_daemon *d, bool nack)
{
	guint i;

	mdc_statefile_each(d->rundir, adopt_one, d);
	mdc_arrays_lockspaces(d);
	mdc_module_take_up(d);
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		/*
		 * The kernel may wait for an answer to a question that nobody heard. Our module
		 * says so; the kernel's own does not, and where it does not wait, it logs a
		 * spurious confirmation and nothing happens.
		 */
		if (nack && !t->module && mdc_react_deadline(&t->react) < 0)
			mdc_mdioctl_nack(d->io, d->sys, t->track.md, 0, t);
		mdc_observe(t);
	}
}
