/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of arrays: which one was meant, how it stands as an exit status, and the
 * text. The daemon's JSON comes in as it is; nothing in it is trusted to be there.
 */
#include "ctl_view.h"

#include <string.h>

#include "core/uuid.h"
#include "ctl_json.h"
#include "ctl_table.h"

#define BAR_MAX 40

struct page {
	GString *out;
	const struct mdc_ctl_look *look;
};

JsonNode *mdc_ctl_view_parse(const char *text)
{
	JsonNode *node = json_from_string(text, NULL);
	int64_t version;

	if (node && JSON_NODE_HOLDS_OBJECT(node) &&
	    mdc_json_int(json_node_get_object(node), "version", &version) && version == 1)
		return node;
	if (node)
		json_node_unref(node);
	return NULL;
}

static JsonObject *root(JsonNode *status)
{
	return JSON_NODE_HOLDS_OBJECT(status) ? json_node_get_object(status) : NULL;
}

static bool is_meant(JsonObject *array, const char *which)
{
	const char *uuid_text = mdc_json_string(array, "uuid");
	const char *md = mdc_json_string(array, "md");
	struct mdc_uuid meant, uuid;

	if (mdc_json_is(array, "id", which) || mdc_json_is(array, "device", which) ||
	    mdc_json_is(array, "md", which))
		return true;
	if (md && g_str_has_prefix(which, "/dev/") && strcmp(which + 5, md) == 0)
		return true;
	return uuid_text && mdc_uuid_parse(&meant, which) == 0 &&
	       mdc_uuid_parse(&uuid, uuid_text) == 0 && mdc_uuid_equal(&meant, &uuid);
}

bool mdc_ctl_view_select(JsonNode *status, const char *which)
{
	JsonArray *arrays = mdc_json_array(root(status), "arrays");
	JsonArray *left = json_array_new();

	for (unsigned int i = 0; i < mdc_json_length(arrays); i++) {
		JsonObject *array = mdc_json_element(arrays, i);

		if (array && is_meant(array, which))
			json_array_add_object_element(left, json_object_ref(array));
	}
	if (json_array_get_length(left) == 0) {
		json_array_unref(left);
		return false;
	}
	json_object_set_array_member(root(status), "arrays", left);
	return true;
}

/* The states other than clean and broken are all in between. */
static enum mdc_ctl_exit word_exit(const char *state)
{
	if (state && strcmp(state, "clean") == 0)
		return MDC_CTL_CLEAN;
	return state && strcmp(state, "broken") == 0 ? MDC_CTL_BROKEN : MDC_CTL_BUSY;
}

/* Another node that has the array and is not well is this cluster's trouble, not this node's. */
static enum mdc_ctl_exit nodes_exit(JsonArray *nodes)
{
	for (unsigned int i = 0; i < mdc_json_length(nodes); i++) {
		JsonObject *node = mdc_json_element(nodes, i);
		const char *state = mdc_json_string(node, "state");

		if (mdc_json_is(node, "instance", "failed") ||
		    (mdc_json_true(node, "online") && state && strcmp(state, "clean") != 0))
			return MDC_CTL_BUSY;
	}
	return MDC_CTL_CLEAN;
}

/* Is an add under way, as far as this node has to do with it? */
static bool adding(JsonObject *add)
{
	static const char *const phases[] = { "searching", "looking", "announced", "proposed",
					      "proceeding" };

	for (unsigned int i = 0; i < G_N_ELEMENTS(phases); i++)
		if (mdc_json_is(add, "phase", phases[i]))
			return true;
	return false;
}

static enum mdc_ctl_exit array_exit(JsonObject *array)
{
	JsonObject *module = mdc_json_object(array, "module");
	enum mdc_ctl_exit here;

	if (!mdc_json_true(array, "running"))
		return MDC_CTL_BROKEN;
	here = word_exit(mdc_json_string(array, "state"));
	if (mdc_json_true(module, "stuck") || mdc_json_object(array, "slot_alarm"))
		return MDC_CTL_BROKEN;
	if (here == MDC_CTL_CLEAN && (mdc_json_true(module, "stopped") ||
				      mdc_json_object(array, "sync") ||
				      adding(mdc_json_object(array, "add"))))
		here = MDC_CTL_BUSY;
	return MAX(here, nodes_exit(mdc_json_array(array, "nodes")));
}

enum mdc_ctl_exit mdc_ctl_view_exit(JsonNode *status)
{
	JsonArray *arrays = mdc_json_array(root(status), "arrays");
	enum mdc_ctl_exit worst = MDC_CTL_CLEAN;

