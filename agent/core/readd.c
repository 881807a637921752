/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the memory of which device was which member, which of them went away or cannot be read,
 * and how often each has come back.
 */
#include "core/readd.h"

#include <stdio.h>
#include <string.h>

static struct mdc_readd_disk *by_uuid(struct mdc_readd *readd, const struct mdc_uuid *device)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++)
		if (mdc_uuid_equal(&readd->disks[i].device, device))
			return &readd->disks[i];
	return NULL;
}

void mdc_readd_learn(struct mdc_readd *readd, const struct mdc_uuid *device, const char *kname)
{
	struct mdc_readd_disk *disk = by_uuid(readd, device);
	unsigned int i;

	/* A name is one device's: whoever bore it before is not known by it any more. */
	for (i = 0; i < readd->n; i++)
		if (&readd->disks[i] != disk && !strcmp(readd->disks[i].kname, kname))
			readd->disks[i].kname[0] = '\0';
	if (!disk) {
		if (readd->n == MDC_READD_DISKS_MAX)
			return;
		disk = &readd->disks[readd->n++];
		memset(disk, 0, sizeof(*disk));
		disk->device = *device;
	}
	/* One that is away is still known to md by its old name. */
	if (!disk->away)
		snprintf(disk->kname, sizeof(disk->kname), "%s", kname);
}

bool mdc_readd_knows(const struct mdc_readd *readd, const char *kname)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++)
		if (!strcmp(readd->disks[i].kname, kname))
			return true;
	return false;
}

void mdc_readd_gone(struct mdc_readd *readd, const char *kname)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];

		if (strcmp(disk->away && disk->back[0] ? disk->back : disk->kname, kname))
			continue;
		/* Pulled, or logged out of, by whoever took it out before. */
		if (disk->by_hand) {
			disk->kname[0] = '\0';
			continue;
		}
		disk->away = true;
		disk->unreadable = false;
		disk->back[0] = '\0';
		disk->tried = disk->trying = false;
		disk->again_ms = 0;
		/* A path that comes and goes is counted; that is no disk that fails again. */
		if (disk->out == MDC_READD_AGAIN)
			disk->out = MDC_READD_NOT_OUT;
	}
}

bool mdc_readd_any_away(const struct mdc_readd *readd)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++)
		if (readd->disks[i].away)
			return true;
	return false;
}

const char *mdc_readd_back(const struct mdc_readd *readd, const struct mdc_uuid *device)
{
	const struct mdc_readd_disk *disk = by_uuid((struct mdc_readd *)readd, device);

	return disk && disk->back[0] ? disk->back : NULL;
}

bool mdc_readd_returned(struct mdc_readd *readd, const struct mdc_uuid *array,
			const struct mdc_super *super, const char *kname)
{
	struct mdc_readd_disk *disk = by_uuid(readd, &super->device);

	/* A spare lost nothing that a re-add could bring back in step. */
	if (!mdc_uuid_equal(array, &super->array) || super->role < 0 || !disk || !disk->away)
		return false;
	/* What was in the way of the other name is not in the way of this one. */
	if (disk->again_ms && strcmp(disk->back, kname))
		disk->again_ms = 1;
	snprintf(disk->back, sizeof(disk->back), "%s", kname);
	return true;
}

static const struct mdc_member *member(const struct mdc_array *array, const char *kname)
{
	unsigned int i;

	for (i = 0; i < array->n_members; i++)
		if (!strcmp(array->members[i].device, kname))
			return &array->members[i];
	return NULL;
}

static bool works(const struct mdc_member *m)
{
	return m && !strstr(m->state, "faulty");
}

static unsigned int within_the_hour(const struct mdc_readd_disk *disk, int64_t now_ms)
{
	unsigned int i;

	for (i = 0; i < disk->n_returns; i++)
		if (now_ms - disk->returns_ms[i] >= MDC_READD_HOUR_MS)
			break;
	return i;
}

static void count(struct mdc_readd_disk *disk, int64_t now_ms)
{
	unsigned int i;

	if (disk->n_returns < MDC_READD_PER_HOUR)
		disk->n_returns++;
	for (i = disk->n_returns - 1; i; i--)
		disk->returns_ms[i] = disk->returns_ms[i - 1];
	disk->returns_ms[0] = now_ms;
}

static void stay_out(struct mdc_readd_disk *disk, enum mdc_readd_out why)
{
	disk->out = why;
	disk->out_said = false;
}

/* It is in the array again, whoever did that; an administrator's doing ends all doubts. */
static void is_back(struct mdc_readd_disk *disk, int64_t now_ms)
{
	if (disk->back[0])
		memcpy(disk->kname, disk->back, sizeof(disk->kname));
	/* What was failed and taken in again by hand is not held against it. */
	if (!disk->ours && (disk->away || disk->unreadable))
		count(disk, now_ms);
	disk->back[0] = '\0';
	disk->away = disk->unreadable = disk->lost = disk->tried = disk->ours = false;
	disk->looked = disk->asked = disk->by_hand = disk->trying = false;
	disk->again_ms = 0;
	disk->out = MDC_READD_NOT_OUT;
}

void mdc_readd_observe(struct mdc_readd *readd, const struct mdc_array *array, int64_t now_ms)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];
		const struct mdc_member *m = disk->kname[0] ? member(array, disk->kname) : NULL;
		bool back = disk->back[0] && works(member(array, disk->back));

		/* md may still hold a device that went, and not have noticed yet. */
		if (disk->lost && (back || (works(m) && !disk->away))) {
			is_back(disk, now_ms);
		} else if (!works(m) && !disk->lost) {
			disk->lost = true;
			disk->looked = disk->asked = disk->tried = disk->ours = false;
			disk->by_hand = disk->trying = false;
			disk->again_ms = 0;
		} else if (!m && disk->unreadable && !disk->back[0]) {
			/* Somebody has taken it out of the array: it is to be replaced. */
			disk->unreadable = false;
			disk->by_hand = true;
		}
	}
}

