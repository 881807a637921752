/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eventd/propose.c, verdict.c and words.c with everything round them stood in for: that what the
 * pure parts decide reaches the kernel, the attribute, the search and the log, in that order.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"
#include "mdcluster.h"
#include "port/mdsys.h"

#define DISK "1a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9"

struct bed {
	struct mdc_daemon d;
	struct mdc_tracked t;
	struct mdc_coro_view coro;
	struct mdc_cibview view;
	struct mdc_heard heard;
	bool on_its_way;		/* what this node has said */
	bool connected;
	struct mdc_array array;
	int64_t now_ms;
	GString *did;			/* what was done, a line each */
	mdc_search_seen_fn seen;
	mdc_search_idle_fn idle;
	struct mdc_blockdev dev;
	uint64_t added;			/* the disk that the kernel asks for; 0: it does not say */
	char first[MDC_KNAME_MAX];	/* that a search looks at */
	bool not_allowed;
	struct mdc_conn *conn;
	void (*gone)(void *data);
	void *gone_data;
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

const struct mdc_cibview *mdc_cib_view(const struct mdc_cib *cib, bool *connected)
{
	(void)cib;
	if (connected)
		*connected = bed->connected;
	return &bed->view;
}

bool mdc_words_out(const struct mdc_words *words)
{
	(void)words;
	return !bed->on_its_way;
}

void mdc_words_begin(struct mdc_words *words, const char *name)
{
	(void)words;
	g_string_append_printf(bed->did, "begin %s\n", name);
}

const struct mdc_heard *mdc_words_heard(const struct mdc_words *words)
{
	(void)words;
	return &bed->heard;
}

void mdc_cib_release(struct mdc_cib *cib)
{
	(void)cib;
}

void mdc_publish_add_value(struct mdc_tracked *t, const char *value)
{
	(void)t;
	g_string_append_printf(bed->did, "attr %s\n", value ? value : "-");
}

void mdc_frozen_look(struct mdc_tracked *t, const char *sync_action)
{
	(void)t;
	(void)sync_action;
}

int mdc_netlink_verdict(struct mdc_netlink *nl, const struct mdc_uuid *array, uint64_t proposal,
			const char *refusal)
{
	(void)nl;
	(void)array;
	g_string_append_printf(bed->did, "verdict %d %s\n", (int)proposal,
			       refusal ? refusal : "proceed");
	return 0;
}

struct mdc_tracked *mdc_arrays_by_uuid(struct mdc_daemon *d, const struct mdc_uuid *uuid)
{
	(void)d;
	return mdc_uuid_equal(uuid, &bed->t.track.uuid) ? &bed->t : NULL;
}

void mdc_module_refresh(struct mdc_daemon *d)
{
	(void)d;
}

int mdc_mdsys_read(const char *sys, const char *md, struct mdc_array *array)
{
	(void)sys;
	(void)md;
	*array = bed->array;
	return 0;
}

bool mdc_blockdev_get(const char *sys, const char *kname, struct mdc_blockdev *dev)
{
	(void)sys;
	*dev = bed->dev;
	return !strcmp(kname, bed->dev.kname);
}

bool mdc_blockdev_allowed(const char *sys, const char *members, const char *kname)
{
	(void)sys;
	(void)members;
	(void)kname;
	return !bed->not_allowed;
}

GArray *mdc_blockdev_list(const char *sys, const char *members, uint64_t min_sectors,
			  GPtrArray *nomatch)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct mdc_blockdev));
	struct mdc_blockdev known = { .kname = "vdk" };
	struct mdc_blockdev held = { .kname = "vdh", .holder = "md127" };

	(void)sys;
	(void)members;
	(void)min_sectors;
	(void)nomatch;
	g_array_append_val(list, bed->dev);
	g_array_append_val(list, known);
	g_array_append_val(list, held);
	return list;
}

