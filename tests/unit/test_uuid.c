/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/uuid.c: both forms, and everything that is neither. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/uuid.h"

static void test_good(void **state)
{
	static const char *const good[] = {
		SOME_UUID, SOME_UUID_DASH,
		"0A1B2C3D:4E5F6071:8293A4B5:C6D7E8F9",
		"0A1B2C3D-4e5f-6071-8293-A4B5C6D7E8F9",
	};
	struct mdc_uuid first, uuid;
	char colon[MDC_UUID_COLON], dash[MDC_UUID_DASH];

	(void)state;
	assert_int_equal(mdc_uuid_parse(&first, good[0]), 0);
	assert_int_equal(first.b[0], 0x0a);
	assert_int_equal(first.b[15], 0xf9);
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(mdc_uuid_parse(&uuid, good[i]), 0);
		assert_true(mdc_uuid_equal(&uuid, &first));
		mdc_uuid_colon(&uuid, colon);
		mdc_uuid_dash(&uuid, dash);
		assert_string_equal(colon, SOME_UUID);
		assert_string_equal(dash, SOME_UUID_DASH);
	}
	uuid.b[7] ^= 1;
	assert_false(mdc_uuid_equal(&uuid, &first));
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", ":", "-", "0", "x",
		"0a1b2c3d:4e5f6071:8293a4b5:c6d7e8f",	/* one digit short */
		"0a1b2c3d:4e5f6071:8293a4b5:c6d7e8f90",
		SOME_UUID " ", " " SOME_UUID, SOME_UUID "\n",
		"0a1b2c3d:4e5f6071:8293a4b5-c6d7e8f9",
		"0a1b2c3d-4e5f6071-8293a4b5-c6d7e8f9",
		"0a1b2c3d:4e5f:6071:8293:a4b5c6d7e8f9",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f9",
		"0a1b2c3g:4e5f6071:8293a4b5:c6d7e8f9",
		"0a1b2c3d:4e5f6071:8293a4b5:c6d7e8\xc3\xa9",
		"{0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9}",
		"0x1b2c3d:4e5f6071:8293a4b5:c6d7e8f9",
		"-a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9",
	};
	struct mdc_uuid uuid, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < COUNT(bad); i++) {
		uuid = before;
		assert_int_equal(mdc_uuid_parse(&uuid, bad[i]), -EINVAL);
		assert_true(mdc_uuid_equal(&uuid, &before));
	}
}

static void test_hex(void **state)
{
	static const char *const bad[] = {
		"", SOME_UUID, SOME_UUID_DASH, "0a1b2c3d4e5f60718293a4b5c6d7e8f",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f90", "0A1b2c3d4e5f60718293a4b5c6d7e8f9",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f ",
	};
	struct mdc_uuid uuid, first;
	char hex[MDC_UUID_HEX];

	(void)state;
	assert_int_equal(mdc_uuid_parse(&first, SOME_UUID), 0);
	mdc_uuid_hex(&first, hex);
	assert_string_equal(hex, "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
	assert_int_equal(mdc_uuid_hex_parse(&uuid, hex), 0);
	assert_true(mdc_uuid_equal(&uuid, &first));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(mdc_uuid_hex_parse(&uuid, bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
