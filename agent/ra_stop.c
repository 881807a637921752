/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns stop: leave the array on this node and say so to mdclusterd. A stop that fails gets
 * the node fenced, so it tries what it can, and fails only while the array is still there.
 */
#include "ra.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "port/mdsys.h"
#include "run.h"

#define BUSY_MS 5000		/* for short openers, as udev's and blkid's */
#define BUSY_PAUSE_MS 250
#define REFUSED_MS 1000		/* mdadm says that it is busy within this time, at least */
#define GONE_PAUSE_MS 50

static bool is_gone(const struct mdc_ra *ra, const char *md)
{
	struct mdc_array array;

	return !mdc_mdsys_lockspace(ra->paths->sys, &ra->params.uuid) &&
	       (mdc_mdsys_read(ra->paths->sys, md, &array) ||
		!strcmp(array.array_state, "clear") || mdc_find_same(ra, md) == 0);
}

static bool wait_gone(const struct mdc_ra *ra, const char *md)
{
	while (!is_gone(ra, md)) {
		if (*ra->stop || !mdc_ra_left(ra, 1))
			return false;
		poll(NULL, 0, GONE_PAUSE_MS);
	}
	return true;
}

/*
 * A mdclusterd that was killed leaves its state file, and its node attributes in the
 * cluster. A new one takes them back as it begins, and may end after that: it is not asked.
 */
static void tell_daemon(struct mdc_ra *ra)
{
	char path[PATH_MAX], text[512];
	bool started;

	mdc_said_forget(ra);
	mdc_find_statefile(ra, path, sizeof(path));
	if (access(path, F_OK)) {
		if (mdc_daemon_ping(ra, text, sizeof(text)) == MDC_DAEMON_ABSENT)
			return;
	} else if (mdc_daemon_up(ra, &started, text, sizeof(text)) == MDC_DAEMON_ABSENT) {
		mdc_warn("stop: the array has been stopped, but what this node published of it "
			 "(node attributes mdcluster-%s-*) stays: %s", ra->params.id, text);
		return;
	} else if (started) {
		return;
	}
	if (mdc_daemon_untrack(ra, text, sizeof(text)))
		mdc_warn("stop: the array has been stopped, but %s", text);
}

/* Runs mdadm --stop until it succeeds or somebody is seen who holds the array. */
static int stop_array(struct mdc_ra *ra, struct mdc_cmd *cmd, const char *md)
{
	long long patience = mdc_now_ms() + BUSY_MS;
	char node[MDC_PATH_MAX], why[512], holders[700];
	enum mdc_held held;
	bool over;

	if (mdc_host_tool(ra, "mdadm", cmd->program))
		return mdc_ra_fail(ra, MDC_OCF_INSTALLED, "mdadm is not installed on this node, so the "
				   "running array %s cannot be stopped (Debian package: mdadm)", md);
	snprintf(node, sizeof(node), "%s/%s", ra->paths->dev, md);
	cmd->argv[0] = cmd->program;
	cmd->argv[1] = "--stop";
	cmd->argv[2] = node;
	for (;;) {
		if (!mdc_host_run(ra, cmd, mdc_ra_left(ra, INT_MAX), why, sizeof(why)) ||
		    is_gone(ra, md))
			return 0;
		held = mdc_holders(ra, md, holders, sizeof(holders));
		over = *ra->stop || mdc_now_ms() >= patience ||
		       mdc_ra_left(ra, BUSY_MS) < BUSY_PAUSE_MS + REFUSED_MS;
		if (held == MDC_HELD_FAST || (held == MDC_HELD_OPEN && over))
			return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s (%s) cannot be stopped, it is in "
					   "use: %s", ra->params.device[0] ? ra->params.device : node,
					   md, holders);
		if (over)
			return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s (%s) cannot be stopped, and "
					   "nobody is seen to hold it (another mount namespace?): %s",
					   ra->params.device[0] ? ra->params.device : node, md, why);
		poll(NULL, 0, BUSY_PAUSE_MS);
	}
}

/*
 * Without udevd nobody removes the link in /dev/md, and when the kernel name is given to
 * another array next, the link would name that one.
 */
void mdc_drop_link(const struct mdc_ra *ra, const char *md)
{
	char path[MDC_PATH_MAX], target[MDC_PATH_MAX];
	const char *name;
	ssize_t n;

	if (strncmp(ra->params.device, "/dev/md/", 8))
		return;
	snprintf(path, sizeof(path), "%s%s", ra->paths->dev, ra->params.device + strlen("/dev"));
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	name = strrchr(target, '/');
	if (!strcmp(name ? name + 1 : target, md) && unlink(path) == 0)
		mdc_trace(ra, "removed the link %s", ra->params.device);
}

static int leave(struct mdc_ra *ra, const char *md)
{
	struct mdc_cmd *cmd = calloc(1, sizeof(*cmd));
	int rc;

	if (!cmd)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "out of memory");
	rc = stop_array(ra, cmd, md);
	free(cmd);
	if (rc)
		return rc;
	if (!wait_gone(ra, md))
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "mdadm has stopped %s, but this node has not left "
				   "the array's DLM lockspace: see the kernel log and `dlm_tool ls`", md);
	mdc_drop_link(ra, md);
	mdc_info("stop: this node has left array %s (%s)", ra->params.device, md);
	return 0;
}

int mdc_action_stop(struct mdc_ra *ra)
{
	char md[MDC_NAME_MAX];
	struct mdc_found found;
	int rc;

	if (ra->params.bad & MDC_BAD_UUID) {
		/* Nothing was ever started with it; an error would get the node fenced. */
		mdc_err("stop: %s; so there is nothing to stop", ra->params.reason);
		fprintf(stderr, "%s\n", ra->params.reason);
		return MDC_OCF_OK;
	}
	mdc_find_array(ra, &found);
	if (!found.lockspace && !mdc_find_half(ra, md)) {
		tell_daemon(ra);
		return MDC_OCF_OK;
	}
	if (found.lockspace && !found.md[0])
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "the DLM lockspace of array %s is there on this "
				   "node, but no md array with it to stop: see the kernel log and "
				   "`dlm_tool ls`", ra->params.uuid_text);
	rc = leave(ra, found.lockspace ? found.md : md);
	if (!rc)
		tell_daemon(ra);
	return rc;
}
