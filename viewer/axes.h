/* SPDX-License-Identifier: Apache-2.0
 * Which way is up, front and right of a model that nobody has described: guessed from where the scanner went. */
#ifndef ENM_VIEWER_AXES_H
#define ENM_VIEWER_AXES_H

#include "enamel.h"

#define AXES_POINTS_MAX 1024

/* The scanner's way, thinned evenly to what fits. Zero it before use. */
typedef struct axes_way {
	double points_mm[AXES_POINTS_MAX][3];
	uint32_t count;
	uint32_t stride, skipped; /* every stride-th pose is kept */
	double ahead[3];          /* sum of the viewing directions */
	double first_q_xyzw[4];   /* rotation of the first camera */
} axes_way;

/* In the order of the keys 1 to 5. The lingual side of a horseshoe is seen from its open end. */
typedef enum axes_side { AXES_OCCLUSAL = 0, AXES_FRONT, AXES_LEFT, AXES_RIGHT, AXES_LINGUAL } axes_side;

void axes_add(axes_way *way, const enm_pose *world_from_camera);

/* Unit directions from the model to the eye, and of up in the picture. Up is against the mean viewing direction; front
 * is where the way, seen from above, is closed as a horseshoe is. Any way gets some. */
void axes_find(const axes_way *way, axes_side side, double out_eye[3], double out_up[3]);

/* The same for axes that are known: unit, right-handed: right, front, up, row by row. */
void axes_aim(const double axes[9], axes_side side, double out_eye[3], double out_up[3]);

#endif
