/* SPDX-License-Identifier: Apache-2.0
 * Each item is a replay in a process of its own, so that none can pull another down. */
#define _GNU_SOURCE /* strsignal, sigtimedwait */
#include "batch/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "progress.h"

#define LOG_BYTES_MAX ((size_t)64 << 20)
#define ARGUMENTS_OWN 8

typedef struct worker {
	pid_t id; /* 0: idle */
	size_t item;
	double begun_s;
} worker;

typedef struct crew {
	batch *b;
	worker workers[BATCH_WORKERS_MAX];
	size_t running, ended, *queue, next, queued; /* each item stands in the queue BATCH_TRIES times at most */
} crew;

/* ---- the process of one replay ---- */

typedef struct replay_command {
	char **argv;
	char out[FILE_PATH_MAX + 32], trajectory[FILE_PATH_MAX + 32], report[FILE_PATH_MAX + 32], device[256];
	char log[FILE_PATH_MAX];
} replay_command;

static host_status make_command(const batch *b, const batch_item *item, replay_command *out)
{
	static char program[] = "enamel", command[] = "replay";
	char part[FILE_PATH_MAX];
	host_status status = batch_part_folder(b, item, "part", part);
	if (!status)
		status = path_join(part, "log.txt", out->log);
	if (status)
		return status;
	out->argv = calloc(item->source->argument_count + ARGUMENTS_OWN, sizeof *out->argv);
	if (!out->argv)
		return host_fail_memory("a worker");
	snprintf(out->out, sizeof out->out, "--out=%s/mesh.ply", part);
	snprintf(out->trajectory, sizeof out->trajectory, "--trajectory=%s/trajectory.txt", part);
	snprintf(out->report, sizeof out->report, "--report=%s/report.json", part);
	size_t at = 0;
	out->argv[at++] = program;
	out->argv[at++] = command;
	out->argv[at++] = out->out;
	out->argv[at++] = out->trajectory;
	out->argv[at++] = out->report;
	if (item->device) {
		snprintf(out->device, sizeof out->device, "--device=%s", item->device);
		out->argv[at++] = out->device;
	}
	for (size_t i = 0; i < item->source->argument_count; i++)
		out->argv[at++] = item->source->arguments[i];
	return HOST_OK;
}

/* Only calls that are allowed after a fork beside other threads: the drivers have some. The process group is its own,
 * so that Ctrl-C reaches the batch alone, which passes it on once; and it dies with the batch. */
