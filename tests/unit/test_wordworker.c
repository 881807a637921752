/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that is in the process group, with a libcpg that the test plays: what it tells of the
 * group and sends to it, and when it leaves. It runs in the test's own thread: all that it is
 * to read is there before, and it ends by itself.
 */
#include "unit.h"

#include <corosync/cpg.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "port/wordworker.h"

#define SELF 3

struct bed {
	int pair[2];			/* the test's end, the child's */
	int bell[2];			/* readable: there is something to dispatch */
	void *context;
	cpg_callbacks_t calls;
	unsigned int opens, joins, finals, casts;
	unsigned int busy_joins, busy_casts;	/* how often to say "try again" */
	cs_error_t open_error, join_error, cast_error, dispatch_error;
	void (*dispatch)(void);
	char cast[MDC_WORD_MAX + 1];
};

static struct bed *bed;

/* The child's pauses take no time. */
int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec limit = { .tv_sec = timeout_ms / 1000 };

	return fds ? ppoll(fds, n, timeout_ms < 0 ? NULL : &limit, NULL) : 0;
}

cs_error_t cpg_initialize(cpg_handle_t *handle, cpg_callbacks_t *calls)
{
	*handle = 7;
	bed->opens++;
	bed->calls = *calls;
	return bed->open_error;
}

cs_error_t cpg_finalize(cpg_handle_t handle)
{
	assert_int_equal(handle, 7);
	bed->finals++;
	return CS_OK;
}

cs_error_t cpg_context_set(cpg_handle_t handle, void *context)
{
	(void)handle;
	bed->context = context;
	return CS_OK;
}

cs_error_t cpg_context_get(cpg_handle_t handle, void **context)
{
	(void)handle;
	*context = bed->context;
	return CS_OK;
}

cs_error_t cpg_local_get(cpg_handle_t handle, unsigned int *node)
{
	(void)handle;
	*node = SELF;
	return CS_OK;
}

cs_error_t cpg_fd_get(cpg_handle_t handle, int *fd)
{
	(void)handle;
	*fd = bed->bell[0];
	return CS_OK;
}

cs_error_t cpg_join(cpg_handle_t handle, const struct cpg_name *group)
{
	(void)handle;
	assert_int_equal(group->length, 9);
	assert_memory_equal(group->value, "mdcluster", 9);
	bed->joins++;
	if (bed->busy_joins) {
		bed->busy_joins--;
		return CS_ERR_TRY_AGAIN;
	}
	return bed->join_error;
}

cs_error_t cpg_mcast_joined(cpg_handle_t handle, cpg_guarantee_t guarantee,
			    const struct iovec *iov, unsigned int n)
{
	(void)handle;
	assert_int_equal(guarantee, CPG_TYPE_AGREED);
	assert_int_equal(n, 1);
	bed->casts++;
	if (bed->busy_casts) {
		bed->busy_casts--;
		return CS_ERR_TRY_AGAIN;
	}
	memcpy(bed->cast, iov->iov_base, iov->iov_len);
	bed->cast[iov->iov_len] = '\0';
	return bed->cast_error;
}

cs_error_t cpg_dispatch(cpg_handle_t handle, cs_dispatch_flags_t flags)
{
	char byte;

	(void)handle;
	assert_int_equal(flags, CS_DISPATCH_ALL);
	assert_int_equal(read(bed->bell[0], &byte, 1), 1);
	if (bed->dispatch)
		bed->dispatch();
	return bed->dispatch_error;
}

static int setup(void **state)
{
	static struct bed fresh;

	(void)state;
	bed = &fresh;
	memset(bed, 0, sizeof(*bed));
	bed->open_error = bed->join_error = bed->cast_error = bed->dispatch_error = CS_OK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, bed->pair) || pipe(bed->bell))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (bed->pair[0] >= 0)
		close(bed->pair[0]);
	close(bed->pair[1]);
	close(bed->bell[0]);
	close(bed->bell[1]);
	return 0;
}

static void ring(void)
{
	assert_int_equal(write(bed->bell[1], "", 1), 1);
}

static void tells(enum mdc_wordnews_kind kind, uint32_t node, uint32_t pid, const char *text)
{
	struct mdc_wordnews news;

	assert_int_equal(recv(bed->pair[0], &news, sizeof(news), MSG_DONTWAIT), sizeof(news));
	assert_int_equal(news.kind, kind);
	assert_int_equal(news.node, node);
	assert_int_equal(news.pid, pid);
	assert_int_equal(news.len, text ? strlen(text) : 0);
	if (text)
		assert_memory_equal(news.text, text, news.len);
}

