/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lockspace.c and lockres.c share; nobody else includes it. The contract is lockres.h.
 */
#ifndef MDC_LOCKSPACE_H
#define MDC_LOCKSPACE_H

#include <linux/dlm.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "lockres.h"
#include "os.h"

/* The keeper (a work item) is the only one that joins, releases and changes the state. */
enum mdc_lockspace_state {
	MDC_LS_JOINING,
	MDC_LS_JOINED,
	MDC_LS_OVER,		/* the DLM knows it no more, or never did: no callback comes */
};

struct mdc_lockspace {
	struct list_head node;		/* in the list of lockspaces; under its mutex */
	struct kref refs;		/* the caller's, a queued keeper's, each lock's */
	struct work_struct keeper;
	wait_queue_head_t wait;		/* for every change below */
	char name[DLM_LOCKSPACE_LEN + 1];
	char cluster[DLM_LOCKSPACE_LEN + 1];
	dlm_lockspace_t *dlm;		/* the keeper's; others have to mdc_dlm_enter() */
	bool shared_logged;		/* the keeper's */

	struct mutex call;		/* held while the owner is called; guards these two */
	const struct mdc_lockspace_events *events;	/* NULL: nobody is to be called any more */
	void *arg;

	spinlock_t lock;		/* guards what follows; process context only; innermost */
	enum mdc_lockspace_state state;
	int error;			/* of a join that failed */
	bool leave;			/* the keeper is to release it */
	unsigned long drain_until;	/* jiffies: so long the keeper waits for the locks to go */
	bool running;			/* locks do not stand still */
	bool told;			/* the owner's running() was called */
	bool abandoned;			/* nobody is to wait any more */
	bool shut;			/* no thread may enter the DLM: it is being released */
	unsigned int inside;		/* threads in a call of the DLM */
	struct list_head locks;		/* struct mdc_lock, by their node */
};

void mdc_lockspace_get(struct mdc_lockspace *ls);
void mdc_lockspace_put(struct mdc_lockspace *ls);

/*
 * Around each call of the DLM but joining and releasing. False: not now; mdc_locks_look_again()
 * follows when it may be different.
 */
bool mdc_dlm_enter(struct mdc_lockspace *ls);
void mdc_dlm_exit(struct mdc_lockspace *ls);

bool mdc_lockspace_over(struct mdc_lockspace *ls);
bool mdc_lockspace_abandoned(struct mdc_lockspace *ls);

/* Has WORK done on behalf of a lock, DELAY jiffies from now. As mod_delayed_work(). Any context. */
bool mdc_lockspace_queue(struct delayed_work *work, unsigned long delay);

/* Wakes whoever waits for a lock of LS, and has each lock look at what it can do now. */
void mdc_locks_look_again(struct mdc_lockspace *ls);

#endif
