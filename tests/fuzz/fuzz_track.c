/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A track line that is taken is written again as it was, and fits a request. */
#include "fuzz.h"

#include "core/track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct mdc_track track, again;
	char out[MDC_LINE_MAX];
	int len;

	if (mdc_track_parse(&track, text) == 0) {
		MUST(mdc_device_valid(track.device) && mdc_md_valid(track.md));
		MUST(mdc_id_valid(track.id) && mdc_members_valid(track.members));
		MUST(track.disk_wait_s <= MDC_DISK_WAIT_MAX);
		MUST(track.verdict_wait_s <= MDC_VERDICT_WAIT_MAX);
		len = mdc_track_format(&track, out, sizeof(out));
		MUST(len > 0 && (size_t)len == strlen(out) && strchr(out, '\n') == NULL);
		MUST(mdc_track_parse(&again, out) == 0);
		MUST(mdc_uuid_equal(&again.uuid, &track.uuid));
		MUST(strcmp(again.device, track.device) == 0);
		MUST(strcmp(again.members, track.members) == 0);
		MUST(again.readd == track.readd && again.disk_wait_s == track.disk_wait_s);
	}
	free(text);
	return 0;
}
