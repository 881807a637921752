// SPDX-License-Identifier: GPL-2.0-or-later
/* What may have to be said again: see the header. */
#include "unsaid.h"

/* A RE_ADD is not among them: the superblock, read again, undoes that. */
static bool matters_for_good(u32 type)
{
	return type == MDC_REMOVE || type == MDC_CHANGE_CAPACITY || type == MDC_BITMAP_RESIZE;
}

/* But for their senders. */
static bool same(const struct mdc_msg *a, const struct mdc_msg *b)
{
	return a->type == b->type && a->raid_slot == b->raid_slot && a->low == b->low &&
	       a->high == b->high;
}

static void forget(struct mdc_unsaid *u, u32 at)
{
	u->count--;
	for (; at < u->count; at++)
		u->msg[at] = u->msg[at + 1];
}

void mdc_unsaid_known(struct mdc_unsaid *u, const struct mdc_msg *msg)
{
	u32 at = 0;

	while (at < u->count)
		if (same(&u->msg[at], msg))
			forget(u, at);
		else
			at++;
}

bool mdc_unsaid_read(struct mdc_unsaid *u, const struct mdc_msg *msg)
{
	struct mdc_msg removal = { .type = MDC_REMOVE, .raid_slot = msg->raid_slot };
	bool room;

	if (msg->type == MDC_NEWDISK)
		mdc_unsaid_known(u, &removal);
	if (!matters_for_good(msg->type))
		return true;
	/* What is said twice counts where it was said last. */
	mdc_unsaid_known(u, msg);
	room = u->count < MDC_UNSAID_MAX;
	if (!room)
		forget(u, 0);
	u->msg[u->count++] = *msg;
	return room;
}
