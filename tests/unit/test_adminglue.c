/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eventd/readd.c, roster.c and status.c with everything round them stood in for: that what the
 * pure parts decide reaches mdadm, the attribute, the log and the status. Timers are fired by
 * hand.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"
#include "port/mdsys.h"
#include "port/proc.h"

struct bed {
	struct mdc_daemon d;
	struct mdc_tracked t;
	struct mdc_coro_view coro;
	struct mdc_cibview view;
	int64_t now_ms;
	GString *did;			/* what was done, a line each */
	mdc_search_seen_fn seen;	/* of the search that runs */
	mdc_search_idle_fn idle;
	mdc_proc_fn done;		/* of the program that runs */
	const char *held, *holder;	/* a device, and what is built on it */
};

static struct bed *bed;

int64_t mdc_now_ms(void)
{
	return bed->now_ms;
}

const struct mdc_coro_view *mdc_corosync_view(const struct mdc_corosync *coro)
{
	(void)coro;
	return &bed->coro;
}

const struct mdc_coro_lockspace *mdc_coro_lockspace(const struct mdc_coro_view *view,
						    const struct mdc_uuid *array)
{
	(void)array;
	return view->n_lockspaces ? &view->lockspaces[0] : NULL;
}

bool mdc_words_joined(const struct mdc_words *words, unsigned int *dropped)
{
	(void)words;
	*dropped = 3;
	return true;
}

const struct mdc_cibview *mdc_cib_view(const struct mdc_cib *cib, bool *connected)
{
	(void)cib;
	if (connected)
		*connected = true;
	return &bed->view;
}

uint32_t mdc_self(const struct mdc_tracked *t)
{
	(void)t;
	return bed->coro.nodeid;
}

bool mdc_lockspace_nodes(const struct mdc_tracked *t, uint32_t nodes[MDC_MOD_MEMBERS_MAX],
			 unsigned int *n)
{
	const struct mdc_coro_lockspace *ls = &bed->coro.lockspaces[0];

	(void)t;
	*n = ls->n;
	memcpy(nodes, ls->nodes, ls->n * sizeof(*nodes));
	return bed->coro.n_lockspaces;
}

void mdc_observe(struct mdc_tracked *t)
{
	mdc_readd_observed(t);
	mdc_roster_update(t);
}

void mdc_arrays_lockspaces(struct mdc_daemon *d)
{
	(void)d;
	g_string_append(bed->did, "lockspaces\n");
}

void mdc_module_refresh(struct mdc_daemon *d)
{
	(void)d;
}

bool mdc_netlink_attached(const struct mdc_netlink *nl)
{
	(void)nl;
	return true;
}

uint64_t mdc_module_stuck(struct mdc_tracked *t)
{
	(void)t;
	return 0;
}

void mdc_attrd_set(struct mdc_attrd *attrd, const char *name, const char *value)
{
	(void)attrd;
	if (value)
		g_string_append_printf(bed->did, "attr %s %s\n", name, value);
}

bool mdc_mdsys_lockspace(const char *sys, const struct mdc_uuid *uuid)
{
	(void)sys;
	(void)uuid;
	return true;
}

int mdc_mdsys_read(const char *sys, const char *md, struct mdc_array *array)
{
	(void)sys;
	(void)md;
	*array = bed->t.array;
	return 0;
}

bool mdc_blockdev_get(const char *sys, const char *kname, struct mdc_blockdev *dev)
{
	(void)sys;
	memset(dev, 0, sizeof(*dev));
	g_strlcpy(dev->kname, kname, sizeof(dev->kname));
	g_snprintf(dev->path, sizeof(dev->path), "/dev/%s", kname);
	if (!g_strcmp0(kname, bed->held))
		g_strlcpy(dev->holder, bed->holder, sizeof(dev->holder));
	return true;
}

