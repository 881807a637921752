/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/modmsg: what our kernel module and nlctrl send, and what they would never send. */
#include "unit.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "core/modmsg.h"
#include "mdcluster.h"

struct msg {
	size_t len;
	uint8_t b[16384];
};

static void begin(struct msg *m, uint8_t cmd)
{
	struct genlmsghdr head = { .cmd = cmd, .version = 1 };

	memset(m, 0, sizeof(*m));
	memcpy(m->b, &head, sizeof(head));
	m->len = GENL_HDRLEN;
}

static void put(struct msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	assert_true(m->len + NLA_ALIGN(head.nla_len) <= sizeof(m->b));
	memcpy(m->b + m->len, &head, sizeof(head));
	if (len)
		memcpy(m->b + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_ALIGN(head.nla_len);
}

static void put_u32(struct msg *m, uint16_t type, uint32_t value)
{
	put(m, type, &value, sizeof(value));
}

static void put_u64(struct msg *m, uint16_t type, uint64_t value)
{
	put(m, type, &value, sizeof(value));
}

static void put_str(struct msg *m, uint16_t type, const char *value)
{
	put(m, type, value, strlen(value) + 1);
}

static size_t nest(struct msg *m, uint16_t type)
{
	put(m, type | NLA_F_NESTED, NULL, 0);
	return m->len - NLA_HDRLEN;
}

static void nest_end(struct msg *m, size_t at)
{
	uint16_t len = (uint16_t)(m->len - at);

	memcpy(m->b + at, &len, sizeof(len));
}

static void counter(struct msg *m, const char *name, const char *kind, uint64_t value)
{
	size_t at = nest(m, MDCLUSTER_A_COUNTER);

	put_str(m, MDCLUSTER_COUNTER_NAME, name);
	if (kind)
		put_str(m, MDCLUSTER_COUNTER_KIND, kind);
	put_u64(m, MDCLUSTER_COUNTER_VALUE, value);
	nest_end(m, at);
}

static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void array_head(struct msg *m)
{
	begin(m, MDCLUSTER_CMD_GET_ARRAYS);
	put(m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_A_ARRAY_MINOR, 127);
	put_str(m, MDCLUSTER_A_ARRAY_NAME, "md127");
}

static void member(struct msg *m, uint32_t node, uint32_t slot)
{
	size_t at = nest(m, MDCLUSTER_A_MEMBER);

	put_u32(m, MDCLUSTER_MEMBER_NODE, node);
	put_u32(m, MDCLUSTER_MEMBER_SLOT, slot);
	nest_end(m, at);
}

static void full_array(struct msg *m)
{
	size_t at;

	array_head(m);
	put_str(m, MDCLUSTER_A_CLUSTER_NAME, "box");
	put_u32(m, MDCLUSTER_A_OUR_SLOT, 1);
	put_u32(m, MDCLUSTER_A_SLOTS, 4);
	at = nest(m, MDCLUSTER_A_MEMBERS);
	member(m, 7, 0);
	member(m, 9, 1);
	nest_end(m, at);
	put(m, MDCLUSTER_A_IN_CLUSTER, NULL, 0);
	at = nest(m, MDCLUSTER_A_SUSPENDED);
	put_u64(m, MDCLUSTER_RANGE_LO, 8);
	put_u64(m, MDCLUSTER_RANGE_HI, 65536);
	put_u32(m, MDCLUSTER_RANGE_SLOT, 0);
	nest_end(m, at);
	at = nest(m, MDCLUSTER_A_TO_RECOVER);
	put_u32(m, MDCLUSTER_A_SLOT, 2);
	put_u32(m, MDCLUSTER_A_SLOT, 3);
	nest_end(m, at);
	at = nest(m, MDCLUSTER_A_ADD);
	put_u32(m, MDCLUSTER_ADD_STEP, MDCLUSTER_STEP_WAITING);
	put(m, MDCLUSTER_ADD_DEVICE_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_ADD_DEVICE, 2);
	put_u32(m, MDCLUSTER_ADD_SLOT, 0);
	put_u64(m, MDCLUSTER_ADD_SINCE, 150);
	nest_end(m, at);
	at = nest(m, MDCLUSTER_A_RESYNCING);
	put_u64(m, MDCLUSTER_RANGE_LO, 131072);
	put(m, MDCLUSTER_RANGE_PAD, NULL, 0);
	put_u64(m, MDCLUSTER_RANGE_HI, 262144);
	put_u32(m, MDCLUSTER_RANGE_SLOT, 1);
	nest_end(m, at);
	at = nest(m, MDCLUSTER_A_OWN_ADD);
	put(m, MDCLUSTER_OWN_ADD_DEVICE_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_OWN_ADD_DEVICE, 3);
	put_u64(m, MDCLUSTER_OWN_ADD_DISK, 0xfd00000003ull);
	put(m, MDCLUSTER_OWN_ADD_PAD, NULL, 0);
	put_u64(m, MDCLUSTER_OWN_ADD_SINCE, 250);
	put_u64(m, MDCLUSTER_OWN_ADD_PROPOSAL, 0x700000009ull);
	put_u32(m, 200, 1);
	nest_end(m, at);
	put_u64(m, MDCLUSTER_A_RECEIVING, 61000);
	at = nest(m, MDCLUSTER_A_LIMITS);
	put_u32(m, MDCLUSTER_LIMIT_NEWDISK_TIMEOUT, 5000);
	put_u32(m, MDCLUSTER_LIMIT_STUCK_AFTER, 60000);
	put_u32(m, MDCLUSTER_LIMIT_VERDICT_TIMEOUT, 4000);
	nest_end(m, at);
	at = nest(m, MDCLUSTER_A_COUNTERS);
	counter(m, "sent", "METADATA_UPDATED", 3);
	counter(m, "lost", NULL, 1ull << 40);
	nest_end(m, at);
	put_u64(m, MDCLUSTER_A_LOST, 5);
	put_u32(m, MDCLUSTER_A_AGENT, 4242);
	/* what a newer kernel may add */
	put_u32(m, 60, 1);
	put_u32(m, 1000, 1);
}

static void test_array(void **state)
{
	struct mdc_mod_array *a = malloc(sizeof(*a));
	static struct msg m;

	(void)state;
	assert_non_null(a);
	full_array(&m);
	assert_int_equal(mdc_mod_array_parse(a, m.b, m.len), 0);
	assert_memory_equal(a->uuid.b, uuid, 16);
	assert_string_equal(a->md, "md127");
	assert_string_equal(a->cluster, "box");
	assert_int_equal(a->slot, 2);
	assert_int_equal(a->slots, 4);
	assert_int_equal(a->n_members, 2);
	assert_int_equal(a->members[1].node, 9);
	assert_int_equal(a->members[1].slot, 2);
	assert_true(a->in_cluster);
	assert_false(a->stopped);
	assert_int_equal(a->suspended.slot, 1);
	assert_int_equal(a->suspended.lo, 8);
	assert_int_equal(a->suspended.hi, 65536);
	assert_int_equal(a->resyncing.slot, 2);
	assert_int_equal(a->resyncing.lo, 131072);
	assert_int_equal(a->resyncing.hi, 262144);
	assert_int_equal(a->n_to_recover, 2);
	assert_int_equal(a->to_recover[1], 4);
	assert_int_equal(a->add.step, MDCLUSTER_STEP_WAITING);
	assert_int_equal(a->add.slot, 1);
	assert_int_equal(a->add.since_ms, 150);
	assert_true(a->own_add.asks);
	assert_memory_equal(a->own_add.device_uuid.b, uuid, sizeof(uuid));
	assert_int_equal(a->own_add.device, 3);
	assert_int_equal(a->own_add.disk, 0xfd00000003ull);
	assert_int_equal(a->own_add.since_ms, 250);
	assert_int_equal(a->own_add.proposal, 0x700000009ull);
	assert_true(mdc_mod_stuck(a));
	assert_int_equal(a->newdisk_timeout_ms, 5000);
	assert_int_equal(a->verdict_timeout_ms, 4000);
	assert_int_equal(a->n_counters, 2);
	assert_string_equal(a->counters[0].kind, "METADATA_UPDATED");
	assert_string_equal(a->counters[1].kind, "");
	assert_int_equal(a->counters[1].value, 1ull << 40);
	assert_int_equal(a->lost, 5);
	assert_int_equal(a->agent, 4242);
	free(a);
}

static void test_stuck(void **state)
{
	static const struct {
		bool receiving;
		uint64_t ms;
		uint32_t after;
		bool want;
	} rows[] = {
		{ false, 0, 60000, false }, { true, 60000, 60000, false },
		{ true, 60001, 60000, true }, { true, 60001, 0, false },
		{ false, 99999, 60000, false },
	};
	static struct mdc_mod_array a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		a.receiving = rows[i].receiving;
		a.receiving_ms = rows[i].ms;
		a.stuck_after_ms = rows[i].after;
		assert_int_equal(mdc_mod_stuck(&a), rows[i].want);
	}
}

