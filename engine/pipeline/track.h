/* SPDX-License-Identifier: Apache-2.0
 * Stages "track" and "gate": where the camera is, and whether to believe it (kernels/track.cl, kernels/gate.cl). */
#ifndef ENM_TRACK_H
#define ENM_TRACK_H

#include "pipeline/depth.h"
#include "pipeline/model.h"
#include "pipeline/view.h"

#define TRACK_LEVELS 2

typedef struct track_stage {
	enm_tracker tracker;
	enm_k_level levels[TRACK_LEVELS];
	uint32_t steps[TRACK_LEVELS]; /* most steps a level may take; the device stops earlier */
	uint32_t readings_min;
	float pivot_guess_mm;
	float half_exposure_s; /* from the middle row to the last; 0: all at once */
	int32_t color_stride; /* pixels between samples of colour */
	gpu_kernel k_predict, k_sum_field, k_sum_fixed, k_sum_raycast, k_need_color, k_sum_color, k_step, k_gate, k_alone;
	gpu_buffer state;    /* enm_k_track */
	gpu_buffer partials; /* ENM_K_SUM_ROWS_ROLLING float8 a group: of the shape, of colour, of what the shape fixes */
	gpu_buffer sums;     /* ENM_K_SUMS floats */
} track_stage;

ENM_MUST_CHECK enm_result track_create(gpu_budget *budget, const enm_session_def *def, track_stage *out_stage);
void track_destroy(track_stage *stage);

/* Forgets all poses; the next frame starts at `start_world_from_camera`. `start` must live until the queue is flushed.
 */
ENM_MUST_CHECK enm_result track_reset(track_stage *stage, gpu_queue *queue, const enm_k_track *start);
enm_k_track track_start_state(const enm_pose *start_world_from_camera);

/* Where the camera of the frame whose input is in `slot` should be. */
ENM_MUST_CHECK enm_result track_predict(track_stage *stage, gpu_queue *queue, const depth_stage *depth, uint32_t slot);

/* Aligns the frame in `depth` to the model, from the prediction on, and judges the pose. `view` is the raycast of the raycast
 * tracker, unused by the other. `color_offset`: of the colours in the slot's input, 0 for none. */
ENM_MUST_CHECK enm_result track_align(track_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const view_stage *view, uint32_t slot, size_t color_offset);

/* Both. */
ENM_MUST_CHECK enm_result track_run(track_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const view_stage *view, uint32_t slot, size_t color_offset);

#endif
