/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What travels in the lock value blocks: the message and the resync range. PROTOCOL.md, "The
 * message" and "The range in a bitmap lock". All of it is little endian, at fixed offsets; the
 * numbers are those of the kernel's module and are only ever added to.
 */
#ifndef MDC_CORE_WIRE_H
#define MDC_CORE_WIRE_H

#include "types.h"

#define MDC_LVB_SIZE 64		/* of every lock of the lockspace */
#define MDC_WIRE_MSG_SIZE 48	/* the message in it; the rest is zero */
#define MDC_WIRE_RANGE_SIZE 16
#define MDC_UUID_SIZE 16

enum mdc_msg_type {
	MDC_METADATA_UPDATED = 0,
	MDC_RESYNCING = 1,
	MDC_NEWDISK = 2,
	MDC_REMOVE = 3,
	MDC_RE_ADD = 4,
	MDC_BITMAP_NEEDS_SYNC = 5,
	MDC_CHANGE_CAPACITY = 6,
	MDC_BITMAP_RESIZE = 7,
	MDC_RESYNCING_START = 8,	/* Linux 6.11 on */
	MDC_MSG_TYPES
};

/* In the field "low" of NEWDISK, ours: the disk's superblock is written again if it is added. */
#define MDC_NEWDISK_WRITES 1

/* A message, decoded. Fields that its type does not use are zero. */
struct mdc_msg {
	u32 type;		/* enum mdc_msg_type */
	u32 slot;		/* the sender's, from 0 */
	u64 low;		/* sectors */
	u64 high;		/* sectors */
	u8 uuid[MDC_UUID_SIZE];	/* device UUID, in the order of the superblock */
	u32 raid_slot;		/* number of the device in the array, its desc_nr */
};

/* A range of sectors, [lo, hi). Empty: hi is 0. */
struct mdc_range {
	u64 lo;
	u64 hi;
};

/* What a receiver knows, and no good message contradicts. */
struct mdc_wire_limits {
	u32 our_slot;		/* from 0 */
	u32 slots;		/* of the array: its number of bitmaps */
	u32 devices;		/* a device number is below this */
	u64 sectors;		/* no range begins beyond; 0: not known */
};

enum mdc_wire_fault {
	MDC_WIRE_OK = 0,
	MDC_WIRE_TYPE,		/* a type that this version does not know */
	MDC_WIRE_SLOT,		/* no such slot */
	MDC_WIRE_OWN,		/* from our own slot */
	MDC_WIRE_DEVICE,	/* no such device number */
	MDC_WIRE_RANGE,		/* it ends before it begins, or begins beyond the array */
	MDC_WIRE_UUID,		/* a new disk whose UUID is all zero */
	MDC_WIRE_FAULTS
};

/* Fills all MDC_LVB_SIZE bytes of LVB. */
void mdc_wire_put_msg(u8 *lvb, const struct mdc_msg *msg);

/*
 * Reads and checks the message in LVB (MDC_LVB_SIZE bytes). MSG is filled whatever is returned,
 * for the log; it may be acted upon only after MDC_WIRE_OK.
 */
enum mdc_wire_fault mdc_wire_get_msg(const u8 *lvb, const struct mdc_wire_limits *limits,
				     struct mdc_msg *msg);

/* The range in the LVB of a bitmap lock; what follows it there is left as it is. */
void mdc_wire_put_range(u8 *lvb, const struct mdc_range *range);

/* False where the range is malformed (it ends before it begins); RANGE is then empty. */
bool mdc_wire_get_range(const u8 *lvb, struct mdc_range *range);

/* Words for logs and traces; never NULL. */
const char *mdc_wire_type_name(u32 type);
const char *mdc_wire_fault_name(enum mdc_wire_fault fault);

#endif
