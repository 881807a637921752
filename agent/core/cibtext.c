/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster's view and its text, and the answers that stand between. Owns the rules that
 * a view keeps (bounds, no duplicates, nothing that names a node it does not list), so that
 * the reader of a snapshot and the extractor that writes one cannot disagree about them.
 */
#include "core/cibtext.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const online_names[] = { "offline", "pending", "online" };
static const char *const running_names[] = { "stopped", "running", "failed" };

const char *mdc_cib_online_name(enum mdc_cib_online state)
{
	return online_names[state];
}

const char *mdc_cib_running_name(enum mdc_cib_running state)
{
	return running_names[state];
}

static int word_index(const char *const *words, unsigned int n, const char *word)
{
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -EINVAL;
}

bool mdc_cib_word(const char *word, size_t size)
{
	size_t len = strnlen(word, size);

	if (len == 0 || len == size)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)word[i] <= ' ' || word[i] == 0x7f)
			return false;
	return true;
}

const struct mdc_cib_node *mdc_cibview_node(const struct mdc_cibview *view, uint32_t id)
{
	for (unsigned int i = 0; i < view->n_nodes; i++)
		if (view->nodes[i].id == id)
			return &view->nodes[i];
	return NULL;
}

const struct mdc_cib_node *mdc_cibview_named(const struct mdc_cibview *view, const char *name)
{
	for (unsigned int i = 0; i < view->n_nodes; i++)
		if (strcmp(view->nodes[i].name, name) == 0)
			return &view->nodes[i];
	return NULL;
}

