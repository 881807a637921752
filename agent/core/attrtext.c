/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the attributes' names and decides when the progress is worth another write. */
#include "core/attrtext.h"

#include <errno.h>
#include <stdio.h>

static const char *const suffix[MDC_ATTR_COUNT] = {
	[MDC_ATTR_SLOT] = "slot",
	[MDC_ATTR_STATE] = "state",
	[MDC_ATTR_SYNC] = "sync",
	[MDC_ATTR_ADD] = "add",
	[MDC_ATTR_ALARM] = "alarm",
};

int mdc_attr_name(char out[MDC_ATTR_NAME_MAX], const char *id, enum mdc_attr attr)
{
	int n = snprintf(out, MDC_ATTR_NAME_MAX, "mdcluster-%s-%s", id, suffix[attr]);

	return n < 0 || n >= MDC_ATTR_NAME_MAX ? -ENAMETOOLONG : 0;
}

void mdc_attr_sync_init(struct mdc_attr_sync *sync)
{
	sync->percent = -1;
	sync->changed_ms = INT64_MIN / 2;
}

bool mdc_attr_sync_step(struct mdc_attr_sync *sync, uint64_t done, uint64_t total,
			int64_t now_ms)
{
	int percent = -1;

	if (total) {
		/* Without overflow; what rounding gives too much is taken off at the end. */
		if (done >= total)
			percent = 100;
		else if (total < 10)
			percent = (int)(done * 10 / total) * 10;
		else
			percent = (int)(done / (total / 10)) * 10;
		if (percent > 90 && done < total)
			percent = 90;
	}
	if (percent == sync->percent)
		return false;
	if (percent >= 0 && sync->percent >= 0 && now_ms - sync->changed_ms < MDC_SYNC_PAUSE_MS)
		return false;
	sync->percent = percent;
	sync->changed_ms = now_ms;
	return true;
}
