/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the decisions of one add on a peer. One rule stands above the others: the kernel
 * gets an answer before it stops waiting, since on Linux 6.11 and later an array whose
 * peer stays silent never hears of another change. So at the deadline a NACK goes out,
 * whatever else is under way; if a CONFIRM is stuck at that moment, one of the two will
 * be first, and the kernel refuses the other without harm.
 *
 * The kernel handles one add of an array at a time. A new request therefore means that the
 * one before is over for the kernel, but the CONFIRM of that one may still be on its way:
 * until it has come back no other is sent, as the kernel could not tell them apart.
 */
#include "core/react.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct mdc_react_action *emit(struct mdc_react_actions *out, enum mdc_react_do what,
				     unsigned int seq, const char *device)
{
	struct mdc_react_action *a;

	if (out->n == MDC_REACT_ACTIONS_MAX)
		return NULL;
	a = &out->a[out->n++];
	a->what = what;
	a->seq = seq;
	snprintf(a->device, sizeof(a->device), "%s", device ? device : "");
	return a;
}

static bool searching(const struct mdc_react *react)
{
	return react->open && !react->nacked && !react->verifying && !react->device[0];
}

static bool tried(const struct mdc_react *react, const char *device)
{
	unsigned int i;

	for (i = 0; i < react->n_tried; i++)
		if (!strcmp(react->tried[i], device))
			return true;
	return false;
}

static void forget_tried(struct mdc_react *react, const char *device)
{
	unsigned int i;

	for (i = 0; i < react->n_tried; i++) {
		if (strcmp(react->tried[i], device))
			continue;
		react->n_tried--;
		memmove(react->tried[i], react->tried[i + 1],
			(react->n_tried - i) * sizeof(react->tried[0]));
		return;
	}
}

static void finish(struct mdc_react *react, enum mdc_react_phase phase,
		   struct mdc_react_actions *out)
{
	react->open = false;
	react->phase = phase;
	emit(out, MDC_DO_PUBLISH, react->seq, NULL);
}

static void confirm(struct mdc_react *react, const char *device, struct mdc_react_actions *out)
{
	if (react->inflight) {
		snprintf(react->held, sizeof(react->held), "%s", device);
		return;
	}
	snprintf(react->device, sizeof(react->device), "%s", device);
	react->held[0] = '\0';
	react->inflight = react->seq;
	emit(out, MDC_DO_CONFIRM, react->seq, device);
}

/* The device did not do: look on, there may be another path to the same disk. */
static void reject(struct mdc_react *react, const char *why)
{
	if (react->n_tried < MDC_REACT_TRIED_MAX)
		snprintf(react->tried[react->n_tried++], sizeof(react->tried[0]), "%s",
			 react->device);
	snprintf(react->reason, sizeof(react->reason), "%s: %s", react->device, why);
	react->device[0] = '\0';
}

static const char *confirm_error(int err)
{
	switch (err) {
	case EBUSY:
		return "the kernel could not take the device: in use by something else";
	case EINVAL:
		return "the kernel refused it: bad superblock, or it no longer waits for an answer";
	case EEXIST:
		return "the kernel refused it: it has such a device already";
	case ENXIO:
	case ENODEV:
	case ENOENT:
		return "the device went away before the kernel could take it";
	case EROFS:
		return "the array or the device is read-only";
	case EIO:
		return "the kernel could not read the device";
	case ETIMEDOUT:
		return "the kernel did not come back from the confirmation";
	default:
		return "the kernel refused it (see the lines before this one)";
	}
}

void mdc_react_init(struct mdc_react *react)
{
	memset(react, 0, sizeof(*react));
}

