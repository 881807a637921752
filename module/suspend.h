/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this node must not write because another one resyncs it. PROTOCOL.md, "Ranges that are
 * suspended".
 */
#ifndef MDC_SUSPEND_H
#define MDC_SUSPEND_H

#include "cluster.h"

/* A write to [lo, hi) is to begin; false: it must wait, and ask again when woken. Any thread. */
bool mdc_suspend_may_write(struct mdc_cluster *c, u64 lo, u64 hi);

/*
 * SLOT says what it resyncs. On return no write is in flight there, and none begins. False: as
 * mdc_suspend_learn().
 */
bool mdc_suspend_set(struct mdc_cluster *c, int slot, const struct mdc_range *range);

/* The same while nobody writes here. False: SLOT is gone, and its range with it. */
bool mdc_suspend_learn(struct mdc_cluster *c, int slot, const struct mdc_range *range);

/* Ends all writes that have begun; those that wait ask again. Sleeps. */
void mdc_suspend_drain(struct mdc_cluster *c);

#endif
