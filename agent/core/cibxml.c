/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the CIB: who is in the cluster, what our attributes say, where our instances run. And
 * the other way, an attribute for the CIB. Knows Pacemaker's ways of writing these down; what
 * a view may hold is cibtext.c's business.
 */
#include "core/cibxml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "core/xmlread.h"

#define PROP_MAX 256

struct reader {
	struct mdc_cibview *view;
	unsigned int left_out;
};

static bool prop(const xmlNode *node, const char *name, char out[PROP_MAX])
{
	return mdc_xml_prop(node, name, out, PROP_MAX);
}

static bool prop_is(const xmlNode *node, const char *name, const char *want)
{
	char value[PROP_MAX];

	return prop(node, name, value) && strcmp(value, want) == 0;
}

static bool number(const char *text, long long *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

static long long prop_number(const xmlNode *node, const char *name, long long otherwise)
{
	char value[PROP_MAX];
	long long n;

	return prop(node, name, value) && number(value, &n) ? n : otherwise;
}

static bool prop_id(const xmlNode *node, uint32_t *id)
{
	long long n = prop_number(node, "id", 0);

	*id = n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
	return *id != 0;
}

static void count(struct reader *reader, int rc)
{
	if (rc == -EINVAL || rc == -E2BIG)
		reader->left_out++;
}

/*
 * in_ccm and crmd: a word up to feature set 3.17, from 3.18 on the time since when it has
 * been so, 0 for never. A cluster in the middle of an upgrade has both.
 */
static bool holds(const xmlNode *state, const char *name, const char *word)
{
	char value[PROP_MAX];
	long long n;

	if (!prop(state, name, value))
		return false;
	return strcmp(value, word) == 0 || (number(value, &n) && n > 0);
}

static enum mdc_cib_online online(const xmlNode *state)
{
	if (!state || !holds(state, "in_ccm", "true"))
		return MDC_CIB_OFFLINE;
	if (!holds(state, "crmd", "online") || !prop_is(state, "join", "member"))
		return MDC_CIB_PENDING;
	return MDC_CIB_ONLINE;
}

static const xmlNode *state_of(const xmlNode *status, uint32_t id)
{
	uint32_t other;

	mdc_xml_for_each(state, status, "node_state")
		if (prop_id(state, &other) && other == id)
			return state;
	return NULL;
}

/* Pacemaker Remote nodes have names for ids and no DLM: they are none of ours. */
static void read_nodes(struct reader *reader, const xmlNode *nodes, const xmlNode *status)
{
	char name[PROP_MAX];
	uint32_t id;

	mdc_xml_for_each(node, nodes, "node") {
		if (prop_is(node, "type", "remote") || !prop_id(node, &id))
			continue;
		prop(node, "uname", name);
		count(reader, mdc_cibview_add_node(reader->view, id, name,
						   online(state_of(status, id))));
	}
	mdc_xml_for_each(state, status, "node_state") {
		if (prop_is(state, "remote_node", "true") || !prop_id(state, &id) ||
		    mdc_cibview_node(reader->view, id) || !prop(state, "uname", name))
			continue;
		count(reader, mdc_cibview_add_node(reader->view, id, name, online(state)));
	}
}

static void read_attrs(struct reader *reader, const xmlNode *state, uint32_t id)
{
	char name[PROP_MAX], value[PROP_MAX];

	mdc_xml_for_each(transient, state, "transient_attributes")
		mdc_xml_for_each(set, transient, "instance_attributes")
			mdc_xml_for_each(pair, set, "nvpair") {
				if (!prop(pair, "name", name) ||
				    strncmp(name, "mdcluster-", 10) != 0)
					continue;
				prop(pair, "value", value);
				count(reader, mdc_cibview_add_attr(reader->view, id, name, value));
			}
}

enum { RC_OK = 0, RC_NOT_INSTALLED = 5, RC_NOT_RUNNING = 7, RC_PROMOTED = 8,
       RC_DEGRADED = 190, RC_DEGRADED_PROMOTED = 191, RC_PENDING = 193 };

static bool rc_runs(long long rc)
{
	return rc == RC_OK || rc == RC_PROMOTED || rc == RC_DEGRADED ||
	       rc == RC_DEGRADED_PROMOTED;
}

static bool is_done(const xmlNode *op)
{
	return prop_number(op, "call-id", -1) >= 0 && prop_number(op, "op-status", 0) != -1 &&
	       prop_number(op, "rc-code", RC_PENDING) != RC_PENDING;
}

static bool is_recurring(const xmlNode *op)
{
	return prop_number(op, "interval", 0) > 0;
}

/* raid_last_failure_0 keeps a failure that the same operation may have got over since. */
static bool is_kept_failure(const xmlNode *op)
{
	char id[PROP_MAX];

	return prop(op, "id", id) && strstr(id, "_last_failure_");
}

static bool has_twin(const xmlNode *resource, const xmlNode *op)
{
	long long call = prop_number(op, "call-id", -1);

	mdc_xml_for_each(other, resource, "lrm_rsc_op")
		if (other != op && prop_number(other, "call-id", -1) == call &&
		    !is_kept_failure(other) && is_done(other))
			return true;
	return false;
}

/* That a notification was taken says nothing of the instance. */
static bool counts(const xmlNode *resource, const xmlNode *op)
{
	return is_done(op) && !prop_is(op, "operation", "notify") &&
	       !(is_kept_failure(op) && has_twin(resource, op));
}

static enum mdc_cib_running outcome(const xmlNode *op)
{
	long long rc = prop_number(op, "rc-code", RC_PENDING);

	if (prop_is(op, "operation", "stop"))
		return rc == RC_OK ? MDC_CIB_STOPPED : MDC_CIB_FAILED;
	if (rc_runs(rc))
		return MDC_CIB_RUNNING;
	/* A probe may well find nothing; a recurring monitor or a start may not. */
	if (prop_is(op, "operation", "monitor") && !is_recurring(op) &&
	    (rc == RC_NOT_RUNNING || rc == RC_NOT_INSTALLED))
		return MDC_CIB_STOPPED;
	return MDC_CIB_FAILED;
}

/*
 * The newest start, stop or probe says what the instance should be; a recurring monitor
 * that was begun after it (its call id stays the same for each round) may say otherwise.
 */
static bool instance_state(const xmlNode *resource, enum mdc_cib_running *state)
{
	long long newest = -1;

	*state = MDC_CIB_STOPPED;
	mdc_xml_for_each(op, resource, "lrm_rsc_op") {
		long long call = prop_number(op, "call-id", -1);

		if (!is_recurring(op) && counts(resource, op) && call > newest) {
			newest = call;
			*state = outcome(op);
		}
	}
	if (newest >= 0 && *state != MDC_CIB_RUNNING)
		return true;
	mdc_xml_for_each(op, resource, "lrm_rsc_op") {
		if (!is_recurring(op) || !counts(resource, op) ||
		    prop_number(op, "call-id", -1) <= newest)
			continue;
		*state = outcome(op);
		if (*state == MDC_CIB_FAILED)
			return true;
		newest = newest < 0 ? 0 : newest;
	}
	return newest >= 0;
}

static void read_instances(struct reader *reader, const xmlNode *state, uint32_t id)
{
	const xmlNode *list = mdc_xml_child(mdc_xml_child(state, "lrm"), "lrm_resources");
	enum mdc_cib_running running;
	char name[PROP_MAX];

	mdc_xml_for_each(resource, list, "lrm_resource") {
		if (!prop_is(resource, "class", "ocf") ||
		    !prop_is(resource, "provider", "mdcluster") ||
		    !prop_is(resource, "type", "mdcluster") || !prop(resource, "id", name) ||
		    !instance_state(resource, &running))
			continue;
		name[strcspn(name, ":")] = '\0';
		count(reader, mdc_cibview_add_instance(reader->view, id, name, running));
	}
}

int mdc_cibxml_view(const xmlNode *cib, struct mdc_cibview *view, unsigned int *left_out)
{
	struct reader reader = { .view = view };
	const xmlNode *status;
	uint32_t id;

	view->n_nodes = view->n_attrs = view->n_instances = 0;
	if (!cib || !mdc_xml_is(cib, "cib"))
		return -EINVAL;
	status = mdc_xml_child(cib, "status");
	read_nodes(&reader, mdc_xml_child(mdc_xml_child(cib, "configuration"), "nodes"), status);
	mdc_xml_for_each(state, status, "node_state") {
		if (!prop_id(state, &id) || !mdc_cibview_node(view, id))
			continue;
		read_attrs(&reader, state, id);
		read_instances(&reader, state, id);
	}
	if (left_out)
		*left_out = reader.left_out;
	return 0;
}

int mdc_cibxml_parse(const char *xml, size_t len, struct mdc_cibview *view,
		     unsigned int *left_out)
{
	xmlDoc *doc;
	int rc;

	view->n_nodes = view->n_attrs = view->n_instances = 0;
	if (len > INT_MAX)
		return -EINVAL;
	doc = xmlReadMemory(xml, (int)len, "cib.xml", NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return -EINVAL;
	rc = mdc_cibxml_view(xmlDocGetRootElement(doc), view, left_out);
	xmlFreeDoc(doc);
	return rc;
}

static xmlNode *element(xmlNode *parent, const char *name, const char *id)
{
	xmlNode *node = xmlNewNode(NULL, (const xmlChar *)name);

	if (!node)
		return NULL;
	if (!xmlNewProp(node, (const xmlChar *)"id", (const xmlChar *)id) ||
	    (parent && !xmlAddChild(parent, node))) {
		xmlFreeNode(node);
		return NULL;
	}
	return node;
}

static bool set_prop(xmlNode *node, const char *name, const char *value)
{
	return xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

void mdc_cibxml_pair_id(char out[MDC_CIBXML_ID_MAX], uint32_t node, const char *name)
{
	char *c;

	snprintf(out, MDC_CIBXML_ID_MAX, "status-%u-%s", node, name);
	for (c = out; *c; c++)
		if (*c == ':' || *c == '#')
			*c = '.';
}

/* The ids are pacemaker-attrd's, so that whoever writes it, there is one of each. */
static bool fill(xmlDoc *doc, const struct mdc_cibask *ask)
{
	char node[16], set[32], pair[MDC_CIBXML_ID_MAX];
	xmlNode *at;

	snprintf(node, sizeof(node), "%u", ask->node);
	snprintf(set, sizeof(set), "status-%u", ask->node);
	mdc_cibxml_pair_id(pair, ask->node, ask->name);
	if (!ask->set) {
		at = element(NULL, "nvpair", pair);
		if (at)
			xmlDocSetRootElement(doc, at);
		return at;
	}
	at = element(NULL, "node_state", node);
	if (!at)
		return false;
	xmlDocSetRootElement(doc, at);
	at = element(at, "transient_attributes", node);
	at = at ? element(at, "instance_attributes", set) : NULL;
	at = at ? element(at, "nvpair", pair) : NULL;
	return at && set_prop(at, "name", ask->name) && set_prop(at, "value", ask->value);
}

xmlDoc *mdc_cibxml_ask(const struct mdc_cibask *ask)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");

	if (doc && !fill(doc, ask)) {
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}