void mdc_react_add(struct mdc_react *react, int64_t now_ms, const struct mdc_uuid *device_uuid,
		   unsigned int raid_disk, int64_t wait_ms, struct mdc_react_actions *out)
{
	if (react->open && !react->nacked)
		emit(out, MDC_DO_STOP_SEARCH, react->seq, NULL);
	if (wait_ms > MDC_REACT_WAIT_MAX_MS)
		wait_ms = MDC_REACT_WAIT_MAX_MS;
	if (wait_ms < MDC_REACT_WAIT_MIN_MS)
		wait_ms = MDC_REACT_WAIT_MIN_MS;
	react->seq++;
	if (!react->seq)
		react->seq = 1;
	react->phase = MDC_REACT_SEARCHING;
	react->device_uuid = *device_uuid;
	react->raid_disk = raid_disk;
	react->device[0] = react->reason[0] = react->held[0] = '\0';
	react->started_ms = now_ms;
	react->deadline_ms = now_ms + wait_ms;
	react->open = true;
	react->nacked = react->verifying = false;
	react->n_tried = 0;
	emit(out, MDC_DO_SEARCH, react->seq, NULL);
	emit(out, MDC_DO_PUBLISH, react->seq, NULL);
}

void mdc_react_device(struct mdc_react *react, unsigned int seq, const char *device,
		      struct mdc_react_actions *out)
{
	if (seq != react->seq || !searching(react) || tried(react, device) || !*device)
		return;
	confirm(react, device, out);
}

void mdc_react_exhausted(struct mdc_react *react, unsigned int seq, unsigned int looked_at,
			 unsigned int stuck)
{
	if (seq != react->seq || !searching(react) || react->held[0] || react->n_tried)
		return;
	if (stuck)
		snprintf(react->reason, sizeof(react->reason),
			 "none of %u block devices bears it, and %u did not answer", looked_at,
			 stuck);
	else
		snprintf(react->reason, sizeof(react->reason),
			 "none of %u block devices bears it", looked_at);
}

void mdc_react_block(struct mdc_react *react, const char *device, struct mdc_react_actions *out)
{
	if (!searching(react) || !*device)
		return;
	forget_tried(react, device);
	emit(out, MDC_DO_PROBE, react->seq, device);
}

/* After a rejection: what turned up meanwhile has been passed over, so look again. */
static void go_on(struct mdc_react *react, int64_t now_ms, struct mdc_react_actions *out)
{
	if (react->nacked)
		finish(react, MDC_REACT_FAILED, out);
	else if (now_ms >= react->deadline_ms)
		mdc_react_tick(react, now_ms, out);
	else
		emit(out, MDC_DO_SEARCH, react->seq, NULL);
}

void mdc_react_result(struct mdc_react *react, int64_t now_ms, unsigned int seq, int err,
		      struct mdc_react_actions *out)
{
	if (seq == react->inflight)
		react->inflight = 0;
	if (seq != react->seq || !react->open) {
		/* An old one has come back: the way is free for the one that waited. */
		if (react->held[0] && searching(react)) {
			char device[MDC_KNAME_MAX];

			memcpy(device, react->held, sizeof(device));
			confirm(react, device, out);
		}
		return;
	}
	if (!err) {
		react->reason[0] = '\0';
		if (!react->nacked)
			emit(out, MDC_DO_STOP_SEARCH, seq, NULL);
		finish(react, MDC_REACT_FOUND, out);
		return;
	}
	if (err == EBUSY || err == EEXIST || err == EINVAL) {
		/* Perhaps the distribution's udev rule was quicker: no error then. */
		react->verifying = true;
		react->err = err;
		emit(out, MDC_DO_VERIFY, seq, react->device);
		return;
	}
	reject(react, confirm_error(err));
	if (err == EAGAIN && react->n_tried)
		react->n_tried--;	/* nothing is known against the device */
	go_on(react, now_ms, out);
}

void mdc_react_verified(struct mdc_react *react, int64_t now_ms, unsigned int seq, bool member,
			struct mdc_react_actions *out)
{
	if (seq != react->seq || !react->verifying)
		return;
	react->verifying = false;
	if (member) {
		if (!react->nacked) {
			/*
			 * Either somebody else has answered, and this one is nothing to the
			 * kernel; or the disk is left over from an add that failed, and then the
			 * kernel still waits, and must not wait to its end.
			 */
			emit(out, MDC_DO_STOP_SEARCH, seq, NULL);
			react->nacked = true;
			emit(out, MDC_DO_NACK, seq, NULL);
		}
		snprintf(react->reason, sizeof(react->reason),
			 "the array had it already, by somebody else's confirmation");
		finish(react, MDC_REACT_FOUND, out);
		return;
	}
	reject(react, confirm_error(react->err));
	go_on(react, now_ms, out);
}

