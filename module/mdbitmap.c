// SPDX-License-Identifier: GPL-2.0-or-later
/* The array's bitmaps, one a slot. Those of 6.12 and later are reached through operations. */
#include "mdcore.h"

#define BLOCK_BYTES 4096	/* each slot's bitmap begins at a multiple */

#ifdef HAVE_BITMAP_OPS		/* Linux 6.12 */

bool mdc_bm_usable(struct mddev *mddev)
{
	const struct bitmap_operations *ops = mddev->bitmap_ops;

	return ops && ops->resize && ops->start_sync && ops->update_sb && ops->get_stats &&
	       ops->get_from_slot && ops->copy_from_slot && ops->free;
}

static void *bm_of(struct mddev *mddev, int slot)
{
	return mddev->bitmap_ops->get_from_slot(mddev, slot);
}

static void bm_free(struct mddev *mddev, void *bitmap)
{
	mddev->bitmap_ops->free(bitmap);
}

static int bm_stats(struct mddev *mddev, void *bitmap, struct md_bitmap_stats *stats)
{
	return mddev->bitmap_ops->get_stats(bitmap, stats);
}

static void bm_write_sb(struct mddev *mddev, void *bitmap)
{
	mddev->bitmap_ops->update_sb(bitmap);
}

static int bm_copy(struct mddev *mddev, int slot, sector_t *lo, sector_t *hi, bool clear)
{
	return mddev->bitmap_ops->copy_from_slot(mddev, slot, lo, hi, clear);
}

bool mdc_bm_needs(struct mddev *mddev, sector_t sector, sector_t *sectors)
{
	return mddev->bitmap_ops->start_sync(mddev, sector, sectors, true);
}

static int bm_resize(struct mddev *mddev, sector_t sectors)
{
#ifdef HAVE_BITMAP_RESIZE_INIT	/* until Linux 6.18 */
	return mddev->bitmap_ops->resize(mddev, sectors, 0, false);
#else
	return mddev->bitmap_ops->resize(mddev, sectors, 0);
#endif
}

#else

bool mdc_bm_usable(struct mddev *mddev)
{
	return true;
}

static void *bm_of(struct mddev *mddev, int slot)
{
	return get_bitmap_from_slot(mddev, slot);
}

static void bm_free(struct mddev *mddev, void *bitmap)
{
	md_bitmap_free(bitmap);
}

static int bm_stats(struct mddev *mddev, void *bitmap, struct md_bitmap_stats *stats)
{
	return md_bitmap_get_stats(bitmap, stats);
}

static void bm_write_sb(struct mddev *mddev, void *bitmap)
{
	md_bitmap_update_sb(bitmap);
}

static int bm_copy(struct mddev *mddev, int slot, sector_t *lo, sector_t *hi, bool clear)
{
	return md_bitmap_copy_from_slot(mddev, slot, lo, hi, clear);
}

bool mdc_bm_needs(struct mddev *mddev, sector_t sector, sector_t *sectors)
{
	return md_bitmap_start_sync(mddev->bitmap, sector, sectors, 1);
}

static int bm_resize(struct mddev *mddev, sector_t sectors)
{
	return md_bitmap_resize(mddev->bitmap, sectors, 0, 0);
}

#endif

bool mdc_bm_dirty(struct mddev *mddev)
{
	sector_t sector, sectors;

	for (sector = 0; sector < mddev->resync_max_sectors; sector += sectors) {
		if (mdc_bm_needs(mddev, sector, &sectors))
			return true;
		cond_resched();
	}
	return false;
}

static bool is_good(const struct md_rdev *rdev)
{
	return test_bit(In_sync, &rdev->flags) && !test_bit(Faulty, &rdev->flags);
}

/*
 * md core reads bitmaps of no leg that was added again, and does not forget that when the leg has
 * all. Others are better, as bitmaps of absent nodes may be old there; but where there is no other,
 * nothing would ever be recovered.
 */
static void keep_a_source(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (is_good(rdev) && !test_bit(Bitmap_sync, &rdev->flags))
			return;
	rdev_for_each(rdev, mddev)
		if (is_good(rdev))
			clear_bit(Bitmap_sync, &rdev->flags);
}

/* Of another node; freeing our own slot's would have md core leave the cluster. */
static int check_slot(struct mddev *mddev, int slot)
{
	if (!READ_ONCE(mddev->bitmap))
		return -ENODEV;
	if (slot < 0 || slot == mdc_own_slot(mddev))
		return -EINVAL;
	keep_a_source(mddev);
	return 0;
}

static void *others_bitmap(struct mddev *mddev, int slot)
{
	int ret = check_slot(mddev, slot);

	return ret ? ERR_PTR(ret) : bm_of(mddev, slot);
}

/* Where SLOT's bitmap begins, in sectors behind the superblock; CHUNKS: as many bits as it has. */
static sector_t place_of(struct mddev *mddev, int slot, u64 *chunks)
{
	u64 blocks;

	*chunks = DIV_ROUND_UP_ULL(mddev->resync_max_sectors,
				   mddev->bitmap_info.chunksize >> SECTOR_SHIFT);
	blocks = DIV_ROUND_UP_ULL(DIV_ROUND_UP_ULL(*chunks, 8) + sizeof(bitmap_super_t),
				  BLOCK_BYTES);
	return mddev->bitmap_info.offset + (u64)slot * blocks * (BLOCK_BYTES >> SECTOR_SHIFT);
}

