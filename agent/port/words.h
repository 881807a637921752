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

/*
 * Another node has said something of the attribute with that name; NULL: some have left, or the
 * connection is lost, so that words of any name were forgotten. Never called from within another
 * function of these.
 */
typedef void (*mdc_words_fn)(const char *name, void *data);

struct mdc_words *mdc_words_new(mdc_words_fn changed, void *data);
/* Leaves the group; NULL is fine. */
void mdc_words_free(struct mdc_words *words);
/*
 * What this node's attribute says from now on; value NULL, or one that is no matter of who decides
 * on an add: that it says nothing. Said at once where the group is joined, and again to each node
 * that joins.
 */
void mdc_words_say(struct mdc_words *words, const char *name, const char *value);
const struct mdc_heard *mdc_words_heard(const struct mdc_words *words);
/* In the group now? dropped: how many messages could not be read or kept. */
bool mdc_words_joined(const struct mdc_words *words, unsigned int *dropped);

#endif
