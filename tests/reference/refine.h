/* SPDX-License-Identifier: Apache-2.0
 * Reference of the refinement's comparison of two frames (kernels/refine.cl): what a sample is compared with, and the
 * derivatives by central differences. */
#ifndef ENM_REFERENCE_REFINE_H
#define ENM_REFERENCE_REFINE_H

#include "layout.h"
#include "reference/scene.h"

/* A frame's map: depth and unit normal a sample, three doubles a normal. */
typedef struct ref_refine_map {
	const double *depth, *normals;
	const double *skew; /* six; NULL: all rows are exposed at once */
	uint32_t node;
} ref_refine_map;

typedef struct ref_refine {
	const enm_camera *camera;
	double residual_mm[ENM_K_RESIDUAL_TERMS];
	double gate, sigma_per_mm2; /* the gate in sigmas */
	int stride, columns, rows, samples;
	uint32_t seed;
} ref_refine;

/* Adds up what kernels/layout.h says of a pair. `out_unsure`: samples with a decision that rounding may turn. */
void ref_refine_pair(const ref_refine *how, const ref_refine_map *first, const ref_refine_map *second,
	const ref_pose *second_from_first, double out_sums[ENM_K_REFINE_SUMS], int *out_unsure);

#endif
