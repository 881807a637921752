// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * module/mdport.h over the simulated md core.
 */
#include "check.h"
#include "world.h"

static void needs_mutex(struct mddev *md, const char *who)
{
	bool lent = md->c && md->c->lent && md->c->borrowed;

	sim_may_block(who);
	if (md->owner != current && !(md->owner && lent))
		sim_fail("%s() without the array's mutex, or a loan of it", who);
}

const char *mdc_md_name(struct mddev *md)
{
	(void)md;
	return "md0";
}

int mdc_md_minor(struct mddev *md)
{
	(void)md;
	return 0;
}

const u8 *mdc_md_uuid(struct mddev *md)
{
	return md->uuid;
}

const char *mdc_md_cluster_name(struct mddev *md)
{
	(void)md;
	return "sim";
}

int mdc_md_slots(struct mddev *md)
{
	(void)md;
	return md_disks.slots;
}

u32 mdc_md_devices(struct mddev *md)
{
	(void)md;
	return MD_DEVICES;
}

u64 mdc_md_sectors(struct mddev *md)
{
	(void)md;
	return MD_SECTORS;
}

bool mdc_md_trylock(struct mddev *md)
{
	return md_trylock(md);
}

void mdc_md_unlock(struct mddev *md)
{
	md_unlock(md);
}

wait_queue_head_t *mdc_md_waiters(struct mddev *md)
{
	return &md->sb_wait;
}

/* Whoever lends it has it all the while. */
void mdc_md_lock_lent(struct mddev *md)
{
	if (!md->owner)
		sim_fail("a mutex is lent that nobody has");
}

void mdc_md_lock_returned(struct mddev *md)
{
	mdc_md_lock_lent(md);
}

void mdc_md_wake(struct mddev *md)
{
	md_wake(md);
}

bool mdc_md_has_thread(struct mddev *md)
{
	return md->thread != NULL;
}

/* All are writable here. */
bool mdc_md_auto_read(struct mddev *md)
{
	(void)md;
	return false;
}

void mdc_md_end_auto_read(struct mddev *md)
{
	(void)md;
}

bool mdc_md_read_only(struct mddev *md)
{
	return mdc_md_auto_read(md);
}

bool mdc_md_make_writable(struct mddev *md)
{
	return !mdc_md_auto_read(md);
}

bool mdc_md_closing(struct mddev *md)
{
	return md->closing;
}

void mdc_md_update_sb(struct mddev *md)
{
	needs_mutex(md, __func__);
	md_update_sb(md, true);
}

void mdc_md_reload_sb(struct mddev *md, u32 device)
{
	int i;

	needs_mutex(md, __func__);
	md_reload_sb(md, device);
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && !rdev->insync && !rdev->faulty &&
		    ((rdev->sb.has_offset && !rdev->sb.by_bitmap) ||
		     rdev->sb.roles[rdev->number] >= ROLE_FAULTY)) {
			rdev->saved_leg = -1;
			md->full_sync |= rdev->leg >= 0;
		}
		if (rdev->used && rdev->leg < 0 && !rdev->faulty && rdev->removing)
			rdev->candidate = true;
	}
}

bool mdc_md_sb_pending(struct mddev *md)
{
	return md->change_devs || md->change_pending;
}

int mdc_md_good_device(struct mddev *md)
{
	struct md_rdev *rdev = md_good(md);

	return rdev ? rdev->number : -1;
}

bool mdc_md_has_spare(struct mddev *md)
{
	return md_spare_count(md);
}

bool mdc_md_has_device(struct mddev *md, u32 device)
{
	return md_find(md, device);
}

int mdc_md_newest_device(struct mddev *md)
{
	struct md_rdev *rdev;
	int i, best = -1;
	u64 events = 0;

	needs_mutex(md, __func__);
	for (i = 0; i < MD_DEVICES; i++) {
		rdev = &md->rdevs[i];
		if (!rdev->used || rdev->candidate || rdev->faulty)
			continue;
		sim_sleep_us(sim_between(20, 800));
		if (!rdev->used || rdev->candidate || rdev->faulty ||
		    !md_disks.disk[rdev->disk].sb.there ||
		    md_disks.disk[rdev->disk].sb.events <= events)
			continue;
		events = md_disks.disk[rdev->disk].sb.events;
		best = rdev->number;
	}
	return best;
}

