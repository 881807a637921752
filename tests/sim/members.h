/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is in the lockspace. A change stops all members' locks, one after the other, waits for
 * fencing and quorum, takes the dead one's locks away, and lets the members go on.
 */
#ifndef SIM_MEMBERS_H
#define SIM_MEMBERS_H

#include "dlm.h"

enum member_state { MEMBER_OUT, MEMBER_JOINING, MEMBER_IN, MEMBER_LEAVING };

void members_reset(void);

enum member_state member_state(int node);
bool member_dead(int node);		/* powered off, the others may not know yet */
bool member_locks_run(int node);	/* NODE's locks go on */
bool member_abandoned(int node);	/* no lock of it is waited for any more */
int member_slot(int node);		/* from 1; 0: none */
void member_hold(int node, struct dlm_msg *msg);	/* until its locks go on */

/* The world. */
void members_crash(int node, u64 detect_us, u64 fence_us);
void members_quorum(bool there);
void members_stop(void);		/* a recovery without a change */
bool members_quiet(void);		/* all run, nothing is pending */
u64 members_stood_still_us(void);	/* how long in all, for any member */

#endif
