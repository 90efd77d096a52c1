/* SPDX-License-Identifier: Apache-2.0
 * Frames between the thread that captures and the one that owns the engine: a fixed pool, so that capturing never
 * waits. */
#ifndef ENM_HOST_LIVE_QUEUE_H
#define ENM_HOST_LIVE_QUEUE_H

#include "live/policy.h"
#include "source.h"

typedef struct live_frame {
	source_frame from; /* its memory is the pool's */
	double time_s;     /* in the session's time */
	int64_t time_ns;   /* since the session's first frame: what the engine gets */
	size_t index;      /* among the frames recorded */
} live_frame;

/* Of a frame that was skipped. */
typedef struct live_dropped {
	uint64_t number;
	double time_s;
} live_dropped;

typedef struct live_queue live_queue;

typedef struct live_queue_stats {
	uint32_t waiting, waiting_max, frames; /* now; at most; that the pool holds */
	uint64_t skipped;
	bool overloaded;
} live_queue_stats;

/* HOST_IO: no memory. */
host_status live_queue_create(uint32_t width, uint32_t height, bool color, const live_policy *policy, live_queue **out);
void live_queue_destroy(live_queue **q);

/* For the capturing thread: a frame to fill, which is always there, and then one of the next two. */
live_frame *live_queue_blank(live_queue *q);
/* Joins those that wait. Returns how many were skipped for it, at most LIVE_DROP_MAX, and which. */
uint32_t live_queue_put(live_queue *q, live_frame *frame, double now_s, live_dropped out_dropped[LIVE_DROP_MAX]);
void live_queue_give_back(live_queue *q, live_frame *frame);
/* No more will come. */
void live_queue_end(live_queue *q);

typedef enum live_queue_state { LIVE_QUEUE_FRAME = 0, LIVE_QUEUE_WAIT, LIVE_QUEUE_END } live_queue_state;

/* For the engine's thread: the oldest, waiting for it up to `timeout_s`; then give it back. */
live_queue_state live_queue_take(live_queue *q, double timeout_s, live_frame **out);

/* From any thread. */
live_queue_stats live_queue_look(live_queue *q);

#endif
