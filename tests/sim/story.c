// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens in a schedule: commands on random nodes at random moments, crashes, lost quorum,
 * killed commands. Then nothing more goes wrong, all must come to rest, and the nodes stop.
 */
#include "check.h"
#include "members.h"
#include "world.h"

#define COMMANDS_MAX 64
#define COMMAND_LIMIT_US (150 * 1000000ULL)	/* besides the time that locks stand still */
#define STOP_LIMIT_US (100 * 1000000ULL)	/* with it */
#define QUIET_LIMIT_US (600 * 1000000ULL)

struct sim_world sim_world;

static struct command {
	struct task_struct *task;
	u64 id;
	struct sim_node *node;
	u32 life;
	const char *name;
	u64 begun_us, still_us;
} commands[COMMANDS_MAX];

const char *sim_node_name(const struct sim_node *node)
{
	return node->name;
}

int sim_node_here(void)
{
	struct sim_node *node = sim_current_node();

	if (!node)
		sim_fail("%s is of no node", sim_name(current));
	return node->index;
}

bool sim_out_of_memory(const struct sim_node *node)
{
	return node && !node->md.there && !sim_world.healing &&
	       sim_chance(sim_world.no_memory_one_in);
}

bool sim_join_refused(void)
{
	return !sim_world.healing && sim_chance(sim_world.join_refused_one_in);
}

/* Commands. */

static bool under_way(const struct command *command)
{
	return command->task && command->node->life == command->life &&
	       sim_alive(command->task, command->id);
}

static void run(struct sim_node *node, const char *name, int (*fn)(void *))
{
	int i;

	for (i = 0; i < COMMANDS_MAX && under_way(&commands[i]); i++)
		;
	if (i == COMMANDS_MAX)
		return;
	sim_trace("node %d: %s", node->index + 1, name);
	node->commands++;
	commands[i].task = sim_spawn(node, name, fn, node);
	commands[i].id = sim_id(commands[i].task);
	commands[i].node = node;
	commands[i].life = node->life;
	commands[i].name = name;
	commands[i].begun_us = sim_now_us;
	commands[i].still_us = members_stood_still_us();
}

static void stuck(const char *what)
{
	static char tasks[2400], locks[1200];

	sim_wait_list(tasks, sizeof(tasks));
	dlm_dump(locks, sizeof(locks));
	sim_fail("%s\n%s%s", what, tasks, locks);
}

/* A stop ends, whether locks stand still or not; but for an update that changes roles it waits. */
static void check_stops(void)
{
	char text[100];
	int i;

	for (i = 0; i < sim_world.count; i++) {
		struct mddev *md = &sim_world.nodes[i].md;

		if (!sim_world.nodes[i].up || !md->stopping_us)
			continue;
		if (md->c && md->c->must_tell && !member_locks_run(i))
			md->stopping_us = sim_now_us;
		if (sim_now_us - md->stopping_us < STOP_LIMIT_US)
			continue;
		snprintf(text, sizeof(text), "node %d does not stop, %s locks:", i + 1,
			 member_locks_run(i) ? "with" : "without");
		stuck(text);
	}
}

static void check_commands(void)
{
	char text[100];
	int i;

	check_stops();
	for (i = 0; i < COMMANDS_MAX; i++) {
		struct command *command = &commands[i];
		u64 took;

		if (!under_way(command))
			continue;
		took = sim_now_us - command->begun_us;
		took -= members_stood_still_us() - command->still_us;
		if (took < COMMAND_LIMIT_US)
			continue;
		snprintf(text, sizeof(text), "the command %s of node %d does not end:",
			 command->name, command->node->index + 1);
		stuck(text);
	}
}

static int commands_running(void)
{
	int i, count = 0;

	for (i = 0; i < COMMANDS_MAX; i++)
		count += under_way(&commands[i]);
	return count;
}

/* Waits, and has an eye on the commands meanwhile. */
static void pass(u64 us)
{
	u64 end = sim_now_us + us;

	while (sim_now_us < end) {
		sim_sleep_us(min(end - sim_now_us, (u64)5000000));
		check_commands();
	}
}

/* What may happen. */

