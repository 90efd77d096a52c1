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

host_status live_events_open(const char *path, live_events *out)
{
	memset(out, 0, sizeof *out);
	host_status status = file_open_plain(path, O_RDWR | O_CREAT | O_APPEND, &out->descriptor);
	if (status)
		return status;
	out->open = true;
	out->torn = ends_amid_line(out->descriptor);
	out->begun_s = clock_s();
	pthread_mutex_init(&out->lock, NULL);
	return HOST_OK;
}

void live_events_close(live_events *e)
{
	if (!e->open)
		return;
	close(e->descriptor);
	pthread_mutex_destroy(&e->lock);
	memset(e, 0, sizeof *e);
}

/* `line` begins with a line's end, for one that was cut off before it, and ends with its own. */
static void write_line(live_events *e, const char *line)
{
	pthread_mutex_lock(&e->lock);
	const char *text = e->torn ? line : line + 1;
	const size_t size = strlen(text);
	const ssize_t written = write(e->descriptor, text, size);
	const char *reason = written < 0 ? strerror(errno) : (size_t)written < size ? "disk full" : NULL;
	if (written > 0)
		e->torn = text[written - 1] != '\n';
	const bool tell = reason && !e->failed;
	e->failed = e->failed || reason;
	pthread_mutex_unlock(&e->lock);
	if (tell)
		host_warn("events.jsonl: cannot write: %s", reason);
}

void live_event(live_events *e, const char *name, json_t *more)
{
	bool ok = true;
	char at[32];
	const time_t now = time(NULL);
	struct tm utc;
	if (!e->open) {
		json_decref(more);
		return;
	}
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
	char *line = text ? malloc(bytes) : NULL;
	if (line) {
		snprintf(line, bytes, "\n%s\n", text);
		write_line(e, line);
	}
	free(line);
	free(text);
	json_decref(root);
}

void live_event_text(live_events *e, const char *name, const char *text)
{
	bool ok = true;
	json_t *more = json_object();
	json_put(more, "text", json_foreign(text), &ok);
	live_event(e, name, more);
}