static void become_replay(const replay_command *command, const sigset_t *mask, pid_t parent)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	int in = open("/dev/null", O_RDONLY), log = open(command->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (in < 0 || log < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
		dup2(log, STDERR_FILENO) < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execv("/proc/self/exe", command->argv);
	_exit(127);
}

static host_status start_worker(crew *c, worker *w, size_t index)
{
	batch_item *item = &c->b->items[index];
	replay_command *command = calloc(1, sizeof *command);
	if (!command)
		return host_fail_memory("a worker");
	host_status status = batch_begin_item(c->b, item);
	if (!status)
		status = make_command(c->b, item, command);
	const pid_t parent = getpid();
	const pid_t id = status ? -1 : fork();
	if (!id)
		become_replay(command, &c->b->inherited, parent);
	if (!status && id < 0)
		status = host_fail(HOST_IO, "cannot start a worker: %s", strerror(errno));
	free(command->argv);
	free(command);
	if (status)
		return status;
	*w = (worker){id, index, clock_s()};
	item->state = BATCH_RUNNING;
	item->tries++;
	c->running++;
	return HOST_OK;
}

/* ---- how it ended ---- */

/* The replay's last line, without its own name. */
static void read_reason(const batch *b, batch_item *item)
{
	char part[FILE_PATH_MAX], path[FILE_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t size = 0;
	snprintf(item->reason, sizeof item->reason, "exit code %d", item->code);
	if (batch_part_folder(b, item, "part", part) || path_join(part, "log.txt", path) ||
		file_read(path, LOG_BYTES_MAX, &bytes, &size))
		return;
	const char *text = (const char *)bytes, *last = NULL;
	const size_t head = strlen("enamel replay: ");
	for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (!strncmp(at, "enamel replay: ", head))
			last = at + head;
	if (last)
		snprintf(item->reason, sizeof item->reason, "%.*s", (int)strcspn(last, "\n"), last);
	free(bytes);
}

static void put_back(crew *c, size_t index)
{
	c->queue[c->queued++] = index;
	c->b->items[index].state = BATCH_WAITING;
}

static void fail_item(crew *c, batch_item *item)
{
	item->state = BATCH_FAILED;
	batch_drop_item(c->b, item, true);
	host_warn("%s: %s", item->source->name, item->reason);
	c->ended++;
}

/* A killed worker is no fault of its item (memory ran out, somebody tidied up), unless it comes twice. */
static void end_killed(crew *c, size_t index, int signal_number)
{
	batch_item *item = &c->b->items[index];
	if (item->tries < BATCH_TRIES) {
		host_warn("%s: its worker was ended by signal %d (%s); it is tried once more", item->source->name,
			signal_number, strsignal(signal_number));
		put_back(c, index);
		return;
	}
	snprintf(item->reason, sizeof item->reason, "its worker was ended by signal %d (%s), %u times", signal_number,
		strsignal(signal_number), item->tries);
	fail_item(c, item);
}

static void end_finished(crew *c, batch_item *item)
{
	item->reason[0] = 0;
	if (item->code)
		read_reason(c->b, item);
	item->state = item->code ? BATCH_POOR : BATCH_DONE;
	if (batch_keep_item(c->b, item)) {
		snprintf(item->reason, sizeof item->reason, "%s", host_error_text());
		fail_item(c, item);
		return;
	}
	if (item->code)
		host_warn("%s: %s", item->source->name, item->reason);
	c->ended++;
}

static void end_worker(crew *c, worker *w, int wait_status)
{
	batch_item *item = &c->b->items[w->item];
	const int signal_number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	item->wall_s = clock_s() - w->begun_s;
	item->code = signal_number ? 128 + signal_number : WEXITSTATUS(wait_status);
	w->id = 0;
	c->running--;
	if (!signal_number && item->code <= HOST_DATA) {
		end_finished(c, item);
	} else if (c->b->interrupted) {
		item->state = BATCH_WAITING;
		batch_drop_item(c->b, item, false);
	} else if (signal_number || item->code == HOST_INTERRUPTED) {
		end_killed(c, w->item, signal_number ? signal_number : SIGINT);
	} else {
		read_reason(c->b, item);
		fail_item(c, item);
	}
}

/* ---- all of them ---- */

static sigset_t batch_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	return signals;
}

static void signal_all(const crew *c, int signal_number)
{
	for (size_t i = 0; i < c->b->workers; i++)
		if (c->workers[i].id)
			kill(c->workers[i].id, signal_number);
}

static worker *idle_worker(crew *c)
{
	for (size_t i = 0; i < c->b->workers; i++)
		if (!c->workers[i].id)
			return &c->workers[i];
	return NULL;
}

static void fill_workers(crew *c)
{
	worker *idle;
	while (c->next < c->queued && !c->b->interrupted && (idle = idle_worker(c))) {
		const size_t index = c->queue[c->next++];
		batch_item *item = &c->b->items[index];
		if (!start_worker(c, idle, index))
			continue;
		item->code = HOST_IO;
		snprintf(item->reason, sizeof item->reason, "%s", host_error_text());
		fail_item(c, item);
	}
}

static void reap_workers(crew *c)
{
	for (size_t i = 0; i < c->b->workers; i++) {
		int wait_status;
		if (c->workers[i].id && waitpid(c->workers[i].id, &wait_status, WNOHANG) == c->workers[i].id)
			end_worker(c, &c->workers[i], wait_status);
	}
}

/* The first wish to stop is passed on in the way that a replay ends in order; the second is final. */
static void stop(crew *c)
{
	if (!c->b->interrupted)
		host_say("interrupted: waiting for %zu workers to end", c->running);
	signal_all(c, c->b->interrupted ? SIGKILL : SIGINT);
	c->b->interrupted = true;
}

static void show_progress(const crew *c)
{
	progress_show("%zu of %zu ended (%zu done, %zu poor, %zu failed), %zu running", c->ended, c->b->count,
		batch_count(c->b, BATCH_DONE), batch_count(c->b, BATCH_POOR), batch_count(c->b, BATCH_FAILED),
		c->running);
}

/* SIGINT may have been ignored by the shell that put us in the background; an ignored signal could not be waited for.
 * They stay blocked: the table that follows is short work, and wanted the more after an interrupt. */
void batch_watch_signals(batch *b)
{
	sigset_t signals = batch_signals();
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_BLOCK, &signals, &b->inherited);
}

/* Waits for a worker's end or a wish to stop. Not for ever: what a signal tells can be looked up as well, and the line
 * of progress grows old. */
static void wait_for_news(crew *c)
{
	const struct timespec patience = {1, 0};
	const sigset_t signals = batch_signals();
	const int signal_number = sigtimedwait(&signals, NULL, &patience);
	if (signal_number == SIGINT || signal_number == SIGTERM)
		stop(c);
}

host_status batch_work(batch *b)
{
	crew *c = calloc(1, sizeof *c);
	size_t *queue = calloc(BATCH_TRIES * b->count + 1, sizeof *queue);
	if (!c || !queue) {
		free(c);
		free(queue);
		return host_fail_memory("the workers");
	}
	c->b = b;
	c->queue = queue;
	for (size_t i = 0; i < b->count; i++) {
		if (b->items[i].state == BATCH_WAITING)
			put_back(c, i);
		else
			c->ended++;
	}
	progress_begin(!b->json);
	fill_workers(c);
	while (c->running) {
		show_progress(c);
		wait_for_news(c);
		reap_workers(c);
		fill_workers(c);
	}
	progress_end();
	free(queue);
	free(c);
	return HOST_OK;
}
