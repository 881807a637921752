/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Pacemaker tells the clone's instances when one of them is started or stopped: as the
 * agent reads it from its environment, and as it hands it on to mdclusterd (README.md). Pure.
 */
#ifndef MDC_NOTIFY_H
#define MDC_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/params.h"
#include "core/track.h"
#include "core/uuid.h"

#define MDC_NOTIFY_NODES_MAX 2048	/* the names with NUL */
#define MDC_NOTIFY_ACTION_MAX 16

struct mdc_notify {
	struct mdc_uuid uuid;			/* of the array; not from Pacemaker's variables */
	bool post;				/* after the action; else before it */
	char action[MDC_NOTIFY_ACTION_MAX];	/* start, stop, ... */
	/* Who has the array then: names divided by one space, none twice, or empty. */
	char nodes[MDC_NOTIFY_NODES_MAX];
};

/* 0; -ENOENT: there are no such variables; -EINVAL: they make no sense. uuid is left alone. */
int mdc_notify_read(struct mdc_notify *notify, mdc_env_fn env, void *data);
/* The line without "notify " before it and without a newline. 0 or -EINVAL. */
int mdc_notify_parse(struct mdc_notify *notify, const char *line);
/* Writes the same form with NUL; returns its length or -ENOSPC. */
int mdc_notify_format(const struct mdc_notify *notify, char *out, size_t size);
/* Is it one of the words of a list as in `nodes`? */
bool mdc_notify_has(const char *nodes, const char *name);

#endif
