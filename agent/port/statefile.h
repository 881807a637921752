/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RUNDIR: the lock, and one file an array that is tracked (README.md). */
#ifndef MDC_STATEFILE_H
#define MDC_STATEFILE_H

#include "core/track.h"

/* Makes RUNDIR and RUNDIR/arrays, mode 0700. 0 or -errno. */
int mdc_statefile_init(const char *rundir);
/* The lock's descriptor, held until it is closed; -EWOULDBLOCK: another holds it; -errno. */
int mdc_statefile_lock(const char *rundir);
/* Was the last holder of the lock killed? True once after mdc_statefile_lock. */
bool mdc_statefile_left(const char *rundir);
/* This holder is about to end in good order. */
void mdc_statefile_leave(const char *rundir);
/* Written as a whole or not at all. 0 or -errno. */
int mdc_statefile_save(const char *rundir, const struct mdc_track *track);
int mdc_statefile_remove(const char *rundir, const struct mdc_uuid *uuid);
/* Each valid file; others are logged and removed. */
void mdc_statefile_each(const char *rundir,
			void (*fn)(const struct mdc_track *track, void *data), void *data);

#endif
