/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the form of the nonce's block: numbers little-endian, the rest a sentence for whoever
 * meets it on a disk, and a checksum over all, so that half a block is not taken for one.
 */
#include "core/nonce.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1
#define BLANK 1u		/* flag */

#define AT_VERSION 16
#define AT_FLAGS 20
#define AT_NONCE 24
#define AT_TIME 40
#define AT_NODE 48
#define AT_TEXT (AT_NODE + MDC_NONCE_NODE_MAX)
#define AT_SUM (MDC_NONCE_BYTES - 8)

static const char magic[AT_VERSION] = "mdcluster nonce";
static const char sentence[] =
	"Written by \"mdclusterctl add\" while it asks the nodes of a cluster whether they see "
	"this disk, and replaced by what stood here before. If no such command runs any more, the "
	"node named above was cut off in the middle of it.\n";

static void put(uint8_t *to, uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, unsigned int bytes)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

/* FNV-1a of all that stands before it. */
static uint64_t sum(const uint8_t *block)
{
	uint64_t s = 0xcbf29ce484222325ull;
	size_t i;

	for (i = 0; i < AT_SUM; i++)
		s = (s ^ block[i]) * 0x100000001b3ull;
	return s;
}

void mdc_nonce_format(const struct mdc_nonce *nonce, uint8_t *block)
{
	memset(block, 0, MDC_NONCE_BYTES);
	memcpy(block, magic, sizeof(magic));
	put(block + AT_VERSION, VERSION, 4);
	put(block + AT_FLAGS, nonce->blank ? BLANK : 0, 4);
	memcpy(block + AT_NONCE, nonce->nonce.b, sizeof(nonce->nonce.b));
	put(block + AT_TIME, nonce->time_s, 8);
	snprintf((char *)block + AT_NODE, MDC_NONCE_NODE_MAX, "%s", nonce->node);
	memcpy(block + AT_TEXT, sentence, sizeof(sentence));
	put(block + AT_SUM, sum(block), 8);
}

int mdc_nonce_parse(struct mdc_nonce *nonce, const uint8_t *block)
{
	uint64_t flags;

	if (memcmp(block, magic, sizeof(magic)))
		return -ENOENT;
	flags = get(block + AT_FLAGS, 4);
	if (get(block + AT_SUM, 8) != sum(block) || get(block + AT_VERSION, 4) != VERSION ||
	    (flags & ~(uint64_t)BLANK) || !memchr(block + AT_NODE, '\0', MDC_NONCE_NODE_MAX))
		return -EBADMSG;
	memset(nonce, 0, sizeof(*nonce));
	memcpy(nonce->nonce.b, block + AT_NONCE, sizeof(nonce->nonce.b));
	nonce->time_s = get(block + AT_TIME, 8);
	nonce->blank = flags & BLANK;
	snprintf(nonce->node, sizeof(nonce->node), "%s", (const char *)block + AT_NODE);
	return 0;
}