struct mdc_readd_disk *mdc_readd_look(struct mdc_readd *readd, int64_t now_ms, unsigned int *at)
{
	while (*at < readd->n) {
		struct mdc_readd_disk *disk = &readd->disks[(*at)++];

		if (!disk->lost || disk->away || disk->out || disk->tried || disk->asked ||
		    disk->back[0] || !disk->kname[0])
			continue;
		if (disk->looked && (!disk->unreadable || now_ms < disk->look_ms))
			continue;
		disk->looked = disk->asked = true;
		disk->look_ms = now_ms + MDC_READD_LOOK_MS;
		return disk;
	}
	return NULL;
}

bool mdc_readd_any_pending(const struct mdc_readd *readd)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		const struct mdc_readd_disk *disk = &readd->disks[i];

		if (disk->out)
			continue;
		if (disk->again_ms ||
		    ((disk->unreadable || disk->asked) && !disk->away && !disk->back[0]))
			return true;
	}
	return false;
}

static struct mdc_readd_disk *by_kname(struct mdc_readd *readd, const char *kname)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++)
		if (!strcmp(readd->disks[i].kname, kname))
			return &readd->disks[i];
	return NULL;
}

bool mdc_readd_changed(struct mdc_readd *readd, const char *kname, int64_t now_ms)
{
	struct mdc_readd_disk *disk = by_kname(readd, kname);

	if (!disk || !disk->unreadable)
		return false;
	disk->look_ms = now_ms;
	return true;
}

bool mdc_readd_looked(struct mdc_readd *readd, const struct mdc_array *array, const char *kname,
		      int err, const struct mdc_super *super, int64_t now_ms)
{
	struct mdc_readd_disk *disk = by_kname(readd, kname);
	const struct mdc_member *m = member(array, kname);
	bool was;

	if (!disk)
		return false;
	disk->asked = false;
	if (!disk->lost || disk->away || disk->out || disk->back[0])
		return false;
	if (!m) {
		/* Removed as well. Where there is no device, its uevent tells why. */
		disk->by_hand = disk->by_hand || !err;
		return false;
	}
	was = disk->unreadable;
	/* The kernel keeps in mind that a write failed; --fail by hand leaves no such trace. */
	if (err || strstr(m->state, "write_error"))
		disk->unreadable = true;
	if (!disk->unreadable) {
		disk->by_hand = true;
		return false;
	}
	if (within_the_hour(disk, now_ms)) {
		/* Where its path is just going away, that shows before the next look. */
		if (!err || was)
			stay_out(disk, MDC_READD_AGAIN);
		return false;
	}
	if (!err && super && mdc_uuid_equal(&super->device, &disk->device) && super->role >= 0)
		snprintf(disk->back, sizeof(disk->back), "%s", kname);
	return err && !was;
}

const struct mdc_readd_disk *mdc_readd_hangs(struct mdc_readd *readd,
					     const struct mdc_array *array, int64_t now_ms,
					     unsigned int *at)
{
	while (*at < readd->n) {
		struct mdc_readd_disk *disk = &readd->disks[(*at)++];

		if (!disk->asked || !disk->lost || disk->away || disk->unreadable ||
		    now_ms < disk->look_ms || !member(array, disk->kname))
			continue;
		disk->unreadable = true;
		return disk;
	}
	return NULL;
}

struct mdc_readd_disk *mdc_readd_needed(struct mdc_readd *readd, const struct mdc_array *array,
					int64_t now_ms)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];

		if ((!disk->away && !disk->unreadable) || !disk->lost || !disk->back[0] ||
		    disk->out || !array->degraded)
			continue;
		if (disk->tried && (!disk->again_ms || now_ms < disk->again_ms))
			continue;
		if (within_the_hour(disk, now_ms) < MDC_READD_PER_HOUR)
			return disk;
		stay_out(disk, MDC_READD_OFTEN);
	}
	return NULL;
}

unsigned int mdc_readd_begin(struct mdc_readd_disk *disk, int64_t now_ms)
{
	disk->tried = disk->ours = disk->trying = true;
	disk->again_ms = 0;
	count(disk, now_ms);
	return within_the_hour(disk, now_ms);
}

bool mdc_readd_defer(struct mdc_readd_disk *disk, int64_t now_ms)
{
	bool was = disk->tried;

	disk->tried = true;
	disk->again_ms = now_ms + MDC_READD_AGAIN_MS;
	return !was;
}

bool mdc_readd_failed(struct mdc_readd *readd, int64_t now_ms)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];

		if (!disk->trying)
			continue;
		disk->trying = false;
		if (within_the_hour(disk, now_ms) < MDC_READD_PER_HOUR)
			disk->again_ms = now_ms + MDC_READD_AGAIN_MS;
		return disk->again_ms;
	}
	return false;
}

const struct mdc_readd_disk *mdc_readd_stays_out(struct mdc_readd *readd)
{
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];

		if (disk->out && !disk->out_said) {
			disk->out_said = true;
			return disk;
		}
	}
	return NULL;
}

int64_t mdc_readd_turn_ms(const uint32_t *nodes, unsigned int n, uint32_t self)
{
	bool among = false;
	int64_t before = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		among = among || nodes[i] == self;
		before += nodes[i] < self;
	}
	return among ? before * MDC_READD_STEP_MS : -1;
}
