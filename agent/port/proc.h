/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program without a shell, with an end to its time. Main loop only. */
#ifndef MDC_PROC_H
#define MDC_PROC_H

#include <glib.h>

struct mdc_proc;

/*
 * status: exit code, 128 + signal, or -ETIMEDOUT (killed). text: the last line it wrote to
 * stderr, never NULL. proc is gone after this.
 */
typedef void (*mdc_proc_fn)(int status, const char *text, void *data);

/* argv[0] is looked up in PATH and the sbin directories. NULL, with the reason logged, if
 * it cannot be started; done is not called then. */
struct mdc_proc *mdc_proc_run(char *const argv[], unsigned int timeout_ms, mdc_proc_fn done,
			      void *data);
/* Lets the program go on unwatched; done is not called. */
void mdc_proc_forget(struct mdc_proc *proc);

#endif
