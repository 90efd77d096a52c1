/* SPDX-License-Identifier: Apache-2.0
 * Which part of the truth a scanner was shown, and which part of that its frames hold. */
#ifndef EVALUATE_SEEN_H
#define EVALUATE_SEEN_H

#include "score.h"

#define SEEN_FRAMES_MIN 3         /* a point is seen when this many frames saw it; in view likewise */
#define SEEN_COSINE_MIN 0.25      /* of the angle between line of sight and normal */
#define SEEN_FRAMES_USED_MAX 4000 /* more frames are thinned out evenly */

/* A reading agrees with a point when it differs from the point's depth by no more than the larger of these: well above
 * the noise, well below the step from one tooth to what lies behind it. */
#define SEEN_AGREES_MM 0.3
#define SEEN_AGREES_SHARE 0.02

/* A recorded frame with its true pose. */
typedef struct view_frame {
	size_t index; /* in the dataset */
	rigid world_from_camera;
} view_frame;

/* The true frames: one pinhole camera, the range of its depth, and where the frames' depth pictures come from. */
typedef struct viewing {
	enm_camera camera;
	double depth_min_mm, depth_max_mm, depth_mm_per_unit;
	const view_frame *frames;
	size_t frame_count;
	/* Reads the depth picture of a frame (width * height values, 0: no reading); false when it cannot be read.
	 * Called on several threads. */
	bool (*read_depth)(void *user, size_t index, uint16_t *out_depth);
	void *user;
} viewing;

typedef struct seen_frames {
	size_t used, unread; /* of the used: frames whose picture is damaged or empty, which saw nothing */
} seen_frames;

/* Marks the samples that at least SEEN_FRAMES_MIN frames had in view: inside the picture and the depth range, at an
 * incidence cosine over SEEN_COSINE_MIN, nothing in between; and of those the samples that as many frames *saw*: had in
 * view and hold a reading of at the nearest pixel. Either side of a triangle counts, so that a truth whose triangles
 * are turned inside out is judged alike. All rows are taken as exposed at once, at the frame's time. HOST_IO without
 * memory.
 */
host_status samples_mark_seen(samples *s, const surface *truth, const viewing *v, seen_frames *out_frames);

#endif
