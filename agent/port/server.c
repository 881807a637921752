/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the listening socket and its clients. Every client has a bound on what it may send
 * at once, on what it may leave unread, and on the time it may stay silent, so that none
 * of them can make mdclusterd wait or grow. Nothing is logged while sending: the log
 * itself is sent to clients.
 */
#include "port/server.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/track.h"
#include "log.h"

#define SILENT_S 60

struct mdc_conn {
	struct mdc_server *server;
	int fd;
	guint in, out, timer;
	char line[MDC_LINE_MAX];
	size_t fill;
	GByteArray *unsent;
	bool follows, doomed, end_after_send;
	void (*gone)(void *data);	/* NULL: it may be timed out */
	void *gone_data;
};

struct mdc_server {
	int fd;
	guint source, sweep;
	char *path;
	GPtrArray *conns;
	mdc_server_fn fn;
	void *data;
};

static void free_conn(struct mdc_conn *conn)
{
	void (*gone)(void *) = conn->gone;
	void *data = conn->gone_data;

	g_clear_handle_id(&conn->in, g_source_remove);
	g_clear_handle_id(&conn->out, g_source_remove);
	g_clear_handle_id(&conn->timer, g_source_remove);
	g_ptr_array_remove_fast(conn->server->conns, conn);
	g_byte_array_free(conn->unsent, TRUE);
	close(conn->fd);
	g_free(conn);
	if (gone)
		gone(data);
}

/* Clients are freed from here only, never under a function that still uses them. */
static gboolean sweep(gpointer data)
{
	struct mdc_server *server = data;
	guint i = 0;

	server->sweep = 0;
	while (i < server->conns->len) {
		struct mdc_conn *conn = server->conns->pdata[i];

		if (conn->doomed)
			free_conn(conn);
		else
			i++;
	}
	return G_SOURCE_REMOVE;
}

static void doom(struct mdc_conn *conn)
{
	conn->doomed = true;
	g_clear_handle_id(&conn->in, g_source_remove);
	g_clear_handle_id(&conn->out, g_source_remove);
	if (!conn->server->sweep)
		conn->server->sweep = g_idle_add_full(G_PRIORITY_DEFAULT, sweep, conn->server,
						      NULL);
}

static void flush(struct mdc_conn *conn);

static gboolean writable(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_conn *conn = data;

	(void)fd;
	(void)cond;
	conn->out = 0;
	flush(conn);
	return G_SOURCE_REMOVE;
}

static void flush(struct mdc_conn *conn)
{
	while (conn->unsent->len && !conn->doomed) {
		ssize_t n = send(conn->fd, conn->unsent->data, conn->unsent->len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!conn->out)
				conn->out = g_unix_fd_add(conn->fd, G_IO_OUT, writable, conn);
			return;
		}
		if (n < 0) {
			doom(conn);
			return;
		}
		g_byte_array_remove_range(conn->unsent, 0, (guint)n);
	}
	if (conn->end_after_send && !conn->doomed)
		doom(conn);
}

void mdc_conn_send(struct mdc_conn *conn, const char *text, size_t len)
{
	if (conn->doomed)
		return;
	if (conn->unsent->len + len > MDC_SERVER_OUT_MAX) {
		doom(conn);
		return;
	}
	g_byte_array_append(conn->unsent, (const guint8 *)text, (guint)len);
	flush(conn);
}

static gboolean silent(gpointer data)
{
	struct mdc_conn *conn = data;

	conn->timer = 0;
	doom(conn);
	return G_SOURCE_REMOVE;
}

static void restart_timer(struct mdc_conn *conn)
{
	g_clear_handle_id(&conn->timer, g_source_remove);
	if (!conn->follows && !conn->gone)
		conn->timer = g_timeout_add_seconds(SILENT_S, silent, conn);
}

void mdc_conn_follow(struct mdc_conn *conn)
{
	conn->follows = true;
	restart_timer(conn);
}

void mdc_conn_stay(struct mdc_conn *conn, void (*gone)(void *data), void *data)
{
	conn->gone = gone;
	conn->gone_data = data;
	restart_timer(conn);
}

void mdc_server_tell(struct mdc_server *server, const char *text, size_t len)
{
	guint i;

	for (i = 0; i < server->conns->len; i++) {
		struct mdc_conn *conn = server->conns->pdata[i];

		if (conn->follows)
			mdc_conn_send(conn, text, len);
	}
}

