/* SPDX-License-Identifier: Apache-2.0
 * Stage "allocate": gives the model the blocks that a frame needs (kernels/allocate.cl). */
#ifndef ENM_ALLOCATE_H
#define ENM_ALLOCATE_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

typedef struct allocate_stage {
	gpu_kernel k_reset, k_box, k_mark, k_count, k_scan, k_emit;
	gpu_buffer flags;  /* uchar a grid cell; all zero between frames */
	gpu_buffer counts; /* uint a chunk */
} allocate_stage;

ENM_MUST_CHECK enm_result allocate_create(
	gpu_budget *budget, gpu_queue *queue, const model *model, allocate_stage *out_stage);
void allocate_destroy(allocate_stage *stage);

/* Does nothing for a frame whose verdict in `track_state` is not "tracked". */
ENM_MUST_CHECK enm_result allocate_run(allocate_stage *stage, gpu_queue *queue, const depth_stage *depth,
	const model *model, const gpu_buffer *track_state);

#endif
