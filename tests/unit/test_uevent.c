/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/uevent: what the kernel sends, and what it would never send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/uevent.h"

#define MSG(text) text, sizeof(text)
#define ADD "change@/devices/virtual/block/md127\0ACTION=change\0" \
	    "DEVPATH=/devices/virtual/block/md127\0SUBSYSTEM=block\0EVENT=ADD_DEVICE\0" \
	    "DEVICE_UUID=6c8ecfdd-8a4f-02ee-5e3e-9cb1f2a3d4e5\0RAID_DISK=2\0MAJOR=9\0" \
	    "MINOR=127\0DEVNAME=md127\0DEVTYPE=disk\0SEQNUM=1234"

struct row {
	const char *buf;
	size_t len;
	int ret;
	bool add;
	const char *kname;
};

static const struct row rows[] = {
	{ MSG(ADD), 0, true, "md127" },
	{ MSG("add@/devices/x/block/vdd\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=disk"), 0, false,
	  "vdd" },
	{ MSG("add@/devices/x/block/cciss!c0d0\0SUBSYSTEM=block"), 0, false, "cciss!c0d0" },
	/* another subsystem may use the same keys as it likes */
	{ MSG("add@/devices/x/y\0SUBSYSTEM=net\0RAID_DISK=no"), 0, false, "y" },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0EVENT=ADD_DEVICE\0RAID_DISK=2"), 0, false,
	  "md0" },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0RAID_DISK=02"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0RAID_DISK=-1"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0RAID_DISK=65280"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0RAID_DISK=99999999999"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0RAID_DISK=1\0RAID_DISK=2"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0DEVICE_UUID=xyz"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0DEVICE_UUID="), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0ACTION=add"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0nonsense"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0=x"), -EINVAL, false, NULL },
	{ MSG("change@/block/md0\0SUBSYSTEM=block\0EVENT=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	  -EMSGSIZE, false, NULL },
	{ MSG("libudev\0\376\355\312\376"), -EINVAL, false, NULL },
	{ MSG("@/block/md0\0SUBSYSTEM=block"), -EINVAL, false, NULL },
	{ MSG("change@md0\0SUBSYSTEM=block"), -EINVAL, false, NULL },
	{ MSG("change@/block/\0SUBSYSTEM=block"), -EINVAL, false, NULL },
	{ MSG("averyveryverylongaction@/block/md0\0SUBSYSTEM=block"), -EMSGSIZE, false, NULL },
	{ "add@/x", 6, -EINVAL, false, NULL },
	{ "", 0, -EINVAL, false, NULL },
	{ "\0", 1, -EINVAL, false, NULL },
};

static void test_rows(void **state)
{
	struct mdc_uevent event;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = mdc_uevent_parse(&event, rows[i].buf, rows[i].len);

		if (ret != rows[i].ret)
			fail_msg("row %zu: %d, not %d", i, ret, rows[i].ret);
		if (ret)
			continue;
		assert_string_equal(event.kname, rows[i].kname);
		assert_int_equal(mdc_uevent_is_add(&event), rows[i].add);
	}
}

static void test_add(void **state)
{
	char uuid[MDC_UUID_COLON];
	struct mdc_uevent event;

	(void)state;
	assert_int_equal(mdc_uevent_parse(&event, MSG(ADD)), 0);
	mdc_uuid_colon(&event.device_uuid, uuid);
	assert_string_equal(uuid, "6c8ecfdd:8a4f02ee:5e3e9cb1:f2a3d4e5");
	assert_int_equal(event.raid_disk, 2);
	assert_string_equal(event.devtype, "disk");
}

/* Cut at each length, in a buffer of just that size: for the sanitizer. */
static void test_cut(void **state)
{
	struct mdc_uevent event;
	size_t len;

	(void)state;
	for (len = 1; len < sizeof(ADD); len++) {
		char *buf = malloc(len);

		assert_non_null(buf);
		memcpy(buf, ADD, len);
		mdc_uevent_parse(&event, buf, len);
		buf[len - 1] = '\0';
		mdc_uevent_parse(&event, buf, len);
		free(buf);
	}
}

static void test_paths(void **state)
{
	struct mdc_uevent event;

	(void)state;
	assert_int_equal(mdc_uevent_parse(&event, MSG("change@/block/dm-0\0SUBSYSTEM=block\0"
						      "DM_ACTION=PATH_FAILED\0DM_NR_VALID_PATHS=0")), 0);
	assert_true(mdc_uevent_no_path(&event));
	assert_int_equal(mdc_uevent_parse(&event, MSG("change@/block/dm-0\0SUBSYSTEM=block\0"
						      "DM_ACTION=PATH_FAILED\0DM_NR_VALID_PATHS=1")), 0);
	assert_false(mdc_uevent_no_path(&event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_add),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