static void tells_nothing(void)
{
	char byte;

	assert_int_equal(recv(bed->pair[0], &byte, 1, MSG_DONTWAIT), -1);
}

static void said(uint32_t node, uint32_t pid, const char *text, size_t len)
{
	char copy[2 * MDC_WORD_MAX];

	memcpy(copy, text, len);
	bed->calls.cpg_deliver_fn(7, NULL, node, pid, copy, len);
}

static void group_life(void)
{
	struct cpg_address left[2] = { { .nodeid = 5, .pid = 50 }, { .nodeid = SELF, .pid = 1 } };
	struct cpg_address joined[1] = { { .nodeid = 4, .pid = 40 } };
	static char big[2 * MDC_WORD_MAX];

	bed->calls.cpg_confchg_fn(7, NULL, NULL, 0, left, 2, joined, 1);
	bed->calls.cpg_confchg_fn(7, NULL, NULL, 0, left, 1, NULL, 0);
	said(4, 40, "word", 4);
	said(SELF, (uint32_t)getpid(), "own", 3);
	/* One that a killed mdclusterd has left behind. */
	said(SELF, (uint32_t)getpid() + 1, "own", 3);
	memset(big, 'x', sizeof(big));
	said(4, 40, big, sizeof(big));
}

static void test_hands_on(void **state)
{
	struct mdc_wordnews news;

	(void)state;
	bed->dispatch = group_life;
	bed->dispatch_error = CS_ERR_LIBRARY;	/* the end of this corosync */
	ring();
	mdc_wordworker_run(bed->pair[1], NULL);
	tells(MDC_NEWS_LEFT, 5, 50, NULL);
	tells(MDC_NEWS_LEFT, SELF, 1, NULL);
	tells(MDC_NEWS_JOINED, SELF, 0, NULL);
	tells(MDC_NEWS_LEFT, 5, 50, NULL);
	tells(MDC_NEWS_SAID, 4, 40, "word");
	tells(MDC_NEWS_ECHO, SELF, (uint32_t)getpid(), NULL);
	assert_int_equal(recv(bed->pair[0], &news, sizeof(news), MSG_DONTWAIT), sizeof(news));
	assert_true(news.len > sizeof(news.text));
	tells_nothing();
	assert_int_equal(bed->finals, 1);
}

static void end_next(void)
{
	bed->dispatch_error = CS_ERR_LIBRARY;
}

static void test_says(void **state)
{
	(void)state;
	bed->busy_joins = 2;
	bed->busy_casts = 2;
	bed->dispatch = end_next;
	assert_int_equal(send(bed->pair[0], "hello", 5, 0), 5);
	ring();
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->joins, 3);
	assert_int_equal(bed->casts, 3);
	assert_string_equal(bed->cast, "hello");
	assert_int_equal(bed->finals, 1);
}

/* A word that does not get out: it leaves, so that nobody goes on with the one before. */
static void test_leaves(void **state)
{
	(void)state;
	bed->cast_error = CS_ERR_NO_RESOURCES;
	assert_int_equal(send(bed->pair[0], "hello", 5, 0), 5);
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->casts, 1);
	assert_int_equal(bed->finals, 1);
	bed->cast_error = CS_OK;
	bed->busy_casts = 1000000;
	assert_int_equal(send(bed->pair[0], "hello", 5, 0), 5);
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->casts, 101);
	assert_int_equal(bed->finals, 2);
}

/* mdclusterd has ended: also while corosync is not there, or is busy. */
static void test_ends(void **state)
{
	(void)state;
	close(bed->pair[0]);
	bed->pair[0] = -1;
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->finals, 1);
	bed->open_error = CS_ERR_LIBRARY;
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->opens, 2);
	assert_int_equal(bed->finals, 1);
	bed->open_error = CS_OK;
	bed->join_error = CS_ERR_ACCESS;
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->joins, 2);
	assert_int_equal(bed->finals, 2);
	/* It would hear of the group, and has nobody to tell. */
	bed->join_error = CS_OK;
	bed->dispatch = group_life;
	ring();
	mdc_wordworker_run(bed->pair[1], NULL);
	assert_int_equal(bed->finals, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_hands_on), TEST(test_says), TEST(test_leaves), TEST(test_ends),
	};

	return cmocka_run_group_tests_name("wordworker", tests, NULL, NULL);
}
