/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers that are real processes, for tests that count them in the place of port/worker.c. */
#ifndef MDC_UNIT_FORKED_H
#define MDC_UNIT_FORKED_H

#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* As mdc_worker_fork(); the worker ends after BOUND_S at the latest, where a test fails. */
static pid_t forked(void (*fn)(int fd, const void *data), const void *data, unsigned int bound_s,
		    int *fd)
{
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (!pid) {
		close(pair[0]);
		alarm(bound_s);
		fn(pair[1], data);
		_exit(0);
	}
	assert_true(pid > 0);
	close(pair[1]);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	*fd = pair[0];
	return pid;
}

#endif
