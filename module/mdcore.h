/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md core's private headers, and what the files share that know them: mdport.c, mdops.c,
 * mdsuper.c, mdmember.c and mdbitmap.c. No other includes it.
 */
#ifndef MDC_MDCORE_H
#define MDC_MDCORE_H

#include <linux/module.h>
#include <linux/raid/md_p.h>
#include "md.h"
#include "md-bitmap.h"
#include "md-cluster.h"
#include "raid1.h"
#include "compat/compat.h"
#include "mdport.h"

/* NULL before join, and after leave. */
/* In cluster_info: the join has failed, and md core is about to leave. Needs the array's mutex. */
#define MDC_NOT_JOINED ((struct md_cluster_info *)ERR_PTR(-ENOTCONN))

static inline struct mdc_cluster *mdc_cluster_of(struct mddev *mddev)
{
	struct mdc_cluster *c = (struct mdc_cluster *)READ_ONCE(mddev->cluster_info);

	return IS_ERR(c) ? NULL : c;
}

int mdc_own_slot(struct mddev *mddev);			/* -1: none */

/* The device with this number, or NULL. Needs the array's mutex, which keeps it there. */
struct md_rdev *mdc_find_rdev(struct mddev *mddev, u32 device);

/* How new RDEV's superblock is on the disk itself. 0 or -errno. Needs the array's mutex. */
int mdc_rdev_events(struct mddev *mddev, struct md_rdev *rdev, const u8 *uuid, u64 *events);

/* The superblock read last says that the array is in sync, and is as new as md core's idea. */
bool mdc_sb_clean(struct mddev *mddev);

/* The array's bitmap can all that a cluster needs. */
bool mdc_bm_usable(struct mddev *mddev);
/*
 * Our own bitmap asks for a resync at SECTOR; the next SECTORS have the same answer. A degraded
 * array's bits are only read, and so it is asked.
 */
bool mdc_bm_needs(struct mddev *mddev, sector_t sector, sector_t *sectors);
/* Our own bitmap asks for a resync of something. No resync runs; needs the array's mutex. */
bool mdc_bm_dirty(struct mddev *mddev);

#endif
