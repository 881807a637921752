/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the workers that probe. A worker is handed one device at a time and answers with one
 * struct; both ends are the same program, so the struct's layout is the same. A device
 * that a worker hangs on is left alone until that worker has come back or died: a second
 * look would only hang a second worker. As many as a search uses are there in advance and are kept
 * after it, as to fork one, or to end one, takes long enough under an emulated or busy CPU to be
 * noticed by the writers that wait for a search.
 */
#include "port/search.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "port/worker.h"

#define BUSY_MAX 2		/* workers of a search that are not stuck */
#define SPARE_MS 500		/* the search that has taken it is over, as a rule */

struct worker {
	struct mdc_search_pool *pool;
	struct mdc_search *owner;	/* NULL: a spare one, or its search has been stopped */
	pid_t pid;
	int fd;
	guint io, timer, child;
	bool busy, stuck;
	struct mdc_blockdev dev;	/* while busy */
};

struct mdc_search_pool {
	GPtrArray *workers;
	GPtrArray *searches;
	unsigned int stuck;
	bool said_full;
	bool keep_spares;
	guint refill;			/* timer */
};

struct mdc_search {
	struct mdc_search_pool *pool;
	GQueue queue;			/* of struct mdc_blockdev, to be probed */
	GQueue deferred;		/* the same, another worker is at it */
	unsigned int also, looked_at;
	guint kick;
	bool told_idle;
	mdc_search_seen_fn seen;
	mdc_search_idle_fn idle;
	void *data;
};

static void run(struct mdc_search *search);

/* In the child. */
static void probe_loop(int fd, const void *data)
{
	struct mdc_probe_device dev;
	struct mdc_probe probe;

	(void)data;
	while (recv(fd, &dev, sizeof(dev), 0) == (ssize_t)sizeof(dev)) {
		mdc_probe_device("/sys", &dev, &probe);
		if (send(fd, &probe, sizeof(probe), MSG_NOSIGNAL) != (ssize_t)sizeof(probe))
			break;
	}
}

static void kick_later(struct mdc_search *search);

