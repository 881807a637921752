/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the ioctls on a running array. The kernel takes the superblock from the disk itself
 * and needs of mdu_disk_info_t only the device numbers and the flag MD_DISK_CANDIDATE;
 * number and raid_disk are what mdadm --cluster-confirm sends. An auto-read-only array
 * becomes writable by either call, as it does with mdadm.
 *
 * One worker is there in advance, as for a search (port/search.c): the writers of the node that adds
 * wait for each node's confirmation.
 */
#include "port/mdioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <linux/major.h>
#include <linux/types.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/devnode.h"
#include "port/worker.h"

/*
 * Words for a member's state. The second one clears a flag that the member does not have,
 * and has the superblocks written: of all that sysfs offers, it changes nothing.
 */
#define REMOVE "remove"
#define REWRITE "-writemostly"
#define THAW "idle"		/* for sync_action */

#define SPARE_MS 500		/* the add that has taken it is over, as a rule */

struct request {
	char path[MDC_PATH_MAX];
	unsigned int major, minor;
	enum mdc_mdioctl_kind kind;
	mdu_disk_info_t disk;
	char state[PATH_MAX];		/* sysfs file, for REMOVE, REWRITE and THAW */
};

struct call {
	struct mdc_mdioctl *io;
	int fd;
	guint source, child;
	unsigned int seq;
	void *owner;
	enum mdc_mdioctl_kind kind;
	bool forgotten;
};

struct mdc_mdioctl {
	GPtrArray *calls;
	int spare_fd;			/* of the worker that waits for a request; -1: there is none */
	pid_t spare;
	guint spare_child;		/* its watch */
	guint refill;			/* timer */
	bool keep_spare;
	mdc_mdioctl_fn done;
	void *data;
};

/* Does the file NAME beside STATE, whose own name is BESIDE, begin with WORD? */
static bool says(const char *state, const char *beside, const char *name, const char *word)
{
	char path[PATH_MAX], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%.*s%s", (int)(strlen(state) - strlen(beside)), state, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true;		/* the write will say what is wrong */
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return !strncmp(text, word, strlen(word));
}

