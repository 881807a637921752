/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A leg that others write to and that is none here yet: this node's writes are held meanwhile.
 */
#ifndef MDC_CATCHUP_H
#define MDC_CATCHUP_H

#include "cluster.h"

/*
 * A recovery begins elsewhere: if it is onto a disk that md core has not made a leg here yet,
 * writes wait until it has. The receiver's.
 */
void mdc_catchup_hold_writes(struct mdc_cluster *c);

/*
 * Another node adds DEVICE again (RE_ADD): it is not faulty here any more. As long as it is still in
 * its place, and this node resyncs, that would take what it has for the others': then the resync is
 * broken off, and nothing is written here until it is over. False: no faulty member here. The
 * receiver's.
 */
bool mdc_catchup_readd(struct mdc_cluster *c, u32 device);

/* ... and before this node writes the superblock: waits for the resync. Holding the mutex. */
void mdc_catchup_before_update(struct mdc_cluster *c);

/* The superblock was read: of what has failed anew nothing is left to be done. Needs the mutex. */
void mdc_catchup_updated(struct mdc_cluster *c);

/* This node writes nothing until the recoverer has made up for what is missing. Any context. */
void mdc_catchup_begin(struct mdc_cluster *c);

/*
 * The recoverer's, meanwhile: 0, and writes go on, if no leg is missing any more; else -EAGAIN, and
 * md core is to look again; -ESHUTDOWN.
 */
int mdc_catchup_look(struct mdc_cluster *c);

/*
 * A leg that is not whole yet is made so before anything else is resynced (mdc_md_leg_first()): what
 * is to be waits in late_dirt and put_off. Whether it is whole by now; then the recoverer goes on.
 */
void mdc_catchup_leg_first(struct mdc_cluster *c);
bool mdc_catchup_leg_whole(struct mdc_cluster *c);
void mdc_catchup_leg_done(struct mdc_cluster *c);

/* It writes again: all is there, or it leaves. */
void mdc_catchup_end(struct mdc_cluster *c);

/* Whether nothing is to be resynced here just now; the recoverer then looks what has changed. */
bool mdc_catchup_refuses_sync(struct mdc_cluster *c);

#endif
