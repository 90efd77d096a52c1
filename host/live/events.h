/* SPDX-License-Identifier: Apache-2.0
 * events.jsonl of a session: a line of JSON for each thing that happened. From any thread, and a thread of its own writes: nobody waits for the disk, least of
 * all the capture that has to say that the disk does not keep up. */
#ifndef ENM_HOST_LIVE_EVENTS_H
#define ENM_HOST_LIVE_EVENTS_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "error.h"

#define LIVE_EVENTS_WAITING 4096 /* lines at most; more are counted, and their number is told when there is room */

typedef struct event_line event_line;

/* Zero it before use. It stays where it is while it is open. */
typedef struct live_events {
	int descriptor; /* of the file, open for appending; below 0: none */
	bool open;
	double begun_s; /* clock */
	/* the thread's */
	pthread_t thread;
	bool failed;
	bool torn; /* the file ends amid a line */
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	event_line *first, *last; /* that wait */
	unsigned waiting;         /* with the one that is being written */
	unsigned long left_out;
	bool stop;
} live_events;

/* HOST_IO; HOST_USAGE: a link or no file. Appends to what is there; a line that was cut off there, by a full disk or a kill, stays a line of its own. */
host_status live_events_open(const char *path, live_events *out);
/* Everything told is in the file when it returns. */
void live_events_close(live_events *e);
void live_events_flush(live_events *e);

/* {"at": UTC, "after_s": since the opening, "event": NAME} and what `more` has, which is given away and may be NULL. A
 * disk that takes no more is told once: a scan does not end for that. */
void live_event(live_events *e, const char *name, json_t *more);
/* The same with a text. */
void live_event_text(live_events *e, const char *name, const char *text);

#endif