/* One attribute more, or in place of a good one, that must not pass. */
static void test_bad(void **state)
{
	static const struct {
		uint16_t type;
		const char *data;
		size_t len;
	} rows[] = {
		{ MDCLUSTER_A_ARRAY_UUID, "0123456789abcdef", 16 },	/* a second one */
		{ MDCLUSTER_A_CLUSTER_NAME, "box", 3 },			/* no NUL */
		{ MDCLUSTER_A_CLUSTER_NAME, "b\0x", 4 },
		{ MDCLUSTER_A_CLUSTER_NAME, "b\nx", 4 },
		{ MDCLUSTER_A_CLUSTER_NAME, "", 0 },
		{ MDCLUSTER_A_OUR_SLOT, "\1\0\0", 3 },
		{ MDCLUSTER_A_OUR_SLOT, "\1\0\0\0\0\0\0\0", 8 },
		{ MDCLUSTER_A_OUR_SLOT, "\377\377\377\377", 4 },
		{ MDCLUSTER_A_STOPPED, "\1", 1 },
		{ MDCLUSTER_A_RECEIVING, "\1\0\0\0", 4 },
		{ MDCLUSTER_A_MEMBERS, "x", 1 },
		{ MDCLUSTER_A_MEMBERS, "\4\0\23\0", 4 },		/* a member without a node */
		{ MDCLUSTER_A_MEMBERS, "\3\0\23\0", 4 },		/* shorter than its header */
		{ MDCLUSTER_A_MEMBERS, "\10\0\23\0", 4 },		/* longer than it is */
		{ MDCLUSTER_A_COUNTERS, "\4\0\24\0", 4 },		/* a counter without a name */
		{ MDCLUSTER_A_COUNTERS, "\14\0\24\0\7\0\2\0a b", 12 },
		{ MDCLUSTER_A_TO_RECOVER, "\10\0\25\0\377\377\0\0", 8 },
		{ MDCLUSTER_A_RESYNCING, "x", 1 },
		{ MDCLUSTER_A_RESYNCING, "\10\0\3\0\1\0\0\0", 8 },	/* its end in 4 bytes */
		{ MDCLUSTER_A_RESYNCING, "\10\0\4\0\377\377\0\0", 8 },	/* no such slot */
		{ MDCLUSTER_A_OWN_ADD, "\10\0\2\0\1\0\0\0", 8 },	/* a short UUID */
		{ MDCLUSTER_A_OWN_ADD, "\14\0\3\0\1\0\0\0\0\0\0\0", 12 },
		{ MDCLUSTER_A_OWN_ADD, "\14\0\6\0\0\0\0\0\0\0\0\0", 12 },	/* proposal 0 */
		{ MDCLUSTER_A_OWN_ADD, "\14\0\6\0\1\0\0\0", 8 },	/* longer than it is */
	};
	static struct mdc_mod_array a;
	static struct msg m;
	size_t i;

	(void)state;
	assert_int_equal(MDCLUSTER_A_MEMBER, 023);
	assert_int_equal(MDCLUSTER_A_COUNTER, 024);
	assert_int_equal(MDCLUSTER_A_SLOT, 025);
	assert_int_equal(MDCLUSTER_RANGE_HI, 3);
	assert_int_equal(MDCLUSTER_RANGE_SLOT, 4);
	assert_int_equal(MDCLUSTER_OWN_ADD_DEVICE, 3);
	assert_int_equal(MDCLUSTER_OWN_ADD_PROPOSAL, 6);
	for (i = 0; i < COUNT(rows); i++) {
		array_head(&m);
		put(&m, rows[i].type, rows[i].data, rows[i].len);
		if (mdc_mod_array_parse(&a, m.b, m.len) != -EINVAL)
			fail_msg("row %zu passed", i);
	}
}

