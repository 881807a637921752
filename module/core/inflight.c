// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which parts of an array may have writes in flight. Pure.
 */
#include "inflight.h"

/* Numbers wrap: what is long past may then count as to come, which costs a drain. */
static bool after(u32 a, u32 b)
{
	return a != b && a - b < 1u << 31;
}

void mdc_inflight_init(struct mdc_inflight *f)
{
	u32 i;

	f->drained = 0;
	f->next = 1;
	f->begun = 1;
	for (i = 0; i < MDC_REGIONS; i++)
		f->written[i] = 0;
}

void mdc_inflight_begin(struct mdc_inflight *f)
{
	f->begun = f->next;
}

void mdc_inflight_note(struct mdc_inflight *f, u64 lo, u64 hi)
{
	u64 region = lo >> MDC_REGION_SHIFT;
	u32 left;

	for (left = MDC_REGIONS; left && region << MDC_REGION_SHIFT < hi; left--, region++)
		f->written[region % MDC_REGIONS] = f->next;
}

bool mdc_inflight_any(const struct mdc_inflight *f, u64 lo, u64 hi)
{
	u64 region = lo >> MDC_REGION_SHIFT;
	u32 left;

	if (after(f->begun, f->drained))
		return lo < hi;
	for (left = MDC_REGIONS; left && region << MDC_REGION_SHIFT < hi; left--, region++)
		if (after(f->written[region % MDC_REGIONS], f->drained))
			return true;
	return false;
}

u32 mdc_inflight_drain(struct mdc_inflight *f)
{
	return f->next++;
}

void mdc_inflight_drained(struct mdc_inflight *f, u32 number)
{
	if (after(number, f->drained))
		f->drained = number;
}
