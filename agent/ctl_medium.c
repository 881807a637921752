/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns every write of mdclusterctl to a disk. Whatever is overwritten was read before, and each
 * write is read back: what comes from a cache proves nothing, so the descriptor should be one
 * with O_DIRECT. All lengths are multiples of UNIT, which covers every logical block size
 * that md takes.
 */
#include "ctl_medium.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/readat.h"

#define UNIT MDC_NONCE_BYTES
#define CHUNK (1u << 20)
#define NONCE_AT (MDC_NONCE_SECTOR * 512ull)

static int write_at(int fd, const uint8_t *buf, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, buf + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

static uint8_t *aligned(size_t len)
{
	void *buf;

	return posix_memalign(&buf, UNIT, len) ? NULL : buf;
}

static bool is_blank(const uint8_t *buf, size_t len)
{
	return !buf[0] && !memcmp(buf, buf + 1, len - 1);
}

/* Written, on the medium, and found there again. */
static int put(int fd, const uint8_t *block, uint64_t at)
{
	uint8_t *again = aligned(UNIT);
	int ret = again ? write_at(fd, block, UNIT, at) : -ENOMEM;

	if (!ret && fsync(fd))
		ret = -errno;
	/* Without O_DIRECT the cache would answer. */
	(void)!posix_fadvise(fd, (off_t)at, UNIT, POSIX_FADV_DONTNEED);
	if (!ret)
		ret = mdc_read_at(fd, again, UNIT, at);
	if (!ret && memcmp(again, block, UNIT))
		ret = -EILSEQ;
	free(again);
	return ret;
}

int mdc_medium_init(struct mdc_medium *m, const char *keep)
{
	memset(m, 0, sizeof(*m));
	m->fd = -1;
	m->keep = keep;
	m->before = aligned(UNIT);
	m->mark = aligned(UNIT);
	return m->before && m->mark ? 0 : -ENOMEM;
}

void mdc_medium_free(struct mdc_medium *m)
{
	free(m->before);
	free(m->mark);
	free(m->head);
	memset(m, 0, sizeof(*m));
}

/* The file's name is to be found again after a power cut, as well as what is in it. */
static int sync_name(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, ret = 0;

	if (!slash || (size_t)(slash - path) >= sizeof(dir))
		return -EINVAL;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	fd = open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		ret = -errno;
	close(fd);
	return ret;
}

static void unkeep(struct mdc_medium *m)
{
	if (m->kept)
		unlink(m->keep);
	m->kept = false;
}

/* What the memory alone holds is lost with the process. Never over what another one has kept. */
static int keep(struct mdc_medium *m, const uint8_t *data, size_t len)
{
	int fd = open(m->keep, O_WRONLY | O_CREAT | O_CLOEXEC | (m->kept ? O_TRUNC : O_EXCL), 0600);
	int ret;

	if (fd < 0)
		return errno == EEXIST ? -EALREADY : -errno;
	m->kept = true;
	ret = write_at(fd, data, len, 0);
	if (!ret && fsync(fd))
		ret = -errno;
	close(fd);
	if (!ret)
		ret = sync_name(m->keep);
	if (ret)
		unkeep(m);
	return ret;
}

/* A node that the exclusive claim does not reach may have been quicker. */
static bool is_taken(const uint8_t *block, const struct mdc_uuid *rejoins)
{
	struct mdc_super super;

	return !mdc_super_parse(&super, block, UNIT) &&
	       !(rejoins && mdc_uuid_equal(&super.array, rejoins));
}

int mdc_medium_mark(struct mdc_medium *m, struct mdc_nonce *nonce,
		    const struct mdc_uuid *rejoins, struct mdc_nonce *other)
{
	int ret = mdc_read_at(m->fd, m->before, UNIT, NONCE_AT);

	if (ret)
		return ret;
	if (is_taken(m->before, rejoins))
		return -ESTALE;
	if (!mdc_nonce_parse(other, m->before)) {
		/* Left by a node that lost its power; or by one that is at it right now. */
		if (!other->blank)
			return -EEXIST;
		memset(m->before, 0, UNIT);
	}
	nonce->blank = is_blank(m->before, UNIT);
	mdc_nonce_format(nonce, m->mark);
	ret = keep(m, m->before, UNIT);
	if (ret)
		return ret;
	m->marked = true;
	ret = put(m->fd, m->mark, NONCE_AT);
	if (ret && !put(m->fd, m->before, NONCE_AT)) {
		m->marked = false;
		unkeep(m);
	}
	return ret;
}

int mdc_medium_unmark(struct mdc_medium *m)
{
	uint8_t *now = aligned(UNIT);
	int ret = now ? 0 : -ENOMEM;

	if (!ret && m->marked) {
		ret = mdc_read_at(m->fd, now, UNIT, NONCE_AT);
		/* Only over what is ours: it may be a new owner's by now. */
		if (!ret && !memcmp(now, m->mark, UNIT))
			ret = put(m->fd, m->before, NONCE_AT);
		else if (!ret && memcmp(now, m->before, UNIT))
			ret = -ESTALE;
		if (!ret) {
			m->marked = false;
			unkeep(m);
		}
	}
	free(now);
	return ret;
}

int mdc_medium_save(struct mdc_medium *m, uint64_t len)
{
	uint64_t at;
	int ret = 0;

	len = (len + UNIT - 1) / UNIT * UNIT;
	if (len > MDC_MEDIUM_HEAD_MAX)
		return -EFBIG;
	free(m->head);
	m->head_len = (size_t)len;
	m->head = aligned(m->head_len);
	if (!m->head)
		return -ENOMEM;
	for (at = 0; !ret && at < len; at += CHUNK)
		ret = mdc_read_at(m->fd, m->head + at, len - at < CHUNK ? len - at : CHUNK, at);
	if (ret) {
		free(m->head);
		m->head = NULL;
	}
	return ret;
}

static int put_back_chunk(const struct mdc_medium *m, uint8_t *now, uint64_t at)
{
	size_t len = m->head_len - at < CHUNK ? m->head_len - at : CHUNK, i;
	int ret = mdc_read_at(m->fd, now, len, at);

	for (i = 0; !ret && i < len; i += UNIT)
		if (memcmp(now + i, m->head + at + i, UNIT))
			ret = put(m->fd, m->head + at + i, at + i);
	return ret;
}

int mdc_medium_put_back(struct mdc_medium *m, bool *kept)
{
	uint8_t *now = aligned(CHUNK);
	int ret = now ? 0 : -ENOMEM;
	uint64_t at;

	*kept = false;
	/* Without O_DIRECT the cache would hide what mdadm has written past it. */
	(void)!posix_fadvise(m->fd, 0, (off_t)m->head_len, POSIX_FADV_DONTNEED);
	for (at = 0; !ret && at < m->head_len; at += CHUNK)
		ret = put_back_chunk(m, now, at);
	free(now);
	if (ret)
		*kept = !mdc_medium_keep(m);
	return ret;
}

int mdc_medium_keep(struct mdc_medium *m)
{
	return keep(m, m->head, m->head_len);
}
