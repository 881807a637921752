/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns these lines' form. mdclusterctl may be of another version than the mdclusterd that it
 * talks to, so what is not exactly of the form is not taken.
 */
#include "core/addline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/cibtext.h"

static const char *const nodes[] = {
	[MDC_NODE_WAITING] = "waiting",
	[MDC_NODE_FOUND] = "found",
	[MDC_NODE_MISSING] = "missing",
	[MDC_NODE_UNASKED] = "unasked",
	[MDC_NODE_LEFT] = "left",
};

static const char *const ends[] = {
	[MDC_END_AGREED] = "agreed",
	[MDC_END_REFUSED] = "refused",
	[MDC_END_UNUSABLE] = "unusable",
	[MDC_END_LOST] = "lost",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *mdc_addline_node_name(enum mdc_addline_node node)
{
	return nodes[node];
}

/* Cuts the first word off *at, at one space. NULL: there is none, or it is empty. */
static char *word(char **at)
{
	char *begin = *at, *space;

	if (!begin || !*begin || *begin == ' ')
		return NULL;
	space = strchr(begin, ' ');
	if (space)
		*space++ = '\0';
	*at = space;
	return begin;
}

static int one_of(const char *const *names, size_t n, const char *text)
{
	size_t i;

	for (i = 0; text && i < n; i++)
		if (!strcmp(names[i], text))
			return (int)i;
	return -1;
}

static bool number(const char *text, uint32_t *out)
{
	return text && !mdc_cib_number(text, out);
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool parse_node(struct mdc_addline *line, char *rest)
{
	const char *name, *more;
	int what;

	if (!number(word(&rest), &line->id))
		return false;
	name = word(&rest);
	if (!name || strlen(name) >= sizeof(line->name))
		return false;
	if (strcmp(name, "-"))
		snprintf(line->name, sizeof(line->name), "%s", name);
	what = one_of(nodes, COUNT(nodes), word(&rest));
	if (what < 0)
		return false;
	line->node = (enum mdc_addline_node)what;
	if (line->node != MDC_NODE_FOUND && line->node != MDC_NODE_MISSING)
		return !rest;
	more = word(&rest);
	if (!more || rest)
		return false;
	if (line->node == MDC_NODE_MISSING)
		return !mdc_reason_parse(&line->reason, more);
	/* Nothing that the formatter would have to change. */
	mdc_add_kname(line->device, more);
	return !strcmp(line->device, more);
}

static bool parse_end(struct mdc_addline *line, char *rest)
{
	int what = one_of(ends, COUNT(ends), word(&rest));

	if (what < 0)
		return false;
	line->end = (enum mdc_addline_end)what;
	if (!rest)
		return true;
	if (!*rest || strlen(rest) >= sizeof(line->text))
		return false;
	snprintf(line->text, sizeof(line->text), "%s", rest);
	return true;
}

int mdc_addline_parse(struct mdc_addline *line, const char *text)
{
	char copy[MDC_ADDLINE_MAX], *rest = copy;
	const char *kind;
	bool good;

	memset(line, 0, sizeof(*line));
	if (strnlen(text, sizeof(copy)) == sizeof(copy) || !printable(text))
		return -EINVAL;
	strcpy(copy, text);
	kind = word(&rest);
	if (!kind || !rest)
		return -EINVAL;
	if (!strcmp(kind, "wait")) {
		line->kind = MDC_LINE_WAIT;
		good = number(rest, &line->wait_ms);
	} else if (!strcmp(kind, "node")) {
		line->kind = MDC_LINE_NODE;
		good = parse_node(line, rest);
	} else if (!strcmp(kind, "end")) {
		line->kind = MDC_LINE_END;
		good = parse_end(line, rest);
	} else {
		return -EINVAL;
	}
	return good ? 0 : -EINVAL;
}

static int format_node(const struct mdc_addline *line, char *out)
{
	char tail[MDC_ADD_WORD_MAX + 1] = "";
	const char *name = line->name;

	if (line->node == MDC_NODE_FOUND) {
		tail[0] = ' ';
		mdc_add_kname(tail + 1, line->device);
	} else if (line->node == MDC_NODE_MISSING) {
		tail[0] = ' ';
		mdc_reason_word(&line->reason, tail + 1);
	}
	if (!*name || strchr(name, ' ') || !printable(name))
		name = "-";
	return snprintf(out, MDC_ADDLINE_MAX, "node %u %s %s%s", line->id, name,
			nodes[line->node], tail);
}

int mdc_addline_format(const struct mdc_addline *line, char out[MDC_ADDLINE_MAX])
{
	char *c;
	int n = -1;

	switch (line->kind) {
	case MDC_LINE_WAIT:
		n = snprintf(out, MDC_ADDLINE_MAX, "wait %u", line->wait_ms);
		break;
	case MDC_LINE_NODE:
		n = format_node(line, out);
		break;
	case MDC_LINE_END:
		n = snprintf(out, MDC_ADDLINE_MAX, "end %s%s%s", ends[line->end],
			     line->text[0] ? " " : "", line->text);
		break;
	}
	for (c = out; n > 0 && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return n > 0 && n < MDC_ADDLINE_MAX ? 0 : -ENOSPC;
}