static bool recovery_missed(const struct md_rdev *rdev)
{
	const struct md_super *sb = &md_disks.disk[rdev->disk].sb;

	return rdev->leg >= 0 && !rdev->insync && !rdev->faulty && sb->there && !sb->has_offset &&
	       sb->roles[rdev->number] < ROLE_FAULTY;
}

bool mdc_md_outdated(struct mddev *md)
{
	int device = mdc_md_newest_device(md);
	const struct md_super *sb;
	int i, good = 0;

	if (device < 0)
		return false;
	sb = &md_disks.disk[md_find(md, device)->disk].sb;
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = md_find(md, i);

		if (sb->roles[i] >= ROLE_FAULTY)
			continue;
		if (rdev ? rdev->leg < 0 || recovery_missed(rdev) : sb->events > md->events)
			return true;
		good += rdev && rdev->insync;
	}
	return !good;
}

u32 mdc_md_rdev_number(struct md_rdev *rdev)
{
	return rdev->number;
}

const u8 *mdc_md_rdev_uuid(struct md_rdev *rdev)
{
	return rdev->uuid;
}

u64 mdc_md_rdev_disk(struct md_rdev *rdev)
{
	return rdev->disk;
}

struct mddev *mdc_md_rdev_mddev(struct md_rdev *rdev)
{
	return rdev->md;
}

static void take_out(struct md_rdev *rdev)
{
	rdev->removing = true;
	mdc_md_resync_needed(rdev->md);
}

bool mdc_md_sweep(struct mddev *md)
{
	bool left = false;
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		left |= md->rdevs[i].used && md->rdevs[i].leg < 0 && md->rdevs[i].removing;
	if (left)
		mdc_md_resync_needed(md);
	return left;
}

bool mdc_md_mark_removed(struct mddev *md, u32 device)
{
	struct md_rdev *rdev = md_find(md, device);

	if (rdev)
		take_out(rdev);
	return rdev;
}

bool mdc_md_clear_faulty(struct mddev *md, u32 device)
{
	struct md_rdev *rdev = md_find(md, device);

	if (!rdev || !rdev->faulty)
		return false;
	rdev->offset = 0;
	rdev->faulty = false;
	return true;
}

bool mdc_md_failed_in_place(struct mddev *md, u32 device)
{
	struct md_rdev *rdev = md_find(md, device);

	return rdev && rdev->faulty && rdev->leg >= 0;
}

bool mdc_md_failed_in_sb(struct mddev *md, u32 device)
{
	struct md_rdev *good = md_good(md);

	needs_mutex(md, __func__);
	return good && good->sb.roles[device] == ROLE_FAULTY;
}

void mdc_md_force_update(struct mddev *md)
{
	int i;

	needs_mutex(md, __func__);
	for (i = 0; i < MD_DEVICES; i++)
		md->rdevs[i].sb.other_size = true;
	md->change_devs = true;
	md->change_pending = true;
}

bool mdc_md_update_counts(struct mddev *md)
{
	needs_mutex(md, __func__);
	return md_roles_differ(md);
}

void mdc_md_skip_update(struct mddev *md)
{
	struct md_rdev *good = md_good(md);

	needs_mutex(md, __func__);
	if (good)
		good->sb.other_size = false;
}

/* Nobody checks here, and it is a RAID1. */
bool mdc_md_checks(struct mddev *md)
{
	(void)md;
	return false;
}

bool mdc_md_leg_partial(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg >= 0 && !md->rdevs[i].insync &&
		    !md->rdevs[i].faulty)
			return true;
	return false;
}

bool mdc_md_leg_first(struct mddev *md)
{
	(void)md;
	return false;
}

bool mdc_md_resyncs(struct mddev *md)
{
	return md->sync;
}

bool mdc_md_own_bitmap_dirty(struct mddev *md)
{
	return md_disks.bitmap[md->slot];
}

bool mdc_md_recovery_unrecorded(struct mddev *md)
{
	int i;

	needs_mutex(md, __func__);
	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && !rdev->faulty && rdev->insync && rdev->sb.has_offset)
			return true;
	}
	return false;
}

bool mdc_md_leg_elsewhere(struct mddev *md, struct md_rdev *rdev)
{
	struct md_rdev *good = md_good(md);

	needs_mutex(md, __func__);
	return good && rdev->leg < 0 && !rdev->faulty &&
	       good->sb.roles[rdev->number] < ROLE_FAULTY;
}