	if (mdc_json_length(arrays) == 0)
		return MDC_CTL_ABSENT;
	if (!mdc_json_is(root(status), "pacemaker", "connected") ||
	    !mdc_json_true(root(status), "quorate"))
		worst = MDC_CTL_BUSY;
	for (unsigned int i = 0; i < mdc_json_length(arrays); i++)
		worst = MAX(worst, array_exit(mdc_json_element(arrays, i)));
	return worst;
}

static enum mdc_colour word_colour(const char *state)
{
	static const enum mdc_colour colours[] = { MDC_GREEN, MDC_YELLOW, MDC_RED };

	return state ? colours[word_exit(state)] : MDC_PLAIN;
}

static void line(struct page *page, const char *label, const char *text, enum mdc_colour colour)
{
	struct mdc_table *table = mdc_table_new(2, 2);
	g_autofree char *head = g_strdup_printf("%-8s", label);

	mdc_table_cell(table, head, MDC_PLAIN);
	mdc_table_cell(table, text, colour);
	mdc_table_end(table, page->out, page->look->width, page->look->colour);
}

static char *int_or_dash(JsonObject *object, const char *key)
{
	int64_t n;

	return mdc_json_int(object, key, &n) ? g_strdup_printf("%" G_GINT64_FORMAT, n) :
	       g_strdup("-");
}

static char *size_text(JsonObject *object, const char *key)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size;
	unsigned int unit = 0;

	if (!mdc_json_double(object, key, &size) || !(size >= 0))
		return g_strdup("-");
	for (; size >= 1024 && unit < G_N_ELEMENTS(units) - 1; unit++)
		size /= 1024;
	return g_strdup_printf(unit == 0 || size >= 100 ? "%.0f %s" : "%.1f %s", size,
			       units[unit]);
}

static char *time_text(double s)
{
	if (s < 60)
		return g_strdup_printf("%.0f s", s);
	if (s < 2 * 3600)
		return g_strdup_printf("%.0f min", s / 60);
	if (s < 2 * 86400)
		return g_strdup_printf("%.1f h", s / 3600);
	return g_strdup_printf("%.1f days", s / 86400);
}

static void heading(struct page *page, JsonObject *array)
{
	g_autofree char *id = mdc_text_clean(mdc_json_string(array, "id"));
	g_autofree char *device = mdc_text_clean(mdc_json_string(array, "device"));
	g_autofree char *md = mdc_text_clean(mdc_json_string(array, "md"));
	g_autofree char *level = mdc_text_clean(mdc_json_string(array, "level"));
	g_autofree char *disks = int_or_dash(array, "raid_disks");
	g_autofree char *size = size_text(array, "size_kib");

	mdc_text_colour(page->out, id, MDC_BOLD, page->look->colour);
	g_string_append_printf(page->out, ": %s (%s), %s of %s disks, %s\n", device, md, level,
			       disks, size);
	line(page, "UUID", mdc_json_string(array, "uuid"), MDC_PLAIN);
}

static void state_line(struct page *page, JsonObject *array)
{
	const char *state = mdc_json_string(array, "state");
	int64_t degraded = 0, slot, slots = 0;
	GString *text = g_string_new(NULL);

	if (!mdc_json_true(array, "running")) {
		line(page, "state", "not running on this node", MDC_RED);
		g_string_free(text, TRUE);
		return;
	}
	g_string_append(text, state ? state : "-");
	mdc_json_int(array, "degraded", &degraded);
	if (degraded > 0)
		g_string_append_printf(text, ", %" G_GINT64_FORMAT " disk%s missing", degraded,
				       degraded == 1 ? "" : "s");
	if (mdc_json_int(array, "slot", &slot))
		g_string_append_printf(text, ", slot %" G_GINT64_FORMAT, slot);
	else
		g_string_append(text, ", slot not known");
	if (mdc_json_int(array, "slots", &slots) && slots > 0)
		g_string_append_printf(text, " of %" G_GINT64_FORMAT, slots);
	line(page, "state", text->str, word_colour(state));
	g_string_free(text, TRUE);
}

