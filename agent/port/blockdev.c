/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the list of block devices and their order. Everything is read from sysfs, /proc and
 * the names under /dev, so no dead path can hold up the main loop here, but for a disk's name.
 */
#include "port/blockdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LIST_MAX 4096

/* The first line of an attribute, which sysfs gives in one read. dir: as openat() takes it. */
static bool read_text(int dir, const char *path, char *out, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool dev_text(const char *sys, const char *kname, const char *attr, char *out, size_t size)
{
	g_autofree char *path = g_strdup_printf("%s/class/block/%s/%s", sys, kname, attr);

	return read_text(AT_FDCWD, path, out, size);
}

static bool excluded(const char *kname)
{
	static const char *const never[] = { "md", "ram", "zram", "sr", "fd", "mtdblock" };
	size_t i, n;

	for (i = 0; i < G_N_ELEMENTS(never); i++) {
		n = strlen(never[i]);
		if (!strncmp(kname, never[i], n) &&
		    (g_ascii_isdigit(kname[n]) || (!i && kname[n] == '_')))
			return true;
	}
	return false;
}

static void first_holder(int dev, char *out, size_t size)
{
	int fd = openat(dev, "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	out[0] = '\0';
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= size)
			continue;
		/* Which one is shown must not depend on the directory's order. */
		if (!out[0] || strcmp(e->d_name, out) < 0)
			g_strlcpy(out, e->d_name, size);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

/* dir: the device's own in sysfs. All but the names. */
static bool read_dev(int dir, struct mdc_blockdev *dev)
{
	char text[64];

	if (!read_text(dir, "dev", text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &dev->major, &dev->minor) != 2)
		return false;
	if (!read_text(dir, "size", text, sizeof(text)))
		return false;
	dev->sectors = g_ascii_strtoull(text, NULL, 10);
	if (!dev->sectors)
		return false;
	if (g_str_has_prefix(dev->kname, "loop") && faccessat(dir, "loop/backing_file", F_OK, 0) &&
	    faccessat(dir, "partition", F_OK, 0))
		return false;
	if (read_text(dir, "diskseq", text, sizeof(text)) ||
	    read_text(dir, "../diskseq", text, sizeof(text)))
		dev->seq = g_ascii_strtoull(text, NULL, 10);
	first_holder(dir, dev->holder, sizeof(dev->holder));
	return true;
}

bool mdc_blockdev_get(const char *sys, const char *kname, struct mdc_blockdev *dev)
{
	g_autofree char *path = NULL;
	char *slash;
	bool ok;
	int dir;

	memset(dev, 0, sizeof(*dev));
	if (!*kname || strlen(kname) >= sizeof(dev->kname) || strchr(kname, '/') ||
	    kname[0] == '.' || excluded(kname))
		return false;
	g_strlcpy(dev->kname, kname, sizeof(dev->kname));
	/* Its way through the names is long, and all attributes have it in common. */
	path = g_strdup_printf("%s/class/block/%s", sys, kname);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	ok = read_dev(dir, dev);
	close(dir);
	snprintf(dev->path, sizeof(dev->path), "/dev/%s", kname);
	for (slash = dev->path + 5; *slash; slash++)
		if (*slash == '!')
			*slash = '/';
	return ok;
}

/* Device numbers of what is mounted or swapped to, as "MAJ:MIN" strings. */
static GHashTable *devices_in_use(void)
{
	GHashTable *used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	unsigned int major, minor;
	struct stat st;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*u %u:%u ", &major, &minor) == 2)
			g_hash_table_add(used, g_strdup_printf("%u:%u", major, minor));
	if (f)
		fclose(f);
	f = fopen("/proc/swaps", "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, " \t\n")] = '\0';
		if (line[0] == '/' && !strncmp(line, "/dev/", 5) && !stat(line, &st) &&
		    S_ISBLK(st.st_mode))
			g_hash_table_add(used, g_strdup_printf("%u:%u", major(st.st_rdev),
							       minor(st.st_rdev)));
	}
	if (f)
		fclose(f);
	return used;
}

/* The kernel name behind a device node; NULL where it is no block device. */
static char *kname_of(const char *sys, const char *path)
{
	g_autofree char *link = NULL, *target = NULL;
	struct stat st;

	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return NULL;
	link = g_strdup_printf("%s/dev/block/%u:%u", sys, major(st.st_rdev), minor(st.st_rdev));
	target = g_file_read_link(link, NULL);
	return target ? g_path_get_basename(target) : NULL;
}

int mdc_blockdev_by_path(const char *sys, const char *path, struct mdc_blockdev *dev)
{
	g_autoptr(GHashTable) used = NULL;
	g_autofree char *kname = NULL;
	char number[32];
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	kname = kname_of(sys, path);
	if (!kname || !mdc_blockdev_get(sys, kname, dev))
		return -ENODEV;
	g_strlcpy(dev->path, path, sizeof(dev->path));
	used = devices_in_use();
	snprintf(number, sizeof(number), "%u:%u", dev->major, dev->minor);
	dev->in_use = g_hash_table_contains(used, number);
	return 0;
}

/* The first device that this one is built on. */
static bool first_slave(const char *sys, const char *kname, char *out, size_t size)
{
	g_autofree char *path = g_strdup_printf("%s/class/block/%s/slaves", sys, kname);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = dir ? g_dir_read_name(dir) : NULL;

	return name && g_strlcpy(out, name, size) < size;
}

static void get_id(const char *sys, const char *kname, bool may_wait, char out[MDC_DISKID_MAX])
{
	/* What the kernel remembers; but for `serial`, which virtio-blk asks the disk for. */
	static const struct {
		const char *name;
		bool waits;
	} files[] = {
		{ "wwid", false }, { "device/wwid", false }, { "serial", true },
		{ "device/serial", false },
	};
	char text[256], slave[MDC_KNAME_MAX];
	unsigned int part = 0;
	const char *up = "";
	size_t i;

	out[0] = '\0';
	if (dev_text(sys, kname, "partition", text, sizeof(text))) {
		part = (unsigned int)g_ascii_strtoull(text, NULL, 10);
		up = "../";
	}
	if (dev_text(sys, kname, "dm/uuid", text, sizeof(text))) {
		/* A multipath map has its paths' name: other nodes may not use multipath. */
		if (g_str_has_prefix(text, "mpath-") &&
		    first_slave(sys, kname, slave, sizeof(slave)))
			get_id(sys, slave, may_wait, out);
		else
			mdc_diskid_make(out, text, 0);
		return;
	}
	for (i = 0; i < G_N_ELEMENTS(files) && !out[0]; i++) {
		g_autofree char *name = g_strconcat(up, files[i].name, NULL);

		if ((may_wait || !files[i].waits) &&
		    dev_text(sys, kname, name, text, sizeof(text)))
			mdc_diskid_make(out, text, part);
	}
}

void mdc_blockdev_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX])
{
	get_id(sys, kname, true, out);
}

