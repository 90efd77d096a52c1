/* SPDX-License-Identifier: Apache-2.0
 * The last depth picture, thinned to what a corner of the window shows. */
#ifndef ENM_VIEWER_DEPTH_PICTURE_H
#define ENM_VIEWER_DEPTH_PICTURE_H

#include "enamel.h"

#define DEPTH_PICTURE_MAX 160 /* pixels of the longer side */

typedef struct depth_picture {
	uint32_t width, height;
	float mm[DEPTH_PICTURE_MAX * DEPTH_PICTURE_MAX]; /* packed rows; 0: no reading */
	double median_mm;                                /* of the readings; 0: none */
	double readings;                                 /* share of the pixels that are some */
	double taken_s;                                  /* clock */
	uint64_t version;                                /* 0: none yet */
} depth_picture;

/* Fills all but `taken_s` and `version`. `mm_per_unit` is for ENM_DEPTH_U16. */
void depth_picture_make(const enm_frame *frame, const enm_camera *camera, double mm_per_unit, depth_picture *out);

#endif
