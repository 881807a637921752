/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications as Pacemaker 2.1 and 3 send them, applied to a view. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "core/cibpatch.h"
#include "core/cibxml.h"

#define SET(node) "/cib/status/node_state[@id='" node "']/transient_attributes[@id='" node \
	"']/instance_attributes[@id='status-" node "']"
#define PAIR_AT(node, id) SET(node) "/nvpair[@id='" id "']"
#define ADD "status-1-mdcluster-raid-add"

#define VERSION_ATTRS(admin, epoch, updates) " admin_epoch=\"" #admin "\" epoch=\"" #epoch \
	"\" num_updates=\"" #updates "\""
#define STEP(from, to) "<version><source" VERSION_ATTRS(0, 5, from) "/><target" \
	VERSION_ATTRS(0, 5, to) "/></version>"
#define DIFF(inside) "<diff format=\"2\">" inside "</diff>"
#define NOTIFY(inside) "<notify t=\"cib_notify\" subt=\"cib_diff_notify\" cib_op=\"cib_modify\" " \
	"cib_rc=\"0\"><cib_generation><generation_tuple epoch=\"5\"/></cib_generation>" \
	"<cib_update_result>" DIFF(inside) "</cib_update_result></notify>"
#define CHANGE(op, path, inside) \
	"<change operation=\"" op "\" path=\"" path "\">" inside "</change>"
#define NVPAIR(id, name, value) "<nvpair id=\"" id "\" name=\"" name "\" value=\"" value "\"/>"
#define ROOT CHANGE("modify", "/cib", "<change-list><change-attr name=\"num_updates\" " \
	"operation=\"set\" value=\"11\"/></change-list><change-result><cib epoch=\"5\"/>" \
	"</change-result>")
#define RESULT(attr, result) "<change-list><change-attr name=\"" attr \
	"\" operation=\"set\" value=\"x\"/></change-list><change-result>" result "</change-result>"
#define MODIFY(node, id, name, value) CHANGE("modify", PAIR_AT(node, id), \
	RESULT("value", NVPAIR(id, name, value)))
#define CREATE(path, inside) "<change operation=\"create\" path=\"" path "\" position=\"2\">" \
	inside "</change>"
#define DELETE(path) "<change operation=\"delete\" path=\"" path "\"/>"

#define NODES "begin\nnode 1 n1 online\nnode 2 n2 offline\n"
#define BEFORE NODES "attr 1 mdcluster-raid-slot 0\nattr 1 mdcluster-raid-add old\n" \
	"attr 2 mdcluster-raid-slot 1\nend\n"

static const char cib[] =
	"<cib" VERSION_ATTRS(0, 5, 10) "><configuration><nodes><node id='1' uname='n1'/>"
	"<node id='2' uname='n2'/></nodes></configuration><status>"
	"<node_state id='1' in_ccm='1' crmd='1' join='member'><transient_attributes id='1'>"
	"<instance_attributes id='status-1'>"
	NVPAIR("status-1-mdcluster-raid-slot", "mdcluster-raid-slot", "0")
	NVPAIR("status-1-pingd", "pingd", "100") NVPAIR(ADD, "mdcluster-raid-add", "old")
	"</instance_attributes></transient_attributes></node_state>"
	"<node_state id='2'><transient_attributes id='2'><instance_attributes id='status-2'>"
	NVPAIR("status-2-mdcluster-raid-slot", "mdcluster-raid-slot", "1")
	"</instance_attributes></transient_attributes></node_state></status></cib>";

struct bed {
	struct mdc_cibseen seen;
	struct mdc_cibview view;
};

static xmlDoc *parse(const char *xml)
{
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), "x", NULL, XML_PARSE_NONET);

	assert_non_null(doc);
	return doc;
}

static void query(struct bed *bed, const char *xml)
{
	xmlDoc *doc = parse(xml);

	assert_int_equal(mdc_cibxml_view(xmlDocGetRootElement(doc), &bed->view, NULL), 0);
	mdc_cibseen_queried(&bed->seen, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
}

static struct bed *new_bed(void)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	query(bed, cib);
	return bed;
}

static enum mdc_cibnews notify(struct bed *bed, const char *xml)
{
	xmlDoc *doc = parse(xml);
	enum mdc_cibnews news = mdc_cibpatch_apply(xmlDocGetRootElement(doc), &bed->seen,
						   &bed->view);

