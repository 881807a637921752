/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the DLM shows in debugfs. */
#ifndef MDC_DLM_H
#define MDC_DLM_H

#include "core/uuid.h"

/*
 * This node's bitmap slot, from 1. -ENOENT, -EAGAIN: not settled, try again; -ENODEV:
 * debugfs does not show the lockspace (not mounted, or locked down: no use trying);
 * -EINVAL: it shows something that is not understood.
 */
int mdc_dlm_slot(const char *sys, const struct mdc_uuid *array);

#endif
