/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's process over a file that stands for the disk: what it does with what it has saved
 * where the disk is in use when it comes to be put back.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_keeper.h"
#include "ctl_look.h"
#include "port/devnode.h"
#include "run.h"

#define DATA 65536		/* where a member's data begins */
#define SIZE (2 * DATA)

struct bed {
	struct mdc_keeper keeper;
	struct mdc_keeper_disk disk;
	char dir[64], busy[96], member[96];
	uint8_t content[SIZE];
};

static struct bed *bed;

/* The keeper waits for milliseconds where it means seconds. */
long long mdc_now_ms(void)
{
	static long long now;

	return now += 5000;
}

/* A file says to both processes whether the disk is in use. */
int mdc_devnode_open(const char *path, unsigned int major, unsigned int minor, int flags)
{
	int fd;

	(void)major;
	(void)minor;
	if ((flags & O_EXCL) && !access(bed->busy, F_OK))
		return -EBUSY;
	fd = open(path, flags & ~(O_EXCL | O_DIRECT));
	return fd < 0 ? -errno : fd;
}

bool mdc_blockdev_get(const char *sys, const char *kname, struct mdc_blockdev *dev)
{
	assert_string_equal(sys, "/sys");
	assert_string_equal(kname, bed->disk.dev.kname);
	*dev = bed->disk.dev;
	if (!access(bed->member, F_OK))
		strcpy(dev->holder, bed->disk.md);
	return true;
}

int mdc_look_member(const struct mdc_blockdev *dev, const struct mdc_uuid *array,
		    struct mdc_super *super)
{
	(void)dev;
	(void)array;
	*super = (struct mdc_super){ .data_sect = DATA / 512, .size_sect = DATA / 512 };
	return 0;
}

int mdc_look_signatures(int fd, const struct mdc_uuid *array, char *out, size_t size, bool *ours)
{
	(void)fd;
	(void)array;
	assert_true(size);
	out[0] = '\0';
	*ours = false;
	return 0;
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* The first LEN bytes of the file are those of the disk as it was. */
static bool holds(const char *path, size_t len)
{
	static uint8_t now[SIZE];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, now, len);

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)len && !memcmp(now, bed->content, len);
}

static struct mdc_keeper_word ask(enum mdc_keeper_do what, int err)
{
	struct mdc_keeper_word word;

	assert_int_equal(mdc_keeper_ask(&bed->keeper, what, NULL, &word), 0);
	assert_int_equal(word.err, err);
	return word;
}

/* To where mdadm has the disk, and has written to it. */
static int setup(void **state)
{
	struct mdc_blockdev *dev;
	size_t i;
	int fd;

	(void)state;
	bed = calloc(1, sizeof(*bed));
	assert_non_null(bed);
	strcpy(bed->dir, "/tmp/keeper-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->busy, sizeof(bed->busy), "%s/busy", bed->dir);
	snprintf(bed->member, sizeof(bed->member), "%s/member", bed->dir);
	snprintf(bed->disk.keep, sizeof(bed->disk.keep), "%s/keep", bed->dir);
	dev = &bed->disk.dev;
	snprintf(dev->path, sizeof(dev->path), "%s/disk", bed->dir);
	strcpy(dev->kname, "sdb");
	strcpy(bed->disk.md, "md127");
	dev->sectors = SIZE / 512;
	bed->disk.n_members = 1;
	for (i = 0; i < SIZE; i++)
		bed->content[i] = (uint8_t)(i % 251 + 1);
	fd = open(dev->path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, bed->content, SIZE), SIZE);
	assert_int_equal(mdc_keeper_start(&bed->keeper, &bed->disk), 0);
	ask(MDC_KEEP_CHECK, 0);
	ask(MDC_KEEP_LET_GO, 0);
	assert_int_equal(pwrite(fd, "superblock", 10, 4096), 10);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mdc_keeper_end(&bed->keeper);
	unlink(bed->busy);
	unlink(bed->member);
	unlink(bed->disk.keep);
	unlink(bed->disk.dev.path);
	assert_int_equal(rmdir(bed->dir), 0);
	free(bed);
	return 0;
}

static void test_put_back(void **state)
{
	(void)state;
	ask(MDC_KEEP_PUT_BACK, 0);
	assert_true(holds(bed->disk.dev.path, SIZE));
	assert_int_equal(access(bed->disk.keep, F_OK), -1);
}

/* By whom is not known: the disk is theirs, but what stood there is not lost. */
static void test_in_use(void **state)
{
	struct mdc_keeper_word word;

	(void)state;
	touch(bed->busy);
	word = ask(MDC_KEEP_PUT_BACK, -EBUSY);
	assert_non_null(strstr(word.text, "is in use now"));
	assert_true(word.kept);
	assert_true(holds(bed->disk.keep, DATA));
	assert_false(holds(bed->disk.dev.path, SIZE));
}

static void test_in_use_alone(void **state)
{
	(void)state;
	touch(bed->busy);
	mdc_keeper_end(&bed->keeper);
	for (int i = 0; i < 500 && !holds(bed->disk.keep, DATA); i++)
		usleep(10000);
	assert_true(holds(bed->disk.keep, DATA));
}

static void test_added_all_the_same(void **state)
{
	struct mdc_keeper_word word;

	(void)state;
	touch(bed->busy);
	touch(bed->member);
	word = ask(MDC_KEEP_PUT_BACK, -EBUSY);
	assert_non_null(strstr(word.text, "is a member of the array now"));
	assert_false(word.kept);
	assert_int_equal(access(bed->disk.keep, F_OK), -1);
}

/* An mdadm that cannot be ended may be anywhere: nothing is written, then or at the end. */
static void test_left_alone(void **state)
{
	(void)state;
	assert_true(ask(MDC_KEEP_LEAVE, -EBUSY).kept);
	mdc_keeper_end(&bed->keeper);
	assert_true(holds(bed->disk.keep, DATA));
	assert_false(holds(bed->disk.dev.path, SIZE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_put_back), TEST(test_in_use), TEST(test_in_use_alone),
		TEST(test_added_all_the_same), TEST(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
