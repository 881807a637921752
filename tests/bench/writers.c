// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small random writes: each thread writes 4 KiB at a random place of DEVICE, directly, one after
 * the other, for as long as it is told to, resting between them if told so; then one line of
 * figures is printed. Runs in a guest, linked statically, so that it needs nothing there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define WRITES_MAX (1 << 20)	/* of all threads; more are written, but not kept */

static int fd;
static uint64_t blocks;
static useconds_t pause_us;	/* after each write */
static volatile sig_atomic_t ending;

/* Each thread's own. */
struct writer {
	pthread_t thread;
	uint64_t seed;
	uint32_t *us;		/* what each write took */
	size_t count, room;
	int error;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64: good enough to spread writes. */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void *write_blocks(void *arg)
{
	struct writer *w = arg;
	void *block;

	if (posix_memalign(&block, BLOCK, BLOCK)) {
		w->error = ENOMEM;
		return NULL;
	}
	while (!ending) {
		uint64_t at = next_random(&w->seed) % blocks * BLOCK;
		uint64_t begin;

		memset(block, (int)(at >> 12), BLOCK);
		begin = now_us();
		if (pwrite(fd, block, BLOCK, (off_t)at) != BLOCK) {
			w->error = errno ? errno : EIO;
			break;
		}
		if (w->count < w->room)
			w->us[w->count++] = (uint32_t)(now_us() - begin);
		if (pause_us)
			usleep(pause_us);
	}
	free(block);
	return NULL;
}

static void end(int signal)
{
	(void)signal;
	ending = 1;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void print(struct writer *writers, int threads, uint64_t us)
{
	uint32_t *all;
	size_t count = 0, total = 0;
	int i;

	for (i = 0; i < threads; i++)
		total += writers[i].count;
	all = calloc(total + 1, sizeof(*all));
	if (!all) {
		fprintf(stderr, "writers: no memory for %zu writes\n", total);
		exit(1);
	}
	for (i = 0; i < threads; i++) {
		memcpy(all + count, writers[i].us, writers[i].count * sizeof(*all));
		count += writers[i].count;
	}
	qsort(all, count, sizeof(*all), compare);
	printf("{\"seconds\": %.3f, \"writes\": %zu, \"us\": {\"p50\": %u, \"p90\": %u, \"p99\": %u, \"p999\": %u, \"max\": %u}}\n",
	       us / 1e6, count, all[count / 2], all[count * 90 / 100], all[count * 99 / 100],
	       all[count * 999 / 1000], all[count ? count - 1 : 0]);
	free(all);
}

int main(int argc, char **argv)
{
	struct writer *writers;
	int threads, seconds, pause_ms = 0, i;
	uint64_t begin;
	off_t size;

	if (argc < 4 || argc > 5 || (threads = atoi(argv[2])) < 1 || threads > 64 ||
	    (seconds = atoi(argv[3])) < 1 ||
	    (argc == 5 && ((pause_ms = atoi(argv[4])) < 1 || pause_ms > 999))) {
		fprintf(stderr, "usage: writers DEVICE THREADS SECONDS [PAUSE_MS] (SIGTERM ends it earlier)\n");
		return 2;
	}
	pause_us = (useconds_t)pause_ms * 1000;
	fd = open(argv[1], O_WRONLY | O_DIRECT);
	size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < BLOCK) {
		fprintf(stderr, "writers: %s: %s\n", argv[1],
			size < 0 ? strerror(errno) : "too small");
		return 1;
	}
	blocks = (uint64_t)size / BLOCK;
	writers = calloc((size_t)threads, sizeof(*writers));
	if (!writers)
		return 1;
	signal(SIGTERM, end);
	signal(SIGALRM, end);
	alarm((unsigned int)seconds);
	begin = now_us();
	for (i = 0; i < threads; i++) {
		struct writer *w = &writers[i];

		w->seed = 88172645463325252u + 7919u * (uint64_t)i + begin;
		w->room = WRITES_MAX / (size_t)threads;
		w->us = calloc(w->room, sizeof(*w->us));
		if (!w->us || pthread_create(&w->thread, NULL, write_blocks, w)) {
			fprintf(stderr, "writers: thread %d does not start\n", i);
			return 1;
		}
	}
	for (i = 0; i < threads; i++) {
		pthread_join(writers[i].thread, NULL);
		if (writers[i].error) {
			fprintf(stderr, "writers: %s: %s\n", argv[1],
				strerror(writers[i].error));
			return 1;
		}
	}
	print(writers, threads, now_us() - begin);
	return 0;
}
