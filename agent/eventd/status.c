/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the JSON of `status` (README.md). */
#include <stdlib.h>
#include <string.h>

#include "eventd/daemon.h"
#include "mdcluster.h"

static void add_string(JsonBuilder *b, const char *key, const char *value)
{
	json_builder_set_member_name(b, key);
	if (value)
		json_builder_add_string_value(b, value);
	else
		json_builder_add_null_value(b);
}

static void add_int(JsonBuilder *b, const char *key, gint64 value)
{
	json_builder_set_member_name(b, key);
	json_builder_add_int_value(b, value);
}

/* null for a number that is 0 where 0 means not known */
static void add_known(JsonBuilder *b, const char *key, gint64 value)
{
	json_builder_set_member_name(b, key);
	if (value)
		json_builder_add_int_value(b, value);
	else
		json_builder_add_null_value(b);
}

static void add_bool(JsonBuilder *b, const char *key, bool value)
{
	json_builder_set_member_name(b, key);
	json_builder_add_boolean_value(b, value);
}

static void add_sync(JsonBuilder *b, const struct mdc_array *a)
{
	json_builder_set_member_name(b, "sync");
	if (!a->sync_total) {
		json_builder_add_null_value(b);
		return;
	}
	json_builder_begin_object(b);
	add_string(b, "action", a->sync_action);
	add_int(b, "done_kib", (gint64)(a->sync_done / 2));
	add_int(b, "total_kib", (gint64)(a->sync_total / 2));
	json_builder_set_member_name(b, "percent");
	json_builder_add_double_value(b, 100.0 * (double)a->sync_done / (double)a->sync_total);
	add_int(b, "speed_kib", (gint64)a->sync_speed_kib);
	json_builder_end_object(b);
}

