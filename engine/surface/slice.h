/* SPDX-License-Identifier: Apache-2.0
 * Surface of a list of blocks (kernels/surface.cl): a slice of the model, so that little device memory is needed
 * besides the model's, and that frames wait little when slices run between them. */
#ifndef ENM_SURFACE_SLICE_H
#define ENM_SURFACE_SLICE_H

#include "pipeline/model.h"
#include "surface/cases.h"

/* Rows of voxels that a block's cells touch, and the most that one block can have. */
#define SLICE_ROWS 81
#define SLICE_BLOCK_VERTICES (3 * 8 * SLICE_ROWS)
#define SLICE_BLOCK_TRIANGLES (5 * ENM_K_BLOCK_VOXELS)
/* Device memory of a listed block, a vertex and a triangle. */
#define SLICE_BYTES_BLOCK (4 + SLICE_ROWS * 8 + sizeof(enm_k_piece) + 8)
#define SLICE_BYTES_TRIANGLE 6

typedef struct slice_size {
	uint32_t blocks, vertices, triangles; /* at most; room for the vertices and triangles of any one block */
} slice_size;

typedef struct surface_slice {
	slice_size size;
	gpu_kernel k_count, k_place, k_vertices, k_triangles;
	gpu_buffer cases;
	gpu_buffer state;     /* enm_k_surface */
	gpu_buffer list;      /* uint a block */
	gpu_buffer rows;      /* SLICE_ROWS uint2 a block, as kernels/surface.cl says */
	gpu_buffer pieces;    /* enm_k_piece a block */
	gpu_buffer firsts;    /* uint2 a block: its first vertex and triangle */
	gpu_buffer vertices;  /* enm_k_vertex */
	gpu_buffer triangles; /* three ushorts, which count within the block's piece */
	uint8_t case_table[CASES_BYTES];
} surface_slice;

/* `state` and `list` are not filled. */
ENM_MUST_CHECK enm_result slice_create(gpu_budget *budget, gpu_queue *queue, slice_size size, surface_slice *out_slice);
void slice_destroy(surface_slice *slice); /* not while its table is being written: the queue has finished once */

/* Counts the vertices and triangles of the blocks that `list` and `state` name. */
ENM_MUST_CHECK enm_result slice_count(surface_slice *slice, gpu_queue *queue, const model *model, uint32_t views_min);
/* Makes those of the first blocks that fit; `state` tells how many. After slice_count. */
ENM_MUST_CHECK enm_result slice_make(surface_slice *slice, gpu_queue *queue, const model *model, float sigma_ref_mm);

#endif
