/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns start and validate-all. Start looks at everything first and changes nothing until
 * all of it fits; what goes wrong after that is undone, so that a failed start leaves the
 * node as it was.
 */
#include "ra.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "port/mdsys.h"
#include "run.h"

#define MODPROBE_MS 20000
#define UNDO_MS 10000		/* kept back for stopping a half assembled array */
#define SETTLE_MS 3000		/* for the array to show up once mdadm is done */
#define LINK_MS 15000		/* for a busy udevd to make the link to it */
#define ALONE_STEPS 8
#define ASSEMBLE_TRIES 3	/* of a start, while members are being replaced elsewhere */

int mdc_action_tools(struct mdc_ra *ra, char mdadm[MDC_PATH_MAX])
{
	const char *release;

	if (mdc_host_tool(ra, "mdadm", mdadm))
		return mdc_ra_fail(ra, MDC_OCF_INSTALLED, "mdadm is not installed on this node (Debian "
				   "package: mdadm)");
	if (!mdc_host_module(ra, &release))
		return mdc_ra_fail(ra, MDC_OCF_INSTALLED, "the kernel module md-cluster is neither loaded "
				   "nor there for the running kernel %s: install it, or boot a kernel "
				   "that has it", release);
	return 0;
}

/* All preconditions. 0 with plan filled, else the exit code. */
static int examine(struct mdc_ra *ra, struct mdc_check *check, struct mdc_plan *plan)
{
	struct mdc_node_seen node;
	int rc;

	mdc_find_node(ra, &node);
	mdc_plan_node(plan, &ra->params, &node);
	if (plan->code != MDC_OCF_OK)
		return mdc_ra_fail(ra, plan->code, "%s", plan->reason);
	rc = mdc_host_check(ra, check);
	if (rc)
		return rc;
	mdc_plan_start(plan, &ra->params, check);
	if (plan->code != MDC_OCF_OK)
		return mdc_ra_fail(ra, plan->code, "%s", plan->reason);
	mdc_trace(ra, "plan: assemble %s from %u members%s", ra->params.device, plan->n_use,
		  plan->run_degraded ? ", degraded" : "");
	return 0;
}

/*
 * Pacemaker starts a clone on all nodes at once, so an empty lockspace may only mean that
 * the others are not there yet: this node would run the array without a disk that they
 * have, and their copy of it would be dropped; or two nodes would each begin with another
 * half. So the node waits for a time that is its own and looks again; whoever has all
 * disks does not wait, and has joined by then.
 */
static int look_again(struct mdc_ra *ra, struct mdc_check *check, struct mdc_plan *plan)
{
	int steps = check->nodeid > 0 ? (int)(check->nodeid % ALONE_STEPS) : 0;
	int wait_ms = ra->paths->alone_ms + steps * ra->paths->alone_step_ms;
	int half = mdc_ra_left(ra, INT_MAX) / 2;
	long long until = mdc_now_ms() + (wait_ms < half ? wait_ms : half);

	mdc_trace(ra, "not all disks are here: waiting up to %d ms for other nodes", wait_ms);
	while (!*ra->stop && mdc_now_ms() < until)
		poll(NULL, 0, 50);
	return examine(ra, check, plan);
}

static int ensure_daemon(struct mdc_ra *ra)
{
	char text[512];
	bool started;

	switch (mdc_daemon_up(ra, &started, text, sizeof(text))) {
	case MDC_DAEMON_TRACKED:
	case MDC_DAEMON_UNTRACKED:
	case MDC_DAEMON_MODULE_STUCK:	/* the monitor's affair */
	case MDC_DAEMON_STUCK:	/* perhaps only slow: hand_over() asks with more patience */
		return 0;
	case MDC_DAEMON_ABSENT:
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "%s", text);
	case MDC_DAEMON_ODD:
		break;
	}
	return mdc_ra_fail(ra, MDC_OCF_GENERIC, "mdclusterd is there, but does not answer a ping as it "
			   "should: kill it, then clean up the resource");
}

static int load_module(struct mdc_ra *ra, struct mdc_cmd *cmd)
{
	char path[PATH_MAX], why[400];
	struct stat st;
	int rc;

	snprintf(path, sizeof(path), "%s/module/md_cluster", ra->paths->sys);
	/* Without modprobe the kernel calls its own helper when the array starts. */
	if (stat(path, &st) == 0 || mdc_host_tool(ra, "modprobe", cmd->program))
		return 0;
	memset(cmd->argv, 0, sizeof(cmd->argv));
	cmd->argv[0] = cmd->program;
	cmd->argv[1] = "md-cluster";
	rc = mdc_host_run(ra, cmd, mdc_ra_left(ra, MODPROBE_MS), why, sizeof(why));
	if (!rc)
		return 0;
	/* Only modprobe's own refusal lasts; being slow or told to stop does not. */
	return mdc_ra_fail(ra, rc == -EREMOTEIO ? MDC_OCF_INSTALLED : MDC_OCF_GENERIC,
			   "the kernel module md-cluster cannot be loaded: %s", why);
}

