/* SPDX-License-Identifier: Apache-2.0
 * Stage "view": pictures of the model by raycasting, for the raycast tracker and for people (kernels/view.cl). */
#ifndef ENM_VIEW_H
#define ENM_VIEW_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

typedef struct view_stage {
	int stride; /* camera pixels for each pixel of `points` */
	uint32_t width, height;
	float sigma_ref_mm; /* as that of enm_k_camera */
	gpu_kernel k_clear, k_range, k_points, k_picture, k_hit;
	uint32_t lanes;             /* rays that a work-item casts */
	bool halves;                /* normals are four 16-bit halves a pixel (kernels/halves.h), else float4 */
	gpu_buffer points, normals; /* float4 a pixel, world; made for the raycast tracker only */
	gpu_buffer range; /* two ints a tile: nearest and farthest, as bits of floats; for the raycast tracker only */
	gpu_buffer picture_range; /* the same of the largest picture asked for */
	gpu_buffer picture;       /* RGBA a pixel of it */
} view_stage;

ENM_MUST_CHECK enm_result view_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, bool halves, view_stage *out_stage);
void view_destroy(view_stage *stage);

/* Raycasts at the pose of the last tracked frame, for the raycast tracker. */
ENM_MUST_CHECK enm_result view_follow(view_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state);

/* Raycasts a shaded picture of `def` into `out_rgba` and waits for it. */
ENM_MUST_CHECK enm_result view_render(view_stage *stage, gpu_budget *budget, gpu_queue *queue, const model *model,
	const gpu_buffer *track_state, const enm_view_def *def, uint8_t *out_rgba);

/* What the ray through a place of that picture meets; waits for it. `out_hit->found` is 0 where it meets nothing. */
ENM_MUST_CHECK enm_result view_pick(view_stage *stage, gpu_budget *budget, gpu_queue *queue, const model *model,
	const gpu_buffer *track_state, const enm_view_def *def, const double at[2], enm_k_hit *out_hit);

/* Gives back the memory of pictures; the next one takes it anew. */
void view_drop_picture(view_stage *stage);

#endif
