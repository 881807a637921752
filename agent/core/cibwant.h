/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of this node that mdclusterd has written through mdcluster-cib: what each is
 * to be, what was asked for, and when to ask again. One request a name is under way at a
 * time, and the latest value wins. Pure.
 */
#ifndef MDC_CIBWANT_H
#define MDC_CIBWANT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cibask.h"

#define MDC_CIBWANT_PAUSE_MS 1000	/* after the first failure; doubled at each */
#define MDC_CIBWANT_PAUSE_MAX_MS 30000
#define MDC_CIBWANT_SETTLE_MS 20000	/* so long the CIB may take to show a write first */

struct mdc_cibwant_attr {
	char name[MDC_CIB_ATTR_MAX];
	bool want_set, is_set;			/* is_: as far as is known */
	char want[MDC_CIB_VALUE_MAX], is[MDC_CIB_VALUE_MAX];
	bool known;				/* is_set and is mean something */
	bool shown;				/* the CIB has shown it since */
	uint32_t number;			/* of the request under way; 0: none is */
	int64_t written_ms;
	int64_t hold_ms;			/* nothing is asked for before; past: at once */
};

/* Zero-filled is a fresh one. */
struct mdc_cibwant {
	uint32_t last_number;
	unsigned int pause_ms;			/* 0: the last answer was good */
	int64_t again_ms;			/* with pause_ms: nothing is asked for before */
	unsigned int n;
	struct mdc_cibwant_attr attrs[MDC_CIBASK_MAX];
};

/*
 * value NULL: deleted. False: there is no room, or a line cannot carry it. Not asked for before
 * hold_ms, nor, where what went before was held, after its own hold.
 */
bool mdc_cibwant_set(struct mdc_cibwant *want, const char *name, const char *value,
		     int64_t hold_ms);
/* Nothing is held any more. */
void mdc_cibwant_release(struct mdc_cibwant *want);
/* To be deleted, whoever wrote it. */
bool mdc_cibwant_clear(struct mdc_cibwant *want, const char *name);
/*
 * The CIB shows value (NULL: not there) for a name that is this process's to write. What was
 * never set here is deleted; what it has shown, or should have by now, and does not show is
 * written again.
 */
void mdc_cibwant_seen(struct mdc_cibwant *want, int64_t now_ms, const char *name,
		      const char *value);
/* The next request to send, node not filled in; false: there is none now. */
bool mdc_cibwant_next(struct mdc_cibwant *want, int64_t now_ms, struct mdc_cibask *ask);
/* The name whose request was answered; NULL: one that nothing is known of any more. */
const char *mdc_cibwant_answer(struct mdc_cibwant *want, int64_t now_ms, uint32_t number, bool ok);
/* Who was asked is gone; what was under way may have been written or not. */
void mdc_cibwant_reset(struct mdc_cibwant *want);
/* Is all written? */
bool mdc_cibwant_idle(const struct mdc_cibwant *want);
/* When to look for the next request, where there is none now but will be; else -1. */
int64_t mdc_cibwant_deadline(const struct mdc_cibwant *want, int64_t now_ms);

#endif
