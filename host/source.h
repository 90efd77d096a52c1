/* SPDX-License-Identifier: Apache-2.0
 * Reads a dataset's frames ahead on a thread of its own, into a ring of bounded size. */
#ifndef ENM_HOST_SOURCE_H
#define ENM_HOST_SOURCE_H

#include "dataset.h"

typedef struct source source;

typedef struct source_def {
	const dataset *data;
	size_t first, end; /* frames, `end` not included */
	bool color;        /* read colour where the frame has it */
	/* The engine computes on the CPU: read only while it is idle, a ring full at a time, so that reading neither
	 * slows it down nor counts in its time. */
	bool shares_cpu;
} source_def;

typedef struct source_frame {
	size_t index; /* in the dataset */
	uint16_t *depth;
	uint8_t *rgb; /* memory for colour, or NULL */
	dataset_reading reading;
} source_frame;

typedef enum source_state { SOURCE_FRAME = 0, SOURCE_WAIT, SOURCE_END } source_state;

/* `data` must stay. HOST_IO when there is no memory or thread. */
host_status source_create(const source_def *def, source **out);
/* Stops the thread after the frame it is at. Accepts NULL and the address of NULL. */
void source_destroy(source **s);

/* The next frame in order, valid until source_release. SOURCE_WAIT when there is none within `timeout_s`, or at once
 * when `shares_cpu` and the engine is not idle. */
source_state source_next(source *s, bool engine_idle, double timeout_s, const source_frame **out);
void source_release(source *s);

/* Seconds that the thread has spent on reading and decoding. */
double source_read_s(source *s);

#endif
