/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pacemaker's notify variables from an environment of NAME=value lines. What passes makes a
 * request that mdclusterd takes, and that says the same.
 */
#include "fuzz.h"

#include "core/notify.h"

struct env {
	char *text;
	size_t len;
};

/* The value of the line that begins with NAME=, or NULL. The lines end with NUL here. */
static const char *get(const char *name, void *data)
{
	const struct env *env = data;
	size_t len = strlen(name);

	for (size_t at = 0; at < env->len; at += strlen(env->text + at) + 1)
		if (strncmp(env->text + at, name, len) == 0 && env->text[at + len] == '=')
			return env->text + at + len + 1;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_notify *notify = calloc(1, sizeof(*notify)), *again = calloc(1, sizeof(*again));
	struct env env = { .text = fuzz_string(data, size) };
	char out[MDC_LINE_MAX];

	MUST(notify && again);
	env.len = strlen(env.text);
	for (size_t i = 0; i < env.len; i++)
		if (env.text[i] == '\n')
			env.text[i] = '\0';
	if (mdc_notify_read(notify, get, &env) == 0) {
		MUST(mdc_notify_format(notify, out, sizeof(out) - 8) > 0);
		MUST(mdc_notify_parse(again, out) == 0);
		MUST(again->post == notify->post && !strcmp(again->action, notify->action));
		MUST(strcmp(again->nodes, notify->nodes) == 0);
	}
	free(again);
	free(notify);
	free(env.text);
	return 0;
}
