/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the memory of which device was which member, and which of them went away. */
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
		disk->away = true;
		disk->back[0] = '\0';
		disk->tried = false;
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

bool mdc_readd_returned(struct mdc_readd *readd, const struct mdc_uuid *array,
			const struct mdc_super *super, const char *kname)
{
	struct mdc_readd_disk *disk = by_uuid(readd, &super->device);

	/* A spare lost nothing that a re-add could bring back in step. */
	if (!mdc_uuid_equal(array, &super->array) || super->role < 0 || !disk || !disk->away)
		return false;
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

struct mdc_readd_disk *mdc_readd_needed(struct mdc_readd *readd, const struct mdc_array *array)
{
	struct mdc_readd_disk *found = NULL;
	unsigned int i;

	for (i = 0; i < readd->n; i++) {
		struct mdc_readd_disk *disk = &readd->disks[i];

		if (!disk->away)
			continue;
		/* md may still hold the device that went, and not have noticed yet. */
		if (!works(member(array, disk->kname)))
			disk->lost = true;
		if (!disk->lost || !disk->back[0])
			continue;
		if (works(member(array, disk->back))) {
			memcpy(disk->kname, disk->back, sizeof(disk->kname));
			disk->away = disk->lost = disk->tried = false;
			disk->back[0] = '\0';
		} else if (array->degraded && !disk->tried && !found) {
			found = disk;
		}
	}
	return found;
}

int64_t mdc_readd_turn_ms(const uint32_t *nodes, unsigned int n, uint32_t self)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (nodes[i] == self)
			return (int64_t)i * MDC_READD_STEP_MS;
	return -1;
}