static int powered(void)
{
	int i, count = 0;

	for (i = 0; i < sim_world.count; i++)
		count += sim_world.nodes[i].up;
	return count;
}

static bool idle(const struct sim_node *node)
{
	return node->up && node->md.there && !node->commands;
}

static bool running(const char *name)
{
	int i;

	for (i = 0; i < COMMANDS_MAX; i++)
		if (under_way(&commands[i]) && !strcmp(commands[i].name, name))
			return true;
	return false;
}

static void may_start(struct sim_node *node)
{
	if (!node->up) {
		if (member_state(node->index) != MEMBER_OUT)
			return;
		sim_trace("node %d: power on", node->index + 1);
		node->up = true;
	}
	if (!node->md.there && !node->commands && (!sim_world.adds || sim_chance(8)) &&
	    !running("re-add"))
		run(node, "start", op_start);
}

static void crash(struct sim_node *node)
{
	static const u64 detect[] = { 0, 1000000, 10000000 };

	sim_trace("node %d: power off", node->index + 1);
	node->up = false;
	node->life++;
	members_crash(node->index, sim_below(detect[sim_below(3)] + 1), sim_below(3) ? 0 :
		      sim_below(20000000));
	sim_power_off(node);
	md_init(&node->md, node, node->index);
	node->commands = 0;
}

static void crash_event(void *a, u64 life)
{
	struct sim_node *node = a;

	if (node->up && node->life == life)
		crash(node);
}

void story_crash_here(const char *where)
{
	struct sim_node *node = &sim_world.nodes[sim_node_here()];

	if (powered() < 2)
		return;
	sim_trace("dies at %s", where);
	sim_after(0, crash_event, node, node->life);
	sim_sleep_us(1);
}

static void kill_one(void)
{
	int i = sim_below(COMMANDS_MAX), n;

	for (n = 0; n < COMMANDS_MAX; n++, i = (i + 1) % COMMANDS_MAX) {
		if (!under_way(&commands[i]))
			continue;
		sim_trace("node %d: %s is killed", commands[i].node->index + 1, commands[i].name);
		sim_kill(commands[i].task);
		return;
	}
}

static void quorum_back(void *a, u64 b)
{
	(void)a;
	(void)b;
	members_quorum(true);
}

static void lose_quorum(void)
{
	u64 longest = sim_chance(8) ? 300000000 : sim_chance(2) ? 1000000 : 30000000;

	members_quorum(false);
	sim_after(sim_below(longest), quorum_back, NULL, 0);
}

/*
 * Two legs that fail at a time on two nodes are md core's to sort out, and it does not; nor has
 * it a way for all nodes to take the same one of several spares.
 */
static bool may_fail(void)
{
	int i;

	if (sim_world.fails || sim_world.adds > 1)
		return false;
	for (i = 0; i < sim_world.count; i++) {
		struct mddev *md = &sim_world.nodes[i].md;

		if (sim_world.nodes[i].up && md->there &&
		    (md_in_sync(md) < MD_LEGS || md_spare_count(md) + sim_world.adds > 1))
			return false;
	}
	return true;
}

static void one_thing(void)
{
	struct sim_node *node = &sim_world.nodes[sim_below(sim_world.count)];
	u32 what = sim_below(100);

	if (what < 25) {
		may_start(node);
	} else if (what < 45) {
		if (idle(node) && (!running("start") || sim_chance(8)) && !running("re-add"))
			run(node, "add", op_add);
	} else if (what < 55) {
		if (idle(node) && may_fail() && !running("re-add") && !running("remove")) {
			sim_world.fails++;
			run(node, "fail", op_fail);
		}
	} else if (what < 65) {
		if (idle(node) && !running("re-add"))
			run(node, "remove", op_remove);
	} else if (what < 70) {
		/* Who removes on one node what he adds again on another gets what he asks for. */
		if (idle(node) && !running("remove") && !running("fail") && !running("start") &&
		    !running("add"))
			run(node, "re-add", op_readd);
	} else if (what < 80) {
		if (idle(node))
			run(node, "stop", op_stop);
	} else if (what < 90) {
		if (node->up && powered() > 1)
			crash(node);
	} else if (what < 94) {
		if (members_quiet())
			lose_quorum();
	} else {
		kill_one();
	}
}

