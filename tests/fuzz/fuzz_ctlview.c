/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any JSON as status: text that a terminal does not obey, and an exit status there is. */
#include "fuzz.h"

#include "ctl_view.h"

static void promises(JsonNode *status, unsigned int width)
{
	struct mdc_ctl_look look = { .width = width };
	enum mdc_ctl_exit code = mdc_ctl_view_exit(status);
	char *text = mdc_ctl_view_text(status, &look);

	MUST(code <= MDC_CTL_ABSENT);
	MUST(g_utf8_validate(text, -1, NULL));
	MUST(*text && text[strlen(text) - 1] == '\n');
	for (const char *p = text; *p; p++)
		MUST(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
	g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *json = fuzz_string(data, size);
	JsonNode *status = mdc_ctl_view_parse(json);

	if (status) {
		promises(status, 40);
		if (mdc_ctl_view_select(status, "raid"))
			promises(status, 120);
		json_node_unref(status);
	}
	free(json);
	return 0;
}
