/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the last part of `mdclusterctl add`: mdadm, without a shell, and what is put back where it
 * fails. mdadm writes a superblock before the kernel is asked, and leaves it there when the
 * kernel refuses the disk.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_add.h"
#include "ctl_json.h"
#include "ctl_link.h"
#include "ctl_view.h"
#include "run.h"

#define MDADM_MS 180000		/* the kernel's waits are some seconds; stock's 30 s and more */
#define UDEV_CONTROL "/run/udev/control"

static char *find_mdadm(void)
{
	static const char *const places[] = { "/usr/sbin/mdadm", "/sbin/mdadm" };
	char *path = g_find_program_in_path("mdadm");
	unsigned int i;

	for (i = 0; !path && i < G_N_ELEMENTS(places); i++)
		if (access(places[i], X_OK) == 0)
			path = g_strdup(places[i]);
	return path;
}

/* Why the add of a moment ago was refused, as mdclusterd knows it; NULL: it does not. */
static char *reason_of_refusal(struct mdc_add_run *run)
{
	g_autoptr(JsonNode) status = NULL;
	struct mdc_client client;
	GError *error = NULL;
	const char *answer;
	char *reason = NULL;
	JsonObject *add;

	if (mdc_ctl_link_open(&client, run->socket, &error) == 0) {
		answer = mdc_ctl_link_ask(&client, "status", &error);
		status = answer ? mdc_ctl_view_parse(answer) : NULL;
		mdc_client_close(&client);
	}
	g_clear_error(&error);
	if (status && mdc_ctl_view_select(status, run->device)) {
		add = mdc_json_object(mdc_json_element(mdc_json_array(json_node_get_object(status),
								      "arrays"), 0), "add");
		/* Without a device UUID it is the announcement's. */
		if (mdc_json_is(add, "phase", "refused") && mdc_json_string(add, "device_uuid"))
			reason = g_strdup(mdc_json_string(add, "reason"));
	}
	return reason;
}

static void put_back(struct mdc_add_run *run)
{
	struct mdc_keeper_word word;

	if (mdc_add_keeper(run, MDC_KEEP_PUT_BACK, NULL, &word, MDC_ADD_EXIT_LEFT))
		run->left = true;
}

static int failed(struct mdc_add_run *run, const struct mdc_run *mdadm, int rc)
{
	g_autofree char *refusal = rc == 0 ? reason_of_refusal(run) : NULL;
	const char *said = mdadm->err ? mdc_last_line(mdadm->err) : "";
	struct mdc_keeper_word word;

	if (mdadm->left_behind) {
		/* It may yet get the disk in. */
		mdc_add_say(run, "mdadm waits in the kernel and cannot be killed: what becomes of "
			    "%s is not known, and it was left alone. See the kernel log, and "
			    "'mdadm --detail %s'", run->disk.dev.path, run->device);
		mdc_add_keeper(run, MDC_KEEP_LEAVE, NULL, &word, MDC_ADD_EXIT_LEFT);
		run->left = true;
		return MDC_ADD_EXIT_LEFT;
	}
	if (rc == -EINTR)
		mdc_add_say(run, "mdadm was ended");
	else if (rc == -ETIMEDOUT)
		mdc_add_say(run, "mdadm has not ended within %d s, and was ended", MDADM_MS / 1000);
	else if (rc)
		mdc_add_say(run, "mdadm cannot be run: %s", g_strerror(-rc));
	else
		mdc_add_say(run, "mdadm could not add it: %s%s%s", *said ? said : "no reason given",
			    refusal ? "; what the nodes say: " : "", refusal ? refusal : "");
	put_back(run);
	return run->left ? MDC_ADD_EXIT_LEFT :
	       refusal ? MDC_ADD_EXIT_REFUSED : MDC_ADD_EXIT_FAILED;
}

static void say_added(const struct mdc_add_run *run)
{
	g_autofree char *path = g_strdup_printf("/sys/block/%s/md/dev-%s/slot", run->md,
						run->disk.dev.kname);
	g_autofree char *slot = NULL;

	if (g_file_get_contents(path, &slot, NULL, NULL) && g_ascii_isdigit(slot[0]))
		mdc_add_tell(run, "Added %s to %s as disk %s; 'mdclusterctl status' shows its "
			     "recovery.", run->disk.dev.path, run->device, g_strchomp(slot));
	else
		mdc_add_tell(run, "Added %s to %s.", run->disk.dev.path, run->device);
}

int mdc_add_run_mdadm(struct mdc_add_run *run)
{
	static const char *const no_udev[] = { "MDADM_NO_UDEV=1", NULL };
	g_autofree char *program = find_mdadm();
	const char *argv[] = { program, "--manage", run->device, "--add", run->disk.dev.path,
			       NULL };
	char out[4096], err[4096];
	struct mdc_run mdadm = {
		.argv = argv,
		/* Without udevd mdadm must not wait for it. */
		.env = access(UDEV_CONTROL, F_OK) ? no_udev : NULL,
		.timeout_ms = MDADM_MS, .stop = &mdc_add_stop,
		.out = out, .out_size = sizeof(out), .err = err, .err_size = sizeof(err),
	};
	struct mdc_keeper_word word;
	int rc;

	if (!program) {
		mdc_add_say(run, "mdadm is not installed on this node (Debian package: mdadm)");
		return MDC_ADD_EXIT_FAILED;
	}
	rc = mdc_add_keeper(run, MDC_KEEP_LET_GO, NULL, &word, MDC_ADD_EXIT_UNUSABLE);
	if (rc)
		return rc;
	rc = mdc_run(&mdadm);
	if (rc || mdadm.exit_code)
		return failed(run, &mdadm, rc);
	mdc_add_keeper(run, MDC_KEEP_DONE, NULL, &word, MDC_ADD_EXIT_DONE);
	run->added = true;
	say_added(run);
	return MDC_ADD_EXIT_DONE;
}
