/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channel: one message at a time from one node to all others. PROTOCOL.md, "A message". */
#ifndef MDC_CHANNEL_H
#define MDC_CHANNEL_H

#include "cluster.h"

/*
 * Takes the channel: the right to send and the token, however long it takes. HOLDS_MUTEX: the
 * caller holds reconfig_mutex, and it is lent meanwhile. -ECANCELED, as from all of these and from
 * mdc_channel_send(): mdc_waits_in_vain(). What is given back then is given back behind the caller.
 */
int __must_check mdc_channel_take(struct mdc_cluster *c, bool holds_mutex);

/*
 * The same, but ends with -ECANCELED when GIVE_UP(ARG) says so (asked again after each change of
 * the cluster's state, without its lock), -EINTR when the caller is killed, -ETIMEDOUT after
 * TIMEOUT_MS (0: no limit).
 */
int __must_check mdc_channel_take_unless(struct mdc_cluster *c, bool holds_mutex,
					 unsigned int timeout_ms,
					 bool (*give_up)(void *arg), void *arg);

/*
 * Takes over a channel that an add or a re-add has kept, else as mdc_channel_take(), holding the
 * mutex.
 */
int __must_check mdc_channel_take_kept(struct mdc_cluster *c);

/* Leaves the channel held for mdc_channel_take_kept(), and the update that follows. */
void mdc_channel_keep(struct mdc_cluster *c);

/* If an add has kept it: gives it back. True if so. */
bool mdc_channel_drop_kept(struct mdc_cluster *c);

void mdc_channel_give(struct mdc_cluster *c);

/*
 * Sends MSG to all others and waits until each has acknowledged it or is gone. Holding the
 * channel. TIMEOUT_MS 0: as long as it takes; else -ETIMEDOUT, and whether a node has acted on it
 * is not known. The slot is filled in here.
 */
int __must_check mdc_channel_send(struct mdc_cluster *c, struct mdc_msg *msg,
				  unsigned int timeout_ms);

/*
 * A node is gone: sends again what it may have told only some, this one among them. Holding the
 * channel; as mdc_channel_send() else, which does this first as long as read_again is set.
 */
int __must_check mdc_channel_repeat(struct mdc_cluster *c, unsigned int timeout_ms);

/* Take, send for as long as it takes, give. */
int __must_check mdc_send(struct mdc_cluster *c, struct mdc_msg *msg, bool holds_mutex);

#endif
