/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the keeper: the process, what it is asked, and what it does when nobody asks any more. It
 * leads a session of its own and minds no signal but SIGKILL, since Ctrl-C and a closed terminal
 * are what it is for. Its end of the socket closes with the command: then it puts back what is
 * not, says so on stderr where that fails, and ends.
 */
#include "ctl_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl_look.h"
#include "ctl_medium.h"
#include "port/devnode.h"
#include "run.h"

/*
 * mdadm, or what watches the disk, lets go of it: an mdadm that was left alone in the kernel, when
 * the module's verdict_timeout (4 s) and newdisk_timeout (5 s) are over, and the waits about them.
 */
#define CLAIM_MS 20000
#define LOOK_MS 15000		/* for a few small reads and writes */
#define HEAD_MS 120000		/* for up to 256 MiB */

struct question {
	enum mdc_keeper_do what;
	struct mdc_nonce nonce;
};

/* The child's own. */
struct state {
	const struct mdc_keeper_disk *disk;
	struct mdc_medium medium;
	uint64_t head_bytes;		/* before the data of the array's members */
	bool rejoins;			/* it bore a superblock of the array when it was checked */
	bool let_go;			/* mdadm has it, and may have written to it */
};

static void say(struct mdc_keeper_word *word, int err, const char *text)
{
	word->err = err;
	snprintf(word->text, sizeof(word->text), "%s", text);
}

static void say_errno(struct mdc_keeper_word *word, int err, const char *what)
{
	word->err = err;
	snprintf(word->text, sizeof(word->text), "%s: %s", what, strerror(-err));
}

/* Exclusively, so that nothing mounts it, and no second command has it. 0 or -errno. */
static int claim(struct state *s, int64_t wait_ms)
{
	const struct mdc_blockdev *dev = &s->disk->dev;
	int64_t until = mdc_now_ms() + wait_ms;
	int fd;

	for (;;) {
		fd = mdc_devnode_open(dev->path, dev->major, dev->minor,
				      O_RDWR | O_EXCL | O_DIRECT | O_NONBLOCK);
		if (fd == -EINVAL)	/* no O_DIRECT there */
			fd = mdc_devnode_open(dev->path, dev->major, dev->minor,
					      O_RDWR | O_EXCL | O_NONBLOCK);
		if (fd != -EBUSY || mdc_now_ms() >= until)
			break;
		poll(NULL, 0, 100);
	}
	s->medium.fd = fd;
	return fd < 0 ? fd : 0;
}

/* Not another disk that has come under its device number. The descriptor holds it fast. */
static bool is_still_it(const struct state *s)
{
	const struct mdc_blockdev *dev = &s->disk->dev;
	struct mdc_blockdev now;

	return mdc_blockdev_get("/sys", dev->kname, &now) && now.major == dev->major &&
	       now.minor == dev->minor && now.sectors == dev->sectors && now.seq == dev->seq;
}

static void let_go(struct state *s)
{
	if (s->medium.fd >= 0)
		close(s->medium.fd);
	s->medium.fd = -1;
}

/* How big a member must be, and where its data begins. */
static bool measure(struct state *s, struct mdc_keeper_word *word)
{
	const struct mdc_keeper_disk *disk = s->disk;
	struct mdc_super super;
	unsigned int i;
	int ret = -ENODEV;

	for (i = 0; i < disk->n_members && ret; i++)
		ret = mdc_look_member(&disk->members[i], &disk->array, &super);
	if (ret) {
		say_errno(word, ret, "how large it must be is not known, as no superblock of the "
			  "array's members can be read");
		return false;
	}
	if (super.data_sect + super.size_sect > disk->dev.sectors) {
		word->err = -ENOSPC;
		snprintf(word->text, sizeof(word->text), "is too small: it has %llu KiB, and a "
			 "member of this array takes %llu KiB",
			 (unsigned long long)disk->dev.sectors / 2,
			 (unsigned long long)(super.data_sect + super.size_sect) / 2);
		return false;
	}
	s->head_bytes = super.data_sect * 512;
	return true;
}

