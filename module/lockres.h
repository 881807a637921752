/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lockspace of the kernel's DLM and the locks in it. lockspace.c, lockstep.c and lockres.c are
 * the only files that know dlm.h; the simulator brings a lockres.c of its own.
 *
 * A lock has at most one request under way. Who may call for which lock, and holding what, is
 * said with the lock in cluster.h. All calls here but those marked otherwise sleep.
 *
 * None of them waits for ever on a lockspace that cannot go on without saying so: a wait longer
 * than a few seconds is logged, at growing intervals.
 */
#ifndef MDC_LOCKRES_H
#define MDC_LOCKRES_H

#include "core/wire.h"

struct mdc_lockspace;
struct mdc_lock;

/* Lock modes; the numbers are the DLM's. */
enum mdc_mode {
	MDC_NL = 0,
	MDC_CR = 1,
	MDC_CW = 2,
	MDC_PR = 3,
	MDC_PW = 4,
	MDC_EX = 5,
};

#define MDC_MEMBERS_MAX 64	/* more nodes than any array can have bitmaps for */

struct mdc_member {
	int nodeid;
	int slot;		/* from 1, as the DLM counts */
};

/*
 * What the DLM tells of membership. Called from its recovery thread: they must not sleep for
 * long, and must not call into lockres.
 */
struct mdc_lockspace_events {
	/* Locks stand still: a member was lost or comes, or the quorum is gone. */
	void (*stopped)(void *arg);
	/* This member failed (it did not leave); before running(). */
	void (*member_failed)(void *arg, const struct mdc_member *member);
	/* Locks go on, with these members. OUR_SLOT is from 1. */
	void (*running)(void *arg, const struct mdc_member *members, int count, int our_slot);
};

/* When the module comes and goes. */
int mdc_lockspace_init(void);
void mdc_lockspace_exit(void);

/*
 * Joins the lockspace NAME of the DLM cluster CLUSTER. Returns 0 with *LS when it runs and
 * running() was called. -EINTR: killed while it waited. -ETIMEDOUT: not formed in TIMEOUT_MS.
 * -EBUSY: an earlier join or leave of it on this node has not ended. -EOPNOTSUPP: this DLM gives no
 * recovery callbacks. -EEXIST: another program on this node has it open. Otherwise what the DLM
 * said (-EBADR: another cluster's name; -EPROTO: other nodes' settings do not fit; -EUNATCH or
 * -ENOTCONN: no dlm_controld...). After an error no callback comes any more, and what the DLM still
 * has to undo is undone behind the caller.
 */
int mdc_lockspace_join(const char *name, const char *cluster,
		       const struct mdc_lockspace_events *events, void *arg,
		       unsigned int timeout_ms, struct mdc_lockspace **ls);

/*
 * From now on nobody waits for a lock of LS: calls that wait, and later ones, return -ESHUTDOWN,
 * and only mdc_lock_free() and mdc_lockspace_leave() are of use. For threads that are to be stopped
 * while locks stand still. Process context; does not sleep.
 */
void mdc_lockspace_abandon(struct mdc_lockspace *ls);

/*
 * Leaves it. All locks are to be freed before. Returns when the DLM has let go, or after
 * TIMEOUT_MS; what is left is then done behind the caller. No callback comes after the return.
 */
void mdc_lockspace_leave(struct mdc_lockspace *ls, unsigned int timeout_ms);

/* Whether locks stand still just now. Any context. */
bool mdc_lockspace_stopped(struct mdc_lockspace *ls);

/*
 * Of the calls that follow, those that wait return -ESHUTDOWN once LS is abandoned. A request whose
 * end cannot be awaited (it was given up while locks stand still) is brought to its end behind the
 * caller, before the lock's next one; the mode is then as before, but for a conversion down, which
 * may still come true.
 */

