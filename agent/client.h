/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of mdclusterd's socket (README.md), bounded in time. libc only. */
#ifndef MDC_CLIENT_H
#define MDC_CLIENT_H

#include <stddef.h>

#define MDC_REPLY_MAX (1024 * 1024)	/* a longer line is an error */

struct mdc_client {
	int fd;			/* -1: closed; may be polled for reading */
	char *buf;		/* what was read and not yet handed out */
	size_t size, used, taken;
};

/*
 * 0; -ENOENT or -ECONNREFUSED: nobody listens there; -EACCES; -ETIMEDOUT: somebody does,
 * but does not answer. timeout_ms bounds the single call everywhere here.
 */
int mdc_client_open(struct mdc_client *client, const char *path, int timeout_ms);
/* line without newline. */
int mdc_client_send(struct mdc_client *client, const char *line, int timeout_ms);
/*
 * The next line, without its newline, NUL terminated; valid until the next call.
 * -ETIMEDOUT: no whole line yet (call again); -EPIPE: the other side has closed;
 * -EMSGSIZE: the line is too long; -EINTR: a signal.
 */
int mdc_client_line(struct mdc_client *client, char **line, int timeout_ms);
void mdc_client_close(struct mdc_client *client);

/*
 * One request, one reply. The reply's words after "ok " (empty for "ok" alone) or after
 * "error " are copied to text, cut to size. 0 for ok; -EREMOTEIO for error; -EPROTO for
 * anything else; otherwise as above.
 */
int mdc_client_ask(const char *path, const char *request, char *text, size_t size, int timeout_ms);

#endif
