/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DLM's list of locks (debugfs, LOCKSPACE_locks), as far as it tells our slot. Pure. */
#ifndef MDC_DLMLOCKS_H
#define MDC_DLMLOCKS_H

#include <stddef.h>

#define MDC_SLOT_MAX 10000	/* bitmapNNNN has four digits */

/*
 * The slot, from 1, whose bitmap lock this node holds in PW. -ENOENT: none; -EAGAIN: more
 * than one, as while another node's bitmap is being recovered; -EINVAL: not such a list.
 */
int mdc_dlmlocks_slot(const char *buf, size_t len);

#endif
