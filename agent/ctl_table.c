/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns. Widths are counted in characters, not bytes, and colour is put round a cell
 * after its width is known.
 */
#include "ctl_table.h"

#include <string.h>

#define COLUMNS_MAX 12
#define GAP 2

struct cell {
	char *text;
	enum mdc_colour colour;
};

struct mdc_table {
	unsigned int n, indent;
	GArray *cells;
};

char *mdc_text_clean(const char *text)
{
	g_autofree char *valid = NULL;
	GString *out;

	if (!text || !*text)
		return g_strdup("-");
	valid = g_utf8_make_valid(text, -1);
	out = g_string_new(NULL);
	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_isprint(c))
			g_string_append_unichar(out, c);
		else
			g_string_append_c(out, '?');
	}
	return g_string_free(out, FALSE);
}

void mdc_text_colour(GString *out, const char *text, enum mdc_colour which, bool colour)
{
	static const char *const codes[] = { "", "32", "33", "31;1", "1" };

	if (!colour || which == MDC_PLAIN)
		g_string_append(out, text);
	else
		g_string_append_printf(out, "\033[%sm%s\033[0m", codes[which], text);
}

struct mdc_table *mdc_table_new(unsigned int n, unsigned int indent)
{
	struct mdc_table *table = g_new0(struct mdc_table, 1);

	table->n = MIN(n, COLUMNS_MAX);
	table->indent = indent;
	table->cells = g_array_new(FALSE, FALSE, sizeof(struct cell));
	return table;
}

void mdc_table_cell(struct mdc_table *table, const char *text, enum mdc_colour colour)
{
	struct cell cell = { .text = mdc_text_clean(text), .colour = colour };

	g_array_append_val(table->cells, cell);
}

static unsigned int length(const char *text)
{
	return (unsigned int)g_utf8_strlen(text, -1);
}

/* One cell into what is left of the line; returns what is left then. */
static unsigned int put(GString *out, const struct cell *cell, unsigned int column_width,
			bool last, unsigned int left, bool colour)
{
	unsigned int len = length(cell->text), pad;

	if (len > left) {
		g_autofree char *cut = g_utf8_substring(cell->text, 0, left);

		mdc_text_colour(out, cut, cell->colour, colour);
		return 0;
	}
	mdc_text_colour(out, cell->text, cell->colour, colour);
	if (last)
		return left - len;
	pad = MIN(column_width + GAP - len, left - len);
	g_string_append_printf(out, "%*s", (int)pad, "");
	return left - len - pad;
}

void mdc_table_end(struct mdc_table *table, GString *out, unsigned int width, bool colour)
{
	unsigned int widths[COLUMNS_MAX] = { 0 };
	unsigned int rows = table->cells->len / table->n;

	for (unsigned int i = 0; i < rows * table->n; i++) {
		struct cell *cell = &g_array_index(table->cells, struct cell, i);

		widths[i % table->n] = MAX(widths[i % table->n], length(cell->text));
	}
	for (unsigned int row = 0; row < rows; row++) {
		unsigned int left = width > table->indent ? width - table->indent : 1;

		g_string_append_printf(out, "%*s", (int)table->indent, "");
		for (unsigned int i = 0; i < table->n && left > 0; i++)
			left = put(out, &g_array_index(table->cells, struct cell,
						       row * table->n + i),
				   widths[i], i == table->n - 1, left, colour);
		g_string_append_c(out, '\n');
	}
	for (unsigned int i = 0; i < table->cells->len; i++)
		g_free(g_array_index(table->cells, struct cell, i).text);
	g_array_free(table->cells, TRUE);
	g_free(table);
}
