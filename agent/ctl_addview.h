/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `mdclusterctl add` shows of the nodes' words. No I/O. */
#ifndef MDC_CTL_ADDVIEW_H
#define MDC_CTL_ADDVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "core/addline.h"

#define MDC_ADDVIEW_NODES_MAX 64

struct mdc_addview {
	unsigned int n;
	struct mdc_addline nodes[MDC_ADDVIEW_NODES_MAX];	/* as they came first */
	unsigned int drawn;		/* rows of the frame that stands on the terminal */
};

/* A line of a node. The row that it changes, or NULL: it is no news. */
const struct mdc_addline *mdc_addview_take(struct mdc_addview *view,
					   const struct mdc_addline *line);
/* "n2: sees it as vdd", without a newline. Free with g_free. */
char *mdc_addview_row(const struct mdc_addline *row);
/* All of them, over the frame before; waited_s of at most wait_s have passed. g_free. */
char *mdc_addview_frame(struct mdc_addview *view, unsigned int waited_s, unsigned int wait_s,
			unsigned int width, bool colour);
/* One JSON object, without a newline. g_free. */
char *mdc_addview_json(const struct mdc_addline *row);

#endif
