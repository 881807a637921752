// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bytes of the wire, and what makes a message a good one. Pure: no locks, no clock, no log.
 */
#include "wire.h"

enum { AT_TYPE = 0, AT_SLOT = 4, AT_LOW = 8, AT_HIGH = 16, AT_UUID = 24, AT_RAID_SLOT = 40 };

_Static_assert(AT_RAID_SLOT + 4 + 4 == MDC_WIRE_MSG_SIZE,
	       "the message ends in four bytes of padding");
_Static_assert(MDC_WIRE_MSG_SIZE <= MDC_LVB_SIZE, "a message fits into a lock value block");

static void put_le(u8 *to, u64 value, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++)
		to[i] = value >> (8 * i);
}

static u64 get_le(const u8 *from, int bytes)
{
	u64 value = 0;
	int i;

	for (i = 0; i < bytes; i++)
		value |= (u64)from[i] << (8 * i);
	return value;
}

void mdc_wire_put_msg(u8 *lvb, const struct mdc_msg *msg)
{
	memset(lvb, 0, MDC_LVB_SIZE);
	put_le(lvb + AT_TYPE, msg->type, 4);
	put_le(lvb + AT_SLOT, msg->slot, 4);
	put_le(lvb + AT_LOW, msg->low, 8);
	put_le(lvb + AT_HIGH, msg->high, 8);
	memcpy(lvb + AT_UUID, msg->uuid, MDC_UUID_SIZE);
	put_le(lvb + AT_RAID_SLOT, msg->raid_slot, 4);
}

static bool zero_uuid(const u8 *uuid)
{
	static const u8 zero[MDC_UUID_SIZE];

	return memcmp(uuid, zero, MDC_UUID_SIZE) == 0;
}

static bool names_device(u32 type)
{
	return type == MDC_METADATA_UPDATED || type == MDC_NEWDISK || type == MDC_REMOVE ||
	       type == MDC_RE_ADD;
}

static enum mdc_wire_fault check(const struct mdc_msg *msg, const struct mdc_wire_limits *limits)
{
	if (msg->type >= MDC_MSG_TYPES)
		return MDC_WIRE_TYPE;
	if (msg->slot >= limits->slots)
		return MDC_WIRE_SLOT;
	if (msg->slot == limits->our_slot)
		return MDC_WIRE_OWN;
	if (names_device(msg->type) && msg->raid_slot >= limits->devices)
		return MDC_WIRE_DEVICE;
	if (msg->type == MDC_RESYNCING &&
	    (msg->low > msg->high || (msg->high == 0 && msg->low != 0)))
		return MDC_WIRE_RANGE;
	/*
	 * The last window of a resync may end beyond the array, but does not begin there. One that
	 * ends too far is taken all the same: writers may have to wait, but write over nothing.
	 */
	if (msg->type == MDC_RESYNCING && limits->sectors && msg->low > limits->sectors)
		return MDC_WIRE_RANGE;
	if (msg->type == MDC_BITMAP_RESIZE && msg->high == 0)
		return MDC_WIRE_RANGE;
	if (msg->type == MDC_NEWDISK && zero_uuid(msg->uuid))
		return MDC_WIRE_UUID;
	return MDC_WIRE_OK;
}

enum mdc_wire_fault mdc_wire_get_msg(const u8 *lvb, const struct mdc_wire_limits *limits,
				     struct mdc_msg *msg)
{
	msg->type = get_le(lvb + AT_TYPE, 4);
	msg->slot = get_le(lvb + AT_SLOT, 4);
	msg->low = get_le(lvb + AT_LOW, 8);
	msg->high = get_le(lvb + AT_HIGH, 8);
	memcpy(msg->uuid, lvb + AT_UUID, MDC_UUID_SIZE);
	msg->raid_slot = get_le(lvb + AT_RAID_SLOT, 4);
	return check(msg, limits);
}

void mdc_wire_put_range(u8 *lvb, const struct mdc_range *range)
{
	put_le(lvb, range->lo, 8);
	put_le(lvb + 8, range->hi, 8);
}

bool mdc_wire_get_range(const u8 *lvb, struct mdc_range *range)
{
	range->lo = get_le(lvb, 8);
	range->hi = get_le(lvb + 8, 8);
	if (range->lo <= range->hi)
		return true;
	range->lo = 0;
	range->hi = 0;
	return false;
}

const char *mdc_wire_type_name(u32 type)
{
	static const char * const names[MDC_MSG_TYPES] = {
		[MDC_METADATA_UPDATED] = "METADATA_UPDATED",
		[MDC_RESYNCING] = "RESYNCING",
		[MDC_NEWDISK] = "NEWDISK",
		[MDC_REMOVE] = "REMOVE",
		[MDC_RE_ADD] = "RE_ADD",
		[MDC_BITMAP_NEEDS_SYNC] = "BITMAP_NEEDS_SYNC",
		[MDC_CHANGE_CAPACITY] = "CHANGE_CAPACITY",
		[MDC_BITMAP_RESIZE] = "BITMAP_RESIZE",
		[MDC_RESYNCING_START] = "RESYNCING_START",
	};

	return type < MDC_MSG_TYPES ? names[type] : "unknown";
}

const char *mdc_wire_fault_name(enum mdc_wire_fault fault)
{
	static const char * const names[MDC_WIRE_FAULTS] = {
		[MDC_WIRE_OK] = "well formed",
		[MDC_WIRE_TYPE] = "its type is not known here",
		[MDC_WIRE_SLOT] = "it comes from a slot that the array does not have",
		[MDC_WIRE_OWN] = "it claims to come from this node",
		[MDC_WIRE_DEVICE] = "its device number is out of range",
		[MDC_WIRE_RANGE] = "its range of sectors is not one",
		[MDC_WIRE_UUID] = "its device UUID is all zero",
	};

	return (unsigned int)fault < MDC_WIRE_FAULTS ? names[fault] : "unknown";
}