static bool is_taken(struct mddev *md, int leg)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].leg == leg && !md->rdevs[i].faulty)
			return true;
	return false;
}

bool mdc_md_leg_missing(struct mddev *md)
{
	struct md_rdev *good = md_good(md);
	int i;

	for (i = 0; i < MD_DEVICES; i++) {
		struct md_rdev *rdev = &md->rdevs[i];

		if (rdev->used && mdc_md_leg_elsewhere(md, rdev) &&
		    !is_taken(md, good->sb.roles[rdev->number]))
			return true;
	}
	return false;
}

int mdc_md_drop_candidate(struct mddev *md, u32 device)
{
	struct md_rdev *rdev = md_find(md, device);

	needs_mutex(md, __func__);
	if (!rdev || !rdev->candidate || rdev->leg >= 0)
		return -ENOENT;
	take_out(rdev);
	return 0;
}

bool mdc_md_candidate_is(struct mddev *md, u32 device, const u8 *uuid)
{
	struct md_rdev *rdev = md_find(md, device);

	needs_mutex(md, __func__);
	return rdev && rdev->candidate && !memcmp(rdev->uuid, uuid, MDC_UUID_SIZE);
}

bool mdc_md_candidate_adopt(struct mddev *md, u32 device, const u8 *uuid)
{
	struct md_rdev *rdev = md_find(md, device);

	needs_mutex(md, __func__);
	if (!rdev || !rdev->candidate)
		return false;
	memcpy(rdev->uuid, uuid, MDC_UUID_SIZE);
	return true;
}

void mdc_md_hold_candidate(struct mddev *md, u32 device)
{
	struct md_rdev *rdev = md_find(md, device);

	if (rdev && rdev->leg < 0)
		rdev->candidate = true;
}

int mdc_md_candidate_events(struct mddev *md, u32 device, const u8 *uuid, u64 *events)
{
	struct md_rdev *rdev = md_find(md, device);

	needs_mutex(md, __func__);
	if (!rdev || !rdev->candidate)
		return -ENOENT;
	sim_sleep_us(sim_between(100, 2000));
	if (!md_disks.disk[rdev->disk].sb.there ||
	    (uuid && memcmp(md_disks.disk[rdev->disk].uuid, uuid, MDC_UUID_SIZE)))
		return -EINVAL;
	*events = md_disks.disk[rdev->disk].sb.events;
	return 0;
}

u64 mdc_md_events(struct mddev *md)
{
	return md->events;
}

bool mdc_md_drain(struct mddev *md)
{
	md_quiesce(md, true);
	md_quiesce(md, false);
	return true;
}

void mdc_md_hold_writes(struct mddev *md, struct mdc_range *before)
{
	memset(before, 0, sizeof(*before));
	md->held = true;
}

void mdc_md_let_writes(struct mddev *md, const struct mdc_range *before)
{
	(void)before;
	md->held = false;
	wake_up(&md->sb_wait);
}

bool mdc_md_writes_end(struct mddev *md, unsigned int ms)
{
	wait_event_idle_timeout(md->sb_wait, !md->active, msecs_to_jiffies(ms));
	return !md->active;
}

/* Resync. */

u64 mdc_md_resync_mark(struct mddev *md)
{
	return md->mark;
}

void mdc_md_lower_resync_mark(struct mddev *md, u64 sector)
{
	md->mark = min(md->mark, sector);
}

void mdc_md_raise_resync_mark(struct mddev *md)
{
	md->mark = MDC_MD_CLEAN;
}

bool mdc_md_recovery_begins(struct mddev *md, struct mdc_range *range)
{
	range->lo = md_sync_position(md);
	range->hi = range->lo + MD_WINDOW;
	return range->lo < MD_SECTORS;
}

void mdc_md_resync_needed(struct mddev *md)
{
	md->needed = true;
	md_wake(md);
}

bool mdc_md_resyncs_first(struct mddev *md)
{
	(void)md;
	return sim_world.suspends;
}

bool mdc_md_recovers(struct mddev *md)
{
	return md->recover;
}

void mdc_md_interrupt_resync(struct mddev *md)
{
	md->intr = true;
}

bool mdc_md_resync_through(struct mddev *md)
{
	return md->done;
}

bool mdc_md_resync_interrupted(struct mddev *md)
{
	return md->intr;
}

bool mdc_md_asks_for_all(struct mddev *md)
{
	(void)md;
	return true;
}

