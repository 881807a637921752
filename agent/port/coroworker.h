/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child's half of corosync.h: may block, so it is never called in mdclusterd itself. */
#ifndef MDC_COROWORKER_H
#define MDC_COROWORKER_H

#include "port/corosync.h"

/* What is sent to the child. */
struct mdc_coro_request {
	unsigned int n;
	struct mdc_uuid arrays[MDC_CORO_LOCKSPACES_MAX];
};

/* Reads requests from fd, writes a struct mdc_coro_view on each change, until fd closes. */
void mdc_coroworker_run(int fd, const void *data);

#endif
