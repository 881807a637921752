/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the child that is in the group, this node's own words and what it has heard. A child that
 * ends, or does not get a word out in time, is replaced after a pause: until then the others
 * have forgotten this node's words, and it theirs.
 */
#include "port/words.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "port/wordworker.h"
#include "port/worker.h"

#define PAUSE_S 2
#define PAUSE_MAX_S 30
#define HELD_S 60		/* a membership this old ends the growing of the pauses */
#define ECHO_MS 15000		/* longer than the nodes take to agree on who is left */
#define SLOW_MS 300		/* ... and than any word takes while nobody comes or goes */

enum bad { BAD_VERSION, BAD_FORM, BAD_MANY, BAD_COUNT };

struct mdc_words {
	struct mdc_heard heard;
	GHashTable *own;		/* name -> value; empty: gone */
	mdc_words_fn changed;
	void *data;
	pid_t pid;
	int fd;
	bool joined;
	guint io, child, restart;
	unsigned int pause_s;
	gint64 since_us;		/* joined since */
	unsigned int awaited;		/* words on their way to the group */
	guint late;			/* timer, while there are any */
	unsigned int dropped;
	bool said[BAD_COUNT];
};

static void start(struct mdc_words *words);

static gboolean restart(gpointer data)
{
	struct mdc_words *words = data;

	words->restart = 0;
	start(words);
	return G_SOURCE_REMOVE;
}

static void pause_first(struct mdc_words *words)
{
	words->restart = g_timeout_add_seconds(words->pause_s, restart, words);
	words->pause_s = MIN(words->pause_s * 2, PAUSE_MAX_S);
}

static void hang_up(struct mdc_words *words)
{
	g_clear_handle_id(&words->io, g_source_remove);
	g_clear_handle_id(&words->late, g_source_remove);
	words->awaited = 0;
	if (words->fd >= 0)
		close(words->fd);
	words->fd = -1;
}

/* It leaves the group by that, and ended() comes next. */
static void give_up(struct mdc_words *words)
{
	kill(words->pid, SIGKILL);
	hang_up(words);
}

static void ended(GPid pid, gint status, gpointer data)
{
	struct mdc_words *words = data;

	(void)pid;
	words->child = 0;
	hang_up(words);
	if (words->joined)
		mdc_warn("no longer in corosync's process group \"" MDC_WORDS_GROUP "\" (status "
			 "%d): until this node has joined it again, an add is decided through the "
			 "CIB alone, which takes longer", status);
	if (words->joined && g_get_monotonic_time() - words->since_us > HELD_S * G_USEC_PER_SEC)
		words->pause_s = PAUSE_S;
	words->joined = false;
	pause_first(words);
	if (!words->heard.n)
		return;
	words->heard.n = 0;
	words->changed(MDC_WORDS_LOST, NULL, words->data);
}

static gboolean late(gpointer data)
{
	struct mdc_words *words = data;

	words->late = 0;
	mdc_warn("a word of this node is on its way through corosync for more than %d s",
		 ECHO_MS / 1000);
	give_up(words);
	return G_SOURCE_REMOVE;
}

/* What has come, as after this process was stopped for a while, is read first. */
static void await(struct mdc_words *words, guint ms, GSourceFunc then)
{
	words->late = g_timeout_add_full(G_PRIORITY_LOW, ms, then, words, NULL);
}

static gboolean slow(gpointer data)
{
	struct mdc_words *words = data;

	await(words, ECHO_MS - SLOW_MS, late);
	words->changed(MDC_WORDS_SLOW, NULL, words->data);
	return G_SOURCE_REMOVE;
}