/* [=====>.....]  45.3%  9.0 MiB/s  about 2 min left */
static void sync_line(struct page *page, JsonObject *array)
{
	JsonObject *sync = mdc_json_object(array, "sync");
	unsigned int bar, filled;
	double percent = 0, speed = 0, done = 0, total = 0;
	GString *text;

	if (!sync)
		return;
	mdc_json_double(sync, "percent", &percent);
	mdc_json_double(sync, "speed_kib", &speed);
	mdc_json_double(sync, "done_kib", &done);
	mdc_json_double(sync, "total_kib", &total);
	percent = percent >= 0 && percent <= 100 ? percent : 0;
	bar = page->look->width > 60 ? MIN(page->look->width - 55, BAR_MAX) : 5;
	filled = (unsigned int)(percent / 100 * bar);
	text = g_string_new("[");
	for (unsigned int i = 0; i < bar; i++)
		g_string_append_c(text, i < filled ? '=' : i == filled ? '>' : '.');
	g_string_append_printf(text, "] %5.1f%%", percent);
	if (speed > 0) {
		g_autofree char *rate = size_text(sync, "speed_kib");
		g_autofree char *left = time_text((total - done) / speed);

		g_string_append_printf(text, "  %s/s", rate);
		if (total > done)
			g_string_append_printf(text, "  about %s left", left);
	} else {
		g_string_append(text, "  waiting");
	}
	line(page, mdc_json_string(sync, "action"), text->str, MDC_YELLOW);
	g_string_free(text, TRUE);
}

/* What each node says of a disk that this one adds. */
static void verdict_lines(struct page *page, JsonObject *add)
{
	JsonArray *list = mdc_json_array(add, "verdicts");

	for (unsigned int i = 0; i < mdc_json_length(list); i++) {
		JsonObject *node = mdc_json_element(list, i);
		const char *name = mdc_json_string(node, "name");
		const char *word = mdc_json_string(node, "verdict");
		const char *device = mdc_json_string(node, "device");
		const char *reason = mdc_json_string(node, "reason");
		g_autofree char *text = g_strdup_printf("%s: %s%s%s%s%s", name ? name : "-",
							word ? word : "-", device ? " as " : "",
							device ? device : "", reason ? ", " : "",
							reason ? reason : "");

		line(page, "", text, reason ? MDC_RED : MDC_PLAIN);
	}
}

static void add_line(struct page *page, JsonObject *array)
{
	JsonObject *add = mdc_json_object(array, "add");
	const char *phase = mdc_json_string(add, "phase");
	const char *device = mdc_json_string(add, "device");
	const char *uuid = mdc_json_string(add, "device_uuid");
	const char *reason = mdc_json_string(add, "reason");
	g_autofree char *role = int_or_dash(add, "raid_disk");
	GString *text;
	double age;
	bool bad;

	if (!add)
		return;
	bad = phase && (strcmp(phase, "missing") == 0 || strcmp(phase, "failed") == 0 ||
			strcmp(phase, "refused") == 0);
	text = g_string_new(phase ? phase : "-");
	if (device && *device)
		g_string_append_printf(text, ": %s", device);
	if (strcmp(role, "-") != 0)
		g_string_append_printf(text, " as disk %s", role);
	if (mdc_json_double(add, "age_s", &age) && age >= 0) {
		g_autofree char *ago = time_text(age);

		g_string_append_printf(text, ", %s ago", ago);
	}
	if (uuid)
		g_string_append_printf(text, ", device UUID %s", uuid);
	line(page, "add", text->str, bad ? MDC_RED : MDC_PLAIN);
	if (reason && *reason)
		line(page, "", reason, bad ? MDC_RED : MDC_PLAIN);
	verdict_lines(page, add);
	g_string_free(text, TRUE);
}

/* Only what is wrong. */
static void module_line(struct page *page, JsonObject *array)
{
	JsonObject *module = mdc_json_object(array, "module");
	double ms = 0;

	if (!module)
		return;
	if (mdc_json_true(module, "stuck")) {
		g_autofree char *since = NULL;
		g_autofree char *text = NULL;

		mdc_json_double(module, "receiving_ms", &ms);
		since = time_text(ms > 0 ? ms / 1000 : 0);
		text = g_strdup_printf("stuck in one message of another node for %s: what others "
				       "change does not reach this node", since);
		line(page, "module", text, MDC_RED);
	}
	if (mdc_json_true(module, "stopped"))
		line(page, "module", "the DLM stands still: a node comes or goes, is being fenced, "
		     "or there is no quorum", MDC_YELLOW);
	if (!mdc_json_true(module, "attached"))
		line(page, "module", "another agent than this mdclusterd answers for disks; see "
		     "mdclusterctl events", MDC_YELLOW);
}

static void slot_line(struct page *page, JsonObject *array)
{
	JsonObject *alarm = mdc_json_object(array, "slot_alarm");
	JsonArray *list = mdc_json_array(alarm, "nodes");
	g_autofree char *slot = int_or_dash(alarm, "slot");
	GString *text;

	if (!alarm)
		return;
	text = g_string_new("nodes");
	for (unsigned int i = 0; i < mdc_json_length(list); i++) {
		const char *name = mdc_json_string(mdc_json_element(list, i), "name");

		g_string_append_printf(text, "%s %s", i ? " and" : "", name ? name : "-");
	}
	g_string_append_printf(text, " both have slot %s and write the same bitmap: stop the "
			       "array on one of them now", slot);
	line(page, "ALARM", text->str, MDC_RED);
	g_string_free(text, TRUE);
}

