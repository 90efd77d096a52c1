/* SPDX-License-Identifier: Apache-2.0
 * Best-fit: where a reconstruction lies closest to the truth. */
#ifndef EVALUATE_ALIGN_H
#define EVALUATE_ALIGN_H

#include "surface.h"

/* Of the definition in DATASETS.md. While aligning, the tenth of the points that lie farthest off is left out. */
#define ALIGN_ITERATIONS_MAX 60
#define ALIGN_KEPT_SHARE 0.9

typedef struct alignment {
	rigid truth_from_recon;
	unsigned iterations;
	bool converged; /* the last step moved no point by more than 0.1 um */
} alignment;

/* Rigid point-to-plane alignment from the best of the `start_count` (at least 1) placements. HOST_DATA when no start
 * brings the surfaces together, HOST_IO without memory. */
host_status align_best_fit(const surface *recon, const surface *truth, const rigid *starts_truth_from_recon,
	size_t start_count, alignment *out_alignment);

typedef struct patch_fit {
	rigid onto_from_points;
	double found_share; /* of the points that have the surface within the radius, 0 to 1 */
	double rms_mm;      /* along the normals, of the nearest ALIGN_KEPT_SHARE of them */
	/* How firmly the found points hold the anchor in the direction in which it is held least: the information that
	 * a point gives on its place there, of 1 that it would give if all normals lay that way. By the points' own
	 * normals. 0: the patch may slide or turn so that the anchor moves, and not leave the surface. */
	double firmness;
} patch_fit;

/* Places a part of a surface by itself: moves `count` of its points, which have these `normals`, onto another surface
 * within `radius_mm`, from where `start` puts them, to learn where `anchor` goes. Directions that the patch does not
 * fix stay as they were. False when fewer than half of the points, or 20, find the surface. */
bool align_patch(const double (*points)[3], const double (*normals)[3], size_t count, const double anchor[3],
	const surface *onto, const rigid *start, double radius_mm, patch_fit *out_fit);

#endif