static void check(struct state *s, struct mdc_keeper_word *word)
{
	char list[256];
	int ret = claim(s, 0), fd;

	if (ret == -EBUSY) {
		say(word, ret, "is in use by another program, or part of it is (see lsblk and "
		    "fuser)");
		return;
	}
	if (ret) {
		say_errno(word, ret, "cannot be opened");
		return;
	}
	if (!measure(s, word))
		return;
	fd = mdc_devnode_open(s->disk->dev.path, s->disk->dev.major, s->disk->dev.minor,
			      O_RDONLY | O_NONBLOCK);
	ret = fd < 0 ? fd : mdc_look_signatures(fd, &s->disk->array, list, sizeof(list),
						&word->rejoins);
	s->rejoins = word->rejoins;
	if (fd >= 0)
		close(fd);
	if (ret) {
		say_errno(word, ret, "cannot be read");
	} else if (list[0]) {
		word->err = -EEXIST;
		snprintf(word->text, sizeof(word->text), "bears %s: if nobody needs that any more, "
			 "erase it with 'wipefs -a %s', then add the disk again", list,
			 s->disk->dev.path);
	}
}

static void mark(struct state *s, const struct mdc_nonce *nonce, struct mdc_keeper_word *word)
{
	struct mdc_nonce own = *nonce, other = { .time_s = 0 };
	int ret = mdc_medium_mark(&s->medium, &own, s->rejoins ? &s->disk->array : NULL, &other);

	word->cleaned = !ret && other.time_s;
	word->marked = s->medium.marked;
	if (ret == -EEXIST) {
		word->err = ret;
		snprintf(word->text, sizeof(word->text), "bears the mark of an add on %s that was "
			 "cut off; what stood there before may be in %s on that node. If nobody "
			 "needs it, erase the mark with 'dd if=/dev/zero of=%s bs=4096 seek=1 "
			 "count=1 conv=fsync', then add the disk again", other.node, MDC_STATEDIR,
			 s->disk->dev.path);
	} else if (ret == -ESTALE) {
		say(word, ret, "has become a member of an array on some other node just now, and "
		    "was left as it is");
	} else if (ret == -EILSEQ) {
		say(word, ret, "does not keep what is written to it");
	} else if (ret) {
		say_errno(word, ret, "the mark for the other nodes cannot be written to it");
	}
}

static void unmark(struct state *s, struct mdc_keeper_word *word)
{
	int ret = mdc_medium_unmark(&s->medium);

	word->marked = word->kept = s->medium.marked;
	if (ret == -ESTALE) {
		s->medium.marked = false;	/* it is not ours any more */
		say(word, ret, "somebody else has written to it meanwhile, so that it was left as "
		    "it is now");
	} else if (ret) {
		say_errno(word, ret, "what stood where the mark stands cannot be put back");
	}
}

static void give(struct state *s, struct mdc_keeper_word *word)
{
	int ret = mdc_medium_save(&s->medium, s->head_bytes);

	if (ret) {
		say_errno(word, ret, "what mdadm will write over cannot be read beforehand");
		return;
	}
	let_go(s);
	s->let_go = true;
}

/* An array has it all the same: then what stood there is what was to be overwritten. */
static bool is_member(const struct state *s)
{
	struct mdc_blockdev now;

	return mdc_blockdev_get("/sys", s->disk->dev.kname, &now) &&
	       !strcmp(now.holder, s->disk->md);
}

/* The disk is not to be written to, and the memory ends with this process. */
static void leave(struct state *s, struct mdc_keeper_word *word)
{
	if (is_member(s)) {
		say(word, -EBUSY, "is a member of the array now, and was left as it is");
	} else {
		say(word, -EBUSY, "is in use now, and was left as it is, without what stood there "
		    "before");
		word->kept = !mdc_medium_keep(&s->medium);
	}
	s->let_go = false;
}

static void put_back(struct state *s, struct mdc_keeper_word *word)
{
	int ret = claim(s, CLAIM_MS);

	if (ret == -EBUSY) {
		leave(s, word);
		return;
	}
	if (!ret && !is_still_it(s)) {
		say(word, -ESTALE, "is another disk by now, and was left as it is");
		s->let_go = false;
		let_go(s);
		return;
	}
	if (!ret)
		ret = mdc_medium_put_back(&s->medium, &word->kept);
	if (ret)
		say_errno(word, ret, "what stood there before mdadm cannot be put back");
	s->let_go = false;
	let_go(s);
}

