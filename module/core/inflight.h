/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of an array may have writes in flight. md core tells when a write begins, never when
 * it ends, but it can drain the whole array; so each region keeps when it was last written. Times
 * are in ms, and do not wrap: a drain may be the first one for months. Pure; whoever owns the
 * struct guards it.
 */
#ifndef MDC_CORE_INFLIGHT_H
#define MDC_CORE_INFLIGHT_H

#include "types.h"

#define MDC_REGION_SHIFT 11	/* of sectors: 1 MiB */
#define MDC_REGIONS 2048	/* one that shares a place with a busy one is drained too often */

/* A write that has begun is counted by md core a little later: by then at the latest. */
#define MDC_COUNTED_MS 20

struct mdc_inflight {
	u64 noted;	/* since when writes are */
	u64 drained;	/* what began before has ended */
	u64 written[MDC_REGIONS];
};

/* Nothing is in flight. */
void mdc_inflight_init(struct mdc_inflight *f, u64 now);

/* From now on each write is noted. Before, none was: all may have some in flight. */
void mdc_inflight_begin(struct mdc_inflight *f, u64 now);

/* A write of [lo, hi) begins. */
void mdc_inflight_note(struct mdc_inflight *f, u64 now, u64 lo, u64 hi);

/* Whether [lo, hi) may have writes in flight. */
bool mdc_inflight_any(const struct mdc_inflight *f, u64 lo, u64 hi);

/* A drain that began at BEGUN has ended. */
void mdc_inflight_drained(struct mdc_inflight *f, u64 begun);

#endif
