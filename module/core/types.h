/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few types that core/ needs, in the kernel and on the host. Nothing else is included there.
 */
#ifndef MDC_CORE_TYPES_H
#define MDC_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#endif
