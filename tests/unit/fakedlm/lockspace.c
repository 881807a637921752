// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fake of module/lockspace.c: one lockspace that is joined already. It stops, goes on and is
 * released when the test says so, with the same order of events for its locks as there.
 */
#include "fakedlm.h"

#define INSIDE_MS 5000

struct mdc_lockspace fake_lockspace;

void fake_lockspace_reset(void)
{
	struct mdc_lockspace *ls = &fake_lockspace;

	memset(ls, 0, sizeof(*ls));
	kref_init(&ls->refs);
	init_waitqueue_head(&ls->wait);
	strscpy(ls->name, "fake", sizeof(ls->name));
	spin_lock_init(&ls->lock);
	INIT_LIST_HEAD(&ls->locks);
	ls->dlm = ls;
	ls->state = MDC_LS_JOINED;
	ls->running = true;
}

static void set(bool *field, bool value)
{
	spin_lock(&fake_lockspace.lock);
	*field = value;
	spin_unlock(&fake_lockspace.lock);
}

void fake_lockspace_stop(u32 late_us)
{
	fake_dlm.stopped = true;
	if (late_us)
		sim_sleep_us(late_us);
	set(&fake_lockspace.running, false);
	mdc_locks_look_again(&fake_lockspace);
}

void fake_lockspace_go(void)
{
	fake_dlm.stopped = false;
	wake_up_all(&fake_dlm.wait);
	set(&fake_lockspace.running, true);
	mdc_locks_look_again(&fake_lockspace);
}

void fake_lockspace_abandon(void)
{
	set(&fake_lockspace.abandoned, true);
	mdc_locks_look_again(&fake_lockspace);
}

void fake_lockspace_release(void)
{
	struct mdc_lockspace *ls = &fake_lockspace;

	set(&ls->shut, true);
	wait_event_idle_timeout(ls->wait, !ls->inside, msecs_to_jiffies(INSIDE_MS));
	fake_dlm_destroy();
	spin_lock(&ls->lock);
	ls->state = MDC_LS_OVER;
	spin_unlock(&ls->lock);
	wake_up_all(&ls->wait);
	mdc_locks_look_again(ls);
}

/* module/lockspace.h */

void mdc_lockspace_get(struct mdc_lockspace *ls)
{
	kref_get(&ls->refs);
}

static void gone(struct kref *refs)
{
	(void)refs;
	sim_fail("the last reference to the lockspace is gone, which is the test's");
}

void mdc_lockspace_put(struct mdc_lockspace *ls)
{
	kref_put(&ls->refs, gone);
}

bool mdc_dlm_enter(struct mdc_lockspace *ls)
{
	bool may;

	spin_lock(&ls->lock);
	may = ls->state == MDC_LS_JOINED && ls->running && !ls->shut;
	ls->inside += may;
	spin_unlock(&ls->lock);
	return may;
}

void mdc_dlm_exit(struct mdc_lockspace *ls)
{
	spin_lock(&ls->lock);
	ls->inside--;
	spin_unlock(&ls->lock);
	wake_up_all(&ls->wait);
}

bool mdc_lockspace_over(struct mdc_lockspace *ls)
{
	return ls->state == MDC_LS_OVER;
}

bool mdc_lockspace_abandoned(struct mdc_lockspace *ls)
{
	return ls->abandoned;
}

bool mdc_lockspace_stopped(struct mdc_lockspace *ls)
{
	return !ls->running;
}

bool mdc_lockspace_queue(struct delayed_work *work, unsigned long delay)
{
	return fake_mod_delayed_work(work, delay);
}