static void add_members(JsonBuilder *b, const struct mdc_array *a)
{
	unsigned int i;

	json_builder_set_member_name(b, "members");
	json_builder_begin_array(b);
	for (i = 0; i < a->n_members; i++) {
		json_builder_begin_object(b);
		add_string(b, "device", a->members[i].device);
		json_builder_set_member_name(b, "role");
		if (a->members[i].role >= 0)
			json_builder_add_int_value(b, a->members[i].role);
		else
			json_builder_add_null_value(b);
		add_string(b, "state", a->members[i].state);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

/* What is the same of each add, whoever began it and however far it is. */
struct add {
	const char *phase, *device, *reason;
	const struct mdc_uuid *device_uuid;	/* NULL: the disk has none yet */
	unsigned int raid_disk;
	int64_t started_ms;
	uint32_t by;			/* node that proposes it; 0: the kernel asked */
	const struct mdc_propose *propose;	/* this node's own */
};

static void add_verdicts(JsonBuilder *b, const struct mdc_propose *p)
{
	unsigned int i;

	json_builder_set_member_name(b, "verdicts");
	if (!p) {
		json_builder_add_null_value(b);
		return;
	}
	json_builder_begin_array(b);
	for (i = 0; i < p->n_peers; i++) {
		const struct mdc_propose_peer *peer = &p->peers[i];
		char why[MDC_ADD_REASON_MAX];

		mdc_reason_text(&peer->reason, why);
		json_builder_begin_object(b);
		add_string(b, "name", peer->name);
		add_int(b, "id", peer->node);
		add_string(b, "verdict", mdc_propose_answer_name(peer->answer));
		add_string(b, "device", peer->device[0] ? peer->device : NULL);
		add_string(b, "reason", mdc_propose_refuses(peer) ? why : NULL);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

/* An add of this node's, if it was begun last. */
static void own(struct add *add, const struct mdc_propose *p, const char *device)
{
	if (p->phase == MDC_PROPOSE_NONE || (add->phase && p->started_ms < add->started_ms))
		return;
	*add = (struct add){ .phase = mdc_propose_phase_name(p), .device = device,
			     .reason = p->reason,
			     .device_uuid = p->announced ? NULL : &p->device_uuid,
			     .raid_disk = p->raid_disk, .started_ms = p->started_ms,
			     .by = p->self, .propose = p };
}

/* The one that was begun last. */
static void latest(const struct mdc_tracked *t, struct add *add, char why[MDC_ADD_REASON_MAX])
{
	const struct mdc_react *r = &t->react;
	const struct mdc_verdict *v = &t->verdict;

	memset(add, 0, sizeof(*add));
	if (r->phase != MDC_REACT_NONE)
		*add = (struct add){ .phase = mdc_react_phase_name(r->phase), .device = r->device,
				     .reason = r->reason, .device_uuid = &r->device_uuid,
				     .raid_disk = r->raid_disk, .started_ms = r->started_ms };
	if (v->phase != MDC_VERDICT_NONE && (!add->phase || v->started_ms >= add->started_ms)) {
		mdc_reason_text(&v->reason, why);
		*add = (struct add){ .phase = mdc_verdict_phase_name(v->phase), .device = v->device,
				     .reason = v->phase == MDC_VERDICT_MISSING ? why : "",
				     .device_uuid = v->announced ? NULL : &v->device_uuid,
				     .raid_disk = v->raid_disk, .started_ms = v->started_ms,
				     .by = v->node };
	}
	own(add, &t->announce, t->announce_disk.kname);
	own(add, &t->propose, "");
}

static void add_add(JsonBuilder *b, const struct mdc_tracked *t)
{
	char uuid[MDC_UUID_COLON], why[MDC_ADD_REASON_MAX];
	struct add add;

	latest(t, &add, why);
	json_builder_set_member_name(b, "add");
	if (!add.phase) {
		json_builder_add_null_value(b);
		return;
	}
	if (add.device_uuid)
		mdc_uuid_colon(add.device_uuid, uuid);
	json_builder_begin_object(b);
	add_string(b, "phase", add.phase);
	add_string(b, "device", add.device[0] ? add.device : NULL);
	add_string(b, "device_uuid", add.device_uuid ? uuid : NULL);
	if (add.raid_disk != MDC_ADD_NO_DISK)
		add_int(b, "raid_disk", add.raid_disk);
	else
		add_known(b, "raid_disk", 0);
	add_int(b, "age_s", (mdc_now_ms() - add.started_ms) / 1000);
	add_string(b, "reason", add.reason);
	add_known(b, "by", add.by);
	add_verdicts(b, add.propose);
	json_builder_end_object(b);
}

static void add_counters(JsonBuilder *b, const struct mdc_mod_array *m)
{
	const char *open = "";		/* the name whose kinds are being listed */
	unsigned int i;

	json_builder_set_member_name(b, "counters");
	json_builder_begin_object(b);
	for (i = 0; i < m->n_counters; i++) {
		const struct mdc_mod_counter *c = &m->counters[i];

		if (*open && strcmp(open, c->name)) {
			json_builder_end_object(b);
			open = "";
		}
		if (c->kind[0] && !*open) {
			json_builder_set_member_name(b, c->name);
			json_builder_begin_object(b);
			open = c->name;
		}
		add_int(b, c->kind[0] ? c->kind : c->name, (gint64)c->value);
	}
	if (*open)
		json_builder_end_object(b);
	json_builder_end_object(b);
}

static void add_module_members(JsonBuilder *b, const struct mdc_mod_array *m)
{
	unsigned int i;

	json_builder_set_member_name(b, "members");
	json_builder_begin_array(b);
	for (i = 0; i < m->n_members; i++) {
		json_builder_begin_object(b);
		add_int(b, "id", m->members[i].node);
		add_known(b, "slot", m->members[i].slot);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

static void add_module_add(JsonBuilder *b, const struct mdc_mod_add *add)
{
	char uuid[MDC_UUID_COLON];

	json_builder_set_member_name(b, "add");
	if (!add->step) {
		json_builder_add_null_value(b);
		return;
	}
	mdc_uuid_colon(&add->device_uuid, uuid);
	json_builder_begin_object(b);
	add_string(b, "step", mdc_mod_step_name(add->step));
	add_string(b, "device_uuid", uuid);
	add_int(b, "raid_disk", add->device);
	add_known(b, "slot", add->slot);
	add_int(b, "age_ms", (gint64)add->since_ms);
	json_builder_end_object(b);
}

static void add_own_add(JsonBuilder *b, const struct mdc_mod_own_add *add)
{
	char uuid[MDC_UUID_COLON], disk[24];

	json_builder_set_member_name(b, "own_add");
	if (!add->asks) {
		json_builder_add_null_value(b);
		return;
	}
	mdc_uuid_colon(&add->device_uuid, uuid);
	g_snprintf(disk, sizeof(disk), "%u:%u", (guint)(add->disk >> 32), (guint)add->disk);
	json_builder_begin_object(b);
	add_string(b, "device_uuid", uuid);
	add_int(b, "raid_disk", add->device);
	add_string(b, "disk", add->disk ? disk : NULL);
	add_int(b, "age_ms", (gint64)add->since_ms);
	add_known(b, "proposal", (gint64)add->proposal);
	json_builder_end_object(b);
}

static void add_range(JsonBuilder *b, const char *key, const struct mdc_mod_range *range)
{
	json_builder_set_member_name(b, key);
	if (!range->hi) {
		json_builder_add_null_value(b);
		return;
	}
	json_builder_begin_object(b);
	add_known(b, "slot", range->slot);
	add_int(b, "from_kib", (gint64)(range->lo / 2));
	add_int(b, "to_kib", (gint64)(range->hi / 2));
	json_builder_end_object(b);
}

static void add_module(JsonBuilder *b, struct mdc_tracked *t)
{
	const struct mdc_mod_array *m = t->module;
	unsigned int i;

	json_builder_set_member_name(b, "module");
	if (!m) {
		json_builder_add_null_value(b);
		return;
	}
	json_builder_begin_object(b);
	add_string(b, "name", MDCLUSTER_GENL_NAME);
	add_bool(b, "attached", mdc_netlink_attached(t->daemon->netlink));
	add_bool(b, "stuck", mdc_module_stuck(t));
	json_builder_set_member_name(b, "receiving_ms");
	if (m->receiving)
		json_builder_add_int_value(b, (gint64)m->receiving_ms);
	else
		json_builder_add_null_value(b);
	add_int(b, "stuck_after_ms", m->stuck_after_ms);
	add_int(b, "newdisk_timeout_ms", m->newdisk_timeout_ms);
	add_known(b, "verdict_timeout_ms", m->verdict_timeout_ms);
	add_bool(b, "stopped", m->stopped);
	add_bool(b, "in_cluster", m->in_cluster);
	add_module_members(b, m);
	json_builder_set_member_name(b, "to_recover");
	json_builder_begin_array(b);
	for (i = 0; i < m->n_to_recover; i++)
		json_builder_add_int_value(b, m->to_recover[i]);
	json_builder_end_array(b);
	add_range(b, "suspended", &m->suspended);
	add_range(b, "resyncing", &m->resyncing);
	add_module_add(b, &m->add);
	add_own_add(b, &m->own_add);
	add_counters(b, m);
	add_int(b, "lost", (gint64)m->lost);
	json_builder_end_object(b);
}

static const char *attr(const struct mdc_cibview *view, uint32_t node, const char *id,
			enum mdc_attr which)
{
	char name[MDC_ATTR_NAME_MAX];

	return mdc_attr_name(name, id, which) ? NULL : mdc_cibview_attr(view, node, name);
}

/* In the array's lockspace; null where nothing is known of that. */
static void add_joined(JsonBuilder *b, const struct mdc_roster_node *member)
{
	json_builder_set_member_name(b, "joined");
	if (member)
		json_builder_add_boolean_value(b, member->joined);
	else
		json_builder_add_null_value(b);
}

static void add_array_node(JsonBuilder *b, const struct mdc_tracked *t,
			   const struct mdc_cibview *view, const struct mdc_cib_node *node)
{
	const char *id = t->track.id;
	const struct mdc_cib_instance *instance = mdc_cibview_instance(view, node->id, id);
	const struct mdc_roster_node *member = mdc_roster_node(&t->roster, node->id);
	/* What a node has said outlives it for a moment; what the DLM says is true. */
	bool gone = node->state == MDC_CIB_OFFLINE;

	json_builder_begin_object(b);
	add_string(b, "name", node->name);
	add_int(b, "id", node->id);
	add_bool(b, "online", node->state == MDC_CIB_ONLINE);
	add_string(b, "instance", mdc_cib_running_name(instance && !gone ? instance->state :
								  MDC_CIB_STOPPED));
	add_joined(b, member);
	add_known(b, "slot", member ? member->slot : 0);
	add_string(b, "state", gone ? NULL : attr(view, node->id, id, MDC_ATTR_STATE));
	add_string(b, "sync", gone ? NULL : attr(view, node->id, id, MDC_ATTR_SYNC));
	add_string(b, "add", gone ? NULL : attr(view, node->id, id, MDC_ATTR_ADD));
	add_string(b, "alarm", gone ? NULL : attr(view, node->id, id, MDC_ATTR_ALARM));
	json_builder_end_object(b);
}

static void add_clash(JsonBuilder *b, const struct mdc_roster_clash *c)
{
	unsigned int i;

	json_builder_set_member_name(b, "slot_alarm");
	if (!c->alarm) {
		json_builder_add_null_value(b);
		return;
	}
	json_builder_begin_object(b);
	add_int(b, "slot", c->slot);
	json_builder_set_member_name(b, "nodes");
	json_builder_begin_array(b);
	for (i = 0; i < 2; i++) {
		json_builder_begin_object(b);
		add_string(b, "name", c->names[i]);
		add_int(b, "id", c->nodes[i]);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
	json_builder_end_object(b);
}

static void add_array(JsonBuilder *b, struct mdc_tracked *t, const struct mdc_cibview *view)
{
	const struct mdc_array *a = &t->array;
	char uuid[MDC_UUID_COLON];
	unsigned int i;

	mdc_uuid_colon(&t->track.uuid, uuid);
	json_builder_begin_object(b);
	add_string(b, "uuid", uuid);
	add_string(b, "device", t->track.device);
	add_string(b, "md", t->track.md);
	add_string(b, "id", t->track.id);
	add_bool(b, "running", t->present && mdc_array_running(a));
	add_string(b, "state", t->present ? mdc_state_name(mdc_state_of(a)) : NULL);
	add_string(b, "level", a->level);
	add_int(b, "raid_disks", a->raid_disks);
	add_int(b, "degraded", a->degraded);
	add_int(b, "size_kib", (gint64)a->size_kib);
	add_known(b, "slot", t->slot);
	add_known(b, "slots", t->slots);
	add_sync(b, a);
	add_members(b, a);
	add_add(b, t);
	add_module(b, t);
	add_clash(b, &t->roster.clash);
	json_builder_set_member_name(b, "nodes");
	json_builder_begin_array(b);
	for (i = 0; view && i < view->n_nodes; i++)
		add_array_node(b, t, view, &view->nodes[i]);
	json_builder_end_array(b);
	json_builder_end_object(b);
}

static void add_words(JsonBuilder *b, const struct mdc_words *words)
{
	unsigned int dropped;

	json_builder_set_member_name(b, "words");
	json_builder_begin_object(b);
	add_bool(b, "joined", mdc_words_joined(words, &dropped));
	add_int(b, "dropped", dropped);
	json_builder_end_object(b);
}

static void add_cluster(JsonBuilder *b, struct mdc_daemon *d, const struct mdc_cibview *view,
			bool connected)
{
	const struct mdc_coro_view *coro = mdc_corosync_view(d->coro);
	const struct mdc_cib_node *self = view ? mdc_cibview_node(view, coro->nodeid) : NULL;
	unsigned int i;

	json_builder_set_member_name(b, "node");
	json_builder_begin_object(b);
	add_string(b, "name", self ? self->name : NULL);
	add_known(b, "id", coro->nodeid);
	json_builder_end_object(b);
	add_string(b, "pacemaker", connected ? "connected" : "lost");
	add_words(b, d->words);
	add_bool(b, "quorate", coro->up && coro->quorate);
	json_builder_set_member_name(b, "nodes");
	json_builder_begin_array(b);
	for (i = 0; view && i < view->n_nodes; i++) {
		json_builder_begin_object(b);
		add_int(b, "id", view->nodes[i].id);
		add_string(b, "name", view->nodes[i].name);
		add_string(b, "state", mdc_cib_online_name(view->nodes[i].state));
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

char *mdc_status_json(struct mdc_daemon *d)
{
	g_autoptr(JsonBuilder) b = json_builder_new_immutable();
	g_autoptr(JsonGenerator) gen = json_generator_new();
	g_autoptr(JsonNode) root = NULL;
	const struct mdc_cibview *view;
	bool connected = false;
	guint i;

	view = mdc_cib_view(d->cib, &connected);
	mdc_module_refresh(d);
	json_builder_begin_object(b);
	add_int(b, "version", 1);
	add_cluster(b, d, view, connected);
	json_builder_set_member_name(b, "arrays");
	json_builder_begin_array(b);
	for (i = 0; i < d->arrays->len; i++) {
		struct mdc_tracked *t = d->arrays->pdata[i];

		if (!t->tracked)
			continue;
		mdc_observe(t);
		add_array(b, t, view);
	}
	json_builder_end_array(b);
	json_builder_end_object(b);
	root = json_builder_get_root(b);
	json_generator_set_root(gen, root);
	return json_generator_to_data(gen, NULL);
}
