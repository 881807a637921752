/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the look at one device. Another node has written the superblock a moment ago, so
 * this node's page cache may hold what stood there before: it is dropped before libblkid
 * looks, and what decides is our own read with O_DIRECT. Where writers wait for the answer that
 * read is all.
 */
#include "port/probe.h"

#include <assert.h>
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/blockdev.h"
#include "port/devnode.h"
#include "port/readat.h"

#define BLOCK 4096		/* covers every logical block size that md takes */

static_assert(MDC_NONCE_SECTOR == MDC_SUPER_SECTOR && MDC_NONCE_BYTES == MDC_SUPER_BYTES,
	      "one read serves both");

static void read_super(int fd, struct mdc_probe *probe)
{
	struct mdc_nonce nonce;
	uint8_t *buf;
	int ret;

	if (posix_memalign((void **)&buf, BLOCK, MDC_SUPER_BYTES)) {
		probe->err = -ENOMEM;
		return;
	}
	ret = mdc_read_at(fd, buf, MDC_SUPER_BYTES, MDC_SUPER_SECTOR * 512ull);
	if (ret == -ENODATA)	/* too small for one */
		ret = -ENOENT;
	else if (!ret)
		ret = mdc_super_parse(&probe->super, buf, MDC_SUPER_BYTES);
	else
		probe->err = ret;
	probe->member = !ret;
	probe->announced = ret == -ENOENT && !probe->err && !mdc_nonce_parse(&nonce, buf);
	if (probe->announced)
		probe->nonce = nonce.nonce;
	/* The bitmap's offset is checked to be aligned: O_DIRECT takes nothing else. */
	if (probe->member && probe->super.have_bitmap && !(probe->super.bitmap_sect % 8) &&
	    !mdc_read_at(fd, buf, BLOCK, probe->super.bitmap_sect * 512))
		probe->have_bitmap = !mdc_bitmap_super_parse(&probe->bitmap, buf, BLOCK) &&
				     mdc_uuid_equal(&probe->bitmap.array, &probe->super.array);
	free(buf);
}

static bool uuid_is(blkid_probe pr, const char *key, const struct mdc_uuid *want)
{
	struct mdc_uuid uuid;
	const char *text;

	return !blkid_probe_lookup_value(pr, key, &text, NULL) &&
	       !mdc_uuid_parse(&uuid, text) && mdc_uuid_equal(&uuid, want);
}

/* Does libblkid see the same member? */
static bool blkid_agrees(int fd, const struct mdc_super *super)
{
	char *only[] = { (char *)"linux_raid_member", NULL };
	blkid_probe pr = blkid_new_probe();
	bool same = false;

	if (!pr)
		return false;
	if (!blkid_probe_set_device(pr, fd, 0, 0) && !blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE) &&
	    !blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN, only) &&
	    !blkid_do_safeprobe(pr))
		same = uuid_is(pr, "UUID", &super->array) &&
		       uuid_is(pr, "UUID_SUB", &super->device);
	blkid_free_probe(pr);
	return same;
}

static void read_medium(const struct mdc_probe_device *dev, struct mdc_probe *probe)
{
	int fd, flags;

	fd = mdc_devnode_open(dev->path, dev->major, dev->minor,
			      O_RDONLY | O_NONBLOCK | O_DIRECT);
	if (fd == -EINVAL)	/* no O_DIRECT there; the cache is dropped below */
		fd = mdc_devnode_open(dev->path, dev->major, dev->minor,
				      O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		probe->err = fd;
		return;
	}
	/* Of the start alone: a mounted device's whole cache is not ours to drop. */
	(void)!posix_fadvise(fd, 0, 1 << 20, POSIX_FADV_DONTNEED);
	read_super(fd, probe);
	if (probe->member && (dev->also & MDC_PROBE_BLKID)) {
		flags = fcntl(fd, F_GETFL);
		(void)!fcntl(fd, F_SETFL, flags & ~O_DIRECT);
		probe->stale = !blkid_agrees(fd, &probe->super);
	}
	close(fd);
}

void mdc_probe_device(const char *sys, const struct mdc_probe_device *dev, struct mdc_probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	read_medium(dev, probe);
	if (dev->also & MDC_PROBE_NAME)
		mdc_blockdev_id(sys, dev->kname, probe->id);
}
