/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's uevent socket. Main loop only. */
#ifndef MDC_UEVENTSOCK_H
#define MDC_UEVENTSOCK_H

#include "core/uevent.h"

struct mdc_ueventsock;

/* event: of a block device. NULL: some were lost, look at everything again. */
typedef void (*mdc_ueventsock_fn)(const struct mdc_uevent *event, void *data);

/* NULL, with errno set, if the socket cannot be had. */
struct mdc_ueventsock *mdc_ueventsock_new(mdc_ueventsock_fn fn, void *data);
void mdc_ueventsock_free(struct mdc_ueventsock *sock);

#endif
