/* SPDX-License-Identifier: Apache-2.0
 * Reads a dataset's frames ahead on a thread of its own, into a ring of bounded size. */
#ifndef ENM_HOST_READ_AHEAD_H
#define ENM_HOST_READ_AHEAD_H

#include "dataset.h"

typedef struct read_ahead read_ahead;

/* Frames that are marked as skipped are passed over. */
typedef struct read_ahead_def {
	const dataset *data;
	size_t first, end; /* frames, `end` not included */
	bool color;        /* read colour where the frame has it */
	/* The engine computes on the CPU: read only while it is idle, a ring full at a time, so that reading neither
	 * slows it down nor counts in its time. */
	bool shares_cpu;
} read_ahead_def;

typedef struct read_ahead_frame {
	size_t index; /* in the dataset */
	uint16_t *depth;
	uint8_t *rgb; /* memory for colour, or NULL */
	dataset_reading reading;
} read_ahead_frame;

typedef enum read_ahead_state { READ_AHEAD_FRAME = 0, READ_AHEAD_WAIT, READ_AHEAD_END } read_ahead_state;

/* `data` must stay. HOST_IO when there is no memory or thread. */
host_status read_ahead_create(const read_ahead_def *def, read_ahead **out);
/* Stops the thread after the frame it is at. Accepts NULL and the address of NULL. */
void read_ahead_destroy(read_ahead **s);

/* The next frame in order, valid until read_ahead_release. READ_AHEAD_WAIT when there is none within `timeout_s`, or at once
 * when `shares_cpu` and the engine is not idle. */
read_ahead_state read_ahead_next(read_ahead *s, bool engine_idle, double timeout_s, const read_ahead_frame **out);
void read_ahead_release(read_ahead *s);

/* Seconds that the thread has spent on reading and decoding. */
double read_ahead_read_s(read_ahead *s);

#endif
