/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `mdclusterd --check`: looks at the host once for the agent's start, with the same
 * adapters as the event process, prints lines (README.md) and ends in CORO_MS at most,
 * whatever hangs.
 */
#include <stdio.h>
#include <string.h>

#include "eventd/daemon.h"

#define CORO_MS 15000		/* a start that fails is not tried again: rather wait */
#define SEARCH_MS 8000		/* for devices that answer late; a stuck one is named after it */
#define STUCK_MS 2000		/* after all else has answered, if no member in use is missing */
#define AGAIN_MS 1000		/* the members of a running array are not all written at once */

struct found {
	struct mdc_blockdev dev;
	struct mdc_probe probe;
};

struct check {
	GMainLoop *loop;
	struct mdc_uuid uuid;
	GArray *list;			/* of struct mdc_blockdev */
	GHashTable *answered;		/* kernel names */
	GArray *found;			/* of struct found */
	GPtrArray *nomatch;
	struct mdc_search_pool *pool;
	struct mdc_search *search;
	struct mdc_corosync *coro;
	struct mdc_coro_view view;
	bool have_view, coro_late, searched, looked_again, late;
	guint wait_stuck, again;
};

static const struct found *freshest(const struct check *c)
{
	const struct found *best = NULL;
	guint i;

	for (i = 0; i < c->found->len; i++) {
		const struct found *f = &g_array_index(c->found, struct found, i);

		if (!best || f->probe.super.events > best->probe.super.events ||
		    (f->probe.super.events == best->probe.super.events &&
		     f->probe.have_bitmap && !best->probe.have_bitmap))
			best = f;
	}
	return best;
}

/*
 * mdadm --assemble takes a member that is one event behind: a crash between two writes. A
 * spare that is behind was removed from the array, which leaves its superblock as it was;
 * taken in again by one node alone, it would be rebuilt by that one alone.
 */
static bool is_fresh(const struct mdc_super *s, uint64_t newest)
{
	return s->events + (s->role == MDC_ROLE_SPARE ? 0 : 1) >= newest;
}

/* Or was the array just being written, and the member is looked at before its turn? */
static bool any_behind(const struct check *c)
{
	const struct found *best = freshest(c);
	guint i;

	for (i = 0; i < c->found->len; i++) {
		const struct mdc_super *s = &g_array_index(c->found, struct found, i).probe.super;

		if (s->role != MDC_ROLE_FAULTY && !is_fresh(s, best->probe.super.events))
			return true;
	}
	return false;
}

static bool has_role(const struct check *c, unsigned int role)
{
	guint i;

	for (i = 0; i < c->found->len; i++)
		if (g_array_index(c->found, struct found, i).probe.super.role == (int)role)
			return true;
	return false;
}

/* Nothing that the array has in use is among the devices that have not answered yet. */
static bool all_in_use_found(const struct check *c)
{
	const struct found *best = freshest(c);
	unsigned int i;

	for (i = 0; best && i < best->probe.super.n_active; i++)
		if (!has_role(c, best->probe.super.active[i]))
			return false;
	return best;
}

static void end_if_done(struct check *c)
{
	if (c->have_view && c->searched)
		g_main_loop_quit(c->loop);
}

static gboolean stuck_enough(gpointer data)
{
	struct check *c = data;

	c->wait_stuck = 0;
	c->searched = true;
	end_if_done(c);
	return G_SOURCE_REMOVE;
}

/* A member may be slow, its path failing over say: search_late() ends that wait. */
static void stuck_unless_member(struct check *c)
{
	if (!c->wait_stuck && all_in_use_found(c))
		c->wait_stuck = g_timeout_add(STUCK_MS, stuck_enough, c);
}

