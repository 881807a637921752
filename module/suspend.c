// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The range that another node resyncs, and this node's writers: who may begin, and when all that
 * began before have ended. PROTOCOL.md, "Ranges that are suspended". All of it under the cluster's
 * lock but the drain itself, which sleeps.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include "suspend.h"
#include "trace.h"

bool mdc_suspend_may_write(struct mdc_cluster *c, u64 lo, u64 hi)
{
	unsigned long flags;
	bool may;

	/* Not noted: the first range drains the whole array. */
	if (!READ_ONCE(c->suspended.range.hi))
		return true;
	spin_lock_irqsave(&c->lock, flags);
	may = !mdc_suspended_covers(&c->suspended, lo, hi);
	if (may)
		mdc_inflight_note(&c->inflight, mdc_now_ms(), lo, hi);
	else
		c->turned_away = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return may;
}

/* One at a time: md core's quiesce is not counted, and the end of one would end the other. */
static bool begin_drain(struct mdc_cluster *c)
{
	unsigned long flags;
	bool begun;

	spin_lock_irqsave(&c->lock, flags);
	begun = !c->draining;
	if (begun) {
		c->draining = true;
		c->turned_away = false;
		c->counters.quiesced++;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return begun;
}

static void end_drain(struct mdc_cluster *c, u64 begun, bool complete)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (complete)
		mdc_inflight_drained(&c->inflight, begun);
	c->draining = false;
	spin_unlock_irqrestore(&c->lock, flags);
	mdc_changed(c);
}

void mdc_suspend_drain(struct mdc_cluster *c)
{
	bool complete;
	u64 begun;

	wait_event_idle(c->wait, begin_drain(c));
	begun = mdc_now_ms();
	complete = !mdc_md_blocked(c->mddev);
	complete &= mdc_md_drain(c->mddev);
	complete &= !mdc_md_blocked(c->mddev);
	/* Else some may be in flight all the same: the next range that has them drains again. */
	end_drain(c, begun, complete);
}

/*
 * Under the lock. A node that died behind its message is gone by now, and its range was ended: then
 * nothing changes.
 */
static enum mdc_suspend_step set(struct mdc_cluster *c, int slot, const struct mdc_range *range)
{
	if (range->hi && !mdc_may_be_live(c, slot))
		return MDC_SUSPEND_SAME;
	if (range->hi && !c->suspended.range.hi)
		mdc_inflight_begin(&c->inflight, mdc_now_ms());
	return mdc_suspended_set(&c->suspended, slot, range);
}

bool mdc_suspend_learn(struct mdc_cluster *c, int slot, const struct mdc_range *range)
{
	unsigned long flags;
	bool live;

	spin_lock_irqsave(&c->lock, flags);
	set(c, slot, range);
	live = mdc_may_be_live(c, slot);
	spin_unlock_irqrestore(&c->lock, flags);
	return live;
}

bool mdc_suspend_set(struct mdc_cluster *c, int slot, const struct mdc_range *range)
{
	enum mdc_suspend_step step;
	unsigned long flags;
	bool due, live;

	spin_lock_irqsave(&c->lock, flags);
	step = set(c, slot, range);
	live = mdc_may_be_live(c, slot);
	/* Of what was suspended already nothing is in flight, unless it was only learned. */
	due = (c->suspended.range.hi && mdc_inflight_any(&c->inflight, range->lo, range->hi)) ||
	      (step != MDC_SUSPEND_SAME &&
	       (c->turned_away || !mdc_md_asks_for_all(c->mddev)));
	spin_unlock_irqrestore(&c->lock, flags);
	trace_mdc_range(c, slot, range->lo, range->hi);
	if (due)
		mdc_suspend_drain(c);
	return live;
}
