/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's parameters, as Pacemaker hands them over in the environment. Pure. */
#ifndef MDC_PARAMS_H
#define MDC_PARAMS_H

#include <stdbool.h>

#include "core/track.h"
#include "core/uuid.h"

#define MDC_DISK_WAIT_DEFAULT 10
#define MDC_VERDICT_WAIT_DEFAULT 2

enum {				/* bits of mdc_params.bad */
	MDC_BAD_UUID = 1,
	MDC_BAD_DEVICE = 2,
	MDC_BAD_OTHER = 4,
};

struct mdc_params {
	struct mdc_uuid uuid;
	char uuid_text[MDC_UUID_COLON];
	char device[MDC_PATH_MAX];
	char members[MDC_MEMBERS_MAX];	/* words divided by one space, none twice */
	char id[MDC_NAME_MAX];		/* the primitive, without a clone's :N */
	unsigned int disk_wait_s, verdict_wait_s;
	bool readd;
	unsigned int bad;		/* what could not be used; such a field is empty */
	char reason[320];		/* the first fault as a sentence */
};

/* The value of a variable or NULL; as getenv(). */
typedef const char *(*mdc_env_fn)(const char *name, void *data);

/* 0, or -EINVAL with bad and reason set; the fields that are good are set all the same. */
int mdc_params_read(struct mdc_params *params, mdc_env_fn env, void *data);

/* OCF's yes and no, any case. 1, 0, or -EINVAL. */
int mdc_boolean(const char *text);
/* text made fit for a message: cut, and nothing in it but printable ASCII. */
void mdc_printable(const char *text, char *out, unsigned int size);

#endif
