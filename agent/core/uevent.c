/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what the kernel sends to NETLINK_KOBJECT_UEVENT: "ACTION@PATH", then KEY=VALUE
 * strings, each ended by NUL. Anybody may fill such a buffer in a test or, were the sender
 * not checked, on the socket: every length is checked, and what is not understood and not
 * needed is passed over.
 */
#include "core/uevent.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define RAID_DISK_MAX 0xfeffu	/* above it stand the superblock's words for no role */

static int copy(char *out, size_t size, const char *value)
{
	size_t len = strlen(value);

	if (len >= size)
		return -EMSGSIZE;
	memcpy(out, value, len + 1);
	return 0;
}

static int number(const char *text, unsigned int max, unsigned int *out)
{
	unsigned int n = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (unsigned int)(*text - '0');
		if (n > max)
			return -EINVAL;
	}
	*out = n;
	return 0;
}

static int variable(struct mdc_uevent *event, const char *key, size_t len, const char *value)
{
#define IS(name) (len == sizeof(name) - 1 && !memcmp(key, name, len))
	if (IS("SUBSYSTEM"))
		return copy(event->subsystem, sizeof(event->subsystem), value);
	if (IS("DEVTYPE"))
		return copy(event->devtype, sizeof(event->devtype), value);
	if (IS("EVENT"))
		return copy(event->event, sizeof(event->event), value);
	if (IS("ACTION"))
		return strcmp(event->action, value) ? -EINVAL : 0;
	if (IS("DEVICE_UUID")) {
		if (event->have_device_uuid || mdc_uuid_parse(&event->device_uuid, value))
			return -EINVAL;
		event->have_device_uuid = true;
	}
	if (IS("RAID_DISK")) {
		if (event->have_raid_disk || number(value, RAID_DISK_MAX, &event->raid_disk))
			return -EINVAL;
		event->have_raid_disk = true;
	}
	if (IS("DM_ACTION"))
		return copy(event->dm_action, sizeof(event->dm_action), value);
	if (IS("DM_NR_VALID_PATHS"))
		event->have_paths = !number(value, UINT_MAX / 16, &event->paths);
#undef IS
	return 0;
}

static int head(struct mdc_uevent *event, const char *text)
{
	const char *at = strchr(text, '@');
	const char *name;
	size_t len;

	if (!at || at == text || at[1] != '/')
		return -EINVAL;
	len = (size_t)(at - text);
	if (len >= sizeof(event->action))
		return -EMSGSIZE;
	memcpy(event->action, text, len);
	event->action[len] = '\0';
	name = strrchr(at, '/') + 1;
	if (!*name)
		return -EINVAL;
	/* A long name of something that is no block device is nothing to refuse. */
	if (copy(event->kname, sizeof(event->kname), name))
		event->kname[0] = '\0';
	return 0;
}

static bool block_subsystem(const char *buf, size_t len)
{
	static const char want[] = "SUBSYSTEM=block";
	const char *at = buf;

	while (len >= sizeof(want)) {
		size_t part = strlen(at) + 1;

		if (part == sizeof(want) && !memcmp(at, want, part))
			return true;
		if (part >= len)
			break;
		at += part;
		len -= part;
	}
	return false;
}

int mdc_uevent_parse(struct mdc_uevent *event, const char *buf, size_t len)
{
	const char *at = buf;
	int ret;

	memset(event, 0, sizeof(*event));
	if (len < 2 || len > MDC_UEVENT_BYTES || buf[len - 1] != '\0')
		return -EINVAL;
	ret = head(event, at);
	if (ret)
		return ret;
	/* Other subsystems use the same keys in their own ways. */
	if (!block_subsystem(buf, len))
		return 0;
	if (!event->kname[0])
		return -EMSGSIZE;
	for (at += strlen(at) + 1; at < buf + len; at += strlen(at) + 1) {
		const char *eq = strchr(at, '=');

		if (!eq || eq == at)
			return -EINVAL;
		ret = variable(event, at, (size_t)(eq - at), eq + 1);
		if (ret)
			return ret;
	}
	return 0;
}

bool mdc_uevent_is_add(const struct mdc_uevent *event)
{
	return !strcmp(event->action, "change") && !strcmp(event->subsystem, "block") &&
	       !strcmp(event->event, "ADD_DEVICE") && event->have_device_uuid &&
	       event->have_raid_disk;
}

bool mdc_uevent_no_path(const struct mdc_uevent *event)
{
	return !strcmp(event->dm_action, "PATH_FAILED") && event->have_paths && !event->paths;
}
