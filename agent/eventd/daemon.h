/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdclusterd's one context and what its files share. All of it belongs to the main loop's
 * thread; there is no other.
 */
#ifndef MDC_DAEMON_H
#define MDC_DAEMON_H

#include <glib.h>
#include <json-glib/json-glib.h>

#include "core/alarm.h"
#include "core/attrtext.h"
#include "core/modmsg.h"
#include "core/propose.h"
#include "core/react.h"
#include "core/readd.h"
#include "core/request.h"
#include "core/roster.h"
#include "core/state.h"
#include "core/track.h"
#include "core/verdict.h"
#include "log.h"
#include "port/attrd.h"
#include "port/cib.h"
#include "port/corosync.h"
#include "port/mdioctl.h"
#include "port/mdwatch.h"
#include "port/netlink.h"
#include "port/search.h"
#include "port/server.h"
#include "port/ueventsock.h"
#include "port/words.h"

#define MDC_ARRAYS_MAX 64
#define MDC_HISTORY_LINES 200
#define MDC_VERDICT_TIMEOUT_MS 4000	/* the module's, where it does not say */

struct mdc_daemon;

enum mdc_asked_by { MDC_ASKED_BY_UEVENT, MDC_ASKED_BY_MODULE };

/* An array that is tracked, or one that the kernel has asked about without that. */
struct mdc_tracked {
	struct mdc_daemon *daemon;
	bool tracked;
	struct mdc_track track;		/* md alone is meaningful where it is not tracked */

	/* what this node's kernel shows */
	bool present;
	struct mdc_array array;
	struct mdc_mdwatch *watch;
	guint progress;			/* timer, while a sync action runs */
	struct mdc_attr_sync sync;
	unsigned int slot;		/* 0: not known */
	unsigned int slot_tries;
	bool slot_said;
	guint slot_timer;
	unsigned int slots;		/* 0: not known */
	bool made_writable;		/* once, since it has been present */
	struct mdc_search *slots_search;
	unsigned int slots_tries;
	guint frozen_watch;		/* at the mdadm that has frozen it */
	int frozen_fd;			/* its pidfd, while that is watched */
	bool frozen_said;

	/* what our kernel module shows; NULL with the kernel's own module */
	struct mdc_mod_array *module;
	bool module_seen;		/* by the dump that runs, or else the last one */
	bool stuck_said;

	/* the array's nodes, and what is wrong with them */
	struct mdc_roster roster;
	struct mdc_alarm alarm;
	guint roster_timer;

	/* an add of this node's, until the kernel has its verdict and shows what came of it */
	struct mdc_propose propose;
	guint propose_timer;
	struct mdc_array before_add;

	/* a disk that mdclusterctl on this node asks the others about */
	struct mdc_propose announce;
	guint announce_timer;
	struct mdc_conn *announce_conn;	/* while it is asked for */
	struct mdc_blockdev announce_disk;
	GHashTable *announce_told;	/* node id -> the line that the client has of it */

	/* an add of another node's, as it is proposed or announced */
	struct mdc_verdict verdict;
	struct mdc_search *verdict_search;
	unsigned int verdict_free;	/* devices that nothing holds, and that it has yet to look at */
	bool says_looking;		/* its attribute says that it looks */
	guint verdict_timer;

	/* the same, when the kernel asks */
	struct mdc_react react;
	enum mdc_asked_by asked_by;
	struct mdc_search *search;
	bool quick;			/* it goes by the device that is known, first */
	guint deadline, verify;
	unsigned int verify_seq, verify_left;
	char verify_device[MDC_KNAME_MAX];
	GHashTable *drops;		/* node id -> the drop it showed last */
	GHashTable *said_before;	/* node id -> its attribute when the disk was asked for */
	unsigned int settled;		/* seq of the add whose disk was taken out again */
	unsigned int kernel_dropped;	/* seq of the add whose disk the kernel took out */
	guint settle_wait;		/* timer: it is the kernel's turn to do so */

	/* re-adding of a member that has come back */
	struct mdc_readd readd;
	struct mdc_search *readd_search;	/* among devices that have appeared */
	struct mdc_search *readd_look;		/* at members that have failed */
	guint readd_look_timer;
	struct mdc_proc *readd_proc;
	guint readd_timer;
};

struct mdc_daemon {
	const char *sys;		/* "/sys" */
	const char *rundir;
	GMainLoop *loop;
	GPtrArray *arrays;		/* of struct mdc_tracked */
	struct mdc_search_pool *pool;
	struct mdc_mdioctl *io;
	struct mdc_attrd *attrd;
	struct mdc_server *server;
	struct mdc_ueventsock *uevents;
	int64_t moved_ms;		/* when a block device last came, went or changed */
	struct mdc_netlink *netlink;	/* NULL: there is no netlink here */
	struct mdc_cib *cib;
	struct mdc_corosync *coro;
	struct mdc_words *words;
	struct mdc_cibview *add_view;	/* words.c's own: NULL until there was a word */
	bool add_view_made;		/* ... of what is known now */
	struct mdc_mdwatch *mdstat;
	GQueue history;			/* of lines with their newline */
	char last_error[512];
	int lock;
	int ready;			/* pipe to the process that was started, or -1 */
	guint unused;			/* timer: nothing was ever tracked */
	guint ending;			/* timer: all is untracked, attributes are being cleared */
	gint64 ending_since_us;
	int exit_code;
};

