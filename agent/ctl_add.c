/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `mdclusterctl add`: asks the cluster about a disk, then has mdadm add it. Owns the command
 * line, the order of the parts, and the end: the disk is as it was found unless it was added,
 * or it is said that it is not.
 */
#include "ctl_add.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_cmd.h"
#include "ctl_json.h"
#include "ctl_view.h"

#define TICK_MS 200		/* how soon a signal is seen that came just before a wait */

volatile sig_atomic_t mdc_add_stop;

static void on_signal(int sig)
{
	mdc_add_stop = sig;
}

void mdc_add_say(struct mdc_add_run *run, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "mdclusterctl: %s\n", text);
	/* The first one is the cause. */
	if (!run->reason)
		run->reason = g_steal_pointer(&text);
}

void mdc_add_tell(const struct mdc_add_run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

int mdc_add_keeper(struct mdc_add_run *run, enum mdc_keeper_do what,
		   const struct mdc_nonce *nonce, struct mdc_keeper_word *word, int exit)
{
	const char *path = run->disk.dev.path;
	int ret = mdc_keeper_ask(&run->keeper, what, nonce, word);
	bool changed = what == MDC_KEEP_MARK || what == MDC_KEEP_UNMARK ||
		       what == MDC_KEEP_PUT_BACK;

	if (ret == -ETIMEDOUT && changed)
		mdc_add_say(run, "%s does not answer: what was there is not put back yet. Process "
			    "%ld goes on trying, do not kill it", path, (long)run->keeper.pid);
	else if (ret == -ETIMEDOUT)
		mdc_add_say(run, "%s does not answer, and holds up process %ld", path,
			    (long)run->keeper.pid);
	else if (ret)
		mdc_add_say(run, "the process that had %s has died%s%s", path, changed ?
			    ": whether it is as it was is not known; what stood there may be in " :
			    "", changed ? run->disk.keep : "");
	else if (word->err)
		mdc_add_say(run, "%s %s%s%s", path, word->text, word->kept ? "; it is in " : "",
			    word->kept ? run->disk.keep : "");
	if (ret && changed) {
		run->left = true;
		return MDC_ADD_EXIT_LEFT;
	}
	return ret || word->err ? exit : 0;
}

/*
 * The file is to outlive the node's power, and this name will come again for another disk, or for
 * this one after a power cut: it is told apart by its time.
 */
static int place_file(struct mdc_add_run *run)
{
	const char *dir = run->keep_dir ? run->keep_dir : MDC_STATEDIR;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	char *keep = run->disk.keep;

	if (g_mkdir_with_parents(dir, 0700)) {
		mdc_add_say(run, "no place to keep what stands on the disk: %s: %s (see --keep)",
			    dir, g_strerror(errno));
		return MDC_ADD_EXIT_UNUSABLE;
	}
	if (g_snprintf(keep, sizeof(run->disk.keep), "%s/put-back-%s-%s", dir,
		       run->disk.dev.kname, time) < (int)sizeof(run->disk.keep))
		return 0;
	mdc_add_say(run, "%s: %s", dir, g_strerror(ENAMETOOLONG));
	return MDC_ADD_EXIT_UNUSABLE;
}

static int check(struct mdc_add_run *run)
{
	struct mdc_keeper_word word;
	int ret = place_file(run);

	if (ret)
		return ret;
	ret = mdc_keeper_start(&run->keeper, &run->disk);
	if (ret) {
		mdc_add_say(run, "no process can be started: %s", g_strerror(-ret));
		return MDC_ADD_EXIT_UNUSABLE;
	}
	ret = mdc_add_keeper(run, MDC_KEEP_CHECK, NULL, &word, MDC_ADD_EXIT_UNUSABLE);
	run->rejoins = word.rejoins;
	return ret;
}

static void print_json(const struct mdc_add_run *run, const char *event, int exit)
{
	static const char *const results[] = {
		[MDC_ADD_EXIT_DONE] = "added", [MDC_ADD_EXIT_REFUSED] = "refused",
		[MDC_ADD_EXIT_UNUSABLE] = "unusable", [MDC_ADD_EXIT_LOST] = "lost",
		[MDC_ADD_EXIT_FAILED] = "failed", [MDC_ADD_EXIT_LEFT] = "left",
		[MDC_ADD_EXIT_DECLINED] = "declined",
	};
	const char *result = mdc_add_stop && !run->added ? "interrupted" :
			     exit == MDC_ADD_EXIT_DONE && run->dry_run ? "agreed" :
			     exit >= 0 ? results[exit] : NULL;
	g_autoptr(JsonBuilder) b = json_builder_new();
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *text = NULL;
	const struct { const char *key, *value; } strings[] = {
		{ "event", event }, { "array", run->device }, { "disk", run->disk.dev.path },
		{ "disk_id", run->disk_id }, { "result", result }, { "reason", run->reason },
	};
	unsigned int i;

	json_builder_begin_object(b);
	for (i = 0; i < G_N_ELEMENTS(strings); i++) {
		json_builder_set_member_name(b, strings[i].key);
		if (strings[i].value && *strings[i].value)
			json_builder_add_string_value(b, strings[i].value);
		else
			json_builder_add_null_value(b);
	}
	json_builder_set_member_name(b, "size_kib");
	json_builder_add_int_value(b, (gint64)run->disk.dev.sectors / 2);
	json_builder_set_member_name(b, "as_found");
	json_builder_add_boolean_value(b, !run->left && !run->added);
	json_builder_end_object(b);
	node = json_builder_get_root(b);
	text = json_to_string(node, FALSE);
	puts(text);
	fflush(stdout);
}

static void tell_question(const struct mdc_add_run *run)
{
	const struct mdc_blockdev *dev = &run->disk.dev;

	if (run->json)
		print_json(run, "asking", -1);
	mdc_add_tell(run, "%s (%s%s%" G_GUINT64_FORMAT " MiB) for %s: asking the other nodes.",
		     dev->path, run->disk_id, run->disk_id[0] ? ", " : "", dev->sectors / 2048,
		     run->device);
}

static void tell_plan(const struct mdc_add_run *run)
{
	int64_t missing = 0;

	mdc_json_int(run->array, "degraded", &missing);
	mdc_add_tell(run, "%s mdadm --manage %s --add %s: what is on the disk is lost. %s",
		     run->dry_run ? "Would run" : "Next:", run->device, run->disk.dev.path,
		     run->rejoins ?
		     "It was a member before, so that mdadm may take it in again as it is." :
		     missing ? "The array lacks a member: a recovery onto it begins at once." :
		     "It becomes a spare.");
}

/* Yes is the whole word or its first letter. */
static bool is_yes(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char answer[16] = "";

	fputs("Add it? [y/N] ", stdout);
	fflush(stdout);
	while (!mdc_add_stop) {
		if (poll(&p, 1, TICK_MS) <= 0)
			continue;
		if (!fgets(answer, sizeof(answer), stdin))
			break;
		g_strstrip(answer);
		return !g_ascii_strcasecmp(answer, "y") || !g_ascii_strcasecmp(answer, "yes");
	}
	putchar('\n');
	return false;
}

static int add(struct mdc_add_run *run, const char *disk)
{
	int ret = mdc_add_find(run, disk);

	if (!ret)
		ret = check(run);
	if (ret || mdc_add_stop)
		return ret;
	tell_question(run);
	ret = mdc_add_ask(run);
	if (ret || mdc_add_stop)
		return ret;
	tell_plan(run);
	if (run->dry_run)
		return MDC_ADD_EXIT_DONE;
	if (!run->yes && !is_yes())
		return MDC_ADD_EXIT_DECLINED;
	return mdc_add_stop ? MDC_ADD_EXIT_DECLINED : mdc_add_run_mdadm(run);
}

/* How the disk is now, where that is not plain. */
static void tell_end(const struct mdc_add_run *run, int ret)
{
	if (run->json)
		print_json(run, "result", ret);
	else if (run->left)
		fprintf(stderr, "mdclusterctl: %s is NOT as it was found, see above\n",
			run->disk.dev.path);
	else if (run->touched && !run->added)
		mdc_add_tell(run, "%s is as it was found.", run->disk.dev.path);
}

static void mind_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };	/* waits are to end */
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int perform(struct mdc_add_run *run, const char *disk)
{
	int ret;

	mind_signals();
	ret = add(run, disk);
	mdc_keeper_end(&run->keeper);
	tell_end(run, ret);
	if (run->status)
		json_node_unref(run->status);
	g_free(run->node);
	g_free(run->reason);
	/* As any program that Ctrl-C ends, but not before all is as it was. */
	if (mdc_add_stop && !run->left && !run->added) {
		signal(mdc_add_stop, SIG_DFL);
		raise(mdc_add_stop);
	}
	return ret;
}

