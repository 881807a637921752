/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the pauses between looks. The first change after a quiet time may be what another
 * node's writers wait for, and is looked at nearly at once. Those that follow closely are
 * gathered for longer and longer, since a cluster that starts changes a hundred times.
 */
#include "core/gather.h"

unsigned int mdc_gather_wait(struct mdc_gather *gather, int64_t now_ms)
{
	if (!gather->any || now_ms - gather->looked_ms >= MDC_GATHER_QUIET_MS)
		gather->wait_ms = MDC_GATHER_FIRST_MS;
	else
		gather->wait_ms = gather->wait_ms * 2 < MDC_GATHER_MAX_MS ? gather->wait_ms * 2 :
				  MDC_GATHER_MAX_MS;
	return gather->wait_ms;
}

void mdc_gather_looked(struct mdc_gather *gather, int64_t now_ms)
{
	gather->any = true;
	gather->looked_ms = now_ms;
}
