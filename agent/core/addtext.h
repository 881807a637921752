/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of the attribute mdcluster-ID-add that belong to a proposal (README.md,
 * "Attributes"), and the reasons for which a node refuses a disk. Pure.
 */
#ifndef MDC_ADDTEXT_H
#define MDC_ADDTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attrtext.h"
#include "core/diskid.h"
#include "core/uevent.h"
#include "core/uuid.h"

#define MDC_ADD_HEAD 8			/* digits of the UUID or nonce that most forms bear */
#define MDC_ADD_NO_DISK UINT32_MAX	/* raid disk of an announced disk, written "-" */
#define MDC_ADD_WAIT_MAX 3600		/* s */
#define MDC_ADD_REASON_MAX 160		/* a reason as a part of a sentence, with NUL */
#define MDC_ADD_WORD_MAX (MDC_KNAME_MAX + 12)	/* a reason as a word, with NUL */

enum mdc_why {
	MDC_WHY_UNSEEN,		/* no block device bears it */
	MDC_WHY_UNREAD,		/* none so far, and not all have answered */
	MDC_WHY_SMALL,		/* BY: the device that is too small */
	MDC_WHY_INUSE,		/* BY: what uses it */
	MDC_WHY_MOUNTED,
	MDC_WHY_IOERROR,	/* BY: the device that cannot be read */
	MDC_WHY_TWICE,		/* BY: the second device of that identity */
	MDC_WHY_OTHER,		/* BY: the device of that name, which is another medium */
	MDC_WHY_BUSY,		/* that node adds a disk itself */
	MDC_WHY_SILENT,		/* said of a node, never by it */
	MDC_WHY_COUNT
};

struct mdc_reason {
	enum mdc_why why;
	char by[MDC_KNAME_MAX];		/* empty: there is none to name */
};

enum mdc_add_kind {
	MDC_ADD_PROPOSED,	/* proposed:SLOT:UUID32:NUMBER */
	MDC_ADD_ANNOUNCED,	/* announced:WAIT:SECTORS:NONCE32:DISK:NUMBER */
	MDC_ADD_LOOKING,	/* looking:SLOT:UUID8:NODE.NUMBER */
	MDC_ADD_FOUND,		/* found:KNAME:SLOT:UUID8:NODE.NUMBER */
	MDC_ADD_MISSING,	/* missing:WHY:SLOT:UUID8:NODE.NUMBER */
	MDC_ADD_ADDED,		/* added:SLOT:UUID8 */
	MDC_ADD_REFUSED,	/* refused:SLOT:UUID8[:NODE=WHY,...] */
};

struct mdc_addtext {
	enum mdc_add_kind kind;
	uint32_t raid_disk;		/* ANNOUNCED, and what belongs to it: MDC_ADD_NO_DISK */
	/* ANNOUNCED: the nonce. These two whole, else the head, and 0 behind it. */
	struct mdc_uuid device_uuid;
	uint32_t node, number;		/* whose proposal; PROPOSED, ANNOUNCED: number only */
	uint32_t wait_s;		/* ANNOUNCED: how long to look for it */
	uint64_t sectors;		/* ANNOUNCED: its size */
	char disk[MDC_DISKID_MAX];	/* ANNOUNCED: WWN or serial number; empty: it has none */
	char device[MDC_KNAME_MAX];	/* FOUND */
	struct mdc_reason reason;	/* MISSING */
	char list[MDC_ATTR_VALUE_MAX];	/* REFUSED: who and why; may be empty */
};

/* 0; -EINVAL: none of these forms, and then *text is not to be used. */
int mdc_addtext_parse(struct mdc_addtext *text, const char *value);
/* 0 or -ENOSPC, which none of a good text's forms needs. */
int mdc_addtext_format(const struct mdc_addtext *text, char out[MDC_ATTR_VALUE_MAX]);
/* Are the first MDC_ADD_HEAD digits the same? */
bool mdc_add_head_equal(const struct mdc_uuid *a, const struct mdc_uuid *b);
/* A kernel name made fit for these forms. */
void mdc_add_kname(char out[MDC_KNAME_MAX], const char *kname);

void mdc_reason_set(struct mdc_reason *reason, enum mdc_why why, const char *by);
bool mdc_reason_equal(const struct mdc_reason *a, const struct mdc_reason *b);
/* "inuse=dm-3" */
void mdc_reason_word(const struct mdc_reason *reason, char out[MDC_ADD_WORD_MAX]);
/* 0 or -EINVAL. */
int mdc_reason_parse(struct mdc_reason *reason, const char *word);
/* "sees it, but dm-3 uses it" */
void mdc_reason_text(const struct mdc_reason *reason, char out[MDC_ADD_REASON_MAX]);

/*
 * Appends item to the list in out, with sep before it unless it is the first. Where item, or
 * what would say that more follow, has no room: "..." is appended instead, and false returned.
 */
bool mdc_list_add(char *out, size_t size, const char *sep, const char *item, bool last);

#endif
