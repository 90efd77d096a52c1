/* SPDX-License-Identifier: Apache-2.0
 * Reference of stages "keyframe" and "relocate" (kernels/keyframe.cl, relocate.cl, place.cl, judge.cl). */
#ifndef ENM_REFERENCE_RELOCATE_H
#define ENM_REFERENCE_RELOCATE_H

#include "reference/track.h"

/* How far two views are apart: shift of the point at `pivot_mm` in reaches, squared, plus the turn in reaches, squared.
 */
double ref_views_apart(const ref_pose *a, const ref_pose *b, double pivot_mm, double reach_mm, double reach_rad);

/* Share of a frame's readings, on a grid of `stride` pixels, that lie on the planes of a keyframe's readings, kept on a
 * grid of `kept_stride`: Tukey's weights for a reach of `gate_mm`. `out_unsure`: samples that rounding may decide. */
double ref_keyframe_support(const ref_frame *frame, const ref_frame *kept, int stride, int kept_stride,
	const ref_pose *kept_from_camera, double gate_mm, int *out_unsure);

/* Indices of the best places that are no nearer to a better one than the reaches; returns how many, at most `most`. */
int ref_pick(const ref_pose *places, const float *support, int count, double pivot_mm, double reach_mm,
	double reach_rad, int most, int *out_picks);

/* Root mean square over `parts` x `parts` parts of the picture of their weighted mean residuals against a volume. */
double ref_patch_rms(const ref_frame *frame, const ref_volume *volume, const ref_alignment *how,
	const ref_pose *world_from_camera, int parts);

#endif