bool mdc_blockdev_allowed(const char *sys, const char *members, const char *kname)
{
	(void)sys;
	(void)members;
	(void)kname;
	return true;
}

struct mdc_search *mdc_search_start(struct mdc_search_pool *pool, const GArray *devices,
				    unsigned int also, mdc_search_seen_fn seen,
				    mdc_search_idle_fn idle, void *data)
{
	(void)pool;
	assert_int_equal(also, 0);
	assert_ptr_equal(data, &bed->t);
	bed->seen = seen;
	bed->idle = idle;
	g_string_append_printf(bed->did, "search %s\n",
			       g_array_index(devices, struct mdc_blockdev, 0).kname);
	return (struct mdc_search *)bed;
}

void mdc_search_more(struct mdc_search *search, const struct mdc_blockdev *dev)
{
	(void)search;
	g_string_append_printf(bed->did, "search %s too\n", dev->kname);
}

void mdc_search_stop(struct mdc_search *search)
{
	(void)search;
}

struct mdc_proc *mdc_proc_run(char *const argv[], unsigned int timeout_ms, mdc_proc_fn done,
			      void *data)
{
	g_autofree char *line = g_strjoinv(" ", (char **)argv);

	assert_in_range(timeout_ms, 10000, 120000);
	assert_ptr_equal(data, &bed->t);
	bed->done = done;
	g_string_append_printf(bed->did, "%s\n", line);
	return (struct mdc_proc *)bed;
}

void mdc_proc_forget(struct mdc_proc *proc)
{
	(void)proc;
}

static void on_log(enum mdc_level level, const char *text, void *data)
{
	(void)data;
	g_string_append_printf(bed->did, "%s %s\n", mdc_level_name(level), text);
}

static void member(unsigned int i, const char *kname, const char *state)
{
	struct mdc_member *m = &bed->t.array.members[i];

	g_strlcpy(m->device, kname, sizeof(m->device));
	g_strlcpy(m->state, state, sizeof(m->state));
	if (bed->t.array.n_members <= i)
		bed->t.array.n_members = i + 1;
	bed->t.array.degraded = !!strstr(state, "faulty");
}

static const struct mdc_uuid disks[] = { { { 1 } }, { { 2 } } };

static int setup(void **state)
{
	static const uint32_t nodes[] = { 1, 2, 3 };
	unsigned int i;

	(void)state;
	bed = g_new0(struct bed, 1);
	bed->did = g_string_new(NULL);
	bed->d.arrays = g_ptr_array_new();
	g_ptr_array_add(bed->d.arrays, &bed->t);
	bed->t.daemon = &bed->d;
	bed->t.tracked = bed->t.present = bed->t.track.readd = true;
	mdc_uuid_parse(&bed->t.track.uuid, SOME_UUID);
	strcpy(bed->t.track.id, "raid");
	strcpy(bed->t.track.device, "/dev/md/shared");
	strcpy(bed->t.track.md, "md127");
	bed->t.array.raid_disks = 2;
	member(0, "vdb", "in_sync");
	member(1, "vdc", "in_sync");
	mdc_readd_learn(&bed->t.readd, &disks[0], "vdb");
	mdc_readd_learn(&bed->t.readd, &disks[1], "vdc");
	bed->coro.nodeid = 2;
	bed->coro.n_lockspaces = 1;
	bed->coro.lockspaces[0].n = 3;
	memcpy(bed->coro.lockspaces[0].nodes, nodes, sizeof(nodes));
	for (i = 1; i <= 3; i++) {
		char text[8];

		snprintf(text, sizeof(text), "n%u", i);
		mdc_cibview_add_node(&bed->view, i, text, MDC_CIB_ONLINE);
		mdc_cibview_add_attr(&bed->view, i, "mdcluster-raid-slot", text + 1);
	}
	mdc_log_sink(on_log, NULL);
	mdc_observe(&bed->t);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mdc_readd_stop(&bed->t);
	mdc_roster_stop(&bed->t);
	assert_int_equal(bed->t.readd_timer | bed->t.readd_look_timer | bed->t.roster_timer, 0);
	mdc_log_sink(NULL, NULL);
	g_string_free(bed->did, TRUE);
	g_ptr_array_free(bed->d.arrays, TRUE);
	g_free(bed);
	return 0;
}

