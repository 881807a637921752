/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic netlink family "mdcluster" (uapi/mdcluster.h): what this node's arrays look like,
 * and the agent that answers for this node's disks. netlink.c is the only user of genetlink.
 */
#ifndef MDC_NETLINK_H
#define MDC_NETLINK_H

#include "cluster.h"

int mdc_netlink_open(void);
void mdc_netlink_close(void);

/*
 * Lists C for dumps, and no longer. Once mdc_netlink_remove() has returned, no reader uses C any
 * more. Process context, sleeps.
 */
void mdc_netlink_add(struct mdc_cluster *c);
void mdc_netlink_remove(struct mdc_cluster *c);

/* What attached agents and watchers are told. The numbers are part of the interface. */
enum mdc_event {
	MDC_EVENT_JOINED = 1,
	MDC_EVENT_LEAVING = 2,
	MDC_EVENT_STOPPED = 3,		/* locks stand still */
	MDC_EVENT_RUNNING = 4,		/* ... go on, with the members that a dump shows */
	MDC_EVENT_MEMBER_FAILED = 5,	/* value: its slot, from 0 */
	MDC_EVENT_RECOVERED = 6,	/* value: the slot whose bitmap was taken over */
	MDC_EVENT_ADD_REFUSED = 7,	/* by a peer, or no answer; value: device number */
	MDC_EVENT_CANDIDATE_DROPPED = 8,	/* here; value: device number */
	MDC_EVENT_UPDATED = 9,		/* another node's metadata update was taken in */
	/* No verdict is waited for, or the add is given up by this node; value: device number */
	MDC_EVENT_PROPOSAL_OVER = 10,
};

/* Any context that may not sleep as well; never waits for a reader. */
void mdc_netlink_event(struct mdc_cluster *c, enum mdc_event event, u32 value);

/*
 * Hands the disk that another node proposes to the attached agent. False: none is attached, or it
 * does not read; the uevent is to be sent then. Process context.
 */
bool mdc_netlink_newdisk(struct mdc_cluster *c, const struct mdc_msg *msg);

/*
 * Hands the disk that this node is about to add to the attached agent: its port, for
 * mdc_netlink_is_agent(); 0: none is attached, or it does not read. The cluster's wait queue is
 * woken when it goes. Process context.
 */
u32 mdc_netlink_propose(struct mdc_cluster *c, u64 id, const struct mdc_new_disk *disk);
bool mdc_netlink_is_agent(u32 port);	/* any context */

#endif
