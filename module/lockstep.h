/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lock, as lockres.c (its owner's side) and lockstep.c (the DLM's side) share it; nobody else
 * includes this. The contract is lockres.h.
 */
#ifndef MDC_LOCKSTEP_H
#define MDC_LOCKSTEP_H

#include "lockspace.h"

/* What the DLM is asked for. */
enum mdc_step {
	MDC_STEP_NONE,
	MDC_STEP_NEW,
	MDC_STEP_CONVERT,	/* the owner's request */
	MDC_STEP_SETTLE,	/* to the mode that is held: nothing of a cancel is left after it */
	MDC_STEP_REVERT,	/* back to the owner's mode, after a grant that came too late */
	MDC_STEP_UNLOCK,
};

enum mdc_request {
	MDC_REQUEST_NONE,
	MDC_REQUEST_WANTED,	/* not asked for yet */
	MDC_REQUEST_ASKED,
	MDC_REQUEST_DONE,	/* its result is there */
};

struct mdc_lock {
	struct mdc_lockspace *ls;
	struct list_head node;		/* of the lockspace's locks; under its lock */
	struct kref refs;		/* the owner's, the DLM's (dlm_ref), a queued work's */
	struct rcu_head rcu;
	struct delayed_work work;
	wait_queue_head_t wait;		/* the owner, for its request */
	char name[DLM_RESNAME_MAXLEN + 1];
	bool with_lvb;
	u8 lvb[MDC_LVB_SIZE];		/* the owner's; the DLM has one of its own, below */
	atomic_t poked;

	spinlock_t lock;		/* guards what follows; irqs off; before the owner's */
	void (*bast)(void *arg, int mode);
	void *bast_arg;
	bool freed;			/* by its owner, who is not called any more */

	enum mdc_request request;
	enum mdc_mode wanted;
	bool no_queue;
	bool give_up;			/* the owner waits for the end of its request only */
	int result;

	enum mdc_mode mode;		/* what the owner has */
	enum mdc_mode held;		/* what the DLM granted last */
	bool lvb_valid;

	enum mdc_step asked;		/* its AST is to come */
	enum mdc_mode target;		/* the mode of that */
	u32 flags;
	bool cancelled;			/* the DLM was asked to cancel it */
	bool unsettled;			/* an answer to a cancel may still come */
	bool stepping;			/* the work is in the DLM and looks again when it is out */
	bool dlm_ref;			/* the DLM may call */
	bool known;			/* granted once, and not unlocked */
	bool lost;			/* the DLM says that it is not: it is not asked again */
	unsigned int pause_ms;

	struct dlm_lksb lksb;		/* the work's while no AST is to come */
	u8 dlm_lvb[MDC_LVB_SIZE];
};

struct mdc_lock *mdc_lock_alloc(struct mdc_lockspace *ls, const char *name, bool with_lvb);
void mdc_lock_put(struct mdc_lock *lock);	/* process context */

/* Has the work look at LOCK, to which the caller has a reference. Any context. */
void mdc_lock_call_work(struct mdc_lock *lock, unsigned int delay_ms);

const char *mdc_mode_name(enum mdc_mode mode);

#endif
