/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the connections to corosync (cmap, quorum, cpg), in a child process. Quorum wakes
 * it by its descriptor; the process groups of the DLM cannot be watched without joining
 * them, so they are listed again after each event and each request.
 */
#include "port/coroworker.h"

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECONNECT_MS 2000	/* nothing tells that corosync has come up */
#define AGAIN_MS 200		/* it is there, and says to try again */
#define AGAIN_MAX 50		/* longer than an agent's start waits; then it counts as down */
#define DLM_GROUP "dlm:controld"
#define LOCKSPACE_GROUP "dlm:ls:"

struct coro {
	bool open;
	quorum_handle_t quorum;
	cpg_handle_t cpg;
	int quorum_fd;
	struct mdc_coro_request request;
	struct mdc_coro_view view, sent;
	bool have_sent;
};

static void on_quorum(quorum_handle_t handle, uint32_t quorate, uint64_t ring, uint32_t n,
		      uint32_t *list)
{
	/* Only to be woken: what holds is asked for afterwards. */
	(void)handle;
	(void)quorate;
	(void)ring;
	(void)n;
	(void)list;
}

static void close_all(struct coro *c)
{
	if (!c->open)
		return;
	quorum_finalize(c->quorum);
	cpg_finalize(c->cpg);
	c->open = false;
}

static void read_name(struct mdc_coro_view *view)
{
	cmap_handle_t cmap;
	char *name = NULL;

	view->cluster[0] = '\0';
	if (cmap_initialize(&cmap) != CS_OK)
		return;
	if (cmap_get_string(cmap, "totem.cluster_name", &name) == CS_OK && name) {
		if (strlen(name) < sizeof(view->cluster))
			strcpy(view->cluster, name);
		free(name);
	}
	cmap_finalize(cmap);
}

static cs_error_t open_all(struct coro *c)
{
	quorum_callbacks_t quorum_cb = { .quorum_notify_fn = on_quorum };
	cpg_callbacks_t cpg_cb = { .cpg_deliver_fn = NULL };
	unsigned int nodeid = 0;
	uint32_t type;
	cs_error_t ret;

	ret = quorum_initialize(&c->quorum, &quorum_cb, &type);
	if (ret != CS_OK)
		return ret;
	ret = cpg_initialize(&c->cpg, &cpg_cb);
	if (ret != CS_OK) {
		quorum_finalize(c->quorum);
		return ret;
	}
	c->open = true;
	ret = quorum_fd_get(c->quorum, &c->quorum_fd);
	if (ret == CS_OK)
		ret = quorum_trackstart(c->quorum, CS_TRACK_CHANGES);
	if (ret == CS_OK)
		ret = cpg_local_get(c->cpg, &nodeid);
	if (ret != CS_OK) {
		close_all(c);
		return ret;
	}
	c->view.nodeid = nodeid;
	read_name(&c->view);
	return CS_OK;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Adds the node ids of a group's members, each once; false if it cannot be read. */
static bool add_members(struct coro *c, const struct cpg_name *group, uint32_t *nodes,
			unsigned int *n)
{
	struct cpg_iteration_description_t one;
	cpg_iteration_handle_t it;
	unsigned int i;
	cs_error_t ret;

	ret = cpg_iteration_initialize(c->cpg, CPG_ITERATION_ONE_GROUP, group, &it);
	if (ret != CS_OK)
		return false;
	while ((ret = cpg_iteration_next(it, &one)) == CS_OK) {
		for (i = 0; i < *n && nodes[i] != one.nodeid; i++)
			;
		if (i == *n && *n < MDC_CHECK_NODES_MAX)
			nodes[(*n)++] = one.nodeid;
	}
	cpg_iteration_finalize(it);
	return ret == CS_ERR_NO_SECTIONS;
}

/* dlm_controld counts the NUL into its groups' names; that is its choice, so both are asked. */
static bool group_nodes(struct coro *c, const char *name, uint32_t *nodes, unsigned int *n)
{
	struct cpg_name group = { .length = strlen(name) };
	bool ok;

	*n = 0;
	memcpy(group.value, name, group.length);
	ok = add_members(c, &group, nodes, n);
	group.length++;
	ok = add_members(c, &group, nodes, n) && ok;
	qsort(nodes, *n, sizeof(*nodes), by_number);
	return ok;
}

static void look_at_groups(struct coro *c)
{
	uint32_t nodes[MDC_CHECK_NODES_MAX];
	char uuid[MDC_UUID_DASH], name[64];
	unsigned int i, n;

	c->view.dlm = -1;
	if (group_nodes(c, DLM_GROUP, nodes, &n)) {
		c->view.dlm = 0;
		for (i = 0; i < n; i++)
			if (nodes[i] == c->view.nodeid)
				c->view.dlm = 1;
	}
	c->view.n_lockspaces = c->request.n;
	for (i = 0; i < c->request.n; i++) {
		struct mdc_coro_lockspace *ls = &c->view.lockspaces[i];

		memset(ls, 0, sizeof(*ls));
		ls->array = c->request.arrays[i];
		mdc_uuid_dash(&ls->array, uuid);
		snprintf(name, sizeof(name), "%s%s", LOCKSPACE_GROUP, uuid);
		ls->known = group_nodes(c, name, ls->nodes, &ls->n);
	}
}

/* CS_ERR_TRY_AGAIN: corosync is there and has not answered; the view is not to be told. */
static cs_error_t look(struct coro *c)
{
	cs_error_t ret;
	int quorate = 0;

	if (c->open && (quorum_dispatch(c->quorum, CS_DISPATCH_ALL) != CS_OK ||
			quorum_getquorate(c->quorum, &quorate) != CS_OK))
		close_all(c);
	if (!c->open) {
		memset(&c->view, 0, sizeof(c->view));
		ret = open_all(c);
		if (ret == CS_OK)
			ret = quorum_getquorate(c->quorum, &quorate);
		if (ret != CS_OK) {
			close_all(c);
			memset(&c->view, 0, sizeof(c->view));
			return ret;
		}
	}
	c->view.up = true;
	c->view.quorate = quorate;
	look_at_groups(c);
	return CS_OK;
}

static bool tell(struct coro *c, int fd)
{
	if (c->have_sent && !memcmp(&c->view, &c->sent, sizeof(c->view)))
		return true;
	if (send(fd, &c->view, sizeof(c->view), MSG_NOSIGNAL) != (ssize_t)sizeof(c->view))
		return false;
	c->sent = c->view;
	c->have_sent = true;
	return true;
}

void mdc_coroworker_run(int fd, const void *data)
{
	struct coro *c = calloc(1, sizeof(*c));
	const struct mdc_coro_request *first = data;
	unsigned int again = 0;

	if (!c)
		return;
	c->request = *first;
	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
				       { .fd = -1, .events = POLLIN } };
		bool wait_again;

		again = look(c) == CS_ERR_TRY_AGAIN ? again + 1 : 0;
		wait_again = again && again < AGAIN_MAX;
		if (!wait_again && !tell(c, fd))
			break;
		if (c->open)
			p[1].fd = c->quorum_fd;
		if (poll(p, 2, c->open ? -1 : wait_again ? AGAIN_MS : RECONNECT_MS) < 0 &&
		    errno != EINTR)
			break;
		if (p[0].revents) {
			ssize_t n = recv(fd, &c->request, sizeof(c->request), MSG_DONTWAIT);

			if (n != (ssize_t)sizeof(c->request))
				break;
			/* Said again even if nothing has changed: somebody asked. */
			c->have_sent = false;
		}
	}
	close_all(c);
	free(c);
}
