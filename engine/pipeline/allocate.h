/* SPDX-License-Identifier: Apache-2.0
 * Stage "allocate": gives the model the blocks that a frame needs (kernels/allocate.cl). */
#ifndef ENM_ALLOCATE_H
#define ENM_ALLOCATE_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

typedef struct allocate_stage {
	int mark_stride; /* pixels between the readings that ask for blocks */
	gpu_kernel k_box, k_mark, k_number;
	gpu_buffer flags; /* uchar a grid cell; all zero between frames */
} allocate_stage;

ENM_MUST_CHECK enm_result allocate_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, const model *model, allocate_stage *out_stage);
void allocate_destroy(allocate_stage *stage);

/* Does nothing for a frame whose verdict in `track_state` is not "tracked". */
ENM_MUST_CHECK enm_result allocate_run(allocate_stage *stage, gpu_queue *queue, const depth_stage *depth,
	const model *model, const gpu_buffer *track_state);

#endif
