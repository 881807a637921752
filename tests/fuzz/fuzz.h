/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers share. A broken promise of a parser is an abort, like a crash. Parsers
 * that take strings get a copy of exactly their length, so that a read behind it is seen.
 */
#ifndef MDC_FUZZ_H
#define MDC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "broken promise: %s\n", #cond); \
			abort(); \
		} \
	} while (0)

/* Ends at the first NUL of the data, or with it. Free with free(). */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	size_t len = strnlen((const char *)data, size);
	char *text = malloc(len + 1);

	MUST(text);
	memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* NUL within the array: what a parser has filled is a string. */
#define MUST_END(array) MUST(memchr(array, '\0', sizeof(array)) != NULL)

#endif
