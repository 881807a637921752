/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the search in procfs. A process may end, and its number be another one's, at any time. */
#include "port/holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 5

static bool is_mdadm(const char *proc, const char *pid)
{
	char path[PATH_MAX], name[16] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, name, sizeof(name) - 1);
	close(fd);
	return n > 0 && !strcmp(name, "mdadm\n");
}

static bool has_open(const char *proc, const char *pid, const char *md)
{
	char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2], wanted[NAME_MAX], link[NAME_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(wanted, sizeof(wanted), "/dev/%s", md);
	snprintf(dir, sizeof(dir), "%s/%s/fd", proc, pid);
	d = opendir(dir);
	while (d && !found && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		found = !strcmp(link, wanted);
	}
	if (d)
		closedir(d);
	return found;
}

static int is_process(const struct dirent *e)
{
	return e->d_name[0] >= '1' && e->d_name[0] <= '9';
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return atoi((*b)->d_name) - atoi((*a)->d_name);
}

/* Writers may wait meanwhile: one that was started a moment ago is found at once. */
pid_t mdc_holder_mdadm(const char *proc, const char *md)
{
	struct dirent **list;
	pid_t pid = 0;
	int i, n;

	n = scandir(proc, &list, is_process, newest_first);
	for (i = 0; i < n; i++) {
		if (!pid && is_mdadm(proc, list[i]->d_name) && has_open(proc, list[i]->d_name, md))
			pid = (pid_t)atoi(list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return pid;
}

static pid_t watch_one(const char *proc, const char *md, int *fd)
{
	pid_t pid = mdc_holder_mdadm(proc, md);
	char text[16];

	*fd = -1;
	if (!pid)
		return 0;
	*fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*fd < 0)
		return errno == ESRCH ? pid : 0;
	/* The descriptor may be of another process that has its number since. */
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (is_mdadm(proc, text) && has_open(proc, text, md))
		return pid;
	close(*fd);
	*fd = -1;
	return pid;
}

/* One that has just ended, as mdadm --detail does at once, hides another one. */
pid_t mdc_holder_watch(const char *proc, const char *md, int *fd)
{
	pid_t pid = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		pid = watch_one(proc, md, fd);
		if (!pid || *fd >= 0)
			return pid;
	}
	return 0;
}
