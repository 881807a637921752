/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk's name in the cluster: its WWN or serial number, made fit for an attribute. The kernel
 * names a disk differently on each node; this it gets from the disk itself. Pure.
 */
#ifndef MDC_DISKID_H
#define MDC_DISKID_H

#include <stdbool.h>

#define MDC_DISKID_MAX 41	/* with NUL */

/*
 * What sysfs shows (wwid, serial, dm/uuid), of which two nodes make the same name. part: the
 * partition's number; 0: none. False, with out empty, where nothing is left of it.
 */
bool mdc_diskid_make(char out[MDC_DISKID_MAX], const char *text, unsigned int part);
/* Is it of the form that mdc_diskid_make gives? */
bool mdc_diskid_valid(const char *id);

#endif
