/* SPDX-License-Identifier: GPL-2.0-or-later */
/* md superblocks. The checksum is the parser's business, so most inputs end early. */
#include "fuzz.h"

#include "core/superblock.h"

static void promises(const struct mdc_super *super)
{
	MUST(super->n_active <= MDC_CHECK_MEMBERS_MAX);
	MUST(super->role >= MDC_ROLE_FAULTY);
	for (unsigned int i = 1; i < super->n_active; i++)
		MUST(super->active[i - 1] < super->active[i]);
}

/* Sets the checksum right as the format has it, so that the rest is reached as well. */
static void mend(uint8_t *buf)
{
	uint32_t roles = (uint32_t)buf[220] | (uint32_t)buf[221] << 8 |
			 (uint32_t)buf[222] << 16 | (uint32_t)buf[223] << 24;
	size_t n = 256 + (size_t)roles * 2, i;
	uint64_t sum = 0;

	if (roles > 1920)
		return;
	memset(buf + 216, 0, 4);
	for (i = 0; i + 4 <= n; i += 4)
		sum += (uint32_t)buf[i] | (uint32_t)buf[i + 1] << 8 |
		       (uint32_t)buf[i + 2] << 16 | (uint32_t)buf[i + 3] << 24;
	if (i < n)
		sum += (uint32_t)buf[i] | (uint32_t)buf[i + 1] << 8;
	sum = (sum & 0xffffffff) + (sum >> 32);
	for (int b = 0; b < 4; b++)
		buf[216 + b] = (uint8_t)(sum >> (8 * b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *buf = calloc(1, MDC_SUPER_BYTES), *exact = malloc(size ? size : 1);
	struct mdc_super super;

	MUST(buf && exact);
	memcpy(exact, data, size);
	if (mdc_super_parse(&super, exact, size) == 0)
		promises(&super);
	memcpy(buf, data, size < MDC_SUPER_BYTES ? size : MDC_SUPER_BYTES);
	mend(buf);
	if (mdc_super_parse(&super, buf, MDC_SUPER_BYTES) == 0)
		promises(&super);
	free(exact);
	free(buf);
	return 0;
}
