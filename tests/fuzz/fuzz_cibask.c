/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to mdcluster-cib: fed whole or byte by byte is the same, and each is written again. */
#include "fuzz.h"

#include "core/cibask.h"

static void same_again(const struct mdc_cibask *ask)
{
	char line[MDC_CIB_LINE_MAX];
	struct mdc_cibask again;
	int len = mdc_cibask_format(ask, line);

	MUST(len > 0 && line[len - 1] == '\n' && !line[len]);
	line[len - 1] = '\0';
	MUST(!mdc_cibask_parse(&again, line));
	MUST(!memcmp(&again, ask, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_cibasks *whole = calloc(1, sizeof(*whole)), *bytes = calloc(1, sizeof(*bytes));
	struct mdc_cibask one, other;
	int ret, piece = 0;
	size_t i;

	MUST(whole && bytes);
	ret = mdc_cibasks_feed(whole, (const char *)data, size);
	for (i = 0; i < size && !piece; i++)
		piece = mdc_cibasks_feed(bytes, (const char *)data + i, 1);
	MUST(piece == ret && whole->n == bytes->n && whole->n <= MDC_CIBASK_MAX);
	while (mdc_cibasks_next(whole, &one)) {
		MUST(mdc_cibasks_next(bytes, &other) && !memcmp(&one, &other, sizeof(one)));
		same_again(&one);
	}
	free(whole);
	free(bytes);
	return 0;
}
