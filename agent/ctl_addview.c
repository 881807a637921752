/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the text of the nodes' words on a disk: one row a node, rewritten in place on a terminal,
 * a line each time otherwise.
 */
#include "ctl_addview.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "ctl_table.h"

static bool same(const struct mdc_addline *a, const struct mdc_addline *b)
{
	return a->node == b->node && !strcmp(a->device, b->device) &&
	       mdc_reason_equal(&a->reason, &b->reason);
}

const struct mdc_addline *mdc_addview_take(struct mdc_addview *view,
					   const struct mdc_addline *line)
{
	struct mdc_addline *row = NULL, had = { .id = 0 };
	unsigned int i;

	for (i = 0; i < view->n && !row; i++)
		if (view->nodes[i].id == line->id)
			row = &view->nodes[i];
	if (!row && view->n == MDC_ADDVIEW_NODES_MAX)
		return NULL;
	if (row)
		had = *row;
	else
		row = &view->nodes[view->n++];
	*row = *line;
	/* One that leaves is not named any more. */
	if (!row->name[0])
		memcpy(row->name, had.name, sizeof(row->name));
	return had.id && same(&had, row) ? NULL : row;
}

static char *name_of(const struct mdc_addline *row)
{
	return row->name[0] ? mdc_text_clean(row->name) : g_strdup_printf("node %u", row->id);
}

static void append_words(GString *out, const struct mdc_addline *row)
{
	char why[MDC_ADD_REASON_MAX];

	switch (row->node) {
	case MDC_NODE_WAITING:
		g_string_append(out, "is looking for it");
		break;
	case MDC_NODE_FOUND:
		g_string_append_printf(out, "sees it as %s", row->device);
		break;
	case MDC_NODE_MISSING:
		mdc_reason_text(&row->reason, why);
		g_string_append(out, why);
		break;
	case MDC_NODE_UNASKED:
		g_string_append(out, "not asked, as it has no mdclusterd for this array: its "
				"kernel will ask it");
		break;
	case MDC_NODE_LEFT:
		g_string_append(out, "no longer has the array");
		break;
	}
}

char *mdc_addview_row(const struct mdc_addline *row)
{
	g_autofree char *name = name_of(row);
	GString *out = g_string_new(name);

	g_string_append(out, ": ");
	append_words(out, row);
	return g_string_free(out, FALSE);
}

char *mdc_addview_frame(struct mdc_addview *view, unsigned int waited_s, unsigned int wait_s,
			unsigned int width, bool colour)
{
	static const enum mdc_colour colours[] = {
		[MDC_NODE_WAITING] = MDC_PLAIN, [MDC_NODE_FOUND] = MDC_GREEN,
		[MDC_NODE_MISSING] = MDC_RED, [MDC_NODE_UNASKED] = MDC_YELLOW,
		[MDC_NODE_LEFT] = MDC_PLAIN,
	};
	GString *out = g_string_new(NULL);
	unsigned int i;

	if (view->drawn)
		g_string_append_printf(out, "\033[%uA", view->drawn);
	for (i = 0; i < view->n; i++) {
		g_autofree char *row = mdc_addview_row(&view->nodes[i]);
		g_autofree char *text = view->nodes[i].node == MDC_NODE_WAITING ?
			g_strdup_printf("%s (%u of up to %u s)", row, waited_s, wait_s) :
			g_strdup(row);
		/* A row that wraps would put the next frame in the wrong place. */
		g_autofree char *cut = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1),
								     (glong)width - 3));

		g_string_append(out, "\r\033[K  ");
		mdc_text_colour(out, cut, colours[view->nodes[i].node], colour);
		g_string_append_c(out, '\n');
	}
	view->drawn = view->n;
	return g_string_free(out, FALSE);
}

static void add_string(JsonBuilder *b, const char *key, const char *value)
{
	json_builder_set_member_name(b, key);
	if (value && *value)
		json_builder_add_string_value(b, value);
	else
		json_builder_add_null_value(b);
}

char *mdc_addview_json(const struct mdc_addline *row)
{
	g_autoptr(JsonBuilder) b = json_builder_new();
	g_autoptr(JsonNode) node = NULL;
	bool missing = row->node == MDC_NODE_MISSING;
	char why[MDC_ADD_REASON_MAX], word[MDC_ADD_WORD_MAX];

	mdc_reason_text(&row->reason, why);
	mdc_reason_word(&row->reason, word);
	json_builder_begin_object(b);
	add_string(b, "event", "verdict");
	add_string(b, "node", row->name);
	json_builder_set_member_name(b, "id");
	json_builder_add_int_value(b, row->id);
	add_string(b, "verdict", mdc_addline_node_name(row->node));
	add_string(b, "device", row->device);
	add_string(b, "why", missing ? word : NULL);
	add_string(b, "reason", missing ? why : NULL);
	json_builder_end_object(b);
	node = json_builder_get_root(b);
	return json_to_string(node, FALSE);
}
