/* SPDX-License-Identifier: Apache-2.0
 * Stage "foreign": keeps what moves through the view out of the model (kernels/foreign.cl). A module that can be left out:
 * where a session has it switched off, it takes no memory and launches nothing. */
#ifndef ENM_FOREIGN_H
#define ENM_FOREIGN_H

#include "pipeline/depth.h"
#include "pipeline/model.h"

#if ENM_FOREIGN

typedef struct foreign_stage {
	bool on;
	enm_k_foreign sizes;
	gpu_kernel k_sort, k_flood, k_young, k_hide, k_learn, k_forget;
	gpu_buffer grid;  /* uint a cell */
	gpu_buffer tiles; /* uint4 a tile */
	gpu_buffer planes; /* float8 a tile */
	gpu_buffer flags; /* byte a tile */
	gpu_buffer kept;  /* the same of a frame that is fused later */
	gpu_buffer frame; /* enm_k_foreign_frame */
} foreign_stage;

/* Device memory that it takes. */
uint64_t foreign_bytes(const enm_session_def *def);

/* Nothing where `def` does not want it. */
ENM_MUST_CHECK enm_result foreign_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, foreign_stage *out_stage);
void foreign_destroy(foreign_stage *stage);

/* Forgets all, when the model has been emptied. */
ENM_MUST_CHECK enm_result foreign_clear(foreign_stage *stage, gpu_queue *queue);

/* At the predicted pose, before the alignment: takes what is foreign out of the pixel map of the frame whose input is in `slot`. */
ENM_MUST_CHECK enm_result foreign_hide(foreign_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state, uint32_t slot);

/* The last part of that, by the flags that the tiles have: what came in with bodies goes out of the model, and they out of the pixel map. */
ENM_MUST_CHECK enm_result foreign_take_out(foreign_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state);

/* After the fusion: learns what a tracked frame has looked through, and clears the model there. */
ENM_MUST_CHECK enm_result foreign_learn(foreign_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state);

/* The same with what was hidden of the frame before (foreign_read): which is for the scan as it went to say, not for how it is fused again. `tiles` must live
 * until the queue has come there. */
ENM_MUST_CHECK enm_result foreign_hide_again(foreign_stage *stage, gpu_queue *queue, const depth_stage *depth, const model *model,
	const gpu_buffer *track_state, uint32_t slot, const uint8_t *tiles);

/* Takes the same out of a frame that is fused later, and neither learns from it nor follows anything in it. `tiles` must live as long. */
ENM_MUST_CHECK enm_result foreign_hide_kept(
	foreign_stage *stage, gpu_queue *queue, const depth_stage *depth, const gpu_buffer *track_state, const uint8_t *tiles);

/* Knows of what is about in the picture what `before` knew, which looked at the same frames; what it knows of space stays its own. */
ENM_MUST_CHECK enm_result foreign_go_on(foreign_stage *stage, gpu_queue *queue, const foreign_stage *before);

/* Tiles of the picture; 0 where nothing is judged. And a byte for each, not 0 where something foreign was hidden in the frame in hand; `out_tiles` must live until
 * the queue has come there. */
uint32_t foreign_tiles(const foreign_stage *stage);
ENM_MUST_CHECK enm_result foreign_read(const foreign_stage *stage, gpu_queue *queue, uint8_t *out_tiles);
/* Pixels along a tile's edge. */
int32_t foreign_tile(const foreign_stage *stage);

/* Forgets all where a scan begins again, or anew, with this frame. */
ENM_MUST_CHECK enm_result foreign_forget(foreign_stage *stage, gpu_queue *queue, const gpu_buffer *track_state);

#else

typedef struct foreign_stage {
	bool on;
} foreign_stage;

#define foreign_bytes(def) ((uint64_t)0)
#define foreign_create(budget, queue, def, out_stage) ((void)(out_stage), ENM_OK)
#define foreign_destroy(stage) ((void)(stage))
#define foreign_clear(stage, queue) ((void)(stage), ENM_OK)
#define foreign_hide(stage, queue, depth, model, track_state, slot) ((void)(stage), ENM_OK)
#define foreign_hide_again(stage, queue, depth, model, track_state, slot, tiles) ((void)(stage), (void)(tiles), ENM_OK)
#define foreign_hide_kept(stage, queue, depth, track_state, tiles) ((void)(stage), (void)(tiles), ENM_OK)
#define foreign_go_on(stage, queue, before) ((void)(stage), (void)(before), ENM_OK)
#define foreign_tiles(stage) ((void)(stage), 0u)
#define foreign_tile(stage) ((void)(stage), 0)
#define foreign_read(stage, queue, out_tiles) ((void)(stage), (void)(out_tiles), ENM_OK)
#define foreign_learn(stage, queue, depth, model, track_state) ((void)(stage), ENM_OK)
#define foreign_forget(stage, queue, track_state) ((void)(stage), ENM_OK)

#endif

#endif
