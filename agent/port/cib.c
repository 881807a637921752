/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that watches the CIB for us: starts it, reads its snapshots, hands it what is
 * to be written, starts it again.
 * A run is one child; it is counted by its pending reads, so that a run which was given up
 * stays until GIO has handed back each of them, while struct mdc_cib goes on (or is gone).
 */
#include "port/cib.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "core/cibwant.h"
#include "log.h"

#define PAUSE_MAX_S 30
#define HELD_MS 10000		/* a connection this old ends the growing of the pauses */
#define FIRST_S 60		/* sign-on and first query, Pacemaker just starting */
#define GRACE_S 2		/* from the end of the child's output to its exit */

struct run {
	unsigned int refs;
	struct mdc_cib *cib;	/* NULL once the run is given up */
	GSubprocess *child;
	GCancellable *cancel;
	guint timer;		/* until the first snapshot, then until the exit */
	unsigned int open;	/* of: output, errors, exit */
	bool shown;		/* has printed a snapshot */
	bool deaf;		/* takes no requests: about to be given up */
	gint64 since_us;	/* that first one */
	struct mdc_cibtext text;
	char out[4096];
	char err[256];		/* a line of stderr, as far as it has come */
	size_t n_err;
	char chunk[256];
	char reason[256];	/* its last line that was not a note */
};

struct mdc_cib {
	char *program;
	mdc_cib_fn changed;
	void *data;
	GMainContext *context;
	struct run *run;
	GSource *restart;
	unsigned int pause_s;
	bool connected, down_logged, known;
	struct mdc_cibview view;
	uint32_t self;			/* 0: not known */
	struct mdc_cibwant want;
	mdc_cib_failed_fn failed;
	GSource *flush;			/* timer: after a write that failed */
	bool failing;			/* and that has been said */
};

static void start(struct mdc_cib *cib);

static void run_unref(struct run *run)
{
	if (--run->refs > 0)
		return;
	g_clear_object(&run->child);
	g_clear_object(&run->cancel);
	g_free(run);
}

static GSource *after(struct mdc_cib *cib, unsigned int s, GSourceFunc fn, void *data)
{
	GSource *source = g_timeout_source_new_seconds(s);

	g_source_set_callback(source, fn, data, NULL);
	g_source_attach(source, cib->context);
	return source;
}

static void source_end(GSource **source)
{
	if (*source) {
		g_source_destroy(*source);
		g_clear_pointer(source, g_source_unref);
	}
}

static gboolean restart_now(gpointer data)
{
	struct mdc_cib *cib = data;

	g_clear_pointer(&cib->restart, g_source_unref);
	start(cib);
	return G_SOURCE_REMOVE;
}

/* Nothing of the run is waited for any more. The caller says what comes next. */
static void run_give_up(struct run *run)
{
	struct mdc_cib *cib = run->cib;

	run->cib = NULL;
	cib->run = NULL;
	if (run->timer)
		g_source_destroy(g_main_context_find_source_by_id(cib->context, run->timer));
	run->timer = 0;
	g_output_stream_close(g_subprocess_get_stdin_pipe(run->child), NULL, NULL);
	g_subprocess_force_exit(run->child);
	g_cancellable_cancel(run->cancel);
	run_unref(run);
}

static void down(struct mdc_cib *cib, const char *why)
{
	bool was = cib->connected;

	cib->connected = false;
	mdc_cibwant_reset(&cib->want);
	source_end(&cib->flush);
	if (was)
		mdc_warn("lost the connection to Pacemaker: %s; trying again", why);
	else if (!cib->down_logged)
		mdc_warn("no connection to Pacemaker: %s; trying again, at least every %d s",
			 why, PAUSE_MAX_S);
	cib->down_logged = true;
	cib->restart = after(cib, cib->pause_s, restart_now, cib);
	cib->pause_s = MIN(cib->pause_s * 2, PAUSE_MAX_S);
	if (was)
		cib->changed(cib->known ? &cib->view : NULL, false, cib->data);
}

static void run_fail(struct run *run, const char *why)
{
	struct mdc_cib *cib = run->cib;
	char reason[sizeof(run->reason) + 128];

	if (run->shown && g_get_monotonic_time() - run->since_us > HELD_MS * 1000)
		cib->pause_s = 1;
	g_snprintf(reason, sizeof(reason), "%s", why);
	run_give_up(run);
	down(cib, reason);
}

/* The child has ended by itself. */
static void run_ended(struct run *run)
{
	char why[sizeof(run->reason) + 128];

	if (*run->reason)
		g_snprintf(why, sizeof(why), "%s", run->reason);
	else if (g_subprocess_get_if_signaled(run->child))
		g_snprintf(why, sizeof(why), "its watcher mdcluster-cib was ended by signal %d",
			   g_subprocess_get_term_sig(run->child));
	else
		g_snprintf(why, sizeof(why), "its watcher mdcluster-cib ended with status %d",
			   g_subprocess_get_exit_status(run->child));
	run_fail(run, why);
}

