/* SPDX-License-Identifier: Apache-2.0
 * Stage "depth": raw readings to filtered depth, normals, confidence (kernels/depth.cl). */
#ifndef ENM_DEPTH_H
#define ENM_DEPTH_H

#include "gpu/gpu.h"
#include "layout.h"

/* The input of a frame that was kept and is fused later. */
#define DEPTH_INPUT_KEPT ((uint32_t)ENM_FRAMES_IN_FLIGHT)
#define DEPTH_INPUTS (ENM_FRAMES_IN_FLIGHT + 1)

typedef struct depth_stage {
	enm_k_camera camera;
	uint32_t pixels, tiles_x, tiles_y;
	bool color;
	uint32_t lanes; /* pixels of a work-item */
	gpu_kernel k_rays, k_prepare;
	gpu_buffer rays;   /* float2 a pixel: x, y on the plane z = 1 */
	gpu_buffer input[DEPTH_INPUTS]; /* of each frame under way, and of a kept one: enm_k_input, depth, colour */
	gpu_buffer pixel_map; /* uint4 a pixel (kernels/pixel.h) */
	gpu_buffer tiles;  /* float4 a tile: nearest, farthest, count, 0 */
} depth_stage;

enm_k_camera depth_camera_to_device(const enm_session_def *def);

ENM_MUST_CHECK enm_result depth_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, depth_stage *out_stage);
void depth_destroy(depth_stage *stage);

/* Where a frame's colours begin in its input, and how long an input is without and with colours. */
size_t depth_color_offset(const depth_stage *stage, enm_depth_format format);
size_t depth_input_bytes(const depth_stage *stage, enm_depth_format format, bool has_color);

/* Works on what is in `input[slot]`. */
ENM_MUST_CHECK enm_result depth_run(depth_stage *stage, gpu_queue *queue, uint32_t slot, enm_depth_format format);

#endif