static int attr_index(const struct mdc_cibview *view, uint32_t id, const char *name)
{
	for (unsigned int i = 0; i < view->n_attrs; i++)
		if (view->attrs[i].id == id && strcmp(view->attrs[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

const char *mdc_cibview_attr(const struct mdc_cibview *view, uint32_t id, const char *name)
{
	int i = attr_index(view, id, name);

	return i < 0 ? NULL : view->attrs[i].value;
}

const struct mdc_cib_instance *mdc_cibview_instance(const struct mdc_cibview *view, uint32_t id,
						    const char *primitive)
{
	for (unsigned int i = 0; i < view->n_instances; i++)
		if (view->instances[i].id == id &&
		    strcmp(view->instances[i].primitive, primitive) == 0)
			return &view->instances[i];
	return NULL;
}

int mdc_cibview_add_node(struct mdc_cibview *view, uint32_t id, const char *name,
			 enum mdc_cib_online state)
{
	struct mdc_cib_node *node;

	if (id == 0 || !mdc_cib_word(name, sizeof(node->name)))
		return -EINVAL;
	if (mdc_cibview_node(view, id) || mdc_cibview_named(view, name))
		return -EEXIST;
	if (view->n_nodes == MDC_CIB_NODES_MAX)
		return -E2BIG;
	node = &view->nodes[view->n_nodes++];
	node->id = id;
	strcpy(node->name, name);
	node->state = state;
	return 0;
}

int mdc_cibview_add_attr(struct mdc_cibview *view, uint32_t id, const char *name,
			 const char *value)
{
	struct mdc_cib_attr *attr;

	if (!mdc_cib_word(name, sizeof(attr->name)) || !mdc_cib_word(value, sizeof(attr->value)) ||
	    strncmp(name, "mdcluster-", 10) != 0)
		return -EINVAL;
	if (!mdc_cibview_node(view, id))
		return -ENOENT;
	if (mdc_cibview_attr(view, id, name))
		return -EEXIST;
	if (view->n_attrs == MDC_CIB_ATTRS_MAX)
		return -E2BIG;
	attr = &view->attrs[view->n_attrs++];
	attr->id = id;
	strcpy(attr->name, name);
	strcpy(attr->value, value);
	return 0;
}

int mdc_cibview_set_attr(struct mdc_cibview *view, uint32_t id, const char *name,
			 const char *value)
{
	int i = attr_index(view, id, name);

	if (i < 0)
		return mdc_cibview_add_attr(view, id, name, value);
	if (!mdc_cib_word(value, sizeof(view->attrs[i].value)))
		return -EINVAL;
	strcpy(view->attrs[i].value, value);
	return 0;
}

int mdc_cibview_drop_attr(struct mdc_cibview *view, uint32_t id, const char *name)
{
	int i = attr_index(view, id, name);

	if (i < 0)
		return i;
	view->n_attrs--;
	memmove(&view->attrs[i], &view->attrs[i + 1],
		(view->n_attrs - (unsigned int)i) * sizeof(view->attrs[0]));
	return 0;
}

int mdc_cibview_add_instance(struct mdc_cibview *view, uint32_t id, const char *primitive,
			     enum mdc_cib_running state)
{
	struct mdc_cib_instance *inst;

	if (!mdc_cib_word(primitive, sizeof(inst->primitive)))
		return -EINVAL;
	if (!mdc_cibview_node(view, id))
		return -ENOENT;
	if (mdc_cibview_instance(view, id, primitive))
		return -EEXIST;
	if (view->n_instances == MDC_CIB_INSTANCES_MAX)
		return -E2BIG;
	inst = &view->instances[view->n_instances++];
	inst->id = id;
	strcpy(inst->primitive, primitive);
	inst->state = state;
	return 0;
}

static bool same_attr(const struct mdc_cib_attr *a, const struct mdc_cib_attr *b)
{
	return a->id == b->id && strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0;
}

/* Entry by entry where the order is the same. Else each is in both, as none stands twice. */
static bool same_attrs(const struct mdc_cibview *a, const struct mdc_cibview *b)
{
	for (unsigned int i = 0; i < a->n_attrs; i++) {
		const struct mdc_cib_attr *attr = &a->attrs[i];
		const char *value;

		if (same_attr(attr, &b->attrs[i]))
			continue;
		value = mdc_cibview_attr(b, attr->id, attr->name);
		if (!value || strcmp(value, attr->value) != 0)
			return false;
	}
	return true;
}

/* Most of it is empty. */
void mdc_cibview_copy(struct mdc_cibview *out, const struct mdc_cibview *view)
{
	out->n_nodes = view->n_nodes;
	out->n_attrs = view->n_attrs;
	out->n_instances = view->n_instances;
	memcpy(out->nodes, view->nodes, view->n_nodes * sizeof(view->nodes[0]));
	memcpy(out->attrs, view->attrs, view->n_attrs * sizeof(view->attrs[0]));
	memcpy(out->instances, view->instances, view->n_instances * sizeof(view->instances[0]));
}

/* What lies behind a string's NUL does not count. */
bool mdc_cibview_equal(const struct mdc_cibview *a, const struct mdc_cibview *b)
{
	if (a->n_nodes != b->n_nodes || a->n_attrs != b->n_attrs ||
	    a->n_instances != b->n_instances)
		return false;
	for (unsigned int i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].id != b->nodes[i].id || a->nodes[i].state != b->nodes[i].state ||
		    strcmp(a->nodes[i].name, b->nodes[i].name) != 0)
			return false;
	for (unsigned int i = 0; i < a->n_instances; i++)
		if (a->instances[i].id != b->instances[i].id ||
		    a->instances[i].state != b->instances[i].state ||
		    strcmp(a->instances[i].primitive, b->instances[i].primitive) != 0)
			return false;
	return same_attrs(a, b);
}

struct buffer {
	char *out;
	size_t size, used;
	bool full;
};

static void __attribute__((format(printf, 2, 3))) put(struct buffer *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (buf->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf->out + buf->used, buf->size - buf->used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= buf->size - buf->used)
		buf->full = true;
	else
		buf->used += (size_t)n;
}

int mdc_cibview_format(const struct mdc_cibview *view, char *out, size_t size)
{
	struct buffer buf = { .out = out, .size = size };

	put(&buf, "begin\n");
	for (unsigned int i = 0; i < view->n_nodes; i++)
		put(&buf, "node %u %s %s\n", view->nodes[i].id, view->nodes[i].name,
		    online_names[view->nodes[i].state]);
	for (unsigned int i = 0; i < view->n_attrs; i++)
		put(&buf, "attr %u %s %s\n", view->attrs[i].id, view->attrs[i].name,
		    view->attrs[i].value);
	for (unsigned int i = 0; i < view->n_instances; i++)
		put(&buf, "instance %u %s %s\n", view->instances[i].id,
		    view->instances[i].primitive, running_names[view->instances[i].state]);
	put(&buf, "end\n");
	return buf.full ? -ENOSPC : (int)buf.used;
}

void mdc_cibtext_init(struct mdc_cibtext *text)
{
	text->open = false;
	text->fill = 0;
	text->view.n_nodes = text->view.n_attrs = text->view.n_instances = 0;
}

int mdc_cib_number(const char *word, uint32_t *number)
{
	uint64_t n = 0;

	if (*word < '1' || *word > '9')
		return -EINVAL;
	for (; *word; word++) {
		if (*word < '0' || *word > '9')
			return -EINVAL;
		n = n * 10 + (uint64_t)(*word - '0');
		if (n > UINT32_MAX)
			return -EINVAL;
	}
	*number = (uint32_t)n;
	return 0;
}

/* Cuts a line at its single spaces into exactly four words, in place. */
static int four_words(char *line, char *word[4])
{
	for (int i = 0; i < 4; i++) {
		char *space = strchr(line, ' ');

		if ((space == NULL) != (i == 3) || space == line || *line == '\0')
			return -EINVAL;
		word[i] = line;
		if (space) {
			*space = '\0';
			line = space + 1;
		}
	}
	return 0;
}

static int entry(struct mdc_cibview *view, char *line)
{
	char *word[4];
	uint32_t id;
	int rc, n;

	if (four_words(line, word) < 0 || mdc_cib_number(word[1], &id) < 0)
		return -EINVAL;
	if (strcmp(word[0], "attr") == 0) {
		rc = mdc_cibview_add_attr(view, id, word[2], word[3]);
	} else if (strcmp(word[0], "node") == 0) {
		n = word_index(online_names, 3, word[3]);
		rc = n < 0 ? n : mdc_cibview_add_node(view, id, word[2], (enum mdc_cib_online)n);
	} else if (strcmp(word[0], "instance") == 0) {
		n = word_index(running_names, 3, word[3]);
		rc = n < 0 ? n : mdc_cibview_add_instance(view, id, word[2],
							  (enum mdc_cib_running)n);
	} else {
		rc = -EINVAL;
	}
	return rc == -EEXIST || rc == -ENOENT ? -EINVAL : rc;
}

/* done N, failed N TEXT: 2 or -EINVAL. */
static int answer(struct mdc_cibanswer *out, const char *line)
{
	char number[12];
	const char *text;
	size_t i, len;

	out->ok = strncmp(line, "done ", 5) == 0;
	if (!out->ok && strncmp(line, "failed ", 7) != 0)
		return -EINVAL;
	line += out->ok ? 5 : 7;
	len = strcspn(line, " ");
	if (len >= sizeof(number) || (line[len] == ' ') == out->ok)
		return -EINVAL;
	memcpy(number, line, len);
	number[len] = '\0';
	text = out->ok ? "" : line + len + 1;
	if (mdc_cib_number(number, &out->number) < 0 || (!out->ok && !*text) ||
	    strlen(text) >= sizeof(out->text))
		return -EINVAL;
	for (i = 0; text[i]; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return -EINVAL;
	strcpy(out->text, text);
	return 2;
}

int mdc_cibtext_line(struct mdc_cibtext *text, const char *line)
{
	char copy[MDC_CIB_LINE_MAX];

	if (strnlen(line, sizeof(copy)) == sizeof(copy))
		return -EMSGSIZE;
	if (!text->open) {
		if (strcmp(line, "begin") != 0)
			return answer(&text->answer, line);
		text->open = true;
		text->view.n_nodes = text->view.n_attrs = text->view.n_instances = 0;
		return 0;
	}
	if (strcmp(line, "end") == 0) {
		text->open = false;
		return 1;
	}
	strcpy(copy, line);
	return entry(&text->view, copy);
}

int mdc_cibtext_feed(struct mdc_cibtext *text, const char *data, size_t len, size_t *used)
{
	for (*used = 0; *used < len;) {
		char c = data[(*used)++];
		int rc;

		if (c == '\0')
			return -EINVAL;
		if (c != '\n') {
			if (text->fill + 1 == sizeof(text->line))
				return -EMSGSIZE;
			text->line[text->fill++] = c;
			continue;
		}
		text->line[text->fill] = '\0';
		text->fill = 0;
		rc = mdc_cibtext_line(text, text->line);
		if (rc != 0)
			return rc;
	}
	return 0;
}
