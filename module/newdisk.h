/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding a disk: both sides. PROTOCOL.md, "A disk is added".
 */
#ifndef MDC_NEWDISK_H
#define MDC_NEWDISK_H

#include "cluster.h"

int mdc_newdisk_open(struct mdc_cluster *c);	/* the settler; stopped by mdc_newdisk_close() */
void mdc_newdisk_close(struct mdc_cluster *c);

/* A device was marked to be taken out: the settler sees to it that it is. Any context. */
void mdc_newdisk_sweep(struct mdc_cluster *c);

/*
 * The node that adds. Asks all others for the disk. 0: all have it, and the channel is kept for
 * the metadata update that follows. -ENOENT: a node does not; -ETIMEDOUT: one did not answer.
 * Under reconfig_mutex.
 */
int mdc_newdisk_ask(struct mdc_cluster *c, const struct mdc_new_disk *disk);

/* The add failed after mdc_newdisk_ask() had said 0. Nothing if it had not. */
void mdc_newdisk_cancel(struct mdc_cluster *c);

/* A peer: the receiver has a NEWDISK. Returns when this node has answered, or its time is over. */
void mdc_newdisk_received(struct mdc_cluster *c, const struct mdc_msg *msg);

/*
 * A peer: its word. 0; -EINVAL if nobody waits for it (any more), or not for the candidate that is
 * bound. Under reconfig_mutex.
 */
int mdc_newdisk_answer(struct mdc_cluster *c, bool found);

/*
 * A peer: the receiver is about to take in a metadata update: decides an add that is still open, if
 * that can be told.
 */
void mdc_newdisk_before_update(struct mdc_cluster *c);

/* ... has taken it in: an add that is still open is kept open. Having borrowed the mutex. */
void mdc_newdisk_after_update(struct mdc_cluster *c);

#endif
