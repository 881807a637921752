/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one child program: its stderr (bounded), its time, its end. */
#include "port/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define TEXT_MAX 1024

struct mdc_proc {
	GPid pid;
	int err_fd;
	guint child, timer;
	bool timed_out;
	mdc_proc_fn done;
	void *data;
};

/* Everything there is to come has come: the program has ended. A pipe holds 64 KiB. */
static char *last_line(int fd)
{
	char buf[TEXT_MAX + 1], keep[TEXT_MAX + 1] = "";
	char *nl;
	ssize_t n;
	int rounds = 128;

	while (rounds-- && (n = read(fd, buf, TEXT_MAX)) > 0) {
		buf[n] = '\0';
		memcpy(keep, buf, sizeof(keep));
	}
	g_strchomp(keep);
	nl = strrchr(keep, '\n');
	return g_strdup(nl ? nl + 1 : keep);
}

static void free_proc(struct mdc_proc *proc)
{
	g_clear_handle_id(&proc->timer, g_source_remove);
	g_clear_handle_id(&proc->child, g_source_remove);
	close(proc->err_fd);
	g_free(proc);
}

static void ended(GPid pid, gint status, gpointer data)
{
	struct mdc_proc *proc = data;
	g_autofree char *text = last_line(proc->err_fd);
	mdc_proc_fn done = proc->done;
	void *user = proc->data;
	int code;

	(void)pid;
	if (proc->timed_out)
		code = -ETIMEDOUT;
	else if (WIFEXITED(status))
		code = WEXITSTATUS(status);
	else
		code = 128 + WTERMSIG(status);
	proc->child = 0;
	free_proc(proc);
	if (done)
		done(code, text, user);
}

static gboolean out_of_time(gpointer data)
{
	struct mdc_proc *proc = data;

	proc->timer = 0;
	proc->timed_out = true;
	kill(proc->pid, SIGKILL);
	return G_SOURCE_REMOVE;
}

static char *find_program(const char *name)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/local/sbin" };
	char *path = g_find_program_in_path(name);
	size_t i;

	for (i = 0; !path && i < G_N_ELEMENTS(dirs); i++) {
		path = g_build_filename(dirs[i], name, NULL);
		if (access(path, X_OK))
			g_clear_pointer(&path, g_free);
	}
	return path;
}

struct mdc_proc *mdc_proc_run(char *const argv[], unsigned int timeout_ms, mdc_proc_fn done,
			      void *data)
{
	g_autofree char *path = find_program(argv[0]);
	g_auto(GStrv) args = g_strdupv((char **)argv);
	g_autoptr(GError) error = NULL;
	struct mdc_proc *proc;
	GPid pid;
	int fd;

	if (!path) {
		mdc_err("cannot run %s: not found in PATH or the sbin directories", argv[0]);
		return NULL;
	}
	g_free(args[0]);
	args[0] = g_steal_pointer(&path);
	if (!g_spawn_async_with_pipes(NULL, args, NULL,
				      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
					      G_SPAWN_CLOEXEC_PIPES,
				      NULL, NULL, &pid, NULL, NULL, &fd, &error)) {
		mdc_err("cannot run %s: %s", args[0], error->message);
		return NULL;
	}
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	proc = g_new0(struct mdc_proc, 1);
	proc->pid = pid;
	proc->err_fd = fd;
	proc->done = done;
	proc->data = data;
	proc->child = g_child_watch_add(pid, ended, proc);
	proc->timer = g_timeout_add(timeout_ms, out_of_time, proc);
	return proc;
}

static void reaped(GPid pid, gint status, gpointer data)
{
	(void)pid;
	(void)status;
	(void)data;
}

void mdc_proc_forget(struct mdc_proc *proc)
{
	if (!proc)
		return;
	g_source_remove(proc->child);
	proc->child = 0;
	g_child_watch_add(proc->pid, reaped, NULL);
	free_proc(proc);
}