static bool same_dev(const struct mdc_blockdev *a, const struct mdc_blockdev *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* Nobody is at dev any more: the searches that wanted it as well may look. */
static void undefer(struct mdc_search_pool *pool, const struct mdc_blockdev *dev)
{
	guint i;

	for (i = 0; i < pool->searches->len; i++) {
		struct mdc_search *search = pool->searches->pdata[i];
		GList *l, *next;

		for (l = search->deferred.head; l; l = next) {
			next = l->next;
			if (!same_dev(l->data, dev))
				continue;
			g_queue_unlink(&search->deferred, l);
			g_queue_push_head_link(&search->queue, l);
			search->told_idle = false;
			kick_later(search);
		}
	}
}

static void not_busy(struct worker *w)
{
	struct mdc_blockdev dev = w->dev;

	g_clear_handle_id(&w->timer, g_source_remove);
	if (w->stuck) {
		w->pool->stuck--;
		w->pool->said_full = false;
		mdc_notice("%s does not hang any more", dev.path);
		if (w->owner)
			w->owner->told_idle = false;
	}
	w->busy = w->stuck = false;
	undefer(w->pool, &dev);
}

static void hang_up(struct worker *w)
{
	g_clear_handle_id(&w->io, g_source_remove);
	g_clear_handle_id(&w->timer, g_source_remove);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->owner = NULL;
}

static void refill_later(struct mdc_search_pool *pool);

static void worker_ended(GPid pid, gint status, gpointer data)
{
	struct worker *w = data;
	struct mdc_search *owner = w->owner;

	(void)pid;
	(void)status;
	w->child = 0;
	hang_up(w);
	refill_later(w->pool);
	if (w->busy) {
		not_busy(w);
		if (owner) {
			struct mdc_probe probe = { .err = -EIO };

			owner->looked_at++;
			owner->told_idle = false;
			kick_later(owner);
			owner->seen(&w->dev, &probe, owner->data);
		}
	}
	g_ptr_array_remove_fast(w->pool->workers, w);
	g_free(w);
}

static gboolean answered(gint fd, GIOCondition cond, gpointer data)
{
	struct worker *w = data;
	struct mdc_search *owner = w->owner;
	struct mdc_probe probe;
	struct mdc_blockdev dev = w->dev;
	ssize_t n = recv(fd, &probe, sizeof(probe), MSG_DONTWAIT);

	(void)cond;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != (ssize_t)sizeof(probe) || !w->busy) {
		/* It died; worker_ended does the rest. */
		w->io = 0;
		return G_SOURCE_REMOVE;
	}
	not_busy(w);
	if (owner) {
		owner->looked_at++;
		kick_later(owner);
		owner->seen(&dev, &probe, owner->data);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean too_slow(gpointer data)
{
	struct worker *w = data;

	w->timer = 0;
	w->stuck = true;
	w->pool->stuck++;
	mdc_warn("%s has not answered a read for %d ms; going on without it", w->dev.path,
		 MDC_SEARCH_SLOW_MS);
	if (w->owner)
		run(w->owner);
	return G_SOURCE_REMOVE;
}

static struct worker *start_worker(struct mdc_search_pool *pool)
{
	struct worker *w;
	pid_t pid;
	int fd;

	pid = mdc_worker_fork(probe_loop, NULL, true, &fd);
	if (pid < 0) {
		mdc_err("cannot start a worker to look at the disks: %s", strerror(-pid));
		return NULL;
	}
	w = g_new0(struct worker, 1);
	w->pool = pool;
	w->pid = pid;
	w->fd = fd;
	w->io = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, answered, w);
	w->child = g_child_watch_add(pid, worker_ended, w);
	g_ptr_array_add(pool->workers, w);
	return w;
}

static bool is_idle(const struct worker *w)
{
	return !w->busy && w->fd >= 0 && w->io;
}

/* One of those that no search has, or NULL. */
static struct worker *spare(const struct mdc_search_pool *pool, unsigned int *n)
{
	struct worker *found = NULL;
	guint i;

	*n = 0;
	for (i = 0; i < pool->workers->len; i++) {
		struct worker *w = pool->workers->pdata[i];

		if (w->owner || !is_idle(w))
			continue;
		found = w;
		(*n)++;
	}
	return found;
}

static gboolean refill(gpointer data)
{
	struct mdc_search_pool *pool = data;
	unsigned int n;

	pool->refill = 0;
	spare(pool, &n);
	if (n < BUSY_MAX && start_worker(pool))
		refill_later(pool);
	return G_SOURCE_REMOVE;
}

/* Not at once: who waits for the search is not to wait for this fork. */
static void refill_later(struct mdc_search_pool *pool)
{
	if (pool->keep_spares && !pool->refill)
		pool->refill = g_timeout_add(SPARE_MS, refill, pool);
}

static struct worker *new_worker(struct mdc_search *search)
{
	struct mdc_search_pool *pool = search->pool;
	unsigned int n_spare;
	struct worker *w;

	if (pool->stuck >= MDC_SEARCH_STUCK_MAX) {
		if (!pool->said_full)
			mdc_err("%u block devices hang: no more are looked at until one answers; "
				"check the paths to the disks (multipath -ll, dmesg)", pool->stuck);
		pool->said_full = true;
		return NULL;
	}
	w = spare(pool, &n_spare);
	if (!w)
		w = start_worker(pool);
	if (w)
		w->owner = search;
	refill_later(pool);
	return w;
}

static bool hand_over(struct worker *w, const struct mdc_blockdev *dev)
{
	struct mdc_probe_device request = { .major = dev->major, .minor = dev->minor,
					    .also = w->owner->also };

	g_strlcpy(request.kname, dev->kname, sizeof(request.kname));
	g_strlcpy(request.path, dev->path, sizeof(request.path));
	if (send(w->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)sizeof(request))
		return false;
	w->busy = true;
	w->dev = *dev;
	w->timer = g_timeout_add(MDC_SEARCH_SLOW_MS, too_slow, w);
	return true;
}

static bool somebody_at(const struct mdc_search_pool *pool, const struct mdc_blockdev *dev)
{
	guint i;

	for (i = 0; i < pool->workers->len; i++) {
		const struct worker *w = pool->workers->pdata[i];

		if (w->busy && same_dev(&w->dev, dev))
			return true;
	}
	return false;
}

/* An idle worker of this search; counts those that are busy and well. */
static struct worker *free_worker(struct mdc_search *search, unsigned int *busy,
				  unsigned int *stuck)
{
	struct worker *found = NULL;
	guint i;

	*busy = *stuck = 0;
	for (i = 0; i < search->pool->workers->len; i++) {
		struct worker *w = search->pool->workers->pdata[i];

		if (w->owner != search)
			continue;
		if (w->stuck)
			(*stuck)++;
		else if (w->busy)
			(*busy)++;
		else if (is_idle(w))
			found = w;
	}
	return found;
}

static void run(struct mdc_search *search)
{
	unsigned int busy, stuck;

	while (search->queue.head) {
		struct worker *w = free_worker(search, &busy, &stuck);
		struct mdc_blockdev *dev = search->queue.head->data;

		if (somebody_at(search->pool, dev)) {
			g_queue_push_tail_link(&search->deferred,
					       g_queue_pop_head_link(&search->queue));
			continue;
		}
		if (busy >= BUSY_MAX)
			return;
		if (!w)
			w = new_worker(search);
		if (!w)
			break;
		if (!hand_over(w, dev)) {
			/* It died while it had nothing to do: the next one takes the device. */
			g_clear_handle_id(&w->io, g_source_remove);
			continue;
		}
		g_free(g_queue_pop_head(&search->queue));
	}
	free_worker(search, &busy, &stuck);
	if (busy || search->told_idle)
		return;
	search->told_idle = true;
	search->idle(search->looked_at, stuck + g_queue_get_length(&search->deferred) +
		     g_queue_get_length(&search->queue), search->data);
}

static gboolean kicked(gpointer data)
{
	struct mdc_search *search = data;

	search->kick = 0;
	run(search);
	return G_SOURCE_REMOVE;
}

static void kick_later(struct mdc_search *search)
{
	if (!search->kick)
		search->kick = g_idle_add_full(G_PRIORITY_DEFAULT, kicked, search, NULL);
}

struct mdc_search *mdc_search_start(struct mdc_search_pool *pool, const GArray *devices,
				    unsigned int also, mdc_search_seen_fn seen,
				    mdc_search_idle_fn idle, void *data)
{
	struct mdc_search *search = g_new0(struct mdc_search, 1);
	guint i;

	search->pool = pool;
	search->also = also;
	search->seen = seen;
	search->idle = idle;
	search->data = data;
	g_queue_init(&search->queue);
	g_queue_init(&search->deferred);
	for (i = 0; i < devices->len; i++)
		g_queue_push_tail(&search->queue,
				  g_memdup2(&g_array_index(devices, struct mdc_blockdev, i),
					    sizeof(struct mdc_blockdev)));
	g_ptr_array_add(pool->searches, search);
	kick_later(search);
	return search;
}

void mdc_search_more(struct mdc_search *search, const struct mdc_blockdev *dev)
{
	GList *l;

	for (l = search->queue.head; l; l = l->next)
		if (same_dev(l->data, dev))
			return;
	for (l = search->deferred.head; l; l = l->next)
		if (same_dev(l->data, dev))
			return;
	search->told_idle = false;
	g_queue_push_head(&search->queue, g_memdup2(dev, sizeof(*dev)));
	kick_later(search);
}

void mdc_search_stop(struct mdc_search *search)
{
	unsigned int n_spare;
	guint i;

	if (!search)
		return;
	spare(search->pool, &n_spare);
	for (i = 0; i < search->pool->workers->len; i++) {
		struct worker *w = search->pool->workers->pdata[i];

		if (w->owner != search)
			continue;
		if (search->pool->keep_spares && is_idle(w) && n_spare < BUSY_MAX) {
			w->owner = NULL;
			n_spare++;
			continue;
		}
		/* What is at work is killed; what hangs in the kernel dies when it comes back. */
		if (w->busy)
			kill(w->pid, SIGKILL);
		hang_up(w);
	}
	g_clear_handle_id(&search->kick, g_source_remove);
	g_ptr_array_remove_fast(search->pool->searches, search);
	g_queue_clear_full(&search->queue, g_free);
	g_queue_clear_full(&search->deferred, g_free);
	g_free(search);
}

struct mdc_search_pool *mdc_search_pool_new(void)
{
	struct mdc_search_pool *pool = g_new0(struct mdc_search_pool, 1);

	pool->workers = g_ptr_array_new();
	pool->searches = g_ptr_array_new();
	return pool;
}

void mdc_search_pool_ready(struct mdc_search_pool *pool)
{
	pool->keep_spares = true;
	refill_later(pool);
}

void mdc_search_pool_free(struct mdc_search_pool *pool)
{
	if (!pool)
		return;
	g_clear_handle_id(&pool->refill, g_source_remove);
	while (pool->workers->len) {
		struct worker *w = pool->workers->pdata[0];

		kill(w->pid, SIGKILL);
		hang_up(w);
		g_clear_handle_id(&w->child, g_source_remove);
		g_ptr_array_remove_index_fast(pool->workers, 0);
		g_free(w);
	}
	g_ptr_array_free(pool->workers, TRUE);
	g_ptr_array_free(pool->searches, TRUE);
	g_free(pool);
}
