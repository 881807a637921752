/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster's view, kept up to date by a child (mdcluster-cib) that is started again with
 * growing pauses (1 to 30 s) whenever it ends or prints what is not of the form; and the
 * attributes of this node that the child writes within a fraction of a second. Runs on
 * the thread-default GLib main context of mdc_cib_new; nothing here blocks. Changes of the
 * connection are logged here, once each.
 */
#ifndef MDC_PORT_CIB_H
#define MDC_PORT_CIB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cibtext.h"

struct mdc_cib;

/*
 * connected: view is the newest snapshot, valid during the call. Not connected: view is
 * the last one known, NULL where there never was one. Called on each snapshot and once when
 * the connection is lost; never from within mdc_cib_new or mdc_cib_free. It may not call
 * mdc_cib_free.
 */
typedef void (*mdc_cib_fn)(const struct mdc_cibview *view, bool connected, void *data);

/* An attribute could not be written. It is tried again, with growing pauses. */
typedef void (*mdc_cib_failed_fn)(const char *name, const char *why, void *data);

/* program: path of mdcluster-cib; copied. Never NULL: a child that cannot start is retried. */
struct mdc_cib *mdc_cib_new(const char *program, mdc_cib_fn changed, void *data);
/* Closes the child's input, then kills it; NULL is fine. */
void mdc_cib_free(struct mdc_cib *cib);
/* The newest snapshot, or NULL; valid until the main loop runs again. */
const struct mdc_cibview *mdc_cib_view(const struct mdc_cib *cib, bool *connected);

/* Whose attributes these are; nothing is written before. 0 leaves what was known. */
void mdc_cib_self(struct mdc_cib *cib, uint32_t node);
/* Called with the data of mdc_cib_new. */
void mdc_cib_on_failed(struct mdc_cib *cib, mdc_cib_failed_fn failed);
/*
 * value NULL deletes it. Nothing happens where that is what was written last. It may wait for hold_ms:
 * what is replaced by then is never written.
 */
void mdc_cib_set(struct mdc_cib *cib, const char *name, const char *value, unsigned int hold_ms);
/* What waits for its hold_ms is written now. */
void mdc_cib_release(struct mdc_cib *cib);
/* Deletes what an earlier process may have written. */
void mdc_cib_clear(struct mdc_cib *cib, const char *name);
/* The CIB shows value (NULL: not there) for a name that is this process's to write. */
void mdc_cib_seen(struct mdc_cib *cib, const char *name, const char *value);
/* Is all written? */
bool mdc_cib_idle(const struct mdc_cib *cib);

#endif
