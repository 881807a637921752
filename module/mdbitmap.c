// SPDX-License-Identifier: GPL-2.0-or-later
/* The array's bitmaps, one a slot. Those of 6.12 and later are reached through operations. */
#include "mdcore.h"

#define BLOCK_BYTES 4096	/* each slot's bitmap begins at a multiple */

#ifdef HAVE_BITMAP_OPS		/* Linux 6.12 */

bool mdc_bm_usable(struct mddev *mddev)
{
	const struct bitmap_operations *ops = mddev->bitmap_ops;

	return ops && ops->resize && ops->start_sync && ops->get_stats &&
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

/*
 * What md core has of the whole array's bitmaps is what the one that it has opened last says, and it
 * goes by that when it writes the superblock of our own. That of a slot without a node may have other
 * chunks, where the array has grown.
 */
struct facts {
	unsigned long chunksize, daemon_sleep, max_write_behind, space;
};

static struct facts facts_of(const struct mddev *mddev)
{
	return (struct facts) {
		.chunksize = mddev->bitmap_info.chunksize,
		.daemon_sleep = mddev->bitmap_info.daemon_sleep,
		.max_write_behind = mddev->bitmap_info.max_write_behind,
		.space = mddev->bitmap_info.space,
	};
}

static void bring_back(struct mddev *mddev, const struct facts *facts)
{
	mddev->bitmap_info.chunksize = facts->chunksize;
	mddev->bitmap_info.daemon_sleep = facts->daemon_sleep;
	mddev->bitmap_info.max_write_behind = facts->max_write_behind;
	mddev->bitmap_info.space = facts->space;
}

static void *others_bitmap(struct mddev *mddev, int slot)
{
	struct facts facts = facts_of(mddev);
	int ret = check_slot(mddev, slot);
	void *bitmap;

	if (ret)
		return ERR_PTR(ret);
	bitmap = bm_of(mddev, slot);
	bring_back(mddev, &facts);
	return bitmap;
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

/* From any leg that has what is on the disks, and knows of all changes of the bitmaps. */
static int read_block(struct mddev *mddev, sector_t at, struct page *page)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk >= 0 && is_good(rdev) &&
		    !test_bit(Bitmap_sync, &rdev->flags) &&
		    sync_page_io(rdev, at, BLOCK_BYTES, page, REQ_OP_READ, true))
			return 0;
	return -EIO;
}

/* To all legs, as md core does. */
static int write_block(struct mddev *mddev, sector_t at, struct page *page)
{
	struct md_rdev *rdev;

	rdev_for_each(rdev, mddev)
		if (rdev->raid_disk >= 0 && !test_bit(Faulty, &rdev->flags) &&
		    !sync_page_io(rdev, at, BLOCK_BYTES, page, REQ_OP_WRITE, true))
			return -EIO;
	return 0;
}

/* Whether SLOT's bitmap has its first bit set, on the disks. */
static int first_bit(struct mddev *mddev, int slot, bool *set)
{
	struct page *page = alloc_page(GFP_KERNEL);
	u64 chunks;
	int ret;

	if (!page)
		return -ENOMEM;
	ret = read_block(mddev, place_of(mddev, slot, &chunks), page);
	if (!ret)
		*set = *((u8 *)page_address(page) + sizeof(bitmap_super_t)) & 1;
	__free_page(page);
	return ret;
}

/*
 * md core says where the first and the last dirty chunk begin, and of the first chunk of the
 * array nothing: 0 also stands for none.
 */
int mdc_md_bitmap_take(struct mddev *mddev, int slot, bool clear, struct mdc_range *range)
{
	struct facts facts = facts_of(mddev);
	sector_t lo, hi;
	bool first;
	int ret;

	ret = check_slot(mddev, slot);
	if (!ret)
		ret = first_bit(mddev, slot, &first);
	if (ret)
		return ret;
	ret = bm_copy(mddev, slot, &lo, &hi, clear);
	bring_back(mddev, &facts);
	if (ret)
		return -EIO;
	range->lo = first ? 0 : lo;
	range->hi = first || hi ? hi + (mddev->bitmap_info.chunksize >> SECTOR_SHIFT) : 0;
	return 0;
}

