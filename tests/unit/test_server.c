/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port/server: a client that stays is told of its end, whoever ends it. Over a real socket, which
 * takes clients of root alone.
 */
#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/server.h"

struct bed {
	char *dir, *path;
	struct mdc_server *server;
	struct mdc_conn *conn;		/* the one that asked last */
	unsigned int lines, gone;
};

static void gone(void *data)
{
	((struct bed *)data)->gone++;
}

static void on_line(struct mdc_conn *conn, const char *line, size_t len, void *data)
{
	struct bed *b = data;

	b->conn = conn;
	b->lines++;
	mdc_conn_send(conn, "ok\n", 3);
	if (len == 4 && !memcmp(line, "stay", 4))
		mdc_conn_stay(conn, gone, b);
	else if (len == 3 && !memcmp(line, "let", 3))
		mdc_conn_stay(conn, NULL, NULL);
}

static int setup(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	*state = b;
	b->dir = g_dir_make_tmp("server-XXXXXX", NULL);
	b->path = g_build_filename(b->dir, "socket", NULL);
	b->server = mdc_server_new(b->path, on_line, b);
	return b->server ? 0 : -1;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	mdc_server_free(b->server);
	g_rmdir(b->dir);
	g_free(b->dir);
	g_free(b->path);
	g_free(b);
	return 0;
}

static int dial(const struct bed *b)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(addr.sun_path, b->path, sizeof(addr.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static gboolean too_long(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

/* Has the main loop run until *what is n; 10 s are many times what it takes. */
static void until(const unsigned int *what, unsigned int n)
{
	bool over = false;
	guint timer = g_timeout_add_seconds(10, too_long, &over);

	while (*what != n && !over)
		g_main_context_iteration(NULL, TRUE);
	if (!over)
		g_source_remove(timer);
	assert_int_equal(*what, n);
}

static void ask(struct bed *b, int fd, const char *line)
{
	unsigned int before = b->lines;
	char answer[8];

	assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
	until(&b->lines, before + 1);
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), 3);
}

static void test_client_ends(void **state)
{
	struct bed *b = *state;
	int fd;

	if (geteuid())
		skip();
	fd = dial(b);
	ask(b, fd, "stay\n");
	assert_int_equal(b->gone, 0);
	close(fd);
	until(&b->gone, 1);
	/* One that was let go again is not told. */
	fd = dial(b);
	ask(b, fd, "stay\n");
	ask(b, fd, "let\n");
	close(fd);
	fd = dial(b);
	ask(b, fd, "stay\n");
	close(fd);
	until(&b->gone, 2);
}

static void test_server_ends(void **state)
{
	struct bed *b = *state;
	char rest;
	int fd;

	if (geteuid())
		skip();
	fd = dial(b);
	ask(b, fd, "stay\n");
	mdc_server_free(b->server);
	b->server = NULL;
	assert_int_equal(b->gone, 1);
	assert_int_equal(recv(fd, &rest, 1, 0), 0);
	close(fd);
}

/* What the client does not read is bounded, and its end is told then as well. */
static void test_dropped(void **state)
{
	struct bed *b = *state;
	char *much;
	int fd;

	if (geteuid())
		skip();
	fd = dial(b);
	ask(b, fd, "stay\n");
	much = g_strnfill(MDC_SERVER_OUT_MAX, 'x');
	mdc_conn_send(b->conn, much, MDC_SERVER_OUT_MAX);
	mdc_conn_send(b->conn, much, MDC_SERVER_OUT_MAX);
	/* Not under the caller, who may still use it. */
	assert_int_equal(b->gone, 0);
	until(&b->gone, 1);
	g_free(much);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_client_ends), TEST(test_server_ends), TEST(test_dropped),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
