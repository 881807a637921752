/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WWNs and serial numbers: whatever a disk says of itself, the name is of the form. */
#include "fuzz.h"

#include "core/diskid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), id[MDC_DISKID_MAX], again[MDC_DISKID_MAX];
	unsigned int part = size ? data[size - 1] : 0;
	bool made = mdc_diskid_make(id, text, part);

	MUST_END(id);
	MUST(made == mdc_diskid_valid(id));
	MUST(made || !*id);
	MUST(mdc_diskid_make(again, text, part) == made && !strcmp(id, again));
	free(text);
	return 0;
}
