/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the look at what a disk bears before it is added. mdadm --add overwrites it without a
 * question, so whatever libblkid knows, and be it a partition table without partitions, is
 * somebody's until a person has wiped it.
 */
#include "ctl_look.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/devnode.h"
#include "port/readat.h"

#define SIGNATURES_MAX 32

int mdc_look_member(const struct mdc_blockdev *dev, const struct mdc_uuid *array,
		    struct mdc_super *super)
{
	int fd = mdc_devnode_open(dev->path, dev->major, dev->minor, O_RDONLY | O_DIRECT), ret;
	void *buf;

	if (fd < 0)
		return fd;
	if (posix_memalign(&buf, MDC_SUPER_BYTES, MDC_SUPER_BYTES)) {
		close(fd);
		return -ENOMEM;
	}
	ret = mdc_read_at(fd, buf, MDC_SUPER_BYTES, MDC_SUPER_SECTOR * 512);
	if (!ret)
		ret = mdc_super_parse(super, buf, MDC_SUPER_BYTES);
	if (!ret && !mdc_uuid_equal(&super->array, array))
		ret = -ESTALE;
	free(buf);
	close(fd);
	return ret;
}

static const char *value_of(blkid_probe pr, const char *key)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(pr, key, &value, NULL) ? NULL : value;
}

static void append(char *out, size_t size, const char *type, const char *label)
{
	size_t used = strlen(out);
	char *c;

	snprintf(out + used, size - used, "%s%s%s%s%s", used ? ", " : "", type,
		 label && *label ? " (label " : "", label && *label ? label : "",
		 label && *label ? ")" : "");
	/* A label is whatever somebody has written there. */
	for (c = out + used; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/* The one that the probe has just found. */
static void take(blkid_probe pr, const struct mdc_uuid *array, char *out, size_t size, bool *ours)
{
	const char *type = value_of(pr, "TYPE"), *uuid = value_of(pr, "UUID");
	struct mdc_uuid found;

	if (type && !strcmp(type, "linux_raid_member") && uuid && !mdc_uuid_parse(&found, uuid) &&
	    mdc_uuid_equal(&found, array)) {
		*ours = true;
		return;
	}
	if (!type)
		type = value_of(pr, "PTTYPE");
	if (type)
		append(out, size, type, value_of(pr, "LABEL"));
}

int mdc_look_signatures(int fd, const struct mdc_uuid *array, char *out, size_t size, bool *ours)
{
	blkid_probe pr = blkid_new_probe();
	int ret = -EIO, n = 0;

	out[0] = '\0';
	*ours = false;
	if (!pr)
		return -ENOMEM;
	/* Another node may have written to it since this one read it last. */
	(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (!blkid_probe_set_device(pr, fd, 0, 0) && !blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
					       BLKID_SUBLKS_LABEL) &&
	    !blkid_probe_enable_partitions(pr, 1)) {
		do {
			ret = blkid_do_probe(pr);
			if (!ret)
				take(pr, array, out, size, ours);
		} while (!ret && ++n < SIGNATURES_MAX);
		ret = ret < 0 ? -EIO : 0;
	}
	blkid_free_probe(pr);
	return ret;
}
