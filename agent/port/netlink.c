/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the netlink socket that is this node's agent for our kernel module, and the short-lived
 * ones that ask it. The module may come and go: nlctrl tells of both on the same socket, so
 * nothing is polled. The kernel answers a request before the call that sends it returns, so that
 * what waits for an answer here waits for nothing but a kernel that has a bug.
 */
#include "port/netlink.h"

#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <string.h>

#include "log.h"
#include "mdcluster.h"

#define BUFFER_BYTES (1 << 20)	/* of events not yet read */
#define BATCH 64		/* then the main loop has its turn */
#define ANSWER_MS 1000
#define AGAIN_S 10
#define VERDICTS_MAX 8		/* unanswered; the kernel answers at once */
#define DUMP_BYTES 32768	/* as much as the kernel puts into one part of a dump */

struct verdict {
	uint32_t seq;			/* 0: none */
	struct mdc_uuid array;
	uint64_t proposal;		/* which another array may have as well */
};

struct mdc_netlink {
	const struct mdc_netlink_calls *calls;
	void *data;
	struct mnl_socket *sock;
	guint source, again;
	uint16_t family;		/* 0: the module is not loaded */
	uint32_t seq;			/* of the ATTACH that waits for its answer; 0: none does */
	uint32_t last_seq;
	bool attached;
	bool said;			/* why it cannot be attached */
	struct verdict verdicts[VERDICTS_MAX];
};

struct find {
	const char *name;
	struct mdc_mod_family family;
};

