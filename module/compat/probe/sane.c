// SPDX-License-Identifier: GPL-2.0-or-later
/* What every kernel has: if this does not compile, no other probe says anything. */
#include <linux/module.h>
#include "md.h"
#include "md-bitmap.h"
#include "md-cluster.h"

int probe(struct mddev *mddev, struct md_cluster_operations *ops);
int probe(struct mddev *mddev, struct md_cluster_operations *ops)
{
	return mddev->bitmap_info.nodes + ops->slot_number(mddev);
}
