/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `status` answers, for a person and for a script. No I/O. Takes any JSON: what is
 * missing or of the wrong type is shown as "-", control characters as "?".
 */
#ifndef MDC_CTL_VIEW_H
#define MDC_CTL_VIEW_H

#include <stdbool.h>

#include <json-glib/json-glib.h>

enum mdc_ctl_exit {		/* documented in mdclusterctl(8) */
	MDC_CTL_CLEAN = 0,
	MDC_CTL_BUSY = 1,	/* degraded, syncing, adding, or the view is incomplete */
	MDC_CTL_BROKEN = 2,	/* broken, or not running here */
	MDC_CTL_ABSENT = 3,	/* no mdclusterd, no such array */
	MDC_CTL_USAGE = 64,
	MDC_CTL_NOT_ROOT = 77,
};

struct mdc_ctl_look {
	unsigned int width;	/* columns, at least 40 */
	bool colour;
};

/* NULL: not JSON, or not an object with a version that is known. Free with json_node_unref. */
JsonNode *mdc_ctl_view_parse(const char *text);
/* Leaves the array of that device, kernel name, UUID or primitive. false: there is none. */
bool mdc_ctl_view_select(JsonNode *status, const char *which);
enum mdc_ctl_exit mdc_ctl_view_exit(JsonNode *status);
/* Lines, each ended by a newline. Free with g_free. */
char *mdc_ctl_view_text(JsonNode *status, const struct mdc_ctl_look *look);

#endif
