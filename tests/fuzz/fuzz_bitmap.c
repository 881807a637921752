/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bitmap superblock of a clustered array. */
#include "fuzz.h"

#include "core/superblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	struct mdc_bitmap_super bitmap;

	MUST(exact);
	memcpy(exact, data, size);
	if (mdc_bitmap_super_parse(&bitmap, exact, size) == 0)
		MUST_END(bitmap.cluster);
	free(exact);
	return 0;
}
