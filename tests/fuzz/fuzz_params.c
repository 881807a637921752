/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's parameters from an environment of NAME=value lines. Parameters that pass
 * make a track line; those that don't have a reason fit for a log.
 */
#include "fuzz.h"

#include "core/params.h"

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

static void passed(const struct mdc_params *params)
{
	struct mdc_track track = { .uuid = params->uuid, .disk_wait_s = params->disk_wait_s,
				   .verdict_wait_s = params->verdict_wait_s,
				   .readd = params->readd };
	struct mdc_track again;
	char out[MDC_LINE_MAX];

	memcpy(track.device, params->device, sizeof(track.device));
	memcpy(track.id, params->id, sizeof(track.id));
	memcpy(track.members, params->members, sizeof(track.members));
	strcpy(track.md, "md127");
	MUST(mdc_track_format(&track, out, sizeof(out)) > 0);
	MUST(mdc_track_parse(&again, out) == 0);
	MUST(strcmp(again.members, params->members) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdc_params *params = malloc(sizeof(*params));
	struct env env = { .text = fuzz_string(data, size) };

	MUST(params);
	env.len = strlen(env.text);
	for (size_t i = 0; i < env.len; i++)
		if (env.text[i] == '\n')
			env.text[i] = '\0';
	if (mdc_params_read(params, get, &env) == 0) {
		passed(params);
	} else {
		MUST(params->bad && params->reason[0]);
		MUST_END(params->reason);
		for (const char *p = params->reason; *p; p++)
			MUST((unsigned char)*p >= ' ' && *p != 0x7f);
	}
	free(params);
	free(env.text);
	return 0;
}
