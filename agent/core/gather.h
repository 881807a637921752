/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long to wait for more, when something has changed and all of it is to be read anew. Pure. */
#ifndef MDC_GATHER_H
#define MDC_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#define MDC_GATHER_FIRST_MS 10
#define MDC_GATHER_MAX_MS 200
#define MDC_GATHER_QUIET_MS 500

/* Zero-filled is a fresh one. */
struct mdc_gather {
	bool any;		/* there was a look */
	int64_t looked_ms;
	unsigned int wait_ms;
};

/* A change, with no look due yet: the look is to come after so many ms. */
unsigned int mdc_gather_wait(struct mdc_gather *gather, int64_t now_ms);
void mdc_gather_looked(struct mdc_gather *gather, int64_t now_ms);

#endif
