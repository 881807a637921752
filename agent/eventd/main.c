/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdclusterd's start and end: options, one instance a node, going into the background,
 * and the order in which the adapters are made and freed.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eventd/daemon.h"
#include "port/statefile.h"

#define UNUSED_S 60		/* how long to stay without anything to look after */
#define READY_MS 20000		/* how long the first process waits for the second one */
#define TAKEOVER_MS 12000	/* how long an instance that ends may hold the lock */
#define NICE (-10)
#define SOCKET MDC_RUNDIR "/socket"

static const char usage[] =
	"usage: mdclusterd [--foreground]\n"
	"       mdclusterd --check uuid=UUID [members=GLOBS]\n"
	"       mdclusterd --help | --version\n"
	"\n"
	"The event process of mdcluster: answers the kernel's questions for disks, watches the\n"
	"clustered arrays of this node and publishes their state. The resource agent starts it.\n"
	"\n"
	"  -f, --foreground  stay in the foreground and log to stderr as well\n"
	"      --check       print what is known of an array from here, change nothing\n"
	"  -h, --help        print this\n"
	"  -V, --version     print the version\n";

static gboolean on_term(gpointer data)
{
	struct mdc_daemon *d = data;

	mdc_notice("asked to end; the arrays go on, and the next mdclusterd adopts them");
	g_main_loop_quit(d->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_unused(gpointer data)
{
	struct mdc_daemon *d = data;

	d->unused = 0;
	if (mdc_arrays_count(d))
		return G_SOURCE_REMOVE;
	mdc_notice("no array was tracked within %d s of the start: ending", UNUSED_S);
	g_main_loop_quit(d->loop);
	return G_SOURCE_REMOVE;
}

/* From the main loop: now the socket is answered. */
static gboolean on_ready(gpointer data)
{
	struct mdc_daemon *d = data;

	if (d->ready >= 0) {
		(void)!write(d->ready, "", 1);
		close(d->ready);
		d->ready = -1;
	}
	return G_SOURCE_REMOVE;
}

static int open_all(struct mdc_daemon *d, bool left)
{
	d->pool = mdc_search_pool_new();
	d->io = mdc_mdioctl_new(mdc_adds_done, d);
	d->attrd = mdc_attrd_new();
	d->uevents = mdc_ueventsock_new(mdc_events_uevent, d);
	if (!d->uevents) {
		mdc_err("cannot listen to the kernel's events: %s", strerror(errno));
		return -EIO;
	}
	d->moved_ms = mdc_now_ms();	/* what came before is not known */
	d->netlink = mdc_netlink_new(&mdc_module_calls, d);
	if (!d->netlink)
		mdc_warn("no netlink (%s): if this node runs mdcluster's own kernel module, what "
			 "it shows is not known", strerror(errno));
	d->coro = mdc_corosync_new(mdc_events_coro, d, NULL, 0);
	d->words = mdc_words_new(mdc_words_changed, d);
	d->cib = mdc_cib_new(MDC_LIBEXECDIR "/mdcluster-cib", mdc_events_cib, d);
	mdc_cib_on_failed(d->cib, mdc_propose_cib_failed);
	d->mdstat = mdc_mdwatch_mdstat(mdc_events_mdstat, d);
	mdc_arrays_adopt(d, left);
	d->server = mdc_server_new(SOCKET, mdc_requests_line, d);
	return d->server ? 0 : -EIO;
}

static void close_all(struct mdc_daemon *d)
{
	/* The socket first: who asks from now on is to start another mdclusterd. */
	g_clear_pointer(&d->server, mdc_server_free);
	while (d->arrays->len) {
		struct mdc_tracked *t = d->arrays->pdata[0];

		mdc_adds_stop(t, true);
		mdc_arrays_drop(t);
	}
	g_clear_handle_id(&d->unused, g_source_remove);
	g_clear_handle_id(&d->ending, g_source_remove);
	mdc_mdwatch_free(d->mdstat);
	mdc_cib_free(d->cib);
	mdc_words_free(d->words);
	g_free(d->add_view);
	mdc_corosync_free(d->coro);
	mdc_netlink_free(d->netlink);
	mdc_ueventsock_free(d->uevents);
	mdc_attrd_free(d->attrd);
	mdc_mdioctl_free(d->io);
	mdc_search_pool_free(d->pool);
}

/* Waits for an instance that is about to end. -EALREADY: one is there and answers. */
static int take_lock(struct mdc_daemon *d)
{
	int64_t until = mdc_now_ms() + TAKEOVER_MS;

	for (;;) {
		d->lock = mdc_statefile_lock(d->rundir);
		if (d->lock >= 0)
			return 0;
		if (d->lock != -EWOULDBLOCK) {
			mdc_err("cannot lock %s/lock: %s", d->rundir, strerror(-d->lock));
			return d->lock;
		}
		if (!mdc_server_ask(SOCKET, 2000))
			return -EALREADY;
		if (mdc_now_ms() > until)
			break;
		g_usleep(100000);
	}
	mdc_err("another mdclusterd holds %s/lock and does not answer on %s: kill it (fuser %s/lock "
		"names it)", d->rundir, SOCKET, d->rundir);
	return -EBUSY;
}

static int run(struct mdc_daemon *d)
{
	guint sources[3];
	unsigned int i;
	int ret = mdc_statefile_init(d->rundir);

	if (ret) {
		mdc_err("cannot use %s: %s", d->rundir, strerror(-ret));
		return ret;
	}
	ret = take_lock(d);
	if (ret)
		return ret;
	/* Writers wait for it, on this node or on another one. */
	if (setpriority(PRIO_PROCESS, 0, NICE))
		mdc_info("cannot be preferred to other processes: %s", strerror(errno));
	d->loop = g_main_loop_new(NULL, FALSE);
	d->arrays = g_ptr_array_new();
	sources[0] = g_unix_signal_add(SIGTERM, on_term, d);
	sources[1] = g_unix_signal_add(SIGINT, on_term, d);
	d->unused = g_timeout_add_seconds(UNUSED_S, on_unused, d);
	ret = open_all(d, mdc_statefile_left(d->rundir));
	sources[2] = g_idle_add_full(G_PRIORITY_DEFAULT, on_ready, d, NULL);
	if (!ret)
		g_main_loop_run(d->loop);
	close_all(d);
	if (!ret)
		mdc_statefile_leave(d->rundir);
	for (i = 0; i < 2; i++)
		g_source_remove(sources[i]);
	if (g_main_context_find_source_by_id(NULL, sources[2]))
		g_source_remove(sources[2]);
	g_main_loop_unref(d->loop);
	g_ptr_array_free(d->arrays, TRUE);
	close(d->lock);
	return ret;
}

/* In the process that was started: what became of the other one? Returns the exit code. */
static int wait_ready(int fd)
{
	char text[512];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, READY_MS) <= 0) {
		fprintf(stderr, "mdclusterd: it did not come up within %d s; look at its log\n",
			READY_MS / 1000);
		return 1;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n == 1 && !text[0])
		return 0;
	if (n <= 0) {
		fprintf(stderr, "mdclusterd: it ended while it came up; look at its log\n");
		return 1;
	}
	text[n] = '\0';
	fprintf(stderr, "mdclusterd: %s\n", text);
	return 1;
}