/*
 * A new lock, held in NL. -EINTR: killed while locks stand still; -ETIMEDOUT: not had in TIMEOUT_MS
 * (0: no limit). BAST may be NULL; it is called in
 * softirq context with the mode that another node wants, and must do no more than set a flag and
 * wake a thread.
 */
int mdc_lock_new(struct mdc_lockspace *ls, const char *name, bool with_lvb,
		 void (*bast)(void *arg, int mode), void *arg, unsigned int timeout_ms,
		 struct mdc_lock **lock);

/*
 * Gives it up in whatever mode it is. NULL is allowed. Does not wait for a lockspace that stands
 * still: the memory is then freed when the DLM has let go of it. BAST is not called after it.
 */
void mdc_lock_free(struct mdc_lock *lock);

/*
 * Converts to MODE and waits until it is granted, uninterruptibly, however long it takes: a
 * deadlock of conversions (-EDEADLK) is logged and tried again. Another error is for good.
 */
int __must_check mdc_lock_convert(struct mdc_lock *lock, enum mdc_mode mode);

/*
 * The same, but ends with -ECANCELED when GIVE_UP(ARG) says so, which is asked at least once a
 * second, without a lock of this file held. Not interrupted by a signal.
 */
int __must_check mdc_lock_convert_until(struct mdc_lock *lock, enum mdc_mode mode,
					bool (*give_up)(void *arg), void *arg);

/*
 * Down to MODE, as mdc_lock_convert_until(). What is given up is done behind the caller, before the
 * lock's next request, and counts as done: GIVE_UP may only say so while locks stand still, when
 * nobody can tell the difference. Of a lock in a lower mode, or in MODE, nothing changes.
 */
int __must_check mdc_lock_lower(struct mdc_lock *lock, enum mdc_mode mode,
				bool (*give_up)(void *arg), void *arg);

/*
 * Converts only if nobody stands in the way: else -EAGAIN, and the mode is as before. -EINTR:
 * killed while locks stand still.
 */
int __must_check mdc_lock_try(struct mdc_lock *lock, enum mdc_mode mode);

/*
 * Converts to MODE unless GIVE_UP(ARG) says so first, or the caller is killed, or TIMEOUT_MS have
 * passed (0: no limit). The request is then cancelled and its end awaited: -ECANCELED, -EINTR,
 * -ETIMEDOUT, the mode is as before; a grant that was quicker than the cancel counts as 0. GIVE_UP
 * (may be NULL) is asked again at each mdc_lock_poke(), without any lock held. -EDEADLK: it and
 * another node's conversion wait for each other.
 */
int __must_check mdc_lock_convert_unless(struct mdc_lock *lock, enum mdc_mode mode,
					 unsigned int timeout_ms,
					 bool (*give_up)(void *arg), void *arg);

/*
 * Has a waiting mdc_lock_convert_unless() ask again. Any context; takes no lock but the wait
 * queue's own, so that callers may hold a spinlock.
 */
void mdc_lock_poke(struct mdc_lock *lock);

/* Down to NL; a failure is logged, and the mode is then not changed. */
void mdc_lock_drop(struct mdc_lock *lock);

/* The same as mdc_lock_lower(). */
void mdc_lock_drop_until(struct mdc_lock *lock, bool (*give_up)(void *arg), void *arg);

enum mdc_mode mdc_lock_mode(const struct mdc_lock *lock);
const char *mdc_lock_name(const struct mdc_lock *lock);

/*
 * Its value block, MDC_LVB_SIZE bytes; NULL for a lock made without. Read from the DLM by a
 * conversion up (zero from NL if nobody has ever written it), written to it by one down from PW or
 * EX, or from PW to PW. The owner's between its calls: the DLM works on a copy.
 */
u8 *mdc_lock_lvb(struct mdc_lock *lock);

/* Whether the block was good at the last conversion; not after its last writer died. */
bool mdc_lock_lvb_valid(const struct mdc_lock *lock);

#endif
