// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joining and leaving a lockspace of the kernel's DLM, and what the DLM tells of its members.
 *
 * dlm_new_lockspace() and dlm_release_lockspace() wait for dlm_controld, uninterruptibly and for as
 * long as it likes. So neither is called by those who join and leave but by the lockspace's keeper,
 * a work item, and they wait for the keeper only as long as they want to. What they give up the
 * keeper brings to its end. Until then the name stays in the list, so that nobody joins it again,
 * and the module stays loaded.
 *
 * Process context. The DLM's callbacks come from its recovery thread or from dlm_controld's.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include <linux/delay.h>
#include <linux/module.h>
#include "lockspace.h"

/* From Linux 6.11 on callbacks may come in softirq context, which saves two switches for each. */
#ifdef DLM_LSFL_SOFTIRQ
#define LOCKSPACE_FLAGS DLM_LSFL_SOFTIRQ
#else
#define LOCKSPACE_FLAGS 0
#endif

/*
 * Locks that are left are destroyed with it, and the other nodes clean up after them: they are
 * those that could not be unlocked in time. The name of the number comes with Linux 6.18.
 */
#ifdef DLM_RELEASE_NORMAL
#define RELEASE_WITH_LOCKS DLM_RELEASE_NORMAL
#else
#define RELEASE_WITH_LOCKS 2
#endif

#define INSIDE_MS 5000		/* see shut() */
#define SHARED_MS 5000		/* between attempts to release what another still uses */

static struct workqueue_struct *keepers;
static struct workqueue_struct *lock_works;
static LIST_HEAD(lockspaces);
static DEFINE_MUTEX(lockspaces_mutex);

int mdc_lockspace_init(void)
{
	keepers = alloc_workqueue("mdc_keeper", WQ_UNBOUND, 0);
	if (!keepers)
		return -ENOMEM;
	/* Writing the superblock when a disk failed needs locks, and memory may be short. */
	lock_works = alloc_workqueue("mdc_lock", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!lock_works) {
		destroy_workqueue(keepers);
		return -ENOMEM;
	}
	return 0;
}

void mdc_lockspace_exit(void)
{
	/*
	 * Each lockspace has a reference to the module, so there is none. What gave up the last
	 * reference may still be on its way out of the module: this waits for it.
	 */
	destroy_workqueue(keepers);
	destroy_workqueue(lock_works);
}

bool mdc_lockspace_queue(struct delayed_work *work, unsigned long delay)
{
	return mod_delayed_work(lock_works, work, delay);
}

void mdc_lockspace_get(struct mdc_lockspace *ls)
{
	kref_get(&ls->refs);
}

static void free_lockspace(struct kref *refs)
{
	kfree(container_of(refs, struct mdc_lockspace, refs));
	module_put(THIS_MODULE);
}

void mdc_lockspace_put(struct mdc_lockspace *ls)
{
	kref_put(&ls->refs, free_lockspace);
}

bool mdc_dlm_enter(struct mdc_lockspace *ls)
{
	bool may;

	spin_lock(&ls->lock);
	may = ls->state == MDC_LS_JOINED && ls->running && !ls->shut;
	if (may)
		ls->inside++;
	spin_unlock(&ls->lock);
	return may;
}

void mdc_dlm_exit(struct mdc_lockspace *ls)
{
	bool last;

	spin_lock(&ls->lock);
	ls->inside--;
	last = !ls->inside && ls->shut;
	spin_unlock(&ls->lock);
	if (last)
		wake_up_all(&ls->wait);
}

bool mdc_lockspace_over(struct mdc_lockspace *ls)
{
	return READ_ONCE(ls->state) == MDC_LS_OVER;
}

bool mdc_lockspace_abandoned(struct mdc_lockspace *ls)
{
	return READ_ONCE(ls->abandoned);
}

bool mdc_lockspace_stopped(struct mdc_lockspace *ls)
{
	return !READ_ONCE(ls->running);
}

