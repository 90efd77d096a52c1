/* SPDX-License-Identifier: Apache-2.0
 * Reference of stage "fuse" (kernels/fuse.cl). */
#ifndef ENM_REFERENCE_FUSE_H
#define ENM_REFERENCE_FUSE_H

#include "reference/track.h"

/* What a frame does to one voxel. */
typedef struct ref_fused {
	bool touched;
	bool unsure;   /* a decision that rounding may turn */
	double sdf;    /* 16-bit units, unrounded */
	double weight; /* 16-bit units */
	double rgb[3]; /* unrounded */
	uint8_t views;
} ref_fused;

/* Averages the frame into the voxel at voxel coordinates `at`, which holds `old`. `colors` may be NULL. */
ref_fused ref_fuse_voxel(const ref_frame *frame, const uint8_t *colors, const ref_pose *world_from_camera,
	double voxel_mm, double truncation_mm, const int at[3], const enm_k_voxel *old);

/* How many voxels of the block would be touched. */
uint32_t ref_fuse_reaches(const ref_frame *frame, const ref_pose *world_from_camera, double voxel_mm, double truncation_mm,
	const int block[3]);

#endif
