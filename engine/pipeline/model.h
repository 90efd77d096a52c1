/* SPDX-License-Identifier: Apache-2.0
 * The block-hashed volume in device memory: what the stages allocate in, fuse into and look at. */
#ifndef ENM_MODEL_H
#define ENM_MODEL_H

#include "gpu/gpu.h"
#include "layout.h"

typedef struct model {
	enm_k_volume volume;
	uint32_t blocks_max; /* what the memory bound allows */
	gpu_kernel k_rehash;
	gpu_buffer table;  /* uint2 a slot: key, block */
	gpu_buffer keys;   /* uint a block */
	gpu_buffer changed; /* uint a block: number of the last frame that moved its surface */
	gpu_buffer voxels; /* ENM_K_BLOCK_WORDS uints a block */
	gpu_buffer blocks; /* enm_k_blocks */
} model;

/* `reserve_bytes` of the budget are left for others. ENM_E_CAPACITY when not even BLOCKS_AT_START / 4 blocks fit. */
ENM_MUST_CHECK enm_result model_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, uint64_t reserve_bytes, model *out_model);
void model_destroy(model *model);

/* Empties the model, keeping its memory. */
ENM_MUST_CHECK enm_result model_clear(model *model, gpu_queue *queue);

/* Whether fewer than a share of the blocks are free of the `blocks_wanted` (those it has and those it had to refuse),
 * and the bound allows more. */
bool model_is_short(const model *model, uint32_t blocks_wanted);

/* Makes room when the model is short, as far as the bound allows. Waits for the device when it does;
 * through host memory where both copies at once would exceed the bound or GROWTH_BYTES_ON_DEVICE. Where device or host
 * have less memory than the bound allows, the model stays as it is, and what it has becomes its bound. */
ENM_MUST_CHECK enm_result model_grow(model *model, gpu_queue *queue, uint32_t blocks_wanted);

#endif
