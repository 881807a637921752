/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What corosync says: its name, quorum, and who has joined a DLM lockspace. A child talks
 * to it, as its libraries wait without end for a corosync that does not answer. Main loop.
 */
#ifndef MDC_COROSYNC_H
#define MDC_COROSYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/check.h"
#include "core/uuid.h"

#define MDC_CORO_LOCKSPACES_MAX 32

struct mdc_coro_lockspace {
	struct mdc_uuid array;
	bool known;			/* the groups could be read */
	unsigned int n;
	uint32_t nodes[MDC_CHECK_NODES_MAX];	/* ascending */
};

struct mdc_coro_view {
	bool up;			/* the rest means nothing where this is false */
	bool quorate;
	int dlm;			/* dlm_controld runs on this node: 1, 0, -1 not known */
	uint32_t nodeid;		/* 0: not known */
	char cluster[65];		/* empty: not known */
	unsigned int n_lockspaces;
	struct mdc_coro_lockspace lockspaces[MDC_CORO_LOCKSPACES_MAX];
};

struct mdc_corosync;

/* changed: at the first answer, then whenever the view is another. arrays: as below. */
struct mdc_corosync *mdc_corosync_new(void (*changed)(const struct mdc_coro_view *view,
						      void *data), void *data,
				      const struct mdc_uuid *arrays, unsigned int n);
void mdc_corosync_free(struct mdc_corosync *coro);
/* The arrays whose lockspaces are looked at; replaces those of before. */
void mdc_corosync_lockspaces(struct mdc_corosync *coro, const struct mdc_uuid *arrays,
			     unsigned int n);
const struct mdc_coro_view *mdc_corosync_view(const struct mdc_corosync *coro);
/* NULL where it is not looked at or not known. */
const struct mdc_coro_lockspace *mdc_coro_lockspace(const struct mdc_coro_view *view,
						    const struct mdc_uuid *array);

#endif