void mdc_blockdev_known_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX])
{
	get_id(sys, kname, false, out);
}

/* Adds KNAME -> PATH for each match; true if there was one. */
static bool expand(const char *sys, const char *pattern, GHashTable *out)
{
	glob_t found = { 0 };
	bool any = false;
	size_t i;

	if (!glob(pattern, 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc && i < LIST_MAX; i++) {
			char *kname = kname_of(sys, found.gl_pathv[i]);

			if (!kname)
				continue;
			any = true;
			if (g_hash_table_contains(out, kname))
				g_free(kname);
			else
				g_hash_table_insert(out, kname, g_strdup(found.gl_pathv[i]));
		}
	}
	globfree(&found);
	return any;
}

static GHashTable *expand_all(const char *sys, const char *members, GPtrArray *nomatch)
{
	GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) globs = g_strsplit(members, " ", -1);
	char **g;

	for (g = globs; *g; g++)
		if (**g && !expand(sys, *g, out) && nomatch)
			g_ptr_array_add(nomatch, g_strdup(*g));
	return out;
}

static int rank(const struct mdc_blockdev *dev, uint64_t min_sectors)
{
	return (dev->in_use ? 0 : 4) + (dev->holder[0] ? 0 : 2) +
	       (dev->sectors >= min_sectors ? 1 : 0);
}

static int likely_first(const void *pa, const void *pb, void *data)
{
	const struct mdc_blockdev *a = pa, *b = pb;
	uint64_t min_sectors = *(const uint64_t *)data;
	int ra = rank(a, min_sectors), rb = rank(b, min_sectors);

	if (ra != rb)
		return rb - ra;
	if (a->seq != b->seq)
		return a->seq > b->seq ? -1 : 1;
	return strcmp(a->kname, b->kname);
}

GArray *mdc_blockdev_list(const char *sys, const char *members, uint64_t min_sectors,
			  GPtrArray *nomatch)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));
	g_autoptr(GHashTable) limit = *members ? expand_all(sys, members, nomatch) : NULL;
	g_autoptr(GHashTable) used = devices_in_use();
	g_autofree char *path = g_strdup_printf("%s/class/block", sys);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) && list->len < LIST_MAX) {
		const char *as = limit ? g_hash_table_lookup(limit, name) : NULL;
		struct mdc_blockdev dev;
		char number[32];

		if ((limit && !as) || !mdc_blockdev_get(sys, name, &dev))
			continue;
		if (as)
			g_strlcpy(dev.path, as, sizeof(dev.path));
		snprintf(number, sizeof(number), "%u:%u", dev.major, dev.minor);
		dev.in_use = g_hash_table_contains(used, number);
		g_array_append_val(list, dev);
	}
	g_array_sort_with_data(list, likely_first, &min_sectors);
	return list;
}

bool mdc_blockdev_allowed(const char *sys, const char *members, const char *kname)
{
	g_autoptr(GHashTable) limit = NULL;

	if (!*members)
		return true;
	limit = expand_all(sys, members, NULL);
	return g_hash_table_contains(limit, kname);
}
