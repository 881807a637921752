/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a request line of the socket. Only root can send one, but a line cut short or a
 * newer program's must be refused with a reason, never half understood.
 */
#include "core/request.h"

#include <errno.h>
#include <string.h>

static int with_uuid(struct mdc_request *request, const char *args, const char **why)
{
	*why = "the request needs uuid=UUID and nothing else";
	if (strncmp(args, "uuid=", 5))
		return -EINVAL;
	if (mdc_uuid_parse(&request->uuid, args + 5)) {
		*why = "the array's UUID is malformed";
		return -EINVAL;
	}
	return 0;
}

int mdc_request_parse(struct mdc_request *request, const char *line, size_t len,
		      const char **why)
{
	char text[MDC_LINE_MAX];
	char *args;

	*why = "the request is longer than 4096 bytes";
	if (len >= sizeof(text))
		return -EINVAL;
	*why = "the request holds a NUL byte";
	if (memchr(line, '\0', len))
		return -EINVAL;
	memcpy(text, line, len);
	text[len] = '\0';

	args = strchr(text, ' ');
	if (args)
		*args++ = '\0';
	*why = "the request is none of track, untrack, ping, status, events";
	if (!args) {
		if (!strcmp(text, "status"))
			request->kind = MDC_REQ_STATUS;
		else if (!strcmp(text, "events"))
			request->kind = MDC_REQ_EVENTS;
		else
			return -EINVAL;
		return 0;
	}
	if (!strcmp(text, "untrack")) {
		request->kind = MDC_REQ_UNTRACK;
		return with_uuid(request, args, why);
	}
	if (!strcmp(text, "ping")) {
		request->kind = MDC_REQ_PING;
		return with_uuid(request, args, why);
	}
	if (strcmp(text, "track"))
		return -EINVAL;
	*why = "the track request is not of the form (keys missing, out of order, or out of range)";
	if (mdc_track_parse(&request->track, args))
		return -EINVAL;
	request->kind = MDC_REQ_TRACK;
	request->uuid = request->track.uuid;
	return 0;
}
