/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a guest of the test bed, and the way into it. Each virtio-serial
 * port named box.cmd* gets a process that runs one command after another for the host, so
 * that a command that hangs costs one port and no more; the second serial line gets a shell
 * for people. It owns nothing but these processes and reaps everybody's orphans.
 *
 * Request:  run ID TIMEOUT_MS COMMAND_LENGTH INPUT_LENGTH\n COMMAND INPUT
 * Reply:    done ID exit|signal|timeout|error CODE OUTPUT_LENGTH ERRORS_LENGTH\n OUTPUT ERRORS
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 16
#define DATA_MAX (64 << 20)
#define SHELL_TTY "/dev/ttyS1"

struct buffer {
	char *data;
	size_t len;
	size_t room;
};

struct request {
	unsigned long id;
	int64_t timeout_ms;
	char *command;
	struct buffer input;
};

struct job {
	pid_t pid;
	int pidfd;
	int in;
	int out;
	int err;
	size_t sent;
	struct buffer output;
	struct buffer errors;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int buffer_room(struct buffer *b, size_t more)
{
	size_t room = b->room ? b->room : 4096;
	char *data;

	while (room < b->len + more)
		room *= 2;
	if (room == b->room)
		return 0;
	data = realloc(b->data, room);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->room = room;
	return 0;
}

static void buffer_free(struct buffer *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

/* A port reads as empty while the host has not connected to it: that is not its end. */
static void port_read(int port, char *data, size_t len)
{
	while (len) {
		ssize_t n = read(port, data, len);

		if (n > 0) {
			data += n;
			len -= n;
		} else if (n == 0 || errno == EAGAIN || errno == EINTR) {
			usleep(20000);
		} else {
			exit(1);
		}
	}
}

static void port_write(int port, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(port, data, len);

		if (n > 0) {
			data += n;
			len -= n;
		} else if (n == 0 || errno == EAGAIN || errno == EINTR) {
			usleep(20000);
		} else {
			exit(1);
		}
	}
}

/* Anything that is not a request line is skipped, so that a new host process can begin anew. */
static int read_request(int port, struct request *r)
{
	char line[128];
	size_t len = 0, command_len, input_len;
	long long timeout_ms;

	memset(r, 0, sizeof(*r));
	do {
		port_read(port, line + len, 1);
	} while (line[len] != '\n' && ++len < sizeof(line) - 1);
	line[len] = 0;
	if (sscanf(line, "run %lu %lld %zu %zu", &r->id, &timeout_ms, &command_len,
		   &input_len) != 4 || command_len > DATA_MAX || input_len > DATA_MAX)
		return -EPROTO;
	r->timeout_ms = timeout_ms;
	r->command = malloc(command_len + 1);
	if (!r->command || buffer_room(&r->input, input_len + 1) < 0)
		exit(1);
	port_read(port, r->command, command_len);
	r->command[command_len] = 0;
	port_read(port, r->input.data, input_len);
	r->input.len = input_len;
	return 0;
}

static void child(const char *command, int in, int out, int err)
{
	sigset_t none;

	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	syscall(SYS_close_range, 3U, ~0U, 0U);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int job_start(struct job *j, const char *command)
{
	int in[2], out[2], err[2];

	memset(j, 0, sizeof(*j));
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return -errno;
	j->pid = fork();
	if (j->pid < 0)
		return -errno;
	if (j->pid == 0)
		child(command, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	j->in = in[1];
	j->out = out[0];
	j->err = err[0];
	fcntl(j->in, F_SETFL, O_NONBLOCK);
	fcntl(j->out, F_SETFL, O_NONBLOCK);
	fcntl(j->err, F_SETFL, O_NONBLOCK);
	j->pidfd = syscall(SYS_pidfd_open, j->pid, 0);
	return j->pidfd < 0 ? -errno : 0;
}

static void take(int *fd, struct buffer *b)
{
	ssize_t n;

	for (;;) {
		if (b->len >= DATA_MAX || buffer_room(b, 65536) < 0)
			break;
		n = read(*fd, b->data + b->len, 65536);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		b->len += n;
	}
	close(*fd);
	*fd = -1;
}

static void feed(struct job *j, const struct buffer *input)
{
	while (j->sent < input->len) {
		ssize_t n = write(j->in, input->data + j->sent, input->len - j->sent);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		j->sent += n;
	}
	close(j->in);
	j->in = -1;
}

/*
 * Ends with the command itself, not with the last holder of its output: a daemon that it
 * leaves behind must not keep the port. Returns false when the time was over.
 */
static int job_watch(struct job *j, const struct request *r)
{
	int64_t end = now_ms() + r->timeout_ms;

	for (;;) {
		struct pollfd p[4] = {
			{ .fd = j->pidfd, .events = POLLIN },
			{ .fd = j->out, .events = POLLIN },
			{ .fd = j->err, .events = POLLIN },
			{ .fd = j->in, .events = POLLOUT },
		};
		int64_t left = end - now_ms();

		if (left <= 0)
			return 0;
		poll(p, 4, left > 60000 ? 60000 : (int)left);
		if (j->in >= 0 && p[3].revents)
			feed(j, &r->input);
		if (j->out >= 0 && p[1].revents)
			take(&j->out, &j->output);
		if (j->err >= 0 && p[2].revents)
			take(&j->err, &j->errors);
		if (p[0].revents)
			return 1;
	}
}

/* A command in uninterruptible sleep survives even SIGKILL: it is left to itself. */
static const char *job_end(struct job *j, int ended, int *code)
{
	int status = 0, i;
	pid_t got = 0;

	if (!ended)
		kill(-j->pid, SIGKILL);
	for (i = 0; i < 50 && got == 0; i++) {
		got = waitpid(j->pid, &status, WNOHANG);
		if (got == 0)
			usleep(20000);
	}
	*code = 0;
	if (!ended) {
		*code = got == 0;
		return "timeout";
	}
	if (got != j->pid)
		return "error";
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	return WIFEXITED(status) ? "exit" : "signal";
}

static void serve(int port, const struct request *r)
{
	struct job j;
	const char *kind;
	char line[128];
	int rc, code, ended;

	rc = job_start(&j, r->command);
	if (rc < 0) {
		snprintf(line, sizeof(line), "done %lu error %d 0 0\n", r->id, -rc);
		port_write(port, line, strlen(line));
		exit(1);
	}
	ended = job_watch(&j, r);
	kind = job_end(&j, ended, &code);
	if (j.out >= 0)
		take(&j.out, &j.output);
	if (j.err >= 0)
		take(&j.err, &j.errors);
	snprintf(line, sizeof(line), "done %lu %s %d %zu %zu\n", r->id, kind, code, j.output.len,
		 j.errors.len);
	port_write(port, line, strlen(line));
	port_write(port, j.output.data, j.output.len);
	port_write(port, j.errors.data, j.errors.len);
	if (j.in >= 0)
		close(j.in);
	if (j.out >= 0)
		close(j.out);
	if (j.err >= 0)
		close(j.err);
	close(j.pidfd);
	buffer_free(&j.output);
	buffer_free(&j.errors);
}

static void port_main(const char *path)
{
	struct request r;
	int port;

	signal(SIGPIPE, SIG_IGN);
	port = open(path, O_RDWR | O_CLOEXEC);
	if (port < 0)
		exit(1);
	for (;;) {
		if (read_request(port, &r) == 0) {
			serve(port, &r);
			free(r.command);
			buffer_free(&r.input);
		}
	}
}

static void shell_main(void)
{
	int tty;

	setsid();
	tty = open(SHELL_TTY, O_RDWR);
	if (tty < 0)
		exit(1);
	ioctl(tty, TIOCSCTTY, 0);
	dup2(tty, 0);
	dup2(tty, 1);
	dup2(tty, 2);
	if (chdir("/root") < 0)
		_exit(1);
	setenv("TERM", "vt100", 1);
	execl("/bin/bash", "-bash", "-i", (char *)NULL);
	_exit(127);
}

/* There is no udevd to make names for the ports, so they are found where the kernel has them. */
static int find_ports(char paths[][64], int max)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *e;
	int n = 0;

	while (dir && n < max && (e = readdir(dir))) {
		char path[320], name[64] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "box.cmd", 7))
			snprintf(paths[n++], 64, "/dev/%.40s", e->d_name);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return n;
}

static pid_t start_worker(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (path)
			port_main(path);
		shell_main();
	}
	return pid;
}

int main(void)
{
	char paths[PORTS_MAX][64];
	pid_t workers[PORTS_MAX + 1];
	int i, n;

	for (i = 0; i < 100 && (n = find_ports(paths, PORTS_MAX)) == 0; i++)
		usleep(100000);
	for (i = 0; i <= n; i++)
		workers[i] = start_worker(i < n ? paths[i] : NULL);
	for (;;) {
		pid_t pid = wait(NULL);

		if (pid < 0)
			sleep(1);
		for (i = 0; i <= n && pid > 0; i++) {
			if (workers[i] != pid)
				continue;
			usleep(200000);
			workers[i] = start_worker(i < n ? paths[i] : NULL);
		}
	}
}