	xmlFreeDoc(doc);
	return news;
}

static void shows(const struct bed *bed, const char *want)
{
	char text[4096];

	assert_true(mdc_cibview_format(&bed->view, text, sizeof(text)) > 0);
	assert_string_equal(text, want);
}

/* Against a view of 0.5.10, always. */
static void expect(const char *xml, enum mdc_cibnews news, const char *text)
{
	struct bed *bed = new_bed();

	assert_int_equal(notify(bed, xml), news);
	shows(bed, text);
	free(bed);
}

static void test_set(void **state)
{
	(void)state;
	expect(NOTIFY(STEP(10, 11) ROOT MODIFY("1", ADD, "mdcluster-raid-add", "added:2:0a1b2c3d")),
	       MDC_CIBNEWS_VIEW, NODES "attr 1 mdcluster-raid-slot 0\n"
	       "attr 1 mdcluster-raid-add added:2:0a1b2c3d\nattr 2 mdcluster-raid-slot 1\nend\n");
	expect(NOTIFY(STEP(10, 11) CREATE(SET("2"), NVPAIR("status-2-mdcluster-a.b-add",
							   "mdcluster-a:b-add", "new"))),
	       MDC_CIBNEWS_VIEW, NODES "attr 1 mdcluster-raid-slot 0\n"
	       "attr 1 mdcluster-raid-add old\nattr 2 mdcluster-raid-slot 1\n"
	       "attr 2 mdcluster-a:b-add new\nend\n");
	/* One patch of several, deleted first. */
	expect(NOTIFY(STEP(10, 11) DELETE(PAIR_AT("1", ADD)) ROOT
		      CREATE(SET("1"), NVPAIR(ADD, "mdcluster-raid-add", "new"))
		      MODIFY("2", "status-2-mdcluster-raid-slot", "mdcluster-raid-slot", "7")),
	       MDC_CIBNEWS_VIEW, NODES "attr 1 mdcluster-raid-slot 0\n"
	       "attr 2 mdcluster-raid-slot 7\nattr 1 mdcluster-raid-add new\nend\n");
	expect(NOTIFY(STEP(10, 11) DELETE(PAIR_AT("1", ADD))), MDC_CIBNEWS_VIEW,
	       NODES "attr 1 mdcluster-raid-slot 0\nattr 2 mdcluster-raid-slot 1\nend\n");
}

static void test_nothing(void **state)
{
	static const char *const patches[] = {
		NOTIFY(STEP(10, 11)),
		NOTIFY(STEP(10, 11) ROOT),
		NOTIFY(STEP(10, 11) MODIFY("1", ADD, "mdcluster-raid-add", "old")),
		NOTIFY(STEP(10, 11) MODIFY("1", "status-1-pingd", "pingd", "200")),
		NOTIFY(STEP(10, 11) MODIFY("9", "odd", "pingd", "no word")),
		NOTIFY(STEP(10, 11) CREATE(SET("1"), NVPAIR("odd", "load", "2"))),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(patches); i++)
		expect(patches[i], MDC_CIBNEWS_NONE, BEFORE);
}

