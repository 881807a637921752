/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the client's end of mdclusterd's socket. Nothing waits without a bound: a stopped
 * mdclusterd still accepts connections in the kernel, and never reads them.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run.h"

static int wait_for(int fd, short events, long long deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		long long left = deadline - mdc_now_ms();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		return -errno;
	}
}

int mdc_client_open(struct mdc_client *client, const char *path, int timeout_ms)
{
	long long deadline = mdc_now_ms() + timeout_ms;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, rc;

	memset(client, 0, sizeof(*client));
	client->fd = -1;
	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A full backlog gives EAGAIN, which poll() does not wait for on a unix socket. */
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		rc = -errno;
		if (rc == -EAGAIN && mdc_now_ms() < deadline) {
			poll(NULL, 0, 20);
			continue;
		}
		close(fd);
		return rc == -EAGAIN ? -ETIMEDOUT : rc;
	}
	client->fd = fd;
	return 0;
}

static int send_all(int fd, const char *data, size_t len, long long deadline)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLOUT, deadline);
		if (rc)
			return rc;
	}
	return 0;
}

int mdc_client_send(struct mdc_client *client, const char *line, int timeout_ms)
{
	long long deadline = mdc_now_ms() + timeout_ms;
	int rc = send_all(client->fd, line, strlen(line), deadline);

	return rc ? rc : send_all(client->fd, "\n", 1, deadline);
}

/* Room for at least one more byte and a NUL. */
static int grow(struct mdc_client *client)
{
	size_t size;
	char *buf;

	if (client->taken) {
		memmove(client->buf, client->buf + client->taken, client->used - client->taken);
		client->used -= client->taken;
		client->taken = 0;
	}
	if (client->size - client->used > 1)
		return 0;
	if (client->size >= MDC_REPLY_MAX)
		return -EMSGSIZE;
	size = client->size ? client->size * 2 : 4096;
	buf = realloc(client->buf, size);
	if (!buf)
		return -ENOMEM;
	client->buf = buf;
	client->size = size;
	return 0;
}

int mdc_client_line(struct mdc_client *client, char **line, int timeout_ms)
{
	long long deadline = mdc_now_ms() + timeout_ms;

	for (;;) {
		char *start = client->buf + client->taken, *nl;
		ssize_t n;
		int rc;

		nl = client->used > client->taken ?
			     memchr(start, '\n', client->used - client->taken) : NULL;
		if (nl) {
			*nl = '\0';
			client->taken = (size_t)(nl - client->buf) + 1;
			*line = start;
			return 0;
		}
		rc = grow(client);
		if (rc)
			return rc;
		n = recv(client->fd, client->buf + client->used, client->size - client->used - 1,
			 MSG_DONTWAIT);
		if (n > 0) {
			client->used += (size_t)n;
			continue;
		}
		if (n == 0)
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(client->fd, POLLIN, deadline);
		if (rc)
			return rc;
	}
}

void mdc_client_close(struct mdc_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->buf);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

static int answer(const char *line, char *text, size_t size)
{
	const char *words;
	size_t n;
	int rc;

	if (!strcmp(line, "ok")) {
		words = "";
		rc = 0;
	} else if (!strncmp(line, "ok ", 3)) {
		words = line + 3;
		rc = 0;
	} else if (!strncmp(line, "error ", 6)) {
		words = line + 6;
		rc = -EREMOTEIO;
	} else {
		return -EPROTO;
	}
	n = strlen(words);
	if (size) {
		if (n >= size)
			n = size - 1;
		memcpy(text, words, n);
		text[n] = '\0';
	}
	return rc;
}

int mdc_client_ask(const char *path, const char *request, char *text, size_t size, int timeout_ms)
{
	long long deadline = mdc_now_ms() + timeout_ms, left;
	struct mdc_client client;
	char *line;
	int rc;

	if (size)
		text[0] = '\0';
	rc = mdc_client_open(&client, path, timeout_ms);
	if (rc)
		return rc;
	rc = mdc_client_send(&client, request, (int)(deadline - mdc_now_ms()));
	if (!rc) {
		left = deadline - mdc_now_ms();
		rc = mdc_client_line(&client, &line, left > 0 ? (int)left : 0);
	}
	if (!rc)
		rc = answer(line, text, size);
	mdc_client_close(&client);
	return rc;
}
