// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which parts of an array may have writes in flight. Pure.
 */
#include "inflight.h"

/* Times wrap: what is long past may then count as to come, which costs a drain. */
static bool after(u32 a, u32 b)
{
	return a != b && a - b < 1u << 31;
}

void mdc_inflight_init(struct mdc_inflight *f, u32 now)
{
	u32 i;

	f->noted = now - 1;
	f->drained = now;
	for (i = 0; i < MDC_REGIONS; i++)
		f->written[i] = now - 1;
}

void mdc_inflight_begin(struct mdc_inflight *f, u32 now)
{
	f->noted = now;
}

void mdc_inflight_note(struct mdc_inflight *f, u32 now, u64 lo, u64 hi)
{
	u64 region = lo >> MDC_REGION_SHIFT;
	u32 left;

	for (left = MDC_REGIONS; left && region << MDC_REGION_SHIFT < hi; left--, region++)
		f->written[region % MDC_REGIONS] = now;
}

bool mdc_inflight_any(const struct mdc_inflight *f, u64 lo, u64 hi)
{
	u64 region = lo >> MDC_REGION_SHIFT;
	u32 left;

	if (!after(f->drained, f->noted))
		return lo < hi;
	for (left = MDC_REGIONS; left && region << MDC_REGION_SHIFT < hi; left--, region++)
		if (!after(f->drained, f->written[region % MDC_REGIONS]))
			return true;
	return false;
}

void mdc_inflight_drained(struct mdc_inflight *f, u32 begun)
{
	u32 before = begun - MDC_COUNTED_MS;

	if (after(before, f->drained))
		f->drained = before;
}
