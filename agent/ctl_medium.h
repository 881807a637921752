/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `mdclusterctl add` writes on a disk, and takes back: the nonce, and what mdadm has left
 * there of an add that failed. May hang with the disk: in the keeper's process only.
 */
#ifndef MDC_CTL_MEDIUM_H
#define MDC_CTL_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/nonce.h"

#define MDC_MEDIUM_HEAD_MAX (256u << 20)	/* twice what mdadm leaves before the data */

struct mdc_medium {
	int fd;			/* of the disk; it is the caller's */
	const char *keep;	/* file for what is to be put back, where it may be lost */
	bool kept;		/* that file is there, and ours */
	bool marked;
	uint8_t *before;	/* MDC_NONCE_BYTES: what stood where the nonce stands */
	uint8_t *mark;		/* the nonce's block */
	uint8_t *head;		/* saved; NULL: nothing is */
	size_t head_len;
};

/* 0 or -ENOMEM. */
int mdc_medium_init(struct mdc_medium *medium, const char *keep);
void mdc_medium_free(struct mdc_medium *medium);

/*
 * Writes the nonce, after what stands there was read, and written to keep. nonce->blank is set
 * here. 0; -EEXIST: the nonce of another add stands there, told in *other, and what it stands for
 * is not known; -EALREADY: another add's keep is there; -ESTALE: an md superblock stands there,
 * other than one of the array *rejoins, which may be NULL; -EILSEQ: the disk did not keep it;
 * -errno. Nothing stays marked then, unless that could not be put back either: see
 * medium->marked.
 */
int mdc_medium_mark(struct mdc_medium *medium, struct mdc_nonce *nonce,
		    const struct mdc_uuid *rejoins, struct mdc_nonce *other);
/* 0; -ESTALE: somebody else has written there meanwhile, and it was left alone; -errno. */
int mdc_medium_unmark(struct mdc_medium *medium);

/* Keeps the first len bytes of the disk. 0; -EFBIG: more than MDC_MEDIUM_HEAD_MAX; -errno. */
int mdc_medium_save(struct mdc_medium *medium, uint64_t len);
/*
 * Puts back what differs from them. 0 or -errno, and then they are written to keep if that can be
 * done: *kept.
 */
int mdc_medium_put_back(struct mdc_medium *medium, bool *kept);
/* Writes them to keep only, as the disk is not to be written to. 0 or -errno. */
int mdc_medium_keep(struct mdc_medium *medium);

#endif
