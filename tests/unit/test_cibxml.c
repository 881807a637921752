/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CIB as Pacemaker 2.1 and 3 write it, into snapshot text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cibxml.h"

static void expect(const char *xml, const char *text, unsigned int left_out)
{
	struct mdc_cibview *view = calloc(1, sizeof(*view));
	unsigned int n = 0;
	char out[4096];

	assert_int_equal(mdc_cibxml_parse(xml, strlen(xml), view, &n), 0);
	assert_true(mdc_cibview_format(view, out, sizeof(out)) > 0);
	assert_string_equal(out, text);
	assert_int_equal(n, left_out);
	free(view);
}

static void test_old(void **state)
{
	(void)state;
	expect("<cib crm_feature_set='3.16.2'><configuration><nodes>"
	       "<node id='1' uname='n1'/><node id='2' uname='n2'/><node id='3' uname='n3'/>"
	       "<node id='4' uname='n4'/><node id='r1' uname='r1' type='remote'/>"
	       "</nodes></configuration><status>"
	       "<node_state id='1' uname='n1' in_ccm='true' crmd='online' join='member'>"
	       "<transient_attributes id='1'><instance_attributes id='status-1'>"
	       "<nvpair id='a' name='mdcluster-raid-slot' value='1'/>"
	       "<nvpair id='b' name='#feature-set' value='3.16.2'/>"
	       "</instance_attributes></transient_attributes></node_state>"
	       "<node_state id='2' uname='n2' in_ccm='true' crmd='online' join='pending'/>"
	       "<node_state id='3' uname='n3' in_ccm='false' crmd='offline' join='down'/>"
	       "</status></cib>",
	       "begin\nnode 1 n1 online\nnode 2 n2 pending\nnode 3 n3 offline\n"
	       "node 4 n4 offline\nattr 1 mdcluster-raid-slot 1\nend\n", 0);
}

static void test_new(void **state)
{
	(void)state;
	expect("<cib crm_feature_set='3.20.0'><configuration><nodes>"
	       "<node id='1' uname='n1'/><node id='2' uname='n2'/><node id='3' uname='n3'/>"
	       "</nodes></configuration><status>"
	       "<node_state id='1' uname='n1' in_ccm='1735689600' crmd='1735689601' "
	       "join='member'/>"
	       "<node_state id='2' uname='n2' in_ccm='1735689600' crmd='0' join='down'/>"
	       "<node_state id='3' uname='n3' in_ccm='0' crmd='0' join='member'/>"
	       "<node_state id='7' uname='n7' in_ccm='1' crmd='1' join='member'/>"
	       "</status></cib>",
	       "begin\nnode 1 n1 online\nnode 2 n2 pending\nnode 3 n3 offline\n"
	       "node 7 n7 online\nend\n", 0);
}

static void test_odd(void **state)
{
	struct mdc_cibview *view = calloc(1, sizeof(*view));

	(void)state;
	expect("<cib/>", "begin\nend\n", 0);
	expect("<cib><configuration><nodes><node id='1' uname='n 1'/><node id='0' uname='x'/>"
	       "<node id='2' uname='n2'/><node id='2' uname='n3'/><node uname='n4'/>"
	       "<node id='5'/></nodes></configuration><status>"
	       "<node_state id='2'><transient_attributes><instance_attributes>"
	       "<nvpair name='mdcluster-a' value='b c'/><nvpair name='mdcluster-d'/>"
	       "<nvpair name='mdcluster-e' value='f&#10;'/>"
	       "<nvpair name='mdcluster-g' value='1'/><nvpair name='mdcluster-g' value='2'/>"
	       "</instance_attributes></transient_attributes></node_state></status></cib>",
	       "begin\nnode 2 n2 offline\nattr 2 mdcluster-g 1\nend\n", 5);
	assert_int_equal(mdc_cibxml_parse("<cub/>", 6, view, NULL), -EINVAL);
	assert_int_equal(mdc_cibxml_parse("<cib>", 5, view, NULL), -EINVAL);
	assert_int_equal(mdc_cibxml_parse("", 0, view, NULL), -EINVAL);
	free(view);
}

static void instance(const char *ops, const char *word)
{
	char xml[4096], text[256];

	snprintf(xml, sizeof(xml), "<cib><configuration><nodes><node id='1' uname='n1'/></nodes>"
		 "</configuration><status><node_state id='1'><lrm id='1'><lrm_resources>"
		 "<lrm_resource id='dlm' class='ocf' provider='pacemaker' type='controld'>"
		 "<lrm_rsc_op operation='start' call-id='1' rc-code='0' interval='0'/>"
		 "</lrm_resource>"
		 "<lrm_resource id='raid:0' class='ocf' provider='mdcluster' type='mdcluster'>%s"
		 "</lrm_resource></lrm_resources></lrm></node_state></status></cib>", ops);
	snprintf(text, sizeof(text), "begin\nnode 1 n1 offline\n%s%s%send\n",
		 word ? "instance 1 raid " : "", word ? word : "", word ? "\n" : "");
	expect(xml, text, 0);
}

