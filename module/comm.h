/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The locks of the channel, and the thread that receives. PROTOCOL.md, "A message". */
#ifndef MDC_COMM_H
#define MDC_COMM_H

#include "cluster.h"

/*
 * Makes the locks and the receiver, which does nothing before mdc_comm_start(). mdc_comm_close()
 * is for after an error, too.
 */
int mdc_comm_open(struct mdc_cluster *c);
void mdc_comm_start(struct mdc_cluster *c);
void mdc_comm_close(struct mdc_cluster *c);

/*
 * Takes in what another node wrote to the superblock and could not say any more. Holding the
 * channel.
 */
void mdc_comm_read_again(struct mdc_cluster *c);

/*
 * Reads the newest superblock. If that was news, its writer may not have told all, and some may not
 * have got to it yet: this node's own update holds its writes until they have. Needs the array's
 * mutex.
 */
void mdc_comm_read_newest(struct mdc_cluster *c);

/* Another node wants ack in EX: the BAST of the lock "ack". Softirq. */
void mdc_comm_bast(void *arg, int mode);

#endif
