/* SPDX-License-Identifier: Apache-2.0 */
#include "live/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "json.h"

static bool ends_amid_line(int descriptor)
{
	char last;
	const off_t end = lseek(descriptor, 0, SEEK_END);
	return end > 0 && pread(descriptor, &last, 1, end - 1) == 1 && last != '\n';
}

struct event_line {
	event_line *next;
	size_t size;
	char text[]; /* begins with a line's end, for one that was cut off before it, and ends with its own */
};

/* NULL without memory. `more` is given away, and may be NULL. */
static event_line *make_line(const live_events *e, const char *name, json_t *more)
{
	bool ok = true;
	char at[32];
	const time_t now = time(NULL);
	struct tm utc;
	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_t *root = json_object();
	json_put(root, "at", json_string(at), &ok);
	json_put(root, "after_s", json_finite(clock_s() - e->begun_s), &ok);
	json_put(root, "event", json_string(name), &ok);
	if (more)
		ok = !json_object_update(root, more) && ok;
	json_decref(more);
	char *text = ok ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	const size_t bytes = text ? strlen(text) + 3 : 0;
	event_line *line = text ? malloc(sizeof *line + bytes) : NULL;
	if (line) {
		line->next = NULL;
		line->size = bytes - 1;
		snprintf(line->text, bytes, "\n%s\n", text);
	}
	free(text);
	json_decref(root);
	return line;
}

static void write_line(live_events *e, event_line *line)
{
	if (!line)
		return;
	const char *text = e->torn ? line->text : line->text + 1;
	const size_t size = e->torn ? line->size : line->size - 1;
	const ssize_t written = write(e->descriptor, text, size);
	const char *reason = written < 0 ? strerror(errno) : (size_t)written < size ? "disk full" : NULL;
	if (written > 0)
		e->torn = text[written - 1] != '\n';
	if (reason && !e->failed)
		host_warn("events.jsonl: cannot write: %s", reason);
	e->failed = e->failed || reason;
	free(line);
}

static event_line *line_of_left_out(const live_events *e, unsigned long count)
{
	bool ok = true;
	json_t *more = json_object();
	json_put(more, "count", json_integer((json_int_t)count), &ok);
	return make_line(e, "events left out", more);
}

static void *run(void *user)
{
	live_events *e = user;
	pthread_mutex_lock(&e->lock);
	while (e->first || e->left_out || !e->stop) {
		event_line *line = e->first;
		const unsigned long left_out = line ? 0 : e->left_out;
		if (!line && !left_out) {
			pthread_cond_wait(&e->changed, &e->lock);
			continue;
		}
		e->first = line ? line->next : NULL;
		e->left_out -= left_out;
		e->waiting += left_out > 0;
		pthread_mutex_unlock(&e->lock);
		write_line(e, line ? line : line_of_left_out(e, left_out));
		pthread_mutex_lock(&e->lock);
		e->waiting--;
		pthread_cond_broadcast(&e->changed);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

host_status live_events_open(const char *path, live_events *out)
{
	memset(out, 0, sizeof *out);
	host_status status = file_open_plain(path, O_RDWR | O_CREAT | O_APPEND, &out->descriptor);
	if (status)
		return status;
	out->torn = ends_amid_line(out->descriptor);
	out->begun_s = clock_s();
	pthread_mutex_init(&out->lock, NULL);
	pthread_cond_init(&out->changed, NULL);
	const int error = pthread_create(&out->thread, NULL, run, out);
	out->open = !error;
	if (!error)
		return HOST_OK;
	close(out->descriptor);
	pthread_cond_destroy(&out->changed);
	pthread_mutex_destroy(&out->lock);
	return host_fail(HOST_IO, "cannot start the thread that writes events: %s", strerror(error));
}

void live_events_flush(live_events *e)
{
	if (!e->open)
		return;
	pthread_mutex_lock(&e->lock);
	while (e->waiting || e->left_out)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
}

void live_events_close(live_events *e)
{
	if (!e->open)
		return;
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	close(e->descriptor);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	memset(e, 0, sizeof *e);
}

void live_event(live_events *e, const char *name, json_t *more)
{
	if (!e->open) {
		json_decref(more);
		return;
	}
	event_line *line = make_line(e, name, more);
	pthread_mutex_lock(&e->lock);
	if (line && e->waiting < LIVE_EVENTS_WAITING) {
		if (e->first)
			e->last->next = line;
		else
			e->first = line;
		e->last = line;
		e->waiting++;
		line = NULL;
	} else {
		e->left_out++;
	}
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	free(line);
}

void live_event_text(live_events *e, const char *name, const char *text)
{
	bool ok = true;
	json_t *more = json_object();
	json_put(more, "text", json_foreign(text), &ok);
	live_event(e, name, more);
}
