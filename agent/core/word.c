/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the text of a word: "1 NAME VALUE" or "1 NAME gone". Other nodes write it, perhaps with
 * another version of this program, so what is not exactly of the form is not taken.
 */
#include "core/word.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/addtext.h"
#include "core/track.h"

#define VERSION "1"
#define GONE "gone"
#define PREFIX "mdcluster-"
#define SUFFIX "-add"

/* Is it what mdc_attr_name() makes of a primitive's id? */
static bool good_name(const char *name)
{
	size_t len = strlen(name), around = strlen(PREFIX) + strlen(SUFFIX);
	char id[MDC_ATTR_NAME_MAX];

	if (len >= MDC_ATTR_NAME_MAX || len <= around || strncmp(name, PREFIX, strlen(PREFIX)) ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX))
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(len - around), name + strlen(PREFIX));
	return mdc_id_valid(id);
}

static bool good_value(const char *value)
{
	struct mdc_addtext text;
	const char *c;

	/* It is to stand in a view of the CIB. */
	for (c = value; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return !mdc_addtext_parse(&text, value);
}

int mdc_word_parse(struct mdc_word *word, const char *text, size_t len)
{
	char copy[MDC_WORD_MAX];
	char *name, *value;

	memset(word, 0, sizeof(*word));
	if (!len || len >= sizeof(copy) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	name = strchr(copy, ' ');
	if (!name)
		return -EINVAL;
	*name++ = '\0';
	if (strcmp(copy, VERSION))
		return strspn(copy, "0123456789") && !copy[strspn(copy, "0123456789")] ?
		       -EPROTONOSUPPORT : -EINVAL;
	value = strchr(name, ' ');
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!good_name(name) || (strcmp(value, GONE) && !good_value(value)))
		return -EINVAL;
	strcpy(word->name, name);
	if (strcmp(value, GONE))
		strcpy(word->value, value);
	return 0;
}

int mdc_word_format(char out[MDC_WORD_MAX], const char *name, const char *value)
{
	if (!good_name(name))
		return -EINVAL;
	return snprintf(out, MDC_WORD_MAX, "%s %s %s", VERSION, name,
			value && good_value(value) ? value : GONE);
}
