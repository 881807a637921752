/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdclusterctl, the operator's command. The options that stand before the subcommand, and
 * the table of subcommands; everything else is in ctl_status.c, ctl_add.c and ctl_events.c.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_cmd.h"
#include "ctl_view.h"

static const struct {
	const char *name;
	int (*run)(const char *socket, int argc, char **argv);
} commands[] = {
	{ "status", mdc_ctl_status },
	{ "add", mdc_ctl_add },
	{ "events", mdc_ctl_events },
};

static const char usage[] =
	"Usage: mdclusterctl [--socket=PATH] COMMAND [OPTION...]\n"
	"\n"
	"  status [DEVICE|UUID|ID]   the clustered MD arrays of this node, as every node sees\n"
	"                            them; --json, --watch[=SECONDS]\n"
	"  add ARRAY DISK            adds a disk, once every node has found it; --dry-run, --yes,\n"
	"                            --json\n"
	"  events                    follows mdclusterd's log; -n N, --once, --json\n"
	"\n"
	"  --socket=PATH             where mdclusterd listens [" MDC_RUNDIR "/socket]\n"
	"  --help, --version\n"
	"\n"
	"mdclusterctl COMMAND --help tells more; so does mdclusterctl(8).\n";

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "mdclusterctl: %s%s%s%s\n%s", what, word ? " '" : "", word ? word : "",
		word ? "'" : "", usage);
	return MDC_CTL_USAGE;
}

int mdc_ctl_absent(GError *error)
{
	fprintf(stderr, "mdclusterctl: %s\n", error->message);
	g_error_free(error);
	return MDC_CTL_ABSENT;
}

int mdc_ctl_options(const GOptionEntry *entries, const char *words_text, const char *summary,
		    void *data, int words, int *argc, char ***argv)
{
	g_autofree char *name = g_strdup_printf("mdclusterctl %s", (*argv)[0]);
	GOptionContext *context = g_option_context_new(words_text);
	GOptionGroup *group = g_option_group_new("main", "", "", data, NULL);
	g_autoptr(GError) error = NULL;
	int rc = -1;

	g_set_prgname(name);
	g_option_group_add_entries(group, entries);
	g_option_context_set_main_group(context, group);
	g_option_context_set_summary(context, summary);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		fprintf(stderr, "mdclusterctl: %s; see 'mdclusterctl %s --help'\n",
			error->message, (*argv)[0]);
		rc = MDC_CTL_USAGE;
	} else if (*argc - 1 > words) {
		fprintf(stderr, "mdclusterctl: '%s' is one argument too many; see 'mdclusterctl "
			"%s --help'\n", (*argv)[words + 1], (*argv)[0]);
		rc = MDC_CTL_USAGE;
	}
	g_option_context_free(context);
	return rc;
}

/* The agent's socket is root's; a socket named on the command line has its own rules. */
static int run(const char *socket, int argc, char **argv)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 ||
					 strcmp(argv[1], "-h") == 0);

		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		if (!socket && !help && geteuid() != 0) {
			fprintf(stderr, "mdclusterctl: only root may talk to mdclusterd; run it "
				"as root or with sudo\n");
			return MDC_CTL_NOT_ROOT;
		}
		return commands[i].run(socket ? socket : MDC_RUNDIR "/socket", argc, argv);
	}
	return wrong("there is no command", argv[0]);
}

int main(int argc, char **argv)
{
	const char *socket = NULL;
	int i;

	setlocale(LC_CTYPE, "");
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return MDC_CTL_CLEAN;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("mdclusterctl (mdcluster) %s\n", VERSION);
			return MDC_CTL_CLEAN;
		}
		if (strncmp(argv[i], "--socket=", 9) != 0 || argv[i][9] == '\0')
			return wrong("there is no option", argv[i]);
		socket = argv[i] + 9;
	}
	if (i == argc)
		return wrong("which command?", NULL);
	return run(socket, argc - i, argv + i);
}
