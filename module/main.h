/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's parameters, for ops.c, which hands them on with each cluster.
 */
#ifndef MDC_MAIN_H
#define MDC_MAIN_H

#include "cluster.h"

extern struct mdc_limits mdc_limits;

#endif
