/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the taking back of a member that went away, or could not be read, and has come back
 * (parameter readd). Every node of the array may see it come back, so each waits for its turn,
 * and looks again whether it is still needed before it calls mdadm.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"
#include "port/mdsys.h"
#include "port/proc.h"

#define MDADM_MS 60000
#define SETTLE_MS 1000		/* the device's other paths, and its removal by others */

/* Disks that stay out are said once, by each node that would have taken them back. */
static void say_out(struct mdc_tracked *t)
{
	const struct mdc_readd_disk *disk;

	while ((disk = mdc_readd_stays_out(&t->readd))) {
		if (disk->out == MDC_READD_AGAIN)
			mdc_err("%s: %s has failed again within an hour of being taken back: it "
				"stays out. Replace it, or see to its path and take it back by "
				"hand: mdadm --manage %s --remove %s, then --re-add",
				t->track.device, disk->kname, t->track.device, disk->kname);
		else
			mdc_err("%s: %s has come back %d times within an hour: it stays out. See "
				"to its path, then take it back by hand: mdadm --manage %s "
				"--remove failed --re-add /dev/%s", t->track.device, disk->back,
				MDC_READD_PER_HOUR, t->track.device, disk->back);
	}
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;

	(void)looked_at;
	if (!stuck)
		g_clear_pointer(&t->readd_search, mdc_search_stop);
}

static gboolean look_again(gpointer data)
{
	struct mdc_tracked *t = data;

	t->readd_look_timer = 0;
	mdc_observe(t);
	return G_SOURCE_REMOVE;
}

static void say_unreadable(const struct mdc_tracked *t, const char *kname, const char *why)
{
	mdc_warn("%s: %s has failed, and this node cannot read it (%s): it is taken back when it "
		 "can be read again. To keep it out: mdadm --manage %s --remove %s",
		 t->track.device, kname, why, t->track.device, kname);
}

static void answered(struct mdc_tracked *t, const char *kname, int err,
		     const struct mdc_super *super)
{
	if (mdc_readd_looked(&t->readd, &t->array, kname, err, super, mdc_now_ms()))
		say_unreadable(t, kname, strerror(-err));
	say_out(t);
}

static void looked(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;
	bool ours = probe->member && mdc_uuid_equal(&probe->super.array, &t->track.uuid);

	answered(t, dev->kname, probe->err, ours ? &probe->super : NULL);
	mdc_observe(t);
}

static void look_idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct mdc_tracked *t = data;

	(void)looked_at;
	if (!stuck)
		g_clear_pointer(&t->readd_look, mdc_search_stop);
}

static void arm(struct mdc_tracked *t)
{
	if (mdc_readd_any_pending(&t->readd) && !t->readd_look_timer)
		t->readd_look_timer = g_timeout_add(MDC_READD_LOOK_MS, look_again, t);
}

/* Reads what has failed, in workers: now, and as long as it cannot be read again and again. */
static void look(struct mdc_tracked *t)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));
	const struct mdc_readd_disk *hangs;
	struct mdc_readd_disk *disk;
	struct mdc_blockdev dev;
	unsigned int at = 0;

	/* It may answer yet, but a disk that is well would have. */
	while ((hangs = mdc_readd_hangs(&t->readd, &t->array, mdc_now_ms(), &at)))
		say_unreadable(t, hangs->kname, "it does not answer");
	at = 0;
	while ((disk = mdc_readd_look(&t->readd, mdc_now_ms(), &at))) {
		if (!mdc_blockdev_get(t->daemon->sys, disk->kname, &dev))
			answered(t, disk->kname, -ENODEV, NULL);
		else if (t->readd_look)		/* it hangs at another one */
			mdc_search_more(t->readd_look, &dev);
		else
			g_array_append_val(list, dev);
	}
	if (list->len)
		t->readd_look = mdc_search_start(t->daemon->pool, list, 0, looked, look_idle, t);
	arm(t);
}

/* Of a map and its paths, which come one after the other, the one that nothing is built on. */
static bool has_better(const struct mdc_tracked *t, const struct mdc_uuid *device,
		       const char *kname)
{
	const char *back = mdc_readd_back(&t->readd, device);
	struct mdc_blockdev dev;

	return back && strcmp(back, kname) && mdc_blockdev_get(t->daemon->sys, back, &dev) &&
	       !dev.holder[0];
}

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct mdc_tracked *t = data;

	if (!probe->member || dev->holder[0] ||
	    has_better(t, &probe->super.device, dev->kname))
		return;
	if (!mdc_readd_returned(&t->readd, &t->track.uuid, &probe->super, dev->kname))
		return;
	mdc_notice("%s: its member is back as %s", t->track.device, dev->path);
	mdc_observe(t);
}

void mdc_readd_block(struct mdc_tracked *t, const char *kname, bool gone)
{
	g_autoptr(GArray) list = NULL;
	struct mdc_blockdev dev;

	if (!t->tracked)
		return;
	if (gone) {
		mdc_readd_gone(&t->readd, kname);
		return;
	}
	if (mdc_readd_changed(&t->readd, kname, mdc_now_ms()))
		mdc_observe(t);
	if (!t->track.readd || !mdc_readd_any_away(&t->readd) ||
	    !mdc_blockdev_get(t->daemon->sys, kname, &dev) ||
	    !mdc_blockdev_allowed(t->daemon->sys, t->track.members, kname))
		return;
	if (t->readd_search) {
		mdc_search_more(t->readd_search, &dev);
		return;
	}
	list = g_array_new(FALSE, FALSE, sizeof(dev));
	g_array_append_val(list, dev);
	t->readd_search = mdc_search_start(t->daemon->pool, list, 0, seen, idle, t);
}

