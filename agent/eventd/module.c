/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns what is known through our kernel module's netlink family, where this node runs that
 * module: a copy of each array's state, and what follows from its events.
 */
#include <errno.h>
#include <string.h>

#include "eventd/daemon.h"
#include "mdcluster.h"

struct look {
	struct mdc_daemon *daemon;
	bool pending;		/* take up what the kernel waits for */
};

static void take_slot(struct mdc_tracked *t, const struct mdc_mod_array *array)
{
	if (array->slots)
		t->slots = array->slots;
	if (!array->slot || array->slot == t->slot)
		return;
	t->slot = array->slot;
	mdc_info("%s: this node has slot %u", t->track.device, t->slot);
}

static void array_seen(const struct mdc_mod_array *array, void *data)
{
	const struct look *look = data;
	struct mdc_tracked *t = mdc_arrays_by_uuid(look->daemon, &array->uuid);
	const struct mdc_mod_add *add = &array->add;
	bool waits = look->pending && add->step == MDCLUSTER_STEP_WAITING;

	if (t) {
		take_slot(t, array);
		if (!t->module)
			t->module = g_new(struct mdc_mod_array, 1);
		*t->module = *array;
		t->module_seen = true;
	} else if (waits) {
		t = mdc_arrays_untracked(look->daemon, array->md);
	}
	if (t && waits)
		mdc_adds_request(t, &add->device_uuid, add->device,
				 (int64_t)array->newdisk_timeout_ms - (int64_t)add->since_ms,
				 MDC_ASKED_BY_MODULE);
}

static void forget(struct mdc_tracked *t)
{
	g_clear_pointer(&t->module, g_free);
	t->stuck_said = false;
}

static void refresh(struct mdc_daemon *d, bool pending)
{
	struct look look = { .daemon = d, .pending = pending };
	guint i;
	int ret;

	for (i = 0; i < d->arrays->len; i++)
		((struct mdc_tracked *)d->arrays->pdata[i])->module_seen = false;
	ret = mdc_netlink_dump(d->netlink, array_seen, &look);
	if (ret && ret != -ENOENT)
		mdc_warn("the kernel module cannot be asked about its arrays: %s", strerror(-ret));
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		/* What could not be asked about is as it was, as far as is known. */
		if (!t->module_seen && (!ret || ret == -ENOENT))
			forget(t);
	}
	mdc_events_nodes(d);
}

void mdc_module_refresh(struct mdc_daemon *d)
{
	refresh(d, false);
}

void mdc_module_take_up(struct mdc_daemon *d)
{
	refresh(d, true);
}

void mdc_module_forget(struct mdc_tracked *t)
{
	forget(t);
}

uint64_t mdc_module_stuck(struct mdc_tracked *t)
{
	bool stuck = t->module && mdc_mod_stuck(t->module);

	if (t->module && !t->module_seen)
		return 0;	/* it could not be asked just now */
	if (stuck && !t->stuck_said)
		mdc_err("%s: this node's module has been at one message of another node for %llu s: "
			"what other nodes change in the array does not reach this node. The next "
			"monitor reports it as failed", t->track.device,
			(unsigned long long)t->module->receiving_ms / 1000);
	else if (!stuck && t->stuck_said)
		mdc_notice("%s: this node's module takes in messages again", t->track.device);
	t->stuck_said = stuck;
	return stuck ? t->module->receiving_ms : 0;
}

static void look(void *data)
{
	mdc_module_take_up(data);
	mdc_observe_all(data);
}

static void gone(void *data)
{
	mdc_info("the kernel module is unloaded");
	mdc_module_refresh(data);
}

static void say_event(const struct mdc_tracked *t, const struct mdc_mod_notice *n)
{
	const char *name = t->track.device;

	switch (n->event) {
	case MDCLUSTER_EVENT_STOPPED:
		mdc_info("%s: the DLM stands still, as a node comes or goes or there is no "
			 "quorum; writes may have to wait", name);
		break;
	case MDCLUSTER_EVENT_RUNNING:
		mdc_info("%s: the DLM goes on", name);
		break;
	case MDCLUSTER_EVENT_MEMBER_FAILED:
		mdc_warn("%s: the node with slot %u has failed; one of the others takes over what "
			 "it had not finished writing", name, n->value + 1);
		break;
	case MDCLUSTER_EVENT_RECOVERED:
		mdc_notice("%s: the bitmap of slot %u was taken over here", name, n->value + 1);
		break;
	case MDCLUSTER_EVENT_ADD_REFUSED:
		mdc_warn("%s: adding device %u failed: another node does not see the disk, or did "
			 "not answer; `mdclusterctl status` shows which", name, n->value);
		break;
	default:
		mdc_debug("%s: kernel module: %s", name, mdc_mod_event_name(n->event));
		break;
	}
}

static void event(struct mdc_daemon *d, const struct mdc_mod_notice *n)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(d, &n->uuid);

	if (!t)
		t = mdc_arrays_by_md(d, n->md);
	if (!t)
		return;
	if (!mdc_propose_event(t, n))
		say_event(t, n);
	if (n->event == MDCLUSTER_EVENT_CANDIDATE_DROPPED && n->have_value)
		mdc_settle_kernel_dropped(t, n->value);
	mdc_module_refresh(d);
	mdc_observe(t);
}

static void notice(const struct mdc_mod_notice *n, void *data)
{
	struct mdc_daemon *d = data;
	struct mdc_tracked *t;

	if (n->cmd == MDCLUSTER_CMD_EVENT) {
		event(d, n);
		return;
	}
	if (n->cmd == MDCLUSTER_CMD_PROPOSED) {
		mdc_propose_request(d, n);
		return;
	}
	t = mdc_arrays_untracked(d, n->md);
	if (t)
		mdc_adds_request(t, &n->device_uuid, n->device, n->timeout_ms,
				 MDC_ASKED_BY_MODULE);
}

static void not_taken(const struct mdc_uuid *array, uint64_t proposal, int err, void *data)
{
	struct mdc_tracked *t = mdc_arrays_by_uuid(data, array);

	if (t)
		mdc_propose_not_taken(t, proposal, err);
}

const struct mdc_netlink_calls mdc_module_calls = {
	.look = look,
	.gone = gone,
	.notice = notice,
	.not_taken = not_taken,
};