/* What was done since the last time, line by line, each by how it begins. */
static void did(const char *const *want, unsigned int n)
{
	g_auto(GStrv) got = g_strsplit(bed->did->str, "\n", -1);

	for (unsigned int i = 0; i < n; i++)
		if (!got[i] || !g_str_has_prefix(got[i], want[i]))
			fail_msg("'%s', not '%s'", got[i] ? got[i] : "nothing", want[i]);
	if (got[n] && *got[n])
		fail_msg("'%s' as well", got[n]);
	g_string_truncate(bed->did, 0);
}

#define DID(...) \
	do { \
		const char *const want[] = { __VA_ARGS__ }; \
		did(want, COUNT(want)); \
	} while (0)

#define DID_NOTHING() assert_string_equal(bed->did->str, "")

/* The timer's time has come, AFTER ms from now. */
static void fire(guint id, int64_t after_ms)
{
	GSource *source = g_main_context_find_source_by_id(NULL, id);

	assert_non_null(source);
	bed->now_ms += after_ms;
	g_source_set_ready_time(source, 0);
	g_main_context_iteration(NULL, FALSE);
}

/* The search's answer, and its end. */
static void answer(const char *kname, int err)
{
	struct mdc_probe probe = { .err = err, .member = !err };
	struct mdc_blockdev dev;

	mdc_blockdev_get("", kname, &dev);
	probe.super.array = bed->t.track.uuid;
	probe.super.device = disks[1];
	probe.super.role = 1;
	bed->seen(&dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
}

static void run_ends(int status)
{
	bed->done(status, status ? "it is busy" : "", &bed->t);
}

#define NOTICE "notice /dev/md/shared: "
#define WARNING "warning /dev/md/shared: "
#define ERROR "error /dev/md/shared: "

/* From a member that gives errors to one that is taken back, and that then stays out. */
static void test_unreadable(void **state)
{
	(void)state;
	DID_NOTHING();
	member(1, "vdc", "faulty");
	mdc_observe(&bed->t);
	DID("search vdc");
	answer("vdc", -EIO);
	DID(WARNING "vdc has failed, and this node cannot read it");
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	DID("search vdc");
	answer("vdc", 0);
	DID_NOTHING();
	assert_int_not_equal(bed->t.readd_timer, 0);	/* node 2 waits for its turn */
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID("mdadm --manage /dev/md127 --remove vdc");
	bed->t.array.n_members = 1;
	run_ends(0);
	DID(NOTICE "taking /dev/vdc back (mdadm --re-add), for the 1. of at most 3",
	    "mdadm --manage /dev/md127 --re-add /dev/vdc");
	member(1, "vdc", "in_sync");
	run_ends(0);
	DID(NOTICE "the member is taken back");

	bed->now_ms += 1000;
	member(1, "vdc", "faulty");
	mdc_observe(&bed->t);
	DID("search vdc");
	answer("vdc", -EIO);
	DID_NOTHING();
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	DID("search vdc");
	answer("vdc", -EIO);
	DID(ERROR "vdc has failed again within an hour");
	assert_int_equal(bed->t.readd_timer, 0);
	mdc_readd_block(&bed->t, "vdc", false);
	mdc_observe(&bed->t);
	DID_NOTHING();
}

/* Failed by hand, then pulled and put back. */
static void test_by_hand(void **state)
{
	(void)state;
	member(1, "vdc", "faulty");
	mdc_observe(&bed->t);
	DID("search vdc");
	answer("vdc", 0);
	DID_NOTHING();
	mdc_readd_block(&bed->t, "vdc", true);
	mdc_readd_block(&bed->t, "vde", false);
	mdc_observe(&bed->t);
	DID_NOTHING();
	assert_int_equal(bed->t.readd_timer, 0);
}

/* Another node was quicker, while this one waited for its turn. */
static void test_others_turn(void **state)
{
	(void)state;
	member(1, "vdc", "faulty");
	mdc_observe(&bed->t);
	DID("search vdc");
	answer("vdc", -EIO);
	DID(WARNING "vdc has failed, and this node cannot read it");
	mdc_readd_block(&bed->t, "vdc", true);
	mdc_readd_block(&bed->t, "vde", false);
	DID("search vde");
	answer("vde", 0);
	DID(NOTICE "its member is back as /dev/vde");
	member(1, "vde", "in_sync");
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID_NOTHING();
	assert_ptr_equal(bed->t.readd_proc, NULL);
}

/* A device that does not answer for long counts as one that cannot be read. */
static void test_hangs(void **state)
{
	(void)state;
	member(1, "vdc", "faulty");
	mdc_observe(&bed->t);
	DID("search vdc");
	bed->idle(0, 1, &bed->t);
	mdc_observe(&bed->t);
	DID_NOTHING();
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	DID(WARNING "vdc has failed, and this node cannot read it (it does not answer): it is "
	    "taken back when it can be read again. To keep it out: mdadm --manage /dev/md/shared "
	    "--remove vdc");
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	DID_NOTHING();					/* the first look still runs */
	answer("vdc", 0);
	DID_NOTHING();
	assert_int_not_equal(bed->t.readd_timer, 0);
}

static void test_cannot_be_removed(void **state)
{
	(void)state;
	member(1, "vdc", "faulty,write_error");
	mdc_observe(&bed->t);
	DID("search vdc");
	answer("vdc", 0);
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID("mdadm --manage /dev/md127 --remove vdc");
	run_ends(1);
	DID(ERROR "the failed member could not be removed (1): it is busy");
	mdc_observe(&bed->t);
	DID_NOTHING();
	assert_int_equal(bed->t.readd_timer, 0);	/* once is enough */
}

/* A peer has not let go of it yet: refused, and taken back half a minute later. */
static void test_refused_at_first(void **state)
{
	(void)state;
	mdc_readd_block(&bed->t, "vdc", true);
	bed->t.array.n_members = 1;
	bed->t.array.degraded = 1;
	mdc_observe(&bed->t);
	mdc_readd_block(&bed->t, "vdc", false);
	DID("search vdc");
	answer("vdc", 0);
	DID(NOTICE "its member is back as /dev/vdc");
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "taking /dev/vdc back (mdadm --re-add), for the 1.", "mdadm");
	run_ends(1);
	DID(WARNING "mdadm --re-add failed (1): it is busy. It is tried again in 30 s");
	assert_int_equal(bed->t.readd_timer, 0);
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	assert_int_equal(bed->t.readd_timer, 0);
	fire(bed->t.readd_look_timer, MDC_READD_LOOK_MS);
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "taking /dev/vdc back (mdadm --re-add), for the 2.", "mdadm");
	run_ends(1);
	DID(WARNING "mdadm --re-add failed");
	fire(bed->t.readd_look_timer, 2 * MDC_READD_LOOK_MS);
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "taking /dev/vdc back (mdadm --re-add), for the 3.", "mdadm");
	run_ends(1);
	DID(ERROR "mdadm --re-add failed (1): it is busy. Add the disk by hand");
	fire(bed->t.readd_look_timer, 2 * MDC_READD_LOOK_MS);
	DID_NOTHING();
	assert_int_equal(bed->t.readd_timer | bed->t.readd_look_timer, 0);
}

