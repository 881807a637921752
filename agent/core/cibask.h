/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mdclusterd asks of mdcluster-cib: to write a transient attribute of this node
 * (README.md, "mdcluster-cib"). Both ends: the line, and the lines as they come in. Pure.
 */
#ifndef MDC_CIBASK_H
#define MDC_CIBASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cibtext.h"

#define MDC_CIBASK_MAX 128	/* that wait; one a name */

struct mdc_cibask {
	uint32_t number;		/* not 0: what the answer bears */
	uint32_t node;			/* whose attribute: this node's id */
	char name[MDC_CIB_ATTR_MAX];	/* begins with mdcluster- */
	bool set;			/* else deleted */
	char value[MDC_CIB_VALUE_MAX];
};

/* One line without newline. 0 or -EINVAL. */
int mdc_cibask_parse(struct mdc_cibask *ask, const char *line);
/* With newline and NUL; its length, or -EINVAL: a name or value that a line cannot carry. */
int mdc_cibask_format(const struct mdc_cibask *ask, char out[MDC_CIB_LINE_MAX]);

/* Zero-filled is a fresh one. */
struct mdc_cibasks {
	size_t fill;
	char line[MDC_CIB_LINE_MAX];
	unsigned int n;
	struct mdc_cibask ask[MDC_CIBASK_MAX];
};

/*
 * Takes bytes, cut anywhere. A later request for a name that waits takes the place of the
 * earlier one, which gets no answer. 0; -EINVAL: not of the form; -EMSGSIZE: a line too
 * long; -E2BIG: too many. After an error the stream is of no more use.
 */
int mdc_cibasks_feed(struct mdc_cibasks *asks, const char *data, size_t len);
/* Takes the one that has waited longest; false: there is none. */
bool mdc_cibasks_next(struct mdc_cibasks *asks, struct mdc_cibask *ask);

#endif
