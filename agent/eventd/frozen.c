/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns what is done where mdadm leaves an array frozen. mdadm holds up resyncs on its node
 * (sync_action: frozen) while it adds a disk. Ended in between, by Ctrl-C say, it leaves them so for
 * good, and this node would not even resync what a node that failed had not finished writing.
 * Whoever else has frozen it means it: that is told, and left alone.
 */
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "eventd/daemon.h"
#include "port/holder.h"
#include "port/mdsys.h"

#define PROC "/proc"

static bool is_frozen(const char *sync_action)
{
	return !strcmp(sync_action, "frozen");
}

void mdc_frozen_stop(struct mdc_tracked *t)
{
	if (!t->frozen_watch)
		return;
	g_clear_handle_id(&t->frozen_watch, g_source_remove);
	close(t->frozen_fd);
}

static gboolean ended(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_tracked *t = data;
	struct mdc_array now;

	(void)fd;
	(void)cond;
	t->frozen_watch = 0;
	close(t->frozen_fd);
	if (mdc_mdsys_read(t->daemon->sys, t->track.md, &now) || !is_frozen(now.sync_action))
		return G_SOURCE_REMOVE;
	if (mdc_holder_mdadm(PROC, t->track.md))
		mdc_frozen_look(t, now.sync_action);
	else
		mdc_mdioctl_thaw(t->daemon->io, t->daemon->sys, t->track.md, t);
	return G_SOURCE_REMOVE;
}

void mdc_frozen_look(struct mdc_tracked *t, const char *sync_action)
{
	if (!is_frozen(sync_action)) {
		mdc_frozen_stop(t);
		t->frozen_said = false;
		return;
	}
	if (t->frozen_watch)
		return;
	if (mdc_holder_watch(PROC, t->track.md, &t->frozen_fd)) {
		t->frozen_watch = g_unix_fd_add(t->frozen_fd, G_IO_IN, ended, t);
		return;
	}
	if (t->frozen_said)
		return;
	t->frozen_said = true;
	mdc_warn("%s: resyncs and recoveries are held up on this node (sync_action is frozen), and "
		 "no mdadm is at work on it. If that is not meant: echo idle > "
		 "/sys/block/%s/md/sync_action", t->track.device, t->track.md);
}

void mdc_frozen_thawed(struct mdc_tracked *t, int err)
{
	if (err)
		mdc_err("%s: mdadm was ended and has left resyncs and recoveries held up on this "
			"node, and they cannot be let go: %s. Try: echo idle > "
			"/sys/block/%s/md/sync_action", t->track.device, strerror(err),
			t->track.md);
	else
		mdc_notice("%s: mdadm was ended and had left resyncs and recoveries held up on this "
			   "node: they may run again", t->track.device);
}
