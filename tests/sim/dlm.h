/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated DLM: one lockspace of all nodes, as the kernel's behaves. A resource has a
 * master, which holds its queues; the other nodes talk to it in messages, which arrive late, in
 * order between two nodes. dlm.c: what masters do; dlmsg.c: messages. lockres.c: the node's side.
 * members.c: who is in the lockspace;
 * recovery.c: what becomes of locks when that changes.
 */
#ifndef SIM_DLM_H
#define SIM_DLM_H

#include "sim.h"
#include "lockres.h"

#define DLM_LOCKS_MAX 256
#define DLM_RESOURCES_MAX 24

struct dlm_resource;

/* What the master keeps of a lock; it outlives the node's own part if the node dies. */
struct dlm_copy {
	struct dlm_resource *res;
	struct mdc_lock *lock;		/* valid while GENERATION is the lock's */
	u32 generation;
	int owner;			/* node */
	int granted, wanted;		/* modes; wanted -1: nothing */
	bool queued;			/* on the queue of conversions */
	u64 queued_at;			/* order there */
	bool has_lvb, has_bast;
	int highbast;
	u8 lvb[MDC_LVB_SIZE];
	u32 lvb_seq;
	u64 tag;
	struct dlm_copy *next;
};

struct dlm_resource {
	bool used;
	char name[32];
	int master;			/* node, -1: none */
	struct dlm_copy *copies;
	bool has_lvb, lvb_bad;
	u8 lvb[MDC_LVB_SIZE];
	u32 lvb_seq;
	u64 tag;			/* which message LVB is, for the checks */
	bool recover_grant;
};

enum dlm_waits { WAITS_NOT, WAITS_REQUEST, WAITS_CONVERT, WAITS_UNLOCK };

/* The node's side of a lock. */
struct mdc_lock {
	bool used;
	u32 generation;
	int node;
	struct dlm_resource *res;
	bool with_lvb, noqueue;
	void (*bast)(void *arg, int mode);
	void *arg;
	int granted, wanted;		/* as the node knows it */
	enum dlm_waits waits;		/* for a reply */
	bool queued;			/* the master said so */
	bool cancelling, resend, orphan, freed;
	bool unposted;			/* it went down, and its master may not know yet */
	bool unlocked, cancelled;	/* by a recovery: the node is told when its locks go on */
	bool busy;			/* what was given up has not ended yet */
	int mode;			/* what the owner has */
	u8 lvb[MDC_LVB_SIZE];
	u32 lvb_seq;
	u64 tag;
	bool lvb_bad;
	int last_cast, last_bast;	/* modes of the last callbacks; last_bast -1: none since */
	bool done;			/* of the request */
	int status;
	wait_queue_head_t wait;
	u64 cb_at;			/* callbacks of a lock keep their order */
};

enum dlm_type {
	DLM_REQUEST, DLM_CONVERT, DLM_UNLOCK, DLM_CANCEL,		/* to the master */
	DLM_REPLY, DLM_GRANT, DLM_BAST, DLM_UNLOCK_REPLY, DLM_CANCEL_REPLY,
};

struct dlm_msg {
	enum dlm_type type;
	int from, to;
	struct dlm_resource *res;
	struct mdc_lock *lock;
	u32 generation;
	int mode, result;
	bool noqueue, has_lvb, lvb_bad;
	u8 lvb[MDC_LVB_SIZE];
	u32 lvb_seq;
	u64 tag;
	bool void_;			/* its sender or receiver was removed */
	struct dlm_msg *next;
};

/* One array, one lockspace. */
struct dlm {
	struct dlm_resource res[DLM_RESOURCES_MAX];
	struct mdc_lock locks[DLM_LOCKS_MAX];
	u64 order, tags;
	bool callbacks_late;		/* as with workqueues, not softirqs */
	u32 delay_us;			/* of messages, at most */
};

extern struct dlm sim_dlm;

void dlm_reset(void);
struct dlm_resource *dlm_resource(const char *name, int node);
void dlm_resource_unuse(struct dlm_resource *res);
struct dlm_copy *dlm_copy_new(struct dlm_resource *res, struct mdc_lock *lock);
void dlm_copies_free(struct dlm_resource *res);
void dlm_grant_pending(struct dlm_resource *res);
bool dlm_compatible(int granted, int wanted);
bool dlm_is_down(int granted, int wanted);

/* From NODE's LOCK to its master, directly where that is NODE itself. */
void dlm_submit(struct mdc_lock *lock, enum dlm_type type, int mode);
void dlm_post(struct dlm_msg *msg);
void dlm_arrive(struct dlm_msg *msg);
struct dlm_msg *dlm_msg_new(void);
void dlm_msg_free(struct dlm_msg *msg);
void dlm_void_messages_of(int node);
void dlm_messages_reset(void);
void dlm_master_receive(struct dlm_msg *msg);

/* The node's side, on what its master says: lockres.c. */
void dlm_node_receive(struct dlm_msg *msg);
void dlm_cast(struct mdc_lock *lock, int status);
void dlm_unlocked(struct mdc_lock *lock);
void dlm_down_now(struct mdc_lock *lock);
void dlm_lock_forget(struct mdc_lock *lock);
void dlm_void_locks_of(int node);
void dlm_orphans_gone(int node);
void dlm_wake_locks(int node);
int dlm_locks_of(int node);

/* Recovery: recovery.c. GONE by node. */
void dlm_take_away(const bool *gone);
void dlm_resend(int node);		/* what NODE had asked of masters that are gone */
void dlm_recovered(int node);		/* as a master: grants what can be granted now */

int dlm_dump(char *text, size_t size);

#endif
