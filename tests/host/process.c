/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "cmocka_all.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_MS 240000 /* kernels may have to be built first */

static process_result last;

typedef struct child {
	pid_t id;
	int out, err;
	size_t out_count, err_count;
} child;

static child start(char *const argv[])
{
	int out[2], err[2];
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	fflush(NULL);
	child c = {.id = fork(), .out = out[0], .err = err[0]};
	assert_true(c.id >= 0);
	if (!c.id) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(err[0]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	memset(&last, 0, sizeof last);
	return c;
}

/* Reads once from a pipe; false at its end. */
static bool take(int descriptor, char *text, size_t *count)
{
	ssize_t got = read(descriptor, text + *count, PROCESS_TEXT_MAX - 1 - *count);
	if (got > 0)
		*count += (size_t)got;
	text[*count] = 0;
	return got > 0;
}

/* Reads until both pipes are closed, or until stderr holds the sign. */
static void listen(child *c, const char *sign)
{
	bool out_open = true, err_open = true;
	while ((out_open || err_open) && !(sign && strstr(last.err, sign))) {
		struct pollfd pipes[2] = {{out_open ? c->out : -1, POLLIN, 0}, {err_open ? c->err : -1, POLLIN, 0}};
		if (poll(pipes, 2, GIVE_UP_MS) <= 0) {
			kill(c->id, SIGKILL);
			fail_msg("the program hangs; it said: %s", last.err);
		}
		if (pipes[0].revents)
			out_open = take(c->out, last.out, &c->out_count);
		if (pipes[1].revents)
			err_open = take(c->err, last.err, &c->err_count);
	}
}

static const process_result *finish(child *c)
{
	int status;
	listen(c, NULL);
	assert_int_equal(waitpid(c->id, &status, 0), c->id);
	close(c->out);
	close(c->err);
	last.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return &last;
}

const process_result *process_run(char *const argv[])
{
	child c = start(argv);
	return finish(&c);
}

const process_result *process_run_and_signal(char *const argv[], const char *sign, int delay_ms, int signal_number)
{
	child c = start(argv);
	listen(&c, sign);
	const struct timespec delay = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
	nanosleep(&delay, NULL);
	kill(c.id, signal_number);
	return finish(&c);
}

static child begun;

pid_t process_start(char *const argv[])
{
	begun = start(argv);
	return begun.id;
}

const process_result *process_finish(void)
{
	return finish(&begun);
}

void assert_one_line(int code, const char *text)
{
	const char *end = strchr(last.err, '\n');
	if (last.code != code || !end || end[1] || !strstr(last.err, text))
		fail_msg("exit code %d and \"%s\", expected %d and one line with \"%s\"", last.code, last.err, code,
			text);
}
