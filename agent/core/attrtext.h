/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and values of the node attributes (README.md). Pure. */
#ifndef MDC_ATTRTEXT_H
#define MDC_ATTRTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MDC_ATTR_NAME_MAX 160	/* with NUL: the longest primitive and the longest suffix */
#define MDC_ATTR_VALUE_MAX 128	/* with NUL */
#define MDC_SYNC_PAUSE_MS 10000	/* -sync changes at most as often: each write wakes the scheduler */

enum mdc_attr {
	MDC_ATTR_SLOT,
	MDC_ATTR_STATE,
	MDC_ATTR_SYNC,
	MDC_ATTR_ADD,
	MDC_ATTR_ALARM,
	MDC_ATTR_COUNT
};

/* 0 or -ENAMETOOLONG. */
int mdc_attr_name(char out[MDC_ATTR_NAME_MAX], const char *id, enum mdc_attr attr);

/* What -sync was last made to say, and when. percent -1: not there. */
struct mdc_attr_sync {
	int percent;
	int64_t changed_ms;
};

void mdc_attr_sync_init(struct mdc_attr_sync *sync);
/*
 * What it should say now: done of total, in steps of 10 %; total 0: nothing runs. True if
 * sync->percent has changed and is to be written. The end is told at once, steps are not.
 */
bool mdc_attr_sync_step(struct mdc_attr_sync *sync, uint64_t done, uint64_t total,
			int64_t now_ms);

#endif
