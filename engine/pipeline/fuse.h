/* SPDX-License-Identifier: Apache-2.0
 * Stage "fuse": averages a tracked frame into the blocks in view (kernels/fuse.cl). */
#ifndef ENM_FUSE_H
#define ENM_FUSE_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

typedef struct fuse_stage {
	gpu_kernel k_select, k_list, k_integrate, k_integrate_rolling, k_forget;
	uint32_t group_chunks; /* that a group judges one after the other: few on GPUs, which would wait for the last */
	gpu_buffer boxes;   /* two int4 a chunk of ENM_K_SELECT_CHUNK blocks */
	gpu_buffer visible; /* a bit a block */
	gpu_buffer list;    /* uint a block in view */
	size_t groups;      /* that share the blocks in view */
} fuse_stage;

ENM_MUST_CHECK enm_result fuse_create(gpu_budget *budget, gpu_queue *queue, const model *model, fuse_stage *out_stage);
void fuse_destroy(fuse_stage *stage);

/* Forgets what it knows of the model's blocks, when the model has been emptied. */
ENM_MUST_CHECK enm_result fuse_clear(fuse_stage *stage, gpu_queue *queue);

/* Follows the model after it has grown, in the queue's order. */
ENM_MUST_CHECK enm_result fuse_resize(
	fuse_stage *stage, gpu_budget *budget, gpu_queue *queue, const model *model);

/* `color_offset`: of the frame's colours in the input of `slot`, 0 for none. Does nothing for a frame whose verdict in `track_state` is not "tracked". */
ENM_MUST_CHECK enm_result fuse_run(fuse_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state, uint32_t slot, size_t color_offset);

/* Takes back all that was fused if the frame in hand says that the scan, or the island that it is on, begins anew with it. Before its blocks are allocated. */
ENM_MUST_CHECK enm_result fuse_forget(fuse_stage *stage, gpu_queue *queue, const model *model, const gpu_buffer *track_state);

#endif
