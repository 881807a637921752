/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns child programs. The child is the leader of its own process group, so that what it
 * started itself ends with it; it is watched through a pidfd, because a daemon that it
 * leaves behind may keep the pipes open for ever.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 1000	/* from SIGTERM to SIGKILL, and from that to giving up */
#define TICK_MS 200	/* how soon *stop is seen when the signal came just before poll */

extern char **environ;

struct capture {
	int fd;			/* -1: closed */
	char *buf;		/* or NULL */
	size_t size, used;
	bool keep_end;
	bool truncated;
};

long long mdc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

char *mdc_last_line(char *text)
{
	size_t n = strlen(text);
	char *nl;

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		text[--n] = '\0';
	nl = strrchr(text, '\n');
	return nl ? nl + 1 : text;
}

static void capture_add(struct capture *c, const char *data, size_t n)
{
	size_t room;

	if (!c->buf || c->size < 2)
		return;
	room = c->size - 1 - c->used;
	if (n > room) {
		c->truncated = true;
		if (!c->keep_end) {
			n = room;
		} else if (n >= c->size - 1) {
			data += n - (c->size - 1);
			n = c->size - 1;
			c->used = 0;
		} else {
			memmove(c->buf, c->buf + (n - room), c->used - (n - room));
			c->used -= n - room;
		}
	}
	memcpy(c->buf + c->used, data, n);
	c->used += n;
	c->buf[c->used] = '\0';
}

static void capture_read(struct capture *c)
{
	char data[4096];

	while (c->fd >= 0) {
		ssize_t n = read(c->fd, data, sizeof(data));

		if (n > 0) {
			capture_add(c, data, (size_t)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		close(c->fd);
		c->fd = -1;
	}
}

static void set_env(const char *const *env)
{
	static char *none[] = { NULL };

	/* Messages are shown to people and compared by tests: always the same language. */
	if (!environ)
		environ = none;
	setenv("LC_ALL", "C", 1);
	for (; env && *env; env++)
		putenv((char *)*env);
}

/* Never returns; the reason why exec failed travels through report. */
static void __attribute__((noreturn)) child(const struct mdc_run *run, int out, int err, int report)
{
	int null = open("/dev/null", O_RDONLY), e;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
		e = errno;
	} else {
		set_env(run->env);
		execv(run->argv[0], (char *const *)run->argv);
		e = errno;
	}
	if (write(report, &e, sizeof(e)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(const struct mdc_run *run, int out, int err, pid_t *pid)
{
	int report[2], e = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	*pid = fork();
	if (*pid < 0) {
		e = errno;
		close(report[0]);
		close(report[1]);
		return -e;
	}
	if (*pid == 0)
		child(run, out, err, report[1]);
	close(report[1]);
	do
		n = read(report[0], &e, sizeof(e));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n != sizeof(e))
		return 0;	/* closed by exec: it runs */
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	return e ? -e : -EIO;
}

/* Waits until the child has ended, the deadline is there or *stop is set. */
static int follow(const struct mdc_run *run, int pidfd, struct capture *out, struct capture *err,
		  long long deadline)
{
	for (;;) {
		struct pollfd fds[3] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = out->fd, .events = POLLIN },
			{ .fd = err->fd, .events = POLLIN },
		};
		long long left = deadline - mdc_now_ms();

		if (run->stop && *run->stop)
			return -EINTR;
		if (left <= 0)
			return -ETIMEDOUT;
		if (left > TICK_MS)
			left = TICK_MS;
		if (poll(fds, 3, (int)left) < 0 && errno != EINTR)
			return -errno;
		capture_read(out);
		capture_read(err);
		if (fds[0].revents)
			return 0;
	}
}

/* Is the child gone within the time? A wait without end is not an option here. */
static bool reap(struct mdc_run *run, pid_t pid, int pidfd, int timeout_ms)
{
	long long deadline = mdc_now_ms() + timeout_ms;
	int status;

	for (;;) {
		struct pollfd fd = { .fd = pidfd, .events = POLLIN };
		pid_t got = waitpid(pid, &status, WNOHANG);
		long long left = deadline - mdc_now_ms();

		if (got == pid)
			break;
		if ((got < 0 && errno != EINTR) || left <= 0)
			return false;
		poll(&fd, 1, (int)left);
	}
	if (WIFEXITED(status))
		run->exit_code = WEXITSTATUS(status);
	else
		run->signal = WTERMSIG(status);
	return true;
}

static void end_child(struct mdc_run *run, pid_t pid, int pidfd)
{
	kill(-pid, SIGTERM);
	if (reap(run, pid, pidfd, GRACE_MS))
		return;
	kill(-pid, SIGKILL);
	run->left_behind = !reap(run, pid, pidfd, GRACE_MS);
}

int mdc_run(struct mdc_run *run)
{
	long long deadline = mdc_now_ms() + run->timeout_ms;
	struct capture out = { .fd = -1, .buf = run->out, .size = run->out_size };
	struct capture err = { .fd = -1, .buf = run->err, .size = run->err_size, .keep_end = true };
	int op[2] = { -1, -1 }, ep[2] = { -1, -1 }, pidfd = -1, rc;
	pid_t pid = -1;

	run->exit_code = -1;
	run->signal = 0;
	run->truncated = run->left_behind = false;
	if (out.buf && out.size)
		out.buf[0] = '\0';
	if (err.buf && err.size)
		err.buf[0] = '\0';
	if (pipe2(op, O_CLOEXEC) < 0 || pipe2(ep, O_CLOEXEC) < 0) {
		rc = -errno;
		goto out_close;
	}
	rc = spawn(run, op[1], ep[1], &pid);
	if (rc)
		goto out_close;
	close(op[1]);
	close(ep[1]);
	op[1] = ep[1] = -1;
	fcntl(op[0], F_SETFL, O_NONBLOCK);
	fcntl(ep[0], F_SETFL, O_NONBLOCK);
	out.fd = op[0];
	err.fd = ep[0];
	op[0] = ep[0] = -1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	rc = pidfd < 0 ? -errno : follow(run, pidfd, &out, &err, deadline);
	if (rc)
		end_child(run, pid, pidfd);
	else if (!reap(run, pid, pidfd, GRACE_MS))
		rc = -ECHILD;
	capture_read(&out);
	capture_read(&err);
	run->truncated = out.truncated;
	if (pidfd >= 0)
		close(pidfd);
out_close:
	for (int i = 0; i < 2; i++) {
		if (op[i] >= 0)
			close(op[i]);
		if (ep[i] >= 0)
			close(ep[i]);
	}
	if (out.fd >= 0)
		close(out.fd);
	if (err.fd >= 0)
		close(err.fd);
	return rc;
}
