/* SPDX-License-Identifier: Apache-2.0
 * Stage "relocate": the way back after a loss (kernels/relocate.cl, place.cl, judge.cl). */
#ifndef ENM_RELOCATE_H
#define ENM_RELOCATE_H

#include "global/keyframes.h"
#include "pipeline/model.h"
#include "pipeline/track.h"

typedef struct relocate_stage {
	enm_k_level find, refine, judge; /* samples of the frame */
	uint32_t readings_min;
	gpu_kernel k_begin, k_find, k_rate, k_pick, k_refine, k_judge;
	gpu_buffer candidates; /* ENM_K_CANDIDATES enm_k_candidate */
	gpu_buffer picks;      /* ENM_K_PICKS of them */
} relocate_stage;

ENM_MUST_CHECK enm_result relocate_create(gpu_budget *budget, const enm_session_def *def, relocate_stage *out_stage);
void relocate_destroy(relocate_stage *stage);

/* Looks for the place of the frame in `depth`, after the gate. Where one is found the tracker is put there on trial.
 * Nothing happens to a frame that is tracked or on trial. */
ENM_MUST_CHECK enm_result relocate_run(relocate_stage *stage, gpu_queue *queue, const depth_stage *depth,
	const model *model, const keyframes_stage *keyframes, const track_stage *track);

#endif
