/* SPDX-License-Identifier: Apache-2.0
 * Stage "keyframe": tracked frames kept as places to come back to after a loss (kernels/keyframe.cl). */
#ifndef ENM_KEYFRAMES_H
#define ENM_KEYFRAMES_H

#include "pipeline/depth.h"

typedef struct keyframes_stage {
	enm_k_level grid; /* pixels of a keyframe that are kept */
	gpu_kernel k_choose, k_store;
	gpu_buffer recovery;  /* enm_k_recovery */
	gpu_buffer keyframes; /* KEYFRAMES enm_k_keyframe; when they are taken no more are kept */
	gpu_buffer maps;      /* of each, uint4 a kept pixel */
} keyframes_stage;

/* Samples on a grid of about `across` pixels across the picture and three quarters of it down; all pixels of small
 * pictures. */
enm_k_level keyframes_grid(const enm_camera *camera, uint32_t across);

/* Device memory of the stage. */
uint64_t keyframes_bytes(const enm_session_def *def);

ENM_MUST_CHECK enm_result keyframes_create(gpu_budget *budget, const enm_session_def *def, keyframes_stage *out_stage);
void keyframes_destroy(keyframes_stage *stage);

/* Forgets all keyframes. */
ENM_MUST_CHECK enm_result keyframes_clear(keyframes_stage *stage, gpu_queue *queue);

/* Keeps the frame in `depth` if it was tracked and is far enough from all that are kept. */
ENM_MUST_CHECK enm_result keyframes_run(
	keyframes_stage *stage, gpu_queue *queue, const depth_stage *depth, const gpu_buffer *track_state);

#endif
