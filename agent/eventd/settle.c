/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the end of an add that one node has refused. The stock module then sends nothing, so
 * that a peer which had confirmed the disk keeps it as a candidate, and has dropped its CR on
 * no-new-dev, which it takes again at the next METADATA_UPDATED of another node only: until
 * then it could not refuse the next disk. But that message also makes a spare of a
 * candidate, and a degraded array would at once be rebuilt on a disk that the other nodes
 * don't have. So the order is:
 *
 * 1. The peer sees another node's refusal of the same disk, and takes its candidate out.
 * 2. It publishes `dropped`.
 * 3. The node that had asked for the disk sees that, and has its superblocks written: of the
 *    METADATA_UPDATED that this sends the peer takes CR again.
 *
 * A refusal that nobody publishes, as of a node without mdclusterd, is not seen, and a peer
 * whose mdclusterd has restarted since it confirmed does not know of its candidate.
 *
 * With our own module a peer's kernel takes its candidate out, and CR again, by itself, whoever
 * asked for the disk, and says so; step 1 is then to wait for that. It publishes `dropped:kernel`,
 * after which there is no step 3: all nodes have to acknowledge a message, and one that was deaf
 * to the add may still be.
 *
 * Which node asked is not known, but a drop names the disk by its UUID, and every peer was
 * asked about that. Where a peer takes itself for the asking node, as it does after a
 * restart of mdclusterd, the superblocks are written once for nothing.
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"

#define KERNEL_MS 5000		/* our module takes its candidate out sooner */

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

static void remove_it(struct mdc_tracked *t)
{
	int ret;

	mdc_warn("%s: %s was confirmed here, but the add has failed: taking it out again",
		 t->track.device, t->react.device);
	ret = mdc_mdioctl_remove(t->daemon->io, t->daemon->sys, t->track.md, t->react.device,
				 t->react.seq, t);
	if (ret)
		mdc_settle_done(t, MDC_IO_REMOVE, t->react.seq, -ret);
}

static gboolean remove_late(gpointer data)
{
	struct mdc_tracked *t = data;

	t->settle_wait = 0;
	if (t->react.phase == MDC_REACT_FOUND && t->settled == t->react.seq)
		remove_it(t);
	return G_SOURCE_REMOVE;
}

static void take_out(struct mdc_tracked *t)
{
	if (t->settled == t->react.seq)
		return;
	t->settled = t->react.seq;
	if (!t->module)
		remove_it(t);
	else if (!t->settle_wait)
		t->settle_wait = g_timeout_add(KERNEL_MS, remove_late, t);
}

void mdc_settle_kernel_dropped(struct mdc_tracked *t, unsigned int raid_disk)
{
	if (t->react.raid_disk != raid_disk)
		return;
	/* It may come before the confirmation has returned: see mdc_settle_confirmed(). */
	t->kernel_dropped = t->react.seq;
	g_clear_handle_id(&t->settle_wait, g_source_remove);
	if (t->react.phase == MDC_REACT_FOUND)
		mdc_adds_dropped(t, true);
}

void mdc_settle_stop(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->settle_wait, g_source_remove);
}

static void rewrite(struct mdc_tracked *t)
{
	unsigned int i;
	int ret = -ENODEV;

	for (i = 0; i < t->array.n_members; i++)
		if (strstr(t->array.members[i].state, "in_sync") &&
		    !strstr(t->array.members[i].state, "write_mostly"))
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
				"%s. Until the next change of the array a peer may not be able to "
				"refuse a disk that it does not see", t->track.device, strerror(err));
		else
			mdc_info("%s: the peers have been told that the add failed",
				 t->track.device);
		return;
	}
	if (seq != t->react.seq)
		return;
	if (err == EBUSY) {
		mdc_err("%s: another node refused %s, but it has a role in the array here: compare "
			"mdadm --detail %s on all nodes", t->track.device, t->react.device,
			t->track.device);
		return;
	}
	/* Another peer's removal reaches this node as well, and may have been first. */
	if (err && err != ENOENT && err != ENODEV) {
		mdc_err("%s: %s is left over from an add that failed and could not be taken out: "
			"%s. Remove it with mdadm --manage %s --remove /dev/%s before the next add",
			t->track.device, t->react.device, strerror(err), t->track.device,
			t->react.device);
		return;
	}
	mdc_adds_dropped(t, false);
}

/* What a node has said of another add stands there until it says something of this one. */
static bool is_new(struct mdc_tracked *t, gpointer node, const char *value)
{
	if (!g_strcmp0(value, g_hash_table_lookup(t->said_before, node)))
		return false;
	g_hash_table_remove(t->said_before, node);
	return true;
}

static void node_says(struct mdc_tracked *t, const struct mdc_cib_node *node, const char *value)
{
	gpointer key = GUINT_TO_POINTER(node->id);
	const char *before = g_hash_table_lookup(t->drops, key);

	if (!is_new(t, key, value))
		return;
	if (g_str_has_prefix(value, "missing:") || g_str_has_prefix(value, "failed:")) {
		if (t->react.phase == MDC_REACT_FOUND && same_disk(t, value))
			take_out(t);
		return;
	}
	if (!g_str_has_prefix(value, "dropped:") || !g_strcmp0(value, before))
		return;
	g_hash_table_insert(t->drops, key, g_strdup(value));
	if (!same_disk(t, value) && !g_str_has_prefix(value, "dropped:kernel:"))
		rewrite(t);
}

void mdc_settle_asked(struct mdc_tracked *t)
{
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, NULL);
	char name[MDC_ATTR_NAME_MAX];
	unsigned int i;

	mdc_settle_stop(t);
	g_hash_table_remove_all(t->said_before);
	if (!view || mdc_attr_name(name, t->track.id, MDC_ATTR_ADD))
		return;
	for (i = 0; i < view->n_nodes; i++) {
		const char *value = mdc_cibview_attr(view, view->nodes[i].id, name);

		if (value)
			g_hash_table_insert(t->said_before, GUINT_TO_POINTER(view->nodes[i].id),
					    g_strdup(value));
	}
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

void mdc_settle_confirmed(struct mdc_tracked *t)
{
	bool connected = false;
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, &connected);
	uint32_t self = mdc_corosync_view(t->daemon->coro)->nodeid;

	if (t->kernel_dropped == t->react.seq) {
		mdc_adds_dropped(t, true);
		return;
	}
	if (view && connected && self)
		mdc_settle_view(t, view, self);
}
