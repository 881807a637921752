/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person should look into, as the attribute mdcluster-ID-alarm says it (README.md).
 * Unlike -add it is pacemaker-attrd's, so that Pacemaker's alerts tell of it. Pure.
 */
#ifndef MDC_ALARM_H
#define MDC_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attrtext.h"
#include "core/roster.h"

#define MDC_ALARM_ADD_MS (3600 * 1000LL)	/* so long a refused add is worth a word */

/* Zero-filled: no add has been refused. */
struct mdc_alarm {
	char add[MDC_ATTR_VALUE_MAX];	/* the refusal; empty: none */
	int64_t add_ms;
};

/* The attribute -add has become value (NULL: deleted). */
void mdc_alarm_add(struct mdc_alarm *alarm, const char *value, int64_t now_ms);
/* What node self is to say; false: nothing. */
bool mdc_alarm_text(const struct mdc_alarm *alarm, const struct mdc_roster *roster, uint32_t self,
		    int64_t now_ms, char out[MDC_ATTR_VALUE_MAX]);
/* When that ends by itself; -1: never. */
int64_t mdc_alarm_deadline(const struct mdc_alarm *alarm);

#endif