static void test_query(void **state)
{
	static const char *const changes[] = {
		CHANGE("modify", "/cib/status/node_state[@id='1']",
		       RESULT("crmd", "<node_state id=\"1\" crmd=\"0\"/>")),
		CREATE("/cib/status/node_state[@id='1']/lrm[@id='1']/lrm_resources/lrm_resource"
		       "[@id='raid']", "<lrm_rsc_op id=\"raid_start_0\"/>"),
		CREATE("/cib/configuration/nodes", "<node id=\"3\" uname=\"n3\"/>"),
		CREATE("/cib/status", "<node_state id=\"3\"/>"),
		CREATE("/cib/status/node_state[@id='2']", "<transient_attributes id=\"2\"/>"),
		CREATE(SET("1"), ""),
		CREATE(SET("1"), "<rule id=\"x\"/>"),
		CREATE(SET("1"), NVPAIR("status-1-mdcluster-a", "mdcluster-a", "1")
		       NVPAIR("status-1-mdcluster-b", "mdcluster-b", "1")),
		CREATE(SET("1") "/rule", NVPAIR("status-1-mdcluster-a", "mdcluster-a", "1")),
		CREATE(SET("1"), NVPAIR(ADD, "mdcluster-raid-add", "twice")),
		CREATE(SET("1"), NVPAIR("mine", "mdcluster-a", "1")),
		CREATE(SET("3"), NVPAIR("status-3-mdcluster-a", "mdcluster-a", "1")),
		CREATE("/cib/status/node_state[@id='1']/transient_attributes[@id='2']/"
		       "instance_attributes[@id='status-1']",
		       NVPAIR("status-1-mdcluster-a", "mdcluster-a", "1")),
		CREATE("/cib/status/node_state[@id='1']/transient_attributes[@id='1']/"
		       "instance_attributes[@id='mine']",
		       NVPAIR("status-1-mdcluster-a", "mdcluster-a", "1")),
		MODIFY("1", ADD, "mdcluster-raid-add", "two words"),
		MODIFY("1", ADD, "mdcluster-raid-add", ""),
		MODIFY("1", "odd", "mdcluster-raid-add", "new"),
		MODIFY("r1", ADD, "mdcluster-raid-add", "new"),
		MODIFY("01", ADD, "mdcluster-raid-add", "new"),
		MODIFY("4294967297", ADD, "mdcluster-raid-add", "new"),
		MODIFY("1111111111111111111111111111111111111111111111111111111111111111111111",
		       ADD, "mdcluster-raid-add", "new"),
		MODIFY("1", ADD "']/x[@id='y", "mdcluster-raid-add", "new"),
		CHANGE("modify", PAIR_AT("1", ADD),
		       RESULT("value", NVPAIR("other", "mdcluster-raid-add", "new"))),
		CHANGE("modify", PAIR_AT("1", ADD), RESULT("value", NVPAIR("other", "pingd", "1"))),
		CHANGE("modify", PAIR_AT("1", ADD),
		       RESULT("value", "<nvpair id=\"" ADD "\" name=\"mdcluster-raid-add\"/>")),
		CHANGE("modify", PAIR_AT("1", ADD), RESULT("value", "<nvpair id=\"" ADD "\"/>")),
		CHANGE("modify", PAIR_AT("1", ADD), RESULT("name", NVPAIR(ADD, "pingd", "1"))),
		CHANGE("modify", PAIR_AT("1", ADD), "<change-result>"
		       NVPAIR(ADD, "mdcluster-raid-add", "new") "</change-result>"),
		CHANGE("modify", PAIR_AT("1", ADD), ""),
		CHANGE("modify", SET("1"), RESULT("id", NVPAIR(ADD, "mdcluster-raid-add", "new"))),
		CHANGE("modify", "/cib/status", ""),
		DELETE("/cib"), DELETE(SET("1")),
		DELETE("/cib/status/node_state[@id='1']/transient_attributes[@id='1']"),
		DELETE(PAIR_AT("1", "status-2-mdcluster-raid-slot")),
		DELETE(PAIR_AT("1", "status-1-mdcluster-none")),
		DELETE(PAIR_AT("1", "status-1-mdcluster-a.b-add")),
		DELETE(PAIR_AT("1", "status-1-pingd")),
		DELETE(PAIR_AT("1", "mdcluster-raid-add")),
		DELETE(SET("1") "/nvpair"), DELETE(PAIR_AT("1", ADD) "/x"),
		DELETE(SET("1") "/nvpair[@id='']"), DELETE(SET("1") "/nvpair[@id='"),
		CHANGE("move", PAIR_AT("1", ADD), ""), CHANGE("", PAIR_AT("1", ADD), ""),
		"<change path=\"/cib\"/>", "<change operation=\"modify\"/>", "<other/>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		char xml[4096];

		snprintf(xml, sizeof(xml), NOTIFY(STEP(10, 11) "%s"), changes[i]);
		expect(xml, MDC_CIBNEWS_QUERY, BEFORE);
	}
}

/* What is understood next to what is not is in the view, and later patches go on from there. */
static void test_mixed(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	assert_int_equal(notify(bed, NOTIFY(STEP(10, 11) CREATE("/cib/status", "<node_state/>")
					    MODIFY("1", ADD, "mdcluster-raid-add", "new"))),
			 MDC_CIBNEWS_QUERY);
	assert_int_equal(notify(bed, NOTIFY(STEP(11, 12)
					    MODIFY("2", "status-2-mdcluster-raid-slot",
						   "mdcluster-raid-slot", "2"))),
			 MDC_CIBNEWS_VIEW);
	shows(bed, NODES "attr 1 mdcluster-raid-slot 0\nattr 1 mdcluster-raid-add new\n"
	      "attr 2 mdcluster-raid-slot 2\nend\n");
	free(bed);
}

