/* SPDX-License-Identifier: Apache-2.0
 * Reference of stage "allocate" (kernels/allocate.cl). */
#ifndef ENM_REFERENCE_ALLOCATE_H
#define ENM_REFERENCE_ALLOCATE_H

#include "reference/track.h"

/* Sets of block keys, ascending. */
typedef struct ref_keys {
	uint32_t count, capacity;
	uint32_t *keys;
} ref_keys;

void ref_keys_destroy(ref_keys *keys);
bool ref_keys_have(const ref_keys *keys, uint32_t key);

/* Blocks that the band around the frame's readings touches: surely (`out_must`), and if coordinates are rounded by up
 * to `slack_mm` (`out_may`). The band reaches a truncation and a voxel along the normal to both sides. Every
 * `stride`-th pixel counts. */
void ref_allocate(const ref_frame *frame, const ref_pose *world_from_camera, int stride, double voxel_mm,
	double truncation_mm, double slack_mm, ref_keys *out_must, ref_keys *out_may);

#endif