struct mdc_search *mdc_search_start(struct mdc_search_pool *pool, const GArray *devices,
				    unsigned int also, mdc_search_seen_fn seen,
				    mdc_search_idle_fn idle, void *data)
{
	(void)pool;
	/* Writers wait for the word on a proposal. */
	assert_int_equal(also, bed->t.verdict.announced ? MDC_PROBE_NAME : 0);
	g_strlcpy(bed->first, g_array_index(devices, struct mdc_blockdev, 0).kname,
		  sizeof(bed->first));
	assert_ptr_equal(data, &bed->t);
	bed->seen = seen;
	bed->idle = idle;
	g_string_append(bed->did, "search\n");
	return (struct mdc_search *)bed;
}

void mdc_search_more(struct mdc_search *search, const struct mdc_blockdev *dev)
{
	(void)search;
	g_string_append_printf(bed->did, "probe %s\n", dev->kname);
}

void mdc_search_stop(struct mdc_search *search)
{
	(void)search;
	g_string_append(bed->did, "stop\n");
}

/* Not to be asked in the main loop: a disk that hangs would hold it up. */
void mdc_blockdev_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX])
{
	(void)sys;
	out[0] = '\0';
	fail_msg("%s is asked for its name", kname);
}

void mdc_blockdev_known_id(const char *sys, const char *kname, char out[MDC_DISKID_MAX])
{
	(void)sys;
	g_strlcpy(out, strcmp(kname, "vdk") ? "" : "d4", MDC_DISKID_MAX);
}

void mdc_conn_send(struct mdc_conn *conn, const char *text, size_t len)
{
	assert_ptr_equal(conn, bed->conn);
	g_string_append_printf(bed->did, "> %.*s", (int)len, text);
}

void mdc_conn_stay(struct mdc_conn *conn, void (*gone)(void *data), void *data)
{
	assert_ptr_equal(conn, bed->conn);
	bed->gone = gone;
	bed->gone_data = data;
}

static void on_log(enum mdc_level level, const char *text, void *data)
{
	(void)data;
	g_string_append_printf(bed->did, "%s %s\n", mdc_level_name(level), text);
}