static void headings(struct mdc_table *table, const char *const *names)
{
	for (; *names; names++)
		mdc_table_cell(table, *names, MDC_BOLD);
}

static void members(struct page *page, JsonObject *array)
{
	static const char *const names[] = { "DISK", "ROLE", "STATE", NULL };
	JsonArray *list = mdc_json_array(array, "members");
	struct mdc_table *table;

	if (mdc_json_length(list) == 0)
		return;
	table = mdc_table_new(3, 4);
	headings(table, names);
	for (unsigned int i = 0; i < mdc_json_length(list); i++) {
		JsonObject *member = mdc_json_element(list, i);
		const char *state = mdc_json_string(member, "state");
		g_autofree char *role = int_or_dash(member, "role");

		mdc_table_cell(table, mdc_json_string(member, "device"), MDC_PLAIN);
		mdc_table_cell(table, role, MDC_PLAIN);
		mdc_table_cell(table, state, state && strstr(state, "faulty") ? MDC_RED :
			       MDC_PLAIN);
	}
	g_string_append(page->out, "  members\n");
	mdc_table_end(table, page->out, page->look->width, page->look->colour);
}

static void node_row(struct mdc_table *table, JsonObject *node, const char *self)
{
	const char *name = mdc_json_string(node, "name");
	const char *instance = mdc_json_string(node, "instance");
	const char *state = mdc_json_string(node, "state");
	bool online = mdc_json_true(node, "online");
	g_autofree char *slot = int_or_dash(node, "slot");
	g_autofree char *shown = g_strdup_printf("%s%s", name ? name : "-", name && self &&
						 strcmp(name, self) == 0 ? " (here)" : "");

	mdc_table_cell(table, shown, MDC_PLAIN);
	mdc_table_cell(table, online ? "online" : "offline", online ? MDC_PLAIN : MDC_RED);
	mdc_table_cell(table, instance, instance && strcmp(instance, "failed") == 0 ? MDC_RED :
		       MDC_PLAIN);
	mdc_table_cell(table, slot, MDC_PLAIN);
	mdc_table_cell(table, state, word_colour(state));
	mdc_table_cell(table, mdc_json_string(node, "sync"), MDC_PLAIN);
	mdc_table_cell(table, mdc_json_string(node, "add"), MDC_PLAIN);
}

static void nodes(struct page *page, JsonObject *array, const char *self)
{
	static const char *const names[] = { "NODE", "CLUSTER", "RESOURCE", "SLOT", "STATE",
					     "SYNC", "ADD", NULL };
	JsonArray *list = mdc_json_array(array, "nodes");
	struct mdc_table *table;

	if (mdc_json_length(list) == 0)
		return;
	table = mdc_table_new(7, 4);
	headings(table, names);
	for (unsigned int i = 0; i < mdc_json_length(list); i++)
		node_row(table, mdc_json_element(list, i), self);
	g_string_append(page->out, "  nodes\n");
	mdc_table_end(table, page->out, page->look->width, page->look->colour);
}

static void warnings(struct page *page, JsonObject *status)
{
	bool colour = page->look->colour;

	if (!mdc_json_true(status, "quorate"))
		mdc_text_colour(page->out, "This node's cluster has no quorum: the DLM waits, and "
				"so do writes.\n", MDC_RED, colour);
	if (!mdc_json_is(status, "pacemaker", "connected"))
		mdc_text_colour(page->out, "No connection to Pacemaker: what other nodes say may "
				"be old.\n", MDC_RED, colour);
}

char *mdc_ctl_view_text(JsonNode *status, const struct mdc_ctl_look *look)
{
	JsonArray *arrays = mdc_json_array(root(status), "arrays");
	const char *self = mdc_json_string(mdc_json_object(root(status), "node"), "name");
	struct page page = { .out = g_string_new(NULL), .look = look };

	warnings(&page, root(status));
	if (mdc_json_length(arrays) == 0)
		g_string_append(page.out, "mdclusterd looks after no array on this node.\n");
	for (unsigned int i = 0; i < mdc_json_length(arrays); i++) {
		JsonObject *array = mdc_json_element(arrays, i);

		if (page.out->len > 0)
			g_string_append_c(page.out, '\n');
		heading(&page, array);
		state_line(&page, array);
		slot_line(&page, array);
		sync_line(&page, array);
		add_line(&page, array);
		module_line(&page, array);
		members(&page, array);
		nodes(&page, array, self);
	}
	return g_string_free(page.out, FALSE);
}
