/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message of the kernel's uevent socket. Pure. */
#ifndef MDC_UEVENT_H
#define MDC_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/uuid.h"

#define MDC_UEVENT_BYTES 8192	/* the kernel's own limit is 2 KiB of variables and the path */
#define MDC_KNAME_MAX 64	/* kernel name of a block device, with NUL */

struct mdc_uevent {
	char action[16];	/* add, remove, change, … */
	char subsystem[16];
	char kname[MDC_KNAME_MAX];	/* the last part of the path, ! for / as sysfs has it */
	char devtype[16];	/* disk, partition; empty where none is named */
	char event[32];		/* EVENT=; empty where there is none */
	bool have_device_uuid;
	struct mdc_uuid device_uuid;
	bool have_raid_disk;
	unsigned int raid_disk;
	char dm_action[24];	/* DM_ACTION=: PATH_FAILED, PATH_REINSTATED; else empty */
	bool have_paths;
	unsigned int paths;	/* DM_NR_VALID_PATHS= */
};

/*
 * buf need not end with NUL to be safe, but a message that does not is refused. 0;
 * -EINVAL: not of the kernel's form (udevd's own messages among them); -EMSGSIZE: a part
 * that is used here is longer than any the kernel makes.
 */
int mdc_uevent_parse(struct mdc_uevent *event, const char *buf, size_t len);

/* Does it ask this node to confirm a disk that another one adds? */
bool mdc_uevent_is_add(const struct mdc_uevent *event);
/* Has a multipath device lost its last path? */
bool mdc_uevent_no_path(const struct mdc_uevent *event);

#endif