static gboolean run_late(gpointer data)
{
	struct run *run = data;

	run->timer = 0;
	run_fail(run, run->deaf ? "its watcher mdcluster-cib takes no requests" :
		 run->shown ? "its watcher mdcluster-cib closed its output but did not end" :
		 "pacemaker-based did not show the cluster in time");
	return G_SOURCE_REMOVE;
}

/* s < 0: none. */
static void run_timer(struct run *run, int s)
{
	GSource *source;

	if (run->timer)
		g_source_destroy(g_main_context_find_source_by_id(run->cib->context, run->timer));
	run->timer = 0;
	if (s < 0)
		return;
	source = after(run->cib, (unsigned int)s, run_late, run);
	run->timer = g_source_get_id(source);
	g_source_unref(source);
}

static gboolean flush_again(gpointer data);

/*
 * Hands over what is due. At most one request a name is under way, so that all of them
 * together have room in a pipe: where one has not, the child does not read.
 */
static void flush(struct mdc_cib *cib)
{
	int64_t now_ms = g_get_monotonic_time() / 1000, again;
	char line[MDC_CIB_LINE_MAX];
	struct mdc_cibask ask;

	source_end(&cib->flush);
	while (cib->connected && cib->run && !cib->run->deaf && cib->self &&
	       mdc_cibwant_next(&cib->want, now_ms, &ask)) {
		GOutputStream *in = g_subprocess_get_stdin_pipe(cib->run->child);
		int len;

		ask.node = cib->self;
		len = mdc_cibask_format(&ask, line);
		if (len < 0 || g_pollable_output_stream_write_nonblocking(
				G_POLLABLE_OUTPUT_STREAM(in), line, (gsize)len, NULL, NULL) != len) {
			/* Later: the caller may be in the middle of what follows from it. */
			cib->run->deaf = true;
			run_timer(cib->run, 0);
			return;
		}
	}
	again = mdc_cibwant_deadline(&cib->want, now_ms);
	if (!cib->connected || again < 0)
		return;
	cib->flush = g_timeout_source_new(again > now_ms ? (guint)(again - now_ms) : 0);
	g_source_set_callback(cib->flush, flush_again, cib, NULL);
	g_source_attach(cib->flush, cib->context);
}

static gboolean flush_again(gpointer data)
{
	flush(data);
	return G_SOURCE_REMOVE;
}

static void answered(struct mdc_cib *cib, const struct mdc_cibanswer *answer)
{
	const char *name = mdc_cibwant_answer(&cib->want, g_get_monotonic_time() / 1000,
					      answer->number, answer->ok);

	if (answer->ok) {
		if (cib->failing)
			mdc_notice("node attributes can be written to the CIB again");
		cib->failing = false;
	} else if (name) {
		if (!cib->failing)
			mdc_warn("cannot write the node attribute %s to the CIB: %s; trying again",
				 name, answer->text);
		cib->failing = true;
		if (cib->failed)
			cib->failed(name, answer->text, cib->data);
	}
	flush(cib);
}

/* One of the three ends: output, errors, exit. */
static void run_closed(struct run *run)
{
	if (--run->open == 0)
		run_ended(run);
	else
		run_timer(run, GRACE_S);
}

static void snapshot(struct run *run)
{
	struct mdc_cib *cib = run->cib;

	memcpy(&cib->view, &run->text.view, sizeof(cib->view));
	cib->known = true;
	if (!run->shown) {
		run->shown = true;
		run->since_us = g_get_monotonic_time();
		run_timer(run, -1);
	}
	if (!cib->connected)
		mdc_info("connected to Pacemaker: %u nodes", cib->view.n_nodes);
	cib->connected = true;
	cib->down_logged = false;
	cib->changed(&cib->view, true, cib->data);
	flush(cib);
}

static void read_out(struct run *run);

/* GIO's callbacks hold a reference of the run each; cib is NULL once it was given up. */
static void out_ready(GObject *stream, GAsyncResult *result, gpointer data)
{
	struct run *run = data;
	gssize n = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, NULL);
	size_t at = 0, used;
	int rc;

	while (run->cib && n > 0 && at < (size_t)n) {
		rc = mdc_cibtext_feed(&run->text, run->out + at, (size_t)n - at, &used);
		at += used;
		if (rc < 0)
			run_fail(run, rc == -E2BIG ?
				 "more nodes or attributes than mdclusterd can hold" :
				 "its watcher mdcluster-cib printed what is not a snapshot");
		else if (rc == 1)
			snapshot(run);
		else if (rc == 2)
			answered(run->cib, &run->text.answer);
	}
	if (run->cib && n > 0)
		read_out(run);
	else if (run->cib)
		run_closed(run);
	run_unref(run);
}