/* CLOCK_MONOTONIC, ms. */
int64_t mdc_now_ms(void);

/* arrays.c */
struct mdc_tracked *mdc_arrays_by_uuid(struct mdc_daemon *d, const struct mdc_uuid *uuid);
struct mdc_tracked *mdc_arrays_by_md(struct mdc_daemon *d, const char *md);
/* The array of that kernel name, made if there is none; NULL if there are too many. */
struct mdc_tracked *mdc_arrays_untracked(struct mdc_daemon *d, const char *md);
/* 0 or -errno with *why set. */
int mdc_arrays_track(struct mdc_daemon *d, const struct mdc_track *track, const char **why);
/* False if it is not tracked. */
bool mdc_arrays_untrack(struct mdc_daemon *d, const struct mdc_uuid *uuid);
/* From the state files, at the start. nack: the last one of us died. */
void mdc_arrays_adopt(struct mdc_daemon *d, bool nack);
void mdc_arrays_drop(struct mdc_tracked *t);
unsigned int mdc_arrays_count(const struct mdc_daemon *d);
/* Tells corosync's adapter which lockspaces are of interest. */
void mdc_arrays_lockspaces(struct mdc_daemon *d);

/* observe.c: what the kernel shows, and the attributes */
void mdc_observe(struct mdc_tracked *t);
void mdc_observe_all(struct mdc_daemon *d);
void mdc_observe_stop(struct mdc_tracked *t);
void mdc_observe_writable(struct mdc_tracked *t, int err);
void mdc_publish_add(struct mdc_tracked *t);
/* NULL: deleted. At once, by word or in the CIB; the others when Pacemaker comes to it. */
void mdc_publish_add_value(struct mdc_tracked *t, const char *value);
void mdc_publish_clear(struct mdc_tracked *t);

/* module.c: our kernel module, where this node runs it */
extern const struct mdc_netlink_calls mdc_module_calls;
/* Brings module, slot and slots of all arrays up to date. */
void mdc_module_refresh(struct mdc_daemon *d);
/* The same; and what the kernel waits for, an answer for a disk, is taken up. */
void mdc_module_take_up(struct mdc_daemon *d);
void mdc_module_forget(struct mdc_tracked *t);
/* For how many ms it has been at one message, if that is too long; else 0. */
uint64_t mdc_module_stuck(struct mdc_tracked *t);

/* propose.c */
/* This node's id, 0: not known. */
uint32_t mdc_self(const struct mdc_tracked *t);
/* The nodes that have the array; false: not known. */
bool mdc_lockspace_nodes(const struct mdc_tracked *t, uint32_t nodes[MDC_MOD_MEMBERS_MAX],
			 unsigned int *n);
/* What is known now; nodes has room for MDC_MOD_MEMBERS_MAX, and is pointed to. */
struct mdc_propose_seen mdc_propose_see(const struct mdc_tracked *t, uint32_t *nodes);
/* How long a node waits for the verdicts at most. */
int64_t mdc_verdict_patience(const struct mdc_tracked *t);
/* This node's kernel asks whether it may add a disk. */
void mdc_propose_request(struct mdc_daemon *d, const struct mdc_mod_notice *n);
/* The CIB or the lockspace has changed, or may have: for proposals of this node and of others. */
void mdc_proposals_look(struct mdc_tracked *t);
/* The array has been looked at. */
void mdc_propose_observed(struct mdc_tracked *t);
/* True: it is of an add that was refused here, and that has been said. */
bool mdc_propose_event(struct mdc_tracked *t, const struct mdc_mod_notice *n);
void mdc_propose_not_taken(struct mdc_tracked *t, uint64_t proposal, int err);
void mdc_propose_cib_failed(const char *name, const char *why, void *data);
void mdc_propose_stop(struct mdc_tracked *t);

/* announce.c */
void mdc_announce_request(struct mdc_daemon *d, struct mdc_conn *conn,
			  const struct mdc_request *request);
/* rival: a node that comes first, or 0. */
void mdc_announce_look(struct mdc_tracked *t, uint32_t rival);
void mdc_announce_cib_failed(struct mdc_tracked *t, const char *why);
void mdc_announce_stop(struct mdc_tracked *t, const char *why);

