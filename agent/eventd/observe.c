/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns what this node's kernel shows of each array, and the node attributes made of it.
 * Woken by events only; a timer runs while a sync action does, for its progress, and a few
 * times after a join until the slot is settled.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"
#include "port/dlm.h"
#include "port/mdsys.h"

#define PROGRESS_S 5
#define SLOT_TRIES 10
/*
 * Where all nodes hear each other's words, the CIB is for people. Each write to it costs all
 * nodes, and an add is over by then, as a rule, with its writers waiting no more.
 */
#define HOLD_MS 1500

/* What this node's attribute asks for in the CIB counts again where this mdclusterd ends. */
static bool asks_in_cib(struct mdc_tracked *t, const char *name)
{
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, NULL);
	const char *value = view ? mdc_cibview_attr(view, mdc_self(t), name) : NULL;

	return value && (g_str_has_prefix(value, "proposed:") ||
			 g_str_has_prefix(value, "announced:"));
}

int64_t mdc_now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static void set_attr(struct mdc_tracked *t, enum mdc_attr attr, const char *value)
{
	char name[MDC_ATTR_NAME_MAX];

	if (t->tracked && !mdc_attr_name(name, t->track.id, attr))
		mdc_attrd_set(t->daemon->attrd, name, value);
}

static void publish_add(struct mdc_tracked *t, const char *value, bool may_hold)
{
	unsigned int hold_ms = may_hold && t->module && mdc_words_reach_all(t) ? HOLD_MS : 0;
	char name[MDC_ATTR_NAME_MAX];

	if (t->tracked && !mdc_attr_name(name, t->track.id, MDC_ATTR_ADD)) {
		if (hold_ms && asks_in_cib(t, name))
			hold_ms = 0;
		/* In this order: then no node ever sees a word that is older than the CIB. */
		mdc_words_say(t->daemon->words, name, value);
		mdc_cib_set(t->daemon->cib, name, value, hold_ms);
	}
	t->says_looking = value && g_str_has_prefix(value, "looking:");
	mdc_alarm_add(&t->alarm, value, mdc_now_ms());
}

void mdc_publish_add_value(struct mdc_tracked *t, const char *value)
{
	publish_add(t, value, true);
}

void mdc_publish_add(struct mdc_tracked *t)
{
	char value[MDC_ATTR_VALUE_MAX];

	/* By a refusal in the CIB other nodes take the disk out again (settle.c). */
	if (mdc_react_attr(&t->react, value, sizeof(value)))
		publish_add(t, value, t->react.phase == MDC_REACT_SEARCHING ||
			    t->react.phase == MDC_REACT_FOUND);
}

void mdc_publish_clear(struct mdc_tracked *t)
{
	int attr;

	for (attr = 0; attr < MDC_ATTR_COUNT; attr++)
		if (attr != MDC_ATTR_ADD)
			set_attr(t, attr, NULL);
	publish_add(t, NULL, false);
}

static void publish(struct mdc_tracked *t)
{
	const struct mdc_array *a = &t->array;
	char text[MDC_ATTR_VALUE_MAX];

	if (!t->present) {
		set_attr(t, MDC_ATTR_STATE, NULL);
		set_attr(t, MDC_ATTR_SLOT, NULL);
		set_attr(t, MDC_ATTR_SYNC, NULL);
		set_attr(t, MDC_ATTR_ALARM, NULL);
		mdc_attr_sync_init(&t->sync);
		return;
	}
	set_attr(t, MDC_ATTR_STATE, mdc_state_name(mdc_state_of(a)));
	snprintf(text, sizeof(text), "%u", t->slot);
	set_attr(t, MDC_ATTR_SLOT, t->slot ? text : NULL);
	if (mdc_attr_sync_step(&t->sync, a->sync_done, a->sync_total, mdc_now_ms())) {
		snprintf(text, sizeof(text), "%d%%", t->sync.percent);
		set_attr(t, MDC_ATTR_SYNC, t->sync.percent >= 0 ? text : NULL);
	}
}

static void read_slot(struct mdc_tracked *t);

static gboolean slot_again(gpointer data)
{
	struct mdc_tracked *t = data;

	t->slot_timer = 0;
	read_slot(t);
	publish(t);
	return G_SOURCE_REMOVE;
}

static void read_slot(struct mdc_tracked *t)
{
	int ret;

	if (!t->tracked || t->slot || t->slot_timer || t->slot_tries >= SLOT_TRIES)
		return;
	if (!mdc_mdsys_lockspace(t->daemon->sys, &t->track.uuid))
		return;
	/* Our module says it, now or with its next event. */
	mdc_module_refresh(t->daemon);
	if (t->module)
		return;
	ret = mdc_dlm_slot(t->daemon->sys, &t->track.uuid);
	if (ret > 0) {
		t->slot = (unsigned int)ret;
		mdc_info("%s: this node has slot %u", t->track.device, t->slot);
		return;
	}
	t->slot_tries = ret == -ENODEV ? SLOT_TRIES : t->slot_tries + 1;
	if (t->slot_tries < SLOT_TRIES) {
		t->slot_timer = g_timeout_add_seconds(t->slot_tries, slot_again, t);
		return;
	}
	if (t->slot_said)
		return;
	t->slot_said = true;
	if (ret == -ENODEV)
		mdc_notice("%s: the slot of this node is not known, as the DLM's debugfs files "
			   "cannot be read; mount debugfs on %s/kernel/debug to see it",
			   t->track.device, t->daemon->sys);
	else
		mdc_notice("%s: the DLM's list of locks does not show this node's slot (%s)",
			   t->track.device, strerror(-ret));
}

