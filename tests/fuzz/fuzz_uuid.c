/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UUID that is taken reads the same again from both forms. */
#include "fuzz.h"

#include "core/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	char colon[MDC_UUID_COLON], dash[MDC_UUID_DASH];
	struct mdc_uuid uuid, again;

	if (mdc_uuid_parse(&uuid, text) == 0) {
		mdc_uuid_colon(&uuid, colon);
		MUST(strlen(colon) == MDC_UUID_COLON - 1);
		MUST(mdc_uuid_parse(&again, colon) == 0 && mdc_uuid_equal(&uuid, &again));
		mdc_uuid_dash(&uuid, dash);
		MUST(strlen(dash) == MDC_UUID_DASH - 1);
		MUST(mdc_uuid_parse(&again, dash) == 0 && mdc_uuid_equal(&uuid, &again));
	}
	free(text);
	return 0;
}
