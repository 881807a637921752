/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the descriptors that the kernel wakes on a change of an array. Such a file must be
 * read after each wake-up, from its start, or it wakes again at once; a file whose array
 * is gone wakes for ever, so it is closed when it cannot be read.
 */
#include "port/mdwatch.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <unistd.h>

#define COALESCE_MS 50
#define FILES 3
#define ATTRIBUTE 4096		/* a sysfs file at most */
/*
 * To show an array in mdstat the kernel takes a mutex that it holds while it waits for that
 * array's members. For one byte it shows none.
 */
#define MDSTAT 1

struct file {
	struct mdc_mdwatch *watch;
	int fd;
	size_t want;
	guint source;
};

struct mdc_mdwatch {
	struct file files[FILES];
	unsigned int n;
	guint timer;
	void (*changed)(void *data);
	void *data;
};

static gboolean tell(gpointer data)
{
	struct mdc_mdwatch *watch = data;

	watch->timer = 0;
	watch->changed(watch->data);
	return G_SOURCE_REMOVE;
}

/* Arms the file again. */
static bool drain(const struct file *file)
{
	char buf[ATTRIBUTE];

	return lseek(file->fd, 0, SEEK_SET) >= 0 && read(file->fd, buf, file->want) >= 0;
}

static gboolean woken(gint fd, GIOCondition cond, gpointer data)
{
	struct file *file = data;
	struct mdc_mdwatch *watch = file->watch;

	(void)cond;
	if (!watch->timer)
		watch->timer = g_timeout_add(COALESCE_MS, tell, watch);
	(void)fd;
	if (drain(file))
		return G_SOURCE_CONTINUE;
	file->source = 0;
	return G_SOURCE_REMOVE;
}

static void add_file(struct mdc_mdwatch *watch, const char *path, size_t want)
{
	struct file *file = &watch->files[watch->n];

	file->watch = watch;
	file->want = want;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return;
	if (!drain(file)) {
		close(file->fd);
		return;
	}
	watch->n++;
	file->source = g_unix_fd_add(file->fd, G_IO_PRI | G_IO_ERR, woken, file);
}

static struct mdc_mdwatch *new_watch(void (*changed)(void *data), void *data)
{
	struct mdc_mdwatch *watch = g_new0(struct mdc_mdwatch, 1);

	watch->changed = changed;
	watch->data = data;
	return watch;
}

struct mdc_mdwatch *mdc_mdwatch_array(const char *sys, const char *md,
				      void (*changed)(void *data), void *data)
{
	static const char *const names[FILES] = { "array_state", "sync_action", "degraded" };
	struct mdc_mdwatch *watch = new_watch(changed, data);
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		g_autofree char *path = g_strdup_printf("%s/block/%s/md/%s", sys, md, names[i]);

		add_file(watch, path, ATTRIBUTE);
	}
	return watch;
}

struct mdc_mdwatch *mdc_mdwatch_mdstat(void (*changed)(void *data), void *data)
{
	struct mdc_mdwatch *watch = new_watch(changed, data);

	add_file(watch, "/proc/mdstat", MDSTAT);
	return watch;
}

void mdc_mdwatch_free(struct mdc_mdwatch *watch)
{
	unsigned int i;

	if (!watch)
		return;
	for (i = 0; i < watch->n; i++) {
		g_clear_handle_id(&watch->files[i].source, g_source_remove);
		close(watch->files[i].fd);
	}
	g_clear_handle_id(&watch->timer, g_source_remove);
	g_free(watch);
}
