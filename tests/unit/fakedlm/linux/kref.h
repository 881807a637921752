/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake: the kernel's header of this name, as far as the module's lock files use it. */
#include "fake_kernel.h"
