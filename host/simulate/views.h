/* SPDX-License-Identifier: Apache-2.0
 * What each frame was shown, before any error: how much of the body, whether that was shown before, and how well it
 * fixes a pose. Written to views.txt, so that a tracker's verdicts can be judged. */
#ifndef ENM_SIMULATE_VIEWS_H
#define ENM_SIMULATE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "frame.h"
#include "timing.h"

/* A lift-off is over with the first frame that has the body within the range of depth in this share of its pixels. */
#define VIEW_BACK_SHARE 0.25
/* A place is known once this many frames have been shown it. */
#define VIEW_KNOWN_FRAMES 3

typedef struct frame_view {
	double in_range;   /* share of the rays that meet a body within the range of depth */
	double foreign;    /* share of the rays that meet a foreign body first */
	double known;      /* share of those that meet the body of truth.ply where it was shown before */
	double eigenvalue; /* least, of the normal matrix of those rays; 0 when fewer than 6 */
	double weakest[6]; /* its direction: turn, then move, in the camera's axes; unit */
	int visit;         /* lift-offs before it */
	bool other;        /* it is shown another body */
} frame_view;

typedef struct reentry {
	double lifted_s, back_s; /* the first frame without the body, and the first with it again */
	int visit;
} reentry;

typedef struct view_list {
	frame_view *views; /* one for each frame */
	size_t count;
	reentry *reentries;
	size_t reentry_count;
} view_list;

/* False when memory runs out. */
bool views_make(const frame_scene *scene, const timed_frames *timed, view_list *out_list);
void views_free(view_list *list);
host_status views_write(const char *path, const timed_frames *timed, const view_list *list);

/* Least eigenvalue of a symmetric 6x6 matrix, which is overwritten, and its direction. */
double view_least_eigenvalue(double a[6][6], double out_direction[6]);

#endif