void mdc_lockspace_abandon(struct mdc_lockspace *ls)
{
	spin_lock(&ls->lock);
	WRITE_ONCE(ls->abandoned, true);
	spin_unlock(&ls->lock);
	mdc_locks_look_again(ls);
}

/* What the DLM tells. */

static void recover_prep(void *arg)
{
	struct mdc_lockspace *ls = arg;
	bool was_running;

	spin_lock(&ls->lock);
	was_running = ls->running;
	WRITE_ONCE(ls->running, false);
	spin_unlock(&ls->lock);
	/* Who has given up a request does not wait for its end now. */
	mdc_locks_look_again(ls);
	mutex_lock(&ls->call);
	/* A recovery that begins anew before it has ended is not told again. */
	if (was_running && ls->events && ls->events->stopped)
		ls->events->stopped(ls->arg);
	mutex_unlock(&ls->call);
}

static void recover_slot(void *arg, struct dlm_slot *slot)
{
	struct mdc_lockspace *ls = arg;
	const struct mdc_member member = { .nodeid = slot->nodeid, .slot = slot->slot };

	mutex_lock(&ls->call);
	if (ls->events && ls->events->member_failed)
		ls->events->member_failed(ls->arg, &member);
	mutex_unlock(&ls->call);
}

static int copy_members(struct mdc_lockspace *ls, const struct dlm_slot *slots, int num_slots,
			struct mdc_member *members)
{
	int count = 0;
	int i;

	for (i = 0; i < num_slots; i++) {
		if (slots[i].slot <= 0 || count == MDC_MEMBERS_MAX) {
			pr_err("lockspace %s: member node %d (slot %d) is not counted: %s\n",
			       ls->name, slots[i].nodeid, slots[i].slot,
			       slots[i].slot <= 0 ? "the DLM gave it no slot" : "too many nodes");
			continue;
		}
		members[count].nodeid = slots[i].nodeid;
		members[count].slot = slots[i].slot;
		count++;
	}
	return count;
}

static void recover_done(void *arg, struct dlm_slot *slots, int num_slots, int our_slot,
			 uint32_t generation)
{
	struct mdc_member members[MDC_MEMBERS_MAX];
	struct mdc_lockspace *ls = arg;
	int count;

	count = copy_members(ls, slots, num_slots, members);
	/* First: whom running() wakes may ask whether locks stand still. */
	spin_lock(&ls->lock);
	WRITE_ONCE(ls->running, true);
	spin_unlock(&ls->lock);
	mutex_lock(&ls->call);
	if (ls->events && ls->events->running)
		ls->events->running(ls->arg, members, count, our_slot);
	mutex_unlock(&ls->call);
	spin_lock(&ls->lock);
	ls->told = true;
	spin_unlock(&ls->lock);
	wake_up_all(&ls->wait);
	mdc_locks_look_again(ls);
}

static const struct dlm_lockspace_ops dlm_ops = {
	.recover_prep = recover_prep,
	.recover_slot = recover_slot,
	.recover_done = recover_done,
};

/* No callback comes to the owner after this. */
static void detach(struct mdc_lockspace *ls)
{
	mutex_lock(&ls->call);
	ls->events = NULL;
	mutex_unlock(&ls->call);
}

/* The keeper. */

static void call_keeper(struct mdc_lockspace *ls)
{
	mdc_lockspace_get(ls);
	if (!queue_work(keepers, &ls->keeper))
		mdc_lockspace_put(ls);
}

static int open_dlm(struct mdc_lockspace *ls)
{
	int ops_result = 0;
	int ret;

	/*
	 * A lockspace of this name that somebody on this node has already made would be shared,
	 * but its callbacks would not be ours: refused by NEWEXCL, which does not travel.
	 */
	ret = dlm_new_lockspace(ls->name, ls->cluster, LOCKSPACE_FLAGS | DLM_LSFL_NEWEXCL,
				MDC_LVB_SIZE, &dlm_ops, ls, &ops_result, &ls->dlm);
	if (ret || !ops_result)
		return ret;
	dlm_release_lockspace(ls->dlm, RELEASE_WITH_LOCKS);
	return ops_result;
}

