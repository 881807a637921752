/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port/holder.c over a directory that stands for procfs. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/holder.h"

static char *proc;

static void put_process(const char *pid, const char *name, const char *open_file)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/fd", proc, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/fd/0", proc, pid);
	assert_int_equal(symlink("/dev/null", path), 0);
	snprintf(path, sizeof(path), "%s/%s/fd/5", proc, pid);
	if (open_file)
		assert_int_equal(symlink(open_file, path), 0);
	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", name);
	fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	static char name[] = "holder-XXXXXX";

	(void)state;
	strcpy(name, "holder-XXXXXX");
	proc = mkdtemp(name);
	return proc ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_finds_the_mdadm_that_has_it_open(void **state)
{
	(void)state;
	put_process("100", "mount", "/dev/md127");
	put_process("101", "mdadm", NULL);		/* --monitor */
	put_process("102", "mdadm", "/dev/md12");
	put_process("103", "mdadm", "/dev/md1270");
	put_process("104", "mdadm2", "/dev/md127");
	put_process("self", "mdadm", "/dev/md127");
	assert_int_equal(mdc_holder_mdadm(proc, "md127"), 0);
	put_process("105", "mdadm", "/dev/md127");
	assert_int_equal(mdc_holder_mdadm(proc, "md127"), 105);
	assert_int_equal(mdc_holder_mdadm(proc, "md12"), 102);
}

static void test_nothing_there(void **state)
{
	(void)state;
	assert_int_equal(mdc_holder_mdadm("/nonexistent", "md127"), 0);
	assert_int_equal(mdc_holder_mdadm(proc, "md127"), 0);
}

/* The descriptor is of the very process: its number in the directory is this one's. */
static void test_watches_the_process(void **state)
{
	char pid[16];
	int fd = -1;

	(void)state;
	assert_int_equal(mdc_holder_watch(proc, "md127", &fd), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	put_process(pid, "mdadm", "/dev/md127");
	assert_int_equal(mdc_holder_watch(proc, "md127", &fd), getpid());
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* It is looked for anew, and not for ever. */
static void test_does_not_watch_what_is_gone(void **state)
{
	int fd;

	(void)state;
	/* Beyond all that a kernel gives. */
	put_process("1073741824", "mdadm", "/dev/md127");
	assert_int_equal(mdc_holder_watch(proc, "md127", &fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_finds_the_mdadm_that_has_it_open, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watches_the_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_does_not_watch_what_is_gone, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
