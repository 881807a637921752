/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of `mdclusterctl add`, from its command line to its exit status. */
#ifndef MDC_CTL_ADD_H
#define MDC_CTL_ADD_H

#include <signal.h>

#include <json-glib/json-glib.h>

#include "ctl_addview.h"
#include "ctl_keeper.h"

enum mdc_add_exit {		/* documented in mdclusterctl(8), beside 64 and 77 */
	MDC_ADD_EXIT_DONE = 0,
	MDC_ADD_EXIT_REFUSED = 1,	/* by a node */
	MDC_ADD_EXIT_UNUSABLE = 2,	/* the disk, on this node */
	MDC_ADD_EXIT_LOST = 3,		/* no mdclusterd, no such array, no connection */
	MDC_ADD_EXIT_FAILED = 4,	/* mdadm */
	MDC_ADD_EXIT_LEFT = 5,		/* the disk could not be put back as it was */
	MDC_ADD_EXIT_DECLINED = 6,	/* answered with no */
};

struct mdc_add_run {
	/* The command line. */
	const char *socket;
	char *array_text;
	gboolean yes, dry_run, json;
	const char *keep_dir;		/* NULL: the usual place */
	/* What is found out of it. */
	JsonNode *status;
	JsonObject *array;		/* in status */
	const char *device, *md;	/* in status */
	char *node;			/* this one's name */
	char disk_id[MDC_DISKID_MAX];
	struct mdc_keeper_disk disk;
	struct mdc_keeper keeper;
	/* What has come of it. */
	struct mdc_addview view;
	bool touched;			/* the disk was written to, if only for a moment */
	bool left;			/* and is not as it was */
	bool rejoins, added;
	char *reason;
};

/* Set by SIGINT, SIGTERM and SIGHUP. */
extern volatile sig_atomic_t mdc_add_stop;

/* ctl_adddisk.c: what this node knows of array and disk. Each 0 or the exit status, said. */
int mdc_add_find(struct mdc_add_run *run, const char *disk);
/* ctl_addask.c: has the nodes look for it. The exit status; 0: all that were asked see it. */
int mdc_add_ask(struct mdc_add_run *run);
/* ctl_addrun.c: has mdadm add it. The exit status. */
int mdc_add_run_mdadm(struct mdc_add_run *run);

/* ctl_add.c: on stderr, and kept as the reason. */
void mdc_add_say(struct mdc_add_run *run, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* For a person, on stdout; nothing with --json. */
void mdc_add_tell(const struct mdc_add_run *run, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Asks the keeper. 0; else the exit status, with what was wrong said. */
int mdc_add_keeper(struct mdc_add_run *run, enum mdc_keeper_do what,
		   const struct mdc_nonce *nonce, struct mdc_keeper_word *word, int exit);

#endif
