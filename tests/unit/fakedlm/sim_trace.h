/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake: the module's tracepoint of lockres.c, in the trace of this test. */
#ifndef FAKE_TRACE_H
#define FAKE_TRACE_H

#include "sim.h"

#define trace_mdc_lock_wait(lock, from, to, ms, result) \
	sim_trace("%s: %d -> %d: %d after %llu ms", lock, from, to, result, \
		  (unsigned long long)(ms))

#endif
