/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the first part of `mdclusterctl add`: which array and which disk are meant, and what this
 * node alone can say against it. Opens no disk: that is the keeper's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_add.h"
#include "ctl_json.h"
#include "ctl_link.h"
#include "ctl_view.h"

#define SYS "/sys"

static int lost(struct mdc_add_run *run, GError *error)
{
	mdc_add_say(run, "%s", error->message);
	g_error_free(error);
	return MDC_ADD_EXIT_LOST;
}

static int ask_status(struct mdc_add_run *run)
{
	struct mdc_client client;
	GError *error = NULL;
	const char *answer;

	if (mdc_ctl_link_open(&client, run->socket, &error) < 0)
		return lost(run, error);
	answer = mdc_ctl_link_ask(&client, "status", &error);
	run->status = answer ? mdc_ctl_view_parse(answer) : NULL;
	mdc_client_close(&client);
	if (!answer)
		return lost(run, error);
	if (run->status)
		return 0;
	mdc_add_say(run, "what mdclusterd answers is not of the form (another version?)");
	return MDC_ADD_EXIT_LOST;
}

static void take_members(struct mdc_add_run *run)
{
	JsonArray *list = mdc_json_array(run->array, "members");
	unsigned int i;

	for (i = 0; i < mdc_json_length(list); i++) {
		JsonObject *member = mdc_json_element(list, i);
		const char *kname = mdc_json_string(member, "device");
		const char *state = mdc_json_string(member, "state");

		if (kname && state && strstr(state, "in_sync") &&
		    run->disk.n_members < MDC_KEEPER_MEMBERS_MAX &&
		    mdc_blockdev_get(SYS, kname, &run->disk.members[run->disk.n_members]))
			run->disk.n_members++;
	}
}

static int find_array(struct mdc_add_run *run)
{
	const char *uuid, *name;
	JsonObject *root;
	int ret = ask_status(run);

	if (ret)
		return ret;
	if (!mdc_ctl_view_select(run->status, run->array_text)) {
		mdc_add_say(run, "mdclusterd looks after no array '%s' on this node: see "
			    "'mdclusterctl status'", run->array_text);
		return MDC_ADD_EXIT_LOST;
	}
	root = json_node_get_object(run->status);
	run->array = mdc_json_element(mdc_json_array(root, "arrays"), 0);
	run->device = mdc_json_string(run->array, "device");
	run->md = mdc_json_string(run->array, "md");
	uuid = mdc_json_string(run->array, "uuid");
	if (!run->device || !run->md || !uuid || mdc_uuid_parse(&run->disk.array, uuid)) {
		mdc_add_say(run, "what mdclusterd answers is not of the form (another version?)");
		return MDC_ADD_EXIT_LOST;
	}
	if (!mdc_json_true(run->array, "running")) {
		mdc_add_say(run, "%s does not run on this node: start its resource here, or add "
			    "the disk on a node where it runs", run->device);
		return MDC_ADD_EXIT_LOST;
	}
	g_strlcpy(run->disk.md, run->md, sizeof(run->disk.md));
	name = mdc_json_string(mdc_json_object(root, "node"), "name");
	run->node = g_strdup(name ? name : "?");
	take_members(run);
	return 0;
}

static bool is_read_only(const char *kname)
{
	g_autofree char *path = g_strdup_printf(SYS "/class/block/%s/ro", kname);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && text[0] == '1';
}

/* Is it in the array, as whatever? */
static bool is_member(const struct mdc_add_run *run, const char *kname)
{
	g_autofree char *path = g_strdup_printf(SYS "/block/%s/md/dev-%s", run->md, kname);

	return !access(path, F_OK);
}

static int find_disk(struct mdc_add_run *run, const char *disk)
{
	g_autofree char *path = g_canonicalize_filename(disk, NULL);
	struct mdc_blockdev *dev = &run->disk.dev;
	int ret = strlen(path) < sizeof(dev->path) ? mdc_blockdev_by_path(SYS, path, dev) :
		  -ENAMETOOLONG;

	if (ret == -ENOTBLK)
		mdc_add_say(run, "%s is not a block device", path);
	else if (ret == -ENODEV)
		mdc_add_say(run, "%s can be no member of an array (it is an array itself, a RAM "
			    "disk, a drive without a medium, or of size 0)", path);
	else if (ret)
		mdc_add_say(run, "%s: %s", path, g_strerror(-ret));
	else if (is_member(run, dev->kname))
		mdc_add_say(run, "%s is a member of %s already", path, run->device);
	else if (dev->in_use)
		mdc_add_say(run, "%s is mounted or used as swap", path);
	else if (dev->holder[0])
		mdc_add_say(run, "%s is in use: %s is built on it", path, dev->holder);
	else if (is_read_only(dev->kname))
		mdc_add_say(run, "%s is read-only", path);
	else
		return 0;
	return MDC_ADD_EXIT_UNUSABLE;
}

int mdc_add_find(struct mdc_add_run *run, const char *disk)
{
	int ret = find_array(run);

	if (!ret)
		ret = find_disk(run, disk);
	if (!ret)
		mdc_blockdev_id(SYS, run->disk.dev.kname, run->disk_id);
	return ret;
}
