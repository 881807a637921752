/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written on a disk is taken back, byte for byte, over a file that stands for it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <linux/raid/md_p.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_medium.h"

#define SIZE (2u * 1024 * 1024 + 3 * 4096)

struct bed {
	struct mdc_medium m;
	char dir[64], disk[96], keep[96];
	uint8_t *content, *now;
};

static void fill(struct bed *b, size_t at, size_t len, int byte)
{
	memset(b->content + at, byte, len);
	assert_int_equal(pwrite(b->m.fd, b->content + at, len, (off_t)at), len);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	size_t i;

	*state = b;
	if (!b)
		return -1;
	strcpy(b->dir, "/tmp/medium-XXXXXX");
	if (!mkdtemp(b->dir) || mdc_medium_init(&b->m, b->keep))
		return -1;
	snprintf(b->disk, sizeof(b->disk), "%s/disk", b->dir);
	snprintf(b->keep, sizeof(b->keep), "%s/keep", b->dir);
	b->content = malloc(SIZE);
	b->now = malloc(SIZE);
	b->m.fd = open(b->disk, O_RDWR | O_CREAT, 0600);
	if (!b->content || !b->now || b->m.fd < 0)
		return -1;
	for (i = 0; i < SIZE; i++)
		b->content[i] = (uint8_t)(i % 251 + 1);
	return write(b->m.fd, b->content, SIZE) == SIZE ? 0 : -1;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	close(b->m.fd);
	unlink(b->disk);
	unlink(b->keep);
	rmdir(b->dir);
	mdc_medium_free(&b->m);
	free(b->content);
	free(b->now);
	free(b);
	return 0;
}

static const uint8_t *now(struct bed *b)
{
	assert_int_equal(pread(b->m.fd, b->now, SIZE, 0), SIZE);
	return b->now;
}

static void as_found(struct bed *b)
{
	assert_memory_equal(now(b), b->content, SIZE);
	assert_int_equal(access(b->keep, F_OK), -1);
}

static struct mdc_nonce some(void)
{
	struct mdc_nonce nonce = { .time_s = 7, .node = "n1" };

	mdc_uuid_parse(&nonce.nonce, SOME_UUID);
	return nonce;
}

static void test_mark(void **state)
{
	struct mdc_nonce nonce = some(), other, there;
	struct bed *b = *state;
	uint8_t kept[MDC_NONCE_BYTES];
	FILE *f;

	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), 0);
	assert_true(b->m.marked);
	assert_false(nonce.blank);
	assert_int_equal(mdc_nonce_parse(&there, now(b) + 4096), 0);
	assert_memory_equal(&there, &nonce, sizeof(nonce));
	assert_memory_equal(b->now, b->content, 4096);
	assert_memory_equal(b->now + 8192, b->content + 8192, SIZE - 8192);
	/* Should this process be killed. */
	f = fopen(b->keep, "r");
	assert_non_null(f);
	assert_int_equal(fread(kept, 1, sizeof(kept), f), sizeof(kept));
	fclose(f);
	assert_memory_equal(kept, b->content + 4096, sizeof(kept));
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	assert_false(b->m.marked);
	as_found(b);
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	as_found(b);
}

/* No place for what stood there: nothing is written. */
static void test_mark_not_kept(void **state)
{
	struct mdc_nonce nonce = some(), other;
	struct bed *b = *state;

	/* Another add was cut off, and this may be all that is left of what stood there. */
	assert_int_equal(close(open(b->keep, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -EALREADY);
	assert_false(b->m.marked);
	assert_int_equal(unlink(b->keep), 0);
	b->m.keep = "/nonexistent/keep";
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -ENOENT);
	assert_false(b->m.marked);
	as_found(b);
	assert_int_equal(ftruncate(b->m.fd, 4096), 0);
	b->m.keep = b->keep;
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -ENODATA);
}

static void test_left_over(void **state)
{
	struct mdc_nonce nonce = some(), other;
	struct bed *b = *state;

	fill(b, 4096, 4096, 0);
	nonce.blank = true;
	mdc_nonce_format(&nonce, b->content + 4096);
	assert_int_equal(pwrite(b->m.fd, b->content + 4096, 4096, 4096), 4096);
	nonce.nonce.b[0] ^= 1;
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), 0);
	assert_int_equal(other.time_s, 7);
	assert_true(nonce.blank);
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	memset(b->content + 4096, 0, 4096);
	as_found(b);
	nonce.blank = false;
	mdc_nonce_format(&nonce, b->content + 4096);
	assert_int_equal(pwrite(b->m.fd, b->content + 4096, 4096, 4096), 4096);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -EEXIST);
	assert_string_equal(other.node, "n1");
	assert_false(b->m.marked);
	as_found(b);
}

