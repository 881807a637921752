/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/params.c: one variable at a time is changed from a good environment. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/params.h"

struct env {
	const char *name, *value;	/* what differs; value NULL: not set */
};

static const char *get(const char *name, void *data)
{
	static const struct env good[] = {
		{ "OCF_RESKEY_uuid", SOME_UUID },
		{ "OCF_RESKEY_device", "/dev/md/shared" },
		{ "OCF_RESOURCE_INSTANCE", "raid:0" },
		{ "OCF_RESKEY_CRM_meta_timeout", "20000" },
		{ "OCF_RESKEY_trace_ra", "0" },
	};
	const struct env *env = data;

	if (env && !strcmp(env->name, name))
		return env->value;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!strcmp(good[i].name, name))
			return good[i].value;
	return NULL;
}

static void test_defaults(void **state)
{
	struct mdc_params p;

	(void)state;
	assert_int_equal(mdc_params_read(&p, get, NULL), 0);
	assert_string_equal(p.uuid_text, SOME_UUID);
	assert_string_equal(p.device, "/dev/md/shared");
	assert_string_equal(p.id, "raid");
	assert_string_equal(p.members, "");
	assert_int_equal(p.disk_wait_s, 10);
	assert_int_equal(p.verdict_wait_s, 2);
	assert_true(p.readd);
}

