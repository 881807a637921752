/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads netlink messages of our kernel module and of nlctrl. They come from the kernel, but from
 * one that may be newer or older than this program: what is not known is passed over, what is
 * known must have exactly its form, and nothing is read beyond the bytes that are there.
 */
#include "core/modmsg.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "mdcluster.h"

#define SLOT_BEYOND 10000	/* no array has as many */

struct attr {
	unsigned int type;
	const uint8_t *data;
	size_t len;
};

typedef int (*attr_fn)(const struct attr *a, void *into);

/* Hands each attribute of buf to fn; its error, or -EINVAL where the bytes are no attributes. */
static int each(const uint8_t *at, size_t left, attr_fn fn, void *into)
{
	while (left) {
		struct nlattr head;
		struct attr a;
		size_t step;
		int ret;

		if (left < sizeof(head))
			return -EINVAL;
		memcpy(&head, at, sizeof(head));
		if (head.nla_len < sizeof(head) || head.nla_len > left)
			return -EINVAL;
		a.type = head.nla_type & NLA_TYPE_MASK;
		a.data = at + sizeof(head);
		a.len = head.nla_len - sizeof(head);
		ret = fn(&a, into);
		if (ret)
			return ret;
		step = NLA_ALIGN(head.nla_len);
		step = step < left ? step : left;
		at += step;
		left -= step;
	}
	return 0;
}

static int nested(const struct attr *a, attr_fn fn, void *into)
{
	return each(a->data, a->len, fn, into);
}

static int fixed(const struct attr *a, void *out, size_t size)
{
	if (a->len != size)
		return -EINVAL;
	memcpy(out, a->data, size);
	return 0;
}

#define FIXED(a, out) fixed(a, out, sizeof(*(out)))

/* On the wire from 0, here from 1. */
static int slot(const struct attr *a, uint32_t *out)
{
	uint32_t n;

	if (fixed(a, &n, sizeof(n)) || n >= SLOT_BEYOND)
		return -EINVAL;
	*out = n + 1;
	return 0;
}

static int flag(const struct attr *a, bool *out)
{
	*out = true;
	return a->len ? -EINVAL : 0;
}

/* Ends with its only NUL, and holds nothing that would confuse a log or a screen. */
static int string(const struct attr *a, char *out, size_t size)
{
	size_t i;

	if (!a->len || a->len > size || a->data[a->len - 1])
		return -EINVAL;
	for (i = 0; i < a->len - 1; i++)
		if (a->data[i] < ' ' || a->data[i] == 0x7f)
			return -EINVAL;
	memcpy(out, a->data, a->len);
	return 0;
}

static int word(const struct attr *a, char *out, size_t size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	if (string(a, out, size) || strspn(out, good) != strlen(out))
		return -EINVAL;
	return 0;
}

static int md_name(const struct attr *a, char *out, size_t size)
{
	return string(a, out, size) || !mdc_md_valid(out) ? -EINVAL : 0;
}

static int member_attr(const struct attr *a, void *into)
{
	struct mdc_mod_member *m = into;

	switch (a->type) {
	case MDCLUSTER_MEMBER_NODE:
		return FIXED(a, &m->node);
	case MDCLUSTER_MEMBER_SLOT:
		return slot(a, &m->slot);
	default:
		return 0;
	}
}

static int members_attr(const struct attr *a, void *into)
{
	struct mdc_mod_array *array = into;
	struct mdc_mod_member m = { 0 };

	if (a->type != MDCLUSTER_A_MEMBER)
		return 0;
	if (array->n_members == MDC_MOD_MEMBERS_MAX || nested(a, member_attr, &m) || !m.node)
		return -EINVAL;
	array->members[array->n_members++] = m;
	return 0;
}

static int range_attr(const struct attr *a, void *into)
{
	struct mdc_mod_range *range = into;

	switch (a->type) {
	case MDCLUSTER_RANGE_LO:
		return FIXED(a, &range->lo);
	case MDCLUSTER_RANGE_HI:
		return FIXED(a, &range->hi);
	case MDCLUSTER_RANGE_SLOT:
		return slot(a, &range->slot);
	default:
		return 0;
	}
}

static int recover_attr(const struct attr *a, void *into)
{
	struct mdc_mod_array *array = into;

	if (a->type != MDCLUSTER_A_SLOT)
		return 0;
	if (array->n_to_recover == MDC_MOD_SLOTS_MAX)
		return -EINVAL;
	return slot(a, &array->to_recover[array->n_to_recover++]);
}

