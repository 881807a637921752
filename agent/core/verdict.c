/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns this node's word on a disk that another node proposes. `found` is said when all devices
 * that nothing holds have been looked at, or the others take their time: there may be a second disk
 * of the same identity. A path of a multipath map is held by the map. A disk
 * that is there but of no use is told as soon as all devices have been looked at, since a
 * better path to it (a multipath map) may be among the rest. That it is not there is told then
 * as well where writers wait and nothing hints at a late path; else when the wait for those is
 * over, and that it is being looked for as soon as that takes time, so that the node is not taken
 * for a silent one. A disk that the array itself still holds is looked at until then: it was
 * removed from the array a moment ago, and md takes it out in its own time. The search goes on
 * after `found`, so that a second disk of the same identity is noticed.
 */
#include "core/verdict.h"

#include <stdio.h>
#include <string.h>

static void emit(struct mdc_verdict_actions *out, enum mdc_verdict_do what, const char *device)
{
	struct mdc_verdict_action *a;

	if (out->n == MDC_VERDICT_ACTIONS_MAX)
		return;
	a = &out->a[out->n++];
	a->what = what;
	snprintf(a->device, sizeof(a->device), "%s", device ? device : "");
}

static void stop_search(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	if (v->searching)
		emit(out, MDC_VERDICT_STOP, NULL);
	v->searching = false;
}

static void missing(struct mdc_verdict *v, enum mdc_why why, const char *by,
		    struct mdc_verdict_actions *out)
{
	v->phase = MDC_VERDICT_MISSING;
	mdc_reason_set(&v->reason, why, by);
	stop_search(v, out);
	emit(out, MDC_VERDICT_PUBLISH, NULL);
}

static void found(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	v->phase = MDC_VERDICT_FOUND;
	emit(out, MDC_VERDICT_PUBLISH, NULL);
}

static void tell(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	if (v->told)
		return;
	v->told = true;
	emit(out, MDC_VERDICT_PUBLISH, NULL);
}

/* Nothing was found, and all that there is has been looked at or does not answer. */
static void give_up(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	if (v->leaving[0])
		missing(v, v->held.why, v->held.by, out);
	else if (v->have_bad)
		missing(v, v->bad.why, v->bad.by, out);
	else if (v->other[0])
		missing(v, MDC_WHY_OTHER, v->other, out);
	else if (!v->looked || v->stuck)
		missing(v, MDC_WHY_UNREAD, NULL, out);
	else if (v->unreadable[0])
		missing(v, MDC_WHY_IOERROR, v->unreadable, out);
	else
		missing(v, MDC_WHY_UNSEEN, NULL, out);
}

static struct mdc_verdict_heard *heard_of(struct mdc_verdict *v, uint32_t node)
{
	unsigned int i;

	for (i = 0; i < v->n_heard; i++)
		if (v->heard[i].node == node)
			return &v->heard[i];
	return NULL;
}

static bool is_member(const struct mdc_verdict_seen *seen, uint32_t node)
{
	unsigned int i;

	for (i = 0; seen->members && i < seen->n_members; i++)
		if (seen->members[i] == node)
			return true;
	return !seen->members;
}

int64_t mdc_verdict_announced_ms(uint32_t wait_s)
{
	int64_t ms = wait_s * 1000ll;

	return ms > MDC_VERDICT_ANNOUNCED_MIN_MS ? ms : MDC_VERDICT_ANNOUNCED_MIN_MS;
}

static void note(struct mdc_verdict *v, int64_t now_ms, uint32_t node,
		 const struct mdc_addtext *text)
{
	struct mdc_verdict_heard *h = heard_of(v, node);

	if (!h && v->n_heard == MDC_CIB_NODES_MAX)
		return;
	if (!h) {
		h = &v->heard[v->n_heard++];
		memset(h, 0, sizeof(*h));
	}
	h->here = true;
	if (h->node == node && h->number == text->number &&
	    mdc_uuid_equal(&h->device_uuid, &text->device_uuid))
		return;
	h->node = node;
	h->number = text->number;
	h->device_uuid = text->device_uuid;
	h->since_ms = now_ms;
	h->stale_ms = now_ms + (text->kind == MDC_ADD_ANNOUNCED ?
				mdc_verdict_announced_ms(text->wait_s) +
				MDC_VERDICT_ANNOUNCED_STALE_MS : MDC_VERDICT_STALE_MS);
}