static void test_must(void **state)
{
	static struct mdc_mod_array a;
	static struct msg m;

	(void)state;
	array_head(&m);
	assert_int_equal(mdc_mod_array_parse(&a, m.b, m.len), 0);
	assert_int_equal(a.slot, 0);
	assert_int_equal(a.resyncing.hi, 0);
	assert_false(a.own_add.asks);
	m.b[0] = MDCLUSTER_CMD_EVENT;
	assert_int_equal(mdc_mod_array_parse(&a, m.b, m.len), -ENOMSG);
	begin(&m, MDCLUSTER_CMD_GET_ARRAYS);
	put(&m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	assert_int_equal(mdc_mod_array_parse(&a, m.b, m.len), -EINVAL);
	put_str(&m, MDCLUSTER_A_ARRAY_NAME, "../sda");
	assert_int_equal(mdc_mod_array_parse(&a, m.b, m.len), -EINVAL);
	assert_int_equal(mdc_mod_array_parse(&a, m.b, 3), -EINVAL);
}

static void newdisk(struct msg *m)
{
	begin(m, MDCLUSTER_CMD_NEWDISK);
	put(m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_str(m, MDCLUSTER_A_ARRAY_NAME, "md_shared");
	put(m, MDCLUSTER_A_DEVICE_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_A_DEVICE, 3);
	put_u32(m, MDCLUSTER_A_SLOT, 0);
	put_u32(m, MDCLUSTER_A_TIMEOUT, 5000);
}

static void test_notice(void **state)
{
	struct mdc_mod_notice n;
	static struct msg m;

	(void)state;
	newdisk(&m);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), 0);
	assert_int_equal(n.cmd, MDCLUSTER_CMD_NEWDISK);
	assert_string_equal(n.md, "md_shared");
	assert_int_equal(n.device, 3);
	assert_int_equal(n.slot, 1);
	assert_int_equal(n.timeout_ms, 5000);
	m.b[0] = MDCLUSTER_CMD_EVENT;
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
	put_u32(&m, MDCLUSTER_A_EVENT, MDCLUSTER_EVENT_RECOVERED);
	put_u32(&m, MDCLUSTER_A_VALUE, 2);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), 0);
	assert_int_equal(n.event, MDCLUSTER_EVENT_RECOVERED);
	assert_true(n.have_value);
	assert_int_equal(n.value, 2);
	m.b[0] = MDCLUSTER_CMD_VERDICT;
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -ENOMSG);
	begin(&m, MDCLUSTER_CMD_NEWDISK);
	put(&m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_str(&m, MDCLUSTER_A_ARRAY_NAME, "md0");
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
}

