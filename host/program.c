/* SPDX-License-Identifier: Apache-2.0
 * Subcommands that are programs of their own, as with git: they alone link the ray caster. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "file.h"

/* Becomes `program` where it is found: beside enamel, in ../libexec/enamel, or in the build tree's `sibling` folder. */
static int become(const char *program, const char *sibling, char **argv)
{
	char here[FILE_PATH_MAX], folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
	host_status status = path_of_program(here);
	const char *const places[] = {"", "../libexec/enamel", sibling};
	for (size_t i = 0; !status && i < sizeof places / sizeof *places; i++) {
		status = path_join(here, places[i], folder);
		if (!status)
			status = path_join(folder, program, path);
		if (status || access(path, X_OK))
			continue;
		signal(SIGPIPE, SIG_DFL);
		argv[0] = path;
		execv(path, argv);
		return host_report_failure(host_fail_file(HOST_USAGE, path, "cannot be started: %s", strerror(errno)));
	}
	if (!status)
		status = host_fail(
			HOST_USAGE, "the program %s is neither beside enamel nor in ../libexec/enamel", program);
	return host_report_failure(status);
}

int command_simulate(int argc, char **argv)
{
	(void)argc;
	return become("enamel-simulate", "simulate", argv);
}

int command_evaluate(int argc, char **argv)
{
	(void)argc;
	return become("enamel-evaluate", "evaluate", argv);
}
