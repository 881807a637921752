/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This node's transient attributes, through attrd_updater: one call at a time, the latest
 * value wins, given up after 15 s and tried again with growing pauses. Main loop only.
 */
#ifndef MDC_ATTRD_H
#define MDC_ATTRD_H

#include <stdbool.h>

#define MDC_ATTRD_CALL_MS 15000

struct mdc_attrd;

struct mdc_attrd *mdc_attrd_new(void);
void mdc_attrd_free(struct mdc_attrd *attrd);
/* value NULL deletes it. Nothing happens where that is what was written last. */
void mdc_attrd_set(struct mdc_attrd *attrd, const char *name, const char *value);
/* Deletes what an earlier process may have written. */
void mdc_attrd_clear(struct mdc_attrd *attrd, const char *name);
/*
 * The CIB shows value (NULL: not there) for a name that is this process's to write. What was
 * never set here is deleted; what stays different from what was written a while ago,
 * because Pacemaker was restarted, is written again.
 */
void mdc_attrd_seen(struct mdc_attrd *attrd, const char *name, const char *value);
/* Is all written? */
bool mdc_attrd_idle(const struct mdc_attrd *attrd);

#endif
