/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of test_lockstep share: its cases, and the random walk. */
#ifndef LOCKWALK_H
#define LOCKWALK_H

#include "fakedlm.h"

#define MS ((u64)1000)		/* of the simulated clock */

/* For the simulator's threads, which cmocka knows nothing of. */
#define check(condition) \
	do { \
		if (!(condition)) \
			sim_fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)
#define check_int(value, expected) \
	do { \
		long value_ = (value), expected_ = (expected); \
		if (value_ != expected_) \
			sim_fail("%s:%d: %s is %ld, not %ld", __FILE__, __LINE__, #value, value_, \
				 expected_); \
	} while (0)

extern u32 no_memory_one_in;
extern u64 walk_steps;		/* calls of the DLM so far */

void begin_walk(void);

/* All locks were freed: nothing of them stays. */
void nothing_left(void);

#endif
