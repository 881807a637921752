/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the meaning of what the kernel shows of one array. Pure. */
#include "core/state.h"

#include <stddef.h>
#include <string.h>

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

bool mdc_array_running(const struct mdc_array *array)
{
	static const char *const not_started[] = { "", "clear", "inactive", NULL };

	return !one_of(array->array_state, not_started);
}

enum mdc_state mdc_state_of(const struct mdc_array *array)
{
	/*
	 * read-auto is a healthy array that nobody has written to yet. A check or repair
	 * leaves the state as it is: the mirror is complete while it is compared.
	 */
	static const char *const broken[] = { "broken", "readonly", "suspended", NULL };

	if (!mdc_array_running(array) || one_of(array->array_state, broken))
		return MDC_STATE_BROKEN;
	if (array->raid_disks && array->degraded >= array->raid_disks)
		return MDC_STATE_BROKEN;
	if (!strcmp(array->sync_action, "reshape"))
		return MDC_STATE_RESHAPE;
	if (!strcmp(array->sync_action, "recover"))
		return MDC_STATE_RECOVER;
	if (!strcmp(array->sync_action, "resync"))
		return MDC_STATE_RESYNC;
	return array->degraded ? MDC_STATE_DEGRADED : MDC_STATE_CLEAN;
}

const char *mdc_state_name(enum mdc_state state)
{
	switch (state) {
	case MDC_STATE_CLEAN:
		return "clean";
	case MDC_STATE_DEGRADED:
		return "degraded";
	case MDC_STATE_RESYNC:
		return "resync";
	case MDC_STATE_RECOVER:
		return "recover";
	case MDC_STATE_RESHAPE:
		return "reshape";
	case MDC_STATE_BROKEN:
		break;
	}
	return "broken";
}
