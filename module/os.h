/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the protocol's files use of the kernel: memory, one kind of spinlock, wait queues, threads
 * and time. The simulator builds the same files on the host with a header of its own.
 */
#ifndef MDC_OS_H
#define MDC_OS_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/* Milliseconds since some moment; never goes back. */
static inline u64 mdc_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

/*
 * For as long as this thread lives: memory that is short may be sought by writing to this very array,
 * and such writes may wait for what this thread is to do.
 */
static inline void mdc_thread_never_writes_for_memory(void)
{
	memalloc_noio_save();
}
#else
#include "sim_os.h"
#endif

#endif
