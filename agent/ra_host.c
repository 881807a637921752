/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns what the agent asks of the host beside sysfs: is mdadm installed, is there a module
 * for the running kernel, and what `mdclusterd --check` sees.
 */
#include "ra.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "log.h"
#include "run.h"

/* Pacemaker's PATH may lack the directories where mdadm is. */
#define EXTRA_PATH "/usr/sbin:/sbin:/usr/bin:/bin"

static bool look_in(const char *dirs, const char *name, char path[MDC_PATH_MAX])
{
	while (dirs && *dirs) {
		size_t len = strcspn(dirs, ":");
		struct stat st;
		int n;

		n = snprintf(path, MDC_PATH_MAX, "%.*s/%s", (int)len, dirs, name);
		if (dirs[0] == '/' && n > 0 && n < MDC_PATH_MAX && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode) && access(path, X_OK) == 0)
			return true;
		dirs += len;
		if (*dirs)
			dirs++;
	}
	return false;
}

int mdc_host_tool(const struct mdc_ra *ra, const char *name, char path[MDC_PATH_MAX])
{
	if (ra->paths->tool_path)
		return look_in(ra->paths->tool_path, name, path) ? 0 : -ENOENT;
	if (look_in(getenv("PATH"), name, path) || look_in(EXTRA_PATH, name, path))
		return 0;
	return -ENOENT;
}

static void trace_run(const struct mdc_ra *ra, const struct mdc_cmd *cmd)
{
	char line[4096];
	size_t used = 0;
	int i;

	if (ra->trace_fd < 0)
		return;
	line[0] = '\0';
	for (i = 0; cmd->argv[i] && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", i ? " " : "",
					 cmd->argv[i]);
	mdc_trace(ra, "run: %s", line);
}

int mdc_host_run(const struct mdc_ra *ra, struct mdc_cmd *cmd, int timeout_ms, char *why,
		 size_t size)
{
	static const char *const no_udev[] = { "MDADM_NO_UDEV=1", NULL };
	const char *name = strrchr(cmd->argv[0], '/');
	struct mdc_run run = {
		.argv = cmd->argv,
		/* Without udevd mdadm must make device nodes itself, and not wait for any. */
		.env = access(ra->paths->udev_control, F_OK) ? no_udev : NULL,
		.timeout_ms = timeout_ms,
		.stop = ra->stop,
		.out = cmd->out,
		.out_size = sizeof(cmd->out),
		.err = cmd->err,
		.err_size = sizeof(cmd->err),
	};
	const char *said;
	int rc;

	name = name ? name + 1 : cmd->argv[0];
	trace_run(ra, cmd);
	rc = mdc_run(&run);
	mdc_trace(ra, "  rc %d, exit code %d, signal %d", rc, run.exit_code, run.signal);
	if (cmd->out[0])
		mdc_trace(ra, "  stdout: %s", cmd->out);
	if (cmd->err[0])
		mdc_trace(ra, "  stderr: %s", cmd->err);
	if (rc == 0 && run.exit_code == 0 && !run.truncated)
		return 0;
	said = mdc_last_line(cmd->err);
	if (!*said && !strcmp(name, "mdadm"))
		said = mdc_last_line(cmd->out);
	if (rc == -ETIMEDOUT)
		snprintf(why, size, "%s has not ended within %d s%s%s%s", name, timeout_ms / 1000,
			 run.left_behind ? " and cannot be killed (it waits in the kernel, see the "
					   "kernel log)" : " and was killed",
			 *said ? ": " : "", said);
	else if (rc == -EINTR)
		snprintf(why, size, "%s was ended because this action was told to stop (its timeout is "
			 "over)", name);
	else if (rc)
		snprintf(why, size, "%s cannot be run: %s", cmd->argv[0], strerror(-rc));
	else if (run.signal)
		snprintf(why, size, "%s was killed by signal %d", name, run.signal);
	else if (*said)
		snprintf(why, size, "%s", said);
	else
		snprintf(why, size, "%s ended with code %d and said nothing", name, run.exit_code);
	return rc ? rc : -EREMOTEIO;
}

/* Does the line of modules.dep or modules.builtin name md-cluster, plain or compressed? */
static bool names_module(const char *line)
{
	static const char want[] = "md-cluster.ko";
	size_t len = strcspn(line, ":\n"), i;
	const char *base = line + len;

	while (base > line && base[-1] != '/')
		base--;
	len -= (size_t)(base - line);
	if (len < strlen(want))
		return false;
	for (i = 0; want[i]; i++)
		if ((base[i] == '_' ? '-' : base[i]) != want[i])
			return false;
	return i == len || base[i] == '.';
}

static bool listed_in(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0)
		found = names_module(line);
	free(line);
	fclose(f);
	return found;
}

bool mdc_host_module(const struct mdc_ra *ra, const char **release)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	static struct utsname uts;
	char path[PATH_MAX];
	struct stat st;
	size_t i;

	if (uname(&uts))
		strcpy(uts.release, "unknown");
	*release = uts.release;
	snprintf(path, sizeof(path), "%s/module/md_cluster", ra->paths->sys);
	if (stat(path, &st) == 0)
		return true;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", ra->paths->modules, uts.release, lists[i]);
		if (listed_in(path))
			return true;
	}
	return false;
}

int mdc_host_check(struct mdc_ra *ra, struct mdc_check *check)
{
	char uuid[MDC_UUID_COLON + 8], members[MDC_MEMBERS_MAX + 16], why[512];
	int rc, half = mdc_ra_left(ra, 3600000) / 2;
	char *line, *save = NULL;
	struct mdc_cmd *cmd = calloc(1, sizeof(*cmd));

	if (!cmd)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "out of memory");
	snprintf(uuid, sizeof(uuid), "uuid=%s", ra->params.uuid_text);
	snprintf(members, sizeof(members), "members=%s", ra->params.members);
	cmd->argv[0] = ra->paths->mdclusterd;
	cmd->argv[1] = "--check";
	cmd->argv[2] = uuid;
	cmd->argv[3] = members;
	rc = mdc_host_run(ra, cmd, half, why, sizeof(why));
	if (rc) {
		rc = mdc_ra_fail(ra, rc == -ENOENT ? MDC_OCF_INSTALLED : MDC_OCF_GENERIC,
				 "the look at this host failed: %s", why);
		goto out;
	}
	mdc_check_init(check);
	for (line = strtok_r(cmd->out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!mdc_check_line(check, line))
			continue;
		rc = mdc_ra_fail(ra, MDC_OCF_GENERIC, "`mdclusterd --check` said something this agent "
				 "does not understand (\"%.100s\"): are both of the same version?",
				 line);
		goto out;
	}
	if (!check->complete)
		rc = mdc_ra_fail(ra, MDC_OCF_GENERIC, "`mdclusterd --check` ended in the middle of its "
				 "answer; run it by hand: %s --check %s", ra->paths->mdclusterd, uuid);
out:
	free(cmd);
	return rc;
}