static void proposed(struct msg *m, uint64_t proposal)
{
	begin(m, MDCLUSTER_CMD_PROPOSED);
	put(m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_A_ARRAY_MINOR, 127);
	put_str(m, MDCLUSTER_A_ARRAY_NAME, "md127");
	put(m, MDCLUSTER_A_DEVICE_UUID, uuid, sizeof(uuid));
	put_u32(m, MDCLUSTER_A_DEVICE, 2);
	put(m, MDCLUSTER_A_PAD, NULL, 0);
	put_u64(m, MDCLUSTER_A_PROPOSAL, proposal);
	put_u64(m, MDCLUSTER_A_DISK, 0xfd00000003ull);
}

static void test_proposed(void **state)
{
	struct mdc_mod_notice n;
	static struct msg m;

	(void)state;
	proposed(&m, 0x700000009ull);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
	put_u32(&m, MDCLUSTER_A_TIMEOUT, 4000);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), 0);
	assert_int_equal(n.cmd, MDCLUSTER_CMD_PROPOSED);
	assert_string_equal(n.md, "md127");
	assert_memory_equal(n.device_uuid.b, uuid, sizeof(uuid));
	assert_int_equal(n.device, 2);
	assert_true(n.proposal == 0x700000009ull);
	assert_true(n.disk == 0xfd00000003ull);
	assert_int_equal(n.timeout_ms, 4000);
	/* A second one, and none. */
	put_u64(&m, MDCLUSTER_A_PROPOSAL, 1);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
	proposed(&m, 0);
	put_u32(&m, MDCLUSTER_A_TIMEOUT, 4000);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
	begin(&m, MDCLUSTER_CMD_PROPOSED);
	put(&m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_str(&m, MDCLUSTER_A_ARRAY_NAME, "md127");
	put_u32(&m, MDCLUSTER_A_PROPOSAL, 7);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), -EINVAL);
	/* An event that says that it is over. */
	begin(&m, MDCLUSTER_CMD_EVENT);
	put(&m, MDCLUSTER_A_ARRAY_UUID, uuid, sizeof(uuid));
	put_str(&m, MDCLUSTER_A_ARRAY_NAME, "md127");
	put_u32(&m, MDCLUSTER_A_EVENT, MDCLUSTER_EVENT_PROPOSAL_OVER);
	put_u32(&m, MDCLUSTER_A_VALUE, 2);
	assert_int_equal(mdc_mod_notice_parse(&n, m.b, m.len), 0);
	assert_string_equal(mdc_mod_event_name(n.event), "proposal_over");
}

