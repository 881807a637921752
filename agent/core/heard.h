/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the other nodes have said in the process group "mdcluster", and the CIB's view with that
 * laid over it. A node says each word there before it writes it into the CIB, so that as long
 * as it is in the group its word is never older than what the CIB shows of it; who has left is
 * forgotten, and the CIB's counts again. Pure.
 */
#ifndef MDC_HEARD_H
#define MDC_HEARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cibtext.h"
#include "core/word.h"

#define MDC_HEARD_MAX 4096	/* nodes times arrays; beyond that, the CIB alone */

struct mdc_heard_word {
	uint32_t node, pid;		/* of who said it last, as corosync has it */
	struct mdc_word word;
};

/* Each (node, name) stands at most once. Zero-filled: nothing was heard. */
struct mdc_heard {
	unsigned int n;
	struct mdc_heard_word words[MDC_HEARD_MAX];
};

/* 1: it is news; 0: it stood already; -ENOSPC: not taken, nor anything of that node and name. */
int mdc_heard_take(struct mdc_heard *heard, uint32_t node, uint32_t pid,
		   const struct mdc_word *word);
/*
 * That process has left the group, or said what cannot be read, which may have replaced any of
 * its words. True if some were forgotten.
 */
bool mdc_heard_forget(struct mdc_heard *heard, uint32_t node, uint32_t pid);
/* Is that node in the group, with that attribute? Then it says there what the CIB comes to show. */
bool mdc_heard_node(const struct mdc_heard *heard, uint32_t node, const char *name);
/* The view with the words in the place of what it shows; nodes that it does not know stay out. */
void mdc_heard_over(const struct mdc_heard *heard, const struct mdc_cibview *view,
		    struct mdc_cibview *out);

#endif
