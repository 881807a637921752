/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of nodes that are gone, and what a start could not learn.
 * PROTOCOL.md, "A node joins", "A node fails".
 */
#ifndef MDC_RECOVER_H
#define MDC_RECOVER_H

#include "cluster.h"

int mdc_recover_open(struct mdc_cluster *c);	/* the recoverer */
void mdc_recover_close(struct mdc_cluster *c);

/* SLOT's bitmap is to be taken over. Any context. */
void mdc_recover_slot(struct mdc_cluster *c, int slot);

/* The superblock was written and nobody told: it will be. Under reconfig_mutex. */
void mdc_recover_untold(struct mdc_cluster *c);

/*
 * At the start: takes over the bitmaps of absent nodes, learns of a resync that runs elsewhere.
 * What fails is tried again by the recoverer, and this node writes nothing before.
 */
int mdc_recover_gather(struct mdc_cluster *c);

#endif
