/* SPDX-License-Identifier: Apache-2.0
 * What a tracker made of a scan that the simulator tells more about: views.txt says what each frame was shown, the
 * re-entries in truth.json where the wand came back after it was lifted off. */
#ifndef EVALUATE_TRACKING_H
#define EVALUATE_TRACKING_H

#include "drift.h"
#include "json.h"

/* Frames that were shown the jaw in less than this share of the picture are not asked for a pose: where the wand runs off the end of a row of crowns, noise
 * alone leaves it open by 41 to 43 um, told and seen, from 26 % on: by more than frames may be open (kernels/gate.cl). */
#define TRACKING_VIEW_SHARE 0.30
/* Views whose normal matrix has a least eigenvalue below this are degenerate for certain: what the engine measures is
 * this and what noise adds. */
#define TRACKING_DEGENERATE 1e-3
/* Time without a frame that counts as a gap. */
#define TRACKING_GAP_S 0.15
/* A scan that ends so soon after one says nothing of it, unless it was resumed. */
#define TRACKING_GAP_END_S 0.3
#define TRACKING_FOREIGN_SHARE 0.01

typedef struct tracking_view {
	double time_s;
	double in_range, foreign, known; /* shares, 0 to 1 */
	double eigenvalue;
} tracking_view;

/* A lift-off and what came after it. */
typedef struct tracking_reentry {
	double lifted_s, back_s, until_s; /* the next lift-off, or infinity */
	const char *place;                /* "scanned", or a wrong one; inside the JSON it was read from */
	bool right;                       /* the place is "scanned" */
	size_t tracked, wrong;            /* frames since the body came into range again, and those with a wrong pose */
	bool recovered;                   /* there is a tracked frame that is not wrong */
	double after_s;                   /* of the first of them, from back_s; NaN without one */
	size_t after_frames;
	double after_shown_s; /* of the first tracked frame that is not wrong, from the first that is shown anything */
} tracking_reentry;

typedef struct tracking_input {
	tracking_view *views;
	size_t view_count;
	tracking_reentry *reentries;
	size_t reentry_count;
	/* from the replay's report, ascending: frames said to be degenerate or to have directions held; may be none */
	double *held_s;
	size_t held_count;
} tracking_input;

/* The dataset's views.txt and the list in truth.json (`truth` may be NULL, and must stay). Without views.txt there are
 * no views and no error. HOST_USAGE with the line or entry that is wrong. */
host_status tracking_read(const char *folder, const json_t *truth, tracking_input *out_input);
/* Reads `frames_not_tracked` and `frames_held` of a report. */
host_status tracking_read_held(const char *path, const json_t *report, tracking_input *input);
void tracking_free(tracking_input *input);

typedef struct tracking {
	size_t views, in_view;               /* frames, and those that were shown enough of the jaw */
	size_t tracked;                      /* of the latter */
	size_t foreign, foreign_tracked;     /* in view with a foreign body before it */
	size_t degenerate, degenerate_told;  /* in view; reported as such */
	size_t gaps, gaps_resumed;           /* a tracked frame that is not wrong before the next gap */
	double resumed_after_s;              /* the longest of them */
	size_t reentries, recovered;         /* to what was scanned */
	size_t wrong_places, wrong_accepted; /* visits to another place; with any tracked frame */
	size_t false_accepts;                /* tracked frames after a re-entry that are wrong, or at a wrong place */
	double after_median_s, after_max_s;  /* of the recovered */
	double after_median_frames, after_shown_median_s;
} tracking;

/* `measured` holds the tracked frames. Fills in what the re-entries came to. */
host_status tracking_judge(
	tracking_input *input, const trajectory *measured, const wrong_poses *wrong, tracking *out_tracking);

json_t *tracking_json(const tracking_input *input, const tracking *t, bool *ok);
void tracking_print(const tracking *t);

#endif
