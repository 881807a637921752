/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake: the kernel's header of this name, as far as the module's lock files use it. */
#ifndef FAKE_LINUX_DLM_H
#define FAKE_LINUX_DLM_H

#include <linux/dlmconstants.h>
#include "fake_kernel.h"

#define DLM_SBF_VALNOTVALID 0x02

typedef void dlm_lockspace_t;

struct dlm_lksb {
	int sb_status;
	u32 sb_lkid;
	char sb_flags;
	char *sb_lvbptr;
};

int dlm_lock(dlm_lockspace_t *lockspace, int mode, struct dlm_lksb *lksb, u32 flags,
	     const void *name, unsigned int namelen, u32 parent, void (*ast)(void *arg), void *arg,
	     void (*bast)(void *arg, int mode));
int dlm_unlock(dlm_lockspace_t *lockspace, u32 lkid, u32 flags, struct dlm_lksb *lksb, void *arg);

#endif