/*
 * Keeps threads from entering the DLM, and waits for those inside. A call that is still there after
 * so long sleeps until locks go on. That does no harm: the DLM counts the calls in it, and does not
 * free the lockspace under them. What must not be is that a call begins while it is freed.
 */
static void shut(struct mdc_lockspace *ls, bool on)
{
	spin_lock(&ls->lock);
	ls->shut = on;
	spin_unlock(&ls->lock);
	if (on)
		wait_event_idle_timeout(ls->wait, !READ_ONCE(ls->inside),
					msecs_to_jiffies(INSIDE_MS));
	else
		mdc_locks_look_again(ls);
}

/*
 * The DLM did not let go: another user of it on this node has opened the lockspace as well, and it
 * lives on with our callbacks and locks. Takes part in it again, so that locks can be freed in an
 * orderly way, until the other one is gone.
 */
static void share(struct mdc_lockspace *ls)
{
	int ret;

	if (!ls->shared_logged)
		pr_warn("lockspace %s: left, but another program on this node has it open (dlm_tool ls): this node stays a member, and cannot join the array again, until that has ended\n",
			ls->name);
	ls->shared_logged = true;
	for (;;) {
		ret = dlm_new_lockspace(ls->name, ls->cluster, LOCKSPACE_FLAGS, MDC_LVB_SIZE,
					NULL, NULL, NULL, &ls->dlm);
		if (!ret)
			break;
		msleep(SHARED_MS);
	}
	shut(ls, false);
	msleep(SHARED_MS);
}

static void release(struct mdc_lockspace *ls)
{
	int ret;

	wait_event_idle_timeout(ls->wait, list_empty_careful(&ls->locks),
				max_t(long, ls->drain_until - jiffies, 1));
	for (;;) {
		shut(ls, true);
		ret = dlm_release_lockspace(ls->dlm, RELEASE_WITH_LOCKS);
		if (ret <= 0)
			break;
		share(ls);
	}
	if (ret)
		pr_err("lockspace %s: the DLM does not know it any more (%d)\n", ls->name, ret);
	else if (ls->shared_logged)
		pr_info("lockspace %s: released\n", ls->name);
}

static void set_state(struct mdc_lockspace *ls, enum mdc_lockspace_state state, int error)
{
	/* Before anybody can see that it is over: who waits for that may join again at once. */
	if (state == MDC_LS_OVER) {
		mutex_lock(&lockspaces_mutex);
		list_del(&ls->node);
		mutex_unlock(&lockspaces_mutex);
	}
	spin_lock(&ls->lock);
	WRITE_ONCE(ls->state, state);
	ls->error = error;
	spin_unlock(&ls->lock);
	wake_up_all(&ls->wait);
	mdc_locks_look_again(ls);
}

static void keep(struct work_struct *work)
{
	struct mdc_lockspace *ls = container_of(work, struct mdc_lockspace, keeper);
	bool leave;
	int ret;

	if (ls->state == MDC_LS_JOINING) {
		ret = open_dlm(ls);
		set_state(ls, ret ? MDC_LS_OVER : MDC_LS_JOINED, ret);
	}
	spin_lock(&ls->lock);
	leave = ls->state == MDC_LS_JOINED && ls->leave;
	spin_unlock(&ls->lock);
	if (leave) {
		release(ls);
		set_state(ls, MDC_LS_OVER, 0);
	}
	mdc_lockspace_put(ls);
}

/* Joining. */

