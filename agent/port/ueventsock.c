/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the NETLINK_KOBJECT_UEVENT socket in the kernel's group, not udevd's. Only root may
 * send to that group, and containers' root may as well, so each message's sender is
 * checked to be the kernel: netlink port 0 and credentials of pid 0.
 */
#include "port/ueventsock.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define KERNEL_GROUP 1
#define BUFFER_BYTES (16 << 20)	/* a thousand paths coming back at once fit */
#define BATCH 64		/* then the main loop has its turn */

struct mdc_ueventsock {
	int fd;
	guint source;
	mdc_ueventsock_fn fn;
	void *data;
};

static bool from_kernel(struct msghdr *msg, const struct sockaddr_nl *from)
{
	struct cmsghdr *c;

	if (msg->msg_namelen != sizeof(*from) || from->nl_family != AF_NETLINK || from->nl_pid)
		return false;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct ucred cred;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
		    c->cmsg_len != CMSG_LEN(sizeof(cred)))
			continue;
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		return !cred.pid && !cred.uid;
	}
	return false;
}

/* One message; false when there is none. */
static bool receive(struct mdc_ueventsock *sock)
{
	char buf[MDC_UEVENT_BYTES], control[CMSG_SPACE(sizeof(struct ucred))];
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	struct mdc_uevent event;
	int ret;

	if (n < 0 && errno == ENOBUFS) {
		mdc_warn("the kernel had more events than were read in time and dropped some; "
			 "looking at all arrays again");
		sock->fn(NULL, sock->data);
		return true;
	}
	if (n < 0)
		return errno == EINTR;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || !from_kernel(&msg, &from))
		return true;
	ret = mdc_uevent_parse(&event, buf, (size_t)n);
	if (ret) {
		mdc_info("an event of the kernel was not understood and left out: %s",
			 strerror(-ret));
		return true;
	}
	if (!strcmp(event.subsystem, "block"))
		sock->fn(&event, sock->data);
	return true;
}

static gboolean readable(gint fd, GIOCondition cond, gpointer data)
{
	int i;

	(void)fd;
	(void)cond;
	for (i = 0; i < BATCH && receive(data); i++)
		;
	return G_SOURCE_CONTINUE;
}

struct mdc_ueventsock *mdc_ueventsock_new(mdc_ueventsock_fn fn, void *data)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	struct mdc_ueventsock *sock;
	int size = BUFFER_BYTES, on = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return NULL;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = errno;

		close(fd);
		errno = err;
		return NULL;
	}
	sock = g_new0(struct mdc_ueventsock, 1);
	sock->fd = fd;
	sock->fn = fn;
	sock->data = data;
	sock->source = g_unix_fd_add(fd, G_IO_IN, readable, sock);
	/* Before all else: the kernel waits for what this brings. */
	g_source_set_priority(g_main_context_find_source_by_id(NULL, sock->source),
			      G_PRIORITY_HIGH);
	return sock;
}

void mdc_ueventsock_free(struct mdc_ueventsock *sock)
{
	if (!sock)
		return;
	g_source_remove(sock->source);
	close(sock->fd);
	g_free(sock);
}
