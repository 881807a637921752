/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/modmsg: the netlink messages of our kernel module and of nlctrl. */
#include "fuzz.h"

#include "core/modmsg.h"
#include "mdcluster.h"

static void array(const uint8_t *data, size_t size)
{
	struct mdc_mod_array *a = malloc(sizeof(*a));
	unsigned int i;

	MUST(a);
	if (!mdc_mod_array_parse(a, data, size)) {
		MUST_END(a->md);
		MUST_END(a->cluster);
		MUST(mdc_md_valid(a->md));
		MUST(a->n_members <= MDC_MOD_MEMBERS_MAX);
		MUST(a->n_to_recover <= MDC_MOD_SLOTS_MAX);
		MUST(a->n_counters <= MDC_MOD_COUNTERS_MAX);
		for (i = 0; i < a->n_members; i++)
			MUST(a->members[i].node);
		for (i = 0; i < a->n_to_recover; i++)
			MUST(a->to_recover[i]);
		for (i = 0; i < a->n_counters; i++) {
			MUST_END(a->counters[i].name);
			MUST_END(a->counters[i].kind);
			MUST(a->counters[i].name[0]);
		}
		MUST(mdc_mod_step_name(a->add.step));
		MUST(a->own_add.asks || (!a->own_add.proposal && !a->own_add.since_ms));
		(void)mdc_mod_stuck(a);
	}
	free(a);
}

static void notice(const uint8_t *data, size_t size)
{
	struct mdc_mod_notice n;

	if (mdc_mod_notice_parse(&n, data, size))
		return;
	MUST_END(n.md);
	MUST(mdc_md_valid(n.md));
	MUST(mdc_mod_event_name(n.event));
	MUST(n.cmd != MDCLUSTER_CMD_PROPOSED || n.proposal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_mod_family family;
	char text[MDC_MOD_ACK_MAX];
	int err;

	array(data, size);
	notice(data, size);
	if (!mdc_mod_family_parse(&family, data, size)) {
		MUST_END(family.name);
		MUST(family.id >= 16);
	}
	if (!mdc_mod_ack_parse(&err, text, data, size)) {
		MUST(err >= 0);
		MUST_END(text);
	}
	return 0;
}
