/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that matter for good (no superblock has what they say) and that this node has read, but
 * has not seen come to all: if their sender is gone, this node says them. PROTOCOL.md, "When one of
 * them dies". No locks, no I/O: the caller sees to it that one at a time is here.
 */
#ifndef MDC_CORE_UNSAID_H
#define MDC_CORE_UNSAID_H

#include "wire.h"

#define MDC_UNSAID_MAX 4	/* more senders than these do not die before anybody has said it */

/* All zero: none. */
struct mdc_unsaid {
	struct mdc_msg msg[MDC_UNSAID_MAX];	/* the oldest first */
	u32 count;
};

/*
 * MSG was read. False: there was no room for it, and the oldest one is forgotten. A NEWDISK of a
 * device number makes an earlier REMOVE of it void: who said that knew that it had come to all.
 */
bool mdc_unsaid_read(struct mdc_unsaid *u, const struct mdc_msg *msg);

/* All have MSG, whoever sent it. */
void mdc_unsaid_known(struct mdc_unsaid *u, const struct mdc_msg *msg);

#endif
