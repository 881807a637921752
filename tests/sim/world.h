/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes, what people do to them, and what may go wrong. story.c decides; mdop.c carries out.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "md.h"

enum sim_answer { ANSWER_FOUND, ANSWER_MISSING, ANSWER_LATE, ANSWER_NEVER };

struct sim_node {
	int index;
	char name[16];
	bool up;			/* powered */
	bool wants;			/* its array is to run */
	struct mddev md;
	struct md_rdev adding;		/* the disk of its --add, before it is bound */
	u32 life;			/* counts power cuts */
	int commands;			/* under way here */
	u32 agents;			/* that have been attached before */
	u64 refused;			/* proposal that the kernel has taken a refusal of */
	int said_refused, said_over;	/* events of its --add */
};

struct sim_world {
	struct sim_node nodes[SIM_NODES_MAX];
	int count;
	int slots;
	/* How it goes, in this schedule. */
	u32 answer_odds[4];		/* of enum sim_answer */
	u32 bind_fails_one_in, no_memory_one_in, join_refused_one_in;
	u32 faults_one_in;
	bool uevents;			/* no agent is attached */
	bool suspends;			/* md core does, for members that change; resyncs first */
	/*
	 * A node started while a disk was added, and may not have it: what md core makes of that
	 * is not the cluster's to say.
	 */
	bool vague;
	bool writers_stop;
	bool healing;			/* nothing more goes wrong */
	u64 member_changes;		/* begun or ended so far */
	int adds, fails;		/* under way */

};

extern struct sim_world sim_world;

const char *sim_node_name(const struct sim_node *node);
int sim_node_here(void);		/* index of the node that runs */
bool sim_out_of_memory(const struct sim_node *node);
bool sim_join_refused(void);

/* Commands, each in a thread of its node; they know when they are done. */
int op_start(void *node);
int op_stop(void *node);
int op_add(void *node);
int op_fail(void *node);
int op_remove(void *node);
int op_readd(void *node);

/* Another node proposes a disk: UUID as it came. */
void agent_asked(struct sim_node *node, const u8 *uuid, u32 number);

void story(void);
void story_crash_here(const char *where);	/* the node that runs, at once */

#endif
