/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the end of an add that this node asked for and another one refused. The stock module
 * then sends nothing, so that a peer which had confirmed the disk keeps it as a candidate; and
 * having dropped its CR on no-new-dev, which it takes again at the next METADATA_UPDATED
 * only, it could not even refuse the next disk. So this node has its kernel write the
 * superblocks once more, which sends that message: the peers drop the candidate and can
 * refuse again (DESIGN.md, the add, step 10).
 *
 * Which node asked is not known, but a refusal names the disk by its UUID, and every peer was
 * asked about that. Where one is mistaken for the asking node, as after a restart of
 * mdclusterd, the superblocks are written once for nothing.
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"

static bool is_refusal(const char *value)
{
	return value && (g_str_has_prefix(value, "missing:") || g_str_has_prefix(value, "failed:"));
}

static bool was_asked(const struct mdc_tracked *t, const char *refusal)
{
	char uuid[MDC_UUID_COLON];
	const char *tail = strrchr(refusal, ':');

	if (t->react.phase == MDC_REACT_NONE)
		return false;
	mdc_uuid_colon(&t->react.device_uuid, uuid);
	return strlen(tail + 1) == MDC_REACT_UUID_HEAD &&
	       !strncmp(tail + 1, uuid, MDC_REACT_UUID_HEAD);
}

/* The write waits in a worker until the ioctl that adds has come back. */
static void rewrite(struct mdc_tracked *t, const char *node)
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
		mdc_settle_done(t, -ret);
	else
		mdc_warn("%s: %s refused the disk that was to be added: having the peers drop it",
			 t->track.device, node);
}

void mdc_settle_view(struct mdc_tracked *t, const struct mdc_cibview *view, uint32_t self)
{
	char name[MDC_ATTR_NAME_MAX];
	unsigned int i;

	if (!t->tracked || !t->present || mdc_attr_name(name, t->track.id, MDC_ATTR_ADD))
		return;
	for (i = 0; i < view->n_nodes; i++) {
		gpointer node = GUINT_TO_POINTER(view->nodes[i].id);
		const char *value = mdc_cibview_attr(view, view->nodes[i].id, name);
		const char *before = g_hash_table_lookup(t->refusals, node);

		if (view->nodes[i].id == self || !g_strcmp0(value, before))
			continue;
		if (!is_refusal(value)) {
			g_hash_table_remove(t->refusals, node);
			continue;
		}
		g_hash_table_insert(t->refusals, node, g_strdup(value));
		if (!was_asked(t, value))
			rewrite(t, view->nodes[i].name);
	}
}

void mdc_settle_done(struct mdc_tracked *t, int err)
{
	if (err)
		mdc_err("%s: the superblocks could not be written after an add that failed: %s. "
			"Peers may keep the disk as a spare: mdadm --manage %s --remove it there "
			"before the next add", t->track.device, strerror(err), t->track.device);
	else
		mdc_info("%s: the peers have been told that the add failed", t->track.device);
}