/* An empty array's superblock 1.2, as of the node that was quicker. */
static void superblock(uint8_t *block, const struct mdc_uuid *array)
{
	const struct mdp_superblock_1 super = {
		.magic = MD_SB_MAGIC, .major_version = 1, .super_offset = MDC_SUPER_SECTOR,
		.data_offset = 2048, .data_size = 2048, .size = 2048, .raid_disks = 2, .level = 1,
	};
	uint64_t sum = 0;
	uint32_t word;
	size_t i;

	memset(block, 0, 4096);
	memcpy(block, &super, sizeof(super));
	memcpy(block + offsetof(struct mdp_superblock_1, set_uuid), array->b, 16);
	for (i = 0; i < 256; i += 4) {
		memcpy(&word, block + i, 4);
		sum += word;
	}
	word = (uint32_t)(sum & 0xffffffff) + (uint32_t)(sum >> 32);
	memcpy(block + offsetof(struct mdp_superblock_1, sb_csum), &word, 4);
}

/* Between the check and the mark: another array's superblock is not covered up. */
static void test_taken_meanwhile(void **state)
{
	struct mdc_nonce nonce = some(), other;
	struct mdc_uuid ours = { { 1 } }, theirs = { { 2 } };
	struct bed *b = *state;

	superblock(b->content + 4096, &theirs);
	assert_int_equal(pwrite(b->m.fd, b->content + 4096, 4096, 4096), 4096);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -ESTALE);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, &ours, &other), -ESTALE);
	assert_false(b->m.marked);
	as_found(b);
	/* The array's own, where it was one of its members before, comes back afterwards. */
	superblock(b->content + 4096, &ours);
	assert_int_equal(pwrite(b->m.fd, b->content + 4096, 4096, 4096), 4096);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), -ESTALE);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, &ours, &other), 0);
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	as_found(b);
	/* A damaged one is nobody's. */
	fill(b, 4096 + 16, 1, 0x77);
	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), 0);
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	as_found(b);
}

/* Whoever has written there meanwhile is not written over; back to what it was is fine. */
static void test_stale(void **state)
{
	struct mdc_nonce nonce = some(), other;
	struct bed *b = *state;

	assert_int_equal(mdc_medium_mark(&b->m, &nonce, NULL, &other), 0);
	assert_int_equal(pwrite(b->m.fd, "new owner", 9, 4096), 9);
	assert_int_equal(mdc_medium_unmark(&b->m), -ESTALE);
	assert_memory_equal(now(b) + 4096, "new owner", 9);
	assert_int_equal(pwrite(b->m.fd, b->content + 4096, 4096, 4096), 4096);
	assert_int_equal(mdc_medium_unmark(&b->m), 0);
	as_found(b);
}

static void test_put_back(void **state)
{
	struct bed *b = *state;
	uint8_t other[8192];
	struct stat st;
	bool kept;

	memset(other, 0xff, sizeof(other));
	/* Not of whole blocks: the last one is saved whole. */
	assert_int_equal(mdc_medium_save(&b->m, SIZE - 4095), 0);
	assert_int_equal(b->m.head_len, SIZE);
	assert_int_equal(mdc_medium_save(&b->m, SIZE - 4096), 0);
	assert_int_equal(mdc_medium_put_back(&b->m, &kept), 0);
	as_found(b);
	assert_int_equal(pwrite(b->m.fd, other, 1, 0), 1);
	assert_int_equal(pwrite(b->m.fd, other, sizeof(other), 4096), sizeof(other));
	assert_int_equal(pwrite(b->m.fd, other, 1, SIZE - 4097), 1);
	/* Behind what was saved it is not ours. */
	fill(b, SIZE - 1, 1, 0x77);
	assert_int_equal(mdc_medium_put_back(&b->m, &kept), 0);
	assert_false(kept);
	as_found(b);
	/* It cannot be written: what was saved goes into the file. */
	assert_int_equal(pwrite(b->m.fd, other, 1, 0), 1);
	close(b->m.fd);
	b->m.fd = open(b->disk, O_RDONLY);
	assert_int_equal(mdc_medium_put_back(&b->m, &kept), -EBADF);
	assert_true(kept);
	assert_int_equal(stat(b->keep, &st), 0);
	assert_int_equal(st.st_size, SIZE - 4096);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mdc_medium_save(&b->m, MDC_MEDIUM_HEAD_MAX + 1ull), -EFBIG);
	assert_int_equal(mdc_medium_save(&b->m, SIZE + 1), -ENODATA);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_mark), TEST(test_mark_not_kept), TEST(test_left_over), TEST(test_stale),
		TEST(test_put_back), TEST(test_taken_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
