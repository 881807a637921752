/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens a block device by its numbers. libc only; in workers, as an open may hang. */
#ifndef MDC_DEVNODE_H
#define MDC_DEVNODE_H

/*
 * path is tried first and used if it is that device; else a node is made, opened and
 * unlinked. Returns the descriptor or -errno.
 */
int mdc_devnode_open(const char *path, unsigned int major, unsigned int minor, int flags);

#endif
