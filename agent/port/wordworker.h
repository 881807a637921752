/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child's half of words.h: may block, so it is never called in mdclusterd itself. */
#ifndef MDC_WORDWORKER_H
#define MDC_WORDWORKER_H

#include <stdint.h>

#include "core/word.h"

#define MDC_WORDS_GROUP "mdcluster"

enum mdc_wordnews_kind {
	MDC_NEWS_JOINED,	/* this child, or another one: each is to say its words again */
	MDC_NEWS_LEFT,		/* that process */
	MDC_NEWS_SAID,		/* ... another node's, said that */
	MDC_NEWS_ECHO,		/* what this child has said has reached the group */
};

/* What the child sends. It is sent words, as core/word.h has them, without NUL. */
struct mdc_wordnews {
	enum mdc_wordnews_kind kind;
	uint32_t node, pid;
	uint32_t len;			/* SAID; longer than text: it was cut */
	char text[MDC_WORD_MAX];
};

/*
 * Tries until it is in the group; from then on ends with the first error of corosync's, or where
 * a word cannot be sent, and so leaves the group. Ends when fd closes.
 */
void mdc_wordworker_run(int fd, const void *data);

#endif