/* The command has ended in the middle. */
static void alone(struct state *s)
{
	struct mdc_keeper_word word = { .err = 0 };

	if (s->medium.marked)
		unmark(s, &word);
	else if (s->let_go)
		put_back(s, &word);
	if (word.err)
		fprintf(stderr, "mdclusterctl: %s: %s%s%s\n", s->disk->dev.path, word.text,
			word.kept ? "; it is in " : "", word.kept ? s->disk->keep : "");
}

static void serve(int fd, const struct mdc_keeper_disk *disk)
{
	struct state s = { .disk = disk };
	struct question q;

	if (mdc_medium_init(&s.medium, disk->keep))
		return;
	while (recv(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
		struct mdc_keeper_word word = { .err = 0 };

		switch (q.what) {
		case MDC_KEEP_CHECK:
			check(&s, &word);
			break;
		case MDC_KEEP_MARK:
			mark(&s, &q.nonce, &word);
			break;
		case MDC_KEEP_UNMARK:
			unmark(&s, &word);
			break;
		case MDC_KEEP_LET_GO:
			give(&s, &word);
			break;
		case MDC_KEEP_PUT_BACK:
			put_back(&s, &word);
			break;
		case MDC_KEEP_LEAVE:
			leave(&s, &word);
			break;
		case MDC_KEEP_DONE:
			s.let_go = false;
			break;
		}
		if (send(fd, &word, sizeof(word), MSG_NOSIGNAL) != (ssize_t)sizeof(word))
			break;
	}
	alone(&s);
	mdc_medium_free(&s.medium);
}

static void child(int fd, const struct mdc_keeper_disk *disk)
{
	static const int minded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	unsigned int i;

	for (i = 0; i < sizeof(minded) / sizeof(minded[0]); i++)
		signal(minded[i], SIG_IGN);
	setsid();
	serve(fd, disk);
	_exit(0);
}

int mdc_keeper_start(struct mdc_keeper *k, const struct mdc_keeper_disk *disk)
{
	int pair[2], ret;

	k->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	k->pid = fork();
	if (k->pid < 0) {
		ret = -errno;
		close(pair[0]);
		close(pair[1]);
		return ret;
	}
	if (!k->pid) {
		close(pair[0]);
		child(pair[1], disk);
	}
	close(pair[1]);
	k->fd = pair[0];
	return 0;
}

int mdc_keeper_ask(struct mdc_keeper *k, enum mdc_keeper_do what, const struct mdc_nonce *nonce,
		   struct mdc_keeper_word *word)
{
	struct question q = { .what = what };
	bool head = what == MDC_KEEP_LET_GO || what == MDC_KEEP_PUT_BACK || what == MDC_KEEP_LEAVE;
	long long until = mdc_now_ms() + (head ? HEAD_MS : LOOK_MS), left;
	struct pollfd p = { .fd = k->fd, .events = POLLIN };
	int n;

	memset(word, 0, sizeof(*word));
	if (nonce)
		q.nonce = *nonce;
	if (k->fd < 0 || send(k->fd, &q, sizeof(q), MSG_NOSIGNAL) != (ssize_t)sizeof(q))
		return -EPIPE;
	/* Through any signal: what is on the disk comes before the operator's hurry. */
	do {
		left = until - mdc_now_ms();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	return recv(k->fd, word, sizeof(*word), 0) == (ssize_t)sizeof(*word) ? 0 : -EPIPE;
}

void mdc_keeper_end(struct mdc_keeper *k)
{
	long long until = mdc_now_ms() + LOOK_MS;
	pid_t got;

	if (k->fd < 0)
		return;
	close(k->fd);
	k->fd = -1;
	/* It has nothing to do unless the disk hangs, and then nobody can wait for it. */
	do {
		got = waitpid(k->pid, NULL, WNOHANG);
		if (!got)
			poll(NULL, 0, 10);
	} while ((!got || (got < 0 && errno == EINTR)) && mdc_now_ms() < until);
}
