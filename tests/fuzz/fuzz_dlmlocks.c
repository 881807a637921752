/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DLM's list of locks in debugfs. */
#include "fuzz.h"

#include "core/dlmlocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1);
	int slot;

	MUST(exact);
	memcpy(exact, data, size);
	slot = mdc_dlmlocks_slot(exact, size);
	MUST(slot < 0 || (slot >= 1 && slot <= MDC_SLOT_MAX));
	free(exact);
	return 0;
}
