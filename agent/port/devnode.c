/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the way from device numbers to a descriptor. A name under /dev may be late, missing
 * (no udevd) or another device's by now, so the numbers decide.
 */
#include "port/devnode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int mdc_devnode_open(const char *path, unsigned int major, unsigned int minor, int flags)
{
	dev_t dev = makedev(major, minor);
	struct stat st;
	char own[64];
	int fd, err;

	if (!stat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == dev) {
		fd = open(path, flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	/* In /dev, since /run is mounted nodev. */
	snprintf(own, sizeof(own), "/dev/.mdcluster-%u-%u-%ld", major, minor, (long)getpid());
	if (mknod(own, S_IFBLK | 0600, dev))
		return -errno;
	fd = open(own, flags | O_CLOEXEC);
	err = errno;
	unlink(own);
	return fd < 0 ? -err : fd;
}
