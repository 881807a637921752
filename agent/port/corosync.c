/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the child that talks to corosync, and the last thing it said. A child that dies is
 * started again after a pause; one that hangs, because corosync does, leaves the view as
 * it was: then the cluster has other means to deal with this node.
 */
#include "port/corosync.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "port/coroworker.h"
#include "port/worker.h"

#define RESTART_MS 2000

struct mdc_corosync {
	struct mdc_coro_request request;
	struct mdc_coro_view view;
	pid_t pid;
	int fd;
	guint io, child, timer;
	void (*changed)(const struct mdc_coro_view *view, void *data);
	void *data;
};

static void start(struct mdc_corosync *coro);

static gboolean restart(gpointer data)
{
	struct mdc_corosync *coro = data;

	coro->timer = 0;
	start(coro);
	return G_SOURCE_REMOVE;
}

static void hang_up(struct mdc_corosync *coro)
{
	g_clear_handle_id(&coro->io, g_source_remove);
	if (coro->fd >= 0)
		close(coro->fd);
	coro->fd = -1;
}

static void ended(GPid pid, gint status, gpointer data)
{
	struct mdc_corosync *coro = data;

	(void)pid;
	mdc_warn("the process that talks to corosync has ended (status %d); starting another",
		 status);
	coro->child = 0;
	hang_up(coro);
	memset(&coro->view, 0, sizeof(coro->view));
	coro->timer = g_timeout_add(RESTART_MS, restart, coro);
	coro->changed(&coro->view, coro->data);
}

static gboolean readable(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_corosync *coro = data;
	struct mdc_coro_view view;
	ssize_t n = recv(fd, &view, sizeof(view), MSG_DONTWAIT);

	(void)cond;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != (ssize_t)sizeof(view)) {
		coro->io = 0;
		return G_SOURCE_REMOVE;
	}
	coro->view = view;
	coro->changed(&coro->view, coro->data);
	return G_SOURCE_CONTINUE;
}

static void start(struct mdc_corosync *coro)
{
	pid_t pid = mdc_worker_fork(mdc_coroworker_run, &coro->request, true, &coro->fd);

	if (pid < 0) {
		mdc_err("cannot start the process that talks to corosync: %s", strerror(-pid));
		coro->fd = -1;
		coro->timer = g_timeout_add(RESTART_MS, restart, coro);
		return;
	}
	coro->pid = pid;
	coro->io = g_unix_fd_add(coro->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, coro);
	coro->child = g_child_watch_add(pid, ended, coro);
}

struct mdc_corosync *mdc_corosync_new(void (*changed)(const struct mdc_coro_view *view,
						      void *data), void *data,
				      const struct mdc_uuid *arrays, unsigned int n)
{
	struct mdc_corosync *coro = g_new0(struct mdc_corosync, 1);

	coro->request.n = MIN(n, MDC_CORO_LOCKSPACES_MAX);
	if (n)
		memcpy(coro->request.arrays, arrays, coro->request.n * sizeof(*arrays));
	coro->changed = changed;
	coro->data = data;
	coro->fd = -1;
	start(coro);
	return coro;
}

void mdc_corosync_free(struct mdc_corosync *coro)
{
	if (!coro)
		return;
	g_clear_handle_id(&coro->timer, g_source_remove);
	if (coro->child) {
		kill(coro->pid, SIGKILL);
		g_clear_handle_id(&coro->child, g_source_remove);
	}
	hang_up(coro);
	g_free(coro);
}

void mdc_corosync_lockspaces(struct mdc_corosync *coro, const struct mdc_uuid *arrays,
			     unsigned int n)
{
	memset(&coro->request, 0, sizeof(coro->request));
	coro->request.n = MIN(n, MDC_CORO_LOCKSPACES_MAX);
	if (n)
		memcpy(coro->request.arrays, arrays, coro->request.n * sizeof(*arrays));
	if (coro->fd >= 0 && send(coro->fd, &coro->request, sizeof(coro->request),
				  MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		mdc_warn("corosync does not answer; its view of the lockspaces is an old one");
}

const struct mdc_coro_view *mdc_corosync_view(const struct mdc_corosync *coro)
{
	return &coro->view;
}

const struct mdc_coro_lockspace *mdc_coro_lockspace(const struct mdc_coro_view *view,
						    const struct mdc_uuid *array)
{
	unsigned int i;

	for (i = 0; view->up && i < view->n_lockspaces; i++)
		if (mdc_uuid_equal(&view->lockspaces[i].array, array))
			return view->lockspaces[i].known ? &view->lockspaces[i] : NULL;
	return NULL;
}