/* The member has gone, and its device is there again under that name. */
static void comes_back(const char *kname)
{
	mdc_readd_block(&bed->t, "vdc", true);
	bed->t.array.n_members = 1;
	bed->t.array.degraded = 1;
	mdc_observe(&bed->t);
	mdc_readd_block(&bed->t, kname, false);
	g_string_truncate(bed->did, 0);
	answer(kname, 0);
}

/* The nodes are not known for a moment: that is no reason to leave it out for good. */
static void test_nodes_not_known(void **state)
{
	(void)state;
	bed->coro.n_lockspaces = 0;
	comes_back("sda");
	DID(NOTICE "its member is back as /dev/sda",
	    WARNING "sda is back, but it is not known which nodes have the array: it is taken back "
	    "when that is known");
	fire(bed->t.readd_look_timer, 2 * MDC_READD_LOOK_MS);
	DID_NOTHING();
	assert_int_equal(bed->t.readd_timer, 0);
	bed->coro.n_lockspaces = 1;
	fire(bed->t.readd_look_timer, 2 * MDC_READD_LOOK_MS);
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "taking /dev/sda back", "mdadm --manage /dev/md127 --re-add /dev/sda");
	run_ends(0);
}

/* The path comes first, then the map; a second path comes late, and does not take its place. */
static void test_multipath(void **state)
{
	(void)state;
	comes_back("sda");
	DID(NOTICE "its member is back as /dev/sda");
	bed->held = "sda";
	bed->holder = "dm-0";
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "/dev/sda is in use by dm-0, so that it is not taken back for now");
	fire(bed->t.readd_look_timer, 2 * MDC_READD_LOOK_MS);
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID_NOTHING();
	mdc_readd_block(&bed->t, "dm-0", false);
	DID("search dm-0");
	answer("dm-0", 0);
	DID(NOTICE "its member is back as /dev/dm-0");
	mdc_readd_block(&bed->t, "sdb", false);
	DID("search sdb");
	answer("sdb", 0);
	DID_NOTHING();
	fire(bed->t.readd_timer, MDC_READD_STEP_MS);
	DID(NOTICE "taking /dev/dm-0 back", "mdadm --manage /dev/md127 --re-add /dev/dm-0");
	run_ends(0);
}

