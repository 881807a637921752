/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what core/verdict.c decides about a disk that another node proposes, and tells
 * it what came of it (DESIGN.md, the add, step 4).
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"

static void perform(struct mdc_tracked *t, const struct mdc_verdict_actions *actions);

static gboolean deadline(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_verdict_actions out = { 0 };

	t->verdict_timer = 0;
	mdc_verdict_tick(&t->verdict, mdc_now_ms(), &out);
	perform(t, &out);
	return G_SOURCE_REMOVE;
}

static void arm(struct mdc_tracked *t)
{
	mdc_timer_at(&t->verdict_timer, mdc_verdict_deadline(&t->verdict), G_PRIORITY_HIGH,
		     deadline, t);
}

/* What is built on a device, as it is now: a multipath map may have come meanwhile. */
static bool holder_now(const struct mdc_tracked *t, const char *kname, char out[MDC_KNAME_MAX])
{
	struct mdc_blockdev now;

	if (!*kname || !mdc_blockdev_get(t->daemon->sys, kname, &now))
		return false;
	memcpy(out, now.holder, sizeof(now.holder));
	return true;
}

static bool is_free(const struct mdc_blockdev *dev)
{
	return !dev->in_use && !dev->holder[0];
}

/* It is there, and cannot be read; not: it has no medium, or has gone. */
static bool path_error(int err)
{
	return err == -EIO || err == -EREMOTEIO || err == -ENOLINK || err == -ETIMEDOUT;
}

/* Is that WWN or serial number the announced disk's? */
static bool named(const struct mdc_tracked *t, const char *id)
{
	return t->verdict.announced && *id && !strcmp(id, t->verdict.disk);
}

/* Only the nonce proves that it is that disk: names may be shared, or made up. */
static bool is_announced(struct mdc_tracked *t, const struct mdc_blockdev *dev,
			 const struct mdc_probe *probe)
{
	if (probe->announced && mdc_uuid_equal(&probe->nonce, &t->verdict.device_uuid))
		return true;
	if (!probe->err && named(t, probe->id))
		mdc_verdict_other(&t->verdict, dev->kname);
	return false;
}

static bool is_proposed(const struct mdc_tracked *t, const struct mdc_blockdev *dev,
			const struct mdc_probe *probe)
{
	if (!probe->member || !mdc_uuid_equal(&probe->super.device, &t->verdict.device_uuid))
		return false;
	if (mdc_uuid_equal(&probe->super.array, &t->track.uuid))
		return true;
	mdc_warn("%s: %s bears the device UUID that is asked for, but belongs to another array: "
		 "left alone", t->track.device, dev->path);
	return false;
}

static void look_at(struct mdc_tracked *t, const struct mdc_blockdev *dev,
		    const struct mdc_probe *probe)
{
	struct mdc_verdict_actions out = { 0 };
	char own[MDC_KNAME_MAX] = "", first[MDC_KNAME_MAX] = "";
	struct mdc_verdict_disk disk = {
		.kname = dev->kname, .holder = own, .mounted = dev->in_use,
		.sectors = dev->sectors, .need_sectors = t->verdict.announced ?
			t->verdict.sectors : probe->super.data_end_sect,
	};

	if (path_error(probe->err))
		mdc_verdict_unreadable(&t->verdict, dev->kname, named(t, probe->id));
	if (!(t->verdict.announced ? is_announced(t, dev, probe) : is_proposed(t, dev, probe)))
		return;
	if (!holder_now(t, dev->kname, own))
		return;		/* it has gone since */
	disk.own = !strcmp(own, t->track.md);
	mdc_verdict_disk(&t->verdict, mdc_now_ms(), &disk,
			 holder_now(t, t->verdict.device, first) ? first : NULL, &out);
	perform(t, &out);
}

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;
	struct mdc_verdict_actions out = { 0 };

	look_at(t, dev, probe);
	if (t->verdict_free && is_free(dev))
		t->verdict_free--;
	if (t->verdict_free)
		return;
	mdc_verdict_free_looked(&t->verdict, &out);
	perform(t, &out);
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;
	struct mdc_verdict_actions out = { 0 };

	(void)looked_at;
	mdc_verdict_looked(&t->verdict, mdc_now_ms(), t->daemon->moved_ms, stuck, &out);
	perform(t, &out);
}

/* As far as that is known without asking a disk, which may hang. */
static bool likely(const struct mdc_tracked *t, const char *kname)
{
	char id[MDC_DISKID_MAX];

	if (!t->verdict.announced)
		return !strcmp(kname, t->verdict.likely);
	mdc_blockdev_known_id(t->daemon->sys, kname, id);
	return named(t, id);
}

/* What is announced is looked for under its name first; what is proposed, where that was. */
static void likely_first(const struct mdc_tracked *t, GArray *list)
{
	guint i, n = 0;

	for (i = 0; i < list->len; i++) {
		struct mdc_blockdev dev = g_array_index(list, struct mdc_blockdev, i);

		if (!likely(t, dev.kname))
			continue;
		g_array_remove_index(list, i);
		g_array_insert_val(list, n++, dev);
	}
}