static struct mdc_lockspace *new_lockspace(const char *name, const char *cluster,
					   const struct mdc_lockspace_events *events, void *arg)
{
	struct mdc_lockspace *ls = kzalloc(sizeof(*ls), GFP_KERNEL);

	if (!ls)
		return NULL;
	__module_get(THIS_MODULE);
	kref_init(&ls->refs);
	INIT_WORK(&ls->keeper, keep);
	init_waitqueue_head(&ls->wait);
	strscpy(ls->name, name, sizeof(ls->name));
	strscpy(ls->cluster, cluster, sizeof(ls->cluster));
	mutex_init(&ls->call);
	ls->events = events;
	ls->arg = arg;
	spin_lock_init(&ls->lock);
	INIT_LIST_HEAD(&ls->locks);
	return ls;
}

static int enlist(struct mdc_lockspace *ls)
{
	struct mdc_lockspace *other;
	int ret = 0;

	mutex_lock(&lockspaces_mutex);
	list_for_each_entry(other, &lockspaces, node) {
		if (!strcmp(other->name, ls->name))
			ret = -EBUSY;
	}
	if (!ret)
		list_add(&ls->node, &lockspaces);
	mutex_unlock(&lockspaces_mutex);
	return ret;
}

static bool join_over(struct mdc_lockspace *ls)
{
	bool over;

	spin_lock(&ls->lock);
	over = ls->state == MDC_LS_OVER || (ls->state == MDC_LS_JOINED && ls->told);
	spin_unlock(&ls->lock);
	return over;
}

/* The join has ended, or WAITED says why it was not waited for any longer. */
static int join_result(struct mdc_lockspace *ls, long waited)
{
	int ret = 0;

	spin_lock(&ls->lock);
	if (ls->state == MDC_LS_OVER) {
		ret = ls->error;
	} else if (ls->state != MDC_LS_JOINED || !ls->told) {
		ret = waited < 0 ? -EINTR : -ETIMEDOUT;
		ls->leave = true;
		ls->drain_until = jiffies;
	}
	spin_unlock(&ls->lock);
	return ret;
}

int mdc_lockspace_join(const char *name, const char *cluster,
		       const struct mdc_lockspace_events *events, void *arg,
		       unsigned int timeout_ms, struct mdc_lockspace **lockspace)
{
	struct mdc_lockspace *ls;
	long waited;
	int ret;

	if (strlen(name) > DLM_LOCKSPACE_LEN || strlen(cluster) > DLM_LOCKSPACE_LEN)
		return -ENAMETOOLONG;
	ls = new_lockspace(name, cluster, events, arg);
	if (!ls)
		return -ENOMEM;
	ret = enlist(ls);
	if (ret)
		goto put;
	call_keeper(ls);
	waited = wait_event_killable_timeout(ls->wait, join_over(ls), msecs_to_jiffies(timeout_ms));
	ret = join_result(ls, waited);
	if (!ret) {
		*lockspace = ls;
		return 0;
	}
	detach(ls);
	call_keeper(ls);
put:
	mdc_lockspace_put(ls);
	return ret;
}

void mdc_lockspace_leave(struct mdc_lockspace *ls, unsigned int timeout_ms)
{
	long left = msecs_to_jiffies(timeout_ms);

	detach(ls);
	mdc_lockspace_abandon(ls);
	spin_lock(&ls->lock);
	ls->leave = true;
	/*
	 * Locks that could not be unlocked by then will not be, most likely: locks stand still. The
	 * DLM then needs 5 s more, to give up its connections.
	 */
	ls->drain_until = jiffies + left / (ls->running ? 2 : 4);
	spin_unlock(&ls->lock);
	call_keeper(ls);
	if (!wait_event_idle_timeout(ls->wait, mdc_lockspace_over(ls), left))
		pr_warn("lockspace %s: the DLM has not let go of it in %u ms%s: that goes on in the background, and until it has ended this node cannot join the array again (dlm_tool ls)\n",
			ls->name, timeout_ms,
			mdc_lockspace_stopped(ls) ? " (no quorum, or a recovery under way)" : "");
	mdc_lockspace_put(ls);
}
