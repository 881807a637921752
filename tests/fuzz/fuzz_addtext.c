/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of mdcluster-ID-add: what is taken is written again just as it was. */
#include "fuzz.h"

#include "core/addtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size), again[MDC_ATTR_VALUE_MAX];
	char sentence[MDC_ADD_REASON_MAX];
	struct mdc_addtext text;

	if (!mdc_addtext_parse(&text, value)) {
		MUST_END(text.device);
		MUST_END(text.reason.by);
		MUST_END(text.list);
		MUST(!mdc_addtext_format(&text, again));
		MUST(!strcmp(again, value));
		mdc_reason_text(&text.reason, sentence);
		MUST(*sentence);
	}
	free(value);
	return 0;
}
