/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements by name and attributes by value, for those who read Pacemaker's XML. Knows nothing
 * of what the elements mean.
 */
#include "core/xmlread.h"

#include <string.h>

bool mdc_xml_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *mdc_xml_next(const xmlNode *node, const char *name)
{
	while (node && !(name ? mdc_xml_is(node, name) : node->type == XML_ELEMENT_NODE))
		node = node->next;
	return node;
}

const xmlNode *mdc_xml_child(const xmlNode *node, const char *name)
{
	return node ? mdc_xml_next(node->children, name) : NULL;
}

bool mdc_xml_prop(const xmlNode *node, const char *name, char *out, size_t size)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	bool fits = value && strlen((const char *)value) < size;

	out[0] = '\0';
	if (fits)
		strcpy(out, (const char *)value);
	xmlFree(value);
	return fits;
}
