/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An array's files in sysfs with any content. The data is cut at NULs into the files of
 * the list, which are written to a directory of the fuzzer's own and read from there.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/state.h"
#include "port/mdsys.h"

static const char *const dirs[] = {
	"block", "block/md127", "block/md127/md", "block/md127/md/dev-vdb",
	"block/md127/md/dev-vdc",
};

static const char *const files[] = {
	"size", "md/array_state", "md/level", "md/raid_disks", "md/degraded", "md/sync_action",
	"md/sync_completed", "md/sync_speed", "md/uuid", "md/dev-vdb/state", "md/dev-vdb/slot",
	"md/dev-vdc/state", "md/dev-vdc/slot",
};

/* Made once; nothing of it is of use to anybody later, so it is left to /dev/shm or /tmp. */
static const char *sys_dir(void)
{
	static char dir[64];
	char path[256];

	if (dir[0])
		return dir;
	snprintf(dir, sizeof(dir), "%s/mdc-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		MUST(mkdir(path, 0700) == 0);
	}
	return dir;
}

static void write_file(const char *dir, const char *name, const uint8_t *data, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/block/md127/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_array *array = malloc(sizeof(*array));
	const char *dir = sys_dir();
	struct mdc_uuid uuid;
	size_t at = 0;

	MUST(array);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len = at < size ? strnlen((const char *)data + at, size - at) : 0;

		write_file(dir, files[i], data + at, len);
		at += at + len < size ? len + 1 : len;
	}
	if (mdc_mdsys_read(dir, "md127", array) == 0) {
		MUST(array->n_members <= 2);
		MUST(mdc_state_name(mdc_state_of(array)));
		mdc_array_running(array);
	}
	mdc_mdsys_uuid(dir, "md127", &uuid);
	free(array);
	return 0;
}
