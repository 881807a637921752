/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the decisions: whether the array may be started on this node and with which
 * members, and what a monitor makes of a running one. Pure. The order of the rules is the
 * order in which a person would look: cluster first, then the array, then its members.
 */
#include "core/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 3, 4)))
refuse(struct mdc_plan *plan, enum mdc_ocf code, const char *fmt, ...)
{
	va_list ap;

	plan->code = code;
	va_start(ap, fmt);
	vsnprintf(plan->reason, sizeof(plan->reason), fmt, ap);
	va_end(ap);
}

void mdc_plan_node(struct mdc_plan *plan, const struct mdc_params *params,
		   const struct mdc_node_seen *node)
{
	memset(plan, 0, sizeof(*plan));
	if (!node->md[0])
		return;
	if (node->have_uuid && node->same_uuid && !node->running)
		refuse(plan, MDC_OCF_GENERIC,
		       "%s (%s) is this array, assembled but not started, perhaps by a udev rule: "
		       "stop it with `mdadm --stop /dev/%s`, then clean up the resource",
		       params->device, node->md, node->md);
	else if (node->have_uuid && node->same_uuid)
		refuse(plan, MDC_OCF_GENERIC,
		       "%s (%s) is this array, but it runs without its DLM lockspace, so not as a "
		       "clustered array: stop it with `mdadm --stop /dev/%s`",
		       params->device, node->md, node->md);
	else
		refuse(plan, MDC_OCF_ARGS,
		       "%s (%s) is in use by another array than %s: stop that one or give this "
		       "resource another device", params->device, node->md, params->uuid_text);
}

static bool cluster_fit(struct mdc_plan *plan, const struct mdc_check *c)
{
	if (c->corosync < 0)
		refuse(plan, MDC_OCF_GENERIC, "corosync does not answer on this node: it is busy, or "
		       "hangs (see its log); the array can only be joined when it does");
	else if (c->corosync != 1)
		refuse(plan, MDC_OCF_GENERIC, "corosync is not running on this node: a clustered "
		       "array can only be joined by a cluster member");
	else if (c->quorate != 1)
		refuse(plan, MDC_OCF_GENERIC, "this node's partition is not quorate (see "
		       "`corosync-quorumtool`), so the array must not be started");
	else if (c->dlm != 1)
		refuse(plan, MDC_OCF_GENERIC, "dlm_controld is not running on this node: start the "
		       "DLM clone (ocf:pacemaker:controld) first and order this resource after it");
	return plan->code == MDC_OCF_OK;
}

static bool array_fit(struct mdc_plan *plan, const struct mdc_params *p,
		      const struct mdc_check *c)
{
	if (c->n_nomatch)
		refuse(plan, MDC_OCF_ARGS, "parameter members: \"%s\" matches no block device on "
		       "this node", c->nomatch);
	else if (!c->n_members && c->n_stuck)
		refuse(plan, MDC_OCF_GENERIC, "no member of array %s could be read on this node, and "
		       "%s does not answer: check that path", p->uuid_text, c->stuck);
	else if (!c->n_members || !c->have_array)
		refuse(plan, MDC_OCF_GENERIC, "no member of array %s is visible on this node%s: "
		       "check its disks with `mdadm --examine`", p->uuid_text,
		       p->members[0] ? " among the devices that parameter members allows" : "");
	else if (!c->clustered)
		refuse(plan, MDC_OCF_CONFIGURED, "array %s is not clustered: convert it once, on one "
		       "node, with `mdadm --grow --bitmap=none` and `--bitmap=clustered`",
		       p->uuid_text);
	else if (c->level != 1 && c->level != 10)
		refuse(plan, MDC_OCF_CONFIGURED, "array %s has RAID level %d; only RAID1 and RAID10 "
		       "can be clustered", p->uuid_text, c->level);
	else if (!c->slots)
		refuse(plan, MDC_OCF_GENERIC, "the clustered bitmap of array %s cannot be read on this "
		       "node: check its members with `mdadm --examine-bitmap`", p->uuid_text);
	else if (!c->cluster[0])
		refuse(plan, MDC_OCF_GENERIC, "the name of this cluster is not known: set "
		       "totem.cluster_name in corosync.conf");
	else if (strcmp(c->cluster, c->array_cluster))
		refuse(plan, MDC_OCF_CONFIGURED, "array %s belongs to cluster \"%s\", this one is "
		       "\"%s\": if it may be taken over, assemble it once with "
		       "`--update=home-cluster --home-cluster=%s`", p->uuid_text,
		       c->array_cluster, c->cluster, c->cluster);
	return plan->code == MDC_OCF_OK;
}