/* Returns an errno. */
static int write_word(const struct request *r)
{
	static const char *const words[] = {
		[MDC_IO_REMOVE] = REMOVE, [MDC_IO_REWRITE] = REWRITE, [MDC_IO_THAW] = THAW,
	};
	const char *word = words[r->kind];
	int fd, err = 0;

	/* A disk with a role is in use: the add has not failed. */
	if (r->kind == MDC_IO_REMOVE && !says(r->state, "state", "slot", "none"))
		return EBUSY;
	if (r->kind == MDC_IO_THAW && !says(r->state, "sync_action", "reshape_position", "none"))
		return EBUSY;
	fd = open(r->state, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, word, strlen(word)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* In the child, which mdclusterd's end leaves without a request, or with one to carry out. */
static void do_ioctl(int fd, const void *data)
{
	struct request r;
	int file = -1, ret, err = 0;

	(void)data;
	/* Who ends all that is named mdclusterd is not to take the kernel's answer with it. */
	signal(SIGTERM, SIG_IGN);
	if (recv(fd, &r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return;
	if (r.state[0]) {
		err = write_word(&r);
	} else {
		file = mdc_devnode_open(r.path, r.major, r.minor, O_RDONLY);
		if (file < 0)
			ret = file;
		else if (r.kind == MDC_IO_CONFIRM)
			ret = ioctl(file, ADD_NEW_DISK, &r.disk);
		else
			ret = ioctl(file, r.kind == MDC_IO_NACK ? CLUSTERED_DISK_NACK :
								  RESTART_ARRAY_RW, NULL);
		if (ret < 0)
			err = file < 0 ? -file : errno;
	}
	(void)!send(fd, &err, sizeof(err), MSG_NOSIGNAL);
	if (file >= 0)
		close(file);
}

static void end_call(struct call *call, int err)
{
	struct mdc_mdioctl *io = call->io;
	unsigned int seq = call->seq;
	void *owner = call->owner;
	enum mdc_mdioctl_kind kind = call->kind;
	bool tell = !call->forgotten;

	g_clear_handle_id(&call->source, g_source_remove);
	g_clear_handle_id(&call->child, g_source_remove);
	close(call->fd);
	g_ptr_array_remove_fast(io->calls, call);
	g_free(call);
	if (tell)
		io->done(kind, err, seq, owner, io->data);
}

static void reap(GPid pid, gint status, gpointer data)
{
	(void)pid;
	(void)status;
	(void)data;
}

static gboolean answered(gint fd, GIOCondition cond, gpointer data)
{
	struct call *call = data;
	int err = EIO;
	ssize_t n = recv(fd, &err, sizeof(err), MSG_DONTWAIT);

	(void)cond;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != (ssize_t)sizeof(err))
		err = EIO;
	/* The child ends by itself; its watch outlives the call, to reap it. */
	call->child = 0;
	call->source = 0;
	end_call(call, err);
	return G_SOURCE_REMOVE;
}

static void spare_ended(GPid pid, gint status, gpointer data);

/* Not to die with us: the kernel is to have its answer all the same. */
static pid_t start_worker(int *fd)
{
	return mdc_worker_fork(do_ioctl, NULL, false, fd);
}

static gboolean refill(gpointer data)
{
	struct mdc_mdioctl *io = data;
	pid_t pid = start_worker(&io->spare_fd);

	io->refill = 0;
	if (pid < 0) {
		io->spare_fd = -1;
		return G_SOURCE_REMOVE;
	}
	io->spare = pid;
	io->spare_child = g_child_watch_add(pid, spare_ended, io);
	return G_SOURCE_REMOVE;
}

/* Not at once: who waits for the call is not to wait for this fork. */
static void refill_later(struct mdc_mdioctl *io)
{
	if (io->keep_spare && io->spare_fd < 0 && !io->refill)
		io->refill = g_timeout_add(SPARE_MS, refill, io);
}

/* Nobody has asked it for anything. */
static void spare_ended(GPid pid, gint status, gpointer data)
{
	struct mdc_mdioctl *io = data;

	(void)pid;
	(void)status;
	io->spare_child = 0;
	close(io->spare_fd);
	io->spare_fd = -1;
	refill_later(io);
}

/* Its end of the pair, and its pid; it is reaped by itself. */
static pid_t take_spare(struct mdc_mdioctl *io, int *fd)
{
	*fd = io->spare_fd;
	io->spare_fd = -1;
	g_clear_handle_id(&io->spare_child, g_source_remove);
	return io->spare;
}

static bool hand_over(int fd, const struct request *r)
{
	return send(fd, r, sizeof(*r), MSG_NOSIGNAL) == (ssize_t)sizeof(*r);
}

static int start(struct mdc_mdioctl *io, const struct request *r, unsigned int seq, void *owner)
{
	bool spare = io->spare_fd >= 0;
	struct call *call;
	pid_t pid;
	int fd;

	/* The refusal must always go out; there is at most one an add. */
	if (r->kind != MDC_IO_NACK && io->calls->len >= MDC_MDIOCTL_MAX)
		return -EBUSY;
	pid = spare ? take_spare(io, &fd) : start_worker(&fd);
	if (pid < 0)
		return (int)pid;
	if (!hand_over(fd, r)) {
		g_child_watch_add(pid, reap, NULL);
		close(fd);
		if (!spare)
			return -EPIPE;
		/* It has just died, and that was not seen yet. */
		return start(io, r, seq, owner);
	}
	refill_later(io);
	call = g_new0(struct call, 1);
	call->io = io;
	call->fd = fd;
	call->seq = seq;
	call->owner = owner;
	call->kind = r->kind;
	call->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, answered, call);
	call->child = g_child_watch_add(pid, reap, NULL);
	g_ptr_array_add(io->calls, call);
	return 0;
}

static int array_node(const char *sys, const char *md, struct request *r)
{
	g_autofree char *state = g_strdup_printf("%s/block/%s/md/array_state", sys, md);
	g_autofree char *dev = g_strdup_printf("%s/block/%s/dev", sys, md);
	g_autofree char *text = NULL;

	/* Opening the numbers of an array that is gone would create an empty one. */
	if (access(state, F_OK) || !g_file_get_contents(dev, &text, NULL, NULL) ||
	    sscanf(text, "%u:%u", &r->major, &r->minor) != 2)
		return -ENODEV;
	snprintf(r->path, sizeof(r->path), "/dev/%s", md);
	return 0;
}

int mdc_mdioctl_confirm(struct mdc_mdioctl *io, const char *sys, const char *md,
			const struct mdc_blockdev *disk, unsigned int raid_disk,
			unsigned int seq, void *owner)
{
	struct request r = {
		.kind = MDC_IO_CONFIRM,
		.disk = {
			.number = (int)raid_disk,
			.major = (int)disk->major,
			.minor = (int)disk->minor,
			.raid_disk = -1,
			.state = 1 << MD_DISK_CANDIDATE,
		},
	};
	int ret = array_node(sys, md, &r);

	return ret ? ret : start(io, &r, seq, owner);
}

int mdc_mdioctl_nack(struct mdc_mdioctl *io, const char *sys, const char *md, unsigned int seq,
		     void *owner)
{
	struct request r = { .kind = MDC_IO_NACK };
	int ret = array_node(sys, md, &r);

	return ret ? ret : start(io, &r, seq, owner);
}

int mdc_mdioctl_writable(struct mdc_mdioctl *io, const char *sys, const char *md,
			 unsigned int seq, void *owner)
{
	struct request r = { .kind = MDC_IO_WRITABLE };
	int ret = array_node(sys, md, &r);

	return ret ? ret : start(io, &r, seq, owner);
}

static int write_state(struct mdc_mdioctl *io, enum mdc_mdioctl_kind kind, const char *sys,
		       const char *md, const char *kname, unsigned int seq, void *owner)
{
	struct request r = { .kind = kind };

	snprintf(r.state, sizeof(r.state), "%s/block/%s/md/dev-%s/state", sys, md, kname);
	return start(io, &r, seq, owner);
}

int mdc_mdioctl_remove(struct mdc_mdioctl *io, const char *sys, const char *md,
		       const char *kname, unsigned int seq, void *owner)
{
	return write_state(io, MDC_IO_REMOVE, sys, md, kname, seq, owner);
}

int mdc_mdioctl_rewrite(struct mdc_mdioctl *io, const char *sys, const char *md,
			const char *kname, unsigned int seq, void *owner)
{
	return write_state(io, MDC_IO_REWRITE, sys, md, kname, seq, owner);
}

int mdc_mdioctl_thaw(struct mdc_mdioctl *io, const char *sys, const char *md, void *owner)
{
	struct request r = { .kind = MDC_IO_THAW };

	snprintf(r.state, sizeof(r.state), "%s/block/%s/md/sync_action", sys, md);
	return start(io, &r, 0, owner);
}

struct mdc_mdioctl *mdc_mdioctl_new(mdc_mdioctl_fn done, void *data)
{
	struct mdc_mdioctl *io = g_new0(struct mdc_mdioctl, 1);

	io->calls = g_ptr_array_new();
	io->spare_fd = -1;
	io->done = done;
	io->data = data;
	return io;
}

void mdc_mdioctl_ready(struct mdc_mdioctl *io)
{
	io->keep_spare = true;
	refill_later(io);
}

void mdc_mdioctl_forget(struct mdc_mdioctl *io, const void *owner)
{
	guint i;

	for (i = 0; i < io->calls->len; i++) {
		struct call *call = io->calls->pdata[i];

		if (call->owner == owner)
			call->forgotten = true;
	}
}

void mdc_mdioctl_free(struct mdc_mdioctl *io)
{
	if (!io)
		return;
	while (io->calls->len) {
		struct call *call = io->calls->pdata[0];

		call->forgotten = true;
		end_call(call, 0);
	}
	g_clear_handle_id(&io->refill, g_source_remove);
	g_clear_handle_id(&io->spare_child, g_source_remove);
	if (io->spare_fd >= 0)
		close(io->spare_fd);
	g_ptr_array_free(io->calls, TRUE);
	g_free(io);
}
