/* SPDX-License-Identifier: Apache-2.0
 * Parts of the truth that are told apart from the rest: what decides whether a crown fits, and where light hardly gets.
 */
#ifndef EVALUATE_REGIONS_H
#define EVALUATE_REGIONS_H

#include "score.h"

#define REGION_MARGIN_MM 0.5 /* the band reaches this far from the margin of a prepared tooth */
/* A gap is where less than this share of the light from all sides gets in, things farther off than the reach left out:
 * deep fissures, and between teeth. */
#define REGION_GAP_OPENNESS 0.5
#define REGION_GAP_REACH_MM 3.0

typedef enum region_kind { REGION_MARGIN = 0, REGION_GAPS, REGION_REST, REGION_KINDS } region_kind;

/* From the truth's samples that were seen to the reconstruction. */
typedef struct region {
	size_t seen;       /* samples */
	stats distance_mm; /* of those that the reconstruction has within SCORE_DISTANCE_MAX_MM */
	double bias_mm;    /* above 0: the reconstruction lies outside the truth */
	covered covered;
} region;

/* Says of each sample in which region it is, `out_kinds` being as many bytes. `margin` is a closed line of points;
 * none: there is no such band. A sample in the band is in no gap. */
void regions_sort(
	const samples *s, const surface *truth, const double (*margin)[3], size_t margin_count, uint8_t *out_kinds);

/* `signed_mm` is of samples_measure. HOST_IO without memory. */
host_status regions_measure(
	const samples *s, const uint8_t *kinds, const float *signed_mm, region out_regions[REGION_KINDS]);

/* The share of light that gets to a point with a unit normal: cosine-weighted, by a fixed set of rays. */
double region_openness(const surface *truth, const double point[3], const double normal[3]);

#endif