static void added(int status, const char *text, void *data)
{
	struct mdc_tracked *t = data;

	t->readd_proc = NULL;
	/* A peer may not have had the time to let go of it, or cannot see it yet. */
	if (status && mdc_readd_failed(&t->readd, mdc_now_ms()))
		mdc_warn("%s: mdadm --re-add failed (%d): %s. It is tried again in %d s",
			 t->track.device, status, *text ? text : "it did not say why",
			 MDC_READD_AGAIN_MS / 1000);
	else if (status)
		mdc_err("%s: mdadm --re-add failed (%d): %s. Add the disk by hand", t->track.device,
			status, *text ? text : "it did not say why");
	else
		mdc_notice("%s: the member is taken back", t->track.device);
	mdc_observe(t);
}

/* The disk that is to be taken back now, and its device. */
static struct mdc_readd_disk *needed(struct mdc_tracked *t, struct mdc_blockdev *dev)
{
	struct mdc_readd_disk *disk;
	struct mdc_array now;

	if (!t->track.readd || mdc_mdsys_read(t->daemon->sys, t->track.md, &now))
		return NULL;
	mdc_readd_observe(&t->readd, &now, mdc_now_ms());
	disk = mdc_readd_needed(&t->readd, &now, mdc_now_ms());
	if (!disk || !mdc_blockdev_get(t->daemon->sys, disk->back, dev))
		return NULL;
	/* It was free when it was looked at: multipathd has taken it since, or LVM. */
	if (dev->holder[0] && strcmp(dev->holder, t->track.md)) {
		if (mdc_readd_defer(disk, mdc_now_ms()))
			mdc_notice("%s: %s is in use by %s, so that it is not taken back for now",
				   t->track.device, dev->path, dev->holder);
		arm(t);
		return NULL;
	}
	return disk;
}

static void re_add(struct mdc_tracked *t)
{
	struct mdc_blockdev dev;
	struct mdc_readd_disk *disk = needed(t, &dev);
	g_autofree char *md = g_strdup_printf("/dev/%s", t->track.md);
	unsigned int times;

	if (!disk)
		return;
	times = mdc_readd_begin(disk, mdc_now_ms());
	mdc_notice("%s: taking %s back (mdadm --re-add), for the %u. of at most %d times within an "
		   "hour", t->track.device, dev.path, times, MDC_READD_PER_HOUR);
	{
		char *argv[] = { "mdadm", "--manage", md, "--re-add", dev.path, NULL };

		t->readd_proc = mdc_proc_run(argv, MDADM_MS, added, t);
	}
}

static void removed(int status, const char *text, void *data)
{
	struct mdc_tracked *t = data;
	struct mdc_readd_disk *disk;
	struct mdc_blockdev dev;

	t->readd_proc = NULL;
	if (status) {
		disk = needed(t, &dev);
		if (disk)
			disk->tried = true;
		mdc_err("%s: the failed member could not be removed (%d): %s. Remove it and add "
			"the disk by hand", t->track.device, status,
			*text ? text : "it did not say why");
		return;
	}
	re_add(t);
}

static bool still_listed(struct mdc_tracked *t, const char *kname)
{
	unsigned int i;

	for (i = 0; i < t->array.n_members; i++)
		if (!strcmp(t->array.members[i].device, kname))
			return true;
	return false;
}

static gboolean turn(gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_blockdev dev;
	struct mdc_readd_disk *disk = needed(t, &dev);
	g_autofree char *md = g_strdup_printf("/dev/%s", t->track.md);

	t->readd_timer = 0;
	if (!disk || t->readd_proc)
		return G_SOURCE_REMOVE;
	if (!still_listed(t, disk->kname)) {
		re_add(t);
		return G_SOURCE_REMOVE;
	}
	/* Its name within md, as the device behind it is another one now, or none. */
	{
		char *argv[] = { "mdadm", "--manage", md, "--remove", disk->kname, NULL };

		t->readd_proc = mdc_proc_run(argv, MDADM_MS, removed, t);
	}
	if (!t->readd_proc)
		disk->tried = true;
	return G_SOURCE_REMOVE;
}

static void take_turn(struct mdc_tracked *t, struct mdc_readd_disk *disk)
{
	uint32_t nodes[MDC_MOD_MEMBERS_MAX];
	unsigned int n;
	int64_t wait = mdc_lockspace_nodes(t, nodes, &n) ?
		       mdc_readd_turn_ms(nodes, n, mdc_self(t)) : -1;

	if (wait < 0) {
		if (mdc_readd_defer(disk, mdc_now_ms()))
			mdc_warn("%s: %s is back, but it is not known which nodes have the array: "
				 "it is taken back when that is known", t->track.device,
				 disk->back);
		arm(t);
		return;
	}
	t->readd_timer = g_timeout_add((guint)(wait + SETTLE_MS), turn, t);
}

void mdc_readd_observed(struct mdc_tracked *t)
{
	struct mdc_readd_disk *disk;

	mdc_readd_observe(&t->readd, &t->array, mdc_now_ms());
	if (!t->track.readd)
		return;
	look(t);
	disk = mdc_readd_needed(&t->readd, &t->array, mdc_now_ms());
	say_out(t);
	if (disk && !t->readd_timer && !t->readd_proc)
		take_turn(t, disk);
}

void mdc_readd_stop(struct mdc_tracked *t)
{
	g_clear_handle_id(&t->readd_timer, g_source_remove);
	g_clear_handle_id(&t->readd_look_timer, g_source_remove);
	g_clear_pointer(&t->readd_search, mdc_search_stop);
	g_clear_pointer(&t->readd_look, mdc_search_stop);
	g_clear_pointer(&t->readd_proc, mdc_proc_forget);
	memset(&t->readd, 0, sizeof(t->readd));
}
