/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node that adds a disk asks its own agent, which asks the cluster, before anything is said on
 * the wire: steps 2 and 5 of the add. PROTOCOL.md, "A disk is added".
 */
#ifndef MDC_PROPOSE_H
#define MDC_PROPOSE_H

#include "cluster.h"

/* From here to there the dump shows that DISK is being asked for. */
void mdc_own_add_begin(struct mdc_cluster *c, const struct mdc_new_disk *disk);
void mdc_own_add_end(struct mdc_cluster *c);

/*
 * 0: to go on, as the cluster says so, or nobody can be asked; -ENOENT: refused; -EINTR: the caller
 * is killed. Waits for verdict_timeout at most, under reconfig_mutex, which is lent meanwhile.
 */
int mdc_propose(struct mdc_cluster *c, const struct mdc_new_disk *disk);

/*
 * The agent's word on proposal ID; REASON, for the log, is copied. 0; -ENOENT: nobody waits for it.
 * Process context.
 */
int mdc_propose_verdict(struct mdc_cluster *c, u64 id, bool proceed, const char *reason);

#endif
