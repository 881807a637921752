/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines in which mdclusterd tells what becomes of an announced disk (README.md). Pure. */
#ifndef MDC_ADDLINE_H
#define MDC_ADDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addtext.h"
#include "core/track.h"

#define MDC_ADDLINE_TEXT 320		/* of the end, with NUL */
#define MDC_ADDLINE_MAX 512		/* a line with NUL */

enum mdc_addline_kind {
	MDC_LINE_WAIT,		/* wait MS */
	MDC_LINE_NODE,		/* node ID NAME WORD [KNAME|WHY] */
	MDC_LINE_END,		/* end WORD [TEXT] */
};

enum mdc_addline_node {
	MDC_NODE_WAITING,
	MDC_NODE_FOUND,		/* KNAME */
	MDC_NODE_MISSING,	/* WHY */
	MDC_NODE_UNASKED,	/* it runs no mdclusterd: its kernel will be asked */
	MDC_NODE_LEFT,		/* it no longer has the array */
};

enum mdc_addline_end {
	MDC_END_AGREED,		/* TEXT, if any: who was not asked, and why */
	MDC_END_REFUSED,	/* TEXT: by whom and why */
	MDC_END_UNUSABLE,	/* TEXT: what is wrong with the disk on this node */
	MDC_END_LOST,		/* TEXT: why the nodes could not be asked */
};

struct mdc_addline {
	enum mdc_addline_kind kind;
	uint32_t wait_ms;		/* WAIT: until the end comes, at most */
	uint32_t id;			/* NODE */
	char name[MDC_NAME_MAX];	/* NODE; empty: not known, written "-" */
	enum mdc_addline_node node;
	char device[MDC_KNAME_MAX];
	struct mdc_reason reason;
	enum mdc_addline_end end;
	char text[MDC_ADDLINE_TEXT];	/* END */
};

/* Without a newline. 0 or -EINVAL. */
int mdc_addline_parse(struct mdc_addline *line, const char *text);
/* A name or a text that no line can carry is made fit. 0 or -ENOSPC. */
int mdc_addline_format(const struct mdc_addline *line, char out[MDC_ADDLINE_MAX]);

const char *mdc_addline_node_name(enum mdc_addline_node node);

#endif