static void start_search(struct mdc_tracked *t)
{
	uint64_t least = !strcmp(t->array.level, "raid1") ? t->array.size_kib * 2 : 0;
	unsigned int also = t->verdict.announced ? MDC_PROBE_NAME : 0;
	g_autoptr(GArray) list = NULL;
	guint i;

	list = mdc_blockdev_list(t->daemon->sys, t->track.members, least, NULL);
	t->verdict_free = 0;
	for (i = 0; i < list->len; i++)
		t->verdict_free += is_free(&g_array_index(list, struct mdc_blockdev, i));
	likely_first(t, list);
	g_clear_pointer(&t->verdict_search, mdc_search_stop);
	t->verdict_search = mdc_search_start(t->daemon->pool, list, also, seen, idle, t);
}

static void probe(struct mdc_tracked *t, const char *kname)
{
	struct mdc_blockdev dev;

	if (t->verdict_search && mdc_blockdev_get(t->daemon->sys, kname, &dev) &&
	    mdc_blockdev_allowed(t->daemon->sys, t->track.members, kname)) {
		t->verdict_free += is_free(&dev);
		mdc_search_more(t->verdict_search, &dev);
	}
}

static const char *node_name(const struct mdc_tracked *t, char *room, size_t size)
{
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, NULL);
	const struct mdc_cib_node *node = view ? mdc_cibview_node(view, t->verdict.node) : NULL;

	if (node)
		return node->name;
	g_snprintf(room, size, "node %u", t->verdict.node);
	return room;
}

static void describe(const struct mdc_verdict *v, char *out, size_t size)
{
	char uuid[MDC_UUID_COLON];

	if (v->announced) {
		g_snprintf(out, size, "is about to add a disk (%s, %" G_GUINT64_FORMAT " MiB)",
			   v->disk[0] ? v->disk : "without WWN or serial number",
			   v->sectors / 2048);
		return;
	}
	mdc_uuid_colon(&v->device_uuid, uuid);
	g_snprintf(out, size, "proposes a disk as raid disk %u, device UUID %s", v->raid_disk,
		   uuid);
}

static void publish(struct mdc_tracked *t)
{
	const struct mdc_verdict *v = &t->verdict;
	char value[MDC_ATTR_VALUE_MAX], why[MDC_ADD_REASON_MAX], what[160], room[32];
	long long after = mdc_now_ms() - v->started_ms;
	const char *name = node_name(t, room, sizeof(room));

	if (!mdc_verdict_attr(v, value)) {
		/* The proposal has gone; by now the attribute may say something else. */
		if (t->says_looking)
			mdc_publish_add_value(t, NULL);
		return;
	}
	mdc_publish_add_value(t, value);
	if (v->phase == MDC_VERDICT_LOOKING)
		return;
	/* Last, as a log file may be slow. */
	describe(v, what, sizeof(what));
	if (v->phase == MDC_VERDICT_FOUND) {
		mdc_notice("%s: %s %s: found as %s, %lld ms after the question", t->track.device,
			   name, what, v->device, after);
		return;
	}
	mdc_reason_text(&v->reason, why);
	mdc_warn("%s: %s %s: refused here after %lld ms, as this node %s", t->track.device, name,
		 what, after, why);
}

static void perform(struct mdc_tracked *t, const struct mdc_verdict_actions *actions)
{
	unsigned int i;

	for (i = 0; i < actions->n; i++) {
		switch (actions->a[i].what) {
		case MDC_VERDICT_SEARCH:
			start_search(t);
			break;
		case MDC_VERDICT_PROBE:
			probe(t, actions->a[i].device);
			break;
		case MDC_VERDICT_STOP:
			g_clear_pointer(&t->verdict_search, mdc_search_stop);
			break;
		case MDC_VERDICT_PUBLISH:
			publish(t);
			break;
		}
	}
	arm(t);
}

uint32_t mdc_verdict_view(struct mdc_tracked *t)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX], rival;
	struct mdc_verdict_actions out = { 0 };
	struct mdc_verdict_seen now = {
		.self = mdc_self(t), .id = t->track.id,
		/* Without the CIB too, while its mdcluster-cib is started again: the words count. */
		.view = mdc_add_view(t->daemon, NULL),
		.proposing = t->propose.phase == MDC_PROPOSE_ASKING,
		.announcing = t->announce.phase == MDC_PROPOSE_ASKING,
		.underway = mdc_propose_underway(&t->propose),
		.wait_ms = mdc_verdict_patience(t),
	};

	if (!t->present || !now.view || !now.self)
		return 0;
	if (mdc_lockspace_nodes(t, nodes, &now.n_members))
		now.members = nodes;
	rival = mdc_verdict_look(&t->verdict, mdc_now_ms(), &now, &out);
	if (out.n)
		perform(t, &out);
	return rival;
}

void mdc_verdict_blockdev(struct mdc_tracked *t, const char *kname)
{
	struct mdc_verdict_actions out = { 0 };

	mdc_verdict_block(&t->verdict, kname, &out);
	if (out.n)
		perform(t, &out);
}

void mdc_verdict_rescan(struct mdc_tracked *t)
{
	if (t->verdict_search)
		start_search(t);
}

void mdc_verdict_asked(struct mdc_tracked *t)
{
	g_clear_pointer(&t->verdict_search, mdc_search_stop);
}

void mdc_verdict_stop(struct mdc_tracked *t)
{
	struct mdc_verdict_actions out = { 0 };

	mdc_verdict_cancel(&t->verdict, &out);
	g_clear_pointer(&t->verdict_search, mdc_search_stop);
	g_clear_handle_id(&t->verdict_timer, g_source_remove);
}
