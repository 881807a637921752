/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request on mdclusterd's socket (README.md). Pure. */
#ifndef MDC_REQUEST_H
#define MDC_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/diskid.h"
#include "core/notify.h"
#include "core/track.h"
#include "core/uevent.h"
#include "core/uuid.h"

enum mdc_request_kind {
	MDC_REQ_TRACK,
	MDC_REQ_UNTRACK,
	MDC_REQ_PING,
	MDC_REQ_NOTIFY,
	MDC_REQ_STATUS,
	MDC_REQ_EVENTS,
	MDC_REQ_ANNOUNCE,
};

/* A disk that is on this node, bears the nonce, and is about to be added. */
struct mdc_announced {
	char kname[MDC_KNAME_MAX];
	uint64_t sectors;
	struct mdc_uuid nonce;
	char disk[MDC_DISKID_MAX];	/* WWN or serial number; empty: it has none */
};

struct mdc_request {
	enum mdc_request_kind kind;
	struct mdc_uuid uuid;		/* track, untrack, ping, notify, announce */
	struct mdc_track track;		/* track */
	struct mdc_notify notify;	/* notify */
	struct mdc_announced announced;	/* announce */
};

/*
 * line: without its newline, len bytes, no NUL needed behind them. 0 or -EINVAL, and then
 * *why is a sentence without a full stop.
 */
int mdc_request_parse(struct mdc_request *request, const char *line, size_t len,
		      const char **why);

/* The same line, without a newline. 0 or -ENOSPC. */
int mdc_request_announce(const struct mdc_uuid *array, const struct mdc_announced *announced,
			 char *out, size_t size);

#endif