/* A leg that has what is on the disks, and knows of all changes of the bitmap. */
static struct md_rdev *bitmap_source(struct mddev *mddev)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk >= 0 && is_good(rdev) && !test_bit(Bitmap_sync, &rdev->flags))
			return rdev;
	return NULL;
}

/* Whether SLOT's bitmap has its first bit set, on the disks. */
static int first_bit(struct mddev *mddev, int slot, bool *set)
{
	struct md_rdev *rdev = bitmap_source(mddev);
	struct page *page = rdev ? alloc_page(GFP_KERNEL) : NULL;
	int ret = -EIO;
	u64 chunks;

	if (!page)
		return rdev ? -ENOMEM : -EIO;
	if (sync_page_io(rdev, place_of(mddev, slot, &chunks), BLOCK_BYTES, page, REQ_OP_READ,
			 true)) {
		*set = *((u8 *)page_address(page) + sizeof(bitmap_super_t)) & 1;
		ret = 0;
	}
	__free_page(page);
	return ret;
}

/*
 * md core says where the first and the last dirty chunk begin, and of the first chunk of the
 * array nothing: 0 also stands for none.
 */
int mdc_md_bitmap_take(struct mddev *mddev, int slot, bool clear, struct mdc_range *range)
{
	sector_t lo, hi;
	bool first;
	int ret;

	ret = check_slot(mddev, slot);
	if (!ret)
		ret = first_bit(mddev, slot, &first);
	if (ret)
		return ret;
	if (bm_copy(mddev, slot, &lo, &hi, clear))
		return -EIO;
	range->lo = first ? 0 : lo;
	range->hi = first || hi ? hi + (mddev->bitmap_info.chunksize >> SECTOR_SHIFT) : 0;
	return 0;
}

struct bits {
	bool any, all;		/* of them are set */
	u64 events;		/* of the bitmap's superblock; 0: never written since it was made */
};

/* The bits in a part of the bitmap, of which LEFT are bits of chunks: the others say nothing. */
static void look_at_part(const u8 *part, u64 bytes, u64 left, struct bits *bits)
{
	u64 whole = min_t(u64, bytes, left / 8);
	u8 mask = whole < bytes ? (1 << left % 8) - 1 : 0;

	bits->any = bits->any || memchr_inv(part, 0, whole) || (mask && (part[whole] & mask));
	bits->all = bits->all && !memchr_inv(part, 0xff, whole) &&
		    (!mask || (part[whole] & mask) == mask);
}

static int look_at_bits(struct mddev *mddev, struct md_rdev *rdev, struct page *page,
			struct bits *bits)
{
	const bitmap_super_t *sb = page_address(page);
	u64 left, skip = sizeof(*sb), bytes;
	sector_t at = place_of(mddev, mdc_own_slot(mddev), &left);

	bits->any = false;
	bits->all = true;
	for (; left; left -= min_t(u64, left, 8 * bytes)) {
		if (!sync_page_io(rdev, at, BLOCK_BYTES, page, REQ_OP_READ, true))
			return -EIO;
		if (skip)
			bits->events = le64_to_cpu(sb->events);
		bytes = BLOCK_BYTES - skip;
		look_at_part(page_address(page) + skip, bytes, left, bits);
		if (bits->any && !bits->all)
			break;
		skip = 0;
		at += BLOCK_BYTES >> SECTOR_SHIFT;
		cond_resched();
	}
	return 0;
}

/*
 * mdadm makes the first slot's with all bits set, also where it says in the superblock that all is in
 * sync. What cannot be read counts as dirty: md core reads it next, and says so.
 */
bool mdc_md_own_bitmap_dirty(struct mddev *mddev)
{
	struct md_rdev *rdev = bitmap_source(mddev);
	struct page *page = rdev ? alloc_page(GFP_KERNEL) : NULL;
	struct bits bits;
	bool dirty;

	if (!page)
		return true;
	dirty = look_at_bits(mddev, rdev, page, &bits) || (bits.any && (!bits.all || bits.events));
	__free_page(page);
	return dirty;
}

/* Of this node's bitmap (SLOT below 0) or, read for it, SLOT's; UPDATE: its superblock first. */
static int stats_of(struct mddev *mddev, int slot, bool update, struct md_bitmap_stats *stats)
{
	void *bitmap = slot < 0 ? mddev->bitmap : others_bitmap(mddev, slot);
	int ret;

	if (IS_ERR_OR_NULL(bitmap))
		return bitmap ? PTR_ERR(bitmap) : -ENODEV;
	if (update)
		bm_write_sb(mddev, bitmap);
	ret = bm_stats(mddev, bitmap, stats);
	if (slot >= 0)
		bm_free(mddev, bitmap);
	return ret;
}

int mdc_md_bitmap_pages(struct mddev *mddev, int slot, unsigned long *pages)
{
	struct md_bitmap_stats stats;
	int ret = stats_of(mddev, slot, false, &stats);

	*pages = ret ? 0 : stats.pages;
	return ret;
}

int mdc_md_bitmap_sync_size(struct mddev *mddev, int slot, bool update, u64 *sectors)
{
	struct md_bitmap_stats stats;
	int ret = stats_of(mddev, slot, update, &stats);

	*sectors = ret ? 0 : stats.sync_size;
	return ret;
}

int mdc_md_bitmap_resize(struct mddev *mddev, u64 sectors)
{
	return READ_ONCE(mddev->bitmap) ? bm_resize(mddev, sectors) : -ENODEV;
}