static bool members_free(struct mdc_plan *plan, const struct mdc_params *p,
			 const struct mdc_check *c)
{
	unsigned int i;

	for (i = 0; i < c->n_members; i++) {
		const struct mdc_check_member *m = &c->members[i];

		if (!m->holder[0])
			continue;
		if (mdc_md_valid(m->holder))
			refuse(plan, MDC_OCF_GENERIC, "member %s of array %s is held by %s on this "
			       "node, so the array is assembled there already, but not as the running "
			       "clustered array %s: stop it with `mdadm --stop /dev/%s`",
			       m->path, p->uuid_text, m->holder, p->device, m->holder);
		else
			refuse(plan, MDC_OCF_GENERIC, "member %s of array %s is held by %s on this "
			       "node: release it there, or let parameter members name the device on "
			       "top (a multipath map, for instance)", m->path, p->uuid_text,
			       m->holder);
		return false;
	}
	return true;
}

static bool slot_free(struct mdc_plan *plan, const struct mdc_params *p,
		      const struct mdc_check *c)
{
	unsigned int i, others = 0;

	for (i = 0; i < c->n_lockspace; i++)
		if ((int64_t)c->lockspace[i] != c->nodeid)
			others++;
	if (others < c->slots)
		return true;
	refuse(plan, MDC_OCF_GENERIC, "all %u bitmap slots of array %s are taken by other nodes: "
	       "limit the clone with clone-max=%u, or create the array with more --nodes",
	       c->slots, p->uuid_text, c->slots);
	return false;
}

static bool role_seen(const struct mdc_check *c, unsigned int role)
{
	unsigned int i;

	for (i = 0; i < c->n_members; i++)
		if (c->members[i].fresh && c->members[i].role >= 0 &&
		    (unsigned int)c->members[i].role == role)
			return true;
	return false;
}

/*
 * Can the data be had in full? RAID10 keeps near * far copies of a chunk on disks that
 * follow one another, beginning at a multiple of near; of each such group one is enough.
 */
static bool enough(const struct mdc_check *c)
{
	unsigned int near = c->layout & 0xff, far = (c->layout >> 8) & 0xff;
	unsigned int copies = c->level == 1 ? c->raid_disks : near * far;
	unsigned int first = 0, i;

	if (!c->raid_disks || c->raid_disks > 65536 || !copies || copies > c->raid_disks)
		return false;
	if (c->level == 1)
		near = c->raid_disks;
	do {
		for (i = 0; i < copies; i++)
			if (role_seen(c, (first + i) % c->raid_disks))
				break;
		if (i == copies)
			return false;
		first = (first + near) % c->raid_disks;
	} while (first);
	return true;
}

/* The roles that the superblock calls active and that are not here, as "1, 3". */
static unsigned int list_missing(const struct mdc_check *c, char *out, size_t size)
{
	unsigned int i, n = 0;
	size_t used = 0;

	out[0] = '\0';
	for (i = 0; i < c->n_active; i++) {
		if (role_seen(c, c->active[i]))
			continue;
		if (used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%u", n ? ", " : "",
						 c->active[i]);
		n++;
	}
	return n;
}

