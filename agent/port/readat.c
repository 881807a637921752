/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the loop round pread(), which may be interrupted, or read less. */
#include "port/readat.h"

#include <errno.h>
#include <unistd.h>

int mdc_read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		done += (size_t)n;
	}
	return 0;
}
