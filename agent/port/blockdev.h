/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block devices of this node, from sysfs: opens none of them. GLib arrays, main loop. */
#ifndef MDC_BLOCKDEV_H
#define MDC_BLOCKDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/diskid.h"
#include "core/track.h"
#include "core/uevent.h"

struct mdc_blockdev {
	char kname[MDC_KNAME_MAX];
	char path[MDC_PATH_MAX];	/* as members named it, else /dev/KNAME */
	char holder[MDC_KNAME_MAX];	/* the first one; empty: none */
	unsigned int major, minor;
	uint64_t sectors;
	uint64_t seq;			/* the kernel's disk number: higher is newer; 0: not known */
	bool in_use;			/* mounted or swap */
};

/* One device by its kernel name; false where it is none that could be a member. */
bool mdc_blockdev_get(const char *sys, const char *kname, struct mdc_blockdev *dev);

/*
 * The device behind a path, whichever of its names that is, with in_use and the path as given. 0,
 * -errno of stat, -ENOTBLK, or -ENODEV: one that can be no member.
 */
int mdc_blockdev_by_path(const char *sys, const char *path, struct mdc_blockdev *dev);
/*
 * Its name in the cluster (core/diskid.h); out is empty where it has neither WWN nor serial. Waits
 * for some disks (virtio-blk), as long as they hang: not in the main loop.
 */
void mdc_blockdev_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX]);
/* The same as far as the kernel remembers it: empty for those disks. Waits for nothing. */
void mdc_blockdev_known_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX]);

/*
 * All that could be members, the likely ones first: nobody's before somebody's, at least
 * min_sectors before smaller, newer before older. members: globs divided by a space to
 * which the list is limited, "" for no limit; each that matches no block device is
 * added to nomatch (strings, may be NULL). The caller frees the array.
 */
GArray *mdc_blockdev_list(const char *sys, const char *members, uint64_t min_sectors,
			  GPtrArray *nomatch);
/* Does kname stand in what members allows? */
bool mdc_blockdev_allowed(const char *sys, const char *members, const char *kname);

#endif
