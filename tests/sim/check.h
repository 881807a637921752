/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold, at each step and once all is quiet.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "os.h"
#include "lockres.h"

struct mddev;

void check_reset(void);

/* At each conversion that a node has ended. */
void check_lock(const struct mdc_lock *lock);

/* NODE's message number TAG can be read from now on; all others have acknowledged NODE's. */
void check_message_out(int node, u64 tag, const u8 *lvb);
void check_message_heard(int node);

/* MD writes to CHUNK now, or copies it. */
void check_write(struct mddev *md, int chunk);
void check_write_done(struct mddev *md, u32 disks);
void check_copy(struct mddev *md, int chunk);

/* Nothing has happened for a while. */
void check_quiet(void);
/* The node's array is stopped. */
void check_left(int node);

#endif
