/* SPDX-License-Identifier: Apache-2.0
 * Joins blocks' pieces of surface to one mesh: a piece's own vertices are kept, and those on its far side become those
 * of the blocks that own them. */
#ifndef ENM_SURFACE_WELD_H
#define ENM_SURFACE_WELD_H

#include "surface/mesh.h"
#include "surface/slice.h"

/* Own edges of a block, a bit each, axis by axis in the order of voxels. */
#define WELD_WORDS 24

typedef struct weld {
	uint32_t blocks;
	uint32_t *vertex_first; /* blocks: in the mesh */
	uint64_t *edges;        /* WELD_WORDS a block */
	uint16_t *edges_before; /* of each word: edges of the block in the words before it */
	uint32_t *far;          /* two a far vertex: its block, and the edge in it */
	uint32_t far_count, far_max;
	uint32_t vertices, triangles; /* of the mesh so far */
	enm_mesh *mesh;
} weld;

/* Counts of all pieces together decide the size of everything. ENM_E_MEMORY; ENM_E_CAPACITY when 32-bit indices cannot
 * address the vertices. */
ENM_MUST_CHECK enm_result weld_create(
	uint32_t blocks, uint64_t own_vertices, uint64_t far_vertices, uint64_t triangles, weld *out_weld);
void weld_destroy(weld *weld);

/* The next block's piece. `rows` as in surface_slice. */
void weld_add(weld *weld, const enm_k_piece *piece, const uint32_t *rows, const enm_k_vertex *vertices,
	const uint16_t *triangles);

/* When all blocks are in: the mesh, which the caller then owns. */
enm_mesh *weld_finish(weld *weld);

#endif
