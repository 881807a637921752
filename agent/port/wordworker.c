/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the membership in corosync's process group, in a child process. It hands on what happens
 * there, in the group's order, and remembers nothing. A word that is not sent within a second is
 * a reason to leave: the others would go on with the word before, and who has left is forgotten.
 */
#include "port/wordworker.h"

#include <corosync/cpg.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RECONNECT_MS 2000	/* nothing tells that corosync has come up */
#define TRY_MS 10
#define TRIES 100		/* a second: the group is about to change, or corosync is busy */
#define PARENT_MS 5000		/* mdclusterd reads at once, or is stopped */

struct group {
	int fd;				/* to mdclusterd */
	cpg_handle_t cpg;
	uint32_t self;
	bool lost;			/* mdclusterd has gone */
};

static const struct cpg_name name = {
	.length = sizeof(MDC_WORDS_GROUP) - 1, .value = MDC_WORDS_GROUP,
};

static void tell(struct group *g, const struct mdc_wordnews *news)
{
	struct pollfd p = { .fd = g->fd, .events = POLLOUT };
	ssize_t n = -1;

	if (!g->lost && poll(&p, 1, PARENT_MS) == 1)
		n = send(g->fd, news, sizeof(*news), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(*news))
		g->lost = true;
}

static struct group *group_of(cpg_handle_t cpg)
{
	void *g = NULL;

	return cpg_context_get(cpg, &g) == CS_OK ? g : NULL;
}

static void deliver(cpg_handle_t cpg, const struct cpg_name *group, uint32_t node, uint32_t pid,
		    void *msg, size_t len)
{
	struct mdc_wordnews news = { .kind = MDC_NEWS_SAID, .node = node, .pid = pid };
	struct group *g = group_of(cpg);

	(void)group;
	if (!g)
		return;
	if (node == g->self) {
		/* Of another process here: one that its mdclusterd has left behind. */
		if (pid != (uint32_t)getpid())
			return;
		news.kind = MDC_NEWS_ECHO;
		tell(g, &news);
		return;
	}
	news.len = len > sizeof(news.text) ? (uint32_t)sizeof(news.text) + 1 : (uint32_t)len;
	memcpy(news.text, msg, len > sizeof(news.text) ? sizeof(news.text) : len);
	tell(g, &news);
}

static void change(cpg_handle_t cpg, const struct cpg_name *group,
		   const struct cpg_address *members, size_t n_members,
		   const struct cpg_address *left, size_t n_left,
		   const struct cpg_address *joined, size_t n_joined)
{
	struct mdc_wordnews news = { .kind = MDC_NEWS_LEFT };
	struct group *g = group_of(cpg);
	size_t i;

	(void)group;
	(void)members;
	(void)n_members;
	(void)joined;
	if (!g)
		return;
	for (i = 0; i < n_left; i++) {
		news.node = left[i].nodeid;
		news.pid = left[i].pid;
		tell(g, &news);
	}
	if (!n_joined)
		return;
	news = (struct mdc_wordnews){ .kind = MDC_NEWS_JOINED, .node = g->self };
	tell(g, &news);
}

static bool join(struct group *g)
{
	cpg_callbacks_t calls = { .cpg_deliver_fn = deliver, .cpg_confchg_fn = change };
	cs_error_t ret;
	unsigned int i;

	if (cpg_initialize(&g->cpg, &calls) != CS_OK)
		return false;
	ret = cpg_context_set(g->cpg, g);
	if (ret == CS_OK)
		ret = cpg_local_get(g->cpg, &g->self);
	for (i = 0; ret == CS_OK && i < TRIES; i++) {
		ret = cpg_join(g->cpg, &name);
		if (ret == CS_OK)
			return true;
		if (ret == CS_ERR_TRY_AGAIN) {
			poll(NULL, 0, TRY_MS);
			ret = CS_OK;
		}
	}
	cpg_finalize(g->cpg);
	return false;
}

static bool say(struct group *g, const char *text, size_t len)
{
	struct iovec iov = { .iov_base = (void *)text, .iov_len = len };
	cs_error_t ret;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		ret = cpg_mcast_joined(g->cpg, CPG_TYPE_AGREED, &iov, 1);
		if (ret != CS_ERR_TRY_AGAIN)
			return ret == CS_OK;
		poll(NULL, 0, TRY_MS);
	}
	return false;
}

static void attend(struct group *g)
{
	struct pollfd p[2] = { { .fd = g->fd, .events = POLLIN }, { .events = POLLIN } };
	char text[MDC_WORD_MAX];

	if (cpg_fd_get(g->cpg, &p[1].fd) != CS_OK)
		return;
	while (!g->lost) {
		cs_error_t ret;
		ssize_t n;

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		/* Its own first: writers wait for it. */
		if (p[0].revents) {
			n = recv(g->fd, text, sizeof(text), MSG_DONTWAIT);
			if (n <= 0 || !say(g, text, (size_t)n))
				return;
		}
		if (!p[1].revents)
			continue;
		ret = cpg_dispatch(g->cpg, CS_DISPATCH_ALL);
		if (ret != CS_OK && ret != CS_ERR_TRY_AGAIN)
			return;
	}
}

void mdc_wordworker_run(int fd, const void *data)
{
	struct group g = { .fd = fd };

	(void)data;
	while (!join(&g)) {
		/* Nothing is sent to a child that has not said that it has joined. */
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, RECONNECT_MS) > 0)
			return;
	}
	attend(&g);
	cpg_finalize(g.cpg);
}
