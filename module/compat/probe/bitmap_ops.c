// SPDX-License-Identifier: GPL-2.0-or-later
#include "md.h"
#include "md-bitmap.h"

void *probe(struct mddev *mddev);
void *probe(struct mddev *mddev)
{
	return mddev->bitmap_ops->get_from_slot(mddev, 1);
}
