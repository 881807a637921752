// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which parts of an array may have writes in flight. Pure.
 */
#include "inflight.h"

void mdc_inflight_init(struct mdc_inflight *f, u64 now)
{
	u32 i;

	f->noted = 0;
	f->drained = now;
	for (i = 0; i < MDC_REGIONS; i++)
		f->written[i] = 0;
}

void mdc_inflight_begin(struct mdc_inflight *f, u64 now)
{
	f->noted = now;
}

void mdc_inflight_note(struct mdc_inflight *f, u64 now, u64 lo, u64 hi)
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

	if (f->noted >= f->drained)
		return lo < hi;
	for (left = MDC_REGIONS; left && region << MDC_REGION_SHIFT < hi; left--, region++)
		if (f->written[region % MDC_REGIONS] >= f->drained)
			return true;
	return false;
}

void mdc_inflight_drained(struct mdc_inflight *f, u64 begun)
{
	if (begun > f->drained + MDC_COUNTED_MS)
		f->drained = begun - MDC_COUNTED_MS;
}