struct bits {
	bool any, all;		/* of them are set */
	bool made;		/* the bitmap's superblock may be as mdadm made it */
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

static int look_at_bits(struct mddev *mddev, struct page *page, struct bits *bits)
{
	const bitmap_super_t *sb = page_address(page);
	u64 left, skip = sizeof(*sb), bytes;
	sector_t at = place_of(mddev, mdc_own_slot(mddev), &left);
	int ret;

	bits->any = false;
	bits->all = true;
	for (; left; left -= min_t(u64, left, 8 * bytes)) {
		ret = read_block(mddev, at, page);
		if (ret)
			return ret;
		if (skip)
			bits->made = !sb->events && !sb->events_cleared;
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
	struct page *page = alloc_page(GFP_KERNEL);
	struct bits bits;
	bool dirty;

	if (!page)
		return true;
	dirty = look_at_bits(mddev, page, &bits) ||
		(bits.any && !(bits.all && bits.made && !mdc_own_slot(mddev)));
	__free_page(page);
	return dirty;
}

int mdc_md_bitmap_pages(struct mddev *mddev, int slot, unsigned long *pages)
{
	void *bitmap = slot < 0 ? mddev->bitmap : others_bitmap(mddev, slot);
	struct md_bitmap_stats stats;
	int ret;

	if (IS_ERR_OR_NULL(bitmap))
		return bitmap ? PTR_ERR(bitmap) : -ENODEV;
	ret = bm_stats(mddev, bitmap, &stats);
	if (slot >= 0)
		bm_free(mddev, bitmap);
	if (!ret)
		*pages = stats.pages;
	return ret;
}

/* The superblock of a bitmap that is for the array as it is now. */
static bool fits(struct mddev *mddev, const bitmap_super_t *sb)
{
	return le32_to_cpu(sb->magic) == BITMAP_MAGIC &&
	       !memcmp(sb->uuid, mddev->uuid, sizeof(sb->uuid)) &&
	       le32_to_cpu(sb->chunksize) == mddev->bitmap_info.chunksize &&
	       le64_to_cpu(sb->sync_size) == mddev->resync_max_sectors;
}

static int read_fitting(struct mddev *mddev, int slot, struct page *page)
{
	u64 chunks;
	int ret = read_block(mddev, place_of(mddev, slot, &chunks), page);

	return ret ? ret : fits(mddev, page_address(page)) ? 0 : -EINVAL;
}

int mdc_md_bitmap_fits(struct mddev *mddev, int slot)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = read_fitting(mddev, slot, page);
	__free_page(page);
	return ret;
}

/* All blocks of SLOT's bitmap: SB with no bit set, and nothing. */
static int write_empty(struct mddev *mddev, int slot, struct page *page)
{
	bitmap_super_t *sb = page_address(page);
	sector_t at, end;
	u64 chunks;
	int ret = 0;

	at = place_of(mddev, slot, &chunks);
	end = place_of(mddev, slot + 1, &chunks);
	/* A disk that is away now and comes back has all copied to it. */
	sb->events_cleared = cpu_to_le64(mddev->events);
	memset(sb + 1, 0, BLOCK_BYTES - sizeof(*sb));
	for (; !ret && at < end; at += BLOCK_BYTES >> SECTOR_SHIFT) {
		ret = write_block(mddev, at, page);
		memset(sb, 0, sizeof(*sb));
	}
	return ret;
}

int mdc_md_bitmap_make_fit(struct mddev *mddev, int slot)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	/* Ours has what is the same in all of them. */
	ret = read_fitting(mddev, mdc_own_slot(mddev), page);
	if (!ret)
		ret = write_empty(mddev, slot, page);
	__free_page(page);
	return ret;
}

int mdc_md_bitmap_resize(struct mddev *mddev, u64 sectors)
{
	return READ_ONCE(mddev->bitmap) ? bm_resize(mddev, sectors) : -ENODEV;
}