/* Writers wait for a proposal, and only a person for an announcement. */
static bool comes_first(enum mdc_add_kind kind, uint32_t node, enum mdc_add_kind than,
			uint32_t than_node)
{
	if (kind != than)
		return kind == MDC_ADD_PROPOSED;
	return node < than_node;
}

/* The proposals that stand; returns the one to deal with, its text in *best, or NULL. */
static struct mdc_verdict_heard *choose(struct mdc_verdict *v, int64_t now_ms,
					const struct mdc_verdict_seen *seen,
					struct mdc_addtext *best)
{
	struct mdc_verdict_heard *chosen = NULL;
	char name[MDC_ATTR_NAME_MAX];
	unsigned int i, n = 0;

	for (i = 0; i < v->n_heard; i++)
		v->heard[i].here = false;
	if (mdc_attr_name(name, seen->id, MDC_ATTR_ADD))
		return NULL;
	for (i = 0; i < seen->view->n_attrs; i++) {
		const struct mdc_cib_attr *attr = &seen->view->attrs[i];
		struct mdc_addtext text;

		if (attr->id == seen->self || strcmp(attr->name, name) ||
		    !is_member(seen, attr->id) || mdc_addtext_parse(&text, attr->value) ||
		    (text.kind != MDC_ADD_PROPOSED && text.kind != MDC_ADD_ANNOUNCED))
			continue;
		note(v, now_ms, attr->id, &text);
		if (!best->node || comes_first(text.kind, attr->id, best->kind, best->node)) {
			const struct mdc_verdict_heard *h = heard_of(v, attr->id);

			if (!h || now_ms >= h->stale_ms)
				continue;
			*best = text;
			best->node = attr->id;
		}
	}
	for (i = 0; i < v->n_heard; i++)
		if (v->heard[i].here)
			v->heard[n++] = v->heard[i];
	v->n_heard = n;
	if (best->node)
		chosen = heard_of(v, best->node);
	return chosen;
}

/* Until when it is looked for. */
static int64_t look_until(const struct mdc_verdict_heard *heard, int64_t now_ms,
			  const struct mdc_addtext *text, const struct mdc_verdict_seen *seen)
{
	int64_t wait_ms = seen->wait_ms - MDC_VERDICT_TRAVEL_MS, at;

	if (text->kind == MDC_ADD_PROPOSED)
		return now_ms + (wait_ms > MDC_VERDICT_WAIT_MIN_MS ? wait_ms :
				 MDC_VERDICT_WAIT_MIN_MS);
	/* It may have had to wait for a proposal, and is not asked for any longer by that. */
	at = heard->since_ms + mdc_verdict_announced_ms(text->wait_s);
	return at > now_ms + MDC_VERDICT_WAIT_MIN_MS ? at : now_ms + MDC_VERDICT_WAIT_MIN_MS;
}

static void begin(struct mdc_verdict *v, int64_t now_ms, const struct mdc_verdict_heard *heard,
		  const struct mdc_addtext *text, const struct mdc_verdict_seen *seen,
		  struct mdc_verdict_actions *out)
{
	stop_search(v, out);
	if (v->phase == MDC_VERDICT_FOUND && v->announced)
		memcpy(v->likely, v->device, sizeof(v->likely));
	v->phase = MDC_VERDICT_LOOKING;
	v->node = text->node;
	v->number = text->number;
	v->device_uuid = text->device_uuid;
	v->raid_disk = text->raid_disk;
	v->announced = text->kind == MDC_ADD_ANNOUNCED;
	v->sectors = text->sectors;
	memcpy(v->disk, text->disk, sizeof(v->disk));
	v->device[0] = v->unreadable[0] = v->other[0] = v->leaving[0] = '\0';
	v->started_ms = now_ms;
	v->deadline_ms = look_until(heard, now_ms, text, seen);
	v->stands = true;
	v->told = v->looked = v->free_looked = v->stuck = v->late = v->have_bad = false;
	if (seen->underway && !v->announced) {
		/* Its kernel could not take the disk while it waits for the other one's. */
		missing(v, MDC_WHY_BUSY, NULL, out);
		return;
	}
	v->searching = true;
	emit(out, MDC_VERDICT_SEARCH, NULL);
}

static void gone(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	v->stands = false;
	stop_search(v, out);
	if (v->phase != MDC_VERDICT_LOOKING)
		return;
	v->phase = MDC_VERDICT_NONE;
	if (v->told)
		emit(out, MDC_VERDICT_PUBLISH, NULL);
}