static void test_bad(void **state)
{
	static const struct {
		struct env env;
		unsigned int bad;
		const char *says;
	} table[] = {
		{ { "OCF_RESKEY_uuid", NULL }, MDC_BAD_UUID, "uuid is missing" },
		{ { "OCF_RESKEY_uuid", "" }, MDC_BAD_UUID, "uuid is missing" },
		{ { "OCF_RESKEY_uuid", "nonsense" }, MDC_BAD_UUID, "uuid is \"nonsense\"" },
		{ { "OCF_RESKEY_uuid", SOME_UUID " " }, MDC_BAD_UUID, "uuid is" },
		{ { "OCF_RESKEY_uuid", "\xff\xfe" }, MDC_BAD_UUID, "uuid is \"??\"" },
		{ { "OCF_RESKEY_uuid", "00000000:00000000:00000000:00000000" }, MDC_BAD_UUID, "uuid" },
		{ { "OCF_RESKEY_device", NULL }, MDC_BAD_DEVICE, "device is missing" },
		{ { "OCF_RESKEY_device", "/dev/sda" }, MDC_BAD_DEVICE, "device is \"/dev/sda\"" },
		{ { "OCF_RESKEY_device", "/dev/md/../sda" }, MDC_BAD_DEVICE, "device is" },
		{ { "OCF_RESKEY_device", "shared" }, MDC_BAD_DEVICE, "device is" },
		{ { "OCF_RESKEY_device", "/dev/md/a\nb" }, MDC_BAD_DEVICE, "/dev/md/a?b" },
		{ { "OCF_RESKEY_members", "sda" }, MDC_BAD_OTHER, "members is \"sda\"" },
		{ { "OCF_RESKEY_members", "/dev/sda sdb" }, MDC_BAD_OTHER, "members" },
		{ { "OCF_RESKEY_members", "/dev/\xff" }, MDC_BAD_OTHER, "UTF-8" },
		{ { "OCF_RESKEY_members", "/dev/\x7f" }, MDC_BAD_OTHER, "members" },
		{ { "OCF_RESKEY_disk_wait", "x" }, MDC_BAD_OTHER, "disk_wait is \"x\"" },
		{ { "OCF_RESKEY_disk_wait", "-1" }, MDC_BAD_OTHER, "from 0 to 3600" },
		{ { "OCF_RESKEY_disk_wait", "3601" }, MDC_BAD_OTHER, "disk_wait" },
		{ { "OCF_RESKEY_disk_wait", "10s" }, MDC_BAD_OTHER, "disk_wait" },
		{ { "OCF_RESKEY_disk_wait", "1.5" }, MDC_BAD_OTHER, "disk_wait" },
		{ { "OCF_RESKEY_disk_wait", "99999999999999999999" }, MDC_BAD_OTHER, "disk_wait" },
		{ { "OCF_RESKEY_verdict_wait", "0" }, MDC_BAD_OTHER, "from 1 to 30" },
		{ { "OCF_RESKEY_verdict_wait", "31" }, MDC_BAD_OTHER, "verdict_wait" },
		{ { "OCF_RESKEY_readd", "maybe" }, MDC_BAD_OTHER, "readd is \"maybe\"" },
		{ { "OCF_RESKEY_readd", "2" }, MDC_BAD_OTHER, "readd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct env env = table[i].env;
		struct mdc_params p;

		assert_int_equal(mdc_params_read(&p, get, &env), -EINVAL);
		assert_int_equal(p.bad, table[i].bad);
		if (!strstr(p.reason, table[i].says))
			fail_msg("row %zu says \"%s\"", i, p.reason);
		if (strpbrk(p.reason, "\n\xff"))
			fail_msg("row %zu is not fit to print", i);
	}
}

static void test_over_long(void **state)
{
	static const char *const names[] = {
		"OCF_RESKEY_uuid", "OCF_RESKEY_device", "OCF_RESKEY_members",
		"OCF_RESKEY_disk_wait", "OCF_RESKEY_verdict_wait", "OCF_RESKEY_readd",
	};
	static char value[100000];

	(void)state;
	memset(value, '/', sizeof(value) - 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct env env = { names[i], value };
		struct mdc_params p;

		assert_int_equal(mdc_params_read(&p, get, &env), -EINVAL);
		assert_true(strlen(p.reason) < 300);
	}
}

static void test_good(void **state)
{
	static const struct {
		struct env env;
		const char *members;
		int readd, disk_wait;
	} table[] = {
		{ { "OCF_RESKEY_members", "" }, "", 1, 10 },
		{ { "OCF_RESKEY_members", "  /dev/sd?\t/dev/x*\n/dev/sd? " }, "/dev/sd? /dev/x*", 1, 10 },
		{ { "OCF_RESKEY_readd", "" }, "", 1, 10 },
		{ { "OCF_RESKEY_readd", "YES" }, "", 1, 10 },
		{ { "OCF_RESKEY_readd", "On" }, "", 1, 10 },
		{ { "OCF_RESKEY_readd", "1" }, "", 1, 10 },
		{ { "OCF_RESKEY_readd", "false" }, "", 0, 10 },
		{ { "OCF_RESKEY_readd", "No" }, "", 0, 10 },
		{ { "OCF_RESKEY_readd", "0" }, "", 0, 10 },
		{ { "OCF_RESKEY_disk_wait", "0" }, "", 1, 0 },
		{ { "OCF_RESKEY_disk_wait", "3600" }, "", 1, 3600 },
		{ { "OCF_RESKEY_uuid", SOME_UUID_DASH }, "", 1, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct env env = table[i].env;
		struct mdc_params p;

		assert_int_equal(mdc_params_read(&p, get, &env), 0);
		assert_string_equal(p.members, table[i].members);
		assert_int_equal(p.readd, table[i].readd);
		assert_int_equal(p.disk_wait_s, table[i].disk_wait);
		assert_string_equal(p.uuid_text, SOME_UUID);
	}
}

static void test_id(void **state)
{
	static const struct {
		const char *instance, *id;
	} table[] = {
		{ NULL, "mdcluster" }, { "", "mdcluster" }, { ":0", "mdcluster" }, { "raid", "raid" },
		{ "raid:12", "raid" }, { "r a", "r_a" }, { "1r", "_r" }, { "r\xc3\xa9", "r__" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct env env = { "OCF_RESOURCE_INSTANCE", table[i].instance };
		struct mdc_params p;

		assert_int_equal(mdc_params_read(&p, get, &env), 0);
		assert_string_equal(p.id, table[i].id);
		assert_true(mdc_id_valid(p.id));
	}
}

static void test_stop_needs_only_uuid(void **state)
{
	struct env env = { "OCF_RESKEY_device", "bad" };
	struct mdc_params p;

	(void)state;
	assert_int_equal(mdc_params_read(&p, get, &env), -EINVAL);
	assert_string_equal(p.uuid_text, SOME_UUID);
	assert_string_equal(p.device, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_over_long), cmocka_unit_test(test_good),
		cmocka_unit_test(test_id), cmocka_unit_test(test_stop_needs_only_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
