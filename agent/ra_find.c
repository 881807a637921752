/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the question whether the array runs on this node, and under which name. A clustered
 * array that runs has a DLM lockspace named after its UUID: without that nothing further is
 * looked at. Kernels that don't show an array's UUID leave three places that remember it.
 */
#include "ra.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/mdsys.h"

struct by_uuid {
	const char *sys;
	const struct mdc_uuid *uuid;
	char *md;
};

static int match_uuid(const char *md, void *data)
{
	struct by_uuid *by = data;
	struct mdc_uuid uuid;

	if (mdc_mdsys_uuid(by->sys, md, &uuid) || !mdc_uuid_equal(&uuid, by->uuid))
		return 0;
	strcpy(by->md, md);
	return 1;
}

/* A small text file, cut at size. 0 or -errno. */
static int read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		n = read(fd, out + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	close(fd);
	out[used] = '\0';
	return 0;
}

void mdc_find_statefile(const struct mdc_ra *ra, char *path, size_t size)
{
	char name[MDC_UUID_DASH];

	mdc_uuid_dash(&ra->params.uuid, name);
	snprintf(path, size, "%s/arrays/%s", ra->paths->rundir, name);
}

static bool from_track(const struct mdc_ra *ra, char md[MDC_NAME_MAX])
{
	char path[PATH_MAX], text[MDC_LINE_MAX + 1];
	struct mdc_track track;

	mdc_find_statefile(ra, path, sizeof(path));
	if (read_file(path, text, sizeof(text)))
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (mdc_track_parse(&track, text) || !mdc_uuid_equal(&track.uuid, &ra->params.uuid))
		return false;
	strcpy(md, track.md);
	return true;
}

/*
 * mdadm's own notes, a line an array: kernel name, metadata version, UUID, path. It writes
 * the UUID there as four numbers of the machine, which on x86 swaps the bytes of each.
 */
static bool same_in_map(const struct mdc_uuid *map, const struct mdc_uuid *ours)
{
	struct mdc_uuid swapped;
	size_t i;

	for (i = 0; i < sizeof(swapped.b); i++)
		swapped.b[i] = map->b[i ^ 3];
	return mdc_uuid_equal(map, ours) || mdc_uuid_equal(&swapped, ours);
}

static bool from_map(const struct mdc_ra *ra, char md[MDC_NAME_MAX])
{
	char text[16384], *line, *save = NULL;

	if (read_file(ra->paths->mdadm_map, text, sizeof(text)))
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[MDC_NAME_MAX], uuid_text[MDC_UUID_DASH];
		struct mdc_uuid uuid;

		if (sscanf(line, "%127s %*s %36s", name, uuid_text) != 2)
			continue;
		if (mdc_md_valid(name) && !mdc_uuid_parse(&uuid, uuid_text) &&
		    same_in_map(&uuid, &ra->params.uuid)) {
			strcpy(md, name);
			return true;
		}
	}
	return false;
}

/* The kernel name behind the parameter device: a link in /dev/md, or the node itself. */
static bool from_device(const struct mdc_ra *ra, char md[MDC_NAME_MAX])
{
	const char *device = ra->params.device, *name;
	char path[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (!device[0])
		return false;
	snprintf(path, sizeof(path), "%s%s", ra->paths->dev, device + strlen("/dev"));
	n = readlink(path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		name = strrchr(target, '/');
		name = name ? name + 1 : target;
	} else if (strncmp(device, "/dev/md/", 8) && stat(path, &st) == 0) {
		name = device + strlen("/dev/");
	} else {
		return false;
	}
	if (!mdc_md_valid(name))
		return false;
	strcpy(md, name);
	return true;
}

int mdc_find_same(const struct mdc_ra *ra, const char *md)
{
	struct mdc_uuid uuid;

	if (mdc_mdsys_uuid(ra->paths->sys, md, &uuid))
		return -ENOENT;
	return mdc_uuid_equal(&uuid, &ra->params.uuid);
}

/* What the notes say may be out of date: the kernel's word is taken where it gives one. */
static bool plausible(const struct mdc_ra *ra, const char *md)
{
	char path[PATH_MAX], text[32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/block/%s/md", ra->paths->sys, md);
	if (stat(path, &st) || mdc_find_same(ra, md) == 0)
		return false;
	snprintf(path, sizeof(path), "%s/block/%s/md/bitmap/metadata", ra->paths->sys, md);
	return read_file(path, text, sizeof(text)) || !strncmp(text, "clustered", 9);
}

void mdc_find_array(const struct mdc_ra *ra, struct mdc_found *found)
{
	static bool (*const notes[])(const struct mdc_ra *ra, char md[MDC_NAME_MAX]) = {
		from_track, from_map, from_device,
	};
	struct by_uuid by = { ra->paths->sys, &ra->params.uuid, found->md };
	size_t i;

	memset(found, 0, sizeof(*found));
	found->lockspace = mdc_mdsys_lockspace(ra->paths->sys, &ra->params.uuid);
	if (!found->lockspace) {
		mdc_trace(ra, "no DLM lockspace of array %s: not running here", ra->params.uuid_text);
		return;
	}
	if (mdc_mdsys_each(ra->paths->sys, match_uuid, &by) != 1) {
		for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
			if (notes[i](ra, found->md) && plausible(ra, found->md))
				break;
			found->md[0] = '\0';
		}
	}
	if (found->md[0] && mdc_mdsys_read(ra->paths->sys, found->md, &found->array))
		found->md[0] = '\0';
	found->started = found->md[0] && mdc_array_running(&found->array);
	mdc_trace(ra, "lockspace is there; array is %s, state %s", found->md[0] ? found->md : "not found",
		  found->md[0] ? found->array.array_state : "-");
}

void mdc_find_node(const struct mdc_ra *ra, struct mdc_node_seen *node)
{
	char noted[MDC_NAME_MAX];
	struct mdc_array array;
	int same;

	memset(node, 0, sizeof(*node));
	if (!from_device(ra, node->md))
		return;
	/* A node without members is left over from an array that was stopped: it is free. */
	if (mdc_mdsys_read(ra->paths->sys, node->md, &array) ||
	    !strcmp(array.array_state, "clear")) {
		node->md[0] = '\0';
		return;
	}
	node->running = mdc_array_running(&array);
	same = mdc_find_same(ra, node->md);
	if (same < 0 && from_map(ra, noted) && !strcmp(noted, node->md))
		same = 1;
	node->have_uuid = same >= 0;
	node->same_uuid = same == 1;
}

static bool is_half(const struct mdc_ra *ra, const char *md)
{
	struct mdc_array array;

	return !mdc_mdsys_read(ra->paths->sys, md, &array) &&
	       !strcmp(array.array_state, "inactive");
}

/*
 * udevd makes no link for an array that is not started, and Linux 6.1 shows no UUID: so by
 * the kernel's UUID where there is one, else by mdadm's own note.
 */
bool mdc_find_half(const struct mdc_ra *ra, char md[MDC_NAME_MAX])
{
	struct by_uuid by = { ra->paths->sys, &ra->params.uuid, md };

	if (mdc_mdsys_each(ra->paths->sys, match_uuid, &by) == 1)
		return is_half(ra, md);
	return from_map(ra, md) && mdc_find_same(ra, md) != 0 && is_half(ra, md);
}