uint32_t mdc_verdict_look(struct mdc_verdict *v, int64_t now_ms,
			  const struct mdc_verdict_seen *seen, struct mdc_verdict_actions *out)
{
	enum mdc_add_kind own = seen->proposing ? MDC_ADD_PROPOSED : MDC_ADD_ANNOUNCED;
	bool asking = seen->proposing || seen->announcing;
	const struct mdc_verdict_heard *heard;
	struct mdc_addtext best = { 0 };
	bool same;

	heard = choose(v, now_ms, seen, &best);
	if (!heard) {
		gone(v, out);
		return 0;
	}
	if (asking && comes_first(own, seen->self, best.kind, best.node))
		return 0;	/* it is for that node to give up */
	same = v->stands && v->node == best.node && v->number == best.number &&
	       mdc_uuid_equal(&v->device_uuid, &best.device_uuid);
	if (!same)
		begin(v, now_ms, heard, &best, seen, out);
	return asking ? best.node : 0;
}

static void leaving(struct mdc_verdict *v, int64_t now_ms, const struct mdc_verdict_disk *disk)
{
	snprintf(v->leaving, sizeof(v->leaving), "%s", disk->kname);
	mdc_reason_set(&v->held, MDC_WHY_INUSE, disk->holder);
	v->again_ms = now_ms + MDC_VERDICT_AGAIN_MS;
}

/* A path of what was found, the map of the path that was found, or neither. */
static void second(struct mdc_verdict *v, const struct mdc_verdict_disk *disk, const char *holder,
		   struct mdc_verdict_actions *out)
{
	if (!strcmp(disk->holder, v->device))
		return;
	if (!holder || strcmp(holder, disk->kname)) {
		missing(v, MDC_WHY_TWICE, disk->kname, out);
		return;
	}
	snprintf(v->device, sizeof(v->device), "%s", disk->kname);
	if (v->phase == MDC_VERDICT_FOUND)
		found(v, out);
}

void mdc_verdict_disk(struct mdc_verdict *v, int64_t now_ms, const struct mdc_verdict_disk *disk,
		      const char *holder, struct mdc_verdict_actions *out)
{
	if (!v->searching || !strcmp(disk->kname, v->device))
		return;
	if (v->device[0]) {
		second(v, disk, holder, out);
		return;
	}
	if (!strcmp(disk->kname, v->leaving))
		v->leaving[0] = '\0';
	if (disk->sectors >= disk->need_sectors && !disk->mounted && !disk->holder[0]) {
		snprintf(v->device, sizeof(v->device), "%s", disk->kname);
		v->sure_ms = now_ms + (v->late ? MDC_VERDICT_LATE_SURE_MS : MDC_VERDICT_SURE_MS);
		return;
	}
	if (disk->sectors >= disk->need_sectors && !disk->mounted && disk->own) {
		leaving(v, now_ms, disk);
		return;
	}
	if (disk->sectors < disk->need_sectors)
		mdc_reason_set(&v->bad, MDC_WHY_SMALL, disk->kname);
	else if (disk->mounted)
		mdc_reason_set(&v->bad, MDC_WHY_MOUNTED, disk->kname);
	else
		mdc_reason_set(&v->bad, MDC_WHY_INUSE, disk->holder);
	v->have_bad = true;
}

void mdc_verdict_unreadable(struct mdc_verdict *v, const char *kname, bool named)
{
	if (v->searching && (named || !v->unreadable[0]))
		snprintf(v->unreadable, sizeof(v->unreadable), "%s", kname);
}

void mdc_verdict_other(struct mdc_verdict *v, const char *kname)
{
	if (v->searching && v->announced)
		snprintf(v->other, sizeof(v->other), "%s", kname);
}

static bool is_sure(const struct mdc_verdict *v, int64_t now_ms)
{
	return now_ms >= v->sure_ms || now_ms >= v->deadline_ms;
}

/*
 * A path may yet come where others have just come or gone, or are slow, or fail. Without such
 * a sign the wait would but hold up the writers; who knows better has mdclusterctl.
 */
static bool may_come(const struct mdc_verdict *v, int64_t now_ms, int64_t moved_ms)
{
	return v->announced || v->stuck || v->unreadable[0] ||
	       now_ms - moved_ms < MDC_VERDICT_QUIET_MS;
}

