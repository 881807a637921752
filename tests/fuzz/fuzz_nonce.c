/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nonce's block: what is read is what a writer meant. */
#include "fuzz.h"

#include "core/nonce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *block = calloc(1, MDC_NONCE_BYTES);
	struct mdc_nonce nonce, again;

	MUST(block);
	memcpy(block, data, size < MDC_NONCE_BYTES ? size : MDC_NONCE_BYTES);
	if (!mdc_nonce_parse(&nonce, block))
		MUST_END(nonce.node);
	/* One that is whole, of the same bytes: a checksum is not to be guessed. */
	memset(&nonce, 0, sizeof(nonce));
	memcpy(&nonce.nonce, block, sizeof(nonce.nonce));
	nonce.blank = block[16] & 1;
	nonce.time_s = block[17];
	strncpy(nonce.node, (char *)block + 18, sizeof(nonce.node) - 1);
	mdc_nonce_format(&nonce, block);
	MUST(!mdc_nonce_parse(&again, block));
	MUST(!memcmp(&nonce, &again, sizeof(nonce)));
	free(block);
	return 0;
}