/* All adds here are of new disks. */
bool mdc_md_lacks_writes(struct mddev *md, u32 device)
{
	(void)md;
	(void)device;
	return false;
}

bool mdc_md_blocked(struct mddev *md)
{
	int i;

	for (i = 0; i < MD_DEVICES; i++)
		if (md->rdevs[i].used && md->rdevs[i].blocked)
			return true;
	return false;
}

void mdc_md_set_remote_resync(struct mddev *md, bool remote)
{
	md->remote = remote;
}

bool mdc_md_take_clean(struct mddev *md)
{
	struct md_rdev *rdev = md_good(md);

	needs_mutex(md, __func__);
	if (!rdev || md->mark == MDC_MD_CLEAN || rdev->sb.resync_mark != MDC_MD_CLEAN ||
	    rdev->sb.events != md->events || md->need || md->running || md->remote)
		return false;
	md->mark = MDC_MD_CLEAN;
	return true;
}

/* There is no reshape here. */

bool mdc_md_reshaping(struct mddev *md)
{
	(void)md;
	return false;
}

bool mdc_md_reshaping_on_disk(struct mddev *md)
{
	(void)md;
	return false;
}

bool mdc_md_reshape_begins(struct mddev *md)
{
	(void)md;
	return false;
}

bool mdc_md_reshape_cut_off(struct mddev *md)
{
	(void)md;
	return false;
}

void mdc_md_continue_reshape(struct mddev *md)
{
	(void)md;
}

/* Bitmaps. */

int mdc_md_bitmap_take(struct mddev *md, int slot, bool clear, struct mdc_range *range)
{
	u32 bits;
	int i;

	sim_may_block(__func__);
	range->lo = 0;
	range->hi = 0;
	if (slot < 0 || slot >= md_disks.slots)
		return -EINVAL;
	if (!md->bitmap_loaded)
		sim_fail("a bitmap is merged into one that has not been read");
	sim_sleep_us(sim_between(100, 2000));
	bits = md_disks.bitmap[slot];
	md->dirty |= bits;
	md->need |= bits;
	md_disks.bitmap[md->slot] |= bits;
	sim_sleep_us(sim_between(100, 2000));
	if (clear)
		md_disks.bitmap[slot] &= ~bits;
	for (i = 0; i < MD_CHUNKS; i++) {
		if (!(bits >> i & 1))
			continue;
		if (!range->hi)
			range->lo = i * MD_CHUNK;
		range->hi = (i + 1) * MD_CHUNK;
	}
	return 0;
}

int mdc_md_bitmap_pages(struct mddev *md, int slot, unsigned long *pages)
{
	(void)md;
	(void)slot;
	*pages = 1;
	return 0;
}

int mdc_md_bitmap_fits(struct mddev *md, int slot)
{
	(void)md;
	(void)slot;
	return 0;
}

int mdc_md_bitmap_make_fit(struct mddev *md, int slot)
{
	(void)md;
	(void)slot;
	return 0;
}

int mdc_md_bitmap_resize(struct mddev *md, u64 sectors)
{
	(void)md;
	(void)sectors;
	return 0;
}

u64 mdc_md_wanted_sectors(struct mddev *md)
{
	(void)md;
	return MD_SECTORS;
}

int mdc_md_resize(struct mddev *md, u64 sectors_per_device)
{
	(void)md;
	(void)sectors_per_device;
	return 0;
}

void mdc_md_set_capacity(struct mddev *md)
{
	(void)md;
}

static bool parse_uuid(const char *text, u8 *uuid)
{
	unsigned int byte;
	int i;

	for (i = 0; i < MDC_UUID_SIZE; i++) {
		while (*text == '-')
			text++;
		if (sscanf(text, "%2x", &byte) != 1)
			return false;
		uuid[i] = byte;
		text += 2;
	}
	return !*text;
}

void mdc_md_uevent(struct mddev *md, char **env)
{
	u8 uuid[MDC_UUID_SIZE];
	unsigned int number;

	sim_may_block(__func__);
	if (!env[0] || strcmp(env[0], "EVENT=ADD_DEVICE") || !env[1] ||
	    strncmp(env[1], "DEVICE_UUID=", 12) || !parse_uuid(env[1] + 12, uuid) || !env[2] ||
	    sscanf(env[2], "RAID_DISK=%u", &number) != 1 || env[3])
		sim_fail("the uevent of a proposed disk is malformed");
	agent_asked(md->node, uuid, number);
}
