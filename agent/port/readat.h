/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads from a descriptor. libc only. */
#ifndef MDC_READAT_H
#define MDC_READAT_H

#include <stddef.h>
#include <stdint.h>

/*
 * All of it, or -errno; -ENODATA: it ends before. With O_DIRECT buf, len and offset are to be as the
 * device wants them. May hang if the device does.
 */
int mdc_read_at(int fd, void *buf, size_t len, uint64_t offset);

#endif
