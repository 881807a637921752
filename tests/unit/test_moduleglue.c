/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eventd/module.c with everything round it stood in for: what is kept of the kernel module's
 * word, and to whom what it tells is handed.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"
#include "mdcluster.h"

#define OTHER_UUID "1a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9"

struct bed {
	struct mdc_daemon d;
	struct mdc_tracked t[2];
	struct mdc_mod_array shown;	/* by a dump */
	bool shows;
	int dump_ret;
	GString *did;			/* what was done, a line each */
};

static struct bed *bed;

int mdc_netlink_dump(struct mdc_netlink *nl,
		     void (*fn)(const struct mdc_mod_array *array, void *data), void *data)
{
	(void)nl;
	if (bed->shows)
		fn(&bed->shown, data);
	return bed->dump_ret;
}

struct mdc_tracked *mdc_arrays_by_uuid(struct mdc_daemon *d, const struct mdc_uuid *uuid)
{
	guint i;

	(void)d;
	for (i = 0; i < COUNT(bed->t); i++)
		if (mdc_uuid_equal(uuid, &bed->t[i].track.uuid))
			return &bed->t[i];
	return NULL;
}

struct mdc_tracked *mdc_arrays_by_md(struct mdc_daemon *d, const char *md)
{
	(void)d;
	(void)md;
	return NULL;
}

struct mdc_tracked *mdc_arrays_untracked(struct mdc_daemon *d, const char *md)
{
	(void)d;
	(void)md;
	return NULL;
}

void mdc_adds_request(struct mdc_tracked *t, const struct mdc_uuid *device_uuid,
		      unsigned int raid_disk, int64_t kernel_ms, enum mdc_asked_by by)
{
	(void)device_uuid;
	(void)kernel_ms;
	(void)by;
	g_string_append_printf(bed->did, "%s: asked for %u\n", t->track.md, raid_disk);
}

void mdc_events_nodes(struct mdc_daemon *d)
{
	guint i;

	for (i = 0; i < d->arrays->len; i++) {
		const struct mdc_tracked *t = d->arrays->pdata[i];

		g_string_append_printf(bed->did, "%s: look, %u nodes\n", t->track.md,
				       t->module ? t->module->n_members : 0);
	}
}

void mdc_propose_request(struct mdc_daemon *d, const struct mdc_mod_notice *n)
{
	(void)d;
	g_string_append_printf(bed->did, "proposal %d\n", (int)n->proposal);
}

bool mdc_propose_event(struct mdc_tracked *t, const struct mdc_mod_notice *n)
{
	g_string_append_printf(bed->did, "%s: event %d\n", t->track.md, (int)n->event);
	return true;
}

void mdc_propose_not_taken(struct mdc_tracked *t, uint64_t proposal, int err)
{
	g_string_append_printf(bed->did, "%s: verdict %d not taken, %d\n", t->track.md,
			       (int)proposal, err);
}

void mdc_settle_kernel_dropped(struct mdc_tracked *t, unsigned int raid_disk)
{
	g_string_append_printf(bed->did, "%s: dropped %u\n", t->track.md, raid_disk);
}

void mdc_observe(struct mdc_tracked *t)
{
	(void)t;
}

void mdc_observe_all(struct mdc_daemon *d)
{
	(void)d;
}

static int setup(void **state)
{
	guint i;

	(void)state;
	bed = g_new0(struct bed, 1);
	bed->did = g_string_new(NULL);
	bed->d.arrays = g_ptr_array_new();
	for (i = 0; i < COUNT(bed->t); i++) {
		g_ptr_array_add(bed->d.arrays, &bed->t[i]);
		bed->t[i].daemon = &bed->d;
		sprintf(bed->t[i].track.md, "md%u", i);
	}
	mdc_uuid_parse(&bed->t[0].track.uuid, SOME_UUID);
	mdc_uuid_parse(&bed->t[1].track.uuid, OTHER_UUID);
	bed->shown.uuid = bed->t[0].track.uuid;
	bed->shown.n_members = 3;
	bed->shown.receiving = true;
	bed->shown.receiving_ms = 90000;
	bed->shown.stuck_after_ms = 60000;
	bed->shows = true;
	return 0;
}

static int teardown(void **state)
{
	guint i;

	(void)state;
	for (i = 0; i < COUNT(bed->t); i++)
		mdc_module_forget(&bed->t[i]);
	g_string_free(bed->did, TRUE);
	g_ptr_array_free(bed->d.arrays, TRUE);
	g_free(bed);
	return 0;
}

static void did(const char *want)
{
	assert_string_equal(bed->did->str, want);
	g_string_truncate(bed->did, 0);
}

/* A dump that fails says nothing of who has the array; that there is no module does. */
static void test_failed_dump(void **state)
{
	(void)state;
	mdc_module_refresh(&bed->d);
	did("md0: look, 3 nodes\nmd1: look, 0 nodes\n");
	assert_int_equal(mdc_module_stuck(&bed->t[0]), 90000);
	bed->shows = false;
	bed->dump_ret = -ETIMEDOUT;
	mdc_module_refresh(&bed->d);
	did("md0: look, 3 nodes\nmd1: look, 0 nodes\n");
	/* Whether it still is at that message is not known. */
	assert_int_equal(mdc_module_stuck(&bed->t[0]), 0);
	bed->dump_ret = 0;
	mdc_module_refresh(&bed->d);
	did("md0: look, 0 nodes\nmd1: look, 0 nodes\n");
	bed->shows = true;
	mdc_module_refresh(&bed->d);
	bed->shows = false;
	bed->dump_ret = -ENOENT;
	g_string_truncate(bed->did, 0);
	mdc_module_refresh(&bed->d);
	did("md0: look, 0 nodes\nmd1: look, 0 nodes\n");
}

/* Two arrays may have a proposal of one number: it is a time in ms. */
static void test_not_taken(void **state)
{
	struct mdc_uuid none = { 0 };

	(void)state;
	mdc_module_calls.not_taken(&bed->t[1].track.uuid, 7, ENOENT, &bed->d);
	did("md1: verdict 7 not taken, 2\n");
	mdc_module_calls.not_taken(&none, 7, ENOENT, &bed->d);
	did("");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_failed_dump), TEST(test_not_taken),
	};

	return cmocka_run_group_tests_name("moduleglue", tests, NULL, NULL);
}
