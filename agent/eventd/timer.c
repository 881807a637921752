/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a deadline of the pure parts becomes a source of the main loop. */
#include "eventd/daemon.h"

void mdc_timer_at(guint *timer, int64_t at_ms, int priority, GSourceFunc fire, void *data)
{
	int64_t left;

	g_clear_handle_id(timer, g_source_remove);
	if (at_ms < 0)
		return;
	left = at_ms - mdc_now_ms();
	*timer = g_timeout_add_full(priority, left > 0 ? (guint)left : 0, fire, data, NULL);
}