static int setup(void **state)
{
	(void)state;
	bed = g_new0(struct bed, 1);
	bed->did = g_string_new(NULL);
	bed->d.arrays = g_ptr_array_new();
	g_ptr_array_add(bed->d.arrays, &bed->t);
	bed->t.daemon = &bed->d;
	bed->t.tracked = bed->t.present = true;
	mdc_uuid_parse(&bed->t.track.uuid, SOME_UUID);
	strcpy(bed->t.track.id, "raid");
	strcpy(bed->t.track.device, "/dev/md/shared");
	strcpy(bed->t.track.md, "md127");
	bed->t.track.verdict_wait_s = 2;
	bed->coro.nodeid = 1;
	bed->coro.n_lockspaces = 1;
	bed->coro.lockspaces[0].known = true;
	bed->coro.lockspaces[0].n = 2;
	bed->coro.lockspaces[0].nodes[0] = 1;
	bed->coro.lockspaces[0].nodes[1] = 2;
	bed->connected = true;
	bed->conn = (struct mdc_conn *)bed;
	bed->t.track.disk_wait_s = 10;
	mdc_cibview_add_node(&bed->view, 1, "n1", MDC_CIB_ONLINE);
	mdc_cibview_add_node(&bed->view, 2, "n2", MDC_CIB_ONLINE);
	mdc_cibview_add_attr(&bed->view, 2, "mdcluster-raid-state", "clean");
	strcpy(bed->array.array_state, "clean");
	bed->array.n_members = 1;
	strcpy(bed->array.members[0].device, "vdb");
	bed->t.array = bed->array;
	strcpy(bed->dev.kname, "vdd");
	strcpy(bed->dev.path, "/dev/vdd");
	bed->dev.major = 253;
	bed->dev.minor = 48;
	bed->dev.sectors = 1000;
	mdc_log_sink(on_log, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mdc_propose_stop(&bed->t);
	mdc_announce_stop(&bed->t, "stopped");
	mdc_verdict_stop(&bed->t);
	mdc_log_sink(NULL, NULL);
	g_string_free(bed->did, TRUE);
	g_ptr_array_free(bed->d.arrays, TRUE);
	g_free(bed->d.add_view);
	g_free(bed);
	return 0;
}

/* What was done since the last time. Lines of the log count by how they begin. */
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

/* In the CIB. */
static void says(uint32_t id, const char *value)
{
	unsigned int i, n = 0;

	for (i = 0; i < bed->view.n_attrs; i++)
		if (bed->view.attrs[i].id != id || !strstr(bed->view.attrs[i].name, "-add"))
			bed->view.attrs[n++] = bed->view.attrs[i];
	bed->view.n_attrs = n;
	if (value)
		mdc_cibview_add_attr(&bed->view, id, "mdcluster-raid-add", value);
	mdc_add_view_old(&bed->d);
	mdc_proposals_look(&bed->t);
}

/* In the process group. */
static void word(uint32_t id, const char *id_of_array, const char *value)
{
	struct mdc_word word = { 0 };

	mdc_attr_name(word.name, id_of_array, MDC_ATTR_ADD);
	g_strlcpy(word.value, value, sizeof(word.value));
	if (mdc_heard_take(&bed->heard, id, 100, &word) == 1)
		mdc_words_changed(MDC_WORDS_SAID, word.name, &bed->d);
}

static void leaves(uint32_t id)
{
	if (mdc_heard_forget(&bed->heard, id, 100))
		mdc_words_changed(MDC_WORDS_LOST, NULL, &bed->d);
}

static void propose(uint64_t proposal)
{
	struct mdc_mod_notice n = { .cmd = MDCLUSTER_CMD_PROPOSED, .proposal = proposal,
				    .device = 2, .timeout_ms = 4000, .md = "md127",
				    .disk = bed->added };

	n.uuid = bed->t.track.uuid;
	mdc_uuid_parse(&n.device_uuid, DISK);
	mdc_propose_request(&bed->d, &n);
}

#define ASKED \
	"attr proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7", \
	"notice /dev/md/shared: this node adds a disk as raid disk 2"

static void test_added(void **state)
{
	(void)state;
	propose(7);
	DID(ASKED);
	assert_int_not_equal(bed->t.propose_timer, 0);
	says(2, "found:vdd:2:1a1b2c3d:1.7");
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 is seen by n2");
	mdc_propose_observed(&bed->t);
	DID_NOTHING();
	strcpy(bed->t.array.members[1].device, "vdd");
	bed->t.array.n_members = 2;
	mdc_propose_observed(&bed->t);
	DID("attr added:2:1a1b2c3d", "notice /dev/md/shared: raid disk 2 was added");
	assert_int_equal(bed->t.propose_timer, 0);
}

static void test_refused(void **state)
{
	struct mdc_mod_notice n = { .event = MDCLUSTER_EVENT_ADD_REFUSED, .have_value = true,
				    .value = 2 };

	(void)state;
	propose(7);
	DID(ASKED);
	says(2, "missing:unseen:2:1a1b2c3d:1.7");
	DID("verdict 7 n2: does not see it", "attr refused:2:1a1b2c3d:n2=unseen",
	    "warning");
	/* That the kernel says so as well is no news. */
	assert_true(mdc_propose_event(&bed->t, &n));
	n.value = 3;
	assert_false(mdc_propose_event(&bed->t, &n));
	DID_NOTHING();
}

static void test_over(void **state)
{
	struct mdc_mod_notice n = { .event = MDCLUSTER_EVENT_PROPOSAL_OVER, .have_value = true,
				    .value = 2 };

	(void)state;
	propose(7);
	DID(ASKED);
	mdc_propose_event(&bed->t, &n);
	DID("attr -", "notice /dev/md/shared: raid disk 2: the kernel did not wait");
	/* Also when the verdict was given: Ctrl-C in mdadm. */
	propose(7);
	says(2, "found:vdd:2:1a1b2c3d:1.7");
	g_string_truncate(bed->did, 0);
	assert_false(mdc_propose_event(&bed->t, &n));
	DID("attr -", "notice /dev/md/shared: raid disk 2: the kernel has given the add up");
	says(2, NULL);
	propose(7);
	DID(ASKED);
	says(2, "found:vdd:2:1a1b2c3d:1.7");
	g_string_truncate(bed->did, 0);
	mdc_propose_not_taken(&bed->t, 6, ENOENT);
	DID_NOTHING();
	mdc_propose_not_taken(&bed->t, 7, ENOENT);
	DID("attr -", "notice /dev/md/shared: raid disk 2: the kernel no longer waited");
}

/* Untracked meanwhile: the kernel is let go, and told once. */
static void test_stopped(void **state)
{
	(void)state;
	propose(7);
	DID(ASKED);
	mdc_propose_stop(&bed->t);
	DID("verdict 7 proceed", "attr -", "notice /dev/md/shared: raid disk 2: the array was");
	assert_int_equal(bed->t.propose_timer, 0);
	mdc_propose_stop(&bed->t);
	DID_NOTHING();
	propose(8);
	says(2, "found:vdd:2:1a1b2c3d:1.8");
	g_string_truncate(bed->did, 0);
	mdc_propose_stop(&bed->t);
	DID("attr -", "notice /dev/md/shared: raid disk 2: the array was stopped");
}

/* Nobody can be asked, or the question cannot be put: the old way, at once, and said. */
static void test_old_way(void **state)
{
	(void)state;
	bed->connected = false;
	propose(7);
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 goes on without");
	bed->connected = true;
	propose(7);
	DID(ASKED);
	mdc_propose_cib_failed("mdcluster-other-add", "no", &bed->d);
	DID_NOTHING();
	mdc_propose_cib_failed("mdcluster-raid-add", "no", &bed->d);
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 goes on without");
}

/* It starts up, or has lost corosync: nobody is known to have the array, which is not nobody. */
static void test_unknown_members(void **state)
{
	(void)state;
	bed->coro.lockspaces[0].known = false;
	propose(7);
	DID("verdict 7 proceed",
	    "notice /dev/md/shared: raid disk 2 goes on without asking the nodes first: corosync");
	bed->coro.lockspaces[0].known = true;
	propose(8);
	g_string_truncate(bed->did, 0);
	bed->coro.n_lockspaces = 0;
	mdc_proposals_look(&bed->t);
	DID_NOTHING();
}

static void test_untracked(void **state)
{
	struct mdc_mod_notice n = { .cmd = MDCLUSTER_CMD_PROPOSED, .proposal = 5, .md = "md9" };

	(void)state;
	mdc_propose_request(&bed->d, &n);
	DID("verdict 5 proceed", "notice md9: a disk is added, but the array is not under");
}

static void test_peer(void **state)
{
	struct mdc_probe probe = { .member = true };

	(void)state;
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	assert_int_not_equal(bed->t.verdict_timer, 0);
	probe.super.array = bed->t.track.uuid;
	bed->seen(&bed->dev, &probe, &bed->t);
	DID_NOTHING();
	mdc_verdict_blockdev(&bed->t, "vdd");
	DID("probe vdd");
	mdc_uuid_parse(&probe.super.device, DISK);
	probe.super.array.b[0] ^= 1;
	bed->seen(&bed->dev, &probe, &bed->t);
	DID("warning /dev/md/shared: /dev/vdd bears the device UUID that is asked for, but belongs");
	probe.super.array.b[0] ^= 1;
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("attr found:vdd:2:1a1b2c3d:2.7", "notice /dev/md/shared: n2 proposes a disk");
	assert_int_equal(bed->t.verdict_timer, 0);
	says(2, NULL);
	DID("stop");
	assert_non_null(mdc_verdict_knows(&bed->t.verdict, &probe.super.device));
}

/* The one that is held is not waited for: it could not be mistaken for the disk. */
static void test_peer_has_seen_the_free_ones(void **state)
{
	struct mdc_blockdev known = { .kname = "vdk" }, held = { .kname = "vdh", .holder = "md127" };
	struct mdc_probe probe = { .member = true }, other = { 0 };

	(void)state;
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	probe.super.array = bed->t.track.uuid;
	mdc_uuid_parse(&probe.super.device, DISK);
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->seen(&held, &other, &bed->t);
	DID_NOTHING();
	bed->seen(&known, &other, &bed->t);
	DID("attr found:vdd:2:1a1b2c3d:2.7", "notice /dev/md/shared: n2 proposes a disk");
	bed->idle(3, 0, &bed->t);
	DID_NOTHING();
}

static void test_peer_lacks_it(void **state)
{
	struct mdc_probe probe = { .member = true };

	(void)state;
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	probe.super.array = bed->t.track.uuid;
	mdc_uuid_parse(&probe.super.device, DISK);
	probe.super.data_end_sect = 1001;
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(3, 0, &bed->t);
	DID("stop", "attr missing:small=vdd:2:1a1b2c3d:2.7", "warning");
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	DID("search");
	memset(&probe, 0, sizeof(probe));
	probe.err = -EIO;
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->now_ms += 2000;
	bed->idle(3, 0, &bed->t);
	DID("stop", "attr missing:ioerror=vdd:2:1a1b2c3d:2.8", "warning");
}

/* It does not wait for a late path where nothing has moved for long. */
static void test_peer_is_quiet(void **state)
{
	(void)state;
	bed->now_ms = 60000;
	bed->d.moved_ms = 59000;
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	bed->idle(3, 0, &bed->t);
	DID("attr looking:2:1a1b2c3d:2.7");
	bed->t.says_looking = true;
	says(2, NULL);
	DID("stop", "attr -");
	bed->t.says_looking = false;
	bed->now_ms = 90000;
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	DID("search");
	bed->idle(3, 0, &bed->t);
	DID("stop", "attr missing:unseen:2:1a1b2c3d:2.8", "warning");
}

/* It was a member a moment ago: this node's array has not let go of it yet. */
static void test_peer_lets_go(void **state)
{
	struct mdc_probe probe = { .member = true };

	(void)state;
	bed->now_ms = 90000;	/* nothing else has moved for long */
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	probe.super.array = bed->t.track.uuid;
	mdc_uuid_parse(&probe.super.device, DISK);
	strcpy(bed->dev.holder, "md127");
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(3, 0, &bed->t);
	DID("attr looking:2:1a1b2c3d:2.7");
	bed->dev.holder[0] = '\0';
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("attr found:vdd:2:1a1b2c3d:2.7", "notice /dev/md/shared: n2 proposes a disk");
}

/* Two at once: the node with the higher id gives way, and looks for the other one's disk. */
static void test_rival(void **state)
{
	(void)state;
	bed->coro.nodeid = 2;
	mdc_cibview_add_attr(&bed->view, 1, "mdcluster-raid-state", "clean");
	propose(7);
	DID(ASKED);
	says(1, "proposed:3:2a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	DID("search", "verdict 7 n1: is adding a disk itself", "attr refused:2:1a1b2c3d:n1=busy",
	    "warning");
}

static void announce(void)
{
	struct mdc_request r = { .kind = MDC_REQ_ANNOUNCE, .uuid = bed->t.track.uuid,
				 .announced = { .kname = "vdd", .sectors = 1000, .disk = "d4" } };

	mdc_uuid_parse(&r.announced.nonce, DISK);
	mdc_announce_request(&bed->d, bed->conn, &r);
}

#define ANNOUNCED \
	"> ok", "> wait 13000", "attr announced:10:1000:1a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:", \
	"> node 2 n2 waiting", "notice /dev/md/shared: mdclusterctl is about to add vdd: asking n2"

static void answer(const char *word, char *value, size_t size)
{
	snprintf(value, size, "%s:-:1a1b2c3d:1.%u", word,
		 mdc_propose_number(&bed->t.announce));
	says(2, value);
}

static void test_announced(void **state)
{
	char value[128];

	(void)state;
	announce();
	DID(ANNOUNCED);
	assert_ptr_equal(bed->gone_data, &bed->t);
	assert_int_not_equal(bed->t.announce_timer, 0);
	/* Said once. */
	mdc_proposals_look(&bed->t);
	DID_NOTHING();
	answer("found:vde", value, sizeof(value));
	DID("attr -", "> node 2 n2 found vde",
	    "notice /dev/md/shared: vdd can be added", "> end agreed");
	assert_null(bed->gone);
	assert_null(bed->t.announce_conn);
	assert_int_equal(bed->t.announce_timer, 0);
	mdc_proposals_look(&bed->t);
	DID_NOTHING();
}

static void agree(void)
{
	char value[128];

	announce();
	answer("found:vde", value, sizeof(value));
	g_string_truncate(bed->did, 0);
	bed->added = (uint64_t)bed->dev.major << 32 | bed->dev.minor;
}

/* What all have just found is added without asking again, and only that. */
static void test_announced_and_added(void **state)
{
	(void)state;
	agree();
	propose(7);
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 is seen by n2: going on, 0 ms");
}

static void test_announced_and_another_one_added(void **state)
{
	(void)state;
	agree();
	bed->added++;
	propose(7);
	DID(ASKED);
}

/* The kernel of an older module does not say which disk it is. */
static void test_announced_and_some_disk_added(void **state)
{
	(void)state;
	agree();
	bed->added = 0;
	propose(7);
	DID(ASKED);
}

/* Pulled out, and another one put in, which has its numbers. */
static void test_announced_and_exchanged(void **state)
{
	(void)state;
	agree();
	bed->dev.seq++;
	propose(7);
	DID(ASKED);
}

static void test_announced_refused(void **state)
{
	char value[128];

	(void)state;
	announce();
	g_string_truncate(bed->did, 0);
	answer("missing:inuse=dm-3", value, sizeof(value));
	DID("attr refused:-:1a1b2c3d:n2=inuse=dm-3", "> node 2 n2 missing inuse=dm-3",
	    "warning /dev/md/shared: vdd is not to be added",
	    "> end refused n2: sees it, but dm-3");
}

/* Ctrl-C in mdclusterctl: nothing of it stays, and the next one is served. */
static void test_announced_client_gone(void **state)
{
	(void)state;
	announce();
	g_string_truncate(bed->did, 0);
	announce();
	DID("> ok", "> end refused a disk is being added on this node already");
	bed->gone(bed->gone_data);
	DID("attr -", "notice /dev/md/shared: the question about vdd is given up: mdclusterctl");
	announce();
	DID(ANNOUNCED);
}

/* The kernel's own question comes first. */
static void test_announced_proposed(void **state)
{
	(void)state;
	announce();
	g_string_truncate(bed->did, 0);
	propose(7);
	DID("attr -", "notice /dev/md/shared: the question about vdd is given up: another disk",
	    "> end lost another disk is being added on this node", ASKED);
	announce();
	DID("> ok", "> end refused a disk is being added on this node already");
}

static void test_announced_not(void **state)
{
	static const struct mdc_request unknown = { .kind = MDC_REQ_ANNOUNCE };

	(void)state;
	bed->not_allowed = true;
	strcpy(bed->t.track.members, "/dev/sd*");
	announce();
	DID("> ok", "> end unusable the resource's parameter members (/dev/sd*) leaves it out");
	bed->not_allowed = false;
	bed->connected = false;
	announce();
	DID("> ok", "> wait", "attr -", "> node 2 - unasked", "notice", "> end lost no connection");
	bed->connected = true;
	bed->t.present = false;
	announce();
	DID("> ok", "> end lost the array does not run");
	mdc_announce_request(&bed->d, bed->conn, &unknown);
	DID("> error no such array");
}

/* A peer: what proves the disk is the nonce. */
static void test_announced_peer(void **state)
{
	struct mdc_probe probe = { .announced = true, .id = "d4" };

	(void)state;
	says(2, "announced:10:1000:1a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7");
	DID("search");
	assert_string_equal(bed->first, "vdk");
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("attr looking:-:1a1b2c3d:2.7");
	bed->now_ms = 10000;
	mdc_verdict_blockdev(&bed->t, "vdx");
	bed->idle(1, 0, &bed->t);
	DID("stop", "attr missing:other=vdd:-:1a1b2c3d:2.7",
	    "warning /dev/md/shared: n2 is about to add a disk (d4, 0 MiB): refused here");
	probe.id[0] = '\0';
	says(2, "announced:10:1001:1a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:8");
	mdc_uuid_parse(&probe.nonce, DISK);
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("search", "stop", "attr missing:small=vdd:-:1a1b2c3d:2.8", "warning");
	/* By the nonce alone, under whatever name. */
	says(2, "announced:10:1000:1a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:9");
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("search", "attr found:vdd:-:1a1b2c3d:2.9",
	    "notice /dev/md/shared: n2 is about to add a disk (d4, 0 MiB): found as vdd");
}

/* The answer comes through the group; that it stands in the CIB later is no news. */
static void test_word_answers(void **state)
{
	(void)state;
	propose(7);
	DID(ASKED);
	word(2, "other", "found:vdd:2:1a1b2c3d:1.7");
	word(9, "raid", "missing:unseen:2:1a1b2c3d:1.7");
	word(2, "raid", "looking:2:1a1b2c3d:1.7");
	DID_NOTHING();
	assert_true(bed->t.propose.peers[0].looking);
	/* What the CIB shows of that node is older. */
	says(2, "missing:unseen:2:1a1b2c3d:1.7");
	DID_NOTHING();
	word(2, "raid", "found:vdd:2:1a1b2c3d:1.7");
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 is seen by n2");
	says(2, "found:vdd:2:1a1b2c3d:1.7");
	leaves(2);
	DID_NOTHING();
}

/* Who leaves the group takes its words along, and the CIB's count. */
static void test_word_forgotten(void **state)
{
	(void)state;
	propose(7);
	DID(ASKED);
	word(2, "raid", "looking:2:1a1b2c3d:1.7");
	says(2, "found:vdd:2:1a1b2c3d:1.7");
	DID_NOTHING();
	leaves(2);
	DID("verdict 7 proceed", "notice /dev/md/shared: raid disk 2 is seen by n2");
}

/* Without a connection to Pacemaker a node asks nobody, but answers. One in no lockspace is as before. */
static void test_word_old_way(void **state)
{
	(void)state;
	bed->connected = false;
	word(2, "raid", "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	word(2, "raid", "");
	DID("stop");
	propose(8);
	DID("verdict 8 proceed", "notice /dev/md/shared: raid disk 2 goes on without");
	bed->connected = true;
	bed->coro.lockspaces[0].nodes[1] = 3;
	word(2, "raid", "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:8");
	DID_NOTHING();
}

/* The proposal: begun by the word, the same one in the CIB, ended by the word. */
static void test_word_asks(void **state)
{
	struct mdc_probe probe = { .member = true };

	(void)state;
	word(2, "raid", "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID("search");
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	DID_NOTHING();
	probe.super.array = bed->t.track.uuid;
	mdc_uuid_parse(&probe.super.device, DISK);
	bed->seen(&bed->dev, &probe, &bed->t);
	bed->idle(1, 0, &bed->t);
	DID("attr found:vdd:2:1a1b2c3d:2.7", "notice /dev/md/shared: n2 proposes a disk");
	word(2, "raid", "");
	DID("stop");
	says(2, "proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:7");
	says(2, NULL);
	DID_NOTHING();
	/* Of two at once the node with the lower id goes on, whichever way they come. */
	bed->coro.nodeid = 2;
	mdc_cibview_add_attr(&bed->view, 1, "mdcluster-raid-state", "clean");
	mdc_add_view_old(&bed->d);
	propose(9);
	DID("attr proposed:2:1a1b2c3d4e5f60718293a4b5c6d7e8f9:9", "notice");
	word(1, "raid", "proposed:3:2a1b2c3d4e5f60718293a4b5c6d7e8f9:4");
	DID("search", "verdict 9 n1: is adding a disk itself", "attr refused:2:1a1b2c3d:n1=busy",
	    "warning");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_added), TEST(test_refused), TEST(test_over), TEST(test_stopped), TEST(test_old_way),
		TEST(test_unknown_members),
		TEST(test_untracked), TEST(test_peer), TEST(test_peer_has_seen_the_free_ones), TEST(test_peer_lacks_it),
		TEST(test_peer_is_quiet), TEST(test_peer_lets_go), TEST(test_rival),
		TEST(test_announced), TEST(test_announced_and_added),
		TEST(test_announced_and_another_one_added),
		TEST(test_announced_and_some_disk_added), TEST(test_announced_and_exchanged),
		TEST(test_announced_refused),
		TEST(test_announced_client_gone), TEST(test_announced_proposed),
		TEST(test_announced_not), TEST(test_announced_peer),
		TEST(test_word_answers), TEST(test_word_forgotten), TEST(test_word_old_way),
		TEST(test_word_asks),
	};

	return cmocka_run_group_tests_name("addglue", tests, NULL, NULL);
}
