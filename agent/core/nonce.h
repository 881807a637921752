/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block that `mdclusterctl add` writes on a disk for as long as the cluster is asked about it
 * (README.md, "The nonce"). It stands where the md superblock will stand, so a peer reads it with
 * the very read that looks for one. Pure.
 */
#ifndef MDC_NONCE_H
#define MDC_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superblock.h"
#include "core/uuid.h"

#define MDC_NONCE_SECTOR MDC_SUPER_SECTOR
#define MDC_NONCE_BYTES MDC_SUPER_BYTES
#define MDC_NONCE_NODE_MAX 64	/* with NUL; a longer name is cut */

struct mdc_nonce {
	struct mdc_uuid nonce;
	uint64_t time_s;		/* when it was written, since 1970 */
	bool blank;			/* what stood there before was zeros only */
	char node[MDC_NONCE_NODE_MAX];	/* that has written it */
};

/* block: MDC_NONCE_BYTES. */
void mdc_nonce_format(const struct mdc_nonce *nonce, uint8_t *block);
/* 0; -ENOENT: no such block; -EBADMSG: one that is damaged. */
int mdc_nonce_parse(struct mdc_nonce *nonce, const uint8_t *block);

#endif
