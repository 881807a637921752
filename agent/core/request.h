/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request on mdclusterd's socket (README.md). Pure. */
#ifndef MDC_REQUEST_H
#define MDC_REQUEST_H

#include <stddef.h>

#include "core/track.h"
#include "core/uuid.h"

enum mdc_request_kind {
	MDC_REQ_TRACK,
	MDC_REQ_UNTRACK,
	MDC_REQ_PING,
	MDC_REQ_STATUS,
	MDC_REQ_EVENTS,
};

struct mdc_request {
	enum mdc_request_kind kind;
	struct mdc_uuid uuid;		/* track, untrack, ping */
	struct mdc_track track;		/* track */
};

/*
 * line: without its newline, len bytes, no NUL needed behind them. 0 or -EINVAL, and then
 * *why is a sentence without a full stop.
 */
int mdc_request_parse(struct mdc_request *request, const char *line, size_t len,
		      const char **why);

#endif
