/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unix socket for root: lines in, lines out, nobody waited for. Main loop only. */
#ifndef MDC_SERVER_H
#define MDC_SERVER_H

#include <stddef.h>

#define MDC_SERVER_CLIENTS_MAX 32
#define MDC_SERVER_OUT_MAX (1 << 20)	/* bytes that a client has not read yet */

struct mdc_server;
struct mdc_conn;

/* One line without its newline. Answer with mdc_conn_send, now. */
typedef void (*mdc_server_fn)(struct mdc_conn *conn, const char *line, size_t len, void *data);

/* NULL with the reason logged. An old socket at path is replaced: hold the lock first. */
struct mdc_server *mdc_server_new(const char *path, mdc_server_fn fn, void *data);
void mdc_server_free(struct mdc_server *server);
/* text: with its newline. A client that is too far behind is dropped, after this call. */
void mdc_conn_send(struct mdc_conn *conn, const char *text, size_t len);
/* conn gets what mdc_server_tell sends from now on, and is not timed out. */
void mdc_conn_follow(struct mdc_conn *conn);
/*
 * conn is not timed out, and gone(data) is called when it is closed, from the main loop or from
 * mdc_server_free. gone NULL: that is over.
 */
void mdc_conn_stay(struct mdc_conn *conn, void (*gone)(void *data), void *data);
void mdc_server_tell(struct mdc_server *server, const char *text, size_t len);
/* Does a server answer at path? Blocks for timeout_ms at most; before the main loop runs. */
int mdc_server_ask(const char *path, unsigned int timeout_ms);

#endif