/* The end: all comes to rest. */

static bool at_rest(void)
{
	int i;

	if (commands_running() || !members_quiet())
		return false;
	for (i = 0; i < sim_world.count; i++) {
		const struct mddev *md = &sim_world.nodes[i].md;

		if (sim_world.nodes[i].up && md->there &&
		    (md->running || md->needed || md->change_devs || md->change_pending ||
		     md->writers))
			return false;
	}
	return true;
}

static void come_to_rest(void)
{
	u64 end = sim_now_us + QUIET_LIMIT_US;
	int quiet = 0;

	while (quiet < 8) {
		pass(5000000);
		quiet = at_rest() ? quiet + 1 : 0;
		if (sim_now_us > end)
			stuck("the nodes do not come to rest:");
	}
}

static void stop_all_nodes(void)
{
	bool quorum_gone = sim_chance(20);
	int i;

	if (quorum_gone) {
		members_quorum(false);
		pass(sim_below(2) ? 100000 : 5000000);
	}
	for (i = 0; i < sim_world.count; i++) {
		if (idle(&sim_world.nodes[i]))
			run(&sim_world.nodes[i], "stop", op_stop);
		if (sim_chance(2))
			pass(sim_below(200000));
	}
	pass(120000000);
	if (commands_running())
		stuck("the nodes do not stop:");
	for (i = 0; i < sim_world.count; i++)
		if (sim_world.nodes[i].up && sim_threads_of(&sim_world.nodes[i]) &&
		    !quorum_gone)
			stuck("threads are left on a node that has stopped:");
}

static int director(void *arg)
{
	int i, things = 5 + sim_below(25);
	static const u32 gaps[] = { 20000, 500000, 3000000 };

	(void)arg;
	run(&sim_world.nodes[0], "start", op_start);
	if (sim_chance(2))
		pass(1000000);
	for (i = 1; i < sim_world.count; i++)
		if (!sim_chance(4))
			may_start(&sim_world.nodes[i]);
	pass(sim_below(2000000));
	for (i = 0; i < things; i++) {
		one_thing();
		pass(sim_below(gaps[sim_below(ARRAY_SIZE(gaps))]) + 1);
	}
	sim_trace("nothing more goes wrong");
	sim_world.healing = true;
	sim_world.writers_stop = true;
	come_to_rest();
	check_quiet();
	stop_all_nodes();
	sim_done();
	return 0;
}

static void choose_odds(void)
{
	u32 *odds = sim_world.answer_odds;

	odds[ANSWER_FOUND] = 50 + sim_below(51);
	odds[ANSWER_MISSING] = sim_below(101 - odds[ANSWER_FOUND]);
	odds[ANSWER_LATE] = sim_below(101 - odds[ANSWER_FOUND] - odds[ANSWER_MISSING]);
	sim_world.bind_fails_one_in = sim_chance(2) ? 4 : 0;
	sim_world.no_memory_one_in = sim_chance(8) ? 20 : 0;
	sim_world.join_refused_one_in = sim_chance(8) ? 4 : 0;
	sim_world.faults_one_in = sim_chance(2) ? 0 : 20 + sim_below(200);
	sim_world.uevents = sim_chance(2);
	sim_world.suspends = sim_chance(2);
}

void story(void)
{
	int i;

	memset(&sim_world, 0, sizeof(sim_world));
	memset(commands, 0, sizeof(commands));
	sim_world.count = sim_options.nodes ? sim_options.nodes : 2 + (int)sim_below(4);
	for (i = 0; i < sim_world.count; i++) {
		struct sim_node *node = &sim_world.nodes[i];

		node->index = i;
		node->up = true;
		snprintf(node->name, sizeof(node->name), "n%d", i + 1);
		md_init(&node->md, node, i);
	}
	choose_odds();
	check_reset();
	members_reset();
	dlm_reset();
	md_disks_init(sim_chance(8) ? max(sim_world.count - 1, 1) : sim_world.count + 1,
		      !sim_chance(4));
	sim_spawn(NULL, "director", director, NULL);
}
