/* SPDX-License-Identifier: Apache-2.0
 * The thread that takes frames from the source. Each goes to the recording first, and only what the recording took goes
 * on to the engine, so that a replay of it can give the same bits. */
#ifndef ENM_HOST_LIVE_CAPTURE_H
#define ENM_HOST_LIVE_CAPTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dataset.h"
#include "live/events.h"
#include "live/queue.h"
#include "recorder.h"
#include "stitch.h"

typedef struct live_capture_def {
	source *source;
	recorder *recorder;
	live_queue *queue;
	live_events *events;
	dataset *data;    /* a frame is added for each that is recorded; the thread's until it has ended */
	size_t *capacity; /* of its frames */
	stitch_left_out_list *left_out;
	bool fresh;        /* frames that came before it is started are passed over */
	double duration_s; /* since the first frame; 0: until the source ends or `stop` */
	const volatile sig_atomic_t *stop;
} live_capture_def;

typedef enum live_end {
	LIVE_END_NONE = 0,
	LIVE_END_SOURCE,
	LIVE_END_DURATION,
	LIVE_END_SIGNAL,
	LIVE_END_FAILURE,
	LIVE_END_NEW_SCAN
} live_end;

typedef struct live_capture_counts {
	uint64_t captured;    /* frames that came */
	uint64_t recorded;    /* of these, that the recording's queue took: a disk that fails then leaves some of them unwritten */
	uint64_t refused;     /* that found its queue full: neither recorded nor tracked */
	uint64_t left_out;    /* recorded, but of no use: no reading, time not growing */
	uint64_t no_time;     /* not recorded: a time that is no number */
	uint64_t lost_before; /* numbers that are missing: lost before they came here */
	live_end end;
	char priority[96]; /* what the thread runs at */
} live_capture_counts;

typedef struct live_capture {
	live_capture_def def;
	pthread_t thread;
	bool started, joined;
	atomic_bool stop, asked;
	/* The thread's until it is joined: */
	live_capture_counts counts;
	host_status failed;
	char failure[512];
	double started_s; /* clock */
	bool drained;     /* nothing waits in the source from before */
	bool begun;
	uint64_t last_number;
	double first_arrived_s, offset_s, zero_s, last_time_s;
	uint64_t skipped[64];
	size_t skipped_count;
	double skipped_told_s;
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool first_known, ended;
	uint16_t first_median; /* of the readings of the first usable frame, in the source's units */
} live_capture;

/* HOST_IO: no thread. */
host_status live_capture_start(const live_capture_def *def, live_capture *out);

/* Waits for the first usable frame; false when none came. */
bool live_capture_wait_first(live_capture *c, uint16_t *out_median);

/* Ends it as its user's wish for a new scan does, without waiting. */
void live_capture_ask_end(live_capture *c);
/* Ends the thread and waits for it; its source's `next` bounds how long. HOST_OK, or why it failed. May be called
 * again. */
host_status live_capture_stop(live_capture *c);
/* Waits until it has ended by itself. */
host_status live_capture_join(live_capture *c);

#endif
