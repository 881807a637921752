// SPDX-License-Identifier: GPL-2.0-or-later
#include "md.h"
#include "md-cluster.h"

int probe(struct md_cluster_operations *ops);
int probe(struct md_cluster_operations *ops)
{
	return ops->resync_start_notify(NULL) + ops->resync_status_get(NULL);
}
