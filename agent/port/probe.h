/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a block device bears, read from the medium, and its name. May hang: in workers only. */
#ifndef MDC_PROBE_H
#define MDC_PROBE_H

#include <stdbool.h>

#include "core/diskid.h"
#include "core/nonce.h"
#include "core/superblock.h"
#include "core/track.h"
#include "core/uevent.h"

/* What takes longer than the read itself, and few need. */
#define MDC_PROBE_BLKID 1u	/* stale */
#define MDC_PROBE_NAME 2u	/* id: some disks (virtio-blk) are asked for it */

struct mdc_probe_device {
	char kname[MDC_KNAME_MAX];
	char path[MDC_PATH_MAX];
	unsigned int major, minor;
	unsigned int also;
};

struct mdc_probe {
	int err;			/* 0, or why it could not be read, as -errno */
	bool member;			/* an md member; super is filled in */
	bool stale;			/* libblkid, through the page cache, saw something else */
	bool have_bitmap;		/* bitmap is filled in */
	bool announced;			/* nonce is filled in; then it is no member */
	struct mdc_uuid nonce;
	char id[MDC_DISKID_MAX];	/* its name in the cluster, or empty; also with err */
	struct mdc_super super;
	struct mdc_bitmap_super bitmap;
};

/* sys: "/sys" */
void mdc_probe_device(const char *sys, const struct mdc_probe_device *dev,
		      struct mdc_probe *probe);

#endif
