/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a request line of the socket. Only root can send one, but a line cut short or a
 * newer program's must be refused with a reason, never half understood.
 */
#include "core/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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

/* The value of key= at *at, up to the next space or the end, which *at is moved behind. */
static bool take(const char **at, const char *key, char *out, size_t size)
{
	size_t klen = strlen(key), len;

	if (strncmp(*at, key, klen) || (*at)[klen] != '=')
		return false;
	*at += klen + 1;
	len = strcspn(*at, " ");
	if (!len || len >= size)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len;
	if (**at == ' ')
		(*at)++;
	return true;
}

static bool sectors(const char *text, uint64_t *out)
{
	uint64_t n = 0;

	if (*text < '1' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*out = n;
	return !*text;
}

static int announce(struct mdc_request *request, const char *args, const char **why)
{
	struct mdc_announced a = { .sectors = 0 };
	char uuid[MDC_UUID_COLON], size[24], nonce[MDC_UUID_HEX], disk[MDC_DISKID_MAX];

	*why = "the announce request is not of the form (keys missing, out of order, or out of "
	       "range)";
	request->kind = MDC_REQ_ANNOUNCE;
	if (!take(&args, "uuid", uuid, sizeof(uuid)) || mdc_uuid_parse(&request->uuid, uuid) ||
	    !take(&args, "device", a.kname, sizeof(a.kname)) || strchr(a.kname, '/') ||
	    a.kname[0] == '.' ||
	    !take(&args, "sectors", size, sizeof(size)) || !sectors(size, &a.sectors) ||
	    !take(&args, "nonce", nonce, sizeof(nonce)) || mdc_uuid_hex_parse(&a.nonce, nonce) ||
	    !take(&args, "disk", disk, sizeof(disk)) || *args || args[-1] == ' ')
		return -EINVAL;
	if (strcmp(disk, "-")) {
		if (!mdc_diskid_valid(disk))
			return -EINVAL;
		memcpy(a.disk, disk, sizeof(a.disk));
	}
	for (const char *c = a.kname; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return -EINVAL;
	request->announced = a;
	return 0;
}

int mdc_request_announce(const struct mdc_uuid *array, const struct mdc_announced *announced,
			 char *out, size_t size)
{
	char uuid[MDC_UUID_COLON], nonce[MDC_UUID_HEX];
	int n;

	mdc_uuid_colon(array, uuid);
	mdc_uuid_hex(&announced->nonce, nonce);
	n = snprintf(out, size, "announce uuid=%s device=%s sectors=%" PRIu64 " nonce=%s disk=%s",
		     uuid, announced->kname, announced->sectors, nonce,
		     announced->disk[0] ? announced->disk : "-");
	return n > 0 && (size_t)n < size ? 0 : -ENOSPC;
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
	*why = "the request is none of track, untrack, ping, notify, status, events, "
	       "announce";
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
	if (!strcmp(text, "announce"))
		return announce(request, args, why);
	if (!strcmp(text, "notify")) {
		*why = "the notify request is not of the form (keys missing or out of order)";
		if (mdc_notify_parse(&request->notify, args))
			return -EINVAL;
		request->kind = MDC_REQ_NOTIFY;
		request->uuid = request->notify.uuid;
		return 0;
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
