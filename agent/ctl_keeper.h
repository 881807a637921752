/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of its own that has the disk which `mdclusterctl add` is about to add: it alone reads
 * and writes it, so that a disk that hangs does not hang the command, and it puts back what was
 * there however the command ends, by kill -9 as well.
 */
#ifndef MDC_CTL_KEEPER_H
#define MDC_CTL_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/nonce.h"
#include "core/track.h"
#include "port/blockdev.h"

#define MDC_KEEPER_MEMBERS_MAX 8
#define MDC_KEEPER_TEXT 1024

/* What the keeper is to know of the disk and the array from the start. */
struct mdc_keeper_disk {
	struct mdc_blockdev dev;
	struct mdc_uuid array;
	char md[MDC_KNAME_MAX];		/* its name in sysfs */
	unsigned int n_members;		/* of the array, in sync: each would do */
	struct mdc_blockdev members[MDC_KEEPER_MEMBERS_MAX];
	char keep[MDC_PATH_MAX];	/* file for what cannot be put back */
};

enum mdc_keeper_do {
	MDC_KEEP_CHECK,		/* take the disk for oneself, and see whether it can be added */
	MDC_KEEP_MARK,		/* write the nonce */
	MDC_KEEP_UNMARK,	/* put back what stood there */
	MDC_KEEP_LET_GO,	/* keep what mdadm may write over, and let it have the disk */
	MDC_KEEP_PUT_BACK,	/* mdadm has failed: take the disk, and put that back */
	MDC_KEEP_LEAVE,		/* mdadm cannot be ended: write that to the file only */
	MDC_KEEP_DONE,		/* mdadm has not failed: nothing is to be put back */
};

struct mdc_keeper_word {
	int err;		/* 0 or -errno; text says what is wrong */
	bool marked;		/* the nonce stands on the disk */
	bool kept;		/* what could not be put back is in the file */
	bool rejoins;		/* CHECK: it bears a superblock of this very array */
	bool cleaned;		/* MARK: it bore the nonce of an add that was cut off, over zeros */
	char text[MDC_KEEPER_TEXT];
};

struct mdc_keeper {
	pid_t pid;
	int fd;			/* -1: none runs */
};

/* Forks. 0 or -errno. */
int mdc_keeper_start(struct mdc_keeper *keeper, const struct mdc_keeper_disk *disk);
/*
 * nonce: for MARK. 0 with *word, also where word->err is set; -ETIMEDOUT: the disk does not
 * answer, and the keeper is to be asked nothing more; -EPIPE: it has died.
 */
int mdc_keeper_ask(struct mdc_keeper *keeper, enum mdc_keeper_do what,
		   const struct mdc_nonce *nonce, struct mdc_keeper_word *word);
/* It puts back what there is to put back, if it has not been done, and ends. */
void mdc_keeper_end(struct mdc_keeper *keeper);

#endif
