/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs another program: no shell, bounded in time, what it prints is kept. libc only. */
#ifndef MDC_RUN_H
#define MDC_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct mdc_run {
	/* Set by the caller. */
	const char *const *argv;	/* argv[0] is a path; ends with NULL */
	const char *const *env;		/* NAME=value to add, or NULL; ends with NULL */
	int timeout_ms;
	const volatile sig_atomic_t *stop;	/* or NULL; non-zero ends the program early */
	char *out, *err;		/* what it printed; each or both may be NULL */
	size_t out_size, err_size;
	/* Results. */
	int exit_code;			/* -1: it did not end by itself */
	int signal;			/* that ended it, else 0 */
	bool truncated;			/* out was too small; the rest was read and dropped */
	bool left_behind;		/* it did not even end when killed (stuck in the kernel) */
};

/*
 * 0 when the program has ended (see exit_code and signal); -ETIMEDOUT or -EINTR when it
 * was killed for time or *stop; -errno when it could not be started (-ENOENT: no such
 * program). out keeps the beginning, err the end of what was printed, both with NUL.
 */
int mdc_run(struct mdc_run *run);

/* The last line in text that is not empty, in place: text is cut. */
char *mdc_last_line(char *text);

/* CLOCK_MONOTONIC in ms. */
long long mdc_now_ms(void);

#endif
