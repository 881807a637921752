/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the reading of what `mdclusterd --check` prints. Pure. A line that is not exactly of
 * the form is refused rather than guessed at: a start is decided on it.
 */
#include "core/check.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void mdc_check_init(struct mdc_check *check)
{
	memset(check, 0, sizeof(*check));
	check->corosync = -1;
	check->quorate = -1;
	check->dlm = -1;
	check->nodeid = -1;
}

static int parse_u64(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!len || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (i = 0; i < len; i++) {
		unsigned int d;

		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		d = (unsigned int)(text[i] - '0');
		if (v > (max - d) / 10)
			return -EINVAL;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

static int parse_uint(const char *text, size_t len, unsigned int *out)
{
	uint64_t v;

	if (parse_u64(text, len, UINT_MAX, &v))
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

static int parse_int(const char *text, size_t len, int *out)
{
	bool minus = len && text[0] == '-';
	uint64_t v;

	if (parse_u64(text + minus, len - minus, INT_MAX, &v))
		return -EINVAL;
	*out = minus ? -(int)v : (int)v;
	return 0;
}

static int copy(char *out, size_t size, const char *text, size_t len)
{
	if (!len || len >= size)
		return -EINVAL;
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

/* Steps over `key=` and finds the word behind it; *text then stands behind its space. */
static int word_of(const char **text, const char *key, const char **word, size_t *len)
{
	size_t klen = strlen(key);

	if (strncmp(*text, key, klen) || (*text)[klen] != '=')
		return -EINVAL;
	*word = *text + klen + 1;
	*len = strcspn(*word, " ");
	*text = *word + *len;
	if (**text)
		(*text)++;
	return 0;
}

static int uint_of(const char **text, const char *key, unsigned int *out)
{
	const char *word;
	size_t len;

	return word_of(text, key, &word, &len) ? -EINVAL : parse_uint(word, len, out);
}

static int yes_no(const char *word, size_t len, bool *out)
{
	*out = len == 3 && !memcmp(word, "yes", 3);
	return *out || (len == 2 && !memcmp(word, "no", 2)) ? 0 : -EINVAL;
}

static int two_words(const char *text, const char *yes, const char *no, int *out)
{
	if (*out != -1)
		return -EINVAL;
	if (!strcmp(text, yes))
		*out = 1;
	else if (!strcmp(text, no))
		*out = 0;
	else
		return -EINVAL;
	return 0;
}

static int numbers(const char *text, unsigned int *list, unsigned int max, unsigned int *n)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (*n == max || parse_uint(text, len, &list[*n]))
			return -EINVAL;
		(*n)++;
		text += len;
		if (*text && !*++text)
			return -EINVAL;
	}
	return 0;
}

static int on_corosync(struct mdc_check *c, const char *text)
{
	return two_words(text, "up", "down", &c->corosync);
}

static int on_quorate(struct mdc_check *c, const char *text)
{
	return two_words(text, "yes", "no", &c->quorate);
}

static int on_dlm(struct mdc_check *c, const char *text)
{
	return two_words(text, "up", "down", &c->dlm);
}

static int on_cluster(struct mdc_check *c, const char *text)
{
	return c->cluster[0] ? -EINVAL : copy(c->cluster, sizeof(c->cluster), text, strlen(text));
}

static int on_nodeid(struct mdc_check *c, const char *text)
{
	unsigned int id;

	if (c->nodeid != -1 || parse_uint(text, strlen(text), &id))
		return -EINVAL;
	c->nodeid = id;
	return 0;
}

static int on_lockspace(struct mdc_check *c, const char *text)
{
	if (c->have_lockspace)
		return -EINVAL;
	c->have_lockspace = true;
	return numbers(text, c->lockspace, MDC_CHECK_NODES_MAX, &c->n_lockspace);
}

static int on_active(struct mdc_check *c, const char *text)
{
	if (c->have_active)
		return -EINVAL;
	c->have_active = true;
	return numbers(text, c->active, MDC_CHECK_MEMBERS_MAX, &c->n_active);
}

static int on_array(struct mdc_check *c, const char *text)
{
	const char *word;
	size_t len;

	if (c->have_array || uint_of(&text, "raid_disks", &c->raid_disks))
		return -EINVAL;
	if (word_of(&text, "level", &word, &len) || parse_int(word, len, &c->level))
		return -EINVAL;
	if (uint_of(&text, "layout", &c->layout))
		return -EINVAL;
	if (word_of(&text, "clustered", &word, &len) || yes_no(word, len, &c->clustered))
		return -EINVAL;
	if (uint_of(&text, "slots", &c->slots))
		return -EINVAL;
	/* The name is last and may be empty, or hold a space. */
	if (strncmp(text, "cluster_name=", 13) || strlen(text + 13) >= sizeof(c->array_cluster))
		return -EINVAL;
	strcpy(c->array_cluster, text + 13);
	c->have_array = true;
	return 0;
}

static int role_of(const char *word, size_t len, int *role)
{
	if (len == 5 && !memcmp(word, "spare", 5))
		*role = MDC_ROLE_SPARE;
	else if (len == 6 && !memcmp(word, "faulty", 6))
		*role = MDC_ROLE_FAULTY;
	else if (*word == '-' || parse_int(word, len, role))
		return -EINVAL;
	return 0;
}

static int on_member(struct mdc_check *c, const char *text)
{
	struct mdc_check_member m = { 0 };
	const char *word;
	size_t len;

	if (c->n_members == MDC_CHECK_MEMBERS_MAX)
		return -EINVAL;
	len = strcspn(text, " ");
	if (*text != '/' || !text[len] || copy(m.path, sizeof(m.path), text, len))
		return -EINVAL;
	text += len + 1;
	len = strcspn(text, " ");
	if (!text[len] || copy(m.kname, sizeof(m.kname), text, len))
		return -EINVAL;
	text += len + 1;
	if (word_of(&text, "role", &word, &len) || role_of(word, len, &m.role))
		return -EINVAL;
	if (word_of(&text, "events", &word, &len) || parse_u64(word, len, UINT64_MAX, &m.events))
		return -EINVAL;
	if (word_of(&text, "fresh", &word, &len) || yes_no(word, len, &m.fresh))
		return -EINVAL;
	if (word_of(&text, "holder", &word, &len) || *text ||
	    copy(m.holder, sizeof(m.holder), word, len))
		return -EINVAL;
	if (!strcmp(m.holder, "-"))
		m.holder[0] = '\0';
	c->members[c->n_members++] = m;
	return 0;
}

/* Only the first is kept: one name is enough for the sentence. */
static int first_of(const char *text, char out[MDC_PATH_MAX], unsigned int *n)
{
	size_t len = strlen(text);

	if (!len || len >= MDC_PATH_MAX)
		return -EINVAL;
	if ((*n)++ == 0)
		memcpy(out, text, len + 1);
	return 0;
}

static int on_stuck(struct mdc_check *c, const char *text)
{
	return first_of(text, c->stuck, &c->n_stuck);
}

static int on_nomatch(struct mdc_check *c, const char *text)
{
	return first_of(text, c->nomatch, &c->n_nomatch);
}

int mdc_check_line(struct mdc_check *check, const char *line)
{
	static const struct {
		const char *word;
		int (*fn)(struct mdc_check *c, const char *text);
	} table[] = {
		{ "corosync", on_corosync },
		{ "quorate", on_quorate },
		{ "cluster", on_cluster },
		{ "nodeid", on_nodeid },
		{ "dlm", on_dlm },
		{ "lockspace", on_lockspace },
		{ "array", on_array },
		{ "active", on_active },
		{ "member", on_member },
		{ "stuck", on_stuck },
		{ "nomatch", on_nomatch },
	};
	size_t len = strcspn(line, " "), i;

	if (check->complete)
		return -EINVAL;
	if (!strcmp(line, "end")) {
		check->complete = true;
		return 0;
	}
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].word) == len && !memcmp(line, table[i].word, len))
			return table[i].fn(check, line[len] ? line + len + 1 : line + len);
	return -EINVAL;
}
