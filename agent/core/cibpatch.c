/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the CIB from notification to notification, so that an attribute's change costs no
 * query of the whole. Owns which notifications are news at all (the versions), and the few kinds
 * of change that are understood: one attribute of one node set or gone, the counters of the
 * root. All else is left to a query, which is never wrong.
 */
#include "core/cibpatch.h"

#include <stdio.h>
#include <string.h>

#include "core/cibxml.h"
#include "core/xmlread.h"

#define PATH_MAX_LEN 512	/* of an attribute's element, whose name is as long as it may be */
#define PROP_MAX 256
#define DEPTH_MAX 4		/* of the patch within the notification */

static bool is_prop(const xmlNode *node, const char *name, const char *want)
{
	char value[PROP_MAX];

	return mdc_xml_prop(node, name, value, sizeof(value)) && strcmp(value, want) == 0;
}

static struct mdc_cibversion version_of(const xmlNode *node)
{
	static const char *const names[] = { "admin_epoch", "epoch", "num_updates" };
	struct mdc_cibversion version = { .known = node };
	char text[PROP_MAX];

	for (int i = 0; i < 3 && version.known; i++)
		version.known = mdc_xml_prop(node, names[i], text, sizeof(text)) &&
				(strcmp(text, "0") == 0 ||
				 mdc_cib_number(text, &version.part[i]) == 0);
	return version;
}

