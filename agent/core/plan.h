/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observed host → what start does, or why it does not, and the OCF code for it. Pure. */
#ifndef MDC_PLAN_H
#define MDC_PLAN_H

#include <stdbool.h>

#include "core/check.h"
#include "core/params.h"
#include "core/state.h"

enum mdc_ocf {
	MDC_OCF_OK = 0,
	MDC_OCF_GENERIC = 1,
	MDC_OCF_ARGS = 2,		/* wrong on this node */
	MDC_OCF_UNIMPLEMENTED = 3,
	MDC_OCF_PERM = 4,
	MDC_OCF_INSTALLED = 5,		/* something is missing on this node */
	MDC_OCF_CONFIGURED = 6,		/* wrong on every node */
	MDC_OCF_NOT_RUNNING = 7,
	MDC_OCF_DEGRADED = 190,
};

/* What stands behind the parameter `device`, where that is not our running array. */
struct mdc_node_seen {
	char md[MDC_NAME_MAX];		/* kernel name; empty: no such array on this host */
	bool running;			/* it is started; else something half assembled */
	bool have_uuid, same_uuid;
};

struct mdc_plan {
	enum mdc_ocf code;
	char reason[640];		/* code is not OK: one sentence */
	char warning[640];		/* code is OK: something to tell all the same, or empty */
	bool run_degraded;		/* mdadm must be told to start with what there is */
	unsigned int n_use;
	const struct mdc_check_member *use[MDC_CHECK_MEMBERS_MAX];	/* in the check */
};

/* The part that needs no --check: is the device node free? */
void mdc_plan_node(struct mdc_plan *plan, const struct mdc_params *params,
		   const struct mdc_node_seen *node);
/* All the rest. check must outlive plan. */
void mdc_plan_start(struct mdc_plan *plan, const struct mdc_params *params,
		    const struct mdc_check *check);

/* A running array as monitor reports it; reason is empty for OK. */
enum mdc_ocf mdc_plan_monitor(const struct mdc_params *params, const char *md,
			      const struct mdc_array *array, char *reason, unsigned int size);

#endif
