/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A resync or a recovery, of this node or of another. PROTOCOL.md, "A node resyncs".
 */
#ifndef MDC_RESYNC_H
#define MDC_RESYNC_H

#include "cluster.h"

/* From SECTOR on there is something to resync. */
void mdc_lower_mark(struct mdc_cluster *c, u64 sector);

/* This node resyncs. */
int mdc_resync_begin(struct mdc_cluster *c);	/* -EINTR, -ECANCELED: not now */
/* All others know who takes part: what they know is taken over. May interrupt the recovery. */
void mdc_resync_told(struct mdc_cluster *c);
bool mdc_resync_unfinished(struct mdc_cluster *c);	/* others still wait for a range of ours */
/* HOLDS_MUTEX as for mdc_channel_take(). */
int mdc_resync_tell(struct mdc_cluster *c, const struct mdc_range *range, bool holds_mutex);
int mdc_resync_end(struct mdc_cluster *c);	/* under reconfig_mutex */

/* Another node resyncs: the receiver has a RESYNCING. */
void mdc_resync_received(struct mdc_cluster *c, const struct mdc_msg *msg);

#endif