/* As strcmp. */
static int compare(const struct mdc_cibversion *a, const struct mdc_cibversion *b)
{
	for (int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

void mdc_cibseen_queried(struct mdc_cibseen *seen, const xmlNode *cib)
{
	seen->view = version_of(cib);
}

/*
 * Counts the patches below a node; *found is the last. Not below cib_update: that is what was
 * asked for, which may be a patch as well, and not what came of it.
 */
static unsigned int find_patch(const xmlNode *node, int depth, const xmlNode **found)
{
	unsigned int n = 0;

	if (mdc_xml_is(node, "diff")) {
		*found = node;
		return 1;
	}
	if (depth == DEPTH_MAX || mdc_xml_is(node, "cib_update"))
		return 0;
	mdc_xml_for_each(below, node, NULL)
		n += find_patch(below, depth + 1, found);
	return n;
}

static bool eat(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* The path of a node's set of attributes, as pacemaker-attrd names it; *rest is what follows. */
static bool set_path(const char *path, uint32_t *node, const char **rest)
{
	char id[12], tail[128];
	size_t len;

	if (!eat(&path, "/cib/status/node_state[@id='"))
		return false;
	len = strcspn(path, "'");
	if (len >= sizeof(id))
		return false;
	memcpy(id, path, len);
	id[len] = '\0';
	path += len;
	if (mdc_cib_number(id, node) < 0)
		return false;
	snprintf(tail, sizeof(tail),
		 "']/transient_attributes[@id='%s']/instance_attributes[@id='status-%s']", id, id);
	*rest = path;
	return eat(rest, tail);
}

/* Cuts the id out of what follows a set's path, for one attribute of it. NULL: that is no such. */
static const char *pair_id(char *rest)
{
	static const char head[] = "/nvpair[@id='", tail[] = "']";
	size_t len = strlen(rest);
	char *end;

	if (len < sizeof(head) - 1 + sizeof(tail) - 1 || strncmp(rest, head, sizeof(head) - 1) != 0)
		return NULL;
	rest += sizeof(head) - 1;
	end = strchr(rest, '\'');
	if (!end || strcmp(end, tail) != 0)
		return NULL;
	*end = '\0';
	return rest;
}

/*
 * Under another id than ours there may be two of one name, and only a query tells which counts.
 * The id of an attribute that is not one of ours does not matter.
 */
static enum mdc_cibnews set(struct mdc_cibview *view, uint32_t node, const xmlNode *pair,
			    bool created)
{
	char id[MDC_CIBXML_ID_MAX], name[MDC_CIB_ATTR_MAX], value[MDC_CIB_VALUE_MAX];
	const char *was;

	if (!mdc_xml_prop(pair, "name", name, sizeof(name)))
		return MDC_CIBNEWS_QUERY;
	if (strncmp(name, "mdcluster-", 10) != 0)
		return MDC_CIBNEWS_NONE;
	mdc_cibxml_pair_id(id, node, name);
	was = mdc_cibview_attr(view, node, name);
	if (!is_prop(pair, "id", id) || !mdc_xml_prop(pair, "value", value, sizeof(value)))
		return MDC_CIBNEWS_QUERY;
	if (was && strcmp(was, value) == 0)
		return MDC_CIBNEWS_NONE;
	if ((was && created) || mdc_cibview_set_attr(view, node, name, value) < 0)
		return MDC_CIBNEWS_QUERY;
	return MDC_CIBNEWS_VIEW;
}

static bool value_only(const xmlNode *list)
{
	mdc_xml_for_each(change, list, NULL)
		if (!mdc_xml_is(change, "change-attr") || !is_prop(change, "name", "value"))
			return false;
	return list;
}

/* The only child element; NULL: none, or more, or one of another name. */
static const xmlNode *only(const xmlNode *parent, const char *name)
{
	const xmlNode *child = mdc_xml_child(parent, NULL);

	return child && mdc_xml_is(child, name) && !mdc_xml_next(child->next, NULL) ? child : NULL;
}

static enum mdc_cibnews modified(struct mdc_cibview *view, uint32_t node, const xmlNode *change,
				 const char *id)
{
	const xmlNode *pair = only(mdc_xml_child(change, "change-result"), "nvpair");

	if (!pair || !is_prop(pair, "id", id) || !value_only(mdc_xml_child(change, "change-list")))
		return MDC_CIBNEWS_QUERY;
	return set(view, node, pair, false);
}

/*
 * Only the id is there. It must be the name's and no other's (a dot may stand for something
 * else), and the view must have had it.
 */
static enum mdc_cibnews deleted(struct mdc_cibview *view, uint32_t node, const char *id)
{
	char head[32];

	snprintf(head, sizeof(head), "status-%u-", node);
	if (!eat(&id, head) || strpbrk(id, ".:#") || mdc_cibview_drop_attr(view, node, id) < 0)
		return MDC_CIBNEWS_QUERY;
	return MDC_CIBNEWS_VIEW;
}

static enum mdc_cibnews apply(struct mdc_cibview *view, const xmlNode *change)
{
	char path[PATH_MAX_LEN];
	const char *rest, *id;
	uint32_t node;

	if (!mdc_xml_prop(change, "path", path, sizeof(path)))
		return MDC_CIBNEWS_QUERY;
	if (is_prop(change, "operation", "modify") && strcmp(path, "/cib") == 0)
		return MDC_CIBNEWS_NONE;
	if (!set_path(path, &node, &rest))
		return MDC_CIBNEWS_QUERY;
	if (is_prop(change, "operation", "create")) {
		const xmlNode *pair = only(change, "nvpair");

		return pair && !*rest ? set(view, node, pair, true) : MDC_CIBNEWS_QUERY;
	}
	id = pair_id(path + (rest - path));
	if (id && is_prop(change, "operation", "modify"))
		return modified(view, node, change, id);
	if (id && is_prop(change, "operation", "delete"))
		return deleted(view, node, id);
	return MDC_CIBNEWS_QUERY;
}

static enum mdc_cibnews most(enum mdc_cibnews a, enum mdc_cibnews b)
{
	return a > b ? a : b;
}

/* In their order: Pacemaker writes what is gone before what is new. */
static enum mdc_cibnews apply_all(struct mdc_cibview *view, const xmlNode *patch)
{
	enum mdc_cibnews news = MDC_CIBNEWS_NONE;

	mdc_xml_for_each(change, patch, NULL) {
		enum mdc_cibnews one = MDC_CIBNEWS_QUERY;

		if (mdc_xml_is(change, "version"))
			continue;
		if (mdc_xml_is(change, "change"))
			one = apply(view, change);
		news = most(news, one);
	}
	return news;
}

/*
 * The query may be ahead of notifications that still wait to be read: applied, one of those
 * would bring back what was. They follow one another, so one that does not follow the last says
 * that something was not told.
 */
enum mdc_cibnews mdc_cibpatch_apply(const xmlNode *msg, struct mdc_cibseen *seen,
				    struct mdc_cibview *view)
{
	struct mdc_cibversion source, target, told = seen->told;
	const xmlNode *patch = NULL, *version;
	enum mdc_cibnews news = MDC_CIBNEWS_NONE;
	char rc[PROP_MAX];

	/* The patch of a write that failed: the CIB is as it was. */
	if (msg && mdc_xml_prop(msg, "cib_rc", rc, sizeof(rc)) && strcmp(rc, "0") != 0)
		return MDC_CIBNEWS_QUERY;
	seen->told.known = false;
	if (!msg || find_patch(msg, 0, &patch) != 1 || !is_prop(patch, "format", "2"))
		return MDC_CIBNEWS_QUERY;
	version = mdc_xml_child(patch, "version");
	source = version_of(mdc_xml_child(version, "source"));
	target = version_of(mdc_xml_child(version, "target"));
	if (!source.known || !target.known)
		return MDC_CIBNEWS_QUERY;
	seen->told = target;
	/* Back to an older CIB, or a change that no version tells of: the order is lost. */
	if (!seen->view.known || compare(&source, &target) >= 0)
		return MDC_CIBNEWS_QUERY;
	if (told.known && compare(&source, &told) != 0)
		news = MDC_CIBNEWS_QUERY;
	if (compare(&target, &seen->view) <= 0)
		return news;
	if (compare(&source, &seen->view) > 0)
		news = MDC_CIBNEWS_QUERY;
	seen->view = target;
	return most(news, apply_all(view, patch));
}
