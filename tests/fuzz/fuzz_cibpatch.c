/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications, one behind each NUL, applied to a view: what is left is a view that mdclusterd
 * takes, what is no news leaves it alone, and no notification brings an older version.
 */
#include "fuzz.h"

#include <limits.h>

#include <libxml/parser.h>

#include "core/cibpatch.h"
#include "core/cibxml.h"

static const char cib[] =
	"<cib admin_epoch='0' epoch='5' num_updates='10'><configuration><nodes>"
	"<node id='1' uname='n1'/><node id='2' uname='n2'/></nodes></configuration><status>"
	"<node_state id='1'><transient_attributes id='1'><instance_attributes id='status-1'>"
	"<nvpair id='status-1-mdcluster-raid-slot' name='mdcluster-raid-slot' value='0'/>"
	"<nvpair id='status-1-mdcluster-raid-add' name='mdcluster-raid-add' value='old'/>"
	"</instance_attributes></transient_attributes></node_state></status></cib>";

struct bed {
	struct mdc_cibseen seen;
	struct mdc_cibview view, before;
	struct mdc_cibtext text;
	char out[64 * 1024];
};

static xmlDoc *parse(const char *xml, size_t len)
{
	return xmlReadMemory(xml, (int)len, "x.xml", NULL,
			     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static void taken(struct bed *bed)
{
	int len = mdc_cibview_format(&bed->view, bed->out, sizeof(bed->out));
	size_t used;

	if (len < 0)
		return;		/* a large view is fuzz_cibxml's */
	MUST(mdc_cibtext_feed(&bed->text, bed->out, (size_t)len, &used) == 1);
	MUST(used == (size_t)len && mdc_cibview_equal(&bed->view, &bed->text.view));
}

static void notify(struct bed *bed, const char *xml, size_t len)
{
	xmlDoc *doc = parse(xml, len);
	struct mdc_cibversion was = bed->seen.view;
	enum mdc_cibnews news;

	if (!doc)
		return;
	memcpy(&bed->before, &bed->view, sizeof(bed->view));
	news = mdc_cibpatch_apply(xmlDocGetRootElement(doc), &bed->seen, &bed->view);
	xmlFreeDoc(doc);
	MUST(news == MDC_CIBNEWS_NONE || news == MDC_CIBNEWS_VIEW || news == MDC_CIBNEWS_QUERY);
	if (news == MDC_CIBNEWS_NONE)
		MUST(mdc_cibview_equal(&bed->view, &bed->before));
	else
		taken(bed);
	MUST(bed->seen.view.known);
	for (int i = 0; i < 3 && bed->seen.view.part[i] <= was.part[i]; i++)
		MUST(bed->seen.view.part[i] == was.part[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	xmlDoc *doc = parse(cib, sizeof(cib) - 1);

	MUST(bed && doc);
	MUST(mdc_cibxml_view(xmlDocGetRootElement(doc), &bed->view, NULL) == 0);
	mdc_cibseen_queried(&bed->seen, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	for (size_t at = 0; at < size && size <= INT_MAX;) {
		const uint8_t *end = memchr(data + at, '\0', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		notify(bed, (const char *)data + at, len);
		at += len + 1;
	}
	free(bed);
	return 0;
}