static void test_told_not_to(void **state)
{
	(void)state;
	bed->t.track.readd = false;
	member(1, "vdc", "faulty,write_error");
	mdc_observe(&bed->t);
	mdc_readd_block(&bed->t, "vdc", true);
	mdc_readd_block(&bed->t, "vdc", false);
	DID_NOTHING();
}

static void notify(const char *action, const char *nodes)
{
	struct mdc_notify n = { .post = true };

	g_strlcpy(n.action, action, sizeof(n.action));
	g_strlcpy(n.nodes, nodes, sizeof(n.nodes));
	mdc_roster_notify(&bed->t, &n);
}

static void test_leave(void **state)
{
	struct mdc_coro_lockspace *ls = &bed->coro.lockspaces[0];

	(void)state;
	ls->n = 2;
	notify("stop", "n1 n2");
	DID("info /dev/md/shared: Pacemaker tells of a stop after the fact; it is now on: n1 n2",
	    "lockspaces", NOTICE "node n3 has left, slot 3");
	fire(bed->t.roster_timer, MDC_ROSTER_HOLD_MS);
	DID_NOTHING();
	notify("start", "n1 n2 n3");
	DID("info", "lockspaces");
	fire(bed->t.roster_timer, MDC_ROSTER_HOLD_MS);
	DID(WARNING "Pacemaker has started it on node n3, which is not in its DLM lockspace 20 s");
	ls->n = 3;
	mdc_roster_update(&bed->t);
	DID(NOTICE "node n3 has joined, slot 3");
	notify("stop", "");
	DID("info /dev/md/shared: Pacemaker tells of a stop after the fact; it is now on: no node",
	    "lockspaces");
	fire(bed->t.roster_timer, MDC_ROSTER_HOLD_MS);
	DID(WARNING "Pacemaker does not have it on node n1, which is still in its DLM lockspace",
	    WARNING "Pacemaker does not have it on node n2",
	    WARNING "Pacemaker does not have it on node n3");
}

