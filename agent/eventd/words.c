/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the view that adds are decided by: the CIB's, with what the nodes have said since laid
 * over it. It is made when it is asked for and something has changed. Everything else goes by
 * the CIB alone.
 */
#include <string.h>

#include "eventd/daemon.h"

const struct mdc_cibview *mdc_add_view(struct mdc_daemon *d, bool *connected)
{
	const struct mdc_cibview *view = mdc_cib_view(d->cib, connected);
	const struct mdc_heard *heard = mdc_words_heard(d->words);

	if (!view || !heard->n)
		return view;
	if (!d->add_view)
		d->add_view = g_new0(struct mdc_cibview, 1);
	if (!d->add_view_made)
		mdc_heard_over(heard, view, d->add_view);
	d->add_view_made = true;
	return d->add_view;
}

bool mdc_words_reach_all(const struct mdc_tracked *t)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX], self = mdc_self(t);
	char name[MDC_ATTR_NAME_MAX];
	unsigned int n, i;

	if (!t->tracked || mdc_attr_name(name, t->track.id, MDC_ATTR_ADD) ||
	    !mdc_lockspace_nodes(t, nodes, &n))
		return false;
	for (i = 0; i < n; i++)
		if (nodes[i] != self &&
		    !mdc_heard_node(mdc_words_heard(t->daemon->words), nodes[i], name))
			return false;
	return n > 1;
}

void mdc_add_view_old(struct mdc_daemon *d)
{
	d->add_view_made = false;
}

static bool concerns(const struct mdc_tracked *t, enum mdc_words_what what, const char *name)
{
	char own[MDC_ATTR_NAME_MAX];

	switch (what) {
	case MDC_WORDS_SAID:
		return t->tracked && !mdc_attr_name(own, t->track.id, MDC_ATTR_ADD) &&
		       !strcmp(own, name);
	case MDC_WORDS_OUT:
		return t->propose.phase == MDC_PROPOSE_ASKING;
	case MDC_WORDS_SLOW:
		return false;
	case MDC_WORDS_LOST:
		break;
	}
	return true;
}

void mdc_words_changed(enum mdc_words_what what, const char *name, void *data)
{
	struct mdc_daemon *d = data;
	guint i;

	if (what == MDC_WORDS_SAID || what == MDC_WORDS_LOST)
		mdc_add_view_old(d);
	/* Who is left may have to go by the CIB, and so may all while the group stands still. */
	if (what == MDC_WORDS_SLOW || what == MDC_WORDS_LOST)
		mdc_cib_release(d->cib);
	for (i = 0; i < d->arrays->len; i++)
		if (concerns(d->arrays->pdata[i], what, name))
			mdc_proposals_look(d->arrays->pdata[i]);
}

void mdc_words_ready(struct mdc_tracked *t)
{
	bool connected = false;
	const struct mdc_cibview *view = mdc_cib_view(t->daemon->cib, &connected);
	uint32_t self = mdc_self(t);
	char name[MDC_ATTR_NAME_MAX];

	if (t->tracked && connected && view && self && mdc_cibview_node(view, self) &&
	    !mdc_attr_name(name, t->track.id, MDC_ATTR_ADD))
		mdc_words_begin(t->daemon->words, name);
}
