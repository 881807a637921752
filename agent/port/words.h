/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This node's words to the others and theirs to it, through corosync's process group
 * "mdcluster" (README.md, "Words"): some milliseconds, where the CIB takes a fraction of a second
 * as every node writes it out. The CIB carries the same, so what is lost here costs time only.
 * A child talks to corosync, as its library waits without end for one that does not answer.
 * Main loop.
 */
#ifndef MDC_PORT_WORDS_H
#define MDC_PORT_WORDS_H

#include <stdbool.h>

#include "core/heard.h"

struct mdc_words;

enum mdc_words_what {
	MDC_WORDS_SAID,		/* another node has said something of the attribute with that name */
	MDC_WORDS_OUT,		/* all that this node has said has reached the group */
	MDC_WORDS_SLOW,		/* it has not, and should have: the CIB may be needed */
	MDC_WORDS_LOST,		/* some have left, or the connection is lost: words were forgotten */
};

/* name: NULL but for SAID. Never called from within another function of these. */
typedef void (*mdc_words_fn)(enum mdc_words_what what, const char *name, void *data);

struct mdc_words *mdc_words_new(mdc_words_fn changed, void *data);
/* Leaves the group; NULL is fine. */
void mdc_words_free(struct mdc_words *words);
/*
 * What this node's attribute says from now on; value NULL, or one that is no matter of who decides
 * on an add: that it says nothing. Said at once where the group is joined, and again to each node
 * that joins.
 */
void mdc_words_say(struct mdc_words *words, const char *name, const char *value);
/* The same, that it says nothing, unless this node has said something of it already. */
void mdc_words_begin(struct mdc_words *words, const char *name);
/* Has all that this node has said reached the group? */
bool mdc_words_out(const struct mdc_words *words);
const struct mdc_heard *mdc_words_heard(const struct mdc_words *words);
/* In the group now? dropped: how many messages could not be read or kept. */
bool mdc_words_joined(const struct mdc_words *words, unsigned int *dropped);

#endif
