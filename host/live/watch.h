/* SPDX-License-Identifier: Apache-2.0
 * Watches a live scan from a thread of its own: a device that hangs, and the memory of the process. */
#ifndef ENM_HOST_LIVE_WATCH_H
#define ENM_HOST_LIVE_WATCH_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "error.h"

#define LIVE_WATCH_SAMPLES 120

/* Zero it before use. */
typedef struct live_watch {
	double hang_s;               /* the device hangs when frames are with it and none is done for so much of the watch's own time */
	void (*on_hang)(void *user); /* on the watch's thread; does not return */
	void *user;
	/* Inside: */
	pthread_t thread;
	bool started, stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool busy, paused;
	double looked_s; /* clock */
	double waited_s; /* seen to pass since something was done, or nothing was to do */
	double begun_s, sample_every_s, next_sample_s;
	double rss_bytes[LIVE_WATCH_SAMPLES]; /* evenly spaced; every second one goes when it is full */
	size_t rss_count;
	double rss_minute_bytes; /* after the first minute */
	double rss_scanned_bytes; /* when the last frame was done */
} live_watch;

/* Begins with the first three set. HOST_IO: no thread. */
host_status live_watch_begin(live_watch *w);
/* From the thread that owns the engine: are frames with it, and was something done since the last mark? */
void live_watch_mark(live_watch *w, bool busy, bool progress);
/* From the same thread: what it does now is not the device's, such as writing to a terminal that its user has stopped. */
void live_watch_pause(live_watch *w, bool paused);

/* From the same thread: no frames come any more, what remains to do is the end of the scan. */
void live_watch_scanned(live_watch *w);

/* One look, with the lock held: does the device hang? Of the time since the last look no more counts than two looks are apart, since a process that was
 * stopped, or a machine that slept, has not waited. */
bool live_watch_look(live_watch *w, double now_s);

/* Once it has returned, on_hang is not called any more. Where it is being called, this does not return: the process
 * ends. */
void live_watch_end(live_watch *w);

/* Resident memory over time. A new reference. */
json_t *live_watch_json(live_watch *w, bool *ok);

#endif