#define OP(id, op, call, rc, every) "<lrm_rsc_op id='raid_" id "_0' operation='" op \
	"' call-id='" call "' rc-code='" rc "' op-status='0' interval='" every "'/>"

static void test_instances(void **state)
{
	(void)state;
	instance("", NULL);
	instance(OP("last", "monitor", "5", "7", "0"), "stopped");
	instance(OP("last", "monitor", "5", "5", "0"), "stopped");
	instance(OP("last", "monitor", "5", "0", "0"), "running");
	instance(OP("last", "monitor", "5", "190", "0"), "running");
	instance(OP("last", "monitor", "5", "1", "0"), "failed");
	instance(OP("last", "start", "9", "0", "0"), "running");
	instance(OP("last", "start", "9", "6", "0"), "failed");
	instance(OP("last", "stop", "9", "0", "0"), "stopped");
	instance(OP("last", "stop", "9", "1", "0"), "failed");
	/* The order in the XML does not count, the call id does. */
	instance(OP("monitor_10000", "monitor", "11", "0", "10000")
		 OP("last", "start", "10", "0", "0"), "running");
	instance(OP("monitor_10000", "monitor", "11", "0", "10000")
		 OP("last", "stop", "12", "0", "0"), "stopped");
	instance(OP("last", "start", "10", "0", "0")
		 OP("monitor_10000", "monitor", "11", "7", "10000"), "failed");
	/* Two monitors, the one with the lower call id has failed since. */
	instance(OP("last", "start", "10", "0", "0")
		 OP("monitor_10000", "monitor", "11", "1", "10000")
		 OP("monitor_20000", "monitor", "12", "190", "20000"), "failed");
	/* A failure that was got over, and one that was not. */
	instance(OP("last", "start", "10", "0", "0")
		 OP("last_failure", "monitor", "11", "1", "10000")
		 OP("monitor_10000", "monitor", "11", "0", "10000"), "running");
	instance(OP("last", "start", "14", "0", "0")
		 OP("last_failure", "monitor", "11", "1", "10000")
		 OP("monitor_10000", "monitor", "15", "0", "10000"), "running");
	instance(OP("last_failure", "start", "10", "1", "0"), "failed");
	/* a clone with notify=true */
	instance(OP("last", "stop", "9", "1", "0")
		 OP("post_notify_stop", "notify", "13", "0", "0"), "failed");
	instance(OP("last", "start", "10", "0", "0")
		 OP("last_failure", "monitor", "11", "1", "10000")
		 OP("post_notify_start", "notify", "13", "0", "0"), "failed");
	instance(OP("last", "start", "10", "0", "0")
		 OP("post_notify_start", "notify", "13", "0", "0"), "running");
	/* Not done yet. */
	instance(OP("last", "stop", "9", "0", "0")
		 "<lrm_rsc_op operation='start' call-id='-1' rc-code='193' op-status='-1'/>",
		 "stopped");
	instance("<lrm_rsc_op/><lrm_rsc_op call-id='x' rc-code='y'/>", NULL);
}

static void asked(const char *line, const char *want)
{
	struct mdc_cibask ask;
	xmlBuffer *out = xmlBufferCreate();
	xmlDoc *doc;

	assert_int_equal(mdc_cibask_parse(&ask, line), 0);
	doc = mdc_cibxml_ask(&ask);
	assert_non_null(doc);
	assert_true(xmlNodeDump(out, doc, xmlDocGetRootElement(doc), 0, 0) > 0);
	assert_string_equal((const char *)xmlBufferContent(out), want);
	xmlBufferFree(out);
	xmlFreeDoc(doc);
}

/* With pacemaker-attrd's ids. */
static void test_ask(void **state)
{
	(void)state;
	asked("set 1 3 mdcluster-raid-add found:vdd:2:0a1b2c3d:1.7",
	      "<node_state id=\"3\"><transient_attributes id=\"3\">"
	      "<instance_attributes id=\"status-3\">"
	      "<nvpair id=\"status-3-mdcluster-raid-add\" name=\"mdcluster-raid-add\" "
	      "value=\"found:vdd:2:0a1b2c3d:1.7\"/>"
	      "</instance_attributes></transient_attributes></node_state>");
	asked("delete 2 3 mdcluster-raid-add", "<nvpair id=\"status-3-mdcluster-raid-add\"/>");
	asked("delete 2 3 mdcluster-a:b#c-add", "<nvpair id=\"status-3-mdcluster-a.b.c-add\"/>");
	asked("set 1 3 mdcluster-r&-add <\"'>",
	      "<node_state id=\"3\"><transient_attributes id=\"3\">"
	      "<instance_attributes id=\"status-3\">"
	      "<nvpair id=\"status-3-mdcluster-r&amp;-add\" name=\"mdcluster-r&amp;-add\" "
	      "value=\"&lt;&quot;'&gt;\"/>"
	      "</instance_attributes></transient_attributes></node_state>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests_name("cibxml", tests, NULL, NULL);
}
