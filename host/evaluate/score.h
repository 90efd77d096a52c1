/* SPDX-License-Identifier: Apache-2.0
 * How far a reconstruction lies off the truth, and how much of the truth it has. */
#ifndef EVALUATE_SCORE_H
#define EVALUATE_SCORE_H

#include "stats.h"
#include "surface.h"

/* Distances above this count as this. */
#define SCORE_DISTANCE_MAX_MM 2.0

typedef struct trueness {
	stats distance_mm;     /* unsigned, over every vertex of the reconstruction */
	double bias_mm;        /* mean of the signed distance: above 0 outside the truth */
	double over_max_share; /* of the vertices, 0 to 1 */
	rigid truth_from_recon;
} trueness;

/* Scores all vertices that belong to triangles. `out_signed_mm` (one per vertex, may be NULL) gets the signed
 * distances (above SCORE_DISTANCE_MAX_MM only roughly), NaN for vertices without triangle. HOST_IO without memory. */
host_status score_trueness(const surface *recon, const surface *truth, const rigid *truth_from_recon,
	float *out_signed_mm, trueness *out_trueness);

/* Points spread evenly by area over a surface, the same ones each time. */
typedef struct samples {
	size_t count;
	double (*points)[3], (*normals)[3]; /* normals of the triangles */
	bool *seen;                         /* all true to begin with */
	size_t seen_count;
} samples;

host_status samples_create(const surface *truth, size_t count, samples *out_samples);
void samples_destroy(samples *s);

/* What the true frames can see: a pinhole camera and the range of its depth. */
typedef struct viewing {
	enm_camera camera;
	double depth_min_mm, depth_max_mm;
	const rigid *world_from_camera;
	size_t frame_count;
} viewing;

#define SEEN_FRAMES_MIN 3         /* a point is seen when this many frames see it */
#define SEEN_COSINE_MIN 0.25      /* of the angle between line of sight and normal */
#define SEEN_FRAMES_USED_MAX 4000 /* more frames are thinned out evenly */

/* Marks the samples that at least SEEN_FRAMES_MIN frames saw: inside the picture and the range, at an incidence cosine
 * over SEEN_COSINE_MIN, nothing in between. Either side of a triangle counts, so that a truth whose triangles are
 * turned inside out is judged alike. Gives the number of frames used. HOST_IO without memory. */
host_status samples_mark_seen(samples *s, const surface *truth, const viewing *v, size_t *out_frames_used);

typedef struct completeness {
	double share_50um, share_100um; /* of the samples seen */
} completeness;

host_status score_completeness(
	const samples *s, const surface *recon, const rigid *truth_from_recon, completeness *out_completeness);

#endif
