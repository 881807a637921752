/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the files under RUNDIR, which is on a tmpfs: nothing here survives a boot. */
#include "port/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define RUNNING "running"	/* there from the lock to an end in good order */

static int make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	return chmod(path, 0700) ? -errno : 0;
}

int mdc_statefile_init(const char *rundir)
{
	g_autofree char *arrays = g_build_filename(rundir, "arrays", NULL);
	int ret = make_dir(rundir);

	return ret ? ret : make_dir(arrays);
}

int mdc_statefile_lock(const char *rundir)
{
	g_autofree char *path = g_build_filename(rundir, "lock", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

bool mdc_statefile_left(const char *rundir)
{
	g_autofree char *path = g_build_filename(rundir, RUNNING, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return errno == EEXIST;
	close(fd);
	return false;
}

void mdc_statefile_leave(const char *rundir)
{
	g_autofree char *path = g_build_filename(rundir, RUNNING, NULL);

	unlink(path);
}

static char *file_of(const char *rundir, const struct mdc_uuid *uuid)
{
	char name[MDC_UUID_DASH];

	mdc_uuid_dash(uuid, name);
	return g_build_filename(rundir, "arrays", name, NULL);
}

int mdc_statefile_save(const char *rundir, const struct mdc_track *track)
{
	g_autofree char *path = file_of(rundir, &track->uuid);
	g_autoptr(GError) error = NULL;
	char line[MDC_LINE_MAX];
	int len = mdc_track_format(track, line, sizeof(line) - 1);

	if (len < 0)
		return len;
	line[len] = '\n';
	if (!g_file_set_contents_full(path, line, len + 1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
				      &error)) {
		mdc_err("cannot write %s: %s", path, error->message);
		return -EIO;
	}
	return 0;
}

int mdc_statefile_remove(const char *rundir, const struct mdc_uuid *uuid)
{
	g_autofree char *path = file_of(rundir, uuid);

	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static bool read_one(const char *path, const char *name, struct mdc_track *track)
{
	g_autofree char *text = NULL;
	char own[MDC_UUID_DASH];
	gsize len;

	if (!g_file_get_contents(path, &text, &len, NULL) || !len || len > MDC_LINE_MAX ||
	    text[len - 1] != '\n' || memchr(text, '\0', len))
		return false;
	text[len - 1] = '\0';
	if (mdc_track_parse(track, text))
		return false;
	mdc_uuid_dash(&track->uuid, own);
	return !strcmp(own, name);
}

void mdc_statefile_each(const char *rundir,
			void (*fn)(const struct mdc_track *track, void *data), void *data)
{
	g_autofree char *arrays = g_build_filename(rundir, "arrays", NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(arrays, 0, NULL);
	const char *name;
	guint i;

	/* fn may remove files: the directory is read to its end first. */
	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	for (i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(arrays, names->pdata[i], NULL);
		struct mdc_track track;

		if (read_one(path, names->pdata[i], &track)) {
			fn(&track, data);
			continue;
		}
		mdc_warn("%s does not describe an array; removed", path);
		unlink(path);
	}
}
