/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What md core asks of a clustered array; mdops.c has the table that leads here. Each call but
 * join has the cluster that join made. Who holds what is md's: "mutex" stands for reconfig_mutex.
 */
#ifndef MDC_OPS_H
#define MDC_OPS_H

#include "cluster.h"

int mdc_ops_join(struct mddev *mddev, int slots, struct mdc_cluster **c);	/* mutex */
void mdc_ops_leave(struct mdc_cluster *c);					/* mutex */
int mdc_ops_slot(struct mdc_cluster *c);		/* from 0 */
void mdc_ops_load_bitmaps(struct mdc_cluster *c);				/* mutex */

int mdc_ops_metadata_start(struct mdc_cluster *c);				/* mutex */
int mdc_ops_metadata_finish(struct mdc_cluster *c);				/* mutex */
void mdc_ops_metadata_cancel(struct mdc_cluster *c);				/* mutex */

int mdc_ops_resync_start(struct mdc_cluster *c);	/* resync thread */
int mdc_ops_resync_announce(struct mdc_cluster *c);	/* resync thread; RESYNCING_START */
/* Resync thread, before its first sector: it has begun, and others know all they are to know. */
void mdc_ops_resync_told(struct mdc_cluster *c);
/*
 * Resync thread. Nobody else writes [LO, *HI) when it returns. LEAST: how many sectors the caller
 * needs; *HI may become less then, and it goes no further without asking again. 0: all.
 */
int mdc_ops_resync_update(struct mdc_cluster *c, u64 lo, u64 *hi, u32 least);
int mdc_ops_resync_finish(struct mdc_cluster *c);				/* mutex */
bool mdc_ops_waits_for_sync(struct mdc_cluster *c);
void mdc_ops_resync_range(struct mdc_cluster *c, u64 *lo, u64 *hi);
/* Whether [lo, hi) must not be written, or not be read from any but the first disk, just now. */
bool mdc_ops_area_busy(struct mdc_cluster *c, bool write, u64 lo, u64 hi);	/* any thread */

int mdc_ops_add(struct mdc_cluster *c, struct md_rdev *rdev);			/* mutex */
void mdc_ops_add_cancel(struct mdc_cluster *c);					/* mutex */
int mdc_ops_add_answer(struct mdc_cluster *c, bool found);			/* mutex */
int mdc_ops_remove(struct mdc_cluster *c, struct md_rdev *rdev);		/* mutex */
int mdc_ops_readd(struct mdc_cluster *c, struct md_rdev *rdev);			/* mutex */

int mdc_ops_resize_bitmaps(struct mdc_cluster *c, u64 sectors, u64 old_sectors);	/* mutex */
void mdc_ops_update_size(struct mdc_cluster *c, u64 old_device_sectors);	/* mutex */
int mdc_ops_lock_bitmaps(struct mdc_cluster *c);	/* 1: all are ours; mutex */
void mdc_ops_unlock_bitmaps(struct mdc_cluster *c);				/* mutex */

#endif
