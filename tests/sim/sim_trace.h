/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's tracepoints, in the simulator's own trace.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "cluster.h"
#include "sim.h"

#define trace_mdc_sent(c, msg, result) \
	sim_trace("slot %d sent %s: %d", (c)->our_slot, mdc_wire_type_name((msg)->type), result)
#define trace_mdc_received(c, msg, result) \
	sim_trace("slot %d received %s from slot %u: %d", (c)->our_slot, \
		  mdc_wire_type_name((msg)->type), (msg)->slot, result)
#define trace_mdc_slot(c, slot, lo, hi, result) \
	sim_trace("bitmap of slot %d: %llu to %llu: %d", slot, (unsigned long long)(lo), \
		  (unsigned long long)(hi), result)
#define trace_mdc_range(c, owner, lo, hi) \
	sim_trace("suspended for slot %d: %llu to %llu", owner, (unsigned long long)(lo), \
		  (unsigned long long)(hi))
#define trace_mdc_add(c, step, device, result) \
	sim_trace("step %d of the add of device %u: %d", step, device, result)

#endif
