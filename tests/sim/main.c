// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command: one seed, or many.
 */
#include <getopt.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"
#include "world.h"

#define LAST_LINES 120

static const char * const faults[SIM_BREAKS] = {
	[SIM_BREAK_NOTHING] = "nothing",
	[SIM_BREAK_LOSE_BAST] = "lose-bast",
	[SIM_BREAK_LVB_STALE] = "lvb-stale",
	[SIM_BREAK_EARLY_GRANT] = "early-grant",
	[SIM_BREAK_LOSE_WAKE] = "lose-wake",
	[SIM_BREAK_NO_PURGE] = "no-purge",
	[SIM_BREAK_NO_FAILED] = "no-failed",
};

static void usage(FILE *to)
{
	int i;

	fprintf(to,
		"usage: sim [--runs N] [--first SEED] [--seed SEED [--trace]] [--nodes N] [--break WHAT]\n"
		"\n"
		"Runs the module's protocol files on 2 to 5 simulated nodes, in schedules that depend on\n"
		"their seed alone. Prints each seed that fails, and ends with status 1 if there is one.\n"
		"\n"
		"  --runs N      this many schedules (1000)\n"
		"  --first SEED  beginning with this one (1)\n"
		"  --seed SEED   this one only\n"
		"  --trace       tell what happens, to standard error\n"
		"  --nodes N     always with this many nodes\n"
		"  --keep-going  do not end at the first schedule that fails\n"
		"  --break WHAT  put a fault into the simulated DLM or kernel, which must be found:\n"
		"               ");
	for (i = 1; i < SIM_BREAKS; i++)
		fprintf(to, " %s", faults[i]);
	fprintf(to, "\n"
		"  --list-faults their names\n");
}

static bool number(const char *text, u64 *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int find_fault(const char *name)
{
	int i;

	for (i = 1; i < SIM_BREAKS; i++)
		if (!strcmp(faults[i], name))
			return i;
	return -1;
}

/* Once more, with all that happens kept: a schedule is the same each time. */
static void show(u64 seed)
{
	printf("FAILED: seed %llu: %s\n", (unsigned long long)seed, sim_why());
	fflush(stdout);
	if (sim_options.trace)
		return;
	sim_options.ring = true;
	if (sim_run(seed, story))
		fprintf(stderr, "sim: seed %llu does not fail again\n", (unsigned long long)seed);
	fprintf(stderr, "--- its last %d lines; all of it: sim --seed %llu --trace\n", LAST_LINES,
		(unsigned long long)seed);
	sim_ring_print(LAST_LINES);
	sim_options.ring = false;
}

/* A thread that spins cannot be put aside, and SIGALRM ends the process. */
#define SPIN_LIMIT_S 60

static char spin_text[100];

static void spins(int number)
{
	(void)number;
	_exit(write(STDOUT_FILENO, spin_text, strlen(spin_text)) < 0 ? 2 : 1);
}

static int run_all(u64 first, u64 runs, bool keep_going)
{
	u64 seed, failed = 0;
	clock_t begin = clock();

	signal(SIGALRM, spins);
	for (seed = first; seed < first + runs; seed++) {
		snprintf(spin_text, sizeof(spin_text),
			 "FAILED: seed %llu: a thread runs on and on without waiting for anything\n",
			 (unsigned long long)seed);
		alarm(SPIN_LIMIT_S);
		if (sim_run(seed, story))
			continue;
		if (keep_going)
			printf("FAILED: seed %llu: %.200s\n", (unsigned long long)seed, sim_why());
		else
			show(seed);
		failed++;
		if (!keep_going)
			break;
	}
	printf("%llu schedules, %llu failed, %.1f s\n",
	       (unsigned long long)(failed && !keep_going ? seed - first + 1 : runs),
	       (unsigned long long)failed, (double)(clock() - begin) / CLOCKS_PER_SEC);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "first", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "nodes", required_argument, NULL, 'n' },
		{ "break", required_argument, NULL, 'b' },
		{ "trace", no_argument, NULL, 't' },
		{ "keep-going", no_argument, NULL, 'k' },
		{ "list-faults", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	u64 runs = 1000, first = 1, nodes = 0;
	bool keep_going = false, good = true;
	int opt, fault = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			good = number(optarg, &runs);
			break;
		case 'f':
			good = number(optarg, &first);
			break;
		case 's':
			good = number(optarg, &first);
			runs = 1;
			break;
		case 'n':
			good = number(optarg, &nodes) && nodes >= 2 && nodes <= SIM_NODES_MAX;
			break;
		case 'b':
			fault = find_fault(optarg);
			good = fault > 0;
			break;
		case 't':
			sim_options.trace = true;
			break;
		case 'k':
			keep_going = true;
			break;
		case 'l':
			for (fault = 1; fault < SIM_BREAKS; fault++)
				printf("%s\n", faults[fault]);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			good = false;
		}
		if (!good)
			break;
	}
	if (!good || optind != argc) {
		usage(stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sim_options.nodes = nodes;
	sim_options.fault = fault;
	return run_all(first, runs, keep_going);
}
