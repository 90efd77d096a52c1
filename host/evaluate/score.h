/* SPDX-License-Identifier: Apache-2.0
 * How far a reconstruction lies off the truth, and how much of the truth it has. */
#ifndef EVALUATE_SCORE_H
#define EVALUATE_SCORE_H

#include "stats.h"
#include "surface.h"

/* Distances above this count as this. */
#define SCORE_DISTANCE_MAX_MM 2.0

/* Surface this far off is not the truth's, but something else that was fused. */
#define SCORE_FALSE_MM 0.2

typedef struct trueness {
	stats distance_mm;     /* unsigned, over every vertex of the reconstruction */
	double bias_mm;        /* mean of the signed distance: above 0 outside the truth */
	double over_max_share; /* of the vertices, 0 to 1 */
	double false_share;    /* of the area, 0 to 1: farther off than SCORE_FALSE_MM */
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
	bool *seen, *in_view;               /* seen.h says which; all true to begin with; what is seen is in view */
	size_t seen_count, in_view_count;
	double each_mm2; /* of the surface, that one stands for */
} samples;

host_status samples_create(const surface *truth, size_t count, samples *out_samples);
void samples_destroy(samples *s);

/* The distance of each sample that was seen to the reconstruction, above 0 where that lies outside the truth; NaN where
 * it has nothing within SCORE_DISTANCE_MAX_MM, and for the others. */
void samples_measure(const samples *s, const surface *recon, const rigid *truth_from_recon, float *out_signed_mm);

/* Shares of some of the samples that the reconstruction has within 50 and 100 um. */
typedef struct covered {
	double share_50um, share_100um;
} covered;

typedef struct completeness {
	covered seen, in_view; /* of the samples seen, of those in view */
} completeness;

host_status score_completeness(
	const samples *s, const surface *recon, const rigid *truth_from_recon, completeness *out_completeness);

#endif
