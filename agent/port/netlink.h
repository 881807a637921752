/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our kernel module's netlink family: attached to it while the module is loaded, however often it
 * comes and goes. With the kernel's own module there is no family, and nothing happens here.
 * Main loop only.
 */
#ifndef MDC_NETLINK_H
#define MDC_NETLINK_H

#include "core/modmsg.h"

struct mdc_netlink;

struct mdc_netlink_calls {
	/* Attached, or messages were lost: a dump shows how things are now. */
	void (*look)(void *data);
	/* The module is gone. */
	void (*gone)(void *data);
	/* A disk that another node adds, or this one is about to, or an event. */
	void (*notice)(const struct mdc_mod_notice *notice, void *data);
	/* The kernel did not take the verdict; err: ENOENT where it no longer waits for it. */
	void (*not_taken)(const struct mdc_uuid *array, uint64_t proposal, int err, void *data);
};

/* NULL, with errno set: no netlink at all. calls must outlive it; none comes before the main loop. */
struct mdc_netlink *mdc_netlink_new(const struct mdc_netlink_calls *calls, void *data);
void mdc_netlink_free(struct mdc_netlink *nl);

/* Whether the kernel hands its questions to this process. */
bool mdc_netlink_attached(const struct mdc_netlink *nl);
/* refusal NULL: PROCEED. 0 or -errno; whether the kernel takes it is told later. */
int mdc_netlink_verdict(struct mdc_netlink *nl, const struct mdc_uuid *array, uint64_t proposal,
			const char *refusal);
/*
 * Hands each array that the module has to fn. 0; -ENOENT: the module is not loaded; another
 * -errno: not all of them were told. Takes microseconds, and at most a second. nl may be NULL.
 */
int mdc_netlink_dump(struct mdc_netlink *nl,
		     void (*fn)(const struct mdc_mod_array *array, void *data), void *data);

#endif
