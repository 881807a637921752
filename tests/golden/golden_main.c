/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent over a made-up host: everything it looks at or runs is below the folder named
 * in MDC_GOLDEN_ROOT. For tests/golden only; the real agent's paths are fixed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ra.h"

static const char *below(const char *root, const char *path)
{
	static char full[16][512];
	static unsigned int n;

	if (n == 16 || (size_t)snprintf(full[n], sizeof(full[n]), "%s%s", root, path) >= 512)
		abort();
	return full[n++];
}

int main(int argc, char **argv)
{
	const char *root = getenv("MDC_GOLDEN_ROOT");
	struct mdc_paths paths;

	if (!root) {
		fputs("MDC_GOLDEN_ROOT is not set\n", stderr);
		return 99;
	}
	paths = (struct mdc_paths) {
		.sys = below(root, "/sys"),
		.proc = below(root, "/proc"),
		.dev = below(root, "/dev"),
		.modules = below(root, "/lib/modules"),
		.rundir = below(root, "/run"),
		.mdadm_map = below(root, "/run/mdadm-map"),
		.udev_control = below(root, "/run/udev-control"),
		.mdclusterd = below(root, "/sbin/mdclusterd"),
		.tool_path = below(root, "/bin"),
		.alone_ms = 300,
		.alone_step_ms = 1,
	};
	return mdc_ra_run(argc, argv, &paths);
}