static void seen(const struct mdc_blockdev *dev, const struct mdc_probe *probe, void *data)
{
	struct check *c = data;
	struct found f = { .dev = *dev, .probe = *probe };

	g_hash_table_add(c->answered, g_strdup(dev->kname));
	if (probe->member && mdc_uuid_equal(&probe->super.array, &c->uuid) &&
	    c->found->len < MDC_CHECK_MEMBERS_MAX)
		g_array_append_val(c->found, f);
	if (c->late && g_hash_table_size(c->answered) >= c->list->len) {
		g_clear_handle_id(&c->wait_stuck, g_source_remove);
		stuck_enough(c);
	} else if (c->late) {
		stuck_unless_member(c);
	}
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data);

static gboolean look_again(gpointer data)
{
	struct check *c = data;

	c->again = 0;
	g_array_set_size(c->found, 0);
	mdc_search_stop(c->search);
	c->search = mdc_search_start(c->pool, c->list, 0, seen, idle, c);
	return G_SOURCE_REMOVE;
}

static void idle(unsigned int looked_at, unsigned int stuck, void *data)
{
	struct check *c = data;

	(void)looked_at;
	if (!c->looked_again && any_behind(c)) {
		c->looked_again = true;
		c->again = g_timeout_add(AGAIN_MS, look_again, c);
		return;
	}
	if (stuck && g_hash_table_size(c->answered) < c->list->len) {
		c->late = true;
		stuck_unless_member(c);
		return;
	}
	c->searched = true;
	end_if_done(c);
}

static void coro_said(const struct mdc_coro_view *view, void *data)
{
	struct check *c = data;

	c->view = *view;
	c->have_view = true;
	c->coro_late = false;
	end_if_done(c);
}

static gboolean coro_late(gpointer data)
{
	struct check *c = data;

	c->have_view = true;
	c->coro_late = true;
	end_if_done(c);
	return G_SOURCE_REMOVE;
}

static gboolean search_late(gpointer data)
{
	struct check *c = data;

	c->searched = true;
	end_if_done(c);
	return G_SOURCE_REMOVE;
}

static void print_corosync(const struct check *c)
{
	const struct mdc_coro_lockspace *ls = mdc_coro_lockspace(&c->view, &c->uuid);
	unsigned int i;

	/* Of one that does not answer nothing is known. */
	if (c->coro_late)
		return;
	printf("corosync %s\n", c->view.up ? "up" : "down");
	if (!c->view.up)
		return;
	printf("quorate %s\n", c->view.quorate ? "yes" : "no");
	if (c->view.cluster[0] && !strpbrk(c->view.cluster, " \t\n"))
		printf("cluster %s\n", c->view.cluster);
	printf("nodeid %u\n", c->view.nodeid);
	if (c->view.dlm >= 0)
		printf("dlm %s\n", c->view.dlm ? "up" : "down");
	if (!ls)
		return;
	printf("lockspace");
	for (i = 0; i < ls->n; i++)
		printf(" %u", ls->nodes[i]);
	printf("\n");
}

/* The other paths of a disk whose multipath device is in the list say nothing new. */
static bool is_path(const struct check *c, const struct found *f)
{
	guint i;

	for (i = 0; f->dev.holder[0] && i < c->found->len; i++)
		if (!strcmp(g_array_index(c->found, struct found, i).dev.kname, f->dev.holder))
			return true;
	return false;
}

static void print_array(const struct found *f)
{
	const struct mdc_super *s = &f->probe.super;
	const struct mdc_bitmap_super *b = &f->probe.bitmap;
	unsigned int i;

	printf("array raid_disks=%u level=%d layout=%u clustered=%s slots=%u cluster_name=%s\n",
	       s->raid_disks, s->level, s->layout, s->clustered ? "yes" : "no",
	       f->probe.have_bitmap ? b->slots : 0, f->probe.have_bitmap ? b->cluster : "");
	printf("active");
	for (i = 0; i < s->n_active; i++)
		printf(" %u", s->active[i]);
	printf("\n");
}