static void read_out(struct run *run)
{
	run->refs++;
	g_input_stream_read_async(g_subprocess_get_stdout_pipe(run->child), run->out,
				  sizeof(run->out), G_PRIORITY_DEFAULT, run->cancel, out_ready,
				  run);
}

/*
 * A line on stderr is why the child ends, or, with "note: " before it, worth a log line
 * now. A line that is too long is cut.
 */
static void err_line(struct run *run)
{
	run->err[run->n_err] = '\0';
	run->n_err = 0;
	if (g_str_has_prefix(run->err, "note: "))
		mdc_warn("Pacemaker: %s", run->err + 6);
	else if (*run->err)
		memcpy(run->reason, run->err, sizeof(run->reason));
}

static void read_err(struct run *run);

static void err_ready(GObject *stream, GAsyncResult *result, gpointer data)
{
	struct run *run = data;
	gssize n = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, NULL);

	for (gssize i = 0; run->cib && i < n; i++) {
		char c = run->chunk[i];

		if (c == '\n')
			err_line(run);
		else if (run->n_err < sizeof(run->err) - 1)
			run->err[run->n_err++] = (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
	}
	if (run->cib && n > 0)
		read_err(run);
	else if (run->cib)
		run_closed(run);
	run_unref(run);
}

static void read_err(struct run *run)
{
	run->refs++;
	g_input_stream_read_async(g_subprocess_get_stderr_pipe(run->child), run->chunk,
				  sizeof(run->chunk), G_PRIORITY_DEFAULT, run->cancel,
				  err_ready, run);
}

static void exited(GObject *child, GAsyncResult *result, gpointer data)
{
	struct run *run = data;

	g_subprocess_wait_finish(G_SUBPROCESS(child), result, NULL);
	if (run->cib)
		run_closed(run);
	run_unref(run);
}

static void start(struct mdc_cib *cib)
{
	const char *argv[] = { cib->program, NULL };
	g_autoptr(GError) error = NULL;
	GSubprocess *child;
	struct run *run;

	g_main_context_push_thread_default(cib->context);
	child = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDIN_PIPE |
				  G_SUBPROCESS_FLAGS_STDOUT_PIPE |
				  G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
	if (!child) {
		down(cib, error->message);
		g_main_context_pop_thread_default(cib->context);
		return;
	}
	run = g_new0(struct run, 1);
	run->refs = 1;
	run->cib = cib;
	run->child = child;
	run->cancel = g_cancellable_new();
	run->open = 3;
	cib->run = run;
	run_timer(run, FIRST_S);
	read_out(run);
	read_err(run);
	run->refs++;
	g_subprocess_wait_async(child, run->cancel, exited, run);
	g_main_context_pop_thread_default(cib->context);
}

struct mdc_cib *mdc_cib_new(const char *program, mdc_cib_fn changed, void *data)
{
	struct mdc_cib *cib = g_new0(struct mdc_cib, 1);

	cib->program = g_strdup(program);
	cib->changed = changed;
	cib->data = data;
	cib->pause_s = 1;
	cib->context = g_main_context_ref_thread_default();
	start(cib);
	return cib;
}

void mdc_cib_free(struct mdc_cib *cib)
{
	if (!cib)
		return;
	if (cib->run)
		run_give_up(cib->run);
	source_end(&cib->restart);
	source_end(&cib->flush);
	g_main_context_unref(cib->context);
	g_free(cib->program);
	g_free(cib);
}

const struct mdc_cibview *mdc_cib_view(const struct mdc_cib *cib, bool *connected)
{
	if (connected)
		*connected = cib->connected;
	return cib->known ? &cib->view : NULL;
}

void mdc_cib_self(struct mdc_cib *cib, uint32_t node)
{
	if (!node || node == cib->self)
		return;
	cib->self = node;
	flush(cib);
}

void mdc_cib_on_failed(struct mdc_cib *cib, mdc_cib_failed_fn failed)
{
	cib->failed = failed;
}

void mdc_cib_set(struct mdc_cib *cib, const char *name, const char *value, unsigned int hold_ms)
{
	int64_t now_ms = g_get_monotonic_time() / 1000;

	if (!mdc_cibwant_set(&cib->want, name, value, now_ms + hold_ms))
		mdc_err("the node attribute %s cannot be written: more of them than mdclusterd can "
			"hold, or not of their form", name);
	flush(cib);
}

void mdc_cib_release(struct mdc_cib *cib)
{
	mdc_cibwant_release(&cib->want);
	flush(cib);
}

void mdc_cib_clear(struct mdc_cib *cib, const char *name)
{
	mdc_cibwant_clear(&cib->want, name);
	flush(cib);
}

void mdc_cib_seen(struct mdc_cib *cib, const char *name, const char *value)
{
	mdc_cibwant_seen(&cib->want, g_get_monotonic_time() / 1000, name, value);
	flush(cib);
}

bool mdc_cib_idle(const struct mdc_cib *cib)
{
	return mdc_cibwant_idle(&cib->want);
}
