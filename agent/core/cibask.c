/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the requests' text and the order in which they are carried out. */
#include "core/cibask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 5

/* Cuts a line at its single spaces, in place. Returns the number of words, or 0. */
static unsigned int cut(char *line, char *word[WORDS_MAX])
{
	unsigned int n = 0;

	for (;;) {
		char *space = strchr(line, ' ');

		if (n == WORDS_MAX || !*line || space == line)
			return 0;
		word[n++] = line;
		if (!space)
			return n;
		*space = '\0';
		line = space + 1;
	}
}

static bool good_name(const char *name)
{
	return mdc_cib_word(name, MDC_CIB_ATTR_MAX) && !strncmp(name, "mdcluster-", 10);
}

int mdc_cibask_parse(struct mdc_cibask *ask, const char *line)
{
	char copy[MDC_CIB_LINE_MAX], *word[WORDS_MAX];
	unsigned int n;

	memset(ask, 0, sizeof(*ask));
	if (strnlen(line, sizeof(copy)) == sizeof(copy))
		return -EINVAL;
	strcpy(copy, line);
	n = cut(copy, word);
	if (n < 4)
		return -EINVAL;
	ask->set = !strcmp(word[0], "set");
	if (n != (ask->set ? 5 : 4) || (!ask->set && strcmp(word[0], "delete")) ||
	    mdc_cib_number(word[1], &ask->number) || mdc_cib_number(word[2], &ask->node) ||
	    !good_name(word[3]) || (ask->set && !mdc_cib_word(word[4], sizeof(ask->value))))
		return -EINVAL;
	strcpy(ask->name, word[3]);
	if (ask->set)
		strcpy(ask->value, word[4]);
	return 0;
}

int mdc_cibask_format(const struct mdc_cibask *ask, char out[MDC_CIB_LINE_MAX])
{
	int n;

	if (!ask->number || !ask->node || !good_name(ask->name) ||
	    (ask->set && !mdc_cib_word(ask->value, sizeof(ask->value))))
		return -EINVAL;
	n = snprintf(out, MDC_CIB_LINE_MAX, "%s %u %u %s%s%s\n", ask->set ? "set" : "delete",
		     ask->number, ask->node, ask->name, ask->set ? " " : "",
		     ask->set ? ask->value : "");
	return n > 0 && n < MDC_CIB_LINE_MAX ? n : -EINVAL;
}

static void drop(struct mdc_cibasks *asks, unsigned int i)
{
	asks->n--;
	memmove(&asks->ask[i], &asks->ask[i + 1], (asks->n - i) * sizeof(asks->ask[0]));
}

static int take(struct mdc_cibasks *asks)
{
	struct mdc_cibask ask;
	unsigned int i;

	if (mdc_cibask_parse(&ask, asks->line))
		return -EINVAL;
	for (i = 0; i < asks->n; i++)
		if (asks->ask[i].node == ask.node && !strcmp(asks->ask[i].name, ask.name))
			break;
	/* Behind the others, so that nothing overtakes what was asked for before it. */
	if (i < asks->n)
		drop(asks, i);
	if (asks->n == MDC_CIBASK_MAX)
		return -E2BIG;
	asks->ask[asks->n++] = ask;
	return 0;
}

int mdc_cibasks_feed(struct mdc_cibasks *asks, const char *data, size_t len)
{
	size_t i;
	int ret;

	for (i = 0; i < len; i++) {
		if (!data[i])
			return -EINVAL;
		if (data[i] != '\n') {
			if (asks->fill + 1 == sizeof(asks->line))
				return -EMSGSIZE;
			asks->line[asks->fill++] = data[i];
			continue;
		}
		asks->line[asks->fill] = '\0';
		asks->fill = 0;
		ret = take(asks);
		if (ret)
			return ret;
	}
	return 0;
}

bool mdc_cibasks_next(struct mdc_cibasks *asks, struct mdc_cibask *ask)
{
	if (!asks->n)
		return false;
	*ask = asks->ask[0];
	drop(asks, 0);
	return true;
}