/* Its id may be that of mdcluster-a:b as well. */
static void test_dot(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	assert_int_equal(mdc_cibview_set_attr(&bed->view, 1, "mdcluster-a.b", "1"), 0);
	assert_int_equal(notify(bed, NOTIFY(STEP(10, 11)
					    DELETE(PAIR_AT("1", "status-1-mdcluster-a.b")))),
			 MDC_CIBNEWS_QUERY);
	assert_non_null(mdc_cibview_attr(&bed->view, 1, "mdcluster-a.b"));
	free(bed);
}

#define FROM_TO(from, to, value) \
	NOTIFY(STEP(from, to) MODIFY("1", ADD, "mdcluster-raid-add", value))

static void test_versions(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	/* The query was ahead of these. */
	assert_int_equal(notify(bed, FROM_TO(8, 9, "8th")), MDC_CIBNEWS_NONE);
	assert_int_equal(notify(bed, FROM_TO(9, 10, "9th")), MDC_CIBNEWS_NONE);
	shows(bed, BEFORE);
	assert_int_equal(notify(bed, FROM_TO(10, 11, "next")), MDC_CIBNEWS_VIEW);
	assert_string_equal(mdc_cibview_attr(&bed->view, 1, "mdcluster-raid-add"), "next");
	assert_int_equal(notify(bed, FROM_TO(12, 13, "gap")), MDC_CIBNEWS_QUERY);
	assert_int_equal(notify(bed, FROM_TO(13, 14, "later")), MDC_CIBNEWS_VIEW);
	/* A number is no word: 14 to 100. */
	assert_int_equal(notify(bed, FROM_TO(14, 100, "jump")), MDC_CIBNEWS_VIEW);
	assert_int_equal(notify(bed, FROM_TO(99, 100, "again")), MDC_CIBNEWS_QUERY);
	assert_string_equal(mdc_cibview_attr(&bed->view, 1, "mdcluster-raid-add"), "jump");
	assert_int_equal(notify(bed, FROM_TO(100, 100, "same")), MDC_CIBNEWS_QUERY);
	free(bed);
}

/* With no notification to follow, as there was none or one without a patch, the query counts. */
static void test_first(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	assert_int_equal(notify(bed, FROM_TO(11, 12, "gap")), MDC_CIBNEWS_QUERY);
	query(bed, cib);
	assert_int_equal(notify(bed, "<notify/>"), MDC_CIBNEWS_QUERY);
	query(bed, cib);
	assert_int_equal(notify(bed, FROM_TO(10, 11, "next")), MDC_CIBNEWS_VIEW);
	free(bed);
}

static void test_epochs(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	/* The greater number of updates is the older one. */
	assert_int_equal(notify(bed, NOTIFY("<version><source" VERSION_ATTRS(0, 4, 90) "/><target"
					    VERSION_ATTRS(0, 5, 0) "/></version>"
					    MODIFY("1", ADD, "mdcluster-raid-add", "older"))),
			 MDC_CIBNEWS_NONE);
	query(bed, cib);
	bed->seen.told.known = false;
	assert_int_equal(notify(bed, NOTIFY("<version><source" VERSION_ATTRS(0, 5, 10) "/><target"
					    VERSION_ATTRS(1, 0, 0) "/></version>"
					    MODIFY("1", ADD, "mdcluster-raid-add", "newer"))),
			 MDC_CIBNEWS_VIEW);
	assert_string_equal(mdc_cibview_attr(&bed->view, 1, "mdcluster-raid-add"), "newer");
	free(bed);
}

