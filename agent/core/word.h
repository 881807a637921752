/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message of the process group "mdcluster" (README.md, "Words"): what a node's attribute
 * mdcluster-ID-add says now, as it is on its way into the CIB. Pure.
 */
#ifndef MDC_WORD_H
#define MDC_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/attrtext.h"

#define MDC_WORD_MAX (MDC_ATTR_NAME_MAX + MDC_ATTR_VALUE_MAX + 4)	/* with NUL */

struct mdc_word {
	char name[MDC_ATTR_NAME_MAX];	/* mdcluster-ID-add */
	char value[MDC_ATTR_VALUE_MAX];	/* as core/addtext.h has it; empty: gone */
};

/* 0; -EPROTONOSUPPORT: another version; -EINVAL: not of the form. text need not end with NUL. */
int mdc_word_parse(struct mdc_word *word, const char *text, size_t len);
/*
 * value NULL, or none of core/addtext.h's forms: gone, as nobody who decides on an add goes by it.
 * Returns the length, or -EINVAL: that name is not to be said.
 */
int mdc_word_format(char out[MDC_WORD_MAX], const char *name, const char *value);

#endif
