// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The range that another node resyncs. Pure; whoever owns the struct guards it.
 */
#include "range.h"

void mdc_suspended_init(struct mdc_suspended *s)
{
	s->range.lo = 0;
	s->range.hi = 0;
	s->owner = -1;
}

enum mdc_suspend_step mdc_suspended_set(struct mdc_suspended *s, int owner,
					const struct mdc_range *next)
{
	struct mdc_range old = s->range;

	if (!next->hi) {
		mdc_suspended_init(s);
		return old.hi ? MDC_SUSPEND_LESS : MDC_SUSPEND_SAME;
	}
	s->range = *next;
	s->owner = owner;
	if (next->lo == old.lo && next->hi == old.hi)
		return MDC_SUSPEND_SAME;
	if (next->lo >= old.lo && next->hi <= old.hi)
		return MDC_SUSPEND_LESS;
	return MDC_SUSPEND_MORE;
}

bool mdc_suspended_end_of(struct mdc_suspended *s, int owner)
{
	if (!s->range.hi || s->owner != owner)
		return false;
	mdc_suspended_init(s);
	return true;
}

bool mdc_suspended_covers(const struct mdc_suspended *s, u64 lo, u64 hi)
{
	return hi > s->range.lo && lo < s->range.hi;
}
