/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdclusterctl's end of mdclusterd's socket: client.h with sentences for a person. Each
 * wait is at most MDC_CTL_WAIT_S.
 */
#ifndef MDC_CTL_LINK_H
#define MDC_CTL_LINK_H

#include <gio/gio.h>

#include "client.h"

#define MDC_CTL_WAIT_S 10

/* 0 with client open, or -errno with *error. */
int mdc_ctl_link_open(struct mdc_client *client, const char *path, GError **error);
/*
 * Sends one line (no newline in it) and returns what stands behind "ok", valid until the
 * next line is read; NULL with *error.
 */
const char *mdc_ctl_link_ask(struct mdc_client *client, const char *request, GError **error);

#endif
