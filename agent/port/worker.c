/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the forking of helpers. The child runs our own code after fork without exec: under
 * an emulated or busy CPU an exec costs a good part of the time in which the kernel must
 * have its answer. So the child uses libc, libblkid and corosync's libraries only, never
 * GLib and never the log.
 */
#include "port/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void detach(int *fd, bool die_with_parent, pid_t parent)
{
	static const int reset[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD };
	sigset_t none;
	unsigned int i;
	int null;

	if (die_with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	for (i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
	}
	/* From here the pair's end is 3 and nothing else is open: neither lock nor socket. */
	if (*fd != 3 && dup2(*fd, 3) < 0)
		_exit(1);
	*fd = 3;
	if (close_range(4, ~0U, 0))
		for (i = 4; i < 1024; i++)
			close((int)i);
}

pid_t mdc_worker_fork(void (*fn)(int fd, const void *data), const void *data,
		      bool die_with_parent, int *fd)
{
	pid_t parent = getpid(), pid;
	int pair[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		ret = -errno;
		close(pair[0]);
		close(pair[1]);
		return ret;
	}
	if (!pid) {
		detach(&pair[1], die_with_parent, parent);
		fn(pair[1], data);
		_exit(0);
	}
	close(pair[1]);
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK)) {
		ret = -errno;
		close(pair[0]);
		return ret;
	}
	*fd = pair[0];
	return pid;
}
