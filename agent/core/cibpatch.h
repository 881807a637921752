/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A notification of the CIB's changes, applied to a view. Takes what Pacemaker 2.1 and 3 write;
 * libxml2 only. Not in the library that the agent links.
 */
#ifndef MDC_CIBPATCH_H
#define MDC_CIBPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "core/cibtext.h"

/* admin_epoch, epoch, num_updates: the first that differs says which of two is newer. */
struct mdc_cibversion {
	bool known;
	uint32_t part[3];
};

/* Zero-filled: no CIB was queried, and nothing applies. */
struct mdc_cibseen {
	struct mdc_cibversion view;	/* what the view has all of, but for what waits for a query */
	struct mdc_cibversion told;	/* to which the last notification led */
};

/* Of several changes the greatest counts. */
enum mdc_cibnews {
	MDC_CIBNEWS_NONE,	/* nothing that a view shows, or it is in the view already */
	MDC_CIBNEWS_VIEW,	/* the view has it now */
	MDC_CIBNEWS_QUERY,	/* a view must be made of a query; this one has what was understood */
};

/* The view was made of this <cib>. */
void mdc_cibseen_queried(struct mdc_cibseen *seen, const xmlNode *cib);

/* msg: what libcib hands to the callback of cib_diff_notify; NULL counts as one without a patch. */
enum mdc_cibnews mdc_cibpatch_apply(const xmlNode *msg, struct mdc_cibseen *seen,
				    struct mdc_cibview *view);

#endif
