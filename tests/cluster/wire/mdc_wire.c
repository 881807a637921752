// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For tests: one more voice in an array's lockspace, which says what it is told to say. It has
 * locks of its own beside those of this node's md-cluster, so that this node, too, hears what it
 * sends (PROTOCOL.md, "A message, step by step"). It never listens itself.
 *
 *	insmod mdc_wire.ko lockspace=UUID message=BYTE,BYTE... [patience=MS]
 *		sends; the status is that of the sending
 *	insmod mdc_wire.ko lockspace=UUID message=BYTE,BYTE... stall=1 patience=MS
 *		sends, but lets nobody read it: all are stuck in receiving until its patience ends
 *	insmod mdc_wire.ko lockspace=UUID hold=LOCK mode=N [patience=MS]
 *		takes a lock, and holds it until rmmod, whoever asks for it
 *
 * No program on libdlm, since blocks of user space end after 32 bytes, where those of this
 * lockspace have 64. The array is to be joined here. Process context; the AST only completes.
 */
#include <linux/completion.h>
#include <linux/dlm.h>
#include <linux/jiffies.h>
#include <linux/module.h>

#define LVB_SIZE 64

static char *lockspace;
module_param(lockspace, charp, 0444);
MODULE_PARM_DESC(lockspace, "the array's UUID, as the lockspace is named");
static u8 message[LVB_SIZE];
static int message_size;
module_param_array(message, byte, &message_size, 0444);
MODULE_PARM_DESC(message, "the block to send, as numbers; what is left out is zero");
static char *hold;
module_param(hold, charp, 0444);
MODULE_PARM_DESC(hold, "name of the lock to hold");
static int mode = DLM_LOCK_CR;
module_param(mode, int, 0444);
MODULE_PARM_DESC(mode, "in which mode, as the DLM numbers them");
static unsigned int patience = 20000;
module_param(patience, uint, 0444);
MODULE_PARM_DESC(patience, "ms that each lock may take to be granted");

static bool stall;
module_param(stall, bool, 0444);
MODULE_PARM_DESC(stall, "keep the message from being read");

struct lock {
	struct dlm_lksb lksb;
	struct completion done;
	u8 block[LVB_SIZE];
};

static dlm_lockspace_t *ls;
/* The DLM may know them for longer than a function runs. */
static struct lock held, token, msg, ack;

static void ast(void *arg)
{
	struct lock *lock = arg;

	complete(&lock->done);
}

/* A request that is given up is cancelled, and its end awaited: a grant that is quicker counts. */
static int convert(struct lock *lock, const char *name, int to, u32 flags)
{
	int ret;

	init_completion(&lock->done);
	lock->lksb.sb_lvbptr = lock->block;
	if (lock->lksb.sb_lkid)
		flags |= DLM_LKF_CONVERT;
	ret = dlm_lock(ls, to, &lock->lksb, flags, name, strlen(name), 0, ast, lock, NULL);
	if (ret)
		return ret;
	if (!wait_for_completion_timeout(&lock->done, msecs_to_jiffies(patience))) {
		dlm_unlock(ls, lock->lksb.sb_lkid, DLM_LKF_CANCEL, &lock->lksb, lock);
		wait_for_completion(&lock->done);
	}
	ret = lock->lksb.sb_status;
	return ret == -DLM_ECANCEL ? -ETIMEDOUT : ret;
}

static void give_up(struct lock *lock)
{
	if (!lock->lksb.sb_lkid)
		return;
	reinit_completion(&lock->done);
	if (!dlm_unlock(ls, lock->lksb.sb_lkid, 0, &lock->lksb, lock))
		wait_for_completion(&lock->done);
}

/* Steps 2 to 8. */
static int send(void)
{
	int ret;

	ret = convert(&token, "token", DLM_LOCK_EX, 0);
	if (!ret)
		ret = convert(&msg, "message", DLM_LOCK_EX, 0);
	memcpy(msg.block, message, LVB_SIZE);
	if (!ret)
		ret = convert(&msg, "message", DLM_LOCK_CW, DLM_LKF_VALBLK);
	if (!ret && stall)
		ret = convert(&msg, "message", DLM_LOCK_EX, 0);
	if (!ret)
		ret = convert(&ack, "ack", DLM_LOCK_EX, 0);
	give_up(&ack);
	give_up(&msg);
	give_up(&token);
	return ret;
}

static int __init wire_init(void)
{
	int ret;

	if (!lockspace || !hold == !message_size)
		return -EINVAL;
	ret = dlm_new_lockspace(lockspace, NULL, 0, LVB_SIZE, NULL, NULL, NULL, &ls);
	if (ret)
		return ret;
	ret = hold ? convert(&held, hold, mode, 0) : send();
	if (!ret)
		return 0;
	give_up(&held);
	dlm_release_lockspace(ls, 0);
	return ret;
}

static void __exit wire_exit(void)
{
	give_up(&held);
	dlm_release_lockspace(ls, 0);
}

module_init(wire_init);
module_exit(wire_exit);
MODULE_AUTHOR("The mdcluster developers");
MODULE_DESCRIPTION("Sends chosen messages to a clustered MD array, for its tests");
MODULE_LICENSE("GPL");