/*
 * The second fork gives a process that leads no session, so that no terminal is ever its
 * own, and whose parent is init: the executor neither waits for it nor kills it. Returns in
 * that process only, with the pipe to the first one.
 */
static int go_background(void)
{
	int fds[2];
	int null;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		fprintf(stderr, "mdclusterd: pipe: %s\n", strerror(errno));
		exit(1);
	}
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "mdclusterd: fork: %s\n", strerror(errno));
		exit(1);
	}
	if (pid) {
		close(fds[1]);
		exit(wait_ready(fds[0]));
	}
	close(fds[0]);
	setsid();
	pid = fork();
	if (pid < 0) {
		dprintf(fds[1], "fork: %s", strerror(errno));
		_exit(1);
	}
	if (pid)
		_exit(0);
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		if (null > 2)
			close(null);
	}
	return fds[1];
}

static int daemon_main(bool foreground)
{
	struct mdc_daemon d = { .sys = "/sys", .rundir = MDC_RUNDIR, .ready = -1, .lock = -1 };
	int ret;

	if (geteuid()) {
		fprintf(stderr, "mdclusterd: it must be started by root\n");
		return 1;
	}
	if (!mdc_server_ask(SOCKET, 2000)) {
		if (foreground)
			fprintf(stderr, "mdclusterd: another instance runs already\n");
		return 0;
	}
	if (!foreground)
		d.ready = go_background();
	(void)!chdir("/");
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	mdc_log_open("mdclusterd", foreground, MDC_INFO);
	mdc_history_open(&d);
	ret = run(&d);
	if (d.ready >= 0) {
		if (ret == -EALREADY)
			(void)!write(d.ready, "", 1);
		else
			dprintf(d.ready, "%s", d.last_error[0] ? d.last_error : strerror(-ret));
		close(d.ready);
	}
	mdc_history_close(&d);
	return ret && ret != -EALREADY;
}

int main(int argc, char **argv)
{
	enum { OPT_CHECK = 256 };
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool foreground = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+fhV", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			foreground = true;
			break;
		case OPT_CHECK:
			mdc_log_open("mdclusterd", false, MDC_WARN);
			return mdc_check_main(argc - optind, argv + optind);
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("mdclusterd %s\n", PACKAGE_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	return daemon_main(foreground);
}
