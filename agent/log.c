/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns where log lines go. Pacemaker tells its children in the environment which file and
 * which syslog facility it writes to itself, and there the lines are put, so that they stand
 * among Pacemaker's own. Never waits: a syslog daemon that does not read costs the line.
 * Not for use from more than one thread at a time.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

static struct {
	char tag[64];
	bool to_stderr;
	enum mdc_level max;		/* for the file, stderr and the sink */
	enum mdc_level syslog_max;
	int facility;			/* -1: no syslog */
	char file[256];			/* empty: none */
	int syslog_fd;			/* -1: not connected */
	mdc_log_fn sink;
	void *sink_data;
} ctx = { .max = MDC_INFO, .syslog_max = MDC_NOTICE, .facility = -1, .syslog_fd = -1 };

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[MDC_ERR] = { "error", LOG_ERR },
	[MDC_WARN] = { "warning", LOG_WARNING },
	[MDC_NOTICE] = { "notice", LOG_NOTICE },
	[MDC_INFO] = { "info", LOG_INFO },
	[MDC_DEBUG] = { "debug", LOG_DEBUG },
};

const char *mdc_level_name(enum mdc_level level)
{
	return level <= MDC_DEBUG ? levels[level].name : "error";
}

/* Pacemaker sets PCMK_name, and HA_name as well for agents of the old school. */
static const char *env_of(const char *name)
{
	static const char *const prefixes[] = { "HA_", "PCMK_" };
	char key[32];
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const char *value;

		snprintf(key, sizeof(key), "%s%s", prefixes[i], name);
		value = getenv(key);
		if (value && *value)
			return value;
	}
	return NULL;
}

static int facility_of(const char *name)
{
	static const struct {
		const char *name;
		int facility;
	} table[] = {
		{ "daemon", LOG_DAEMON }, { "user", LOG_USER },	    { "none", -1 },
		{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	};
	size_t i;

	for (i = 0; name && i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(name, table[i].name))
			return table[i].facility;
	return LOG_DAEMON;
}

/* The least urgent level that still goes to syslog, by Pacemaker's setting. */
static enum mdc_level syslog_level_of(const char *name)
{
	unsigned int i;

	for (i = 0; name && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(name, levels[i].name))
			return (enum mdc_level)i;
	return MDC_NOTICE;
}

/* HA_debug is a number, PCMK_debug a boolean or a list of Pacemaker's own daemons. */
static bool debug_wanted(void)
{
	static const char *const yes[] = { "1", "2", "yes", "true", "on", "y" };
	const char *value = env_of("debug");
	size_t i;

	for (i = 0; value && i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcmp(value, yes[i]))
			return true;
	return false;
}

void mdc_log_open(const char *tag, bool to_stderr, enum mdc_level max)
{
	const char *file = env_of("logfile");

	snprintf(ctx.tag, sizeof(ctx.tag), "%s", tag);
	ctx.to_stderr = to_stderr;
	ctx.max = debug_wanted() ? MDC_DEBUG : max;
	ctx.facility = facility_of(env_of("logfacility"));
	ctx.syslog_max = syslog_level_of(env_of("logpriority"));
	ctx.file[0] = '\0';
	if (file && file[0] == '/' && strcmp(file, "/dev/null") && strlen(file) < sizeof(ctx.file))
		strcpy(ctx.file, file);
}

void mdc_log_sink(mdc_log_fn fn, void *data)
{
	ctx.sink = fn;
	ctx.sink_data = data;
}

static int syslog_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* By hand, because syslog(3) waits for ever for a daemon that has stopped reading. */
static void to_syslog(enum mdc_level level, const char *text)
{
	char line[LINE_SIZE + 128], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n, try;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	n = snprintf(line, sizeof(line), "<%d>%s %s[%ld]: %s: %s",
		     ctx.facility | levels[level].priority, when, ctx.tag, (long)getpid(),
		     levels[level].name, text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	for (try = 0; try < 2; try++) {
		if (ctx.syslog_fd < 0)
			ctx.syslog_fd = syslog_connect();
		if (ctx.syslog_fd < 0)
			return;
		if (send(ctx.syslog_fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
		    errno == EAGAIN)
			return;
		close(ctx.syslog_fd);	/* the syslog daemon was started anew */
		ctx.syslog_fd = -1;
	}
}

/* Opened for each line: the file may be rotated, and lines are few. */
static void to_file(enum mdc_level level, const char *text)
{
	char line[LINE_SIZE + 256], when[32] = "", host[65] = "";
	time_t now = time(NULL);
	struct tm tm;
	int fd, n;

	fd = open(ctx.file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%b %d %H:%M:%S", &tm);
	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	host[strcspn(host, ".")] = '\0';
	n = snprintf(line, sizeof(line), "%s %s %s [%ld] %s: %s\n", when, host, ctx.tag,
		     (long)getpid(), levels[level].name, text);
	if (n > 0) {
		if ((size_t)n >= sizeof(line)) {
			n = sizeof(line) - 1;
			line[n - 1] = '\n';
		}
		if (write(fd, line, (size_t)n) < 0)
			ctx.file[0] = '\0';	/* a full disk: the other sinks remain */
	}
	close(fd);
}

void mdc_vlog(enum mdc_level level, const char *fmt, va_list ap)
{
	char text[LINE_SIZE];
	int saved = errno;
	char *p;

	if (level > MDC_DEBUG)
		level = MDC_ERR;
	if (level > ctx.max && level > ctx.syslog_max)
		return;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	/* Names from disks and from the cluster must not forge lines. */
	for (p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	if (ctx.facility >= 0 && level <= ctx.syslog_max)
		to_syslog(level, text);
	if (level <= ctx.max) {
		if (ctx.file[0])
			to_file(level, text);
		if (ctx.to_stderr)
			fprintf(stderr, "%s: %s: %s\n", ctx.tag, levels[level].name, text);
		if (ctx.sink)
			ctx.sink(level, text, ctx.sink_data);
	}
	errno = saved;
}

void mdc_log(enum mdc_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mdc_vlog(level, fmt, ap);
	va_end(ap);
}