int mdc_ctl_add(const char *socket, int argc, char **argv)
{
	struct mdc_add_run run = { .socket = socket, .keeper = { .fd = -1 } };
	g_autofree char *keep_dir = NULL;
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &run.dry_run,
		  "Ask the nodes, and leave the disk as it was", NULL },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &run.json,
		  "Print one JSON object a line; needs --yes or --dry-run", NULL },
		{ "keep", 'k', 0, G_OPTION_ARG_FILENAME, &keep_dir,
		  "Directory for what may have to be put back by hand (" MDC_STATEDIR ")", "DIR" },
		{ "yes", 'y', 0, G_OPTION_ARG_NONE, &run.yes,
		  "Add it without asking back, if all nodes see it", NULL },
		{ NULL, 0, 0, 0, NULL, NULL, NULL }
	};
	int rc;

	rc = mdc_ctl_options(entries, "ARRAY DISK", "Adds a disk to a clustered array, once every "
			     "node has found it.", NULL, 2, &argc, &argv);
	if (rc >= 0)
		return rc;
	if (argc != 3) {
		fprintf(stderr, "mdclusterctl: which array and which disk? See 'mdclusterctl add "
			"--help'\n");
		return MDC_CTL_USAGE;
	}
	if (!run.yes && !run.dry_run && (run.json || !isatty(STDIN_FILENO))) {
		fprintf(stderr, "mdclusterctl: nobody can be asked back %s: say --yes, or "
			"--dry-run\n", run.json ? "with --json" : "without a terminal");
		return MDC_CTL_USAGE;
	}
	run.array_text = argv[1];
	run.keep_dir = keep_dir;
	return perform(&run, argv[2]);
}
