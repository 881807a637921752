/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes have the array, and with which slot: made of what the DLM shows, what the nodes
 * say of themselves and what Pacemaker's notifications announce. Pure, the clock handed in.
 */
#ifndef MDC_ROSTER_H
#define MDC_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attrtext.h"
#include "core/cibtext.h"
#include "core/modmsg.h"
#include "core/notify.h"

#define MDC_ROSTER_MAX MDC_CIB_NODES_MAX
/* An attribute may be old for so long: attrd_updater's own limit, and its way through the CIB. */
#define MDC_ROSTER_HOLD_MS 20000

struct mdc_roster_node {
	uint32_t id;
	char name[MDC_NAME_MAX];	/* its id in digits where Pacemaker does not know it */
	bool joined;			/* has the array */
	uint32_t slot;			/* 0: not known, or it has none */
};

/* Two nodes with one slot would write one bitmap: each believes the other's writes its own. */
struct mdc_roster_clash {
	uint32_t slot;			/* 0: there is none */
	uint32_t nodes[2];
	char names[2][MDC_NAME_MAX];
	int64_t since_ms;
	bool alarm;			/* it has lasted too long to be on its way out */
};

struct mdc_roster {
	bool known;			/* it has been looked at before */
	unsigned int n;
	struct mdc_roster_node nodes[MDC_ROSTER_MAX];	/* all that the cluster has */
	struct mdc_roster_clash clash;
	bool planned;
	int64_t plan_ms;
	char plan[MDC_NOTIFY_NODES_MAX];
};

/* What the node knows now. */
struct mdc_roster_seen {
	const char *id;			/* the primitive */
	const struct mdc_cibview *view;	/* NULL: no connection to Pacemaker */
	bool lockspace_known;
	const uint32_t *lockspace;	/* node ids in the array's DLM lockspace */
	unsigned int n_lockspace;
	const struct mdc_mod_member *members;	/* the DLM's slots; our kernel module only */
	unsigned int n_members;
};

enum mdc_roster_news {
	MDC_ROSTER_JOINED,		/* a */
	MDC_ROSTER_LEFT,		/* a, with the slot that it had */
	MDC_ROSTER_ABSENT,		/* Pacemaker has started a, which is not in the lockspace */
	MDC_ROSTER_LINGERS,		/* Pacemaker has a stopped, but it is in the lockspace */
	MDC_ROSTER_CLASH,		/* roster->clash has become an alarm */
	MDC_ROSTER_CLASH_OVER,		/* roster->clash is an alarm, for the last time */
};

/* node: NULL with the last two. It is valid during the call. */
typedef void (*mdc_roster_tell_fn)(const struct mdc_roster *roster, enum mdc_roster_news news,
				   const struct mdc_roster_node *node, void *data);

/* Brings it up to date. */
void mdc_roster_look(struct mdc_roster *roster, const struct mdc_roster_seen *seen, int64_t now_ms,
		     mdc_roster_tell_fn tell, void *data);
/* Pacemaker has told of an action that has been carried out. */
void mdc_roster_plan(struct mdc_roster *roster, const struct mdc_notify *notify, int64_t now_ms);
/* When to look again though nothing happens; -1: never. */
int64_t mdc_roster_deadline(const struct mdc_roster *roster);
const struct mdc_roster_node *mdc_roster_node(const struct mdc_roster *roster, uint32_t id);

#endif