static void forget_slot(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->slot_timer, g_source_remove);
	t->slot = 0;
	t->slot_tries = 0;
}

static void slots_seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;

	if (!probe->member || !mdc_uuid_equal(&probe->super.array, &t->track.uuid))
		return;
	mdc_readd_learn(&t->readd, &probe->super.device, dev->kname);
	if (probe->have_bitmap)
		t->slots = probe->bitmap.slots;
}

static void slots_idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;

	(void)looked_at;
	/* One that hangs may yet answer, and is then worth knowing. */
	if (!stuck)
		g_clear_pointer(&t->slots_search, mdc_search_stop);
}

/* Reads the members' superblocks, in workers: the number of slots, and who is who. */
static void learn_members(struct mdc_tracked *t)
{
	g_autoptr(GArray) list = NULL;
	unsigned int i;

	if (!t->tracked || t->slots_search)
		return;
	list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));
	for (i = 0; i < t->array.n_members; i++) {
		struct mdc_blockdev dev;

		if (strstr(t->array.members[i].state, "faulty") ||
		    ((t->slots || t->slots_tries >= SLOT_TRIES) &&
		     mdc_readd_knows(&t->readd, t->array.members[i].device)) ||
		    !mdc_blockdev_get(t->daemon->sys, t->array.members[i].device, &dev))
			continue;
		g_array_append_val(list, dev);
	}
	if (!list->len)
		return;
	t->slots_tries++;
	t->slots_search = mdc_search_start(t->daemon->pool, list, 0, slots_seen, slots_idle, t);
}

void mdc_observe_writable(struct mdc_tracked *t, int err)
{
	if (err && err != EBUSY)
		mdc_err("%s: cannot end its auto-read-only state: %s. Until something writes to it "
			"here, adding a disk on another node may fail; try mdadm --readwrite %s",
			t->track.device, strerror(err), t->track.device);
	else
		mdc_info("%s: auto-read-only no longer", t->track.device);
	mdc_observe(t);
}

/*
 * Debian starts arrays auto-read-only (md_mod start_ro=1). The answer to the kernel's question
 * for a disk would end that, and then the kernel may first want to write the superblock, for
 * which it needs the lock that the node holds which adds the disk: each waits for the
 * other until the kernel gives up, and with it the communication. So it is ended before,
 * which also lets an unfinished resync go on.
 */
static void make_writable(struct mdc_tracked *t)
{
	if (t->made_writable || strcmp(t->array.array_state, "read-auto") ||
	    !mdc_mdsys_lockspace(t->daemon->sys, &t->track.uuid))
		return;
	t->made_writable = !mdc_mdioctl_writable(t->daemon->io, t->daemon->sys, t->track.md, 0,
						 t);
}

static void changed(void *data)
{
	mdc_observe(data);
}

static gboolean progress(gpointer data)
{
	struct mdc_tracked *t = data;

	t->progress = 0;
	mdc_observe(t);
	return G_SOURCE_REMOVE;
}

static void say_change(struct mdc_tracked *t, const struct mdc_array *old, bool was)
{
	enum mdc_state now = mdc_state_of(&t->array), before = mdc_state_of(old);

	if (was && now == before && t->array.degraded == old->degraded)
		return;
	mdc_log(now == MDC_STATE_BROKEN ? MDC_ERR :
		now == MDC_STATE_DEGRADED ? MDC_WARN : MDC_NOTICE,
		"%s (%s): %s -> %s (%s, %u of %u members missing)", t->track.device, t->track.md,
		was ? mdc_state_name(before) : "not running", mdc_state_name(now),
		t->array.array_state, t->array.degraded, t->array.raid_disks);
}

void mdc_observe(struct mdc_tracked *t)
{
	struct mdc_array old = t->array;
	bool was = t->present;
	struct mdc_array now;
	bool syncing;

	if (!t->tracked)
		return;
	t->present = !mdc_mdsys_read(t->daemon->sys, t->track.md, &now);
	if (!t->present) {
		if (was)
			mdc_notice("%s (%s) is not running on this node any more",
				   t->track.device, t->track.md);
		memset(&t->array, 0, sizeof(t->array));
		mdc_observe_stop(t);
		publish(t);
		return;
	}
	t->array = now;
	say_change(t, &old, was);
	if (!t->watch)
		t->watch = mdc_mdwatch_array(t->daemon->sys, t->track.md, changed, t);
	if (t->slot && !mdc_mdsys_lockspace(t->daemon->sys, &t->track.uuid))
		forget_slot(t);
	read_slot(t);
	make_writable(t);
	learn_members(t);
	mdc_readd_observed(t);
	mdc_propose_observed(t);
	mdc_frozen_look(t, now.sync_action);
	syncing = now.sync_total || (strcmp(now.sync_action, "idle") &&
				     strcmp(now.sync_action, "frozen"));
	if (syncing && !t->progress)
		t->progress = g_timeout_add_seconds(PROGRESS_S, progress, t);
	publish(t);
	mdc_roster_update(t);
}

void mdc_observe_all(struct mdc_daemon *d)
{
	guint i;

	for (i = 0; i < d->arrays->len; i++)
		mdc_observe(d->arrays->pdata[i]);
}

void mdc_observe_stop(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->progress, g_source_remove);
	g_clear_pointer(&t->watch, mdc_mdwatch_free);
	g_clear_pointer(&t->slots_search, mdc_search_stop);
	mdc_frozen_stop(t);
	mdc_propose_stop(t);
	mdc_announce_stop(t, "the array was stopped on this node");
	mdc_verdict_stop(t);
	mdc_roster_stop(t);
	t->made_writable = false;
	mdc_module_forget(t);
	forget_slot(t);
}
