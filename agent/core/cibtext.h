/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster as the CIB shows it, and the text of it that mdcluster-cib prints
 * (README.md). Pure: no I/O, no allocation. A view is large (about 600 KiB): keep it
 * on the heap.
 */
#ifndef MDC_CIBTEXT_H
#define MDC_CIBTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/track.h"

#define MDC_CIB_NODES_MAX 64
#define MDC_CIB_ATTRS_MAX 1024
#define MDC_CIB_INSTANCES_MAX 1024
#define MDC_CIB_ATTR_MAX 192	/* name of an attribute, with NUL */
#define MDC_CIB_VALUE_MAX 192	/* value of an attribute, with NUL */
#define MDC_CIB_LINE_MAX 512	/* a line with its newline */
#define MDC_CIB_ANSWER_MAX 200	/* why a request failed, with NUL */

enum mdc_cib_online { MDC_CIB_OFFLINE, MDC_CIB_PENDING, MDC_CIB_ONLINE };
enum mdc_cib_running { MDC_CIB_STOPPED, MDC_CIB_RUNNING, MDC_CIB_FAILED };

struct mdc_cib_node {
	uint32_t id;			/* corosync's node id, from 1 */
	char name[MDC_NAME_MAX];
	enum mdc_cib_online state;
};

struct mdc_cib_attr {
	uint32_t id;			/* of the node */
	char name[MDC_CIB_ATTR_MAX];	/* begins with mdcluster- */
	char value[MDC_CIB_VALUE_MAX];
};

struct mdc_cib_instance {
	uint32_t id;			/* of the node */
	char primitive[MDC_NAME_MAX];	/* without a clone's :N */
	enum mdc_cib_running state;
};

/* Each node id, each (id, name) and each (id, primitive) stands at most once. */
struct mdc_cibview {
	unsigned int n_nodes, n_attrs, n_instances;
	struct mdc_cib_node nodes[MDC_CIB_NODES_MAX];
	struct mdc_cib_attr attrs[MDC_CIB_ATTRS_MAX];
	struct mdc_cib_instance instances[MDC_CIB_INSTANCES_MAX];
};

/* NULL where there is none. */
const struct mdc_cib_node *mdc_cibview_node(const struct mdc_cibview *view, uint32_t id);
const struct mdc_cib_node *mdc_cibview_named(const struct mdc_cibview *view, const char *name);
const char *mdc_cibview_attr(const struct mdc_cibview *view, uint32_t id, const char *name);
const struct mdc_cib_instance *mdc_cibview_instance(const struct mdc_cibview *view, uint32_t id,
						    const char *primitive);

/*
 * Add to a view what keeps its rules. 0, -EEXIST (there already: the first stays), -ENOENT
 * (no such node), -EINVAL (a name or value that a line cannot carry), -E2BIG (full).
 */
int mdc_cibview_add_node(struct mdc_cibview *view, uint32_t id, const char *name,
			 enum mdc_cib_online state);
int mdc_cibview_add_attr(struct mdc_cibview *view, uint32_t id, const char *name,
			 const char *value);
int mdc_cibview_add_instance(struct mdc_cibview *view, uint32_t id, const char *primitive,
			     enum mdc_cib_running state);

/* A new value; adds what is not there. As mdc_cibview_add_attr, without -EEXIST. */
int mdc_cibview_set_attr(struct mdc_cibview *view, uint32_t id, const char *name,
			 const char *value);
/* 0, or -ENOENT: there is none. */
int mdc_cibview_drop_attr(struct mdc_cibview *view, uint32_t id, const char *name);

void mdc_cibview_copy(struct mdc_cibview *out, const struct mdc_cibview *view);

/* The same nodes and instances in the same order, and the same attributes in any order. */
bool mdc_cibview_equal(const struct mdc_cibview *a, const struct mdc_cibview *b);
const char *mdc_cib_online_name(enum mdc_cib_online state);
const char *mdc_cib_running_name(enum mdc_cib_running state);

/* A word of a line: not empty, fits into size with NUL, no space, no control character. */
bool mdc_cib_word(const char *word, size_t size);
/* Decimal, no sign, no leading zero, 1 to 2^32-1. 0 or -EINVAL. */
int mdc_cib_number(const char *word, uint32_t *number);

/* The snapshot, begin to end, with NUL; returns its length or -ENOSPC. */
int mdc_cibview_format(const struct mdc_cibview *view, char *out, size_t size);

/* What came of a request (core/cibask.h). */
struct mdc_cibanswer {
	uint32_t number;
	bool ok;
	char text[MDC_CIB_ANSWER_MAX];	/* why not; printable */
};

/* Reads snapshots and answers out of a stream of bytes. Zero-filled is a fresh one. */
struct mdc_cibtext {
	bool open;			/* between begin and end */
	size_t fill;
	char line[MDC_CIB_LINE_MAX];
	struct mdc_cibview view;
	struct mdc_cibanswer answer;
};

void mdc_cibtext_init(struct mdc_cibtext *text);
/*
 * One line without newline. 0, 1 at `end`: text->view is complete, 2: text->answer is; else as
 * below. An answer never stands within a snapshot.
 */
int mdc_cibtext_line(struct mdc_cibtext *text, const char *line);
/*
 * Takes bytes, cut anywhere. Stops after a snapshot or an answer. *used is how many it took.
 * 1: text->view is complete, until the next call. 2: text->answer is. 0: all taken, more is
 * needed. -EINVAL: not of the form; -EMSGSIZE: a line too long; -E2BIG: more than a view
 * holds. After an error the stream is of no more use.
 */
int mdc_cibtext_feed(struct mdc_cibtext *text, const char *data, size_t len, size_t *used);

#endif
