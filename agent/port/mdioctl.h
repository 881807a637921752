/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two answers to the kernel's question for a disk, and the clearing up after an add that
 * failed. Each in a forked worker, since it waits for the array's lock. Main loop only.
 */
#ifndef MDC_MDIOCTL_H
#define MDC_MDIOCTL_H

#include "port/blockdev.h"

#define MDC_MDIOCTL_MAX 16	/* under way at once */

enum mdc_mdioctl_kind {
	MDC_IO_CONFIRM,
	MDC_IO_NACK,
	MDC_IO_WRITABLE,
	MDC_IO_REMOVE,
	MDC_IO_REWRITE,
	MDC_IO_THAW,
};

struct mdc_mdioctl;

/*
 * err: 0 or an errno. Exactly once for each call that returned 0, unless freed or forgotten
 * before.
 */
typedef void (*mdc_mdioctl_fn)(enum mdc_mdioctl_kind kind, int err, unsigned int seq,
			       void *owner, void *data);

/* done is handed data, and the owner and seq of the call. */
struct mdc_mdioctl *mdc_mdioctl_new(mdc_mdioctl_fn done, void *data);
/* An array is looked after: from now on a worker is kept in advance. */
void mdc_mdioctl_ready(struct mdc_mdioctl *io);
/* Forgets what is under way; the answers still reach the kernel. */
void mdc_mdioctl_free(struct mdc_mdioctl *io);
/* No more calls of done for this owner. */
void mdc_mdioctl_forget(struct mdc_mdioctl *io, const void *owner);

/* md: kernel name of a running array. 0 or -errno, and then done is not called. */
int mdc_mdioctl_confirm(struct mdc_mdioctl *io, const char *sys, const char *md,
			const struct mdc_blockdev *disk, unsigned int raid_disk,
			unsigned int seq, void *owner);
int mdc_mdioctl_nack(struct mdc_mdioctl *io, const char *sys, const char *md, unsigned int seq,
		     void *owner);
/* Ends auto-read-only, as mdadm --readwrite does. */
int mdc_mdioctl_writable(struct mdc_mdioctl *io, const char *sys, const char *md,
			 unsigned int seq, void *owner);
/* Takes a member out of the array, on all nodes; EBUSY if it has a role. */
int mdc_mdioctl_remove(struct mdc_mdioctl *io, const char *sys, const char *md,
		       const char *kname, unsigned int seq, void *owner);
/* Has the superblocks written and METADATA_UPDATED sent. kname: of a member that is in sync
 * and not write-mostly. */
int mdc_mdioctl_rewrite(struct mdc_mdioctl *io, const char *sys, const char *md,
			const char *kname, unsigned int seq, void *owner);
/* Lets resyncs run that were frozen; EBUSY if a reshape would go on. */
int mdc_mdioctl_thaw(struct mdc_mdioctl *io, const char *sys, const char *md, void *owner);

#endif
