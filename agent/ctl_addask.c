/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the second part of `mdclusterctl add`: the nonce is written, mdclusterd has the other
 * nodes look for it, and what stood there is put back, however the question ends. The array's
 * I/O goes on all the while.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "core/request.h"
#include "ctl_add.h"
#include "ctl_link.h"
#include "run.h"

#define TICK_MS 200		/* how soon Ctrl-C is seen, and the seconds move */
#define MARGIN_MS 10000		/* for mdclusterd's own last word, beyond what it says */

/* One question's course. */
struct course {
	struct mdc_add_run *run;
	struct mdc_client client;
	bool tty, colour;
	unsigned int width;
	long long begun_ms, until_ms;
	unsigned int wait_ms;
	int exit;		/* -1: not at its end */
};

static void look_of(struct course *c)
{
	const char *no_colour = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
	struct winsize size;

	c->tty = !c->run->json && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
	c->colour = c->tty && !(no_colour && *no_colour);
	c->width = 100;
	if (c->tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		c->width = size.ws_col;
}

static void draw(struct course *c)
{
	g_autofree char *frame = NULL;

	if (!c->tty)
		return;
	frame = mdc_addview_frame(&c->run->view,
				  (unsigned int)((mdc_now_ms() - c->begun_ms) / 1000),
				  c->wait_ms / 1000, c->width, c->colour);
	fputs(frame, stdout);
	fflush(stdout);
}

static void take_node(struct course *c, const struct mdc_addline *line)
{
	const struct mdc_addline *row = mdc_addview_take(&c->run->view, line);
	g_autofree char *text = NULL;

	if (!row || c->tty)
		return;
	if (c->run->json) {
		text = mdc_addview_json(row);
		puts(text);
	} else if (row->node != MDC_NODE_WAITING) {
		text = mdc_addview_row(row);
		printf("  %s\n", text);
	}
	fflush(stdout);
}

static int take_end(struct mdc_add_run *run, const struct mdc_addline *line)
{
	const char *path = run->disk.dev.path;

	switch (line->end) {
	case MDC_END_AGREED:
		if (line->text[0])
			mdc_add_tell(run, "Nobody else was asked: %s.", line->text);
		return MDC_ADD_EXIT_DONE;
	case MDC_END_REFUSED:
		mdc_add_say(run, "%s cannot be added to %s: %s", path, run->device, line->text);
		return MDC_ADD_EXIT_REFUSED;
	case MDC_END_UNUSABLE:
		mdc_add_say(run, "%s: %s", path, line->text);
		return MDC_ADD_EXIT_UNUSABLE;
	case MDC_END_LOST:
		break;
	}
	mdc_add_say(run, "the nodes could not be asked about %s: %s", path, line->text);
	return MDC_ADD_EXIT_LOST;
}

static void take_line(struct course *c, const char *text)
{
	struct mdc_addline line;

	if (mdc_addline_parse(&line, text)) {
		mdc_add_say(c->run, "what mdclusterd answers is not of the form (another "
			    "version?)");
		c->exit = MDC_ADD_EXIT_LOST;
		return;
	}
	switch (line.kind) {
	case MDC_LINE_WAIT:
		c->wait_ms = line.wait_ms;
		c->until_ms = mdc_now_ms() + line.wait_ms + MARGIN_MS;
		break;
	case MDC_LINE_NODE:
		take_node(c, &line);
		break;
	case MDC_LINE_END:
		draw(c);
		c->exit = take_end(c->run, &line);
		break;
	}
}

static void follow(struct course *c)
{
	char *line;
	int rc;

	while (c->exit < 0 && !mdc_add_stop) {
		rc = mdc_client_line(&c->client, &line, TICK_MS);
		if (rc == 0) {
			take_line(c, line);
			continue;
		}
		draw(c);
		if (rc == -EINTR || (rc == -ETIMEDOUT && mdc_now_ms() < c->until_ms))
			continue;
		mdc_add_say(c->run, rc == -EPIPE ? "mdclusterd has ended while it asked the nodes" :
			    rc == -ETIMEDOUT ? "mdclusterd has not said how the question ended" :
			    "the connection to mdclusterd is lost");
		c->exit = MDC_ADD_EXIT_LOST;
	}
	if (c->exit < 0)
		c->exit = MDC_ADD_EXIT_LOST;	/* stopped; said at the end */
}

static int question(struct mdc_add_run *run, const struct mdc_nonce *nonce)
{
	struct course c = { .run = run, .exit = -1, .begun_ms = mdc_now_ms() };
	struct mdc_announced disk = { .sectors = run->disk.dev.sectors, .nonce = nonce->nonce };
	char request[MDC_LINE_MAX];
	GError *error = NULL;

	g_strlcpy(disk.kname, run->disk.dev.kname, sizeof(disk.kname));
	memcpy(disk.disk, run->disk_id, sizeof(disk.disk));
	look_of(&c);
	c.until_ms = c.begun_ms + MARGIN_MS;
	if (mdc_request_announce(&run->disk.array, &disk, request, sizeof(request)))
		return MDC_ADD_EXIT_UNUSABLE;
	if (mdc_ctl_link_open(&c.client, run->socket, &error) == 0) {
		if (mdc_ctl_link_ask(&c.client, request, &error))
			follow(&c);
		mdc_client_close(&c.client);
	}
	if (error) {
		mdc_add_say(run, "%s", error->message);
		g_error_free(error);
		c.exit = MDC_ADD_EXIT_LOST;
	}
	return c.exit;
}

static int mark(struct mdc_add_run *run, struct mdc_nonce *nonce)
{
	struct mdc_keeper_word word;
	int ret;

	memset(nonce, 0, sizeof(*nonce));
	if (getrandom(nonce->nonce.b, sizeof(nonce->nonce.b), 0) !=
	    (ssize_t)sizeof(nonce->nonce.b)) {
		mdc_add_say(run, "no random number to be had: %s", g_strerror(errno));
		return MDC_ADD_EXIT_UNUSABLE;
	}
	nonce->time_s = (uint64_t)time(NULL);
	g_strlcpy(nonce->node, run->node, sizeof(nonce->node));
	run->touched = true;
	ret = mdc_add_keeper(run, MDC_KEEP_MARK, nonce, &word, MDC_ADD_EXIT_UNUSABLE);
	if (word.cleaned)
		mdc_add_tell(run, "It bore the mark of an add that was cut off, over zeros: the "
			     "zeros are put back.");
	if (word.err && word.marked) {
		run->left = true;
		return MDC_ADD_EXIT_LEFT;
	}
	return ret;
}

int mdc_add_ask(struct mdc_add_run *run)
{
	struct mdc_keeper_word word;
	struct mdc_nonce nonce;
	int ret = mark(run, &nonce), back;

	if (ret)
		return ret;
	ret = question(run, &nonce);
	back = mdc_add_keeper(run, MDC_KEEP_UNMARK, NULL, &word, MDC_ADD_EXIT_LEFT);
	if (back)
		run->left = true;
	return back ? back : ret;
}