static int add_attr(const struct attr *a, void *into)
{
	struct mdc_mod_add *add = into;

	switch (a->type) {
	case MDCLUSTER_ADD_STEP:
		return FIXED(a, &add->step);
	case MDCLUSTER_ADD_DEVICE_UUID:
		return FIXED(a, &add->device_uuid.b);
	case MDCLUSTER_ADD_DEVICE:
		return FIXED(a, &add->device);
	case MDCLUSTER_ADD_SLOT:
		return slot(a, &add->slot);
	case MDCLUSTER_ADD_SINCE:
		return FIXED(a, &add->since_ms);
	default:
		return 0;
	}
}

static int own_add_attr(const struct attr *a, void *into)
{
	struct mdc_mod_own_add *add = into;

	switch (a->type) {
	case MDCLUSTER_OWN_ADD_DEVICE_UUID:
		return FIXED(a, &add->device_uuid.b);
	case MDCLUSTER_OWN_ADD_DEVICE:
		return FIXED(a, &add->device);
	case MDCLUSTER_OWN_ADD_DISK:
		return FIXED(a, &add->disk);
	case MDCLUSTER_OWN_ADD_SINCE:
		return FIXED(a, &add->since_ms);
	case MDCLUSTER_OWN_ADD_PROPOSAL:
		return FIXED(a, &add->proposal) || !add->proposal ? -EINVAL : 0;
	default:
		return 0;
	}
}

static int limit_attr(const struct attr *a, void *into)
{
	struct mdc_mod_array *array = into;

	switch (a->type) {
	case MDCLUSTER_LIMIT_NEWDISK_TIMEOUT:
		return FIXED(a, &array->newdisk_timeout_ms);
	case MDCLUSTER_LIMIT_STUCK_AFTER:
		return FIXED(a, &array->stuck_after_ms);
	case MDCLUSTER_LIMIT_VERDICT_TIMEOUT:
		return FIXED(a, &array->verdict_timeout_ms);
	default:
		return 0;
	}
}

static int counter_attr(const struct attr *a, void *into)
{
	struct mdc_mod_counter *counter = into;

	switch (a->type) {
	case MDCLUSTER_COUNTER_NAME:
		return word(a, counter->name, sizeof(counter->name));
	case MDCLUSTER_COUNTER_KIND:
		return word(a, counter->kind, sizeof(counter->kind));
	case MDCLUSTER_COUNTER_VALUE:
		return FIXED(a, &counter->value);
	default:
		return 0;
	}
}

static int counters_attr(const struct attr *a, void *into)
{
	struct mdc_mod_array *array = into;
	struct mdc_mod_counter counter = { 0 };

	if (a->type != MDCLUSTER_A_COUNTER)
		return 0;
	if (nested(a, counter_attr, &counter) || !counter.name[0])
		return -EINVAL;
	if (array->n_counters < MDC_MOD_COUNTERS_MAX)
		array->counters[array->n_counters++] = counter;
	return 0;
}

static int array_attr(const struct attr *a, void *into)
{
	struct mdc_mod_array *array = into;

	switch (a->type) {
	case MDCLUSTER_A_ARRAY_UUID:
		return FIXED(a, &array->uuid.b);
	case MDCLUSTER_A_ARRAY_NAME:
		return md_name(a, array->md, sizeof(array->md));
	case MDCLUSTER_A_CLUSTER_NAME:
		return string(a, array->cluster, sizeof(array->cluster));
	case MDCLUSTER_A_OUR_SLOT:
		return slot(a, &array->slot);
	case MDCLUSTER_A_SLOTS:
		return FIXED(a, &array->slots);
	case MDCLUSTER_A_MEMBERS:
		return nested(a, members_attr, array);
	case MDCLUSTER_A_STOPPED:
		return flag(a, &array->stopped);
	case MDCLUSTER_A_IN_CLUSTER:
		return flag(a, &array->in_cluster);
	case MDCLUSTER_A_SUSPENDED:
		return nested(a, range_attr, &array->suspended);
	case MDCLUSTER_A_RESYNCING:
		return nested(a, range_attr, &array->resyncing);
	case MDCLUSTER_A_TO_RECOVER:
		return nested(a, recover_attr, array);
	case MDCLUSTER_A_ADD:
		return nested(a, add_attr, &array->add);
	case MDCLUSTER_A_OWN_ADD:
		array->own_add.asks = true;
		return nested(a, own_add_attr, &array->own_add);
	case MDCLUSTER_A_RECEIVING:
		array->receiving = true;
		return FIXED(a, &array->receiving_ms);
	case MDCLUSTER_A_LIMITS:
		return nested(a, limit_attr, array);
	case MDCLUSTER_A_COUNTERS:
		return nested(a, counters_attr, array);
	case MDCLUSTER_A_LOST:
		return FIXED(a, &array->lost);
	case MDCLUSTER_A_AGENT:
		return FIXED(a, &array->agent);
	default:
		return 0;
	}
}

