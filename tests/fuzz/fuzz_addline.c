/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines between mdclusterd and `mdclusterctl add`: what is taken is written again as it was. */
#include "fuzz.h"

#include "core/addline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), again[MDC_ADDLINE_MAX];
	struct mdc_addline line;

	if (!mdc_addline_parse(&line, text)) {
		MUST_END(line.name);
		MUST_END(line.device);
		MUST_END(line.text);
		MUST(!mdc_addline_format(&line, again));
		MUST(!strcmp(again, text));
	}
	free(text);
	return 0;
}