void mdc_verdict_looked(struct mdc_verdict *v, int64_t now_ms, int64_t moved_ms,
			unsigned int stuck, struct mdc_verdict_actions *out)
{
	if (!v->searching)
		return;
	v->looked = true;
	v->stuck = stuck;
	if (v->phase != MDC_VERDICT_LOOKING)
		return;
	if (v->device[0] && (!v->late || is_sure(v, now_ms)))
		found(v, out);
	else if (v->device[0])
		tell(v, out);
	else if (now_ms >= v->deadline_ms ||
		 (!v->leaving[0] && (v->have_bad || !may_come(v, now_ms, moved_ms))))
		give_up(v, out);
	else
		tell(v, out);
}

void mdc_verdict_free_looked(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	v->free_looked = true;
	if (v->phase == MDC_VERDICT_LOOKING && v->device[0] && !v->late)
		found(v, out);
}

void mdc_verdict_block(struct mdc_verdict *v, const char *kname, struct mdc_verdict_actions *out)
{
	if (!v->searching || !*kname)
		return;
	if (!strcmp(v->unreadable, kname))
		v->unreadable[0] = '\0';
	if (!strcmp(v->other, kname))
		v->other[0] = '\0';
	v->late |= v->looked || v->free_looked;
	v->looked = false;
	emit(out, MDC_VERDICT_PROBE, kname);
}

void mdc_verdict_tick(struct mdc_verdict *v, int64_t now_ms, struct mdc_verdict_actions *out)
{
	if (v->phase != MDC_VERDICT_LOOKING)
		return;
	if (v->device[0] && is_sure(v, now_ms)) {
		found(v, out);
		return;
	}
	if (now_ms >= v->deadline_ms) {
		give_up(v, out);
		return;
	}
	if (now_ms >= v->started_ms + MDC_VERDICT_TELL_MS)
		tell(v, out);
	if (v->leaving[0] && v->again_ms >= 0 && now_ms >= v->again_ms) {
		v->again_ms = -1;
		emit(out, MDC_VERDICT_PROBE, v->leaving);
	}
}

void mdc_verdict_cancel(struct mdc_verdict *v, struct mdc_verdict_actions *out)
{
	gone(v, out);
	v->phase = MDC_VERDICT_NONE;
}

int64_t mdc_verdict_deadline(const struct mdc_verdict *v)
{
	int64_t at = v->deadline_ms;

	if (v->phase != MDC_VERDICT_LOOKING)
		return -1;
	if (v->device[0] && v->sure_ms < at)
		at = v->sure_ms;
	if (!v->told && v->started_ms + MDC_VERDICT_TELL_MS < at)
		at = v->started_ms + MDC_VERDICT_TELL_MS;
	return v->leaving[0] && v->again_ms >= 0 && v->again_ms < at ? v->again_ms : at;
}

const char *mdc_verdict_knows(const struct mdc_verdict *v, const struct mdc_uuid *device_uuid)
{
	return v->phase == MDC_VERDICT_FOUND &&
	       (v->announced || mdc_uuid_equal(&v->device_uuid, device_uuid)) ? v->device : NULL;
}

bool mdc_verdict_said_found(const struct mdc_verdict *v, const struct mdc_uuid *device_uuid,
			    const char *device)
{
	return v->phase == MDC_VERDICT_FOUND && !v->announced &&
	       mdc_uuid_equal(&v->device_uuid, device_uuid) && !strcmp(v->device, device);
}

bool mdc_verdict_attr(const struct mdc_verdict *v, char out[MDC_ATTR_VALUE_MAX])
{
	struct mdc_addtext text = {
		.kind = v->phase == MDC_VERDICT_FOUND ? MDC_ADD_FOUND :
			v->phase == MDC_VERDICT_MISSING ? MDC_ADD_MISSING : MDC_ADD_LOOKING,
		.raid_disk = v->raid_disk, .device_uuid = v->device_uuid,
		.node = v->node, .number = v->number, .reason = v->reason,
	};

	if (v->phase == MDC_VERDICT_NONE || (v->phase == MDC_VERDICT_LOOKING && !v->told))
		return false;
	memcpy(text.device, v->device, sizeof(text.device));
	return !mdc_addtext_format(&text, out);
}

const char *mdc_verdict_phase_name(enum mdc_verdict_phase phase)
{
	static const char *const names[] = {
		[MDC_VERDICT_NONE] = "none",
		[MDC_VERDICT_LOOKING] = "looking",
		[MDC_VERDICT_FOUND] = "found",
		[MDC_VERDICT_MISSING] = "missing",
	};

	return names[phase];
}