/* Which attributes a message must have is told by those that it had. */
struct noted {
	uint64_t had;
	attr_fn fn;
	void *into;
};

#define BIT(type) (1ull << (type))

static int note(const struct attr *a, void *into)
{
	struct noted *noted = into;

	if (a->type < 64) {
		if ((noted->had & BIT(a->type)) && a->type != MDCLUSTER_A_PAD)
			return -EINVAL;
		noted->had |= BIT(a->type);
	}
	return noted->fn(a, noted->into);
}

/* The generic netlink header, then the attributes. */
static int message(const uint8_t *buf, size_t len, attr_fn fn, void *into, uint64_t *had)
{
	struct noted noted = { .fn = fn, .into = into };
	int ret;

	if (len < GENL_HDRLEN)
		return -EINVAL;
	ret = each(buf + GENL_HDRLEN, len - GENL_HDRLEN, note, &noted);
	*had = noted.had;
	return ret;
}

static int cmd_of(const uint8_t *buf, size_t len)
{
	struct genlmsghdr head;

	if (len < GENL_HDRLEN)
		return -EINVAL;
	memcpy(&head, buf, sizeof(head));
	return head.cmd;
}

int mdc_mod_array_parse(struct mdc_mod_array *array, const void *buf, size_t len)
{
	const uint64_t must = BIT(MDCLUSTER_A_ARRAY_UUID) | BIT(MDCLUSTER_A_ARRAY_NAME);
	uint64_t had;
	int ret = cmd_of(buf, len);

	memset(array, 0, sizeof(*array));
	if (ret < 0)
		return ret;
	if (ret != MDCLUSTER_CMD_GET_ARRAYS)
		return -ENOMSG;
	ret = message(buf, len, array_attr, array, &had);
	if (ret)
		return ret;
	return (had & must) == must ? 0 : -EINVAL;
}

static int notice_attr(const struct attr *a, void *into)
{
	struct mdc_mod_notice *notice = into;

	switch (a->type) {
	case MDCLUSTER_A_ARRAY_UUID:
		return FIXED(a, &notice->uuid.b);
	case MDCLUSTER_A_ARRAY_NAME:
		return md_name(a, notice->md, sizeof(notice->md));
	case MDCLUSTER_A_DEVICE_UUID:
		return FIXED(a, &notice->device_uuid.b);
	case MDCLUSTER_A_DEVICE:
		return FIXED(a, &notice->device);
	case MDCLUSTER_A_SLOT:
		return slot(a, &notice->slot);
	case MDCLUSTER_A_TIMEOUT:
		return FIXED(a, &notice->timeout_ms);
	case MDCLUSTER_A_PROPOSAL:
		return FIXED(a, &notice->proposal);
	case MDCLUSTER_A_DISK:
		return FIXED(a, &notice->disk);
	case MDCLUSTER_A_EVENT:
		return FIXED(a, &notice->event);
	case MDCLUSTER_A_VALUE:
		notice->have_value = true;
		return FIXED(a, &notice->value);
	default:
		return 0;
	}
}

int mdc_mod_notice_parse(struct mdc_mod_notice *notice, const void *buf, size_t len)
{
	uint64_t must = BIT(MDCLUSTER_A_ARRAY_UUID) | BIT(MDCLUSTER_A_ARRAY_NAME), had;
	int ret = cmd_of(buf, len);

	memset(notice, 0, sizeof(*notice));
	if (ret < 0)
		return ret;
	notice->cmd = (uint32_t)ret;
	if (ret == MDCLUSTER_CMD_NEWDISK)
		must |= BIT(MDCLUSTER_A_DEVICE_UUID) | BIT(MDCLUSTER_A_DEVICE);
	else if (ret == MDCLUSTER_CMD_PROPOSED)
		must |= BIT(MDCLUSTER_A_DEVICE_UUID) | BIT(MDCLUSTER_A_DEVICE) |
			BIT(MDCLUSTER_A_PROPOSAL) | BIT(MDCLUSTER_A_TIMEOUT);
	else if (ret == MDCLUSTER_CMD_EVENT)
		must |= BIT(MDCLUSTER_A_EVENT);
	else
		return -ENOMSG;
	ret = message(buf, len, notice_attr, notice, &had);
	if (ret)
		return ret;
	if (notice->cmd == MDCLUSTER_CMD_PROPOSED && !notice->proposal)
		return -EINVAL;
	return (had & must) == must ? 0 : -EINVAL;
}