static void print_member(const struct found *f, uint64_t newest)
{
	const struct mdc_super *s = &f->probe.super;

	printf("member %s %s role=", f->dev.path, f->dev.kname);
	if (s->role == MDC_ROLE_FAULTY)
		printf("faulty");
	else if (s->role == MDC_ROLE_SPARE)
		printf("spare");
	else
		printf("%d", s->role);
	printf(" events=%llu fresh=%s holder=%s\n", (unsigned long long)s->events,
	       is_fresh(s, newest) ? "yes" : "no", f->dev.holder[0] ? f->dev.holder : "-");
}

static void print_all(const struct check *c)
{
	const struct found *best = freshest(c);
	guint i;

	print_corosync(c);
	if (best)
		print_array(best);
	for (i = 0; i < c->found->len; i++) {
		const struct found *f = &g_array_index(c->found, struct found, i);

		if (!is_path(c, f))
			print_member(f, best->probe.super.events);
	}
	for (i = 0; i < c->list->len; i++) {
		const struct mdc_blockdev *dev = &g_array_index(c->list, struct mdc_blockdev, i);

		if (!g_hash_table_contains(c->answered, dev->kname))
			printf("stuck %s\n", dev->path);
	}
	for (i = 0; i < c->nomatch->len; i++)
		printf("nomatch %s\n", (char *)c->nomatch->pdata[i]);
	printf("end\n");
}

static void run(struct check *c, const char *members)
{
	guint coro_timer, search_timer;

	c->pool = mdc_search_pool_new();
	c->loop = g_main_loop_new(NULL, FALSE);
	c->answered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	c->found = g_array_new(FALSE, FALSE, sizeof(struct found));
	c->nomatch = g_ptr_array_new_with_free_func(g_free);
	c->coro = mdc_corosync_new(coro_said, c, &c->uuid, 1);
	c->list = mdc_blockdev_list("/sys", members, 0, c->nomatch);
	c->search = mdc_search_start(c->pool, c->list, 0, seen, idle, c);
	coro_timer = g_timeout_add(CORO_MS, coro_late, c);
	search_timer = g_timeout_add(SEARCH_MS, search_late, c);
	g_main_loop_run(c->loop);
	print_all(c);

	/* Timers that have run are gone from the context with it; only memory is left to free. */
	if (g_main_context_find_source_by_id(NULL, coro_timer))
		g_source_remove(coro_timer);
	if (g_main_context_find_source_by_id(NULL, search_timer))
		g_source_remove(search_timer);
	g_clear_handle_id(&c->wait_stuck, g_source_remove);
	g_clear_handle_id(&c->again, g_source_remove);
	mdc_search_stop(c->search);
	mdc_search_pool_free(c->pool);
	mdc_corosync_free(c->coro);
	g_array_free(c->list, TRUE);
	g_array_free(c->found, TRUE);
	g_hash_table_destroy(c->answered);
	g_ptr_array_free(c->nomatch, TRUE);
	g_main_loop_unref(c->loop);
}

int mdc_check_main(int argc, char **argv)
{
	static const char uuid_key[] = "uuid=", members_key[] = "members=";
	struct check c = { 0 };
	const char *members;

	if (argc < 1 || argc > 2 || strncmp(argv[0], uuid_key, sizeof(uuid_key) - 1) ||
	    mdc_uuid_parse(&c.uuid, argv[0] + sizeof(uuid_key) - 1) ||
	    (argc == 2 && strncmp(argv[1], members_key, sizeof(members_key) - 1))) {
		fprintf(stderr, "mdclusterd: --check needs uuid=UUID and may have members=GLOBS\n");
		return 2;
	}
	members = argc == 2 ? argv[1] + sizeof(members_key) - 1 : "";
	if (!mdc_members_valid(members)) {
		fprintf(stderr, "mdclusterd: --check: members is not a list of absolute paths or "
				"globs divided by one space\n");
		return 2;
	}
	run(&c, members);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
