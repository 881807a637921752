/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdcluster-cib: the one program that links Pacemaker's libraries. Signs on to the CIB,
 * prints the cluster's view at each change, writes the attributes that it is asked for on
 * its standard input (README.md), and ends when it cannot go on or that is closed. It may block in
 * libcib: SIGALRM is the bound for that, and mdclusterd, its parent, does not wait for it.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib-unix.h>

#include <crm/cib.h>
#include <crm/common/results.h>
#include <crm/common/xml.h>

#include "core/cibask.h"
#include "core/cibpatch.h"
#include "core/cibxml.h"
#include "core/gather.h"

#define CALL_S 10		/* one query, one write */
#define SIGNON_S 20		/* sign-on and what goes with it */
#define TEXT_MAX (1024 * 1024)
/*
 * What Pacemaker (2.1.6 on) knows as a program that writes node attributes and nothing else. After a
 * write by a name that it does not know, pacemaker-attrd writes all of its attributes anew, and the
 * controllers elect a DC.
 */
#define CLIENT "attrd_updater"

struct watch {
	GMainLoop *loop;
	cib_t *cib;
	guint timer;
	int status;
	bool ending;		/* signing off: losing the connection is no news */
	bool shown, told_left_out;
	struct mdc_gather gather;
	struct mdc_cibasks asks;
	struct mdc_cibseen seen;
	struct mdc_cibview view, last;
	char text[TEXT_MAX];
};

/* libcib's notifications carry no data of the caller's, so they find it here. */
static struct watch *watch;

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "%s%s%s\n", what, why ? ": " : "", why ? why : "");
	watch->status = EXIT_FAILURE;
	g_main_loop_quit(watch->loop);
}

static void on_alarm(int sig)
{
	static const char text[] = "pacemaker-based does not answer\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)sig;
	(void)n;
	_exit(EXIT_FAILURE);
}

/* Returns false, and has said why, when the parent cannot be told. */
static bool print_view(void)
{
	int len = mdc_cibview_format(&watch->view, watch->text, sizeof(watch->text));

	if (len < 0 || fwrite(watch->text, 1, (size_t)len, stdout) != (size_t)len ||
	    fflush(stdout) != 0) {
		give_up("cannot print the cluster's state", len < 0 ? NULL : strerror(errno));
		return false;
	}
	return true;
}

static int64_t now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static void show(void)
{
	if (watch->shown && mdc_cibview_equal(&watch->view, &watch->last))
		return;
	if (!print_view())
		return;
	memcpy(&watch->last, &watch->view, sizeof(watch->last));
	watch->shown = true;
}

static void look(void)
{
	unsigned int left_out = 0;
	xmlNode *output = NULL;
	int rc;

	alarm(CALL_S + 5);
	rc = watch->cib->cmds->query(watch->cib, NULL, &output, cib_sync_call | cib_scope_local);
	alarm(0);
	mdc_gather_looked(&watch->gather, now_ms());
	if (rc != pcmk_ok || mdc_cibxml_view(output, &watch->view, &left_out) < 0) {
		give_up("cannot query the CIB", rc != pcmk_ok ? pcmk_strerror(rc) :
			"the answer is not a CIB");
		free_xml(output);
		return;
	}
	mdc_cibseen_queried(&watch->seen, output);
	free_xml(output);
	if (left_out > 0 && !watch->told_left_out)
		fprintf(stderr, "note: %u nodes, attributes or instances have names or values "
			"that mdcluster cannot take; they were left out\n", left_out);
	watch->told_left_out = left_out > 0;
	show();
}

static gboolean gathered(gpointer data)
{
	(void)data;
	watch->timer = 0;
	look();
	return G_SOURCE_REMOVE;
}

/* An attribute may be what another node's writers wait for: it is shown without a query. */
static void changed(const char *event, xmlNode *msg)
{
	enum mdc_cibnews news = mdc_cibpatch_apply(msg, &watch->seen, &watch->view);

	(void)event;
	if (news == MDC_CIBNEWS_VIEW)
		show();
	if (news == MDC_CIBNEWS_QUERY && watch->timer == 0)
		watch->timer = g_timeout_add(mdc_gather_wait(&watch->gather, now_ms()), gathered,
					     NULL);
}

