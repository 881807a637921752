/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the trace of one action, switched on as for other agents: OCF_TRACE_RA or the
 * parameter trace_ra; written to OCF_TRACE_FILE (a path or the number of an open file) or
 * to a file of its own in trace_dir or under HA_VARLIB.
 */
#include "ra.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static bool wanted(void)
{
	const char *value = getenv("OCF_TRACE_RA");

	if (!value || !*value)
		value = getenv("OCF_RESKEY_trace_ra");
	return value && *value && mdc_boolean(value) == 1;
}

/* mkdir -p, for the directory part of path. */
static int make_dirs(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0755);
		*slash = '/';
		if (rc < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int default_path(const struct mdc_ra *ra, char *path, size_t size)
{
	const char *dir = getenv("OCF_RESKEY_trace_dir"), *var = getenv("HA_VARLIB");
	const char *type = getenv("OCF_RESOURCE_TYPE");
	char when[32], base[PATH_MAX / 2];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (!localtime_r(&now, &tm) || !strftime(when, sizeof(when), "%Y-%m-%d.%H:%M:%S", &tm))
		return -EINVAL;
	if (!dir || dir[0] != '/')
		n = snprintf(base, sizeof(base), "%s/trace_ra",
			     var && var[0] == '/' ? var : "/var/lib/heartbeat");
	else
		n = snprintf(base, sizeof(base), "%s", dir);
	if (n < 0 || (size_t)n >= sizeof(base))
		return -ENAMETOOLONG;
	if (!type || !mdc_id_valid(type))
		type = "mdcluster";
	n = snprintf(path, size, "%s/%s/%s.%s.%s", base, type, ra->params.id, ra->action, when);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void mdc_trace_open(struct mdc_ra *ra)
{
	const char *file = getenv("OCF_TRACE_FILE");
	char path[PATH_MAX];
	int rc = 0;

	if (!wanted())
		return;
	if (file && file[0] >= '3' && file[0] <= '9' && !file[1]) {
		ra->trace_fd = fcntl(file[0] - '0', F_DUPFD_CLOEXEC, 3);
		rc = ra->trace_fd < 0 ? -errno : 0;
	} else {
		if (file && file[0] == '/' && strlen(file) < sizeof(path))
			strcpy(path, file);
		else
			rc = default_path(ra, path, sizeof(path));
		if (!rc)
			rc = make_dirs(path);
		if (!rc) {
			ra->trace_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
					    0600);
			rc = ra->trace_fd < 0 ? -errno : 0;
		}
	}
	if (rc)
		mdc_warn("no trace is written: %s", strerror(-rc));
}

void mdc_trace(const struct mdc_ra *ra, const char *fmt, ...)
{
	char line[6144], when[16] = "";
	struct timespec ts;
	struct tm tm;
	va_list ap;
	int head, n;

	if (ra->trace_fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (localtime_r(&ts.tv_sec, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	head = snprintf(line, sizeof(line), "+ %s.%03ld: ", when, ts.tv_nsec / 1000000);
	va_start(ap, fmt);
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n += head;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(ra->trace_fd, line, (size_t)n) < 0)
		return;		/* a trace that cannot be written must not change the outcome */
}
