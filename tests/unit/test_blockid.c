/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk's WWN or serial number as sysfs has it, over a made-up sysfs; and a device by its path. */
#include "unit.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "port/blockdev.h"
#include "port/probe.h"

static char *sys;

static void put(const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(sys, path, NULL);
	g_autofree char *dir = g_path_get_dirname(full);

	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void block(const char *kname, const char *device)
{
	g_autofree char *full = g_build_filename(sys, "class/block", kname, NULL);
	g_autofree char *dir = g_path_get_dirname(full);
	g_autofree char *target = g_strdup_printf("../../devices/%s", device);

	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	assert_int_equal(symlink(target, full), 0);
}

static int setup(void **state)
{
	(void)state;
	sys = g_dir_make_tmp("blockid-XXXXXX", NULL);
	if (!sys)
		return -1;
	put("devices/virtio/vdd/serial", "d4\n");
	put("devices/virtio/vdd/vdd2/partition", "2\n");
	block("vdd", "virtio/vdd");
	block("vdd2", "virtio/vdd/vdd2");
	put("devices/scsi/sda/device/wwid", "naa.60014051234567890abcdef012345678\n");
	block("sda", "scsi/sda");
	put("devices/nvme/nvme0n1/wwid", "eui.0123456789abcdef\n");
	put("devices/nvme/nvme0n1/device/serial", "of the controller\n");
	block("nvme0n1", "nvme/nvme0n1");
	put("devices/virtual/dm-1/dm/uuid", "mpath-360014051234567890abcdef012345678\n");
	put("devices/virtual/dm-1/slaves/sda/x", "");
	block("dm-1", "virtual/dm-1");
	put("devices/virtual/dm-2/dm/uuid", "LVM-abcdef\n");
	put("devices/virtual/dm-2/slaves/sda/x", "");
	block("dm-2", "virtual/dm-2");
	put("devices/virtual/dm-3/dm/uuid", "mpath-d4\n");
	put("devices/virtual/dm-3/slaves/vdd/x", "");
	block("dm-3", "virtual/dm-3");
	put("devices/virtual/loop0/size", "8\n");
	block("loop0", "virtual/loop0");
	put("devices/virtio/vde/serial", "\n");
	block("vde", "virtio/vde");
	return 0;
}

static int teardown(void **state)
{
	const char *argv[] = { "rm", "-rf", sys, NULL };

	(void)state;
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
	g_free(sys);
	return 0;
}

static void test_names(void **state)
{
	static const struct { const char *kname, *want; } rows[] = {
		{ "vdd", "d4" },
		{ "vdd2", "d4-part2" },
		{ "sda", "naa.60014051234567890abcdef012345678" },
		{ "nvme0n1", "eui.0123456789abcdef" },
		/* A node without multipath has the path alone. */
		{ "dm-1", "naa.60014051234567890abcdef012345678" },
		{ "dm-2", "LVM-abcdef" },
		{ "dm-3", "d4" },
		{ "loop0", "" },
		{ "vde", "" },
		{ "nonesuch", "" },
	};
	char id[MDC_DISKID_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mdc_blockdev_id(sys, rows[i].kname, id);
		assert_string_equal(id, rows[i].want);
	}
}

/* What may be asked for in the main loop: nothing that the disk itself is asked for. */
static void test_known_names(void **state)
{
	static const struct { const char *kname, *want; } rows[] = {
		{ "vdd", "" },
		{ "vdd2", "" },
		{ "sda", "naa.60014051234567890abcdef012345678" },
		{ "nvme0n1", "eui.0123456789abcdef" },
		{ "dm-1", "naa.60014051234567890abcdef012345678" },
		{ "dm-3", "" },
		{ "nonesuch", "" },
	};
	char id[MDC_DISKID_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mdc_blockdev_known_id(sys, rows[i].kname, id);
		assert_string_equal(id, rows[i].want);
	}
}

/* A disk that cannot be read has a name all the same. */
static void test_probe(void **state)
{
	struct mdc_probe_device dev = { .kname = "vdd", .path = "/nonexistent" };
	struct mdc_probe probe;

	(void)state;
	mdc_probe_device(sys, &dev, &probe);
	assert_true(probe.err < 0);
	assert_string_equal(probe.id, "");
	dev.also = MDC_PROBE_NAME;
	mdc_probe_device(sys, &dev, &probe);
	assert_true(probe.err < 0);
	assert_string_equal(probe.id, "d4");
}

static void test_paths(void **state)
{
	struct mdc_blockdev dev;

	(void)state;
	assert_int_equal(mdc_blockdev_by_path(sys, "/nonexistent", &dev), -ENOENT);
	assert_int_equal(mdc_blockdev_by_path(sys, "/dev/null", &dev), -ENOTBLK);
	assert_int_equal(mdc_blockdev_by_path(sys, sys, &dev), -ENOTBLK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_known_names),
		cmocka_unit_test(test_probe), cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
