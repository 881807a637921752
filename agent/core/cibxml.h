/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CIB's XML into the view that mdcluster-cib prints, and a request into the CIB's XML.
 * Takes what Pacemaker 2.1 and 3 write; libxml2 only. Not in the library that the agent links.
 */
#ifndef MDC_CIBXML_H
#define MDC_CIBXML_H

#include <stddef.h>

#include <libxml/tree.h>

#include "core/cibask.h"
#include "core/cibtext.h"

/*
 * cib: the <cib> element. Fills *view from nothing. *left_out counts what a view cannot
 * carry (names with spaces, more than fits); may be NULL. 0, or -EINVAL: not a <cib>.
 */
int mdc_cibxml_view(const xmlNode *cib, struct mdc_cibview *view, unsigned int *left_out);
/* The same from text: 0, -EINVAL. */
int mdc_cibxml_parse(const char *xml, size_t len, struct mdc_cibview *view,
		     unsigned int *left_out);

#define MDC_CIBXML_ID_MAX (MDC_CIB_ATTR_MAX + 32)

/* The id of the element that holds a node's attribute of that name, as pacemaker-attrd has it. */
void mdc_cibxml_pair_id(char out[MDC_CIBXML_ID_MAX], uint32_t node, const char *name);

/*
 * What libcib takes to write an attribute: for a set, the node's state with that attribute
 * alone in it, as pacemaker-attrd would write it; else the element to remove. Free with
 * xmlFreeDoc. NULL: no memory.
 */
xmlDoc *mdc_cibxml_ask(const struct mdc_cibask *ask);

#endif
