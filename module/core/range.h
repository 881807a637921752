/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sectors must not be written here because another node resyncs them. One node resyncs at
 * a time (it holds the lock "resync"), so there is one range, and its owner's slot.
 */
#ifndef MDC_CORE_RANGE_H
#define MDC_CORE_RANGE_H

#include "wire.h"

struct mdc_suspended {
	struct mdc_range range;	/* empty: nothing is suspended */
	int owner;		/* slot whose range it is; -1 while empty */
};

enum mdc_suspend_step {
	MDC_SUSPEND_SAME,	/* nothing changed */
	MDC_SUSPEND_LESS,	/* fewer sectors than before: waiting writers may go on */
	MDC_SUSPEND_MORE,	/* sectors that could be written until now: writes in flight must drain */
};

void mdc_suspended_init(struct mdc_suspended *s);

/* Sets slot OWNER's range to NEXT; an empty NEXT ends it, whoever it was from. */
enum mdc_suspend_step mdc_suspended_set(struct mdc_suspended *s, int owner,
					const struct mdc_range *next);

/* Ends the range if it is slot OWNER's; true if it was. */
bool mdc_suspended_end_of(struct mdc_suspended *s, int owner);

/* Whether any sector of [lo, hi) is suspended. */
bool mdc_suspended_covers(const struct mdc_suspended *s, u64 lo, u64 hi);

#endif