void mdc_react_nacked(struct mdc_react *react, unsigned int seq, int err)
{
	char had[MDC_REACT_REASON_MAX];

	if (seq != react->seq || !err)
		return;
	memcpy(had, react->reason, sizeof(had));
	snprintf(react->reason, sizeof(react->reason), "%.100s; the refusal itself failed: %.60s",
		 had[0] ? had : "not found", strerror(err));
}

void mdc_react_tick(struct mdc_react *react, int64_t now_ms, struct mdc_react_actions *out)
{
	if (!react->open || react->nacked || now_ms < react->deadline_ms)
		return;
	emit(out, MDC_DO_STOP_SEARCH, react->seq, NULL);
	react->nacked = true;
	emit(out, MDC_DO_NACK, react->seq, NULL);
	/* With a CONFIRM under way, its result still decides what is shown. */
	if (react->inflight == react->seq || react->verifying)
		return;
	if (react->held[0])
		snprintf(react->reason, sizeof(react->reason),
			 "%s: the kernel still had an earlier answer to deal with", react->held);
	else if (!react->reason[0])
		snprintf(react->reason, sizeof(react->reason),
			 "not found within %lld ms, and not all block devices were looked at",
			 (long long)(now_ms - react->started_ms));
	finish(react, react->n_tried || react->held[0] ? MDC_REACT_FAILED : MDC_REACT_MISSING,
	       out);
}

void mdc_react_dropped(struct mdc_react *react, bool by_kernel, struct mdc_react_actions *out)
{
	if (react->phase != MDC_REACT_FOUND)
		return;
	snprintf(react->reason, sizeof(react->reason), "confirmed here, but the add failed");
	react->by_kernel = by_kernel;
	finish(react, MDC_REACT_DROPPED, out);
}

void mdc_react_cancel(struct mdc_react *react, struct mdc_react_actions *out)
{
	if (!react->open)
		return;
	if (!react->nacked)
		emit(out, MDC_DO_STOP_SEARCH, react->seq, NULL);
	react->verifying = false;
	snprintf(react->reason, sizeof(react->reason), "the array was stopped meanwhile");
	finish(react, MDC_REACT_FAILED, out);
}

bool mdc_react_asked(const struct mdc_react *react, const struct mdc_uuid *device_uuid,
		     unsigned int raid_disk)
{
	return react->open && !react->nacked && react->raid_disk == raid_disk &&
	       mdc_uuid_equal(&react->device_uuid, device_uuid);
}

int64_t mdc_react_deadline(const struct mdc_react *react)
{
	return react->open && !react->nacked ? react->deadline_ms : -1;
}

const char *mdc_react_phase_name(enum mdc_react_phase phase)
{
	switch (phase) {
	case MDC_REACT_NONE:
		return "none";
	case MDC_REACT_SEARCHING:
		return "searching";
	case MDC_REACT_FOUND:
		return "found";
	case MDC_REACT_MISSING:
		return "missing";
	case MDC_REACT_FAILED:
		return "failed";
	case MDC_REACT_DROPPED:
		return "dropped";
	}
	return "none";
}

bool mdc_react_attr(const struct mdc_react *react, char *out, unsigned int size)
{
	const char *word = mdc_react_phase_name(react->phase);
	char uuid[MDC_UUID_COLON];
	int n;

	if (react->phase == MDC_REACT_NONE)
		return false;
	mdc_uuid_colon(&react->device_uuid, uuid);
	if (react->phase == MDC_REACT_FOUND)
		n = snprintf(out, size, "%s:%s:%u:%.*s", word, react->device, react->raid_disk,
			     MDC_REACT_UUID_HEAD, uuid);
	else if (react->phase == MDC_REACT_DROPPED && react->by_kernel)
		n = snprintf(out, size, "%s:kernel:%u:%.*s", word, react->raid_disk,
			     MDC_REACT_UUID_HEAD, uuid);
	else
		n = snprintf(out, size, "%s:%u:%.*s", word, react->raid_disk, MDC_REACT_UUID_HEAD,
			     uuid);
	return n > 0 && (unsigned int)n < size;
}