static void lost(gpointer data)
{
	(void)data;
	if (!watch->ending)
		give_up("Pacemaker closed the connection", NULL);
}

static void answer(const struct mdc_cibask *ask, int rc)
{
	char text[MDC_CIB_ANSWER_MAX], *c;

	if (rc == pcmk_ok) {
		printf("done %u\n", ask->number);
	} else {
		g_strlcpy(text, pcmk_strerror(rc), sizeof(text));
		for (c = text; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
		printf("failed %u %s\n", ask->number, *text ? text : "?");
	}
	if (fflush(stdout) != 0)
		give_up("cannot answer mdclusterd", strerror(errno));
}

/*
 * As this node's own attribute, and not through pacemaker-attrd, which cannot be reached from
 * within a program: other nodes' writers may be waiting for it.
 */
static void write_attr(const struct mdc_cibask *ask)
{
	xmlDoc *doc = mdc_cibxml_ask(ask);
	int rc = -ENOMEM;

	alarm(CALL_S + 5);
	if (doc && ask->set)
		rc = watch->cib->cmds->modify(watch->cib, "status", xmlDocGetRootElement(doc),
					      cib_sync_call | cib_can_create);
	else if (doc)
		rc = watch->cib->cmds->remove(watch->cib, "status", xmlDocGetRootElement(doc),
					      cib_sync_call);
	alarm(0);
	if (doc)
		xmlFreeDoc(doc);
	if (!ask->set && rc == -ENXIO)
		rc = pcmk_ok;		/* it was not there */
	answer(ask, rc < 0 ? rc : pcmk_ok);
}

static gboolean on_stdin(gint fd, GIOCondition condition, gpointer data)
{
	struct mdc_cibask ask;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	(void)condition;
	(void)data;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return G_SOURCE_CONTINUE;
	if (n > 0 && mdc_cibasks_feed(&watch->asks, bytes, (size_t)n) == 0) {
		while (watch->status == EXIT_SUCCESS && mdc_cibasks_next(&watch->asks, &ask))
			write_attr(&ask);
		return G_SOURCE_CONTINUE;
	}
	if (n > 0)
		give_up("mdclusterd asked for what is not a request", NULL);
	g_main_loop_quit(watch->loop);
	return G_SOURCE_REMOVE;
}

static int sign_on(void)
{
	cib_t *cib = watch->cib;
	int rc;

	alarm(SIGNON_S);
	cib->call_timeout = CALL_S;
	rc = cib->cmds->signon(cib, CLIENT, cib_command);
	if (rc == pcmk_ok)
		rc = cib->cmds->set_connection_dnotify(cib, lost);
	if (rc == pcmk_ok)
		rc = cib->cmds->add_notify_callback(cib, "cib_diff_notify", changed);
	alarm(0);
	if (rc != pcmk_ok)
		give_up("cannot sign on to pacemaker-based", pcmk_strerror(rc));
	return rc;
}

/* These would have libcib read a file or another host instead of this cluster. */
static void clean_environment(void)
{
	static const char *const names[] = { "CIB_file", "CIB_shadow", "CIB_server",
					     "CIB_port", "CIB_user", "CIB_passwd",
					     "CIB_encrypted" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		unsetenv(names[i]);
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("mdcluster-cib (mdcluster) %s\n", VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 1) {
		fprintf(stderr, "mdcluster-cib is run by mdclusterd, without arguments\n");
		return EXIT_FAILURE;
	}
	clean_environment();
	/* mdclusterd is preferred, and nobody waits for this one in a hurry. */
	(void)setpriority(PRIO_PROCESS, 0, 0);
	signal(SIGALRM, on_alarm);
	watch = g_new0(struct watch, 1);
	watch->loop = g_main_loop_new(NULL, FALSE);
	watch->cib = cib_new();
	if (!watch->cib) {
		fprintf(stderr, "libcib gives no handle\n");
		return EXIT_FAILURE;
	}
	g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stdin, NULL);
	if (sign_on() == pcmk_ok)
		look();
	if (watch->status == EXIT_SUCCESS)
		g_main_loop_run(watch->loop);
	watch->ending = true;
	watch->cib->cmds->signoff(watch->cib);
	cib_delete(watch->cib);
	g_main_loop_unref(watch->loop);
	status = watch->status;
	g_free(watch);
	return status;
}
