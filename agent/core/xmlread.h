/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small steps through a tree of libxml2's that is only read. */
#ifndef MDC_XMLREAD_H
#define MDC_XMLREAD_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

bool mdc_xml_is(const xmlNode *node, const char *name);
/* This one or the first sibling behind it that is an element of that name (NULL: of any). */
const xmlNode *mdc_xml_next(const xmlNode *node, const char *name);
const xmlNode *mdc_xml_child(const xmlNode *node, const char *name);

#define mdc_xml_for_each(var, parent, name) \
	for (const xmlNode *var = mdc_xml_child(parent, name); var; \
	     var = mdc_xml_next(var->next, name))

/* An attribute's value. Absent: false and an empty out. Too long counts as absent. */
bool mdc_xml_prop(const xmlNode *node, const char *name, char *out, size_t size);

#endif
