/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message of the process group: what is taken is written again just as it was. */
#include "fuzz.h"

#include "core/cibtext.h"
#include "core/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly that length, with no NUL behind it. */
	char *text = malloc(size ? size : 1), again[MDC_WORD_MAX];
	struct mdc_word word;

	MUST(text);
	memcpy(text, data, size);
	if (!mdc_word_parse(&word, text, size)) {
		MUST_END(word.name);
		MUST_END(word.value);
		MUST(mdc_cib_word(word.name, MDC_CIB_ATTR_MAX));
		MUST(!word.value[0] || mdc_cib_word(word.value, MDC_CIB_VALUE_MAX));
		MUST(mdc_word_format(again, word.name, word.value[0] ? word.value : NULL) ==
		     (int)size);
		MUST(!memcmp(again, text, size));
	}
	free(text);
	return 0;
}