/*
 * The array under its own name, once mdadm has said that it runs. With udevd the link is
 * udevd's work, which may be long in coming when many disks appear at once.
 */
static bool wait_started(struct mdc_ra *ra, struct mdc_found *found)
{
	long long begin = mdc_now_ms();
	int half = mdc_ra_left(ra, INT_MAX) / 2;
	struct mdc_node_seen node;

	for (;;) {
		int most;

		mdc_find_array(ra, found);
		mdc_find_node(ra, &node);
		if (found->started && !strcmp(node.md, found->md))
			return true;
		most = found->started && !access(ra->paths->udev_control, F_OK) ? LINK_MS : SETTLE_MS;
		if (*ra->stop || mdc_now_ms() - begin >= (most < half ? most : half))
			return false;
		poll(NULL, 0, 50);
	}
}

/* Nothing is to stay half done: whatever now holds the members is stopped again. */
static void undo(struct mdc_ra *ra, struct mdc_cmd *cmd)
{
	static const volatile sig_atomic_t never;
	char node_path[MDC_PATH_MAX], why[400];
	struct mdc_node_seen node;
	struct mdc_found found;

	ra->stop = &never;	/* also when it was a signal that ended the start */
	mdc_find_array(ra, &found);
	mdc_find_node(ra, &node);
	if (!found.md[0] && !mdc_find_half(ra, found.md))
		strcpy(found.md, node.md);
	if (!found.md[0] || mdc_find_same(ra, found.md) == 0)
		return;
	snprintf(node_path, sizeof(node_path), "%s/%s", ra->paths->dev, found.md);
	memset(cmd->argv, 0, sizeof(cmd->argv));
	if (mdc_host_tool(ra, "mdadm", cmd->program))
		return;
	cmd->argv[0] = cmd->program;
	cmd->argv[1] = "--stop";
	cmd->argv[2] = node_path;
	if (!mdc_host_run(ra, cmd, mdc_ra_left(ra, UNDO_MS), why, sizeof(why)))
		mdc_drop_link(ra, found.md);
	else
		mdc_err("start: %s could not be stopped after the failed start: %s", found.md, why);
}

/* mdadm, and what it left undone if it failed, for the reason WHY. */
static int run_mdadm(struct mdc_ra *ra, struct mdc_cmd *cmd, const struct mdc_plan *plan,
		     const char *mdadm, char *why, size_t size)
{
	char uuid[MDC_UUID_COLON + 8];
	unsigned int n = 0, i;
	int left = mdc_ra_left(ra, INT_MAX);
	const volatile sig_atomic_t *stop = ra->stop;
	int rc;

	snprintf(uuid, sizeof(uuid), "--uuid=%s", ra->params.uuid_text);
	memset(cmd->argv, 0, sizeof(cmd->argv));
	cmd->argv[n++] = mdadm;
	cmd->argv[n++] = "--assemble";
	cmd->argv[n++] = ra->params.device;
	cmd->argv[n++] = "--config=none";
	cmd->argv[n++] = uuid;
	if (plan->run_degraded)
		cmd->argv[n++] = "--run";
	for (i = 0; i < plan->n_use; i++)
		cmd->argv[n++] = plan->use[i]->path;
	rc = mdc_host_run(ra, cmd, left > 2 * UNDO_MS ? left - UNDO_MS : left / 2, why, size);
	if (rc) {
		undo(ra, cmd);
		ra->stop = stop;
	}
	return rc;
}

/*
 * Another node may replace a member while this one assembles what it has just looked at. The
 * module finds that out when it joins, and refuses with EAGAIN: PROTOCOL.md, "A node joins".
 */
static int assemble(struct mdc_ra *ra, struct mdc_cmd *cmd, struct mdc_check *check,
		    struct mdc_plan *plan, const char *mdadm)
{
	char why[512];
	int tries, rc;

	for (tries = 1; run_mdadm(ra, cmd, plan, mdadm, why, sizeof(why)); tries++) {
		if (tries == ASSEMBLE_TRIES || *ra->stop || !strstr(why, strerror(EAGAIN)))
			return mdc_ra_fail(ra, MDC_OCF_GENERIC,
					   "array %s could not be assembled as %s: %s",
					   ra->params.uuid_text, ra->params.device, why);
		mdc_info("start: the members of array %s changed meanwhile: once more",
			 ra->params.device);
		rc = examine(ra, check, plan);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_started(struct mdc_ra *ra, struct mdc_cmd *cmd, struct mdc_found *found)
{
	if (wait_started(ra, found))
		return 0;
	undo(ra, cmd);
	if (!found->started)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "mdadm says that it has started array %s, but it "
				   "is not running as %s on this node: see the kernel log",
				   ra->params.uuid_text, ra->params.device);
	if (access(ra->paths->udev_control, F_OK))
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s ran as /dev/%s, but mdadm has not made "
				   "%s a name of it; so it is stopped again", ra->params.uuid_text,
				   found->md, ra->params.device);
	return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s ran as /dev/%s, but udevd has not made the "
			   "link %s to it; so it is stopped again: see `journalctl -u systemd-udevd`",
			   ra->params.uuid_text, found->md, ra->params.device);
}

