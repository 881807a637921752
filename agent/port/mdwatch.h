/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells of changes of arrays through poll()able files. Main loop only. */
#ifndef MDC_MDWATCH_H
#define MDC_MDWATCH_H

struct mdc_mdwatch;

/* One array's sysfs files. changed is called from the main loop, several changes as one. */
struct mdc_mdwatch *mdc_mdwatch_array(const char *sys, const char *md,
				      void (*changed)(void *data), void *data);
/* /proc/mdstat: any member failing, any sync starting or ending, of any array. */
struct mdc_mdwatch *mdc_mdwatch_mdstat(void (*changed)(void *data), void *data);
void mdc_mdwatch_free(struct mdc_mdwatch *watch);

#endif
