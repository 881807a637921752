/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake DLM, a fake lockspace over it and fakes of what else the module's lock files use of the
 * kernel. Threads, time and chance are the simulator's (tests/sim/sched.c). The test says what
 * becomes of each call; the fake does it, and fails the schedule where the module breaks a rule:
 *   - nothing is asked for a lock whose last answer is still to come, but a cancel of a conversion
 *     that may wait, once;
 *   - after a cancel whose conversion did not end in -DLM_ECANCEL nothing is asked but a conversion
 *     to the mode that is held, without queueing and without the value block;
 *   - the value block does not change while it is the DLM's;
 *   - no memory is freed that the DLM knows, or that it is calling back with.
 */
#ifndef FAKEDLM_H
#define FAKEDLM_H

#include "lockspace.h"
#include "sim.h"

#define FAKE_NEVER UINT32_MAX

enum fake_what { FAKE_NOTHING, FAKE_NEW, FAKE_CONVERT, FAKE_UNLOCK, FAKE_CANCEL };

/* What a cancel meets: see the head of module/lockstep.c. */
enum fake_cancel {
	FAKE_CANCELLED,		/* the conversion waits */
	FAKE_TOO_LATE,		/* it has its answer, which is on its way */
	FAKE_CROSSES,		/* the same, and the cancel has an answer of its own, later */
	FAKE_CROSSES_DEATH,	/* which a recovery gives: a second AST, -DLM_ECANCEL */
};

struct fake_call {
	enum fake_what what;
	const char *name;
	void *arg;
	int granted, mode;	/* granted -1: a new lock */
	u32 flags;
	bool crossed;		/* the answer to an older cancel is still to come */
};

/* What becomes of a call. All zero: it is granted before the call returns. */
struct fake_fate {
	int error;		/* the call returns it, and no AST comes */
	int status;		/* of the AST; of a cancel that comes too late: the conversion's */
	u32 after_us;		/* until the answer; FAKE_NEVER: not before it is cancelled */
	enum fake_cancel cancel;
};

struct fake_lock {
	u32 id;				/* 0: there is none */
	char name[DLM_RESNAME_MAXLEN + 1];
	struct dlm_lksb *lksb;
	void (*ast)(void *arg);
	void (*bast)(void *arg, int mode);
	void *arg;
	bool inside;			/* a call for it */
	int granted;			/* -1: not yet */
	enum fake_what op;		/* its AST is to come */
	int wanted, status;
	u32 flags;
	u64 turn;			/* tells an answer that is due from those to other calls */
	bool answered;			/* the AST is on its way */
	bool cancelled;
	bool crossed, death;
	u64 crossed_turn;
	bool must_settle;
	u8 block[MDC_LVB_SIZE];		/* as it was handed over */

	/* For the test. */
	u8 seen[MDC_LVB_SIZE];		/* the block after the last conversion with it */
	bool invalid;			/* and it was marked as not valid */
	int bad;			/* the last answer that was not good, or error */
	u64 called_at;			/* when the last AST was called */
};

struct fake_resource {
	char name[DLM_RESNAME_MAXLEN + 1];
	u8 block[MDC_LVB_SIZE];
	bool written, invalid;
};

struct fake_dlm {
	void (*decide)(const struct fake_call *call, struct fake_fate *fate);
	bool softirq;		/* callbacks come in softirq context, else from a thread */
	u32 inside_us;		/* calls take up to so long */
	u32 late_us;		/* callbacks are on their way for up to so long */
	bool stopped;		/* calls sleep, and there are no answers */
	int inside;		/* calls */
	wait_queue_head_t wait;
};

extern struct fake_dlm fake_dlm;

void fake_dlm_reset(void (*decide)(const struct fake_call *call, struct fake_fate *fate));
struct fake_lock *fake_dlm_find(const void *arg);	/* NULL: it knows no such lock */
struct fake_resource *fake_dlm_resource(const char *name);
void fake_dlm_bast(struct fake_lock *lock, int mode);
int fake_dlm_locks(void);
void fake_dlm_destroy(void);		/* all of it, without a word; waits for calls inside */

/* What it was asked for so far, one line each; a line that is said again at once is left out. */
const char *fake_dlm_asked(void);

/* Is fatal if the DLM has a use for PTR. */
void fake_dlm_check_free(const void *ptr);
void fake_dlm_check_out(const void *ptr);

/* One lockspace, that runs. The test has a reference to it. */
extern struct mdc_lockspace fake_lockspace;
void fake_lockspace_reset(void);
void fake_lockspace_stop(u32 late_us);	/* the module hears of it so much later */
void fake_lockspace_go(void);
void fake_lockspace_abandon(void);
void fake_lockspace_release(void);	/* returns when it is over */

void fake_kernel_reset(void);
int fake_kernel_works(void);		/* that are queued */

#endif