static void take_lines(struct mdc_conn *conn)
{
	char *nl;

	while (!conn->doomed && (nl = memchr(conn->line, '\n', conn->fill))) {
		size_t len = (size_t)(nl - conn->line);

		conn->server->fn(conn, conn->line, len, conn->server->data);
		conn->fill -= len + 1;
		memmove(conn->line, nl + 1, conn->fill);
	}
	if (!conn->doomed && conn->fill == sizeof(conn->line)) {
		static const char error[] = "error the request is longer than 4096 bytes\n";

		conn->end_after_send = true;
		mdc_conn_send(conn, error, sizeof(error) - 1);
	}
}

static gboolean readable(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_conn *conn = data;
	size_t room = sizeof(conn->line) - conn->fill;
	ssize_t n;

	(void)cond;
	if (!room || conn->end_after_send) {
		doom(conn);
		return G_SOURCE_CONTINUE;
	}
	n = recv(fd, conn->line + conn->fill, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		doom(conn);
		return G_SOURCE_CONTINUE;
	}
	conn->fill += (size_t)n;
	restart_timer(conn);
	take_lines(conn);
	return G_SOURCE_CONTINUE;
}

static gboolean incoming(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_server *server = data;
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);
	struct mdc_conn *conn;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)cond;
	if (client < 0)
		return G_SOURCE_CONTINUE;
	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &len) || cred.uid != 0) {
		mdc_warn("a process of user %ld tried to use the socket: refused",
			 (long)cred.uid);
		close(client);
		return G_SOURCE_CONTINUE;
	}
	if (server->conns->len >= MDC_SERVER_CLIENTS_MAX) {
		static const char full[] = "error too many clients; try again\n";

		(void)!send(client, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(client);
		return G_SOURCE_CONTINUE;
	}
	conn = g_new0(struct mdc_conn, 1);
	conn->server = server;
	conn->fd = client;
	conn->unsent = g_byte_array_new();
	conn->in = g_unix_fd_add(client, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, conn);
	g_ptr_array_add(server->conns, conn);
	restart_timer(conn);
	return G_SOURCE_CONTINUE;
}

static int address(struct sockaddr_un *addr, const char *path)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	return g_strlcpy(addr->sun_path, path, sizeof(addr->sun_path)) < sizeof(addr->sun_path) ?
		       0 : -ENAMETOOLONG;
}

struct mdc_server *mdc_server_new(const char *path, mdc_server_fn fn, void *data)
{
	struct mdc_server *server;
	struct sockaddr_un addr;
	mode_t mask;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int ret;

	if (fd < 0 || address(&addr, path)) {
		mdc_err("cannot make the socket %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	unlink(path);
	mask = umask(0177);
	ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (ret || listen(fd, 16)) {
		mdc_err("cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		return NULL;
	}
	server = g_new0(struct mdc_server, 1);
	server->fd = fd;
	server->path = g_strdup(path);
	server->conns = g_ptr_array_new();
	server->fn = fn;
	server->data = data;
	server->source = g_unix_fd_add(fd, G_IO_IN, incoming, server);
	return server;
}

void mdc_server_free(struct mdc_server *server)
{
	if (!server)
		return;
	unlink(server->path);
	while (server->conns->len)
		free_conn(server->conns->pdata[0]);
	g_clear_handle_id(&server->sweep, g_source_remove);
	g_source_remove(server->source);
	close(server->fd);
	g_ptr_array_free(server->conns, TRUE);
	g_free(server->path);
	g_free(server);
}

int mdc_server_ask(const char *path, unsigned int timeout_ms)
{
	static const char ask[] = "ping uuid=00000000:00000000:00000000:00000000\n";
	struct sockaddr_un addr;
	struct timeval tv = { .tv_sec = timeout_ms / 1000,
			      .tv_usec = (timeout_ms % 1000) * 1000 };
	char answer[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = -ENOTCONN;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (!address(&addr, path) && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(ask) - 1 &&
	    recv(fd, answer, sizeof(answer), 0) > 2 && !memcmp(answer, "ok", 2))
		ret = 0;
	close(fd);
	return ret;
}
