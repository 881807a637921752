/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array's or a member's UUID, in the two forms that mdadm and the kernel write. */
#ifndef MDC_UUID_H
#define MDC_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define MDC_UUID_COLON 36	/* 35 characters and NUL */
#define MDC_UUID_DASH 37	/* 36 characters and NUL */
#define MDC_UUID_HEX 33		/* 32 characters and NUL */

struct mdc_uuid {
	uint8_t b[16];
};

/*
 * Takes exactly the colon form (8:8:8:8) or the dash form (8-4-4-4-12), either case,
 * nothing before or after it. Returns 0 or -EINVAL; *uuid is written on success only.
 */
int mdc_uuid_parse(struct mdc_uuid *uuid, const char *text);
void mdc_uuid_colon(const struct mdc_uuid *uuid, char out[MDC_UUID_COLON]);
void mdc_uuid_dash(const struct mdc_uuid *uuid, char out[MDC_UUID_DASH]);
/* The digits alone, lower case and nothing else: as an attribute bears it. 0 or -EINVAL. */
int mdc_uuid_hex_parse(struct mdc_uuid *uuid, const char *text);
void mdc_uuid_hex(const struct mdc_uuid *uuid, char out[MDC_UUID_HEX]);
bool mdc_uuid_equal(const struct mdc_uuid *a, const struct mdc_uuid *b);

#endif
