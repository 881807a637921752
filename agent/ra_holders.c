/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the search for what keeps an array busy: mounts, swap, devices on top, loop devices
 * and processes. Bounded in time; of each kind a few are enough for the sentence.
 */
#include "ra.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "run.h"

#define DEVS_MAX 17		/* the array and its partitions */
#define SHOWN_MAX 6
#define PROC_SCAN_MS 2000

struct search {
	const struct mdc_ra *ra;
	const char *md;
	unsigned int n_devs, n_found;
	unsigned int major[DEVS_MAX], minor[DEVS_MAX];
	char name[DEVS_MAX][NAME_MAX + 1];
	char *out;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) found(struct search *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (++s->n_found > SHOWN_MAX + 1)
		return;
	if (s->n_found > SHOWN_MAX) {
		strcpy(text, "and more");
	} else {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
	}
	if (s->used < s->size)
		s->used += (size_t)snprintf(s->out + s->used, s->size - s->used, "%s%s",
					    s->used ? ", " : "", text);
}

static bool read_word(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return out[0] != '\0';
}

static void add_dev(struct search *s, const char *dir, const char *name)
{
	char path[PATH_MAX], text[32];

	if (s->n_devs == DEVS_MAX)
		return;
	snprintf(path, sizeof(path), "%s/dev", dir);
	if (!read_word(path, text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &s->major[s->n_devs], &s->minor[s->n_devs]) != 2)
		return;
	snprintf(s->name[s->n_devs++], sizeof(s->name[0]), "%s", name);
}

static void list_devs(struct search *s)
{
	char dir[PATH_MAX], sub[PATH_MAX + NAME_MAX + 2];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/block/%s", s->ra->paths->sys, s->md);
	add_dev(s, dir, s->md);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, s->md, strlen(s->md)))
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", dir, e->d_name);
		add_dev(s, sub, e->d_name);
	}
	if (d)
		closedir(d);
}

static bool is_ours(const struct search *s, unsigned int maj, unsigned int min)
{
	unsigned int i;

	for (i = 0; i < s->n_devs; i++)
		if (s->major[i] == maj && s->minor[i] == min)
			return true;
	return false;
}

/* A device path as the kernel's tables write it: the node of one of ours? */
static bool names_ours(const struct search *s, const char *path)
{
	unsigned int i;

	if (s->ra->params.device[0] && !strcmp(path, s->ra->params.device))
		return true;
	for (i = 0; i < s->n_devs; i++)
		if (!strncmp(path, "/dev/", 5) && !strcmp(path + 5, s->name[i]))
			return true;
	return false;
}

static void find_mounts(struct search *s)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/self/mountinfo", s->ra->paths->proc);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		char where[256], source[256] = "";
		const char *rest = strstr(line, " - ");
		unsigned int maj, min;

		if (sscanf(line, "%*d %*d %u:%u %*s %255s", &maj, &min, where) != 3)
			continue;
		if (rest)
			sscanf(rest, " - %*s %255s", source);
		/* Some file systems show a device number of their own: then the name counts. */
		if (is_ours(s, maj, min) || names_ours(s, source))
			found(s, "mounted on %s", where);
	}
	free(line);
	if (f)
		fclose(f);
}

static void find_swap(struct search *s)
{
	char path[PATH_MAX], *line = NULL, name[256];
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/swaps", s->ra->paths->proc);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%255s", name) == 1 && names_ours(s, name))
			found(s, "used as swap");
	free(line);
	if (f)
		fclose(f);
}

static void find_stacked(struct search *s)
{
	char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 32], name[256];
	unsigned int i;

	for (i = 0; i < s->n_devs; i++) {
		struct dirent *e;
		DIR *d;

		snprintf(dir, sizeof(dir), "%s/block/%s/%s%sholders", s->ra->paths->sys, s->md,
			 i ? s->name[i] : "", i ? "/" : "");
		d = opendir(dir);
		while (d && (e = readdir(d))) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/block/%s/dm/name", s->ra->paths->sys, e->d_name);
			if (read_word(path, name, sizeof(name)))
				found(s, "device-mapper volume %s (%s)", name, e->d_name);
			else
				found(s, "device %s", e->d_name);
		}
		if (d)
			closedir(d);
	}
}

static void find_loops(struct search *s)
{
	char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 32], name[256];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/block", s->ra->paths->sys);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "%s/%s/loop/backing_file", dir, e->d_name);
		if (read_word(path, name, sizeof(name)) && names_ours(s, name))
			found(s, "loop device %s", e->d_name);
	}
	if (d)
		closedir(d);
}

/*
 * Has the process one of ours open? The link's text is looked at first, because a stat of
 * just any open file could wait for a file server that is gone.
 */
static bool has_open(const struct search *s, const char *pid)
{
	char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2], target[256];
	bool yes = false;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s/fd", s->ra->paths->proc, pid);
	d = opendir(dir);
	while (d && !yes && (e = readdir(d))) {
		struct stat st;
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (names_ours(s, target))
			yes = true;
		else if (!strncmp(target, "/dev/", 5) && stat(path, &st) == 0 && S_ISBLK(st.st_mode))
			yes = is_ours(s, major(st.st_rdev), minor(st.st_rdev));
	}
	if (d)
		closedir(d);
	return yes;
}

static void find_processes(struct search *s)
{
	long long deadline = mdc_now_ms() + mdc_ra_left(s->ra, PROC_SCAN_MS);
	struct dirent *e;
	DIR *d = opendir(s->ra->paths->proc);

	while (d && (e = readdir(d)) && mdc_now_ms() < deadline) {
		char path[PATH_MAX], name[64];

		if (!isdigit((unsigned char)e->d_name[0]) || !has_open(s, e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/comm", s->ra->paths->proc, e->d_name);
		if (!read_word(path, name, sizeof(name)))
			strcpy(name, "?");
		found(s, "process %s (%s)", e->d_name, name);
	}
	if (d)
		closedir(d);
}

enum mdc_held mdc_holders(const struct mdc_ra *ra, const char *md, char *out, size_t size)
{
	struct search s = { .ra = ra, .md = md, .out = out, .size = size };
	unsigned int fast;

	out[0] = '\0';
	list_devs(&s);
	find_mounts(&s);
	find_swap(&s);
	find_stacked(&s);
	find_loops(&s);
	fast = s.n_found;
	find_processes(&s);
	mdc_trace(ra, "holders of %s: %s", md, s.n_found ? out : "none to be seen");
	return fast ? MDC_HELD_FAST : s.n_found ? MDC_HELD_OPEN : MDC_HELD_UNSEEN;
}
