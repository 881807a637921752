/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the way of one action through the agent: environment, dispatch, time, signals, and
 * what is said about a failure. Stdout carries nothing but meta-data and usage.
 */
#include "ra.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ra_meta.h"
#include "run.h"

#define REPORT_MS 4000		/* kept back from the action's timeout to say what happened */

struct action {
	const char *name;
	int (*fn)(struct mdc_ra *ra);
	unsigned int need;	/* parameters without which it cannot be carried out */
	int timeout_ms;		/* where Pacemaker gives none */
};

static const struct action actions[] = {
	{ "monitor", mdc_action_monitor, MDC_BAD_UUID | MDC_BAD_DEVICE | MDC_BAD_OTHER, 20000 },
	{ "start", mdc_action_start, MDC_BAD_UUID | MDC_BAD_DEVICE | MDC_BAD_OTHER, 120000 },
	{ "stop", mdc_action_stop, 0, 120000 },
	{ "notify", mdc_action_notify, 0, 20000 },
	{ "reload-agent", mdc_action_reload, MDC_BAD_UUID | MDC_BAD_DEVICE | MDC_BAD_OTHER, 20000 },
	{ "validate-all", mdc_action_validate, MDC_BAD_UUID | MDC_BAD_DEVICE | MDC_BAD_OTHER, 20000 },
};

/* SIGTERM is how Pacemaker ends an action that has had its time. */
static volatile sig_atomic_t stop_flag;

static void on_term(int sig)
{
	(void)sig;
	stop_flag = 1;
}

static void usage(FILE *to)
{
	fputs("usage: mdcluster {start|stop|monitor|notify|validate-all|meta-data|reload-agent}\n"
	      "\n"
	      "OCF resource agent for a clustered MD array; Pacemaker runs it. See\n"
	      "ocf_mdcluster_mdcluster(7). Parameters come in the environment:\n"
	      "OCF_RESKEY_uuid, OCF_RESKEY_device, OCF_RESKEY_members, OCF_RESKEY_disk_wait,\n"
	      "OCF_RESKEY_verdict_wait, OCF_RESKEY_readd.\n", to);
}

static int write_meta(void)
{
	const char *p = mdc_meta_data;
	size_t left = mdc_meta_data_len;

	while (left) {
		ssize_t n = write(STDOUT_FILENO, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MDC_OCF_GENERIC;
		p += n;
		left -= (size_t)n;
	}
	return MDC_OCF_OK;
}

void mdc_ra_reason(const char *text)
{
	const char *prefix = getenv("OCF_EXIT_REASON_PREFIX");

	fprintf(stderr, "%s%s\n", prefix && *prefix ? prefix : "ocf-exit-reason:", text);
}

int mdc_ra_fail(struct mdc_ra *ra, enum mdc_ocf code, const char *fmt, ...)
{
	char text[1024], *p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	mdc_trace(ra, "exit %d: %s", code, text);
	mdc_err("%s: %s", ra->action, text);
	mdc_ra_reason(text);
	return code;
}

int mdc_ra_left(const struct mdc_ra *ra, int most)
{
	long long left = ra->deadline_ms - mdc_now_ms();

	if (left < 0)
		left = 0;
	return left > most ? most : (int)left;
}

static const char *from_env(const char *name, void *data)
{
	(void)data;
	return getenv(name);
}

static void set_deadline(struct mdc_ra *ra, int timeout_ms)
{
	const char *text = getenv("OCF_RESKEY_CRM_meta_timeout");
	char *end;
	long v = text ? strtol(text, &end, 10) : 0;

	if (text && end != text && !*end && v > 0 && v < 24L * 3600 * 1000)
		timeout_ms = (int)v;
	/* With a very short timeout half of it is left for the work. */
	ra->deadline_ms = mdc_now_ms() + (timeout_ms > 2 * REPORT_MS ? timeout_ms - REPORT_MS :
								      timeout_ms / 2);
}

static void set_signals(struct mdc_ra *ra)
{
	struct sigaction sa = { .sa_handler = on_term };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	ra->stop = &stop_flag;
}

static int carry_out(const struct action *action, const struct mdc_paths *paths)
{
	struct mdc_ra ra = { .paths = paths, .action = action->name, .trace_fd = -1 };
	const char *interval = getenv("OCF_RESKEY_CRM_meta_interval");
	char tag[64];
	int rc;

	set_deadline(&ra, action->timeout_ms);
	set_signals(&ra);
	ra.probe = !strcmp(action->name, "monitor") && (!interval || !strcmp(interval, "0"));
	mdc_params_read(&ra.params, from_env, NULL);
	snprintf(tag, sizeof(tag), "mdcluster(%.48s)", ra.params.id);
	mdc_log_open(tag, isatty(STDERR_FILENO), MDC_INFO);
	mdc_trace_open(&ra);
	mdc_trace(&ra, "%s: uuid %s, device %s, members \"%s\", disk_wait %u, verdict_wait %u, readd %d",
		  action->name, ra.params.uuid_text, ra.params.device, ra.params.members,
		  ra.params.disk_wait_s, ra.params.verdict_wait_s, ra.params.readd);
	if (ra.params.bad & action->need)
		rc = mdc_ra_fail(&ra, MDC_OCF_CONFIGURED, "%s", ra.params.reason);
	else
		rc = action->fn(&ra);
	mdc_trace(&ra, "%s: exit code %d", action->name, rc);
	if (ra.trace_fd >= 0)
		close(ra.trace_fd);
	return rc;
}

int mdc_ra_run(int argc, char **argv, const struct mdc_paths *paths)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(name, "meta-data"))
		return write_meta();
	if (!strcmp(name, "usage") || !strcmp(name, "help") || !strcmp(name, "-h") ||
	    !strcmp(name, "--help")) {
		usage(stdout);
		return MDC_OCF_OK;
	}
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(name, actions[i].name))
			return carry_out(&actions[i], paths);
	usage(stderr);
	return MDC_OCF_UNIMPLEMENTED;
}
