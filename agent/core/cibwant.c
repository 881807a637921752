/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what of this node's attributes is still to be written, and the pauses after a failure. */
#include "core/cibwant.h"

#include <string.h>

static struct mdc_cibwant_attr *find(struct mdc_cibwant *want, const char *name)
{
	unsigned int i;

	for (i = 0; i < want->n; i++)
		if (!strcmp(want->attrs[i].name, name))
			return &want->attrs[i];
	return NULL;
}

static bool differs(const struct mdc_cibwant_attr *attr)
{
	return attr->want_set != attr->is_set || (attr->want_set && strcmp(attr->want, attr->is));
}

static bool due(const struct mdc_cibwant_attr *attr)
{
	return !attr->known || differs(attr);
}

/* What it is to be now has not been asked for. */
static bool pending(const struct mdc_cibwant_attr *attr)
{
	return attr->number ? differs(attr) : due(attr);
}

static struct mdc_cibwant_attr *add(struct mdc_cibwant *want, const char *name)
{
	struct mdc_cibwant_attr *attr = NULL;
	unsigned int i;

	if (!mdc_cib_word(name, sizeof(attr->name)))
		return NULL;
	if (want->n < MDC_CIBASK_MAX)
		attr = &want->attrs[want->n++];
	/* Those that are long deleted need no room. */
	for (i = 0; i < want->n && !attr; i++)
		if (!want->attrs[i].want_set && !want->attrs[i].number && !due(&want->attrs[i]))
			attr = &want->attrs[i];
	if (!attr)
		return NULL;
	memset(attr, 0, sizeof(*attr));
	strcpy(attr->name, name);
	attr->hold_ms = INT64_MIN;
	return attr;
}

bool mdc_cibwant_set(struct mdc_cibwant *want, const char *name, const char *value,
		     int64_t hold_ms)
{
	struct mdc_cibwant_attr *attr = find(want, name);
	bool was_pending = attr && pending(attr);

	/* A value left by an earlier process is found when the CIB shows it. */
	if (!attr && !value)
		return true;
	if (value && !mdc_cib_word(value, sizeof(attr->want)))
		return false;
	if (!attr)
		attr = add(want, name);
	if (!attr)
		return false;
	attr->want_set = value;
	strcpy(attr->want, value ? value : "");
	if (!was_pending || hold_ms < attr->hold_ms)
		attr->hold_ms = hold_ms;
	return true;
}

void mdc_cibwant_release(struct mdc_cibwant *want)
{
	unsigned int i;

	for (i = 0; i < want->n; i++)
		want->attrs[i].hold_ms = INT64_MIN;
}

bool mdc_cibwant_clear(struct mdc_cibwant *want, const char *name)
{
	if (!find(want, name) && !add(want, name))
		return false;
	return mdc_cibwant_set(want, name, NULL, INT64_MIN);
}

void mdc_cibwant_seen(struct mdc_cibwant *want, int64_t now_ms, const char *name,
		      const char *value)
{
	struct mdc_cibwant_attr *attr = find(want, name);

	if (!attr) {
		if (value)
			add(want, name);
		return;
	}
	if (attr->number || due(attr))
		return;
	if (attr->is_set == (value != NULL) && (!value || !strcmp(value, attr->is)))
		attr->shown = true;
	else if (attr->shown || now_ms - attr->written_ms >= MDC_CIBWANT_SETTLE_MS)
		attr->known = false;
}

bool mdc_cibwant_next(struct mdc_cibwant *want, int64_t now_ms, struct mdc_cibask *ask)
{
	unsigned int i;

	if (want->pause_ms && now_ms < want->again_ms)
		return false;
	for (i = 0; i < want->n; i++) {
		struct mdc_cibwant_attr *attr = &want->attrs[i];

		if (attr->number || !due(attr) || now_ms < attr->hold_ms)
			continue;
		if (!++want->last_number)
			want->last_number = 1;
		attr->number = want->last_number;
		/* What it will be once the answer is good. */
		attr->known = false;
		attr->shown = false;
		attr->is_set = attr->want_set;
		memcpy(attr->is, attr->want, sizeof(attr->is));
		memset(ask, 0, sizeof(*ask));
		ask->number = attr->number;
		strcpy(ask->name, attr->name);
		ask->set = attr->want_set;
		strcpy(ask->value, attr->want);
		return true;
	}
	return false;
}

const char *mdc_cibwant_answer(struct mdc_cibwant *want, int64_t now_ms, uint32_t number, bool ok)
{
	unsigned int i;

	for (i = 0; i < want->n; i++) {
		struct mdc_cibwant_attr *attr = &want->attrs[i];

		if (!number || attr->number != number)
			continue;
		attr->number = 0;
		attr->known = ok;
		attr->written_ms = now_ms;
		if (ok)
			want->pause_ms = 0;
		else if (!want->pause_ms)
			want->pause_ms = MDC_CIBWANT_PAUSE_MS;
		else if (now_ms >= want->again_ms)
			want->pause_ms = want->pause_ms * 2 < MDC_CIBWANT_PAUSE_MAX_MS ?
					 want->pause_ms * 2 : MDC_CIBWANT_PAUSE_MAX_MS;
		want->again_ms = now_ms + want->pause_ms;
		return attr->name;
	}
	return NULL;
}

void mdc_cibwant_reset(struct mdc_cibwant *want)
{
	unsigned int i;

	want->pause_ms = 0;
	for (i = 0; i < want->n; i++) {
		want->attrs[i].number = 0;
		/* Pacemaker may have been restarted: what it shows next counts at once. */
		want->attrs[i].written_ms = INT64_MIN / 2;
	}
}

bool mdc_cibwant_idle(const struct mdc_cibwant *want)
{
	unsigned int i;

	for (i = 0; i < want->n; i++)
		if (want->attrs[i].number || due(&want->attrs[i]))
			return false;
	return true;
}

int64_t mdc_cibwant_deadline(const struct mdc_cibwant *want, int64_t now_ms)
{
	int64_t first = -1;
	unsigned int i;

	for (i = 0; i < want->n; i++) {
		const struct mdc_cibwant_attr *attr = &want->attrs[i];
		int64_t at = want->pause_ms ? want->again_ms : -1;

		if (attr->number || !due(attr))
			continue;
		if (attr->hold_ms > now_ms && attr->hold_ms > at)
			at = attr->hold_ms;
		if (at >= 0 && (first < 0 || at < first))
			first = at;
	}
	return first;
}
