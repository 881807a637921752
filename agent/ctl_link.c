/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking mdclusterd from the operator's command. Turns what can go wrong on the socket
 * into sentences that say what to do next.
 */
#include "ctl_link.h"

#include <errno.h>
#include <string.h>

int mdc_ctl_link_open(struct mdc_client *client, const char *path, GError **error)
{
	int rc = mdc_client_open(client, path, MDC_CTL_WAIT_S * 1000);

	if (rc == -ENOENT || rc == -ECONNREFUSED)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			    "mdclusterd is not running on this node (nobody listens at %s).\n"
			    "It runs while Pacemaker runs an ocf:mdcluster:mdcluster resource "
			    "here: see 'crm_mon -1' and start the resource.", path);
	else if (rc < 0)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "cannot reach mdclusterd at %s: %s", path, g_strerror(-rc));
	return rc;
}

/* What is wrong with a reply that is not "ok …". */
static void refused(const char *line, int rc, const char *request, GError **error)
{
	if (rc == 0 && g_str_has_prefix(line, "error "))
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "mdclusterd says: %s",
			    line + 6);
	else if (rc == -ETIMEDOUT)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "mdclusterd is there but has not answered for %d s: is it stopped, "
			    "or the node out of memory? Its next monitor will tell",
			    MDC_CTL_WAIT_S);
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "mdclusterd did not answer '%s': %s", request,
			    rc == 0 ? "what came is not of the form (another version?)" :
			    rc == -EPIPE ? "it closed the connection" : g_strerror(-rc));
}

const char *mdc_ctl_link_ask(struct mdc_client *client, const char *request, GError **error)
{
	char *line = NULL;
	int rc = mdc_client_send(client, request, MDC_CTL_WAIT_S * 1000);

	if (rc == 0)
		rc = mdc_client_line(client, &line, MDC_CTL_WAIT_S * 1000);
	if (rc == 0 && strcmp(line, "ok") == 0)
		return line + 2;
	if (rc == 0 && g_str_has_prefix(line, "ok "))
		return line + 3;
	refused(line, rc, request, error);
	return NULL;
}
