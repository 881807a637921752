/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forked helper that may get stuck in the kernel: a process, not a thread, since a
 * thread in D state would keep the lock and the socket of a dying mdclusterd alive.
 */
#ifndef MDC_WORKER_H
#define MDC_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Forks; the child has no descriptor but its end of a SOCK_SEQPACKET pair and stdio on
 * /dev/null, runs fn(fd, data) and ends. die_with_parent: it is killed when mdclusterd
 * ends. Returns the pid with the parent's end (close on exec, not blocking) in *fd, or
 * -errno. The caller reaps it.
 */
pid_t mdc_worker_fork(void (*fn)(int fd, const void *data), const void *data,
		      bool die_with_parent, int *fd);

#endif
