/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests on mdclusterd's socket; a refusal always has its reason. */
#include "fuzz.h"

#include "core/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1), out[MDC_LINE_MAX];
	struct mdc_request *request = malloc(sizeof(*request));
	const char *why = NULL;

	MUST(exact && request);
	memcpy(exact, data, size);
	if (mdc_request_parse(request, exact, size, &why) != 0) {
		MUST(why && *why);
	} else if (request->kind == MDC_REQ_TRACK) {
		MUST(mdc_uuid_equal(&request->uuid, &request->track.uuid));
		MUST(mdc_track_format(&request->track, out, sizeof(out)) > 0);
	} else if (request->kind == MDC_REQ_NOTIFY) {
		/* What is taken is written so that it is taken again. */
		MUST(mdc_notify_format(&request->notify, out, sizeof(out)) > 0);
		MUST(mdc_notify_parse(&request->notify, out) == 0);
	}
	free(request);
	free(exact);
	return 0;
}
