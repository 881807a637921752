/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's view of arrays through sysfs: never opens an array or a member, so it
 * cannot be held up by a path that hangs. libc only. `sys` is where sysfs is mounted
 * ("/sys"; a directory made for the purpose in unit tests).
 */
#ifndef MDC_MDSYS_H
#define MDC_MDSYS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/state.h"
#include "core/uuid.h"

/* Reads SYS/block/MD/md. 0, -ENOENT where there is no such array, -errno. */
int mdc_mdsys_read(const char *sys, const char *md, struct mdc_array *array);
/* Does this node hold the DLM lockspace of the array? (SYS/kernel/dlm/UUID) */
bool mdc_mdsys_lockspace(const char *sys, const struct mdc_uuid *uuid);
/* SYS/block/MD/md/uuid where the kernel has it. 0, -ENOENT, -EINVAL. */
int mdc_mdsys_uuid(const char *sys, const char *md, struct mdc_uuid *uuid);
/* Calls fn for each SYS/block/md*; stops when fn returns non-zero and returns that. */
int mdc_mdsys_each(const char *sys, int (*fn)(const char *md, void *data), void *data);

#endif
