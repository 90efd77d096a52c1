/* SPDX-License-Identifier: Apache-2.0
 * Stage "depth": raw readings to filtered depth, normals, confidence (kernels/depth.cl). */
#ifndef ENM_DEPTH_H
#define ENM_DEPTH_H

#include "gpu/gpu.h"
#include "layout.h"

typedef struct depth_stage {
	enm_k_camera camera;
	uint32_t pixels, tiles_x, tiles_y;
	gpu_kernel k_rays, k_from_u16, k_from_f32, k_fit, k_tiles;
	gpu_buffer rays;     /* float2 a pixel: x, y on the plane z = 1 */
	gpu_buffer raw;      /* ushort or float a pixel */
	gpu_buffer color;    /* 3 bytes a pixel; 4 bytes in all where the session has no colour */
	gpu_buffer depth;    /* float a pixel, mm, calibrated */
	gpu_buffer filtered; /* float a pixel, mm; 0: no reading */
	gpu_buffer normals;  /* float4 a pixel: unit normal towards the camera, weight */
	gpu_buffer tiles;    /* float4 a tile: nearest, farthest, count, 0 */
} depth_stage;

enm_k_camera depth_camera_to_device(const enm_session_def *def);

ENM_MUST_CHECK enm_result depth_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, depth_stage *out_stage);
void depth_destroy(depth_stage *stage);

/* Works on what is in `raw`. */
ENM_MUST_CHECK enm_result depth_run(depth_stage *stage, gpu_queue *queue, enm_depth_format format);

#endif
