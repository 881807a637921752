/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault points, for tests: a place in the protocol, by name, at which a node dies, is slow, or
 * loses what it was about to say. Compiled only with `make FAULTS=y`; else each is nothing.
 *
 * One is armed at a time: `echo NAME ACTION [MS] > /sys/module/md_cluster/parameters/fault`, with
 * ACTION "crash", "delay" (MS, 1000 by default) or "drop"; it acts once and is disarmed by it, or by
 * an empty line.
 */
#ifndef MDC_FAULT_H
#define MDC_FAULT_H

#include "core/types.h"

#ifdef MDC_FAULTS
/* Process context. True: what follows is to be left out. */
bool mdc_fault(const char *name);
#else
static inline bool mdc_fault(const char *name)
{
	(void)name;
	return false;
}
#endif

#endif