static void send_word(struct mdc_words *words, const char *name, const char *value)
{
	char text[MDC_WORD_MAX];
	int len = mdc_word_format(text, name, value);

	if (len < 0 || words->fd < 0)
		return;
	if (send(words->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
		if (errno == EAGAIN)
			mdc_warn("corosync does not take this node's words");
		give_up(words);
		return;
	}
	words->awaited++;
	if (!words->late)
		await(words, SLOW_MS, slow);
}

static void say_all(struct mdc_words *words)
{
	GHashTableIter iter;
	gpointer name, value;

	if (!words->joined) {
		words->joined = true;
		words->since_us = g_get_monotonic_time();
		mdc_info("joined corosync's process group \"" MDC_WORDS_GROUP "\"");
	}
	g_hash_table_iter_init(&iter, words->own);
	while (g_hash_table_iter_next(&iter, &name, &value))
		send_word(words, name, value);
}

static void echo(struct mdc_words *words)
{
	if (!words->awaited)
		return;
	g_clear_handle_id(&words->late, g_source_remove);
	if (--words->awaited)
		await(words, SLOW_MS, slow);
	else
		words->changed(MDC_WORDS_OUT, NULL, words->data);
}

static void drop(struct mdc_words *words, enum bad bad, uint32_t node)
{
	static const char *const what[BAD_COUNT] = {
		[BAD_VERSION] = "is another version's: the nodes run different versions of mdclusterd",
		[BAD_FORM] = "is not of the form",
		[BAD_MANY] = "is of one attribute more than can be kept",
	};

	words->dropped++;
	if (words->said[bad])
		return;
	words->said[bad] = true;
	mdc_warn("node %u: a message in corosync's process group \"" MDC_WORDS_GROUP "\" %s. An add "
		 "is decided through the CIB instead; more of them are counted in mdclusterctl "
		 "status --json", node, what[bad]);
}

static void said(struct mdc_words *words, const struct mdc_wordnews *news)
{
	struct mdc_word word;
	int ret = news->len > sizeof(news->text) ? -EINVAL :
		  mdc_word_parse(&word, news->text, news->len);

	if (ret) {
		drop(words, ret == -EPROTONOSUPPORT ? BAD_VERSION : BAD_FORM, news->node);
		if (mdc_heard_forget(&words->heard, news->node, news->pid))
			words->changed(MDC_WORDS_LOST, NULL, words->data);
		return;
	}
	ret = mdc_heard_take(&words->heard, news->node, news->pid, &word);
	if (ret < 0)
		drop(words, BAD_MANY, news->node);
	else if (ret)
		words->changed(MDC_WORDS_SAID, word.name, words->data);
}

static gboolean readable(gint fd, GIOCondition cond, gpointer data)
{
	struct mdc_words *words = data;
	struct mdc_wordnews news;
	ssize_t n = recv(fd, &news, sizeof(news), MSG_DONTWAIT);

	(void)cond;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != (ssize_t)sizeof(news)) {
		/* It has ended, or what it tells is of no use. */
		give_up(words);
		return G_SOURCE_REMOVE;
	}
	switch (news.kind) {
	case MDC_NEWS_JOINED:
		say_all(words);
		break;
	case MDC_NEWS_LEFT:
		if (mdc_heard_forget(&words->heard, news.node, news.pid))
			words->changed(MDC_WORDS_LOST, NULL, words->data);
		break;
	case MDC_NEWS_SAID:
		said(words, &news);
		break;
	case MDC_NEWS_ECHO:
		echo(words);
		break;
	}
	return words->io ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void start(struct mdc_words *words)
{
	pid_t pid = mdc_worker_fork(mdc_wordworker_run, NULL, true, &words->fd);

	if (pid < 0) {
		mdc_err("cannot start the process that carries words to the other nodes: %s",
			strerror(-pid));
		words->fd = -1;
		pause_first(words);
		return;
	}
	words->pid = pid;
	words->io = g_unix_fd_add(words->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, words);
	words->child = g_child_watch_add(pid, ended, words);
}

struct mdc_words *mdc_words_new(mdc_words_fn changed, void *data)
{
	struct mdc_words *words = g_new0(struct mdc_words, 1);

	words->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	words->changed = changed;
	words->data = data;
	words->pause_s = PAUSE_S;
	words->fd = -1;
	start(words);
	return words;
}

void mdc_words_free(struct mdc_words *words)
{
	if (!words)
		return;
	g_clear_handle_id(&words->restart, g_source_remove);
	if (words->child) {
		kill(words->pid, SIGKILL);
		g_clear_handle_id(&words->child, g_source_remove);
	}
	hang_up(words);
	g_hash_table_unref(words->own);
	g_free(words);
}

void mdc_words_say(struct mdc_words *words, const char *name, const char *value)
{
	if (!value)
		value = "";
	if (!g_strcmp0(g_hash_table_lookup(words->own, name), value))
		return;
	g_hash_table_replace(words->own, g_strdup(name), g_strdup(value));
	if (words->joined)
		send_word(words, name, value);
}

void mdc_words_begin(struct mdc_words *words, const char *name)
{
	if (!g_hash_table_contains(words->own, name))
		mdc_words_say(words, name, NULL);
}

bool mdc_words_out(const struct mdc_words *words)
{
	return words->joined && !words->awaited;
}

const struct mdc_heard *mdc_words_heard(const struct mdc_words *words)
{
	return &words->heard;
}

bool mdc_words_joined(const struct mdc_words *words, unsigned int *dropped)
{
	*dropped = words->dropped;
	return words->joined;
}
