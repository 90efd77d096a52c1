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

/* Places single points: moves `count` points of one surface onto another within `radius_mm`, from where `start` puts
 * them. Directions that the patch does not fix (sliding along a plane) stay as they were. False when fewer than half of
 * the points find the surface. */
bool align_patch(const double (*points)[3], size_t count, const surface *onto, const rigid *start, double radius_mm,
	rigid *out_onto_from_points);

#endif
