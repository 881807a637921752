// SPDX-License-Identifier: GPL-2.0-or-later
#include "md.h"
#include "md-cluster.h"

int probe(struct md_cluster_operations *ops);
int probe(struct md_cluster_operations *ops)
{
	return register_md_submodule(&ops->head);
}
