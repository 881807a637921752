/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `mdclusterctl status`: asks once, or again and again for --watch, and writes one frame
 * each time. A frame is one write, so that a watched screen does not flicker.
 */
#include "ctl_cmd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl_link.h"
#include "ctl_view.h"

#define WATCH_S 2
#define WATCH_MAX_S 3600

struct request {
	const char *socket, *which;
	gboolean json;
	int watch_s;		/* 0: once */
};

/* What Ctrl-C ends a watch with: a signal handler has no other way to know. */
static volatile sig_atomic_t last_exit;

static void on_end(int sig)
{
	(void)sig;
	_exit(last_exit);
}

/* Only to end the pause between two frames. */
static void on_resize(int sig)
{
	(void)sig;
}

/* GLib would take the word after a bare --watch for its seconds, and that is the array. */
static void watch_default(int argc, char **argv)
{
	static char with_default[] = "--watch=" G_STRINGIFY(WATCH_S);

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--watch") == 0 || strcmp(argv[i], "-w") == 0)
			argv[i] = with_default;
}

static gboolean watch_option(const char *name, const char *value, gpointer data, GError **error)
{
	struct request *request = data;
	char *end;
	long s;

	(void)name;
	errno = 0;
	s = strtol(value, &end, 10);
	if (errno || end == value || *end || s < 1 || s > WATCH_MAX_S) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--watch takes seconds from 1 to %d, not '%s'", WATCH_MAX_S, value);
		return FALSE;
	}
	request->watch_s = (int)s;
	return TRUE;
}

static struct mdc_ctl_look look_of(int fd)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	struct mdc_ctl_look look = { .width = 100 };
	struct winsize size;

	if (!isatty(fd)) {
		look.width = 1000;	/* a file or a pipe: nothing is cut */
		return look;
	}
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		look.width = size.ws_col;
	look.colour = !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
	return look;
}

static char *json_text(JsonNode *status, bool pretty)
{
	g_autofree char *text = json_to_string(status, pretty);

	return g_strconcat(text, "\n", NULL);
}

/* One answer as text. *text is NULL where there is only *error. */
static int ask(const struct request *request, char **text, GError **error)
{
	struct mdc_ctl_look look = look_of(STDOUT_FILENO);
	g_autoptr(JsonNode) status = NULL;
	struct mdc_client client;
	const char *answer;

	*text = NULL;
	if (mdc_ctl_link_open(&client, request->socket, error) < 0)
		return MDC_CTL_ABSENT;
	answer = mdc_ctl_link_ask(&client, "status", error);
	status = answer ? mdc_ctl_view_parse(answer) : NULL;
	if (answer && !status)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "mdclusterd's answer is "
			    "not of a form this mdclusterctl knows: are both of one version?");
	mdc_client_close(&client);
	if (!status)
		return MDC_CTL_ABSENT;
	if (request->which && !mdc_ctl_view_select(status, request->which)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no array '%s' here: it is "
			    "neither a device, nor a UUID, nor the primitive of an array that "
			    "mdclusterd looks after on this node; 'mdclusterctl status' shows "
			    "them", request->which);
		return MDC_CTL_ABSENT;
	}
	*text = request->json ? json_text(status, request->watch_s == 0) :
		mdc_ctl_view_text(status, &look);
	return mdc_ctl_view_exit(status);
}

static void frame(const struct request *request, const char *text, const GError *error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	bool screen = isatty(STDOUT_FILENO) && !request->json;

	if (screen)
		g_string_append(out, "\033[H\033[J");
	g_string_append(out, text ? text : "");
	if (error && !request->json)
		g_string_append_printf(out, "%s\n", error->message);
	else if (error)
		fprintf(stderr, "mdclusterctl: %s\n", error->message);
	if (!screen && !request->json)
		g_string_append_c(out, '\n');
	fwrite(out->str, 1, out->len, stdout);
	fflush(stdout);
}

static int watch(const struct request *request)
{
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction resize = { .sa_handler = on_resize };
	const struct timespec pause = { .tv_sec = request->watch_s };
	sigset_t winch, before;

	/* In the middle of a request it would look like an error; the pause lets it in. */
	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	sigprocmask(SIG_BLOCK, &winch, &before);
	sigdelset(&before, SIGWINCH);
	last_exit = MDC_CTL_ABSENT;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	for (;;) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = NULL;

		last_exit = ask(request, &text, &error);
		frame(request, text, error);
		if (ferror(stdout))
			return last_exit;
		/* A changed window size ends the pause, and the frame is drawn anew. */
		ppoll(NULL, 0, &pause, &before);
	}
}

int mdc_ctl_status(const char *socket, int argc, char **argv)
{
	struct request request = { .socket = socket };
	const GOptionEntry entries[] = {
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &request.json,
		  "Print mdclusterd's JSON; with --watch one line each time", NULL },
		{ "watch", 'w', 0, G_OPTION_ARG_CALLBACK, watch_option,
		  "Show it again every SECONDS (2) until Ctrl-C", "SECONDS" },
		{ NULL, 0, 0, 0, NULL, NULL, NULL }
	};
	g_autofree char *text = NULL;
	GError *error = NULL;
	int rc;

	watch_default(argc, argv);
	rc = mdc_ctl_options(entries, "[DEVICE|UUID|ID]", "Shows the clustered MD arrays of this "
			     "node, or one of them, as every node sees them.", &request, 1,
			     &argc, &argv);
	if (rc >= 0)
		return rc;
	request.which = argc > 1 ? argv[1] : NULL;
	if (request.watch_s > 0)
		return watch(&request);
	rc = ask(&request, &text, &error);
	if (!text)
		return mdc_ctl_absent(error);
	fputs(text, stdout);
	if (fflush(stdout) != 0)
		return MDC_CTL_ABSENT;
	return rc;
}
