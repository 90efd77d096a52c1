/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/weld.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define SIDE 9
#define FAR 0x80000000u /* of an index: it counts far vertices */

enm_result weld_create(
	uint32_t blocks, uint64_t own_vertices, uint64_t far_vertices, uint64_t triangles, weld *out_weld)
{
	weld *w = out_weld;
	memset(w, 0, sizeof(*w));
	if (own_vertices >= FAR || far_vertices >= FAR || triangles > UINT32_MAX)
		return error_set(ENM_E_CAPACITY, "surface: %llu vertices are too many for 32-bit indices",
			(unsigned long long)own_vertices);
	w->blocks = blocks;
	w->far_max = (uint32_t)far_vertices;
	w->vertex_first = calloc((size_t)blocks + 1, sizeof(*w->vertex_first));
	w->edges = calloc((size_t)blocks + 1, WELD_WORDS * sizeof(*w->edges));
	w->edges_before = calloc((size_t)blocks + 1, WELD_WORDS * sizeof(*w->edges_before));
	w->far = malloc(((size_t)far_vertices + 1) * 2 * sizeof(*w->far));
	enm_result result = ENM_OK;
	if (w->vertex_first == NULL || w->edges == NULL || w->edges_before == NULL || w->far == NULL)
		result = error_set(ENM_E_MEMORY, "surface: no host memory");
	if (result == ENM_OK)
		result = mesh_alloc((size_t)own_vertices, (size_t)triangles,
			MESH_NORMALS | MESH_VIEWS | MESH_SIGMA | MESH_COLORS, &w->mesh);
	if (result != ENM_OK)
		weld_destroy(w);
	return result;
}

void weld_destroy(weld *w)
{
	free(w->vertex_first);
	free(w->edges);
	free(w->edges_before);
	free(w->far);
	enm_mesh_destroy(&w->mesh);
	memset(w, 0, sizeof(*w));
}

static uint32_t bit_count(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555u;
	bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
	bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
	return (uint32_t)(bits * 0x0101010101010101u >> 56);
}

/* Edges of a row of voxels along an axis. */
static uint32_t row_edges(const uint32_t *rows, int r, int axis)
{
	return axis == 0 ? rows[2 * r] & 0xFFu : rows[2 * r] >> (axis == 1 ? 8 : 17) & 0x1FFu;
}

static void keep_edges(weld *w, uint32_t block, const uint32_t *rows)
{
	uint64_t *edges = w->edges + (size_t)block * WELD_WORDS;
	uint16_t *before = w->edges_before + (size_t)block * WELD_WORDS;
	uint32_t count = 0;
	for (int i = 0; i < WELD_WORDS; i++) {
		uint64_t word = 0;
		for (int y = 0; y < 8; y++)
			word |= (uint64_t)(row_edges(rows, y + SIDE * (i % 8), i / 8) & 0xFFu) << (8 * y);
		edges[i] = word;
		before[i] = (uint16_t)count;
		count += bit_count(word);
	}
}

/* In the order in which the kernels number them. */
static void keep_far(weld *w, const enm_k_piece *piece, const uint32_t *rows)
{
	for (int axis = 0; axis < 3; axis++) {
		for (int r = 0; r < SLICE_ROWS; r++) {
			const int y = r % SIDE, z = r / SIDE;
			uint32_t bits = row_edges(rows, r, axis);
			if (y < 8 && z < 8)
				bits &= 0x100u;
			for (int x = 0; bits != 0; x++, bits >>= 1) {
				if ((bits & 1u) == 0)
					continue;
				uint32_t *far = w->far + 2 * (size_t)w->far_count++;
				far[0] = piece->near[(x >> 3) | (y >> 3) << 1 | (z >> 3) << 2];
				far[1] = (uint32_t)(axis << 9 | (x & 7) | (y & 7) << 3 | (z & 7) << 6);
			}
		}
	}
}

static void keep_vertices(enm_mesh *mesh, const enm_k_vertex *vertices, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const enm_k_vertex *v = &vertices[i];
		const size_t at = first + i;
		memcpy(mesh->positions_mm + 3 * at, &v->x, 3 * sizeof(float));
		memcpy(mesh->normals + 3 * at, &v->nx, 3 * sizeof(float));
		for (size_t c = 0; c < 3; c++)
			mesh->colors_rgb[3 * at + c] = (uint8_t)(v->color_views >> (8 * c));
		mesh->views[at] = (uint16_t)(v->color_views >> 24);
		mesh->sigma_um[at] = v->sigma_um;
	}
}

void weld_add(weld *w, const enm_k_piece *piece, const uint32_t *rows, const enm_k_vertex *vertices,
	const uint16_t *triangles)
{
	const uint32_t far_first = w->far_count;
	w->vertex_first[piece->block] = w->vertices;
	if (piece->vertices > 0) {
		keep_edges(w, piece->block, rows);
		keep_far(w, piece, rows);
		keep_vertices(w->mesh, vertices, w->vertices, piece->own);
	}
	uint32_t *out = w->mesh->triangles + 3 * (size_t)w->triangles;
	for (size_t i = 0; i < 3 * (size_t)piece->triangles; i++)
		out[i] = triangles[i] < piece->own ? w->vertices + triangles[i]
						   : FAR | (far_first + triangles[i] - piece->own);
	w->vertices += piece->own;
	w->triangles += piece->triangles;
}

static uint32_t owned(const weld *w, const uint32_t *far)
{
	const size_t word = (size_t)far[0] * WELD_WORDS + (far[1] >> 6);
	const uint64_t below = w->edges[word] & (((uint64_t)1 << (far[1] & 63)) - 1);
	return w->vertex_first[far[0]] + w->edges_before[word] + bit_count(below);
}

enm_mesh *weld_finish(weld *w)
{
	enm_mesh *mesh = w->mesh;
	for (size_t i = 0; i < w->far_count; i++) /* the number takes the place of the block */
		w->far[2 * i] = owned(w, w->far + 2 * i);
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
		if ((mesh->triangles[i] & FAR) != 0)
			mesh->triangles[i] = w->far[2 * (size_t)(mesh->triangles[i] & ~FAR)];
	w->mesh = NULL;
	return mesh;
}
