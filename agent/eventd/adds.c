/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what core/react.c decides about an add, and tells it what came of it
 * (DESIGN.md, the add, steps 7 and 8).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "eventd/daemon.h"

#define ANSWER_MS 1000		/* what the answer itself may take */
#define VERIFY_MS 100
#define VERIFY_TIMES 10		/* a udev rule's mdadm may hold the disk before it confirms it */

static void perform(struct mdc_tracked *t, const struct mdc_react_actions *actions);

static gboolean deadline(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_react_actions out = { 0 };

	t->deadline = 0;
	mdc_react_tick(&t->react, mdc_now_ms(), &out);
	perform(t, &out);
	return G_SOURCE_REMOVE;
}

static void arm(struct mdc_tracked *t)
{
	mdc_timer_at(&t->deadline, mdc_react_deadline(&t->react), G_PRIORITY_HIGH, deadline, t);
}

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;
	struct mdc_react_actions out = { 0 };

	if (!probe->member || !mdc_uuid_equal(&probe->super.device, &t->react.device_uuid))
		return;
	if (t->tracked && !mdc_uuid_equal(&probe->super.array, &t->track.uuid)) {
		mdc_warn("%s: %s bears the device UUID that is asked for, but belongs to another "
			 "array: left alone", t->track.device, dev->path);
		return;
	}
	if (probe->stale)
		mdc_info("%s: libblkid sees something else on %s than the medium holds (page "
			 "cache); the medium counts", t->track.device, dev->path);
	mdc_info("%s: found the disk as %s, %lld ms after the question", t->track.device,
		 dev->path, (long long)(mdc_now_ms() - t->react.started_ms));
	mdc_react_device(&t->react, t->react.seq, dev->kname, &out);
	perform(t, &out);
}

static void start_search(struct mdc_tracked *t, bool all);

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;

	if (t->quick && !t->react.device[0]) {
		/* It is not where it was, or does not answer any more: so look everywhere. */
		start_search(t, true);
		return;
	}
	mdc_react_exhausted(&t->react, t->react.seq, looked_at, stuck);
}

static uint64_t member_sectors(const struct mdc_tracked *t)
{
	return t->present && !strcmp(t->array.level, "raid1") ? t->array.size_kib * 2 : 0;
}

/* The array's members as well: a udev rule may have confirmed the disk already. */
static GArray *candidates(const struct mdc_tracked *t)
{
	return mdc_blockdev_list(t->daemon->sys, t->track.members, member_sectors(t), NULL);
}

/* Where the disk is known from its proposal: that device alone. */
static GArray *known(const struct mdc_tracked *t)
{
	const char *kname = mdc_verdict_knows(&t->verdict, &t->react.device_uuid);
	struct mdc_blockdev dev;
	GArray *list;

	if (!kname || !mdc_blockdev_get(t->daemon->sys, kname, &dev))
		return NULL;
	list = g_array_new(FALSE, FALSE, sizeof(dev));
	g_array_append_val(list, dev);
	return list;
}

static void start_search(struct mdc_tracked *t, bool all)
{
	g_autoptr(GArray) list = all ? NULL : known(t);

	t->quick = list;
	if (!list)
		list = candidates(t);
	g_clear_pointer(&t->search, mdc_search_stop);
	t->search = mdc_search_start(t->daemon->pool, list, MDC_PROBE_BLKID, seen, idle, t);
}

/*
 * Our module takes no other disk than the one that it asks for, so where that is known it need not be
 * looked at again first: the writers of all nodes wait. If that fails it is searched for.
 */
static bool confirm_known(struct mdc_tracked *t)
{
	const char *kname = mdc_verdict_knows(&t->verdict, &t->react.device_uuid);
	struct mdc_react_actions out = { 0 };

	if (!t->module || !kname || t->quick)
		return false;
	t->quick = true;
	mdc_react_device(&t->react, t->react.seq, kname, &out);
	perform(t, &out);
	return true;
}

static void probe(struct mdc_tracked *t, const char *kname)
{
	struct mdc_blockdev dev;

	if (t->search && mdc_blockdev_get(t->daemon->sys, kname, &dev) &&
	    mdc_blockdev_allowed(t->daemon->sys, t->track.members, kname))
		mdc_search_more(t->search, &dev);
}

