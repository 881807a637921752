/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the kernel's uevent socket, with no NUL to rely on behind them. */
#include "fuzz.h"

#include "core/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	struct mdc_uevent event;

	MUST(copy);
	memcpy(copy, data, size);
	if (mdc_uevent_parse(&event, copy, size) == 0) {
		MUST_END(event.action);
		MUST_END(event.subsystem);
		MUST_END(event.kname);
		MUST_END(event.devtype);
		MUST_END(event.event);
		MUST(strchr(event.kname, '/') == NULL);
		MUST(strcmp(event.subsystem, "block") != 0 || event.kname[0] != '\0');
		if (mdc_uevent_is_add(&event))
			MUST(event.have_device_uuid && event.have_raid_disk);
	}
	free(copy);
	return 0;
}
