/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of `mdclusterd --check`: counts stay within their arrays, texts end. */
#include "fuzz.h"

#include "core/check.h"

static void promises(const struct mdc_check *check)
{
	MUST(check->n_lockspace <= MDC_CHECK_NODES_MAX);
	MUST(check->n_active <= MDC_CHECK_MEMBERS_MAX);
	MUST(check->n_members <= MDC_CHECK_MEMBERS_MAX);
	MUST_END(check->cluster);
	MUST_END(check->array_cluster);
	MUST_END(check->stuck);
	MUST_END(check->nomatch);
	for (unsigned int i = 0; i < check->n_members; i++) {
		MUST_END(check->members[i].path);
		MUST_END(check->members[i].kname);
		MUST_END(check->members[i].holder);
		MUST(check->members[i].role >= MDC_ROLE_FAULTY);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_check *check = malloc(sizeof(*check));
	char *text = fuzz_string(data, size), *save = NULL;

	MUST(check);
	mdc_check_init(check);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *exact = strdup(line);

		MUST(exact);
		mdc_check_line(check, exact);
		promises(check);
		free(exact);
	}
	free(text);
	free(check);
	return 0;
}
