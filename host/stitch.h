/* SPDX-License-Identifier: Apache-2.0
 * Pushes the frames of a dataset through a session and keeps what became of each. */
#ifndef ENM_HOST_STITCH_H
#define ENM_HOST_STITCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "dataset.h"

/* A frame that was pushed. */
typedef struct stitch_frame {
	size_t index;            /* in the dataset */
	double pushed_s, done_s; /* clock: when its push began, when it was finished as its report tells */
	bool reported;
	bool apart; /* tracked on an island that was not joined to the first model */
	enm_report report;
} stitch_frame;

/* A frame, or only its colour, that was not. */
typedef struct stitch_left_out {
	size_t index;
	char reason[DATASET_REASON_BYTES];
} stitch_left_out;

typedef struct stitch_left_out_list {
	stitch_left_out *entries;
	size_t count, capacity;
} stitch_left_out_list;

/* Zero it before use. */
typedef struct stitch_result {
	stitch_frame *frames;
	size_t frame_count, frame_capacity;
	stitch_left_out_list left_out, colors_left_out;
	size_t tracked, weak, lost, fused;
	size_t skipped; /* of a live recording: frames that were left untracked for want of time then, and so are left now */
	size_t apart; /* of those tracked: on islands that were not joined */
	bool full;           /* the model reached its memory bound */
	bool interrupted;    /* stopped by the user */
	double first_push_s; /* clock; 0 before */
	double engine_s;     /* time during which at least one frame was with the engine */
	double read_s;       /* time spent on reading files, on the reading thread */
} stitch_result;

typedef struct stitch_def {
	const dataset *data;
	enm_session *session;
	size_t first, end;                 /* frames of the dataset, `end` not included */
	bool color;                        /* hand colour to the session */
	bool shares_cpu;                   /* the engine computes on the CPU */
	bool strict;                       /* a frame that cannot be read is a failure */
	const volatile sig_atomic_t *stop; /* the user's wish to end */
	/* Of a scan in several recordings: the index that the dataset's first frame gets, and the time of the scan's first
	 * frame. NULL: that of `first`. */
	size_t index_base;
	const double *zero_s;
	/* Called on the thread that runs stitch_run with each frame that is about to be pushed. May be NULL. */
	void (*before_frame)(void *user, const enm_frame *frame);
	/* Called after each frame on the thread that runs stitch_run, which may use the session meanwhile: for the
	 * viewer. Returns false to stop. May be NULL. */
	bool (*after_frame)(void *user, enm_session *session, const stitch_result *so_far);
	void *user;
} stitch_def;

/* Fills `out` also when it fails: what was finished until then stands in it. HOST_USAGE (strict), HOST_DEVICE, HOST_IO.
 */
host_status stitch_run(const stitch_def *def, stitch_result *out);
/* Reports have the poses of the moment; those that were corrected since are asked for frame by frame. Of a session that keeps frames. */
host_status stitch_take_poses(const enm_session *session, stitch_result *scan);
void stitch_free(stitch_result *r);

/* The frames of one dataset into a scan under way, whose feed has its own callback and is finished by the caller. Frames may still be
 * with the engine when it returns. `session`, `after_frame` and `user` of `def` are not looked at. */
struct feed;
host_status stitch_part(const stitch_def *def, struct feed *f);

/* Seconds since the first frame as the engine gets them. */
int64_t stitch_ns(double seconds);

/* The time that the engine gets for a frame. Frames may lie far apart in an index that is no clock (7-Scenes). */
int64_t stitch_time_ns(const dataset *d, size_t first, size_t index);

#endif
