/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the table of words. A process counts, not just a node: the one that a killed mdclusterd has
 * left behind may leave the group after its successor has joined and said its own.
 */
#include "core/heard.h"

#include <errno.h>
#include <string.h>

/* heard->n: there is none. */
static unsigned int find(const struct mdc_heard *heard, uint32_t node, const char *name)
{
	unsigned int i;

	for (i = 0; i < heard->n; i++)
		if (heard->words[i].node == node && !strcmp(heard->words[i].word.name, name))
			break;
	return i;
}

int mdc_heard_take(struct mdc_heard *heard, uint32_t node, uint32_t pid,
		   const struct mdc_word *word)
{
	unsigned int i = find(heard, node, word->name);
	bool same = i < heard->n && !strcmp(heard->words[i].word.value, word->value);

	if (i == MDC_HEARD_MAX)
		return -ENOSPC;
	if (i == heard->n)
		heard->n++;
	heard->words[i] = (struct mdc_heard_word){ .node = node, .pid = pid, .word = *word };
	return !same;
}

bool mdc_heard_node(const struct mdc_heard *heard, uint32_t node, const char *name)
{
	return find(heard, node, name) < heard->n;
}

bool mdc_heard_forget(struct mdc_heard *heard, uint32_t node, uint32_t pid)
{
	unsigned int i, n = 0, had = heard->n;

	for (i = 0; i < had; i++)
		if (heard->words[i].node != node || heard->words[i].pid != pid)
			heard->words[n++] = heard->words[i];
	heard->n = n;
	return n != had;
}

void mdc_heard_over(const struct mdc_heard *heard, const struct mdc_cibview *view,
		    struct mdc_cibview *out)
{
	unsigned int i;

	mdc_cibview_copy(out, view);
	for (i = 0; i < heard->n; i++) {
		const struct mdc_heard_word *w = &heard->words[i];

		/* A node that is not known, or no room: the CIB's counts. */
		if (w->word.value[0])
			mdc_cibview_set_attr(out, w->node, w->word.name, w->word.value);
		else
			mdc_cibview_drop_attr(out, w->node, w->word.name);
	}
}
