/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdclusterctl's subcommands. argv[0] is the subcommand's name. Return the exit status. */
#ifndef MDC_CTL_CMD_H
#define MDC_CTL_CMD_H

#include <glib.h>

int mdc_ctl_status(const char *socket, int argc, char **argv);
int mdc_ctl_events(const char *socket, int argc, char **argv);
int mdc_ctl_add(const char *socket, int argc, char **argv);

/*
 * Reads the options of a subcommand, which takes at most `words` other arguments; data goes
 * to the callbacks of the entries. Returns -1 to go on, with argv cut to those arguments, or
 * the exit status: 0 after --help, 64 after a message.
 */
int mdc_ctl_options(const GOptionEntry *entries, const char *usage, const char *summary,
		    void *data, int words, int *argc, char ***argv);
/* Says it on stderr after the program's name; returns MDC_CTL_ABSENT. Frees the error. */
int mdc_ctl_absent(GError *error);

#endif
