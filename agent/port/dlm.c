/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of the DLM's lock list; the text's form is core/dlmlocks.c's. */
#include "port/dlm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/dlmlocks.h"

#define LIST_BYTES_MAX (1 << 20)	/* an array has a few dozen locks of 100 bytes */

int mdc_dlm_slot(const char *sys, const struct mdc_uuid *array)
{
	char name[MDC_UUID_DASH], path[512];
	size_t len = 0;
	ssize_t n = 0;
	char *buf;
	int fd, ret;

	mdc_uuid_dash(array, name);
	snprintf(path, sizeof(path), "%s/kernel/debug/dlm/%s_locks", sys, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENODEV;
	buf = malloc(LIST_BYTES_MAX);
	if (!buf) {
		close(fd);
		return -ENOMEM;
	}
	while (len < LIST_BYTES_MAX && (n = read(fd, buf + len, LIST_BYTES_MAX - len)) > 0)
		len += (size_t)n;
	ret = n < 0 ? -ENODEV : mdc_dlmlocks_slot(buf, len);
	free(buf);
	close(fd);
	return ret;
}
