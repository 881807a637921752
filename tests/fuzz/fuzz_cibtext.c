/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and answers: fed whole or byte by byte is the same; a snapshot is written again. */
#include "fuzz.h"

#include "core/cibtext.h"

static void same_again(const struct mdc_cibview *view, struct mdc_cibtext *again)
{
	size_t room = 1024 * 1024, used;
	char *out = malloc(room);
	int len;

	MUST(out);
	len = mdc_cibview_format(view, out, room);
	MUST(len > 0);
	mdc_cibtext_init(again);
	MUST(mdc_cibtext_feed(again, out, (size_t)len, &used) == 1 && used == (size_t)len);
	MUST(mdc_cibview_equal(view, &again->view));
	free(out);
}

/* Returns the last result; *n counts the snapshots and the answers. */
static int feed(struct mdc_cibtext *text, const uint8_t *data, size_t size, size_t piece,
		unsigned int *n)
{
	size_t at = 0, used;
	int rc = 0;

	for (*n = 0; at < size && rc >= 0; at += used) {
		size_t len = size - at < piece ? size - at : piece;

		rc = mdc_cibtext_feed(text, (const char *)data + at, len, &used);
		MUST(used > 0 && used <= len);
		*n += rc > 0;
		if (rc == 2) {
			MUST_END(text->answer.text);
			MUST(text->answer.number && text->answer.ok == !*text->answer.text);
		}
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_cibtext *whole = calloc(1, sizeof(*whole)), *bytes = calloc(1, sizeof(*bytes));
	unsigned int n_whole, n_bytes;
	int rc;

	MUST(whole && bytes);
	rc = feed(whole, data, size, size, &n_whole);
	MUST(feed(bytes, data, size, 1, &n_bytes) == rc && n_whole == n_bytes);
	if (rc == 1)
		same_again(&whole->view, bytes);
	free(whole);
	free(bytes);
	return 0;
}
