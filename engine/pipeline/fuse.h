/* SPDX-License-Identifier: Apache-2.0
 * Stage "fuse": averages a tracked frame into the blocks in view (kernels/fuse.cl). */
#ifndef ENM_FUSE_H
#define ENM_FUSE_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

typedef struct fuse_stage {
	gpu_kernel k_count, k_scan, k_emit, k_integrate;
	gpu_buffer visible; /* uchar a block */
	gpu_buffer counts;  /* uint a chunk of 64 blocks */
	gpu_buffer list;    /* uint a block in view */
	size_t groups;      /* that share the blocks in view */
} fuse_stage;

ENM_MUST_CHECK enm_result fuse_create(gpu_budget *budget, const model *model, fuse_stage *out_stage);
void fuse_destroy(fuse_stage *stage);

/* Follows the model after it has grown; waits for nothing, so the queue must be empty. */
ENM_MUST_CHECK enm_result fuse_resize(fuse_stage *stage, gpu_budget *budget, const model *model);

/* Does nothing for a frame whose verdict in `track_state` is not "tracked". */
ENM_MUST_CHECK enm_result fuse_run(fuse_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state, bool has_color);

#endif
