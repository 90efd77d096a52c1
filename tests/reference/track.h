/* SPDX-License-Identifier: Apache-2.0
 * Reference of stage "track" (kernels/track.cl). */
#ifndef ENM_REFERENCE_TRACK_H
#define ENM_REFERENCE_TRACK_H

#include "reference/volume.h"

/* A frame as the depth stage hands it on: filtered depth, and normal with weight, four floats a pixel. */
typedef struct ref_frame {
	const enm_camera *camera;
	const float *depth, *normals;
	const double *skew; /* where rows are exposed one after the other: the camera's turn (rad) and move (mm), in its own frame, from
	                     * the middle row to the last; NULL: all are exposed at once */
} ref_frame;

/* When a row was exposed: from -1 for the first to 1 for the last. */
double ref_moment(const ref_frame *frame, double row);
/* From where a point of the camera's frame is when a row is exposed to where it is in the middle row's, to first order; or, for a moment
 * of the opposite sign, roughly back. */
void ref_skew(const ref_frame *frame, double moment, double p[3]);

typedef struct ref_alignment {
	int stride;      /* pixels between samples */
	double gate_mm;  /* Tukey's reach */
	double pivot_mm; /* depth of the point that rotations turn about */
} ref_alignment;

typedef struct ref_sums {
	double s[ENM_K_SUMS_ROLLING]; /* as ENM_K_SUM_ names them; the last ones where the frame has a skew */
	double fixed[36];     /* products of the model's rows with those that the frame's own normals make; not of a raycast */
	int unsure;           /* samples with a decision that rounding may turn */
} ref_sums;

/* Sums of point-to-surface residuals of a frame at a pose against the distances of a volume. */
void ref_track_sums(const ref_frame *frame, const ref_volume *volume, const ref_alignment *how,
	const ref_pose *world_from_camera, ref_sums *out_sums);

/* What a raycast of the model sees from a pose: points (w 0: none) and unit normals, four floats a pixel, a pixel for
 * every `stride` of the camera's. */
typedef struct ref_raycast {
	uint32_t width, height;
	int stride;
	const float *points, *normals;
	ref_pose world_from_camera;
} ref_raycast;

/* The same against the points that a raycast sees at the readings' places. */
void ref_track_sums_raycast(const ref_frame *frame, const ref_raycast *view, const ref_alignment *how,
	const ref_pose *world_from_camera, ref_sums *out_sums);

/* The pose after one Gauss-Newton step from the sums, with the prediction as a prior of weight `prior`. */
ref_pose ref_track_step(const double sums[ENM_K_SUMS], const ref_pose *pose, const ref_pose *predicted, double pivot_mm,
	double prior, double reach_mm);

#endif