static void test_clash(void **state)
{
	(void)state;
	strcpy(bed->view.attrs[2].value, "2");
	mdc_roster_update(&bed->t);
	DID_NOTHING();
	fire(bed->t.roster_timer, MDC_ROSTER_HOLD_MS);
	DID(ERROR "ALARM: nodes n2 and n3 both have slot 2",
	    "attr mdcluster-raid-alarm slot:2:n2,n3");
	strcpy(bed->view.attrs[2].value, "3");
	mdc_roster_update(&bed->t);
	DID(NOTICE "nodes n2 and n3 no longer share slot 2");
	assert_int_equal(bed->t.roster_timer, 0);
}

static void test_refused(void **state)
{
	(void)state;
	mdc_alarm_add(&bed->t.alarm, "refused:2:1a1b2c3d:n1=unseen", bed->now_ms);
	mdc_roster_update(&bed->t);
	DID("attr mdcluster-raid-alarm refused:2:1a1b2c3d:n1=unseen");
	fire(bed->t.roster_timer, MDC_ALARM_ADD_MS);
	DID_NOTHING();
	assert_int_equal(bed->t.roster_timer, 0);
}

/* Has the status of the array, without its blanks, this text in it? */
static bool status_has(const char *text)
{
	g_autofree char *json = mdc_status_json(&bed->d);
	g_autoptr(JsonNode) node = json_from_string(json, NULL);

	assert_non_null(node);
	return strstr(json, text);
}

static void test_status(void **state)
{
	(void)state;
	assert_true(status_has("\"words\":{\"joined\":true,\"dropped\":3}"));
	assert_true(status_has("\"slot_alarm\":null,\"nodes\":[{\"name\":\"n1\",\"id\":1,"
			       "\"online\":true,\"instance\":\"stopped\",\"joined\":true,"
			       "\"slot\":1,\"state\":null,"));
	mdc_cibview_add_attr(&bed->view, 3, "mdcluster-raid-state", "clean");
	mdc_cibview_add_attr(&bed->view, 3, "mdcluster-raid-alarm", "refused:2:1a1b2c3d");
	assert_true(status_has("\"joined\":true,\"slot\":3,\"state\":\"clean\",\"sync\":null,"
			       "\"add\":null,\"alarm\":\"refused:2:1a1b2c3d\""));
	/* Fenced: what it said is still in the CIB, and nothing of it is shown. */
	bed->view.nodes[2].state = MDC_CIB_OFFLINE;
	mdc_cibview_add_instance(&bed->view, 3, "raid", MDC_CIB_RUNNING);
	bed->coro.lockspaces[0].n = 2;
	assert_true(status_has("{\"name\":\"n3\",\"id\":3,\"online\":false,\"instance\":"
			       "\"stopped\",\"joined\":false,\"slot\":null,\"state\":null,"
			       "\"sync\":null,\"add\":null,\"alarm\":null}"));
	strcpy(bed->view.attrs[0].value, "2");
	mdc_roster_update(&bed->t);
	bed->now_ms += MDC_ROSTER_HOLD_MS;
	assert_true(status_has("\"slot_alarm\":{\"slot\":2,\"nodes\":[{\"name\":\"n1\",\"id\":1},"
			       "{\"name\":\"n2\",\"id\":2}]}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unreadable), TEST(test_by_hand), TEST(test_others_turn), TEST(test_hangs),
		TEST(test_cannot_be_removed), TEST(test_refused_at_first),
		TEST(test_nodes_not_known), TEST(test_multipath), TEST(test_told_not_to),
		TEST(test_leave), TEST(test_clash), TEST(test_refused), TEST(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
