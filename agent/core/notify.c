/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the meaning of Pacemaker's notify variables. They list who has the resource before the
 * transition, who is stopped and who is started in it; stops come first.
 */
#include "core/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define META "OCF_RESKEY_CRM_meta_notify_"

static bool good_word(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)word[i] <= ' ' || word[i] == 0x7f)
			return false;
	return len && len < MDC_NAME_MAX;
}

static bool good_action(const char *word)
{
	size_t len = strlen(word);

	return len && len < MDC_NOTIFY_ACTION_MAX &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyz-") == len;
}

static bool has(const char *nodes, const char *word, size_t len)
{
	while (*nodes) {
		size_t n = strcspn(nodes, " ");

		if (n == len && !memcmp(nodes, word, len))
			return true;
		nodes += n + (nodes[n] == ' ');
	}
	return false;
}

bool mdc_notify_has(const char *nodes, const char *name)
{
	return *name && has(nodes, name, strlen(name));
}

/* Appends the words of list that are not in the list `without`. 0 or -EINVAL. */
static int add_words(char nodes[MDC_NOTIFY_NODES_MAX], const char *list, const char *without)
{
	size_t used = strlen(nodes), len;

	for (;; list += len) {
		list += strspn(list, " ");
		len = strcspn(list, " ");
		if (!len)
			return 0;
		if (!good_word(list, len))
			return -EINVAL;
		if (has(nodes, list, len) || has(without, list, len))
			continue;
		if (used + 1 + len >= MDC_NOTIFY_NODES_MAX)
			return -EINVAL;
		used += (size_t)snprintf(nodes + used, MDC_NOTIFY_NODES_MAX - used, "%s%.*s",
					 used ? " " : "", (int)len, list);
	}
}

static const char *variable(mdc_env_fn env, void *data, const char *name)
{
	const char *value = env(name, data);

	return value ? value : "";
}

int mdc_notify_read(struct mdc_notify *notify, mdc_env_fn env, void *data)
{
	const char *type = variable(env, data, META "type");
	const char *action = variable(env, data, META "operation");
	const char *active = variable(env, data, META "active_uname");
	const char *start = variable(env, data, META "start_uname");
	char stop[MDC_NOTIFY_NODES_MAX] = "";
	bool starting;
	int ret;

	notify->nodes[0] = '\0';
	if (!*type)
		return -ENOENT;
	notify->post = !strcmp(type, "post");
	if ((!notify->post && strcmp(type, "pre")) || !good_action(action))
		return -EINVAL;
	strcpy(notify->action, action);
	starting = !strcmp(action, "start");
	/* A stop that is yet to come changes nothing so far; before a start it has been. */
	ret = add_words(stop, variable(env, data, META "stop_uname"), "");
	if (!ret)
		ret = add_words(notify->nodes, active, notify->post || starting ? stop : "");
	if (!ret && notify->post && starting)
		ret = add_words(notify->nodes, start, "");
	return ret;
}

/* Takes KEY and the word behind it off the front of *line. NULL: it does not stand there. */
static const char *take(const char **line, const char *key, size_t *len)
{
	const char *word;

	if (strncmp(*line, key, strlen(key)))
		return NULL;
	word = *line + strlen(key);
	*len = strcspn(word, " ");
	if (word[*len] != ' ')
		return NULL;
	*line = word + *len + 1;
	return word;
}

int mdc_notify_parse(struct mdc_notify *notify, const char *line)
{
	char text[MDC_UUID_COLON], again[MDC_NOTIFY_NODES_MAX] = "";
	const char *word;
	size_t len;

	word = take(&line, "uuid=", &len);
	if (!word || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, word, len);
	text[len] = '\0';
	if (mdc_uuid_parse(&notify->uuid, text))
		return -EINVAL;
	word = take(&line, "when=", &len);
	if (!word)
		return -EINVAL;
	notify->post = len == 4 && !memcmp(word, "post", 4);
	if (!notify->post && (len != 3 || memcmp(word, "pre", 3)))
		return -EINVAL;
	word = take(&line, "action=", &len);
	if (!word || len >= sizeof(notify->action))
		return -EINVAL;
	memcpy(notify->action, word, len);
	notify->action[len] = '\0';
	if (!good_action(notify->action) || strncmp(line, "nodes=", 6))
		return -EINVAL;
	line += 6;
	/* Exactly as it would be written. */
	if (strlen(line) >= sizeof(notify->nodes) || add_words(again, line, "") ||
	    strcmp(again, line))
		return -EINVAL;
	strcpy(notify->nodes, again);
	return 0;
}

int mdc_notify_format(const struct mdc_notify *notify, char *out, size_t size)
{
	char uuid[MDC_UUID_COLON];
	int n;

	mdc_uuid_colon(&notify->uuid, uuid);
	n = snprintf(out, size, "uuid=%s when=%s action=%s nodes=%s", uuid,
		     notify->post ? "post" : "pre", notify->action, notify->nodes);
	return n > 0 && (size_t)n < size ? n : -ENOSPC;
}