/* An older CIB took its place: what comes of it counts after the query, and not before. */
static void test_back(void **state)
{
	struct bed *bed = new_bed();

	(void)state;
	assert_int_equal(notify(bed, FROM_TO(9, 10, "in it")), MDC_CIBNEWS_NONE);
	assert_int_equal(notify(bed, FROM_TO(10, 3, "back")), MDC_CIBNEWS_QUERY);
	assert_int_equal(notify(bed, FROM_TO(3, 4, "low")), MDC_CIBNEWS_NONE);
	shows(bed, BEFORE);
	query(bed, "<cib" VERSION_ATTRS(0, 5, 4) "><configuration><nodes>"
	      "<node id='1' uname='n1'/></nodes></configuration></cib>");
	assert_int_equal(notify(bed, FROM_TO(4, 5, "on")), MDC_CIBNEWS_VIEW);
	shows(bed, "begin\nnode 1 n1 offline\nattr 1 mdcluster-raid-add on\nend\n");
	/* That it went back was not told. */
	assert_int_equal(notify(bed, FROM_TO(1, 2, "lower")), MDC_CIBNEWS_QUERY);
	free(bed);
}

static void test_odd(void **state)
{
	static const char change[] = MODIFY("1", ADD, "mdcluster-raid-add", "new");
	static const char *const forms[] = {
		"<notify><cib_update_result/></notify>",
		"<notify cib_rc=\"-203\">" DIFF(STEP(10, 11) "%s") "</notify>",
		"<notify><cib_update_result><diff>" STEP(10, 11) "%s</diff></cib_update_result>"
		"</notify>",
		"<notify><diff format=\"1\">" STEP(10, 11) "%s</diff></notify>",
		"<notify><diff format=\"3\">" STEP(10, 11) "%s</diff></notify>",
		"<notify><cib_update>" DIFF(STEP(10, 11) "%s") "</cib_update></notify>",
		"<notify>" DIFF(STEP(10, 11) "%s") DIFF(STEP(10, 11)) "</notify>",
		"<a><b><c><d><e>" DIFF(STEP(10, 11) "%s") "</e></d></c></b></a>",
		NOTIFY("%s"), NOTIFY("<version/>%s"),
		NOTIFY("<version><target" VERSION_ATTRS(0, 5, 11) "/></version>%s"),
		NOTIFY("<version><source" VERSION_ATTRS(0, 5, 10) "/></version>%s"),
		NOTIFY("<version><source" VERSION_ATTRS(0, 5, 10) "/><target"
		       VERSION_ATTRS(1, x, 0) "/></version>%s"),
		NOTIFY(STEP(10, x) "%s"), NOTIFY(STEP(-1, 11) "%s"), NOTIFY(STEP(010, 11) "%s"),
		NOTIFY(STEP(10, 99999999999) "%s"), NOTIFY(STEP(, 11) "%s"),
	};
	struct bed *bed = new_bed();

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		char xml[4096];

		snprintf(xml, sizeof(xml), forms[i], change);
		expect(xml, MDC_CIBNEWS_QUERY, BEFORE);
	}
	assert_int_equal(mdc_cibpatch_apply(NULL, &bed->seen, &bed->view), MDC_CIBNEWS_QUERY);
	shows(bed, BEFORE);
	free(bed);
}

/* Where the patch lies, and what else there is beside it. */
static void test_layout(void **state)
{
	static const char *const forms[] = {
		DIFF(STEP(10, 11) "%s"),
		"<cib_update_result>" DIFF(STEP(10, 11) "%s") "</cib_update_result>",
		"<notify>\n <cib_update>" DIFF(STEP(8, 9)) "</cib_update>\n <cib_update_result>\n "
		DIFF("\n<!-- x -->" STEP(10, 11) "\n%s") "</cib_update_result></notify>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		char xml[4096];

		snprintf(xml, sizeof(xml), forms[i], DELETE(PAIR_AT("1", ADD)));
		expect(xml, MDC_CIBNEWS_VIEW, NODES "attr 1 mdcluster-raid-slot 0\n"
		       "attr 2 mdcluster-raid-slot 1\nend\n");
	}
}

/* A CIB that says no version: nothing can be newer than it. */
static void test_no_version(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	(void)state;
	assert_non_null(bed);
	assert_int_equal(notify(bed, FROM_TO(10, 11, "new")), MDC_CIBNEWS_QUERY);
	query(bed, "<cib epoch='5'><configuration><nodes><node id='1' uname='n1'/></nodes>"
	      "</configuration></cib>");
	assert_int_equal(notify(bed, FROM_TO(11, 12, "new")), MDC_CIBNEWS_QUERY);
	shows(bed, "begin\nnode 1 n1 offline\nend\n");
	free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_epochs),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_no_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