/* One dump, as its answers are read. */
struct dump {
	uint16_t type;			/* of the answers */
	uint32_t seq;
	int ret;			/* the first error of fn */
	int (*fn)(const void *buf, size_t len, void *into);
	void *into;
};

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags, uint8_t cmd,
				uint8_t version, uint32_t seq)
{
	struct nlmsghdr *head = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	head->nlmsg_type = type;
	head->nlmsg_flags = NLM_F_REQUEST | flags;
	head->nlmsg_seq = seq;
	genl = mnl_nlmsg_put_extra_header(head, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return head;
}

/* One datagram, from the kernel and whole. Its length, or -errno; -EAGAIN: not one to use. */
static ssize_t receive(struct mnl_socket *sock, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n = recvmsg(mnl_socket_get_fd(sock), &msg, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	if (msg.msg_namelen != sizeof(from) || from.nl_family != AF_NETLINK || from.nl_pid)
		return -EAGAIN;
	return n;
}

/* One message of a dump: 1 when it was the last one, 0, or -errno. */
static int dump_message(struct dump *dump, const struct nlmsghdr *head)
{
	const void *payload = mnl_nlmsg_get_payload(head);
	size_t len = mnl_nlmsg_get_payload_len(head);
	char text[MDC_MOD_ACK_MAX];
	int err, ret;

	if (head->nlmsg_seq != dump->seq)
		return 0;
	if (head->nlmsg_type == NLMSG_DONE) {
		memcpy(&err, payload, len < sizeof(err) ? 0 : sizeof(err));
		return len >= sizeof(err) && err < 0 ? err : 1;
	}
	if (head->nlmsg_type == NLMSG_ERROR) {
		ret = mdc_mod_ack_parse(&err, text, payload, len);
		return ret ? ret : err ? -err : 1;
	}
	if (head->nlmsg_type != dump->type)
		return 0;
	ret = dump->fn(payload, len, dump->into);
	if (ret && !dump->ret)
		dump->ret = ret;
	return 0;
}

/* All of a dump's answers. */
static int dump_read(struct mnl_socket *sock, struct dump *dump, void *buf)
{
	gint64 until = g_get_monotonic_time() + ANSWER_MS * 1000;

	for (;;) {
		const struct nlmsghdr *head = buf;
		ssize_t n = receive(sock, buf, DUMP_BYTES);
		int len = (int)n, ret;

		if (n == -EAGAIN) {
			gint64 left = (until - g_get_monotonic_time()) / 1000;
			struct pollfd p = { .fd = mnl_socket_get_fd(sock), .events = POLLIN };

			if (left <= 0 || !poll(&p, 1, (int)left))
				return -ETIMEDOUT;
			continue;
		}
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		for (; mnl_nlmsg_ok(head, len); head = mnl_nlmsg_next(head, &len)) {
			ret = dump_message(dump, head);
			if (ret)
				return ret < 0 ? ret : dump->ret;
		}
	}
}

static int ask(uint16_t type, uint8_t cmd, uint8_t version,
	       int (*fn)(const void *buf, size_t len, void *into), void *into)
{
	struct dump dump = { .type = type, .seq = 1, .fn = fn, .into = into };
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	g_autofree void *buf = g_malloc(DUMP_BYTES);
	struct nlmsghdr *head;
	int on = 1, ret;

	if (!sock)
		return -errno;
	head = request(buf, type, NLM_F_DUMP, cmd, version, dump.seq);
	if (mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(sock, head, head->nlmsg_len) < 0)
		ret = -errno;
	else
		ret = dump_read(sock, &dump, buf);
	mnl_socket_close(sock);
	return ret;
}

static int is_it(const void *buf, size_t len, void *into)
{
	struct find *find = into;
	struct mdc_mod_family family;
	int ret = mdc_mod_family_parse(&family, buf, len);

	if (!ret && !strcmp(family.name, find->name))
		find->family = family;
	/* One that is not understood is somebody else's. */
	return 0;
}

/*
 * Looks a family up among all that there are. To ask for it by its name would have the kernel
 * look for a module that brings it, and wait for modprobe.
 */
static int find_family(const char *name, struct mdc_mod_family *family)
{
	struct find find = { .name = name };
	int ret = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, is_it, &find);

	*family = find.family;
	return ret ? ret : family->id ? 0 : -ENOENT;
}

static void attach(struct mdc_netlink *nl);

static gboolean attach_again(gpointer data)
{
	struct mdc_netlink *nl = data;

	nl->again = 0;
	attach(nl);
	return G_SOURCE_REMOVE;
}

static void refused(struct mdc_netlink *nl, int err, const char *text)
{
	if (!nl->said)
		mdc_err("the kernel module does not take this mdclusterd as its agent: %s%s%s. Disks "
			"that other nodes add are answered for by the other agent, if at all",
			strerror(err), text[0] ? ": " : "", text);
	nl->said = true;
	if (!nl->again)
		nl->again = g_timeout_add_seconds(AGAIN_S, attach_again, nl);
}

static void attach(struct mdc_netlink *nl)
{
	char buf[NLMSG_SPACE(GENL_HDRLEN)];
	struct nlmsghdr *head;

	nl->seq = ++nl->last_seq;
	head = request(buf, nl->family, NLM_F_ACK, MDCLUSTER_CMD_ATTACH, MDCLUSTER_GENL_VERSION,
		       nl->seq);
	if (mnl_socket_sendto(nl->sock, head, head->nlmsg_len) >= 0)
		return;
	nl->seq = 0;
	refused(nl, errno, "");
}

static void family_comes(struct mdc_netlink *nl, uint16_t id)
{
	nl->family = id;
	nl->attached = false;
	nl->said = false;
	g_clear_handle_id(&nl->again, g_source_remove);
	attach(nl);
}

static void family_goes(struct mdc_netlink *nl)
{
	nl->family = 0;
	nl->seq = 0;
	nl->attached = false;
	g_clear_handle_id(&nl->again, g_source_remove);
	nl->calls->gone(nl->data);
}

static void nlctrl_message(struct mdc_netlink *nl, const void *payload, size_t len)
{
	struct mdc_mod_family family;

	if (mdc_mod_family_parse(&family, payload, len) ||
	    strcmp(family.name, MDCLUSTER_GENL_NAME))
		return;
	if (family.cmd == CTRL_CMD_DELFAMILY) {
		if (nl->family)
			family_goes(nl);
	} else if (family.id != nl->family) {
		family_comes(nl, family.id);
	}
}

static void verdict_answer(struct mdc_netlink *nl, uint32_t seq, int err)
{
	unsigned int i;

	for (i = 0; i < VERDICTS_MAX; i++) {
		struct verdict *v = &nl->verdicts[i];

		if (!v->seq || v->seq != seq)
			continue;
		v->seq = 0;
		if (err)
			nl->calls->not_taken(&v->array, v->proposal, err, nl->data);
	}
}

static void answer(struct mdc_netlink *nl, const struct nlmsghdr *head)
{
	char text[MDC_MOD_ACK_MAX];
	int err;

	if (mdc_mod_ack_parse(&err, text, mnl_nlmsg_get_payload(head),
			      mnl_nlmsg_get_payload_len(head)))
		err = EPROTO;
	if (!nl->seq || head->nlmsg_seq != nl->seq) {
		verdict_answer(nl, head->nlmsg_seq, err);
		return;
	}
	nl->seq = 0;
	if (err) {
		refused(nl, err, text);
		return;
	}
	nl->attached = true;
	mdc_info("attached to the kernel module: it asks this mdclusterd for disks");
	nl->calls->look(nl->data);
}

static void message(struct mdc_netlink *nl, const struct nlmsghdr *head)
{
	const void *payload = mnl_nlmsg_get_payload(head);
	size_t len = mnl_nlmsg_get_payload_len(head);
	struct mdc_mod_notice notice;
	int ret;

	if (head->nlmsg_type == NLMSG_ERROR) {
		answer(nl, head);
		return;
	}
	if (head->nlmsg_type == GENL_ID_CTRL) {
		nlctrl_message(nl, payload, len);
		return;
	}
	if (!nl->family || head->nlmsg_type != nl->family)
		return;
	ret = mdc_mod_notice_parse(&notice, payload, len);
	if (!ret)
		nl->calls->notice(&notice, nl->data);
	else if (ret != -ENOMSG)
		mdc_warn("a message of the kernel module was not understood and left out: is the "
			 "module of this mdclusterd's version?");
}

/* What was lost may have been the answer to ATTACH, or that the module came or went. */
static void overrun(struct mdc_netlink *nl)
{
	struct mdc_mod_family family;
	int ret;

	mdc_warn("the kernel module had more to tell than was read in time; looking at all of it "
		 "again");
	ret = find_family(MDCLUSTER_GENL_NAME, &family);
	if (ret == -ENOENT && nl->family)
		family_goes(nl);
	else if (!ret && (family.id != nl->family || nl->seq))
		family_comes(nl, family.id);
	else if (!ret)
		nl->calls->look(nl->data);
}

/* One datagram; false when there is none. */
static bool receive_one(struct mdc_netlink *nl)
{
	union {
		struct nlmsghdr head;
		char bytes[MDCLUSTER_MESSAGE_MAX];
	} buf;
	const struct nlmsghdr *head = &buf.head;
	ssize_t n = receive(nl->sock, &buf, sizeof(buf));
	int len = (int)n;

	if (n == -ENOBUFS) {
		overrun(nl);
		return true;
	}
	if (n < 0)
		return n == -EINTR;
	for (; mnl_nlmsg_ok(head, len); head = mnl_nlmsg_next(head, &len))
		message(nl, head);
	return true;
}

static gboolean readable(gint fd, GIOCondition cond, gpointer data)
{
	int i;

	(void)fd;
	(void)cond;
	for (i = 0; i < BATCH && receive_one(data); i++)
		;
	return G_SOURCE_CONTINUE;
}

static int join(struct mdc_netlink *nl)
{
	struct mdc_mod_family nlctrl, ours;
	int on = 1, size = BUFFER_BYTES, group, ret;

	ret = find_family("nlctrl", &nlctrl);
	if (ret)
		return ret;
	group = (int)nlctrl.notify;
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		mdc_debug("netlink: the kernel's usual buffer has to do");
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return -errno;
	/* After nlctrl's group was joined, so that the module cannot come in between unseen. */
	ret = find_family(MDCLUSTER_GENL_NAME, &ours);
	if (!ret)
		family_comes(nl, ours.id);
	return ret == -ENOENT ? 0 : ret;
}

struct mdc_netlink *mdc_netlink_new(const struct mdc_netlink_calls *calls, void *data)
{
	struct mdc_netlink *nl = g_new0(struct mdc_netlink, 1);
	int ret;

	nl->calls = calls;
	nl->data = data;
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ret = nl->sock ? join(nl) : -errno;
	if (ret) {
		mdc_netlink_free(nl);
		errno = -ret;
		return NULL;
	}
	nl->source = g_unix_fd_add(mnl_socket_get_fd(nl->sock), G_IO_IN, readable, nl);
	/* Before all else: the kernel waits for what this brings. */
	g_source_set_priority(g_main_context_find_source_by_id(NULL, nl->source),
			      G_PRIORITY_HIGH);
	return nl;
}

void mdc_netlink_free(struct mdc_netlink *nl)
{
	if (!nl)
		return;
	g_clear_handle_id(&nl->source, g_source_remove);
	g_clear_handle_id(&nl->again, g_source_remove);
	if (nl->sock)
		mnl_socket_close(nl->sock);
	g_free(nl);
}

bool mdc_netlink_attached(const struct mdc_netlink *nl)
{
	return nl && nl->attached;
}

int mdc_netlink_verdict(struct mdc_netlink *nl, const struct mdc_uuid *array, uint64_t proposal,
			const char *refusal)
{
	char buf[NLMSG_SPACE(GENL_HDRLEN) + 64 + MDCLUSTER_REASON_MAX + 1];
	struct nlmsghdr *head;
	struct verdict *v;
	char reason[MDCLUSTER_REASON_MAX + 1];

	if (!nl || !nl->attached)
		return -ENOTCONN;
	if (!++nl->last_seq)
		nl->last_seq = 1;
	head = request(buf, nl->family, NLM_F_ACK, MDCLUSTER_CMD_VERDICT, MDCLUSTER_GENL_VERSION,
		       nl->last_seq);
	mnl_attr_put(head, MDCLUSTER_A_ARRAY_UUID, sizeof(array->b), array->b);
	mnl_attr_put_u64(head, MDCLUSTER_A_PROPOSAL, proposal);
	mnl_attr_put_u32(head, MDCLUSTER_A_VERDICT, refusal ? MDCLUSTER_VERDICT_REFUSE :
			 MDCLUSTER_VERDICT_PROCEED);
	if (refusal) {
		g_strlcpy(reason, refusal, sizeof(reason));
		mnl_attr_put_strz(head, MDCLUSTER_A_REASON, reason);
	}
	if (mnl_socket_sendto(nl->sock, head, head->nlmsg_len) < 0)
		return -errno;
	v = &nl->verdicts[nl->last_seq % VERDICTS_MAX];
	v->seq = nl->last_seq;
	v->array = *array;
	v->proposal = proposal;
	return 0;
}

struct told {
	void (*fn)(const struct mdc_mod_array *array, void *data);
	void *data;
};

static int tell(const void *buf, size_t len, void *into)
{
	const struct told *told = into;
	g_autofree struct mdc_mod_array *array = g_new(struct mdc_mod_array, 1);
	int ret = mdc_mod_array_parse(array, buf, len);

	if (!ret)
		told->fn(array, told->data);
	return ret == -ENOMSG ? 0 : ret;
}

int mdc_netlink_dump(struct mdc_netlink *nl,
		     void (*fn)(const struct mdc_mod_array *array, void *data), void *data)
{
	struct told told = { .fn = fn, .data = data };

	if (!nl || !nl->family)
		return -ENOENT;
	return ask(nl->family, MDCLUSTER_CMD_GET_ARRAYS, MDCLUSTER_GENL_VERSION, tell, &told);
}