static void confirm(struct mdc_tracked *t, const struct mdc_react_action *a)
{
	struct mdc_react_actions out = { 0 };
	struct mdc_blockdev dev;
	int ret = -ENODEV;

	if (mdc_blockdev_get(t->daemon->sys, a->device, &dev))
		ret = mdc_mdioctl_confirm(t->daemon->io, t->daemon->sys, t->track.md, &dev,
					  t->react.raid_disk, a->seq, t);
	if (!ret)
		return;
	mdc_err("%s: cannot confirm %s to the kernel: %s", t->track.device, a->device,
		strerror(-ret));
	mdc_react_result(&t->react, mdc_now_ms(), a->seq, -ret == EBUSY ? EAGAIN : -ret, &out);
	perform(t, &out);
}

static bool is_member(const struct mdc_tracked *t, const char *kname)
{
	g_autofree char *path = g_strdup_printf("%s/block/%s/md/dev-%s", t->daemon->sys,
						t->track.md, kname);

	return !access(path, F_OK);
}

static gboolean verify_again(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_react_actions out = { 0 };
	bool member = is_member(t, t->verify_device);

	if (!member && --t->verify_left)
		return G_SOURCE_CONTINUE;
	t->verify = 0;
	mdc_react_verified(&t->react, mdc_now_ms(), t->verify_seq, member, &out);
	perform(t, &out);
	return G_SOURCE_REMOVE;
}

static void verify(struct mdc_tracked *t, const struct mdc_react_action *a)
{
	g_clear_handle_id(&t->verify, g_source_remove);
	g_strlcpy(t->verify_device, a->device, sizeof(t->verify_device));
	t->verify_seq = a->seq;
	t->verify_left = VERIFY_TIMES;
	t->verify = g_timeout_add(VERIFY_MS, verify_again, t);
}

static void nack(struct mdc_tracked *t, unsigned int seq)
{
	int ret = mdc_mdioctl_nack(t->daemon->io, t->daemon->sys, t->track.md, seq, t);

	if (!ret)
		return;
	mdc_err("%s: cannot answer the kernel's question for a disk: %s. The nodes of this array "
		"may stop hearing each other; look at the kernel log", t->track.device,
		strerror(-ret));
	mdc_react_nacked(&t->react, seq, -ret);
}

/* Does what was said of the proposal? Each write costs all nodes, and the initiator's writers wait. */
static bool holds_still(const struct mdc_tracked *t)
{
	const struct mdc_react *r = &t->react;

	return t->quick && (r->phase == MDC_REACT_SEARCHING ||
			    (r->phase == MDC_REACT_FOUND &&
			     mdc_verdict_said_found(&t->verdict, &r->device_uuid, r->device)));
}

static void publish(struct mdc_tracked *t)
{
	const struct mdc_react *r = &t->react;
	char uuid[MDC_UUID_COLON];

	mdc_uuid_colon(&r->device_uuid, uuid);
	switch (r->phase) {
	case MDC_REACT_FOUND:
		mdc_notice("%s: disk %s confirmed as raid disk %u%s%s%s", t->track.device,
			   r->device, r->raid_disk, r->reason[0] ? " (" : "", r->reason,
			   r->reason[0] ? ")" : "");
		break;
	case MDC_REACT_MISSING:
		mdc_warn("%s: refused raid disk %u (device UUID %s): %s. The add fails on all "
			 "nodes; connect the disk to this node and add it again", t->track.device,
			 r->raid_disk, uuid, r->reason);
		break;
	case MDC_REACT_FAILED:
		mdc_err("%s: could not take raid disk %u (device UUID %s): %s. The add fails on "
			"all nodes", t->track.device, r->raid_disk, uuid, r->reason);
		break;
	case MDC_REACT_DROPPED:
		mdc_notice("%s: %s is out again", t->track.device, r->device);
		break;
	case MDC_REACT_NONE:
	case MDC_REACT_SEARCHING:
		break;
	}
	if (!holds_still(t))
		mdc_publish_add(t);
	if (r->phase == MDC_REACT_FOUND)
		mdc_settle_confirmed(t);
}

