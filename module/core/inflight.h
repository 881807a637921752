/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of an array may have writes in flight. md core tells when a write begins, never when
 * it ends, but it can drain the whole array; so each region keeps the number of the drain before
 * which it was last written. Pure; whoever owns the struct guards it.
 */
#ifndef MDC_CORE_INFLIGHT_H
#define MDC_CORE_INFLIGHT_H

#include "types.h"

#define MDC_REGION_SHIFT 11	/* of sectors: 1 MiB */
#define MDC_REGIONS 4096	/* one that shares a place with a busy one is drained too often */

struct mdc_inflight {
	u32 next;	/* number of the drain that is to come; they may wrap */
	u32 drained;	/* of the last one that has ended */
	u32 begun;	/* what was to come when writes began to be noted */
	u32 written[MDC_REGIONS];	/* what was to come when it was written last */
};

void mdc_inflight_init(struct mdc_inflight *f);

/* From now on each write is noted. Before, none was: all may have some in flight. */
void mdc_inflight_begin(struct mdc_inflight *f);

/* A write of [lo, hi) begins. */
void mdc_inflight_note(struct mdc_inflight *f, u64 lo, u64 hi);

/* Whether [lo, hi) may have writes in flight. */
bool mdc_inflight_any(const struct mdc_inflight *f, u64 lo, u64 hi);

/* A drain begins: returns its number, for its end. Several may be under way. */
u32 mdc_inflight_drain(struct mdc_inflight *f);
void mdc_inflight_drained(struct mdc_inflight *f, u32 number);

#endif