static void test_family(void **state)
{
	struct mdc_mod_family f;
	static struct msg m;
	uint16_t id = 37;
	size_t at, one;

	(void)state;
	begin(&m, CTRL_CMD_NEWFAMILY);
	put_str(&m, CTRL_ATTR_FAMILY_NAME, "nlctrl");
	assert_int_equal(mdc_mod_family_parse(&f, m.b, m.len), -EINVAL);
	put(&m, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	at = nest(&m, CTRL_ATTR_MCAST_GROUPS);
	one = nest(&m, 1);
	put_u32(&m, CTRL_ATTR_MCAST_GRP_ID, 16);
	put_str(&m, CTRL_ATTR_MCAST_GRP_NAME, "notify");
	nest_end(&m, one);
	nest_end(&m, at);
	assert_int_equal(mdc_mod_family_parse(&f, m.b, m.len), 0);
	assert_string_equal(f.name, "nlctrl");
	assert_int_equal(f.id, 37);
	assert_int_equal(f.notify, 16);
	m.b[0] = CTRL_CMD_DELFAMILY;
	assert_int_equal(mdc_mod_family_parse(&f, m.b, m.len), 0);
	m.b[0] = CTRL_CMD_NEWMCAST_GRP;
	assert_int_equal(mdc_mod_family_parse(&f, m.b, m.len), -ENOMSG);
}

static void ack(struct msg *m, int error, const char *text)
{
	struct nlmsgerr head = { .error = error };

	memset(m, 0, sizeof(*m));
	memcpy(m->b, &head, sizeof(head));
	m->len = sizeof(head);
	if (text)
		put_str(m, NLMSGERR_ATTR_MSG, text);
}

static void test_ack(void **state)
{
	char text[MDC_MOD_ACK_MAX], longer[400];
	static struct msg m;
	int err = -1;

	(void)state;
	ack(&m, 0, NULL);
	assert_int_equal(mdc_mod_ack_parse(&err, text, m.b, m.len), 0);
	assert_int_equal(err, 0);
	assert_string_equal(text, "");
	ack(&m, -EBUSY, "another agent is attached");
	assert_int_equal(mdc_mod_ack_parse(&err, text, m.b, m.len), 0);
	assert_int_equal(err, EBUSY);
	assert_string_equal(text, "another agent is attached");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ack(&m, -EBUSY, longer);
	assert_int_equal(mdc_mod_ack_parse(&err, text, m.b, m.len), 0);
	assert_string_equal(text, "");
	ack(&m, 1, NULL);
	assert_int_equal(mdc_mod_ack_parse(&err, text, m.b, m.len), -EINVAL);
	assert_int_equal(mdc_mod_ack_parse(&err, text, m.b, 7), -EINVAL);
}

/* Cut at each length, in a buffer of just that size: for the sanitizer. */
static void test_cut(void **state)
{
	struct mdc_mod_array *a = malloc(sizeof(*a));
	struct mdc_mod_notice n;
	static struct msg m;
	size_t len;

	(void)state;
	assert_non_null(a);
	full_array(&m);
	for (len = 0; len < m.len; len++) {
		uint8_t *buf = malloc(len ? len : 1);

		assert_non_null(buf);
		memcpy(buf, m.b, len);
		mdc_mod_array_parse(a, buf, len);
		mdc_mod_notice_parse(&n, buf, len);
		free(buf);
	}
	free(a);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(mdc_mod_event_name(MDCLUSTER_EVENT_CANDIDATE_DROPPED),
			    "candidate_dropped");
	assert_string_equal(mdc_mod_event_name(0), "unknown");
	assert_string_equal(mdc_mod_event_name(4000000000u), "unknown");
	assert_string_equal(mdc_mod_step_name(MDCLUSTER_STEP_SETTLING), "settling");
	assert_string_equal(mdc_mod_step_name(5), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array), cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_bad), cmocka_unit_test(test_must),
		cmocka_unit_test(test_notice), cmocka_unit_test(test_proposed),
		cmocka_unit_test(test_family), cmocka_unit_test(test_ack),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
