/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each unit test file begins with. */
#ifndef MDC_UNIT_H
#define MDC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define SOME_UUID "0a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9"
#define SOME_UUID_DASH "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

#endif
