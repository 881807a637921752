/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one node does when the kernel asks it to confirm a disk that another node adds
 * (DESIGN.md, the add, steps 7 and 8). Pure: events in, actions out, the clock handed in.
 *
 * One struct an array. The caller carries the actions out in their order and reports back
 * with the number (seq) that the action bore, so that a late report of an add that is over
 * is told from one of the add that runs.
 */
#ifndef MDC_REACT_H
#define MDC_REACT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/uevent.h"
#include "core/uuid.h"

/*
 * The stock module waits 5000 jiffies for the answer: 20 s at HZ=250, but 5 s at HZ=1000,
 * and nothing tells user space which. A second is left for the answer itself.
 */
#define MDC_REACT_WAIT_MAX_MS 4000
#define MDC_REACT_WAIT_MIN_MS 500
#define MDC_REACT_ACTIONS_MAX 6
#define MDC_REACT_TRIED_MAX 8
#define MDC_REACT_REASON_MAX 192
#define MDC_REACT_UUID_HEAD 8	/* characters of the device UUID that the attribute bears */

enum mdc_react_phase {		/* the words of `status` and of the attribute */
	MDC_REACT_NONE,
	MDC_REACT_SEARCHING,
	MDC_REACT_FOUND,
	MDC_REACT_MISSING,
	MDC_REACT_FAILED,
	MDC_REACT_DROPPED,	/* confirmed here, refused elsewhere, and taken out again */
};

enum mdc_react_do {
	MDC_DO_SEARCH,		/* look for device_uuid everywhere; reports device, exhausted */
	MDC_DO_PROBE,		/* look at `device` as well, soon */
	MDC_DO_STOP_SEARCH,
	MDC_DO_CONFIRM,		/* ADD_NEW_DISK with MD_DISK_CANDIDATE; reports result */
	MDC_DO_VERIFY,		/* is `device` a member by now? reports verified */
	MDC_DO_NACK,		/* CLUSTERED_DISK_NACK; reports nacked */
	MDC_DO_PUBLISH,		/* phase, device and raid_disk have changed */
};

struct mdc_react_action {
	enum mdc_react_do what;
	unsigned int seq;
	char device[MDC_KNAME_MAX];	/* PROBE, CONFIRM, VERIFY */
};

struct mdc_react_actions {
	unsigned int n;
	struct mdc_react_action a[MDC_REACT_ACTIONS_MAX];
};

struct mdc_react {
	/* For status: what is going on, or how the last one ended. */
	enum mdc_react_phase phase;
	struct mdc_uuid device_uuid;
	unsigned int raid_disk;
	char device[MDC_KNAME_MAX];
	char reason[MDC_REACT_REASON_MAX];
	int64_t started_ms;
	/* The rest is react.c's own. */
	unsigned int seq;
	int64_t deadline_ms;
	bool open;			/* not answered yet, or the answer's result not known */
	bool nacked;			/* the NACK has been sent */
	bool by_kernel;			/* dropped, and by whom */
	unsigned int inflight;		/* seq of the CONFIRM under way, 0: none */
	bool verifying;
	int err;			/* of the CONFIRM that is being verified */
	char held[MDC_KNAME_MAX];	/* found while another add's CONFIRM was under way */
	unsigned int n_tried;
	char tried[MDC_REACT_TRIED_MAX][MDC_KNAME_MAX];
};

void mdc_react_init(struct mdc_react *react);

/* The kernel asks. wait_ms is clamped to what its own wait allows. */
void mdc_react_add(struct mdc_react *react, int64_t now_ms, const struct mdc_uuid *device_uuid,
		   unsigned int raid_disk, int64_t wait_ms, struct mdc_react_actions *out);
/* The search has found the disk. */
void mdc_react_device(struct mdc_react *react, unsigned int seq, const char *device,
		      struct mdc_react_actions *out);
/* The search has looked at everything there is. Late devices are still waited for. */
void mdc_react_exhausted(struct mdc_react *react, unsigned int seq, unsigned int looked_at,
			 unsigned int stuck);
/* A block device has appeared or changed. */
void mdc_react_block(struct mdc_react *react, const char *device, struct mdc_react_actions *out);
/* The CONFIRM has ended, err 0 or an errno. */
void mdc_react_result(struct mdc_react *react, int64_t now_ms, unsigned int seq, int err,
		      struct mdc_react_actions *out);
void mdc_react_verified(struct mdc_react *react, int64_t now_ms, unsigned int seq, bool member,
			struct mdc_react_actions *out);
/* The NACK has ended. */
void mdc_react_nacked(struct mdc_react *react, unsigned int seq, int err);
/* Time has passed; due at mdc_react_deadline(), harmless at any time. */
void mdc_react_tick(struct mdc_react *react, int64_t now_ms, struct mdc_react_actions *out);
/* The disk that was confirmed is out of the array again, since the add has failed; was it our
 * kernel module that took it out? */
void mdc_react_dropped(struct mdc_react *react, bool by_kernel, struct mdc_react_actions *out);
/* The array is stopped: nothing is to be answered any more. */
void mdc_react_cancel(struct mdc_react *react, struct mdc_react_actions *out);

/* Is this very disk being looked for, and not answered for yet? */
bool mdc_react_asked(const struct mdc_react *react, const struct mdc_uuid *device_uuid,
		     unsigned int raid_disk);
/* When to call mdc_react_tick, or -1. */
int64_t mdc_react_deadline(const struct mdc_react *react);
const char *mdc_react_phase_name(enum mdc_react_phase phase);
/* The attribute's value; false where there is none to show. */
bool mdc_react_attr(const struct mdc_react *react, char *out, unsigned int size);

#endif
