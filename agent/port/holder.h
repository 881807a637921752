/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mdadm that has an array open. libc only. */
#ifndef MDC_HOLDER_H
#define MDC_HOLDER_H

#include <sys/types.h>

/*
 * A process by the name of mdadm that has the block device md ("md127") open; 0: there is none.
 * proc is where procfs is mounted. mdadm --monitor opens arrays for moments only.
 */
pid_t mdc_holder_mdadm(const char *proc, const char *md);
/*
 * A descriptor that becomes readable when that process ends. 0: there is none, or its end cannot
 * be waited for. The caller closes *fd.
 */
pid_t mdc_holder_watch(const char *proc, const char *md, int *fd);

#endif
