/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic netlink family "mdcluster", version 1: what the clustered MD arrays of this node
 * look like, and the agent that answers for this node's disks.
 *
 * The family exists while our md-cluster module is loaded (the kernel's own md-cluster has none),
 * in the initial network namespace only, and every part of it needs CAP_NET_ADMIN. nlctrl's group
 * "notify" tells when it comes and goes.
 *
 * It is extended by adding: numbers never change their meaning, a field that is not there is not
 * known, and a reader passes over attributes, events and counters that it does not know. In a
 * request, an attribute that the command does not take is refused with EINVAL.
 *
 * Slots are counted from 0, as in the messages between the nodes, in what this module logs and in
 * mdadm --examine-bitmap; the DLM, the log of the kernel's own md-cluster and mdclusterctl count
 * from 1. Sectors have 512 bytes. Times are milliseconds. Numbers of 64 bits may stand at any
 * multiple of 4.
 */
#ifndef MDCLUSTER_H
#define MDCLUSTER_H

#define MDCLUSTER_GENL_NAME "mdcluster"
#define MDCLUSTER_GENL_VERSION 1

/* Multicast group: each NEWDISK and EVENT that happens on this node, for whoever watches. */
#define MDCLUSTER_GENL_GROUP "events"

/* No message is longer: what a reader needs room for. */
#define MDCLUSTER_MESSAGE_MAX 8192

#define MDCLUSTER_UUID_SIZE 16
#define MDCLUSTER_NAME_MAX 31		/* characters of an array's or a counter's name */
#define MDCLUSTER_CLUSTER_NAME_MAX 64
#define MDCLUSTER_REASON_MAX 255

enum mdcluster_cmd {
	MDCLUSTER_CMD_UNSPEC,
	/*
	 * Request, as a dump (NLM_F_DUMP), without attributes. Answer: one message with this number
	 * for each array, with ARRAY_UUID to AGENT below, RESYNCING and OWN_ADD.
	 */
	MDCLUSTER_CMD_GET_ARRAYS,
	/*
	 * Request, without attributes: the socket that it comes from is the agent from now on,
	 * until it is closed. The agent is sent each NEWDISK and EVENT, and while it takes them
	 * the kernel emits no uevent for a disk that another node adds. EBUSY: there is another
	 * one; the extended ack names its port.
	 */
	MDCLUSTER_CMD_ATTACH,
	/*
	 * Request, from the agent alone (EPERM): its word on a disk that this node is about to add:
	 * ARRAY_UUID, PROPOSAL, VERDICT, and REASON where it refuses. ENOENT: nobody waits for it
	 * any more.
	 */
	MDCLUSTER_CMD_VERDICT,
	/*
	 * From the kernel: another node adds a disk, and this node has TIMEOUT ms to say whether it
	 * sees it, by the ioctl ADD_NEW_DISK with MD_DISK_CANDIDATE, or CLUSTERED_DISK_NACK.
	 * ARRAY_UUID, ARRAY_MINOR, ARRAY_NAME, DEVICE_UUID, DEVICE, SLOT (of the node that adds),
	 * TIMEOUT.
	 */
	MDCLUSTER_CMD_NEWDISK,
	/* From the kernel: ARRAY_UUID, ARRAY_MINOR, ARRAY_NAME, EVENT, and VALUE if it has one. */
	MDCLUSTER_CMD_EVENT,
	/*
	 * From the kernel: this node is about to add a disk, and waits TIMEOUT ms for its agent's
	 * VERDICT. ARRAY_UUID, ARRAY_MINOR, ARRAY_NAME, DEVICE_UUID, DEVICE, DISK, PROPOSAL,
	 * TIMEOUT.
	 */
	MDCLUSTER_CMD_PROPOSED,

	__MDCLUSTER_CMD_MAX
};

#define MDCLUSTER_CMD_MAX (__MDCLUSTER_CMD_MAX - 1)

enum mdcluster_attr {
	MDCLUSTER_A_UNSPEC,
	MDCLUSTER_A_PAD,		/* may stand before a number of 64 bits; empty */

	MDCLUSTER_A_ARRAY_UUID,		/* 16 bytes, in the order of the superblock */
	MDCLUSTER_A_ARRAY_MINOR,	/* u32 */
	MDCLUSTER_A_ARRAY_NAME,		/* string, the kernel's name: "md127" */
	MDCLUSTER_A_CLUSTER_NAME,	/* string */
	MDCLUSTER_A_OUR_SLOT,		/* u32; not there until the DLM has given one */
	MDCLUSTER_A_SLOTS,		/* u32: bitmaps of the array, one a node */
	MDCLUSTER_A_MEMBERS,		/* nested: MEMBER, as often as nodes have the array */
	MDCLUSTER_A_STOPPED,		/* flag: the DLM stands still, and so do all locks */
	MDCLUSTER_A_IN_CLUSTER,		/* flag: the array is up, messages are acted upon */
	MDCLUSTER_A_SUSPENDED,		/* nested mdcluster_range: not to be written just now */
	MDCLUSTER_A_TO_RECOVER,		/* nested: SLOT, each whose bitmap is to be taken over */
	MDCLUSTER_A_ADD,		/* nested mdcluster_add: a disk that another node adds */
	MDCLUSTER_A_RECEIVING,		/* u64 ms: for how long one message is being received */
	MDCLUSTER_A_LIMITS,		/* nested mdcluster_limit */
	MDCLUSTER_A_COUNTERS,		/* nested: COUNTER, many */
	MDCLUSTER_A_LOST,		/* u64: messages that no agent took, since loaded */
	MDCLUSTER_A_AGENT,		/* u32: port of the agent; not there if there is none */

	MDCLUSTER_A_MEMBER,		/* nested mdcluster_member */
	MDCLUSTER_A_COUNTER,		/* nested mdcluster_counter */
	MDCLUSTER_A_SLOT,		/* u32 */
	MDCLUSTER_A_EVENT,		/* u32, enum mdcluster_event */
	MDCLUSTER_A_VALUE,		/* u32, what it is depends on the event */
	MDCLUSTER_A_DEVICE_UUID,	/* 16 bytes, in the order of the superblock */
	MDCLUSTER_A_DEVICE,		/* u32: number in the array, "Number" of mdadm --detail */
	MDCLUSTER_A_TIMEOUT,		/* u32 ms */
	MDCLUSTER_A_PROPOSAL,		/* u64, not 0 */
	MDCLUSTER_A_VERDICT,		/* u32, enum mdcluster_verdict */
	MDCLUSTER_A_REASON,		/* string, at most MDCLUSTER_REASON_MAX characters */
	MDCLUSTER_A_DISK,		/* u64, major << 32 | minor of this node's block device */

	/* Of GET_ARRAYS as well: */
	MDCLUSTER_A_RESYNCING,		/* nested mdcluster_range: what this node resyncs just now */
	MDCLUSTER_A_OWN_ADD,		/* nested mdcluster_own_add: a disk that this node adds */

	__MDCLUSTER_A_MAX
};

#define MDCLUSTER_A_MAX (__MDCLUSTER_A_MAX - 1)

enum mdcluster_member {
	MDCLUSTER_MEMBER_UNSPEC,
	MDCLUSTER_MEMBER_NODE,		/* u32: corosync's and the DLM's number of the node */
	MDCLUSTER_MEMBER_SLOT,		/* u32 */

	__MDCLUSTER_MEMBER_MAX
};

#define MDCLUSTER_MEMBER_MAX (__MDCLUSTER_MEMBER_MAX - 1)

enum mdcluster_range {
	MDCLUSTER_RANGE_UNSPEC,
	MDCLUSTER_RANGE_PAD,
	MDCLUSTER_RANGE_LO,		/* u64, the first sector */
	MDCLUSTER_RANGE_HI,		/* u64, the first one behind it */
	MDCLUSTER_RANGE_SLOT,		/* u32: of the node that resyncs it */

	__MDCLUSTER_RANGE_MAX
};

#define MDCLUSTER_RANGE_MAX (__MDCLUSTER_RANGE_MAX - 1)

enum mdcluster_add_step {
	MDCLUSTER_STEP_WAITING = 1,	/* for this node's word */
	MDCLUSTER_STEP_FOUND = 2,	/* this node said that it has the disk */
	MDCLUSTER_STEP_MISSING = 3,	/* this node refused it, or did not answer in time */
	MDCLUSTER_STEP_SETTLING = 4,	/* this node has it; the add may have failed */
};

enum mdcluster_add {
	MDCLUSTER_ADD_UNSPEC,
	MDCLUSTER_ADD_PAD,
	MDCLUSTER_ADD_STEP,		/* u32, enum mdcluster_add_step */
	MDCLUSTER_ADD_DEVICE_UUID,	/* 16 bytes */
	MDCLUSTER_ADD_DEVICE,		/* u32 */
	MDCLUSTER_ADD_SLOT,		/* u32: of the node that adds */
	MDCLUSTER_ADD_SINCE,		/* u64 ms: how long ago it was asked for */

	__MDCLUSTER_ADD_MAX
};

#define MDCLUSTER_ADD_MAX (__MDCLUSTER_ADD_MAX - 1)

/* There from the moment that others are asked until all have answered, or one has refused. */
enum mdcluster_own_add {
	MDCLUSTER_OWN_ADD_UNSPEC,
	MDCLUSTER_OWN_ADD_PAD,
	MDCLUSTER_OWN_ADD_DEVICE_UUID,	/* 16 bytes */
	MDCLUSTER_OWN_ADD_DEVICE,	/* u32 */
	MDCLUSTER_OWN_ADD_DISK,		/* u64, as MDCLUSTER_A_DISK */
	MDCLUSTER_OWN_ADD_SINCE,	/* u64 ms: how long ago it began */
	MDCLUSTER_OWN_ADD_PROPOSAL,	/* u64: the agent's VERDICT on it is waited for */

	__MDCLUSTER_OWN_ADD_MAX
};

#define MDCLUSTER_OWN_ADD_MAX (__MDCLUSTER_OWN_ADD_MAX - 1)

/* The module's parameters of the same names, all u32 ms. */
enum mdcluster_limit {
	MDCLUSTER_LIMIT_UNSPEC,
	MDCLUSTER_LIMIT_NEWDISK_TIMEOUT,
	MDCLUSTER_LIMIT_JOIN_TIMEOUT,
	MDCLUSTER_LIMIT_LEAVE_TIMEOUT,
	MDCLUSTER_LIMIT_STUCK_AFTER,	/* RECEIVING beyond it: this node is stuck */
	MDCLUSTER_LIMIT_VERDICT_TIMEOUT,	/* for how long a PROPOSED waits */

	__MDCLUSTER_LIMIT_MAX
};

#define MDCLUSTER_LIMIT_MAX (__MDCLUSTER_LIMIT_MAX - 1)

/*
 * Counted since the array was joined. Names and kinds are words of letters, digits and '_'. Those
 * of messages have a kind: "sent" and "received" a type (METADATA_UPDATED...), "dropped" what was
 * wrong with the message ("range"...).
 */
enum mdcluster_counter {
	MDCLUSTER_COUNTER_UNSPEC,
	MDCLUSTER_COUNTER_PAD,
	MDCLUSTER_COUNTER_NAME,		/* string */
	MDCLUSTER_COUNTER_KIND,		/* string; not there if there is one of that name */
	MDCLUSTER_COUNTER_VALUE,	/* u64 */

	__MDCLUSTER_COUNTER_MAX
};

#define MDCLUSTER_COUNTER_MAX (__MDCLUSTER_COUNTER_MAX - 1)

enum mdcluster_event {
	MDCLUSTER_EVENT_JOINED = 1,		/* value: this node's slot */
	MDCLUSTER_EVENT_LEAVING = 2,
	MDCLUSTER_EVENT_STOPPED = 3,		/* the DLM stands still, and so do all locks */
	MDCLUSTER_EVENT_RUNNING = 4,		/* ... goes on; a dump shows the members */
	MDCLUSTER_EVENT_MEMBER_FAILED = 5,	/* value: its slot */
	MDCLUSTER_EVENT_RECOVERED = 6,		/* value: the slot whose bitmap was taken over */
	MDCLUSTER_EVENT_ADD_REFUSED = 7,	/* an add of this node; value: device number */
	MDCLUSTER_EVENT_CANDIDATE_DROPPED = 8,	/* after an add of another node failed; likewise */
	MDCLUSTER_EVENT_UPDATED = 9,		/* metadata was read again; value: whose slot */
	/* No verdict is waited for any more, or the add is given up, refused by nobody; likewise. */
	MDCLUSTER_EVENT_PROPOSAL_OVER = 10,
};

enum mdcluster_verdict {
	MDCLUSTER_VERDICT_PROCEED = 1,
	MDCLUSTER_VERDICT_REFUSE = 2,
};

#endif
