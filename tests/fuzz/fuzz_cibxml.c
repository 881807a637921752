/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any XML into a view, and the view's text is one that mdclusterd takes. */
#include "fuzz.h"

#include "core/cibxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_cibview *view = calloc(1, sizeof(*view));
	struct mdc_cibtext *text = calloc(1, sizeof(*text));
	size_t room = 1024 * 1024, used;
	char *out = malloc(room);
	int len;

	MUST(view && text && out);
	if (mdc_cibxml_parse((const char *)data, size, view, NULL) == 0) {
		len = mdc_cibview_format(view, out, room);
		MUST(len > 0);
		MUST(mdc_cibtext_feed(text, out, (size_t)len, &used) == 1);
		MUST(used == (size_t)len && mdc_cibview_equal(view, &text->view));
	}
	free(out);
	free(text);
	free(view);
	return 0;
}
