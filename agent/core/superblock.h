/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The md superblock 1.2 and the bitmap superblock of a clustered array, read strictly. Pure. */
#ifndef MDC_SUPERBLOCK_H
#define MDC_SUPERBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/check.h"
#include "core/uuid.h"

#define MDC_SUPER_SECTOR 8	/* where metadata 1.2 stands, in 512 byte sectors */
#define MDC_SUPER_BYTES 4096	/* as much as a superblock may take */
#define MDC_BITMAP_BYTES 256

struct mdc_super {
	struct mdc_uuid array, device;
	uint64_t events;
	uint64_t size_sect;		/* that the array uses of this member */
	uint64_t data_sect;		/* first sector of the room for data */
	uint64_t data_end_sect;		/* first sector after the room for data */
	int level;
	unsigned int layout, raid_disks;
	bool clustered;
	int role;			/* raid disk number or MDC_ROLE_… of this device */
	bool have_bitmap;
	uint64_t bitmap_sect;		/* on the device */
	unsigned int number;		/* of this device in the list of roles */
	unsigned int n_active, active[MDC_CHECK_MEMBERS_MAX];	/* roles in use, ascending */
};

struct mdc_bitmap_super {
	struct mdc_uuid array;
	unsigned int slots;
	char cluster[65];
};

/*
 * buf: what stands at MDC_SUPER_SECTOR, MDC_SUPER_BYTES of it. 0; -ENOENT: no md
 * superblock; -EBADMSG: one that is damaged; -EOPNOTSUPP: of a version that clustered
 * arrays do not have.
 */
int mdc_super_parse(struct mdc_super *super, const uint8_t *buf, size_t len);
/* 0, -ENOENT (no bitmap), -EOPNOTSUPP (not a clustered one), -EBADMSG. */
int mdc_bitmap_super_parse(struct mdc_bitmap_super *bitmap, const uint8_t *buf, size_t len);

#endif
