/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent's files share: one action, from its environment to its exit code. */
#ifndef MDC_RA_H
#define MDC_RA_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/notify.h"
#include "core/params.h"
#include "core/plan.h"
#include "core/state.h"

/* Where things are on a host; tests put a made-up host there. */
struct mdc_paths {
	const char *sys, *proc, *dev, *modules;	/* "/sys", "/proc", "/dev", "/lib/modules" */
	const char *rundir;		/* mdclusterd's: socket, arrays/ */
	const char *mdadm_map;
	const char *udev_control;	/* exists while udevd runs */
	const char *mdclusterd;
	const char *tool_path;		/* where mdadm and modprobe are looked for, as PATH */
	/* Before a degraded start: the shortest pause, and by how much it grows with the node id. */
	int alone_ms, alone_step_ms;
};

struct mdc_ra {
	const struct mdc_paths *paths;
	const char *action;
	struct mdc_params params;
	bool probe;			/* a monitor that is not recurring */
	long long deadline_ms;		/* when this action must have its answer */
	const volatile sig_atomic_t *stop;	/* set by SIGTERM */
	int trace_fd;			/* -1: no trace */
};

/* The array as it is on this node. */
struct mdc_found {
	bool lockspace;			/* the node has joined it */
	char md[MDC_NAME_MAX];		/* kernel name; empty: none found */
	bool started;			/* with the lockspace and a personality: it runs here */
	struct mdc_array array;		/* valid if md is not empty */
};

/* ra.c: runs one action; returns its exit code. argv as main's. */
int mdc_ra_run(int argc, char **argv, const struct mdc_paths *paths);
/* Says why, for Pacemaker and in the log, and returns code. */
int mdc_ra_fail(struct mdc_ra *ra, enum mdc_ocf code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The line for Pacemaker alone: it shows the last one beside the failed action. */
void mdc_ra_reason(const char *text);
/* ms left for the action, at least 0 and never more than most. */
int mdc_ra_left(const struct mdc_ra *ra, int most);

/* ra_trace.c */
void mdc_trace_open(struct mdc_ra *ra);
void mdc_trace(const struct mdc_ra *ra, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ra_find.c: sysfs and small files only, no device is opened. */
void mdc_find_array(const struct mdc_ra *ra, struct mdc_found *found);
/* What the parameter `device` names now, whether or not it is our array. */
void mdc_find_node(const struct mdc_ra *ra, struct mdc_node_seen *node);
/* Our array assembled but not started, under whatever name. */
bool mdc_find_half(const struct mdc_ra *ra, char md[MDC_NAME_MAX]);
/* Where mdclusterd keeps in mind that it looks after the array. */
void mdc_find_statefile(const struct mdc_ra *ra, char *path, size_t size);
/* Are they the same 16 bytes where the kernel says them? 1, 0, or -ENOENT: it does not. */
int mdc_find_same(const struct mdc_ra *ra, const char *md);

/* ra_host.c */
struct mdc_cmd {
	const char *argv[MDC_CHECK_MEMBERS_MAX + 8];
	char program[MDC_PATH_MAX];
	char out[32768], err[4096];
};
/* Looks NAME up where an administrator's shell would. 0 or -ENOENT. */
int mdc_host_tool(const struct mdc_ra *ra, const char *name, char path[MDC_PATH_MAX]);
/* Runs cmd->argv within timeout_ms; 0 when it ended with 0. -errno otherwise, see *why. */
int mdc_host_run(const struct mdc_ra *ra, struct mdc_cmd *cmd, int timeout_ms, char *why,
		 size_t size);
/* Is the module loaded, or there to be loaded for the running kernel? */
bool mdc_host_module(const struct mdc_ra *ra, const char **release);
/* mdclusterd --check. 0, or the action's exit code with the reason already said. */
int mdc_host_check(struct mdc_ra *ra, struct mdc_check *check);

/* ra_daemon.c */
enum mdc_daemon {
	MDC_DAEMON_TRACKED,
	MDC_DAEMON_UNTRACKED,
	MDC_DAEMON_ABSENT,		/* nobody listens */
	MDC_DAEMON_STUCK,		/* somebody does, but does not answer */
	MDC_DAEMON_MODULE_STUCK,	/* tracked, but this node's kernel module is stuck */
	MDC_DAEMON_ODD,			/* answers with an error or something else */
};
enum mdc_daemon mdc_daemon_ping(const struct mdc_ra *ra, char *text, size_t size);
/*
 * What a ping says, after starting it if nobody listens (and then *started, and UNTRACKED).
 * ABSENT: it could not be started, with a sentence in text.
 */
enum mdc_daemon mdc_daemon_up(const struct mdc_ra *ra, bool *started, char *text, size_t size);
/* Each 0, or -1 with a sentence in text. */
int mdc_daemon_start(const struct mdc_ra *ra, char *text, size_t size);
int mdc_daemon_track(const struct mdc_ra *ra, const char *md, char *text, size_t size);
int mdc_daemon_untrack(const struct mdc_ra *ra, char *text, size_t size);
int mdc_daemon_notify(const struct mdc_ra *ra, const struct mdc_notify *notify, char *text,
		      size_t size);
/*
 * There and tracking, started if need be (and then *restarted): TRACKED. All else comes with a
 * sentence in text; MODULE_STUCK alone is no fault of mdclusterd's.
 */
enum mdc_daemon mdc_daemon_ensure(const struct mdc_ra *ra, const char *md, bool *restarted,
				  char *text, size_t size);

enum mdc_held {
	MDC_HELD_UNSEEN,		/* nobody to be seen */
	MDC_HELD_OPEN,			/* by processes alone, which may let go in a moment */
	MDC_HELD_FAST,
};
/* ra_holders.c: who keeps md busy, as a list for a sentence. */
enum mdc_held mdc_holders(const struct mdc_ra *ra, const char *md, char *out, size_t size);

/* The actions. */
int mdc_action_start(struct mdc_ra *ra);
int mdc_action_stop(struct mdc_ra *ra);
int mdc_action_monitor(struct mdc_ra *ra);
int mdc_action_notify(struct mdc_ra *ra);
int mdc_action_reload(struct mdc_ra *ra);
int mdc_action_validate(struct mdc_ra *ra);
/* Removes the link in /dev/md that the array had as md, after it was stopped. */
void mdc_drop_link(const struct mdc_ra *ra, const char *md);
/* Drops the note of what the last monitor said; true if there was one. */
bool mdc_said_forget(const struct mdc_ra *ra);
/* mdadm and the module, which start and validate-all need first; 0 or said failure. */
int mdc_action_tools(struct mdc_ra *ra, char mdadm[MDC_PATH_MAX]);

#endif
