/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in columns for a terminal: widths, colours, nothing a terminal would obey. */
#ifndef MDC_CTL_TABLE_H
#define MDC_CTL_TABLE_H

#include <stdbool.h>

#include <glib.h>

enum mdc_colour { MDC_PLAIN, MDC_GREEN, MDC_YELLOW, MDC_RED, MDC_BOLD };

struct mdc_table;

/* n columns at most 12; indent in spaces; rows are cut at width. */
struct mdc_table *mdc_table_new(unsigned int n, unsigned int indent);
/* One cell after the other fills rows. text is cleaned; NULL or empty: "-". */
void mdc_table_cell(struct mdc_table *table, const char *text, enum mdc_colour colour);
/* Appends the rows to out and frees the table. */
void mdc_table_end(struct mdc_table *table, GString *out, unsigned int width, bool colour);

/* Control characters become "?". NULL becomes "-". Free with g_free. */
char *mdc_text_clean(const char *text);
void mdc_text_colour(GString *out, const char *text, enum mdc_colour which, bool colour);

#endif