/* The array runs; without mdclusterd no disk could be added, so the start is not done yet. */
static int hand_over(struct mdc_ra *ra, const struct mdc_found *found, char *text, size_t size)
{
	bool started;
	int tries;

	/* Twice, as one that had nothing left to do may just be ending. */
	for (tries = 0; tries < 2; tries++) {
		if (tries)
			poll(NULL, 0, 500);
		/* Also where it is tracked: the parameters may be other ones by now. */
		if (mdc_daemon_up(ra, &started, text, size) != MDC_DAEMON_ABSENT &&
		    !mdc_daemon_track(ra, found->md, text, size))
			return 0;
	}
	return -1;
}

static int already_running(struct mdc_ra *ra, const struct mdc_found *found)
{
	struct mdc_node_seen node;
	char reason[400], text[512];
	enum mdc_ocf code;

	mdc_find_node(ra, &node);
	if (strcmp(node.md, found->md))
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s already runs on this node as /dev/%s, "
				   "and %s is not a name of it: stop it with `mdadm --stop /dev/%s`, then "
				   "clean up the resource", ra->params.uuid_text, found->md,
				   ra->params.device, found->md);
	code = mdc_plan_monitor(&ra->params, found->md, &found->array, reason, sizeof(reason));
	if (code != MDC_OCF_OK && code != MDC_OCF_DEGRADED)
		return mdc_ra_fail(ra, code, "%s", reason);
	mdc_info("start: array %s already runs here as %s", ra->params.device, found->md);
	if (hand_over(ra, found, text, sizeof(text)))
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s runs, but %s", ra->params.device,
				   text);
	return MDC_OCF_OK;
}

static int join(struct mdc_ra *ra, struct mdc_cmd *cmd, const char *mdadm)
{
	struct mdc_check *check = calloc(1, sizeof(*check));
	struct mdc_found found;
	struct mdc_plan plan;
	char text[512];
	int rc;

	if (!check)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "out of memory");
	rc = examine(ra, check, &plan);
	if (!rc && plan.run_degraded)
		rc = look_again(ra, check, &plan);
	if (!rc)
		rc = ensure_daemon(ra);
	if (!rc)
		rc = load_module(ra, cmd);
	if (!rc) {
		if (plan.warning[0])
			mdc_warn("start: %s", plan.warning);
		rc = assemble(ra, cmd, check, &plan, mdadm);
	}
	if (!rc)
		rc = check_started(ra, cmd, &found);
	free(check);
	if (rc)
		return rc;
	if (hand_over(ra, &found, text, sizeof(text))) {
		undo(ra, cmd);
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "array %s was started, but %s; so it is stopped "
				   "again", ra->params.device, text);
	}
	mdc_info("start: this node has joined array %s (%s)", ra->params.device, found.md);
	return 0;
}

int mdc_action_start(struct mdc_ra *ra)
{
	char mdadm[MDC_PATH_MAX];
	struct mdc_found found;
	struct mdc_cmd *cmd;
	int rc;

	mdc_find_array(ra, &found);
	if (found.started)
		return already_running(ra, &found);
	if (found.lockspace)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "the DLM lockspace of array %s is there on this "
				   "node, but the array does not run: see the kernel log and "
				   "`dlm_tool ls`", ra->params.uuid_text);
	rc = mdc_action_tools(ra, mdadm);
	if (rc)
		return rc;
	cmd = calloc(1, sizeof(*cmd));
	if (!cmd)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "out of memory");
	rc = join(ra, cmd, mdadm);
	free(cmd);
	return rc;
}

int mdc_action_validate(struct mdc_ra *ra)
{
	const char *level = getenv("OCF_CHECK_LEVEL");
	char mdadm[MDC_PATH_MAX];
	struct mdc_check *check;
	struct mdc_found found;
	struct mdc_plan plan;
	int rc;

	if (!level || strtol(level, NULL, 10) < 10)
		return MDC_OCF_OK;
	rc = mdc_action_tools(ra, mdadm);
	if (rc)
		return rc;
	mdc_find_array(ra, &found);
	if (found.started)
		return MDC_OCF_OK;	/* it runs: what start would ask for is there */
	check = calloc(1, sizeof(*check));
	if (!check)
		return mdc_ra_fail(ra, MDC_OCF_GENERIC, "out of memory");
	rc = examine(ra, check, &plan);
	free(check);
	return rc;
}
