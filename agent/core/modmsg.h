/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our kernel module says over netlink (module/uapi/mdcluster.h), and what nlctrl says of it.
 * Pure. Each parser takes one message's payload, from the generic netlink header on.
 */
#ifndef MDC_MODMSG_H
#define MDC_MODMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"
#include "core/uuid.h"

#define MDC_MOD_MEMBERS_MAX 64
#define MDC_MOD_SLOTS_MAX 256
#define MDC_MOD_COUNTERS_MAX 64		/* more are left out */
#define MDC_MOD_WORD_MAX 32
#define MDC_MOD_CLUSTER_MAX 65
#define MDC_MOD_ACK_MAX 160

/* Slots are from 1 here, as everywhere in the agent; 0: not known. */

struct mdc_mod_member {
	uint32_t node, slot;
};

struct mdc_mod_counter {
	char name[MDC_MOD_WORD_MAX];
	char kind[MDC_MOD_WORD_MAX];	/* empty: it has none */
	uint64_t value;
};

struct mdc_mod_add {
	uint32_t step;			/* enum mdcluster_add_step; 0: there is no add */
	struct mdc_uuid device_uuid;
	uint32_t device, slot;
	uint64_t since_ms;
};

/* What this node asks others about; all zero: it adds no disk. */
struct mdc_mod_own_add {
	bool asks;
	struct mdc_uuid device_uuid;
	uint32_t device;
	uint64_t disk;			/* major << 32 | minor; 0: not said */
	uint64_t since_ms;
	uint64_t proposal;		/* 0: no verdict is waited for */
};

struct mdc_mod_range {
	uint64_t lo, hi;		/* sectors; hi 0: there is none */
	uint32_t slot;			/* of the node that resyncs it */
};

struct mdc_mod_array {
	struct mdc_uuid uuid;
	char md[MDC_NAME_MAX];
	char cluster[MDC_MOD_CLUSTER_MAX];
	uint32_t slot, slots;
	unsigned int n_members;
	struct mdc_mod_member members[MDC_MOD_MEMBERS_MAX];
	bool stopped, in_cluster;
	struct mdc_mod_range suspended, resyncing;
	unsigned int n_to_recover;
	uint32_t to_recover[MDC_MOD_SLOTS_MAX];
	struct mdc_mod_add add;
	struct mdc_mod_own_add own_add;
	bool receiving;
	uint64_t receiving_ms;
	uint32_t newdisk_timeout_ms, stuck_after_ms, verdict_timeout_ms;	/* 0: not said */
	unsigned int n_counters;
	struct mdc_mod_counter counters[MDC_MOD_COUNTERS_MAX];
	uint64_t lost;
	uint32_t agent;			/* port; 0: none */
};

struct mdc_mod_notice {
	uint32_t cmd;			/* MDCLUSTER_CMD_NEWDISK, _PROPOSED or _EVENT */
	struct mdc_uuid uuid;
	char md[MDC_NAME_MAX];
	/* NEWDISK, PROPOSED */
	struct mdc_uuid device_uuid;
	uint32_t device, slot, timeout_ms;	/* slot: NEWDISK only */
	uint64_t proposal;			/* PROPOSED; not 0 */
	uint64_t disk;				/* PROPOSED; major << 32 | minor; 0: not said */
	/* EVENT */
	uint32_t event;			/* enum mdcluster_event, or one that is not known here */
	bool have_value;
	uint32_t value;			/* as it came: slots are from 0 */
};

/* One generic netlink family, as nlctrl describes it. */
struct mdc_mod_family {
	uint8_t cmd;			/* CTRL_CMD_NEWFAMILY, CTRL_CMD_DELFAMILY */
	char name[16];
	uint16_t id;
	uint32_t notify;		/* number of its group "notify", 0: none */
};

/* Each 0, or -EINVAL: not of the form; -ENOMSG: something else than what is asked for. */
int mdc_mod_array_parse(struct mdc_mod_array *array, const void *buf, size_t len);
int mdc_mod_notice_parse(struct mdc_mod_notice *notice, const void *buf, size_t len);
int mdc_mod_family_parse(struct mdc_mod_family *family, const void *buf, size_t len);

/*
 * An acknowledgement (payload of NLMSG_ERROR, sent with NETLINK_CAP_ACK): *err is 0 or an errno,
 * text what the kernel said to it, or empty.
 */
int mdc_mod_ack_parse(int *err, char text[MDC_MOD_ACK_MAX], const void *buf, size_t len);

/* Longer in one message than the module's stuck_after? */
bool mdc_mod_stuck(const struct mdc_mod_array *array);
/* "joined", "candidate_dropped"...; "unknown". */
const char *mdc_mod_event_name(uint32_t event);
const char *mdc_mod_step_name(uint32_t step);

#endif
