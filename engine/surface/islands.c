/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/islands.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "surface/pieces.h"

static void count_pieces(const enm_mesh *mesh, uint32_t *parent, uint32_t *size)
{
	for (uint32_t v = 0; v < mesh->vertex_count; v++)
		parent[v] = v;
	for (size_t t = 0; t < mesh->triangle_count; t++) {
		pieces_join(parent, mesh->triangles[3 * t], mesh->triangles[3 * t + 1]);
		pieces_join(parent, mesh->triangles[3 * t], mesh->triangles[3 * t + 2]);
	}
	for (size_t t = 0; t < mesh->triangle_count; t++)
		size[pieces_root(parent, mesh->triangles[3 * t])]++;
}

static void keep_triangles(enm_mesh *mesh, uint32_t *parent, const uint32_t *size, uint32_t triangles_min)
{
	size_t kept = 0;
	for (size_t t = 0; t < mesh->triangle_count; t++) {
		if (size[pieces_root(parent, mesh->triangles[3 * t])] < triangles_min)
			continue;
		memmove(mesh->triangles + 3 * kept++, mesh->triangles + 3 * t, 3 * sizeof(uint32_t));
	}
	mesh->triangle_count = kept;
}

static void move_vertex(enm_mesh *mesh, size_t from, size_t to)
{
	memmove(mesh->positions_mm + 3 * to, mesh->positions_mm + 3 * from, 3 * sizeof(float));
	if (mesh->normals != NULL)
		memmove(mesh->normals + 3 * to, mesh->normals + 3 * from, 3 * sizeof(float));
	if (mesh->colors_rgb != NULL)
		memmove(mesh->colors_rgb + 3 * to, mesh->colors_rgb + 3 * from, 3);
	if (mesh->views != NULL)
		mesh->views[to] = mesh->views[from];
	if (mesh->sigma_um != NULL)
		mesh->sigma_um[to] = mesh->sigma_um[from];
}

/* Drops vertices without a triangle; `number` is scratch. */
static void keep_vertices(enm_mesh *mesh, uint32_t *number)
{
	const uint32_t unused = UINT32_MAX;
	memset(number, 0xFF, mesh->vertex_count * sizeof(*number));
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
		number[mesh->triangles[i]] = 0;
	uint32_t kept = 0;
	for (uint32_t v = 0; v < mesh->vertex_count; v++) {
		if (number[v] == unused)
			continue;
		move_vertex(mesh, v, kept);
		number[v] = kept++;
	}
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++)
		mesh->triangles[i] = number[mesh->triangles[i]];
	mesh->vertex_count = kept;
}

enm_result islands_remove(enm_mesh *mesh, uint32_t triangles_min)
{
	if (mesh->vertex_count == 0)
		return ENM_OK;
	uint32_t *parent = malloc(mesh->vertex_count * sizeof(*parent));
	uint32_t *size = calloc(mesh->vertex_count, sizeof(*size));
	enm_result result = ENM_OK;
	if (parent == NULL || size == NULL) {
		result = error_set(ENM_E_MEMORY, "removing islands: no host memory");
	} else {
		count_pieces(mesh, parent, size);
		for (uint32_t v = 0; v < mesh->vertex_count; v++)
			mesh->islands_removed += size[v] > 0 && size[v] < triangles_min;
		keep_triangles(mesh, parent, size, triangles_min);
		keep_vertices(mesh, parent);
	}
	free(parent);
	free(size);
	return result;
}
