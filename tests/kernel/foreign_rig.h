/* SPDX-License-Identifier: Apache-2.0
 * What the tests of foreign bodies share: a camera before a wall, and the stages from depth to what is learned. */
#ifndef ENM_TEST_FOREIGN_RIG_H
#define ENM_TEST_FOREIGN_RIG_H

#include "pipeline/allocate.h"
#include "pipeline/foreign.h"
#include "pipeline/fuse.h"
#include "support.h"

#define WALL_MM 13.0
#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

/* Frames after which all cells in the view have been looked through often enough. */
#define LOOKS 12

/* A camera that stands still before a wall. */
typedef struct foreign_rig {
	enm_session_def def;
	depth_stage depth;
	model model;
	allocate_stage allocate;
	fuse_stage fuse;
	foreign_stage foreign;
	enm_k_track track;
	gpu_buffer state;
	int width, height;
	float *picture; /* of the next frame */
	float *seen;    /* what the pixel map holds once the foreign is out: depth */
	float dt_s;     /* between frames */
} foreign_rig;

foreign_rig foreign_rig_make(int width, int height, bool on);
void foreign_rig_drop(foreign_rig *r);

/* Fills columns [from, to) of the picture. */
void foreign_rig_paint(foreign_rig *r, int from, int to, double depth_mm);
/* A frame of the picture: tracked where it stands, or refused after what is foreign was judged. */
void foreign_rig_look(foreign_rig *r, uint32_t verdict);
void foreign_rig_look_times(foreign_rig *r, int frames);
/* Share of the readings in columns [from, to), away from the picture's rim, that are left. */
double foreign_rig_share_left(const foreign_rig *r, int from, int to);
float foreign_rig_share_found(const foreign_rig *r);
/* Voxels near a surface between two depths, within 1.5 mm of the line of sight. */
int foreign_rig_surface_between(const foreign_rig *r, double near_mm, double far_mm);

#endif
