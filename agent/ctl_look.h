/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can a disk become a member of an array? What stands on it says so. May hang with the disk. */
#ifndef MDC_CTL_LOOK_H
#define MDC_CTL_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/superblock.h"
#include "port/blockdev.h"

/* The superblock of the array's member. 0; -ESTALE: it is another array's; -errno. */
int mdc_look_member(const struct mdc_blockdev *dev, const struct mdc_uuid *array,
		    struct mdc_super *super);
/*
 * What libblkid recognises on the disk, as a list for a person: "ext4 (label data), gpt". Empty:
 * nothing. A superblock of the array itself is not listed, but told in *ours. 0 or -errno.
 */
int mdc_look_signatures(int fd, const struct mdc_uuid *array, char *out, size_t size,
			bool *ours);

#endif
