// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading and unloading, and the parameters.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include "main.h"
#include "lockres.h"
#include "mdport.h"
#include "netlink.h"

#define MS_MIN 100
#define MS_MAX 600000

static int set_ms(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, MS_MIN, MS_MAX);
}

static const struct kernel_param_ops ms_ops = {
	.set = set_ms,
	.get = param_get_uint,
};

/* Also read by those who wait, at the moment they begin to. */
struct mdc_limits mdc_limits = {
	.newdisk_timeout = 5000,
	.verdict_timeout = 4000,
	.join_timeout = 60000,
	.leave_timeout = 10000,
	.stuck_after = 60000,
};

module_param_cb(newdisk_timeout, &ms_ops, &mdc_limits.newdisk_timeout, 0644);
MODULE_PARM_DESC(newdisk_timeout, "ms that a node has to answer for a disk that another node adds");
module_param_cb(verdict_timeout, &ms_ops, &mdc_limits.verdict_timeout, 0644);
MODULE_PARM_DESC(verdict_timeout, "ms that this node's agent has to ask the cluster for a disk that is added here");
module_param_cb(join_timeout, &ms_ops, &mdc_limits.join_timeout, 0644);
MODULE_PARM_DESC(join_timeout, "ms that the DLM has to form, and other nodes to let this one in");
module_param_cb(leave_timeout, &ms_ops, &mdc_limits.leave_timeout, 0644);
MODULE_PARM_DESC(leave_timeout, "ms that a stop waits for locks that stand still");
module_param_cb(stuck_after, &ms_ops, &mdc_limits.stuck_after, 0644);
MODULE_PARM_DESC(stuck_after, "ms in one message after which this node counts as stuck");

static int __init mdc_init(void)
{
	int ret;

	ret = mdc_lockspace_init();
	if (ret)
		return ret;
	ret = mdc_netlink_open();
	if (ret)
		goto exit_lockspace;
	ret = mdc_md_register();
	if (ret)
		goto close_netlink;
	return 0;

close_netlink:
	mdc_netlink_close();
exit_lockspace:
	mdc_lockspace_exit();
	return ret;
}

static void __exit mdc_exit(void)
{
	mdc_md_unregister();
	mdc_netlink_close();
	mdc_lockspace_exit();
}

module_init(mdc_init);
module_exit(mdc_exit);
MODULE_AUTHOR("The mdcluster developers");
MODULE_DESCRIPTION("Clustered MD RAID1 and RAID10 on the DLM, run by Pacemaker");
MODULE_LICENSE("GPL");
/* configure.ac's. DKMS tells modules apart by it: the kernel's own has none. */
MODULE_VERSION("0.1.0");
