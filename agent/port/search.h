/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at many block devices without ever being held up by one: forked workers, one
 * device at a time each, another worker when one does not come back. Main loop only.
 */
#ifndef MDC_SEARCH_H
#define MDC_SEARCH_H

#include "port/blockdev.h"
#include "port/probe.h"

#define MDC_SEARCH_SLOW_MS 500	/* after that long another worker goes on with the rest */
#define MDC_SEARCH_STUCK_MAX 16	/* workers that hang, in all; then no more are made */

struct mdc_search_pool;
struct mdc_search;

/* Each device as it is answered for. May stop the search. */
typedef void (*mdc_search_seen_fn)(const struct mdc_blockdev *dev, const struct mdc_probe *probe,
				   void *data);
/*
 * Every device queued so far has been looked at or hangs; looked_at counts those that
 * have answered. Called again when more were queued. May stop the search.
 */
typedef void (*mdc_search_idle_fn)(unsigned int looked_at, unsigned int stuck, void *data);

struct mdc_search_pool *mdc_search_pool_new(void);
/* From now on workers are kept ready, so that a search need not wait for its first. */
void mdc_search_pool_ready(struct mdc_search_pool *pool);
/* Kills what runs, waits for nothing. No search may be left. */
void mdc_search_pool_free(struct mdc_search_pool *pool);

/*
 * devices: of struct mdc_blockdev, copied, looked at in this order. also: MDC_PROBE_*. Calls back
 * later only.
 */
struct mdc_search *mdc_search_start(struct mdc_search_pool *pool, const GArray *devices,
				    unsigned int also, mdc_search_seen_fn seen,
				    mdc_search_idle_fn idle, void *data);
/* Looks at dev next, also if it has been looked at. */
void mdc_search_more(struct mdc_search *search, const struct mdc_blockdev *dev);
void mdc_search_stop(struct mdc_search *search);	/* NULL is fine */

#endif
