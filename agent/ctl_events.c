/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `mdclusterctl events`: mdclusterd's log as it comes. First what it keeps in memory, then
 * each line, until Ctrl-C. The stream has no mark between the two: what comes without a
 * pause at the start, for two seconds at most, is what was kept.
 */
#include "ctl_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "ctl_link.h"
#include "ctl_table.h"
#include "ctl_view.h"
#include "run.h"

#define QUIET_MS 300
#define KEPT_MS 2000		/* where new lines come without a pause */
#define FOLLOW_MS (60 * 60 * 1000)

struct follow {
	gboolean json, once;
	int last;		/* of those kept; -1: all */
};

static void print_json(const char *time, const char *level, const char *text)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *line = NULL;

	json_builder_begin_object(builder);
	json_builder_set_member_name(builder, "time");
	json_builder_add_string_value(builder, time);
	json_builder_set_member_name(builder, "level");
	json_builder_add_string_value(builder, level);
	json_builder_set_member_name(builder, "text");
	json_builder_add_string_value(builder, text);
	json_builder_end_object(builder);
	node = json_builder_get_root(builder);
	line = json_to_string(node, FALSE);
	puts(line);
}

/* TIME LEVEL TEXT */
static void print_line(const struct follow *follow, const char *line)
{
	g_autofree char *clean = mdc_text_clean(line);
	g_auto(GStrv) part = g_strsplit(clean, " ", 3);

	if (follow->json && g_strv_length(part) == 3)
		print_json(part[0], part[1], part[2]);
	else if (follow->json)
		print_json("", "", clean);
	else
		puts(clean);
	fflush(stdout);
}

/* The kept lines, of which only the last ones may be wanted. Returns as mdc_client_line. */
static int print_kept(struct mdc_client *client, const struct follow *follow)
{
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	long long until = mdc_now_ms() + KEPT_MS;
	unsigned int first = 0;
	char *line;
	int rc = 0;

	while (rc == 0 && mdc_now_ms() < until) {
		rc = mdc_client_line(client, &line, QUIET_MS);
		if (rc == 0)
			g_ptr_array_add(kept, g_strdup(line));
	}
	if (follow->last >= 0 && kept->len > (unsigned int)follow->last)
		first = kept->len - (unsigned int)follow->last;
	for (unsigned int i = first; i < kept->len; i++)
		print_line(follow, g_ptr_array_index(kept, i));
	return rc;
}

static int run(struct mdc_client *client, const struct follow *follow)
{
	char *line;
	int rc = print_kept(client, follow);

	while (!follow->once && (rc == -ETIMEDOUT || rc == -EINTR || rc == 0) &&
	       !ferror(stdout)) {
		rc = mdc_client_line(client, &line, FOLLOW_MS);
		if (rc == 0)
			print_line(follow, line);
	}
	if (follow->once || ferror(stdout))
		return MDC_CTL_CLEAN;
	fprintf(stderr, "mdclusterctl: %s\n", rc == -EPIPE ? "mdclusterd has ended, or dropped "
		"this client because it read too slowly" : g_strerror(-rc));
	return MDC_CTL_ABSENT;
}

int mdc_ctl_events(const char *socket, int argc, char **argv)
{
	struct follow follow = { .last = -1 };
	const GOptionEntry entries[] = {
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &follow.json,
		  "Print one JSON object a line", NULL },
		{ "last", 'n', 0, G_OPTION_ARG_INT, &follow.last,
		  "Of the lines that mdclusterd keeps, show only the last N", "N" },
		{ "once", '1', 0, G_OPTION_ARG_NONE, &follow.once,
		  "Show those lines and end", NULL },
		{ NULL, 0, 0, 0, NULL, NULL, NULL }
	};
	struct mdc_client client;
	GError *error = NULL;
	int rc;

	rc = mdc_ctl_options(entries, "", "Follows mdclusterd's log.", NULL, 0, &argc, &argv);
	if (rc >= 0)
		return rc;
	if (follow.last < -1) {
		fprintf(stderr, "mdclusterctl: -n takes a number from 0\n");
		return MDC_CTL_USAGE;
	}
	if (mdc_ctl_link_open(&client, socket, &error) < 0)
		return mdc_ctl_absent(error);
	if (mdc_ctl_link_ask(&client, "events", &error))
		rc = run(&client, &follow);
	else
		rc = mdc_ctl_absent(error);
	mdc_client_close(&client);
	return rc;
}
