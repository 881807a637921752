/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One array as a dump of the netlink family shows it. */
#ifndef MDC_NETDUMP_H
#define MDC_NETDUMP_H

#include "cluster.h"

struct sk_buff;

/*
 * Adds the attributes from CLUSTER_NAME to COUNTERS. 0, -ENOMEM, or -EMSGSIZE: SKB is full, and
 * what was added is to be cancelled. The caller keeps C from being freed. Process context.
 */
int mdc_netdump_put(struct sk_buff *skb, struct mdc_cluster *c);

#endif
