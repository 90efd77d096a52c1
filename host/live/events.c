/* SPDX-License-Identifier: Apache-2.0 */
#include "live/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"

host_status live_events_open(const char *path, live_events *out)
{
	memset(out, 0, sizeof *out);
	out->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (out->descriptor < 0)
		return host_fail_file(HOST_IO, path, "cannot write: %s", strerror(errno));
	out->open = true;
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

static void write_line(live_events *e, const char *text)
{
	const size_t size = strlen(text);
	pthread_mutex_lock(&e->lock);
	const bool written = write(e->descriptor, text, size) == (ssize_t)size;
	const bool tell = !written && !e->failed;
	e->failed = e->failed || !written;
	pthread_mutex_unlock(&e->lock);
	if (tell)
		host_warn("events.jsonl: cannot write: %s", strerror(errno));
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
	char *line = text ? realloc(text, strlen(text) + 2) : NULL;
	if (line)
		write_line(e, strcat(line, "\n"));
	free(line ? line : text);
	json_decref(root);
}

void live_event_text(live_events *e, const char *name, const char *text)
{
	bool ok = true;
	json_t *more = json_object();
	json_put(more, "text", json_string(text), &ok);
	live_event(e, name, more);
}
