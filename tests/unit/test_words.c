/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port/words.c with a process that does nothing in the child's place; the test is at its end of
 * the pair and plays corosync. Only what is slow waits for a time.
 */
#include "unit.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "port/words.h"
#include "port/wordworker.h"
#include "port/worker.h"

#define ADD "mdcluster-raid-add"
#define FOUND "found:vdd:2:0a1b2c3d:1.7"
#define LOOKING "looking:2:0a1b2c3d:1.7"
#define BOUND_S 20		/* a child that was killed is gone by then */

struct bed {
	struct mdc_words *words;
	int fd;				/* the child's end */
	unsigned int forks;
	GString *did;
};

static struct bed *bed;

void mdc_wordworker_run(int fd, const void *data)
{
	(void)fd;
	(void)data;
}

pid_t mdc_worker_fork(void (*fn)(int fd, const void *data), const void *data,
		      bool die_with_parent, int *fd)
{
	int pair[2];
	pid_t pid;

	(void)data;
	assert_ptr_equal(fn, mdc_wordworker_run);
	assert_true(die_with_parent);
	bed->forks++;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (!pid) {
		alarm(BOUND_S);
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	*fd = pair[0];
	bed->fd = pair[1];
	return pid;
}

static void changed(enum mdc_words_what what, const char *name, void *data)
{
	static const char *const words[] = {
		[MDC_WORDS_SAID] = "said ", [MDC_WORDS_OUT] = "out",
		[MDC_WORDS_SLOW] = "slow", [MDC_WORDS_LOST] = "lost",
	};

	assert_ptr_equal(data, bed);
	assert_int_equal(!name, what != MDC_WORDS_SAID);
	g_string_append_printf(bed->did, "%s%s\n", words[what], name ? name : "");
}

static void on_log(enum mdc_level level, const char *text, void *data)
{
	(void)data;
	g_string_append_printf(bed->did, "%s %.30s\n", mdc_level_name(level), text);
}

static int setup(void **state)
{
	(void)state;
	bed = g_new0(struct bed, 1);
	bed->did = g_string_new(NULL);
	mdc_log_sink(on_log, NULL);
	bed->words = mdc_words_new(changed, bed);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mdc_words_free(bed->words);
	mdc_log_sink(NULL, NULL);
	close(bed->fd);
	g_string_free(bed->did, TRUE);
	g_free(bed);
	return 0;
}

#define DID(text) \
	do { \
		assert_string_equal(bed->did->str, text); \
		g_string_truncate(bed->did, 0); \
	} while (0)

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void news(enum mdc_wordnews_kind kind, uint32_t node, uint32_t pid, const char *text)
{
	struct mdc_wordnews n = { .kind = kind, .node = node, .pid = pid };

	if (text) {
		n.len = (uint32_t)strlen(text);
		memcpy(n.text, text, n.len);
	}
	assert_int_equal(send(bed->fd, &n, sizeof(n), 0), sizeof(n));
	turn();
}

/* The next word that the child is to send. */
static void sent(const char *want)
{
	char text[MDC_WORD_MAX + 1];
	ssize_t n = recv(bed->fd, text, MDC_WORD_MAX, 0);

	if (!want) {
		assert_true(n <= 0);
		return;
	}
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static bool joined(void)
{
	unsigned int dropped;

	return mdc_words_joined(bed->words, &dropped);
}

static unsigned int dropped(void)
{
	unsigned int n;

	mdc_words_joined(bed->words, &n);
	return n;
}

static void test_says(void **state)
{
	(void)state;
	/* Not before it is in the group, and then the newest only. */
	mdc_words_say(bed->words, ADD, LOOKING);
	mdc_words_say(bed->words, ADD, FOUND);
	sent(NULL);
	assert_false(joined());
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	assert_true(joined());
	DID("info joined corosync's process grou\n");
	sent("1 " ADD " " FOUND);
	sent(NULL);
	mdc_words_say(bed->words, ADD, FOUND);
	sent(NULL);
	mdc_words_say(bed->words, ADD, LOOKING);
	sent("1 " ADD " " LOOKING);
	/* Another node has joined: it knows nothing. */
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	sent("1 " ADD " " LOOKING);
	mdc_words_say(bed->words, ADD, NULL);
	sent("1 " ADD " gone");
	mdc_words_say(bed->words, ADD, NULL);
	sent(NULL);
	/* That it has nothing to say tells that it is there. */
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	sent("1 " ADD " gone");
	DID("");
}

static void test_hears(void **state)
{
	const struct mdc_heard *heard = mdc_words_heard(bed->words);

	(void)state;
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	g_string_truncate(bed->did, 0);
	news(MDC_NEWS_SAID, 2, 100, "1 " ADD " " LOOKING);
	DID("said " ADD "\n");
	news(MDC_NEWS_SAID, 2, 100, "1 " ADD " " LOOKING);
	DID("");
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->words[0].node, 2);
	assert_string_equal(heard->words[0].word.value, LOOKING);
	news(MDC_NEWS_LEFT, 2, 99, NULL);
	DID("");
	news(MDC_NEWS_LEFT, 2, 100, NULL);
	DID("lost\n");
	assert_int_equal(heard->n, 0);
}

static void test_comes_round(void **state)
{
	(void)state;
	mdc_words_begin(bed->words, ADD);
	assert_false(mdc_words_out(bed->words));
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	sent("1 " ADD " gone");
	g_string_truncate(bed->did, 0);
	mdc_words_say(bed->words, ADD, FOUND);
	sent("1 " ADD " " FOUND);
	/* It has said something already. */
	mdc_words_begin(bed->words, ADD);
	sent(NULL);
	news(MDC_NEWS_ECHO, 1, 0, NULL);
	DID("");
	assert_false(mdc_words_out(bed->words));
	news(MDC_NEWS_ECHO, 1, 0, NULL);
	DID("out\n");
	assert_true(mdc_words_out(bed->words));
	/* One that was not asked for. */
	news(MDC_NEWS_ECHO, 1, 0, NULL);
	DID("");
}

/* The group stands still: nothing is lost by that yet. */
static void test_slow(void **state)
{
	gint64 until = g_get_monotonic_time() + BOUND_S * G_USEC_PER_SEC;

	(void)state;
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	g_string_truncate(bed->did, 0);
	mdc_words_say(bed->words, ADD, FOUND);
	while (!bed->did->len && g_get_monotonic_time() < until)
		g_main_context_iteration(NULL, TRUE);
	DID("slow\n");
	assert_true(joined());
	news(MDC_NEWS_ECHO, 1, 0, NULL);
	DID("out\n");
}

/* What cannot be read may have been meant to replace what was heard. */
static void test_unreadable(void **state)
{
	struct mdc_wordnews cut = { .kind = MDC_NEWS_SAID, .node = 2, .pid = 100,
				    .len = sizeof(cut.text) + 1 };
	(void)state;
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	news(MDC_NEWS_SAID, 2, 100, "1 " ADD " " LOOKING);
	news(MDC_NEWS_SAID, 3, 100, "1 " ADD " " LOOKING);
	g_string_truncate(bed->did, 0);
	news(MDC_NEWS_SAID, 2, 100, "1 " ADD " nonsense");
	DID("warning node 2: a message in corosync'\nlost\n");
	assert_int_equal(mdc_words_heard(bed->words)->n, 1);
	/* Once a kind. */
	assert_int_equal(send(bed->fd, &cut, sizeof(cut), 0), sizeof(cut));
	turn();
	DID("");
	news(MDC_NEWS_SAID, 2, 100, "2 " ADD " " LOOKING);
	news(MDC_NEWS_SAID, 3, 100, "2 " ADD " " LOOKING);
	DID("warning node 2: a message in corosync'\nlost\n");
	assert_int_equal(dropped(), 4);
}

/* Until the child has ended; that is what everybody else sees as well. */
static void wait_end(void)
{
	gint64 until = g_get_monotonic_time() + BOUND_S * G_USEC_PER_SEC;

	while (joined() && g_get_monotonic_time() < until)
		g_main_context_iteration(NULL, TRUE);
	assert_false(joined());
}

/* What was heard may be old from then on. */
static void test_lost(void **state)
{
	(void)state;
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	news(MDC_NEWS_SAID, 2, 100, "1 " ADD " " LOOKING);
	g_string_truncate(bed->did, 0);
	/* Not what a child sends: it is not believed any more. */
	assert_int_equal(send(bed->fd, "x", 1, 0), 1);
	wait_end();
	DID("warning no longer in corosync's proces\nlost\n");
	assert_int_equal(mdc_words_heard(bed->words)->n, 0);
	mdc_words_say(bed->words, ADD, LOOKING);
	sent(NULL);
}

/* Nobody reads, until the socket is full: the child hangs, and is killed. */
static void test_hangs(void **state)
{
	(void)state;
	news(MDC_NEWS_JOINED, 1, 0, NULL);
	g_string_truncate(bed->did, 0);
	for (unsigned int i = 0; i < 100000 && !bed->did->len; i++)
		mdc_words_say(bed->words, ADD, i % 2 ? LOOKING : FOUND);
	DID("warning corosync does not take this no\n");
	mdc_words_say(bed->words, ADD, NULL);
	wait_end();
	DID("warning no longer in corosync's proces\n");
	assert_int_equal(bed->forks, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_says), TEST(test_hears), TEST(test_comes_round), TEST(test_slow),
		TEST(test_unreadable), TEST(test_lost), TEST(test_hangs),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
