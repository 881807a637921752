/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the last lines of the log, for `mdclusterctl events`. */
#include <string.h>

#include "eventd/daemon.h"

static void take(enum mdc_level level, const char *text, void *data)
{
	struct mdc_daemon *d = data;
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S%z");
	g_autofree char *safe = g_strdup(text);
	char *line;

	if (level == MDC_DEBUG)
		return;
	if (level == MDC_ERR)
		g_strlcpy(d->last_error, text, sizeof(d->last_error));
	g_strdelimit(safe, "\n\r", ' ');
	line = g_strdup_printf("%s %s %s\n", time, mdc_level_name(level), safe);
	g_queue_push_tail(&d->history, line);
	if (d->server)
		mdc_server_tell(d->server, line, strlen(line));
	if (g_queue_get_length(&d->history) > MDC_HISTORY_LINES)
		g_free(g_queue_pop_head(&d->history));
}

void mdc_history_open(struct mdc_daemon *d)
{
	g_queue_init(&d->history);
	mdc_log_sink(take, d);
}

void mdc_history_close(struct mdc_daemon *d)
{
	mdc_log_sink(NULL, NULL);
	g_queue_clear_full(&d->history, g_free);
}

void mdc_history_send(struct mdc_daemon *d, struct mdc_conn *conn)
{
	GList *l;

	for (l = d->history.head; l; l = l->next)
		mdc_conn_send(conn, l->data, strlen(l->data));
}
