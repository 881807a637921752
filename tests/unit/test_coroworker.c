/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that asks corosync, with libraries that the test plays: what it tells of one that is
 * there, is not there, or is there and says to try again. It runs in the test's own thread, and
 * is told to end after a number of waits.
 */
#include "unit.h"

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/coroworker.h"

#define SELF 3
#define WAITS_MAX 128

struct bed {
	int pair[2];			/* the test's end, the child's */
	unsigned int opens, finals;	/* of quorum and cpg together */
	unsigned int busy_quorum, busy_cpg;	/* how often to say "try again" */
	cs_error_t open_error;
	int quorate;
	unsigned int lost_after;	/* the wait after which corosync is gone, from 1; 0: never */
	bool lost;
	unsigned int waits_left, n_waits;
	int waits[WAITS_MAX];
};

static struct bed *bed;

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	assert_int_equal(n, 2);
	assert_true(bed->n_waits < WAITS_MAX);
	bed->waits[bed->n_waits++] = timeout_ms;
	bed->lost = bed->n_waits == bed->lost_after;
	fds[0].revents = --bed->waits_left ? 0 : POLLIN;
	fds[1].revents = 0;
	return !bed->waits_left;
}

cs_error_t quorum_initialize(quorum_handle_t *handle, quorum_callbacks_t *calls, uint32_t *type)
{
	assert_non_null(calls->quorum_notify_fn);
	*handle = 5;
	*type = QUORUM_SET;
	if (bed->open_error != CS_OK)
		return bed->open_error;
	if (bed->busy_quorum) {
		bed->busy_quorum--;
		return CS_ERR_TRY_AGAIN;
	}
	bed->opens++;
	return CS_OK;
}

cs_error_t quorum_finalize(quorum_handle_t handle)
{
	assert_int_equal(handle, 5);
	bed->finals++;
	return CS_OK;
}

cs_error_t quorum_fd_get(quorum_handle_t handle, int *fd)
{
	assert_int_equal(handle, 5);
	*fd = bed->pair[1];
	return CS_OK;
}

cs_error_t quorum_trackstart(quorum_handle_t handle, unsigned int flags)
{
	assert_int_equal(handle, 5);
	assert_int_equal(flags, CS_TRACK_CHANGES);
	return CS_OK;
}

cs_error_t quorum_dispatch(quorum_handle_t handle, cs_dispatch_flags_t flags)
{
	assert_int_equal(handle, 5);
	assert_int_equal(flags, CS_DISPATCH_ALL);
	return bed->lost ? CS_ERR_LIBRARY : CS_OK;
}

cs_error_t quorum_getquorate(quorum_handle_t handle, int *quorate)
{
	assert_int_equal(handle, 5);
	*quorate = bed->quorate;
	return CS_OK;
}

cs_error_t cpg_initialize(cpg_handle_t *handle, cpg_callbacks_t *calls)
{
	(void)calls;
	*handle = 7;
	if (bed->busy_cpg) {
		bed->busy_cpg--;
		return CS_ERR_TRY_AGAIN;
	}
	bed->opens++;
	return CS_OK;
}

cs_error_t cpg_finalize(cpg_handle_t handle)
{
	assert_int_equal(handle, 7);
	bed->finals++;
	return CS_OK;
}

cs_error_t cpg_local_get(cpg_handle_t handle, unsigned int *node)
{
	assert_int_equal(handle, 7);
	*node = SELF;
	return CS_OK;
}

cs_error_t cpg_iteration_initialize(cpg_handle_t handle, cpg_iteration_type_t type,
				    const struct cpg_name *group, cpg_iteration_handle_t *it)
{
	assert_int_equal(handle, 7);
	assert_int_equal(type, CPG_ITERATION_ONE_GROUP);
	assert_memory_equal(group->value, "dlm:", 4);
	*it = 9;
	return CS_OK;
}

