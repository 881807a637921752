/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the end of an add that one node has refused. The stock module then sends nothing, so
 * that a peer which had confirmed the disk keeps it as a candidate, and has dropped its CR on
 * no-new-dev, which it takes again at the next METADATA_UPDATED of another node only: until
 * then it could not refuse the next disk. But that message also makes a spare of a
 * candidate, and a degraded array would at once be rebuilt on a disk that the other nodes
 * don't have. So the order is:
 *
 * 1. The peer takes its candidate out. That it is to go is seen from another node's refusal
 *    of the same disk, or a minute later from the disk itself: mdadm wipes the superblock
 *    of a disk whose add has failed.
 * 2. It publishes `dropped`.
 * 3. The node that had asked for the disk sees that, and has its superblocks written: of the
 *    METADATA_UPDATED that this sends the peer takes CR again.
 *
 * Which node asked is not known, but a drop names the disk by its UUID, and every peer was
 * asked about that. Where a peer takes itself for the asking node, as it does after a
 * restart of mdclusterd, the superblocks are written once for nothing.
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"

/* The kernels have given up by then: 5000 jiffies are 50 s at HZ=100. */
#define LATE_S 60

/* Is value "WORD:…:UUID8", of the disk that this node was asked about last? */
static bool same_disk(const struct mdc_tracked *t, const char *value)
{
	char uuid[MDC_UUID_COLON];
	const char *tail = strrchr(value, ':');

	if (!tail || t->react.phase == MDC_REACT_NONE)
		return false;
	mdc_uuid_colon(&t->react.device_uuid, uuid);
	return strlen(tail + 1) == MDC_REACT_UUID_HEAD &&
	       !strncmp(tail + 1, uuid, MDC_REACT_UUID_HEAD);
}

static void take_out(struct mdc_tracked *t)
{
	int ret;

	if (t->removing)
		return;
	mdc_warn("%s: %s was confirmed here, but the add has failed: taking it out again",
		 t->track.device, t->react.device);
	t->removing = true;
	ret = mdc_mdioctl_remove(t->daemon->io, t->daemon->sys, t->track.md, t->react.device,
				 t->react.seq, t);
	if (ret)
		mdc_settle_done(t, MDC_IO_REMOVE, t->react.seq, -ret);
}

static void rewrite(struct mdc_tracked *t)
{
	unsigned int i;
	int ret = -ENODEV;

	for (i = 0; i < t->array.n_members; i++)
		if (strstr(t->array.members[i].state, "in_sync"))
			break;
	if (i < t->array.n_members)
		ret = mdc_mdioctl_rewrite(t->daemon->io, t->daemon->sys, t->track.md,
					  t->array.members[i].device, 0, t);
	if (ret)
		mdc_settle_done(t, MDC_IO_REWRITE, 0, -ret);
}

void mdc_settle_done(struct mdc_tracked *t, enum mdc_mdioctl_kind kind, unsigned int seq, int err)
{
	if (kind == MDC_IO_REWRITE) {
		if (err)
			mdc_err("%s: the superblocks could not be written after an add that failed: "
				"%s. Write them with mdadm --manage %s --fail and --re-add before "
				"the next add", t->track.device, strerror(err), t->track.device);
		else
			mdc_info("%s: the peers have been told that the add failed",
				 t->track.device);
		return;
	}
	t->removing = false;
	if (seq != t->react.seq)
		return;
	/* Another peer's removal reaches this node as well. */
	if (err && err != ENOENT && err != ENODEV) {
		mdc_err("%s: %s is left over from an add that failed and could not be taken out: "
			"%s. Remove it with mdadm --manage %s --remove /dev/%s before the next add",
			t->track.device, t->react.device, strerror(err), t->track.device,
			t->react.device);
		return;
	}
	mdc_adds_dropped(t, "confirmed here, but the add failed");
}

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;

	(void)dev;
	if (!probe->err && t->react.phase == MDC_REACT_FOUND &&
	    !(probe->member && mdc_uuid_equal(&probe->super.device, &t->react.device_uuid)))
		take_out(t);
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;

	(void)looked_at;
	(void)stuck;
	g_clear_pointer(&t->settle_search, mdc_search_stop);
}

static gboolean late(gpointer data)
{
	struct mdc_tracked *t = data;
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));
	struct mdc_blockdev dev;

	t->settle_timer = 0;
	if (mdc_blockdev_get(t->daemon->sys, t->react.device, &dev)) {
		g_array_append_val(list, dev);
		t->settle_search = mdc_search_start(t->daemon->pool, list, seen, idle, t);
	}
	return G_SOURCE_REMOVE;
}

void mdc_settle_start(struct mdc_tracked *t)
{
	bool connected = false;
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, &connected);

	mdc_settle_stop(t);
	t->settle_timer = g_timeout_add_seconds(LATE_S, late, t);
	/* Another node may have been quicker to refuse than this one to confirm. */
	if (view && connected)
		mdc_settle_view(t, view, mdc_corosync_view(t->daemon->coro)->nodeid);
}

void mdc_settle_stop(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->settle_timer, g_source_remove);
	g_clear_pointer(&t->settle_search, mdc_search_stop);
}

static void node_says(struct mdc_tracked *t, const struct mdc_cib_node *node, const char *value)
{
	gpointer key = GUINT_TO_POINTER(node->id);
	const char *before = g_hash_table_lookup(t->drops, key);

	if (g_str_has_prefix(value, "missing:") || g_str_has_prefix(value, "failed:")) {
		if (t->react.phase == MDC_REACT_FOUND && same_disk(t, value))
			take_out(t);
		return;
	}
	if (!g_str_has_prefix(value, "dropped:") || !g_strcmp0(value, before))
		return;
	g_hash_table_insert(t->drops, key, g_strdup(value));
	if (!same_disk(t, value))
		rewrite(t);
}

void mdc_settle_view(struct mdc_tracked *t, const struct mdc_cibview *view, uint32_t self)
{
	char name[MDC_ATTR_NAME_MAX];
	unsigned int i;

	if (!t->tracked || !t->present || mdc_attr_name(name, t->track.id, MDC_ATTR_ADD))
		return;
	for (i = 0; i < view->n_nodes; i++) {
		const char *value = mdc_cibview_attr(view, view->nodes[i].id, name);

		if (value && view->nodes[i].id != self)
			node_says(t, &view->nodes[i], value);
	}
}
