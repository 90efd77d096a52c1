/* SPDX-License-Identifier: Apache-2.0
 * Reference of the colour's part in stage "track" (kernels/color.cl). */
#ifndef ENM_REFERENCE_COLOR_H
#define ENM_REFERENCE_COLOR_H

#include "reference/track.h"

typedef struct ref_color_sums {
	double s[ENM_K_SUMS];          /* the matrix and the gradient, as ENM_K_SUM_H and ENM_K_SUM_GRADIENT name them */
	double said[ENM_K_COLOR_ROWS]; /* as ENM_K_COLOR_ names them */
	int parts;                     /* of the picture that say something */
} ref_color_sums;

/* Sums over the parts of a frame with colours (R, G, B bytes) at a pose. `how->stride`: pixels between samples. */
void ref_color_sum(const ref_frame *frame, const uint8_t *colors, const ref_volume *volume, const ref_alignment *how,
	double sigma_ref_mm, const ref_pose *world_from_camera, ref_color_sums *out_sums);

#endif
