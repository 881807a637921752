/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/nonce: the block on the medium, whole or not at all. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/nonce.h"

static void make(struct mdc_nonce *nonce, uint8_t *block)
{
	memset(nonce, 0, sizeof(*nonce));
	mdc_uuid_parse(&nonce->nonce, SOME_UUID);
	nonce->time_s = 0x123456789aull;
	nonce->blank = true;
	strcpy(nonce->node, "n1");
	mdc_nonce_format(nonce, block);
}

static void test_again(void **state)
{
	uint8_t block[MDC_NONCE_BYTES];
	struct mdc_nonce nonce, again;

	(void)state;
	make(&nonce, block);
	assert_int_equal(mdc_nonce_parse(&again, block), 0);
	assert_memory_equal(&again, &nonce, sizeof(nonce));
	memset(nonce.node, 'n', sizeof(nonce.node) - 1);
	nonce.blank = false;
	mdc_nonce_format(&nonce, block);
	assert_int_equal(mdc_nonce_parse(&again, block), 0);
	assert_memory_equal(&again, &nonce, sizeof(nonce));
}

/* Any bit of it, except within the name of what it is: then it is something else. */
static void test_damaged(void **state)
{
	uint8_t block[MDC_NONCE_BYTES];
	struct mdc_nonce nonce, again;

	(void)state;
	make(&nonce, block);
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 0x10;
		assert_int_equal(mdc_nonce_parse(&again, block), i < 16 ? -ENOENT : -EBADMSG);
		block[i] ^= 0x10;
	}
	memset(block, 0, sizeof(block));
	assert_int_equal(mdc_nonce_parse(&again, block), -ENOENT);
}

/* An md superblock's reader takes it for none. */
static void test_no_super(void **state)
{
	uint8_t block[MDC_NONCE_BYTES];
	struct mdc_super super;
	struct mdc_nonce nonce;

	(void)state;
	make(&nonce, block);
	assert_int_equal(mdc_super_parse(&super, block, sizeof(block)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_super),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
