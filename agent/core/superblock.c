/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an md member's metadata out of a buffer. The bytes come from a disk that others
 * write to, or from one that holds something else entirely: nothing is believed before
 * the checksum is right, and no number is used before its range is checked.
 */
#include "core/superblock.h"

#include <assert.h>
#include <errno.h>
#include <linux/types.h>
#include <linux/raid/md_p.h>
#include <string.h>

#define SUPER_HEAD 256		/* before the roles */
#define BITMAP_MAGIC 0x6d746962u
#define BITMAP_CLUSTERED 5

static_assert(offsetof(struct mdp_superblock_1, dev_roles) == SUPER_HEAD, "md superblock 1");

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

#define AT(buf, field) ((buf) + offsetof(struct mdp_superblock_1, field))

static uint32_t checksum(const uint8_t *buf, size_t size)
{
	const size_t own = offsetof(struct mdp_superblock_1, sb_csum);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i + 4 <= size; i += 4)
		if (i != own)
			sum += le32(buf + i);
	if (i < size)
		sum += le16(buf + i);
	return (uint32_t)((sum & 0xffffffffu) + (sum >> 32));
}

static int role_of(uint16_t word)
{
	if (word == MD_DISK_ROLE_FAULTY)
		return MDC_ROLE_FAULTY;
	if (word >= MD_DISK_ROLE_MAX)
		return MDC_ROLE_SPARE;
	return word;
}

/* A role may stand twice, while one device replaces another. */
static void active_roles(struct mdc_super *super, const uint8_t *roles, uint32_t max_dev)
{
	bool seen[MDC_CHECK_MEMBERS_MAX] = { false };
	uint32_t i;

	for (i = 0; i < max_dev; i++) {
		uint16_t role = le16(roles + 2 * i);

		if (role < super->raid_disks && role < MDC_CHECK_MEMBERS_MAX)
			seen[role] = true;
	}
	for (i = 0; i < MDC_CHECK_MEMBERS_MAX; i++)
		if (seen[i])
			super->active[super->n_active++] = i;
}

static int place_bitmap(struct mdc_super *super, uint32_t features, uint32_t offset)
{
	int64_t at;

	if (!(features & MD_FEATURE_BITMAP_OFFSET))
		return 0;
	at = MDC_SUPER_SECTOR + (int64_t)(int32_t)offset;
	if (at < 0)
		return -EBADMSG;
	super->have_bitmap = true;
	super->bitmap_sect = (uint64_t)at;
	return 0;
}

int mdc_super_parse(struct mdc_super *super, const uint8_t *buf, size_t len)
{
	uint32_t features, max_dev, number;
	uint64_t offset, size;

	memset(super, 0, sizeof(*super));
	if (len < MDC_SUPER_BYTES || le32(AT(buf, magic)) != MD_SB_MAGIC)
		return -ENOENT;
	if (le32(AT(buf, major_version)) != 1)
		return -EOPNOTSUPP;
	max_dev = le32(AT(buf, max_dev));
	if (max_dev > (MDC_SUPER_BYTES - SUPER_HEAD) / 2)
		return -EBADMSG;
	if (checksum(buf, SUPER_HEAD + 2 * max_dev) != le32(AT(buf, sb_csum)))
		return -EBADMSG;
	/* A 1.1 or 1.0 superblock's copy, or a disk image's: not this device's own. */
	if (le64(AT(buf, super_offset)) != MDC_SUPER_SECTOR)
		return -EOPNOTSUPP;

	memcpy(super->array.b, AT(buf, set_uuid), 16);
	memcpy(super->device.b, AT(buf, device_uuid), 16);
	super->events = le64(AT(buf, events));
	super->size_sect = le64(AT(buf, size));
	super->level = (int32_t)le32(AT(buf, level));
	super->layout = le32(AT(buf, layout));
	super->raid_disks = le32(AT(buf, raid_disks));
	if (super->raid_disks > MD_DISK_ROLE_MAX)
		return -EBADMSG;
	offset = le64(AT(buf, data_offset));
	size = le64(AT(buf, data_size));
	if (offset > INT64_MAX || size > INT64_MAX)
		return -EBADMSG;
	super->data_sect = offset;
	super->data_end_sect = offset + size;
	features = le32(AT(buf, feature_map));
	super->clustered = features & MD_FEATURE_CLUSTERED;
	number = le32(AT(buf, dev_number));
	super->number = number;
	super->role = number < max_dev ? role_of(le16(buf + SUPER_HEAD + 2 * number)) :
					 MDC_ROLE_SPARE;
	active_roles(super, buf + SUPER_HEAD, max_dev);
	return place_bitmap(super, features, le32(AT(buf, bitmap_offset)));
}

int mdc_bitmap_super_parse(struct mdc_bitmap_super *bitmap, const uint8_t *buf, size_t len)
{
	size_t i;

	memset(bitmap, 0, sizeof(*bitmap));
	if (len < MDC_BITMAP_BYTES || le32(buf) != BITMAP_MAGIC)
		return -ENOENT;
	if (le32(buf + 4) != BITMAP_CLUSTERED)
		return -EOPNOTSUPP;
	memcpy(bitmap->array.b, buf + 8, 16);
	bitmap->slots = le32(buf + 68);
	if (!bitmap->slots || bitmap->slots > 0xffff)
		return -EBADMSG;
	for (i = 0; i < 64 && buf[72 + i]; i++) {
		if (buf[72 + i] <= ' ' || buf[72 + i] == 0x7f)
			return -EBADMSG;
		bitmap->cluster[i] = (char)buf[72 + i];
	}
	return 0;
}
