/* SPDX-License-Identifier: Apache-2.0
 * events.jsonl of a session: a line of JSON for each thing that happened, written when it does. From any thread. */
#ifndef ENM_HOST_LIVE_EVENTS_H
#define ENM_HOST_LIVE_EVENTS_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "error.h"

/* Zero it before use. */
typedef struct live_events {
	int descriptor; /* of the file, open for appending; below 0: none */
	bool open, failed;
	bool torn; /* the file ends amid a line */
	double begun_s; /* clock */
	pthread_mutex_t lock;
} live_events;

/* HOST_IO; HOST_USAGE: a link or no file. Appends to what is there; a line that was cut off there, by a full disk or a kill, stays a line of its own. */
host_status live_events_open(const char *path, live_events *out);
void live_events_close(live_events *e);

/* {"at": UTC, "after_s": since the opening, "event": NAME} and what `more` has, which is given away and may be NULL. A
 * disk that takes no more is told once: a scan does not end for that. */
void live_event(live_events *e, const char *name, json_t *more);
/* The same with a text. */
void live_event_text(live_events *e, const char *name, const char *text);

#endif
