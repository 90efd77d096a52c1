/* SPDX-License-Identifier: Apache-2.0
 * Distances between places of the truth that the reconstruction has too: landmarks and the centres of phantom spheres.
 * They need no alignment of the whole, which is what clinical studies compare. */
#ifndef EVALUATE_MARKS_H
#define EVALUATE_MARKS_H

#include "patch.h"

#define LANDMARK_PATCH_MM 3.0 /* radius of the patch around a landmark */
#define SPHERE_REACH_MM 0.5   /* vertices this near a true sphere may belong to it */
#define SPHERE_MARGIN_MM 0.3  /* caps end this far from where another sphere begins */
#define SPHERE_POINTS_MIN 60
/* Of the normal matrix a point, in the three of the centre and the radius: a cap of 56 degrees about its axis. What a surface is off by between a cap's
 * middle and its rim moves the centre by 1 / (1 - cos) as much, 2.3 times here and 17 at 20 degrees. */
#define SPHERE_EIGENVALUE_LEAST 1e-2

typedef struct landmark {
	const char *name;
	double truth[3];
	bool found; /* placed */
	patch_place patch;
	double place[3]; /* where the reconstruction has it, in its own frame */
} landmark;

/* The landmark's place in the reconstruction is defined thus: the truth's surface within LANDMARK_PATCH_MM of it (what
 * was seen of it) is moved rigidly, from the best-fit placement, onto the reconstruction by point-to-plane alignment,
 * and the landmark moves along. Not found: fewer than half of the patch was seen or lies within PATCH_REACH_MM of the
 * reconstruction, or the patch would slide. */
host_status landmarks_find(landmark *landmarks, size_t count, const samples *truth_samples, const surface *recon,
	const rigid *truth_from_recon);

typedef struct sphere {
	double centre[3], radius_mm; /* truth */
	bool found;
	double place[3], fitted_radius_mm; /* in the reconstruction's frame */
	size_t points;
} sphere;

/* Fits every sphere to the vertices on its exposed cap: near the true sphere in the best-fit placement, not near
 * another one; least squares of the distances with a free radius, reweighted by Tukey's biweight. Not found: fewer than
 * SPHERE_POINTS_MIN vertices, or a cap so small that the surface's errors on it are magnified in the centre. HOST_IO without memory. */
host_status spheres_fit(sphere *spheres, size_t count, const surface *recon, const rigid *truth_from_recon);

/* Errors of the distances between all pairs of places. */
typedef struct pair_errors {
	size_t places;                          /* found */
	stats error_mm;                         /* unsigned */
	double bias_mm;                         /* mean of measured minus true */
	double scale;                           /* least-squares measured / true; 1 is perfect */
	size_t widest[2];                       /* indices of the pair farthest apart in truth, among those found */
	double widest_true_mm, widest_error_mm; /* signed error */
	size_t worst[2];                        /* likewise, the pair whose distance is off most */
	double worst_true_mm, worst_error_mm;
} pair_errors;

/* `places` and `truth` hold only what was found. HOST_IO without memory. With fewer than two places `error_mm.count` is
 * 0. */
host_status compare_pairs(const double (*places)[3], const double (*truth)[3], size_t count, pair_errors *out_errors);

/* The pair that stands for the width of the arch, by landmark names such as "36_mb" (FDI number and cusp): the same
 * cusp of the left and right first molar, else of the second, else of the third. False when none was found on both
 * sides. */
bool landmarks_molars(const landmark *landmarks, size_t count, size_t out_pair[2]);

#endif
