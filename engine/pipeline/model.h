/* SPDX-License-Identifier: Apache-2.0
 * The block-hashed volume in device memory: what the stages allocate in, fuse into and look at. */
#ifndef ENM_MODEL_H
#define ENM_MODEL_H

#include "gpu/gpu.h"
#include "layout.h"

typedef struct model {
	enm_k_volume volume;
	uint32_t blocks_max; /* what the memory bound allows */
	uint64_t generation; /* counts growths: launches recorded before one are stale */
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

/* Makes room when the model is short, as far as the bound allows, in the queue's order: frames under way keep what
 * they were launched with. In place where the device is lazy (gpu_device_is_lazy), else by a copy on the device;
 * neither waits. Through host memory, which waits, where both copies at once would exceed the bound. Where device or
 * host have less memory than the bound allows, the model stays as it is, and what it has becomes its bound. */
ENM_MUST_CHECK enm_result model_grow(model *model, gpu_queue *queue, uint32_t blocks_wanted);

#endif