cs_error_t cpg_iteration_next(cpg_iteration_handle_t it, struct cpg_iteration_description_t *one)
{
	(void)one;
	assert_int_equal(it, 9);
	return CS_ERR_NO_SECTIONS;
}

cs_error_t cpg_iteration_finalize(cpg_iteration_handle_t it)
{
	assert_int_equal(it, 9);
	return CS_OK;
}

cs_error_t cmap_initialize(cmap_handle_t *handle)
{
	*handle = 11;
	return CS_OK;
}

cs_error_t cmap_get_string(cmap_handle_t handle, const char *key, char **value)
{
	assert_int_equal(handle, 11);
	assert_string_equal(key, "totem.cluster_name");
	*value = strdup("town");
	return *value ? CS_OK : CS_ERR_NO_MEMORY;
}

cs_error_t cmap_finalize(cmap_handle_t handle)
{
	assert_int_equal(handle, 11);
	return CS_OK;
}

static int setup(void **state)
{
	static struct bed fresh;

	(void)state;
	bed = &fresh;
	memset(bed, 0, sizeof(*bed));
	bed->open_error = CS_OK;
	bed->quorate = 1;
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, bed->pair);
}

static int teardown(void **state)
{
	(void)state;
	close(bed->pair[0]);
	close(bed->pair[1]);
	return 0;
}

static void run(unsigned int waits)
{
	static const struct mdc_coro_request none;

	bed->n_waits = 0;
	bed->waits_left = waits;
	mdc_coroworker_run(bed->pair[1], &none);
	assert_int_equal(bed->n_waits, waits);
	assert_int_equal(bed->opens, bed->finals);
}

static void tells(bool up)
{
	struct mdc_coro_view view;

	assert_int_equal(recv(bed->pair[0], &view, sizeof(view), MSG_DONTWAIT), sizeof(view));
	assert_int_equal(view.up, up);
	if (!up)
		return;
	assert_true(view.quorate);
	assert_int_equal(view.nodeid, SELF);
	assert_int_equal(view.dlm, 0);
	assert_string_equal(view.cluster, "town");
}

static void tells_nothing(void)
{
	char byte;

	assert_int_equal(recv(bed->pair[0], &byte, 1, MSG_DONTWAIT), -1);
}

static void test_up(void **state)
{
	(void)state;
	run(2);
	tells(true);
	tells_nothing();
	assert_int_equal(bed->waits[0], -1);
}

static void test_down(void **state)
{
	(void)state;
	bed->open_error = CS_ERR_LIBRARY;
	run(2);
	tells(false);
	tells_nothing();
	assert_true(bed->waits[0] >= 1000);
}

/* Busy for a moment is not down: the agent's start would fail for good. */
static void test_busy(void **state)
{
	(void)state;
	bed->busy_quorum = 2;
	bed->busy_cpg = 1;
	run(4);
	tells(true);
	tells_nothing();
	assert_true(bed->waits[0] > 0 && bed->waits[0] < 1000);
	assert_true(bed->waits[2] > 0 && bed->waits[2] < 1000);
	assert_int_equal(bed->waits[3], -1);
}

static void test_busy_for_good(void **state)
{
	(void)state;
	bed->busy_quorum = 1000;
	run(WAITS_MAX);
	tells(false);
	tells_nothing();
	assert_true(bed->waits[0] < bed->waits[WAITS_MAX - 1]);
}

/* Gone and back: nobody hears of it where nothing is new. */
static void test_reconnects(void **state)
{
	(void)state;
	bed->lost_after = 1;
	run(2);
	tells(true);
	tells_nothing();
	assert_int_equal(bed->opens, 4);
	bed->quorate = 0;
	bed->open_error = CS_ERR_LIBRARY;
	run(1);
	tells(false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_up), TEST(test_down), TEST(test_busy), TEST(test_busy_for_good),
		TEST(test_reconnects),
	};

	return cmocka_run_group_tests_name("coroworker", tests, NULL, NULL);
}