static bool members_enough(struct mdc_plan *plan, const struct mdc_params *p,
			   const struct mdc_check *c)
{
	char missing[128], stuck[MDC_PATH_MAX + 32] = "";
	unsigned int n = list_missing(c, missing, sizeof(missing));
	unsigned int others = 0, i;

	if (c->n_stuck)
		snprintf(stuck, sizeof(stuck), " (%s does not answer)", c->stuck);
	for (i = 0; i < c->n_lockspace; i++)
		if ((int64_t)c->lockspace[i] != c->nodeid)
			others++;
	if (!enough(c)) {
		refuse(plan, MDC_OCF_GENERIC, "too few up-to-date members of array %s are visible on "
		       "this node to start it%s%s%s: check the paths to its disks", p->uuid_text,
		       n ? "; missing raid disk " : "", missing, stuck);
		return false;
	}
	if (!n)
		return true;
	if (others) {
		refuse(plan, MDC_OCF_GENERIC, "raid disk %s of array %s is in use by the nodes that "
		       "have it running, but is not visible on this node%s; starting here would fail "
		       "it for all of them: repair the path first", missing, p->uuid_text, stuck);
		return false;
	}
	if (!c->have_lockspace) {
		refuse(plan, MDC_OCF_GENERIC, "raid disk %s of array %s is not visible on this node%s, "
		       "and corosync does not say whether other nodes have the array running: it is "
		       "not started degraded on a guess", missing, p->uuid_text, stuck);
		return false;
	}
	plan->run_degraded = true;
	snprintf(plan->warning, sizeof(plan->warning),
		 "array %s is started degraded: raid disk %s is not visible on this node%s, and no "
		 "other node has the array running", p->uuid_text, missing, stuck);
	return true;
}

void mdc_plan_start(struct mdc_plan *plan, const struct mdc_params *params,
		    const struct mdc_check *check)
{
	unsigned int i;

	memset(plan, 0, sizeof(*plan));
	if (!cluster_fit(plan, check) || !array_fit(plan, params, check) ||
	    !members_free(plan, params, check) || !slot_free(plan, params, check) ||
	    !members_enough(plan, params, check))
		return;
	/* A faulty or stale member would only be kicked out again by the kernel. */
	for (i = 0; i < check->n_members; i++) {
		const struct mdc_check_member *m = &check->members[i];

		if (m->fresh && m->role != MDC_ROLE_FAULTY)
			plan->use[plan->n_use++] = m;
	}
}

enum mdc_ocf mdc_plan_monitor(const struct mdc_params *params, const char *md,
			      const struct mdc_array *array, char *reason, unsigned int size)
{
	enum mdc_state state = mdc_state_of(array);

	reason[0] = '\0';
	switch (state) {
	case MDC_STATE_CLEAN:
		return MDC_OCF_OK;
	case MDC_STATE_BROKEN:
		snprintf(reason, size, "array %s (%s) is there but not usable: the kernel shows it as "
			 "%s, %u of %u members missing; see the kernel log", params->device, md,
			 array->array_state[0] ? array->array_state : "gone", array->degraded,
			 array->raid_disks);
		return MDC_OCF_GENERIC;
	case MDC_STATE_DEGRADED:
	case MDC_STATE_RESYNC:
	case MDC_STATE_RECOVER:
	case MDC_STATE_RESHAPE:
		break;
	}
	/*
	 * Pacemaker keeps the text of the first result of a kind. So what lasts goes before what
	 * passes: right after a failure md shows "recover", with nothing there to recover to.
	 */
	if (array->degraded)
		snprintf(reason, size, "array %s (%s) is degraded: %u of %u members missing",
			 params->device, md, array->degraded, array->raid_disks);
	else
		snprintf(reason, size, "array %s (%s): %s is going on", params->device, md,
			 mdc_state_name(state));
	return MDC_OCF_DEGRADED;
}
