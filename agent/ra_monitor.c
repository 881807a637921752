/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns monitor, notify and reload-agent. A monitor costs a few reads in sysfs and one round
 * trip to mdclusterd. What is not clean is said once, not at each monitor: the sentence last
 * said is kept in a file beside mdclusterd's socket, gone with the next clean monitor.
 */
#include "ra.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static void said_path(const struct mdc_ra *ra, char *path, size_t size)
{
	char name[MDC_UUID_DASH];

	mdc_uuid_dash(&ra->params.uuid, name);
	snprintf(path, size, "%s/said-%s", ra->paths->rundir, name);
}

/* Is this the sentence of the last monitor? If not, it is from now on. */
static bool said_before(const struct mdc_ra *ra, const char *text)
{
	char path[PATH_MAX], last[1024];
	size_t len = strlen(text);
	ssize_t n;
	int fd;

	said_path(ra, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	n = read(fd, last, sizeof(last));
	if (n == (ssize_t)len && !memcmp(last, text, len)) {
		close(fd);
		return true;
	}
	if (pwrite(fd, text, len, 0) != (ssize_t)len || ftruncate(fd, (off_t)len))
		unlink(path);	/* then it is said once more, no harm done */
	close(fd);
	return false;
}

bool mdc_said_forget(const struct mdc_ra *ra)
{
	char path[PATH_MAX];

	said_path(ra, path, sizeof(path));
	return unlink(path) == 0;
}

static int degraded(struct mdc_ra *ra, enum mdc_level level, const char *reason)
{
	mdc_trace(ra, "degraded: %s", reason);
	if (!said_before(ra, reason)) {
		mdc_log(level, "monitor: %s", reason);
		mdc_ra_reason(reason);
	} else if (ra->probe) {
		mdc_ra_reason(reason);
	}
	return MDC_OCF_DEGRADED;
}

int mdc_action_monitor(struct mdc_ra *ra)
{
	char reason[400], text[512];
	struct mdc_found found;
	enum mdc_daemon daemon;
	enum mdc_ocf code;
	bool restarted;

	mdc_find_array(ra, &found);
	if (!found.lockspace)
		return MDC_OCF_NOT_RUNNING;
	if (!found.md[0])
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "the DLM lockspace of array %s is there on this "
				   "node, but no md array with it: see the kernel log and `dlm_tool ls`",
				   ra->params.uuid_text);
	code = mdc_plan_monitor(&ra->params, found.md, &found.array, reason, sizeof(reason));
	if (code != MDC_OCF_OK && code != MDC_OCF_DEGRADED)
		return mdc_ra_fail(ra, code, "%s", reason);
	daemon = mdc_daemon_ensure(ra, found.md, &restarted, text, sizeof(text));
	if (daemon == MDC_DAEMON_MODULE_STUCK)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "%s", text);
	if (daemon != MDC_DAEMON_TRACKED) {
		if (code == MDC_OCF_DEGRADED)
			mdc_trace(ra, "also: %s", reason);
		return degraded(ra, MDC_WARN, text);
	}
	if (restarted)
		mdc_warn("monitor: mdclusterd was not running; it has been started again and looks "
			 "after %s", ra->params.device);
	if (code == MDC_OCF_DEGRADED)
		return degraded(ra, MDC_INFO, reason);
	if (mdc_said_forget(ra))
		mdc_info("monitor: array %s is clean again", ra->params.device);
	return MDC_OCF_OK;
}

static const char *from_env(const char *name, void *data)
{
	(void)data;
	return getenv(name);
}

/*
 * Pacemaker waits for this on every node in the middle of its transition, and nothing that goes
 * wrong here is a reason to stop the array: it is short, and always succeeds.
 */
int mdc_action_notify(struct mdc_ra *ra)
{
	struct mdc_notify notify;
	char text[512];
	int rc = mdc_notify_read(&notify, from_env, NULL);

	if (rc || (ra->params.bad & MDC_BAD_UUID)) {
		mdc_trace(ra, "nothing to tell: %s", rc == -ENOENT ? "not called by Pacemaker" :
			  rc ? "its variables make no sense" : ra->params.reason);
		return MDC_OCF_OK;
	}
	/* What is yet to come changes nothing. */
	if (!notify.post)
		return MDC_OCF_OK;
	notify.uuid = ra->params.uuid;
	if (mdc_daemon_notify(ra, &notify, text, sizeof(text)))
		mdc_info("notify: %s; the next monitor sees to it", text);
	return MDC_OCF_OK;
}

int mdc_action_reload(struct mdc_ra *ra)
{
	struct mdc_found found;
	char text[512];
	bool started;

	mdc_find_array(ra, &found);
	if (!found.started)
		return mdc_ra_fail(ra, MDC_OCF_NOT_RUNNING, "array %s does not run on this node, so its "
				   "new parameters take effect with the next start",
				   ra->params.device);
	if (mdc_daemon_up(ra, &started, text, sizeof(text)) == MDC_DAEMON_ABSENT ||
	    mdc_daemon_track(ra, found.md, text, sizeof(text)))
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "%s", text);
	mdc_notice("reload-agent: %s: disk_wait %u s, verdict_wait %u s, readd %s", ra->params.device,
		   ra->params.disk_wait_s, ra->params.verdict_wait_s,
		   ra->params.readd ? "true" : "false");
	return MDC_OCF_OK;
}
