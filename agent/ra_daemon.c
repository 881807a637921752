/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the agent's talk with mdclusterd: a ping in each monitor, track and untrack, and
 * starting it where it is not there.
 */
#include "ra.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "log.h"

#define PING_MS 1000		/* what a monitor waits at most for a stuck mdclusterd */
#define REQUEST_MS 5000
#define START_MS 25000
#define STUCK "stuck "

static int ask(const struct mdc_ra *ra, const char *request, char *text, size_t size, int timeout_ms)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/socket", ra->paths->rundir);
	rc = mdc_client_ask(path, request, text, size, mdc_ra_left(ra, timeout_ms));
	mdc_trace(ra, "ask: %s -> %s%s%s", request, rc == 0 ? "ok" : strerror(-rc),
		  text[0] ? " " : "", text);
	return rc;
}

/* "stuck MS" */
static bool is_stuck(const char *text)
{
	size_t len;

	if (strncmp(text, STUCK, strlen(STUCK)))
		return false;
	text += strlen(STUCK);
	len = strlen(text);
	return len && len <= 15 && strspn(text, "0123456789") == len;
}

enum mdc_daemon mdc_daemon_ping(const struct mdc_ra *ra, char *text, size_t size)
{
	char request[64];
	int rc;

	snprintf(request, sizeof(request), "ping uuid=%s", ra->params.uuid_text);
	rc = ask(ra, request, text, size, PING_MS);
	if (rc == 0 && !strcmp(text, "tracked"))
		return MDC_DAEMON_TRACKED;
	if (rc == 0 && !strcmp(text, "untracked"))
		return MDC_DAEMON_UNTRACKED;
	if (rc == 0 && is_stuck(text))
		return MDC_DAEMON_MODULE_STUCK;
	if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -ENOTDIR || rc == -EPIPE ||
	    rc == -ECONNRESET)
		return MDC_DAEMON_ABSENT;
	return rc == -ETIMEDOUT ? MDC_DAEMON_STUCK : MDC_DAEMON_ODD;
}

int mdc_daemon_start(const struct mdc_ra *ra, char *text, size_t size)
{
	struct mdc_cmd *cmd = calloc(1, sizeof(*cmd));
	char why[400];
	int rc;

	if (!cmd) {
		snprintf(text, size, "out of memory");
		return -1;
	}
	cmd->argv[0] = ra->paths->mdclusterd;
	rc = mdc_host_run(ra, cmd, mdc_ra_left(ra, START_MS), why, sizeof(why));
	free(cmd);
	if (rc) {
		snprintf(text, size, "mdclusterd could not be started: %s", why);
		return -1;
	}
	return 0;
}

/* The sentence for a request that failed. */
static int failed(const char *what, int rc, char *text, size_t size)
{
	char said[400];

	snprintf(said, sizeof(said), "%s", text);
	if (rc == -EREMOTEIO)
		snprintf(text, size, "mdclusterd refuses to %s the array: %s", what, said);
	else if (rc == -ETIMEDOUT)
		snprintf(text, size, "mdclusterd does not answer (asked to %s the array): if it goes on, "
			 "kill it, and the next monitor starts it again", what);
	else
		snprintf(text, size, "mdclusterd could not be asked to %s the array: %s", what,
			 strerror(-rc));
	return -1;
}

int mdc_daemon_track(const struct mdc_ra *ra, const char *md, char *text, size_t size)
{
	const struct mdc_params *p = &ra->params;
	struct mdc_track track = {
		.uuid = p->uuid,
		.disk_wait_s = p->disk_wait_s,
		.verdict_wait_s = p->verdict_wait_s,
		.readd = p->readd,
	};
	char request[MDC_LINE_MAX] = "track ";
	int rc;

	strcpy(track.device, p->device);
	strcpy(track.md, md);
	strcpy(track.id, p->id);
	strcpy(track.members, p->members);
	rc = mdc_track_format(&track, request + 6, sizeof(request) - 7);
	if (rc < 0) {
		snprintf(text, size, "the parameters are too long for mdclusterd: shorten members");
		return -1;
	}
	rc = ask(ra, request, text, size, REQUEST_MS);
	return rc ? failed("look after", rc, text, size) : 0;
}

int mdc_daemon_untrack(const struct mdc_ra *ra, char *text, size_t size)
{
	char request[64];
	int rc;

	snprintf(request, sizeof(request), "untrack uuid=%s", ra->params.uuid_text);
	rc = ask(ra, request, text, size, REQUEST_MS);
	return rc ? failed("let go of", rc, text, size) : 0;
}

int mdc_daemon_notify(const struct mdc_ra *ra, const struct mdc_notify *notify, char *text,
		      size_t size)
{
	char request[MDC_LINE_MAX] = "notify ";
	int rc;

	if (mdc_notify_format(notify, request + 7, sizeof(request) - 8) < 0) {
		snprintf(text, size, "Pacemaker's list of nodes is too long for mdclusterd");
		return -1;
	}
	rc = ask(ra, request, text, size, PING_MS);
	return rc ? failed("look at", rc, text, size) : 0;
}

enum mdc_daemon mdc_daemon_up(const struct mdc_ra *ra, bool *started, char *text, size_t size)
{
	enum mdc_daemon state = mdc_daemon_ping(ra, text, size);

	*started = false;
	if (state != MDC_DAEMON_ABSENT)
		return state;
	if (mdc_daemon_start(ra, text, size))
		return MDC_DAEMON_ABSENT;
	*started = true;
	/* It adopts what its state files say; a track is needed for that to be certain. */
	return MDC_DAEMON_UNTRACKED;
}

/* The ping's answer made a sentence. */
static void module_stuck(const struct mdc_ra *ra, char *text, size_t size)
{
	long long ms = strtoll(text + strlen(STUCK), NULL, 10);

	snprintf(text, size, "this node's kernel module has been at one message of another node for "
		 "%lld s and takes in no other: what other nodes change in array %s does not reach "
		 "this node. The kernel log says what it waits for; stopping the array here, or "
		 "fencing this node, lets the others go on", ms / 1000, ra->params.device);
}

enum mdc_daemon mdc_daemon_ensure(const struct mdc_ra *ra, const char *md, bool *restarted,
				  char *text, size_t size)
{
	enum mdc_daemon state = mdc_daemon_up(ra, restarted, text, size);

	switch (state) {
	case MDC_DAEMON_TRACKED:
	case MDC_DAEMON_ABSENT:
		return state;
	case MDC_DAEMON_UNTRACKED:
		return mdc_daemon_track(ra, md, text, size) ? state : MDC_DAEMON_TRACKED;
	case MDC_DAEMON_MODULE_STUCK:
		module_stuck(ra, text, size);
		return state;
	case MDC_DAEMON_STUCK:
		snprintf(text, size, "mdclusterd does not answer within %d ms: disks cannot be added "
			 "meanwhile; if it goes on, kill it, and the next monitor starts it again",
			 PING_MS);
		return state;
	case MDC_DAEMON_ODD:
		break;
	}
	snprintf(text + strlen(text), size - strlen(text), "%smdclusterd gives no proper answer to a "
		 "ping", text[0] ? ": " : "");
	return state;
}
