// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How far ahead this node says that it resyncs. Pure.
 */
#include "window.h"

/*
 * The resync stands still during a message: for at least one part in 17 of its time, or ranges
 * could be smaller; for at most one in 5, or they should be larger.
 */
#define OFTEN 4
#define RARE 16

void mdc_window_begin(struct mdc_window *w)
{
	w->told_at = 0;
	if (!w->sectors)
		w->sectors = 2 * MDC_WINDOW_MIN;
}

u64 mdc_window_next(struct mdc_window *w, u64 now, const struct mdc_range *all, u32 least)
{
	/* What took less than the clock can tell counts as one tick of it. */
	u64 took = w->took ? w->took : 1;
	u64 copied = now - w->told_at;

	if (w->told_at && copied < OFTEN * took && w->sectors < MDC_WINDOW_MAX)
		w->sectors *= 2;
	else if (w->told_at && copied > RARE * took && w->sectors > MDC_WINDOW_MIN)
		w->sectors /= 2;
	if (least < w->sectors)
		least = w->sectors;
	return all->hi - all->lo > least ? all->lo + least : all->hi;
}

void mdc_window_told(struct mdc_window *w, u64 begun, u64 now)
{
	w->took = now - begun;
	w->told_at = now;
}
