// SPDX-License-Identifier: GPL-2.0-or-later
#include "md.h"
#include "md-bitmap.h"

int probe(struct mddev *mddev);
int probe(struct mddev *mddev)
{
	return mddev->bitmap_ops->resize(mddev, 0, 0, false);
}
