/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's value blocks, with the receiver's limits before them: 24 bytes of limits, then a
 * block; missing bytes are zero.
 */
#include "fuzz.h"

#include "core/wire.h"

static uint64_t number(const uint8_t *from, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | from[bytes];
	return value;
}

static void check_good(const struct mdc_msg *msg, const struct mdc_wire_limits *limits)
{
	MUST(msg->type < MDC_MSG_TYPES);
	MUST(msg->slot < limits->slots && msg->slot != limits->our_slot);
	if (msg->type == MDC_METADATA_UPDATED || msg->type == MDC_NEWDISK ||
	    msg->type == MDC_REMOVE || msg->type == MDC_RE_ADD)
		MUST(msg->raid_slot < limits->devices);
	if (msg->type == MDC_RESYNCING)
		MUST(msg->low <= msg->high);
	if (msg->type == MDC_RESYNCING && limits->sectors)
		MUST(msg->low <= limits->sectors);
	if (msg->type == MDC_BITMAP_RESIZE)
		MUST(msg->high != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t input[24 + MDC_LVB_SIZE] = { 0 }, again[MDC_LVB_SIZE];
	/* A block of its own, so that a read behind it is seen. */
	uint8_t *lvb = malloc(MDC_LVB_SIZE);
	struct mdc_wire_limits limits;
	enum mdc_wire_fault fault;
	struct mdc_range range;
	struct mdc_msg msg;

	MUST(lvb);
	memcpy(input, data, size < sizeof(input) ? size : sizeof(input));
	limits.our_slot = number(input, 4);
	limits.slots = number(input + 4, 4);
	limits.devices = number(input + 8, 4);
	limits.sectors = number(input + 16, 8);
	memcpy(lvb, input + 24, MDC_LVB_SIZE);

	fault = mdc_wire_get_msg(lvb, &limits, &msg);
	MUST(fault < MDC_WIRE_FAULTS);
	MUST(mdc_wire_fault_name(fault) && mdc_wire_type_name(msg.type));
	if (fault == MDC_WIRE_OK)
		check_good(&msg, &limits);
	mdc_wire_put_msg(again, &msg);
	MUST(memcmp(again, lvb, 44) == 0);

	if (mdc_wire_get_range(lvb, &range)) {
		MUST(range.lo <= range.hi);
		mdc_wire_put_range(again, &range);
		MUST(memcmp(again, lvb, MDC_WIRE_RANGE_SIZE) == 0);
	} else {
		MUST(range.lo == 0 && range.hi == 0);
	}
	free(lvb);
	return 0;
}
