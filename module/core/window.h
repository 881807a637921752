/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far ahead this node says that it resyncs. Others must not write there until it has moved on,
 * so: as little as messages allow. Pure; belongs to md's one resync thread.
 */
#ifndef MDC_CORE_WINDOW_H
#define MDC_CORE_WINDOW_H

#include "wire.h"

#define MDC_WINDOW_MIN 4096	/* sectors: 2 MiB */
#define MDC_WINDOW_MAX 65536	/* 32 MiB, what md core says for RAID1 */

struct mdc_window {
	u32 sectors;
	u64 told_at;	/* ms; 0: not yet */
	u64 took;	/* ms that the message took */
};

/* A resync begins. */
void mdc_window_begin(struct mdc_window *w);

/*
 * At NOW ms it is about to enter ALL, as md core would say it: where the range is to end that the
 * others are told of. LEAST sectors are needed.
 */
u64 mdc_window_next(struct mdc_window *w, u64 now, const struct mdc_range *all, u32 least);

/* All have heard it; the message was begun at BEGUN. */
void mdc_window_told(struct mdc_window *w, u64 begun, u64 now);

#endif