static void perform(struct mdc_tracked *t, const struct mdc_react_actions *actions)
{
	unsigned int i;

	for (i = 0; i < actions->n; i++) {
		const struct mdc_react_action *a = &actions->a[i];

		switch (a->what) {
		case MDC_DO_SEARCH:
			if (!confirm_known(t))
				start_search(t, t->react.n_tried);
			break;
		case MDC_DO_PROBE:
			probe(t, a->device);
			break;
		case MDC_DO_STOP_SEARCH:
			g_clear_pointer(&t->search, mdc_search_stop);
			break;
		case MDC_DO_CONFIRM:
			confirm(t, a);
			break;
		case MDC_DO_VERIFY:
			verify(t, a);
			break;
		case MDC_DO_NACK:
			nack(t, a->seq);
			break;
		case MDC_DO_PUBLISH:
			publish(t);
			break;
		}
	}
	arm(t);
}

void mdc_adds_request(struct mdc_tracked *t, const struct mdc_uuid *device_uuid,
		      unsigned int raid_disk, int64_t kernel_ms, enum mdc_asked_by by)
{
	struct mdc_react_actions out = { 0 };
	int64_t wait_ms = t->track.verdict_wait_s * 1000ll;
	char uuid[MDC_UUID_COLON];

	/*
	 * Our module emits a uevent instead where nobody is attached or reads, and the question
	 * may then be found in a dump as well: it is one and the same.
	 */
	if (t->asked_by != by && mdc_react_asked(&t->react, device_uuid, raid_disk))
		return;
	if (kernel_ms && wait_ms > kernel_ms - ANSWER_MS)
		wait_ms = kernel_ms - ANSWER_MS;
	t->asked_by = by;
	t->quick = false;
	mdc_settle_asked(t);
	mdc_react_add(&t->react, mdc_now_ms(), device_uuid, raid_disk, wait_ms, &out);
	perform(t, &out);
	/* Its workers' ends take a processor from the answer, which writers on all nodes wait for. */
	if (mdc_verdict_knows(&t->verdict, device_uuid))
		mdc_verdict_asked(t);
	/* Last, as a log file may be slow. */
	mdc_uuid_colon(device_uuid, uuid);
	mdc_notice("%s: another node adds a disk as raid disk %u, device UUID %s: looking for it",
		   t->track.device, raid_disk, uuid);
}

void mdc_adds_dropped(struct mdc_tracked *t, bool by_kernel)
{
	struct mdc_react_actions out = { 0 };

	mdc_react_dropped(&t->react, by_kernel, &out);
	perform(t, &out);
}

void mdc_adds_block(struct mdc_tracked *t, const char *kname)
{
	struct mdc_react_actions out = { 0 };

	mdc_react_block(&t->react, kname, &out);
	if (out.n)
		perform(t, &out);
}

void mdc_adds_rescan(struct mdc_tracked *t)
{
	g_autoptr(GArray) list = NULL;
	guint i;

	if (!t->search)
		return;
	list = candidates(t);
	for (i = list->len; i > 0; i--)
		mdc_search_more(t->search, &g_array_index(list, struct mdc_blockdev, i - 1));
}

void mdc_adds_done(enum mdc_mdioctl_kind kind, int err, unsigned int seq, void *owner,
		   void *data)
{
	struct mdc_tracked *t = owner;
	struct mdc_react_actions out = { 0 };

	(void)data;
	if (kind == MDC_IO_REMOVE || kind == MDC_IO_REWRITE) {
		mdc_settle_done(t, kind, seq, err);
		return;
	}
	if (kind == MDC_IO_WRITABLE) {
		mdc_observe_writable(t, err);
		return;
	}
	if (kind == MDC_IO_THAW) {
		mdc_frozen_thawed(t, err);
		return;
	}
	if (kind == MDC_IO_NACK) {
		if (err && seq)
			mdc_err("%s: the kernel took the refusal with an error: %s",
				t->track.device, strerror(err));
		mdc_react_nacked(&t->react, seq, err);
		return;
	}
	if (err)
		mdc_info("%s: the kernel answered the confirmation with: %s", t->track.device,
			 strerror(err));
	mdc_react_result(&t->react, mdc_now_ms(), seq, err, &out);
	perform(t, &out);
}

void mdc_adds_stop(struct mdc_tracked *t, bool answer)
{
	struct mdc_react_actions out = { 0 };

	if (answer && mdc_react_deadline(&t->react) >= 0)
		mdc_mdioctl_nack(t->daemon->io, t->daemon->sys, t->track.md, 0, t);
	mdc_react_cancel(&t->react, &out);
	g_clear_pointer(&t->search, mdc_search_stop);
	g_clear_handle_id(&t->deadline, g_source_remove);
	g_clear_handle_id(&t->verify, g_source_remove);
	mdc_settle_stop(t);
}
