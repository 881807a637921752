/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of nodes that are gone, and what else is to be made up for before this node writes.
 * PROTOCOL.md, "A node joins", "A node fails".
 */
#ifndef MDC_RECOVER_H
#define MDC_RECOVER_H

#include "cluster.h"

int mdc_recover_open(struct mdc_cluster *c);	/* the recoverer */
void mdc_recover_close(struct mdc_cluster *c);

/* SLOT's bitmap is to be taken over. Any context. */
void mdc_recover_slot(struct mdc_cluster *c, int slot);

/*
 * At the start: takes over the bitmaps of absent nodes, learns of a resync that runs elsewhere.
 * What fails is tried again by the recoverer, and this node writes nothing before.
 */
int mdc_recover_gather(struct mdc_cluster *c);

/*
 * A recovery begins elsewhere: if it is onto a disk that md core has not made a leg here yet,
 * writes wait until it has.
 */
void mdc_recover_hold_writes(struct mdc_cluster *c);

/* This node writes nothing until the recoverer has made up for what is missing. */
void mdc_recover_catch_up(struct mdc_cluster *c);

/* Whether nothing is to be resynced here just now; the recoverer then looks what has changed. */
bool mdc_recover_refuses_sync(struct mdc_cluster *c);

/* It writes again: all is there, or it leaves. */
void mdc_recover_let_writes(struct mdc_cluster *c);

#endif