struct group {
	char name[GENL_NAMSIZ];
	uint32_t id;
};

static int group_attr(const struct attr *a, void *into)
{
	struct group *group = into;

	if (a->type == CTRL_ATTR_MCAST_GRP_NAME)
		return string(a, group->name, sizeof(group->name));
	return a->type == CTRL_ATTR_MCAST_GRP_ID ? FIXED(a, &group->id) : 0;
}

/* The types of these are only their numbers. */
static int groups_attr(const struct attr *a, void *into)
{
	struct mdc_mod_family *family = into;
	struct group group = { 0 };
	int ret = nested(a, group_attr, &group);

	if (!ret && !strcmp(group.name, "notify"))
		family->notify = group.id;
	return ret;
}

static int family_attr(const struct attr *a, void *into)
{
	struct mdc_mod_family *family = into;

	switch (a->type) {
	case CTRL_ATTR_FAMILY_NAME:
		return string(a, family->name, sizeof(family->name));
	case CTRL_ATTR_FAMILY_ID:
		return FIXED(a, &family->id);
	case CTRL_ATTR_MCAST_GROUPS:
		return nested(a, groups_attr, family);
	default:
		return 0;
	}
}

int mdc_mod_family_parse(struct mdc_mod_family *family, const void *buf, size_t len)
{
	const uint64_t must = BIT(CTRL_ATTR_FAMILY_NAME) | BIT(CTRL_ATTR_FAMILY_ID);
	uint64_t had;
	int ret = cmd_of(buf, len);

	memset(family, 0, sizeof(*family));
	if (ret < 0)
		return ret;
	if (ret != CTRL_CMD_NEWFAMILY && ret != CTRL_CMD_DELFAMILY)
		return -ENOMSG;
	family->cmd = (uint8_t)ret;
	ret = message(buf, len, family_attr, family, &had);
	if (ret)
		return ret;
	return (had & must) == must && family->id >= GENL_MIN_ID ? 0 : -EINVAL;
}

static int ack_attr(const struct attr *a, void *into)
{
	/* A text that cannot be shown is no reason to doubt the number. */
	if (a->type == NLMSGERR_ATTR_MSG && string(a, into, MDC_MOD_ACK_MAX))
		*(char *)into = '\0';
	return 0;
}

int mdc_mod_ack_parse(int *err, char text[MDC_MOD_ACK_MAX], const void *buf, size_t len)
{
	struct nlmsgerr head;

	text[0] = '\0';
	if (len < sizeof(head))
		return -EINVAL;
	memcpy(&head, buf, sizeof(head));
	if (head.error > 0 || head.error < -4095)
		return -EINVAL;
	*err = -head.error;
	return each((const uint8_t *)buf + sizeof(head), len - sizeof(head), ack_attr, text);
}

bool mdc_mod_stuck(const struct mdc_mod_array *array)
{
	return array->receiving && array->stuck_after_ms &&
	       array->receiving_ms > array->stuck_after_ms;
}

static const char *named(const char *const *names, size_t n, uint32_t i)
{
	return i < n && names[i] ? names[i] : "unknown";
}

const char *mdc_mod_event_name(uint32_t event)
{
	static const char *const names[] = {
		[MDCLUSTER_EVENT_JOINED] = "joined",
		[MDCLUSTER_EVENT_LEAVING] = "leaving",
		[MDCLUSTER_EVENT_STOPPED] = "stopped",
		[MDCLUSTER_EVENT_RUNNING] = "running",
		[MDCLUSTER_EVENT_MEMBER_FAILED] = "member_failed",
		[MDCLUSTER_EVENT_RECOVERED] = "recovered",
		[MDCLUSTER_EVENT_ADD_REFUSED] = "add_refused",
		[MDCLUSTER_EVENT_CANDIDATE_DROPPED] = "candidate_dropped",
		[MDCLUSTER_EVENT_UPDATED] = "updated",
		[MDCLUSTER_EVENT_PROPOSAL_OVER] = "proposal_over",
	};

	return named(names, sizeof(names) / sizeof(names[0]), event);
}

const char *mdc_mod_step_name(uint32_t step)
{
	static const char *const names[] = {
		[MDCLUSTER_STEP_WAITING] = "waiting",
		[MDCLUSTER_STEP_FOUND] = "found",
		[MDCLUSTER_STEP_MISSING] = "missing",
		[MDCLUSTER_STEP_SETTLING] = "settling",
	};

	return named(names, sizeof(names) / sizeof(names[0]), step);
}
