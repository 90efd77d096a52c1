/* SPDX-License-Identifier: Apache-2.0
 * Stage "island": models apart from the first, where the way back after a loss is not found (kernels/island.cl). Their frames are kept
 * on the host, and fused into the first model when an overlap has proved where they belong. */
#ifndef ENM_ISLAND_H
#define ENM_ISLAND_H

#include "global/keyframes.h"
#include "pipeline/allocate.h"
#include "pipeline/foreign.h"
#include "pipeline/fuse.h"
#include "pipeline/model.h"

/* A frame of an island, as it was uploaded. */
typedef struct island_frame {
	void *input;
	size_t bytes;
	enm_depth_format format;
	size_t color_offset; /* 0: no colour */
	const uint8_t *hidden; /* tiles that were taken out of it (foreign_read); NULL: none */
	size_t hidden_bytes;
	uint32_t blocks;     /* that it touched on the island, or wanted: on the first model it wants no more */
	enm_k_track placed;  /* the state by which it is fused */
	uint64_t fuse_from;  /* first frame before which this may happen: in every run the same */
} island_frame;

typedef struct island_frames {
	uint32_t island; /* that they are of, while it is open; else 0 */
	island_frame *frames;
	size_t count, capacity;
	uint64_t bytes;
} island_frames;

typedef struct island_stage {
	gpu_kernel k_begin, k_settle, k_forget;
	gpu_buffer placed;     /* enm_k_track by which a frame is fused */
	size_t groups;
	uint32_t readings_min;
	island_frames open[ENM_K_ISLANDS]; /* of islands that are being built, or wait to be joined */
	island_frames joined;  /* that wait to be fused into the first model, and those that have been */
	size_t fused;          /* of `joined` */
	uint64_t free_from;    /* when this frame is done the device has read all of `joined` */
} island_stage;

ENM_MUST_CHECK enm_result island_create(gpu_budget *budget, const enm_session_def *def, island_stage *out_stage);
void island_destroy(island_stage *stage);

/* Forgets all frames kept. */
void island_clear(island_stage *stage);

/* Begins, joins or drops islands as the frame in hand demands, after the search for its place. */
ENM_MUST_CHECK enm_result island_run(island_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	allocate_stage *allocate, fuse_stage *fuse, keyframes_stage *keyframes, const gpu_buffer *track_state, uint32_t slot,
	size_t color_offset);

/* Follows what the device reports of frame `frame_id`; `frame` is its input, whose bytes are copied if they are to be kept. Frames beyond
 * the bound on memory are not kept, and are missing from the model when the island is joined. */
ENM_MUST_CHECK enm_result island_note(
	island_stage *stage, const enm_k_track *track, uint64_t frame_id, const island_frame *frame);

/* Whether an island with frames is open. */
bool island_is_open(const island_stage *stage);

/* Whether frames of a joined island wait to be fused before frame `next_frame_id`. */
bool island_waits(const island_stage *stage, uint64_t next_frame_id);

/* Blocks that the next `most` of them may want. */
uint32_t island_expects(const island_stage *stage, uint64_t next_frame_id, size_t most);

/* Fuses one of them. */
ENM_MUST_CHECK enm_result island_fuse(island_stage *stage, gpu_queue *queue, depth_stage *depth, const model *model, foreign_stage *foreign,
	allocate_stage *allocate, fuse_stage *fuse, keyframes_stage *keyframes, uint64_t next_frame_id);

#endif
