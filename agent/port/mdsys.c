/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the reading of sysfs. An array may go away, or change, between two reads: a file
 * that is not there leaves its field empty, and only a missing array is an error.
 */
#include "port/mdsys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line of the file; what does not fit is cut off. 0 or -errno. */
static int read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return -errno;
	do
		n = read(fd, out, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		n = -errno;
		close(fd);
		return (int)n;
	}
	close(fd);
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int read_attr(const char *sys, const char *md, const char *attr, char *out, size_t size)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/block/%s/%s", sys, md, attr);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		out[0] = '\0';
		return -ENAMETOOLONG;
	}
	return read_line(path, out, size);
}

/* The number at the start of the file ("3 (2)" while reshaping), else 0. */
static uint64_t read_number(const char *sys, const char *md, const char *attr)
{
	char text[64];

	if (read_attr(sys, md, attr, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
		return 0;
	return strtoull(text, NULL, 10);
}

static unsigned int read_uint(const char *sys, const char *md, const char *attr)
{
	uint64_t v = read_number(sys, md, attr);

	return v > UINT_MAX ? UINT_MAX : (unsigned int)v;
}

static void read_sync(const char *sys, const char *md, struct mdc_array *array)
{
	unsigned long long done, total;
	char text[64];

	if (read_attr(sys, md, "md/sync_action", array->sync_action, sizeof(array->sync_action)) ||
	    !array->sync_action[0])
		strcpy(array->sync_action, "idle");
	if (!strcmp(array->sync_action, "idle") || !strcmp(array->sync_action, "frozen"))
		return;
	if (read_attr(sys, md, "md/sync_completed", text, sizeof(text)))
		return;
	if (sscanf(text, "%llu / %llu", &done, &total) == 2 && total) {
		array->sync_done = done > total ? total : done;
		array->sync_total = total;
		array->sync_speed_kib = read_number(sys, md, "md/sync_speed");
	} else {
		array->sync_delayed = true;
	}
}

static void add_member(const char *sys, const char *md, const char *dev, struct mdc_array *array)
{
	struct mdc_member *m = &array->members[array->n_members];
	char attr[NAME_MAX + 16], text[32], *end;
	long role;

	if (array->n_members == MDC_MEMBERS_SHOWN || strlen(dev) >= sizeof(m->device))
		return;
	strcpy(m->device, dev);
	snprintf(attr, sizeof(attr), "md/dev-%s/state", dev);
	if (read_attr(sys, md, attr, m->state, sizeof(m->state)))
		return;		/* it has left the array between the listing and now */
	snprintf(attr, sizeof(attr), "md/dev-%s/slot", dev);
	m->role = -1;
	if (read_attr(sys, md, attr, text, sizeof(text)) == 0) {
		role = strtol(text, &end, 10);
		if (end != text && !*end && role >= 0 && role <= INT_MAX)
			m->role = (int)role;
	}
	array->n_members++;
}

/* Members in the order of their roles, those without one last, by name. */
static int by_role(const void *a, const void *b)
{
	const struct mdc_member *x = a, *y = b;
	unsigned int rx = (unsigned int)x->role, ry = (unsigned int)y->role;

	if (rx != ry)
		return rx < ry ? -1 : 1;
	return strcmp(x->device, y->device);
}

static int read_members(const char *sys, const char *md, struct mdc_array *array)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/block/%s/md", sys, md);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (!strncmp(e->d_name, "dev-", 4))
			add_member(sys, md, e->d_name + 4, array);
	closedir(dir);
	qsort(array->members, array->n_members, sizeof(array->members[0]), by_role);
	return 0;
}

int mdc_mdsys_read(const char *sys, const char *md, struct mdc_array *array)
{
	int rc;

	memset(array, 0, sizeof(*array));
	rc = read_attr(sys, md, "md/array_state", array->array_state, sizeof(array->array_state));
	if (rc)
		return rc == -ENOTDIR || rc == -ENODEV ? -ENOENT : rc;
	read_attr(sys, md, "md/level", array->level, sizeof(array->level));
	array->raid_disks = read_uint(sys, md, "md/raid_disks");
	array->degraded = read_uint(sys, md, "md/degraded");
	array->size_kib = read_number(sys, md, "size") / 2;
	read_sync(sys, md, array);
	return read_members(sys, md, array);
}

bool mdc_mdsys_lockspace(const char *sys, const struct mdc_uuid *uuid)
{
	char name[MDC_UUID_DASH], path[PATH_MAX];
	struct stat st;

	mdc_uuid_dash(uuid, name);
	snprintf(path, sizeof(path), "%s/kernel/dlm/%s", sys, name);
	return stat(path, &st) == 0;
}

int mdc_mdsys_uuid(const char *sys, const char *md, struct mdc_uuid *uuid)
{
	char text[64];
	int rc = read_attr(sys, md, "md/uuid", text, sizeof(text));

	if (rc)
		return rc == -ENOTDIR || rc == -ENODEV ? -ENOENT : rc;
	return mdc_uuid_parse(uuid, text);
}

int mdc_mdsys_each(const char *sys, int (*fn)(const char *md, void *data), void *data)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/block", sys);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!rc && (e = readdir(dir)))
		if (mdc_md_valid(e->d_name))
			rc = fn(e->d_name, data);
	closedir(dir);
	return rc;
}
