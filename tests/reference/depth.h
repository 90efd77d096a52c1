/* SPDX-License-Identifier: Apache-2.0
 * Reference of stage "depth" (kernels/depth.cl). */
#ifndef ENM_REFERENCE_DEPTH_H
#define ENM_REFERENCE_DEPTH_H

#include "reference/scene.h"

/* A reading in mm with the session's systematic error taken out, 0 where it is none. */
double ref_depth_convert(const enm_session_def *def, double mm, uint32_t px, uint32_t py);

typedef struct ref_depth_fit {
	double depth_mm; /* 0: no reading */
	double normal[3], weight;
	bool unsure; /* a decision so close that rounding may turn it */
} ref_depth_fit;

/* The fit at a pixel by least squares over its 5x5 window. */
ref_depth_fit ref_depth_fit_at(const enm_session_def *def, const float *depth, uint32_t px, uint32_t py);

#endif
