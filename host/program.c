/* SPDX-License-Identifier: Apache-2.0
 * Subcommands that are programs of their own, as with git: they alone link the ray caster. */
#define _GNU_SOURCE /* environ */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "file.h"

/* Where `program` is found: beside enamel, in ../libexec/enamel, or in the build tree's `sibling` folder. */
static host_status find(const char *program, const char *sibling, char out[FILE_PATH_MAX])
{
	char here[FILE_PATH_MAX], folder[FILE_PATH_MAX];
	host_status status = path_of_program(here);
	const char *const places[] = {"", "../libexec/enamel", sibling};
	for (size_t i = 0; !status && i < sizeof places / sizeof *places; i++) {
		status = path_join(here, places[i], folder);
		if (!status)
			status = path_join(folder, program, out);
		if (!status && !access(out, X_OK))
			return HOST_OK;
	}
	return status ? status
		      : host_fail(HOST_USAGE, "the program %s is neither beside enamel nor in ../libexec/enamel",
				program);
}

static int become(const char *program, const char *sibling, char **argv)
{
	char path[FILE_PATH_MAX];
	host_status status = find(program, sibling, path);
	if (!status) {
		signal(SIGPIPE, SIG_DFL);
		argv[0] = path;
		execv(path, argv);
		status = host_fail_file(HOST_USAGE, path, "cannot be started: %s", strerror(errno));
	}
	return host_report_failure(status);
}

/* Output on stdout goes nowhere, and SIGPIPE does what it does by default. */
static int spawn(const char *path, char **argv, pid_t *out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	int error = posix_spawn_file_actions_init(&actions);
	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (!error) {
		error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawnattr_setsigdefault(&attributes, &signals);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
		if (!error)
			error = posix_spawn(out, path, &actions, &attributes, argv, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* `who` is for people. */
static host_status run_beside(const char *program, const char *sibling, const char *who, char **argv, const volatile sig_atomic_t *stop)
{
	char path[FILE_PATH_MAX];
	pid_t id;
	int code;
	const struct timespec pause = {0, 20000000};
	host_status status = find(program, sibling, path);
	if (status)
		return status;
	argv[0] = path;
	int error = spawn(path, argv, &id);
	if (error)
		return host_fail_file(HOST_USAGE, path, "cannot be started: %s", strerror(error));
	pid_t reaped;
	for (bool told = false; (reaped = waitpid(id, &code, WNOHANG)) == 0; nanosleep(&pause, NULL)) {
		if (*stop && !told)
			kill(id, SIGINT);
		told = *stop;
	}
	if (reaped < 0)
		return host_fail(HOST_IO, "how the %s ended cannot be learnt: %s", who, strerror(errno));
	if (*stop)
		return host_fail(HOST_INTERRUPTED, "interrupted");
	if (WIFEXITED(code) && !WEXITSTATUS(code))
		return HOST_OK;
	const int ended = WIFEXITED(code) ? WEXITSTATUS(code) : HOST_USAGE;
	return host_fail(ended == HOST_IO || ended == HOST_DATA ? (host_status)ended : HOST_USAGE, "the %s has failed (its own line says why)", who);
}

host_status program_simulate(char **argv, const volatile sig_atomic_t *stop)
{
	return run_beside("enamel-simulate", "simulate", "simulator", argv, stop);
}

host_status program_evaluate(char **argv, const volatile sig_atomic_t *stop)
{
	return run_beside("enamel-evaluate", "evaluate", "evaluator", argv, stop);
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
