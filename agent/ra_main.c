/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns main() of the resource agent: the real host's paths, and nothing else. */
#include "ra.h"

int main(int argc, char **argv)
{
	static const struct mdc_paths paths = {
		.sys = "/sys",
		.proc = "/proc",
		.dev = "/dev",
		.modules = "/lib/modules",
		.rundir = MDC_RUNDIR,
		.mdadm_map = "/run/mdadm/map",
		.udev_control = "/run/udev/control",
		.mdclusterd = MDC_SBINDIR "/mdclusterd",
		.alone_ms = 5000,
		.alone_step_ms = 2000,
	};

	return mdc_ra_run(argc, argv, &paths);
}
