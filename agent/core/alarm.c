/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the choice of what is an alarm, and its words: a shared slot before a refused add. */
#include "core/alarm.h"

#include <stdio.h>
#include <string.h>

#define NAME_SHOWN 48		/* of each node, so that the value is never cut */

/* missing:SLOT:UUID8, the answer to the kernel; to a proposal it is the asking node's alarm. */
static bool is_missing(const char *value)
{
	const char *colon = strchr(value, ':');

	if (strncmp(value, "missing:", 8) || colon[1] < '0' || colon[1] > '9')
		return false;
	colon = strchr(colon + 1, ':');
	return colon && !strchr(colon + 1, ':');
}

void mdc_alarm_add(struct mdc_alarm *alarm, const char *value, int64_t now_ms)
{
	bool refused = value && (!strncmp(value, "refused:", 8) || is_missing(value));

	if (refused && !strcmp(alarm->add, value))
		return;
	snprintf(alarm->add, sizeof(alarm->add), "%s", refused ? value : "");
	alarm->add_ms = now_ms;
}

bool mdc_alarm_text(const struct mdc_alarm *alarm, const struct mdc_roster *roster, uint32_t self,
		    int64_t now_ms, char out[MDC_ATTR_VALUE_MAX])
{
	const struct mdc_roster_clash *c = &roster->clash;

	if (c->alarm && (c->nodes[0] == self || c->nodes[1] == self)) {
		snprintf(out, MDC_ATTR_VALUE_MAX, "slot:%u:%.*s,%.*s", c->slot, NAME_SHOWN,
			 c->names[0], NAME_SHOWN, c->names[1]);
		return true;
	}
	if (!alarm->add[0] || now_ms - alarm->add_ms >= MDC_ALARM_ADD_MS)
		return false;
	snprintf(out, MDC_ATTR_VALUE_MAX, "%s", alarm->add);
	return true;
}

int64_t mdc_alarm_deadline(const struct mdc_alarm *alarm)
{
	return alarm->add[0] ? alarm->add_ms + MDC_ALARM_ADD_MS : -1;
}
