/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracepoints, system "mdcluster": what an array's channel, locks and recovery do, and when.
 * `trace-cmd record -e mdcluster`.
 */
#ifndef __KERNEL__
#include "sim_trace.h"
#else

#undef TRACE_SYSTEM
#define TRACE_SYSTEM mdcluster

#if !defined(MDC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MDC_TRACE_H

#include <linux/tracepoint.h>
#include "cluster.h"

DECLARE_EVENT_CLASS(mdc_message,
	TP_PROTO(struct mdc_cluster *c, const struct mdc_msg *msg, int result),
	TP_ARGS(c, msg, result),
	TP_STRUCT__entry(
		__field(int, minor)
		__field(int, our_slot)
		__field(u32, type)
		__field(u32, slot)
		__field(u64, low)
		__field(u64, high)
		__field(u32, device)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->minor = mdc_md_minor(c->mddev);
		__entry->our_slot = c->our_slot;
		__entry->type = msg->type;
		__entry->slot = msg->slot;
		__entry->low = msg->low;
		__entry->high = msg->high;
		__entry->device = msg->raid_slot;
		__entry->result = result;
	),
	TP_printk("md%d slot=%d %s from=%u low=%llu high=%llu device=%u result=%d",
		  __entry->minor, __entry->our_slot, mdc_wire_type_name(__entry->type),
		  __entry->slot, __entry->low, __entry->high, __entry->device, __entry->result)
);

/* All others have acknowledged it, or RESULT says why not. */
DEFINE_EVENT(mdc_message, mdc_sent,
	TP_PROTO(struct mdc_cluster *c, const struct mdc_msg *msg, int result),
	TP_ARGS(c, msg, result)
);

/* It was read; RESULT is the enum mdc_wire_fault. */
DEFINE_EVENT(mdc_message, mdc_received,
	TP_PROTO(struct mdc_cluster *c, const struct mdc_msg *msg, int result),
	TP_ARGS(c, msg, result)
);

/* A conversion has ended. */
TRACE_EVENT(mdc_lock_wait,
	TP_PROTO(const char *lock, int from, int to, u64 ms, int result),
	TP_ARGS(lock, from, to, ms, result),
	TP_STRUCT__entry(
		__array(char, lock, MDC_LOCK_NAME)
		__field(int, from)
		__field(int, to)
		__field(u64, ms)
		__field(int, result)
	),
	TP_fast_assign(
		strscpy(__entry->lock, lock, MDC_LOCK_NAME);
		__entry->from = from;
		__entry->to = to;
		__entry->ms = ms;
		__entry->result = result;
	),
	TP_printk("%s %d->%d ms=%llu result=%d", __entry->lock, __entry->from, __entry->to,
		  __entry->ms, __entry->result)
);

/* A slot's bitmap: RESULT 0 is taken over. */
TRACE_EVENT(mdc_slot,
	TP_PROTO(struct mdc_cluster *c, int slot, u64 lo, u64 hi, int result),
	TP_ARGS(c, slot, lo, hi, result),
	TP_STRUCT__entry(
		__field(int, minor)
		__field(int, slot)
		__field(u64, lo)
		__field(u64, hi)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->minor = mdc_md_minor(c->mddev);
		__entry->slot = slot;
		__entry->lo = lo;
		__entry->hi = hi;
		__entry->result = result;
	),
	TP_printk("md%d slot=%d dirty=%llu..%llu result=%d", __entry->minor, __entry->slot,
		  __entry->lo, __entry->hi, __entry->result)
);

/* Sectors that OWNER resyncs and this node does not write; hi 0: none. */
TRACE_EVENT(mdc_range,
	TP_PROTO(struct mdc_cluster *c, int owner, u64 lo, u64 hi),
	TP_ARGS(c, owner, lo, hi),
	TP_STRUCT__entry(
		__field(int, minor)
		__field(int, owner)
		__field(u64, lo)
		__field(u64, hi)
	),
	TP_fast_assign(
		__entry->minor = mdc_md_minor(c->mddev);
		__entry->owner = owner;
		__entry->lo = lo;
		__entry->hi = hi;
	),
	TP_printk("md%d owner=%d range=%llu..%llu", __entry->minor, __entry->owner, __entry->lo,
		  __entry->hi)
);

/* STEP of PROTOCOL.md, "A disk is added". */
TRACE_EVENT(mdc_add,
	TP_PROTO(struct mdc_cluster *c, int step, u32 device, int result),
	TP_ARGS(c, step, device, result),
	TP_STRUCT__entry(
		__field(int, minor)
		__field(int, step)
		__field(u32, device)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->minor = mdc_md_minor(c->mddev);
		__entry->step = step;
		__entry->device = device;
		__entry->result = result;
	),
	TP_printk("md%d step=%d device=%u result=%d", __entry->minor, __entry->step,
		  __entry->device, __entry->result)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

#endif
