/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of nodes that are gone, and the ranges that others resync. PROTOCOL.md, "A node fails",
 * "A node resyncs".
 */
#ifndef MDC_RECOVER_H
#define MDC_RECOVER_H

#include "cluster.h"

int mdc_recover_open(struct mdc_cluster *c);	/* the recoverer */
void mdc_recover_close(struct mdc_cluster *c);

/* SLOT's bitmap is to be taken over. Any context. */
void mdc_recover_slot(struct mdc_cluster *c, int slot);

/* From SECTOR on there is something to resync. */
void mdc_lower_mark(struct mdc_cluster *c, u64 sector);

/*
 * At the start: takes over the bitmaps of absent nodes, learns of a resync that runs elsewhere. What
 * fails is tried again by the recoverer, and this node writes nothing before.
 */
int mdc_recover_gather(struct mdc_cluster *c);

/*
 * A recovery begins elsewhere: if it is onto a disk that md core has not made a leg here yet, writes
 * wait until it has.
 */
void mdc_recover_hold_writes(struct mdc_cluster *c);

/* This node resyncs. */
int mdc_resync_begin(struct mdc_cluster *c);	/* -EINTR, -ECANCELED: not now */
bool mdc_resync_unfinished(struct mdc_cluster *c);	/* others still wait for a range of ours */
/* HOLDS_MUTEX as for mdc_channel_take(). */
int mdc_resync_tell(struct mdc_cluster *c, const struct mdc_range *range, bool holds_mutex);
int mdc_resync_end(struct mdc_cluster *c);	/* under reconfig_mutex */

/* Another node resyncs: the receiver has a RESYNCING. */
void mdc_resync_received(struct mdc_cluster *c, const struct mdc_msg *msg);

#endif