/* words.c */
/* What adds are decided by. As mdc_cib_view(), but not older than what the nodes have said. */
const struct mdc_cibview *mdc_add_view(struct mdc_daemon *d, bool *connected);
/* Do all other nodes that have the array hear this node's words, and it theirs? */
bool mdc_words_reach_all(const struct mdc_tracked *t);
/* The CIB's view is another one. */
void mdc_add_view_old(struct mdc_daemon *d);
void mdc_words_changed(enum mdc_words_what what, const char *name, void *data);
/* Now that the CIB can be read: the others are to know that this node hears and is heard. */
void mdc_words_ready(struct mdc_tracked *t);

/* verdict.c */
/* The proposals of others may be others. Returns the node that this one gives way to, or 0. */
uint32_t mdc_verdict_view(struct mdc_tracked *t);
void mdc_verdict_blockdev(struct mdc_tracked *t, const char *kname);
/* Events were lost: look at every block device again. */
void mdc_verdict_rescan(struct mdc_tracked *t);
/* The kernel asks now: the proposal's own search has done its part. */
void mdc_verdict_asked(struct mdc_tracked *t);
void mdc_verdict_stop(struct mdc_tracked *t);

/* adds.c */
/* kernel_ms: how long the kernel waits for the answer; 0 where that is not known. */
void mdc_adds_request(struct mdc_tracked *t, const struct mdc_uuid *device_uuid,
		      unsigned int raid_disk, int64_t kernel_ms, enum mdc_asked_by by);
/* The disk that this node had confirmed is out again. */
void mdc_adds_dropped(struct mdc_tracked *t, bool by_kernel);
void mdc_adds_block(struct mdc_tracked *t, const char *kname);
/* Events were lost: look at every block device again. */
void mdc_adds_rescan(struct mdc_tracked *t);
void mdc_adds_done(enum mdc_mdioctl_kind kind, int err, unsigned int seq, void *owner, void *data);
/* Ends what is under way. answer: with a NACK, as mdclusterd ends. */
void mdc_adds_stop(struct mdc_tracked *t, bool answer);

/* settle.c: after an add that another node refused */
/* This node has confirmed: another one may have been quicker to refuse. */
void mdc_settle_asked(struct mdc_tracked *t);	/* for a disk: a new add */
void mdc_settle_confirmed(struct mdc_tracked *t);
void mdc_settle_view(struct mdc_tracked *t, const struct mdc_cibview *view, uint32_t self);
/* Our kernel module has let go of the disk with that number, as the add has failed. */
void mdc_settle_kernel_dropped(struct mdc_tracked *t, unsigned int raid_disk);
void mdc_settle_stop(struct mdc_tracked *t);
void mdc_settle_done(struct mdc_tracked *t, enum mdc_mdioctl_kind kind, unsigned int seq, int err);

/* readd.c */
void mdc_readd_block(struct mdc_tracked *t, const char *kname, bool gone);
void mdc_readd_observed(struct mdc_tracked *t);
void mdc_readd_stop(struct mdc_tracked *t);

/* roster.c */
/* The CIB, the lockspace or the module's word may have changed. */
void mdc_roster_update(struct mdc_tracked *t);
/* Pacemaker starts or stops the array on some node. */
void mdc_roster_notify(struct mdc_tracked *t, const struct mdc_notify *notify);
void mdc_roster_stop(struct mdc_tracked *t);

/* frozen.c */
/* sync_action was just read. */
void mdc_frozen_look(struct mdc_tracked *t, const char *sync_action);
void mdc_frozen_thawed(struct mdc_tracked *t, int err);
void mdc_frozen_stop(struct mdc_tracked *t);

/* timer.c */
/* *timer, which FIRE clears, goes off at that time, or at once; at_ms < 0: never. */
void mdc_timer_at(guint *timer, int64_t at_ms, int priority, GSourceFunc fire, void *data);

/* events.c: callbacks of the adapters */
void mdc_events_uevent(const struct mdc_uevent *event, void *data);
void mdc_events_cib(const struct mdc_cibview *view, bool connected, void *data);
/* Who has the arrays, or what they say of them, may have changed. */
void mdc_events_nodes(struct mdc_daemon *d);
void mdc_events_coro(const struct mdc_coro_view *view, void *data);
void mdc_events_mdstat(void *data);

/* requests.c */
void mdc_requests_line(struct mdc_conn *conn, const char *line, size_t len, void *data);
/* Nothing is tracked any more: end when the attributes are cleared. */
void mdc_requests_end_if_unused(struct mdc_daemon *d);

/* status.c: one line without a newline; the caller frees it. */
char *mdc_status_json(struct mdc_daemon *d);

/* history.c */
void mdc_history_open(struct mdc_daemon *d);
void mdc_history_close(struct mdc_daemon *d);
void mdc_history_send(struct mdc_daemon *d, struct mdc_conn *conn);

/* check.c: `mdclusterd --check`; returns the exit code. */
int mdc_check_main(int argc, char **argv);

#endif
