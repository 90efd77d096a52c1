/* SPDX-License-Identifier: Apache-2.0
 * Writes frames to a recording on a thread of its own, behind a queue of bounded length. Nobody ever waits silently:
 * a full queue is an answer, and the caller decides what to do with it. */
#ifndef ENM_RECORDING_RECORDER_H
#define ENM_RECORDING_RECORDER_H

#include <stdbool.h>

#include "writer.h"

typedef struct recorder recorder;

typedef struct recorder_def {
	writer *writer; /* becomes the recorder's */
	uint32_t width, height;
	bool color;
	uint32_t queue_frames; /* 1 to 4096, each with memory for its pictures */
	int nice;              /* of the thread, where that is allowed; 0: as the process is */
} recorder_def;

typedef enum recorder_answer { RECORDER_TAKEN = 0, RECORDER_FULL, RECORDER_FAILED } recorder_answer;

typedef struct recorder_stats {
	writer_stats written;
	uint64_t taken, refused; /* frames that were queued; answers RECORDER_FULL */
	uint64_t notes_refused;  /* fates that found no room */
	uint32_t queue_max, notes_max; /* most frames, and most fates, that waited at a time */
	double cpu_s;            /* processor time of the thread */
} recorder_stats;

/* HOST_USAGE: queue out of range, no size. HOST_IO: no memory or thread; the writer stays the caller's. */
host_status recorder_create(const recorder_def *def, recorder **out);

/* Copies the frame into the queue, waiting for room up to `wait_s` seconds (0: not at all). RECORDER_FAILED: writing
 * has failed or the frame is of another size than defined; host_error_text() says which. For one thread. */
recorder_answer recorder_push(recorder *r, const recording_frame *frame, double wait_s);

/* What became of a frame that was taken, for the same file; copied into a queue of its own, RECORDER_NOTES long. Never waits. False when
 * there is no room. From any thread. */
#define RECORDER_NOTES 4096u
bool recorder_note(recorder *r, const packet_fate *fate);

/* Frames that are in the file: whole, though perhaps not yet on the disk. */
uint64_t recorder_written(recorder *r);

/* Writes what is queued, then closes as writer_close does. `out_stats` may be NULL. Accepts the address of NULL. */
host_status recorder_close(recorder **r, recorder_stats *out_stats);

#endif
