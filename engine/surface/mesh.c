/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/mesh.h"

#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed room for `count` items of `size` bytes; never NULL for want of items, so that NULL always means no memory. */
static void *array_alloc(size_t count, size_t size)
{
	return calloc(count > 0 ? count : 1, size);
}

enm_result mesh_alloc(size_t vertex_count, size_t triangle_count, unsigned arrays, enm_mesh **out_mesh)
{
	*out_mesh = NULL;
	if (vertex_count > UINT32_MAX)
		return error_set(
			ENM_E_CAPACITY, "mesh: %zu vertices are more than 32-bit indices can address", vertex_count);
	enm_mesh *mesh = calloc(1, sizeof(*mesh));
	if (mesh == NULL)
		goto no_memory;
	mesh->vertex_count = vertex_count;
	mesh->triangle_count = triangle_count;
	mesh->positions_mm = array_alloc(vertex_count, 3 * sizeof(float));
	mesh->triangles = array_alloc(triangle_count, 3 * sizeof(uint32_t));
	if (mesh->positions_mm == NULL || mesh->triangles == NULL)
		goto no_memory;
	if ((arrays & MESH_NORMALS) != 0 && (mesh->normals = array_alloc(vertex_count, 3 * sizeof(float))) == NULL)
		goto no_memory;
	if ((arrays & MESH_COLORS) != 0 && (mesh->colors_rgb = array_alloc(vertex_count, 3)) == NULL)
		goto no_memory;
	if ((arrays & MESH_VIEWS) != 0 && (mesh->views = array_alloc(vertex_count, sizeof(uint16_t))) == NULL)
		goto no_memory;
	if ((arrays & MESH_SIGMA) != 0 && (mesh->sigma_um = array_alloc(vertex_count, sizeof(float))) == NULL)
		goto no_memory;
	*out_mesh = mesh;
	return ENM_OK;

no_memory:
	enm_mesh_destroy(&mesh);
	return error_set(
		ENM_E_MEMORY, "mesh: no memory for %zu vertices and %zu triangles", vertex_count, triangle_count);
}

static enm_result data_check(const enm_mesh_data *data)
{
	if (data->vertex_count > UINT32_MAX)
		return error_set(ENM_E_ARGUMENT,
			"enm_mesh_create: vertex_count %zu is more than 32-bit indices can address",
			data->vertex_count);
	if (data->vertex_count > 0 && data->positions_mm == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_create: positions_mm is NULL");
	if (data->triangle_count > 0 && data->triangles == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_create: triangles is NULL");
	for (size_t i = 0; i < 3 * data->vertex_count; i++)
		if (!isfinite(data->positions_mm[i]))
			return error_set(
				ENM_E_ARGUMENT, "enm_mesh_create: positions_mm: vertex %zu is not finite", i / 3);
	if (data->triangle_count > SIZE_MAX / (3 * sizeof(uint32_t)))
		return error_set(
			ENM_E_ARGUMENT, "enm_mesh_create: triangle_count %zu is too large", data->triangle_count);
	for (size_t i = 0; i < 3 * data->triangle_count; i++)
		if (data->triangles[i] >= data->vertex_count)
			return error_set(ENM_E_ARGUMENT,
				"enm_mesh_create: triangles: triangle %zu has vertex %u of %zu", i / 3,
				(unsigned)data->triangles[i], data->vertex_count);
	return ENM_OK;
}

static void array_copy(void *to, const void *from, size_t bytes)
{
	if (from != NULL && bytes > 0)
		memcpy(to, from, bytes);
}

enm_result enm_mesh_create(const enm_mesh_data *data, enm_mesh **out_mesh)
{
	if (out_mesh == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_create: out_mesh is NULL");
	*out_mesh = NULL;
	if (data == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_create: data is NULL");
	enm_result result = data_check(data);
	if (result != ENM_OK)
		return result;

	unsigned arrays = 0;
	arrays |= data->normals != NULL ? MESH_NORMALS : 0u;
	arrays |= data->colors_rgb != NULL ? MESH_COLORS : 0u;
	arrays |= data->views != NULL ? MESH_VIEWS : 0u;
	arrays |= data->sigma_um != NULL ? MESH_SIGMA : 0u;
	enm_mesh *mesh = NULL;
	result = mesh_alloc(data->vertex_count, data->triangle_count, arrays, &mesh);
	if (result != ENM_OK)
		return result;
	const size_t n = data->vertex_count;
	array_copy(mesh->positions_mm, data->positions_mm, n * 3 * sizeof(float));
	array_copy(mesh->normals, data->normals, n * 3 * sizeof(float));
	array_copy(mesh->colors_rgb, data->colors_rgb, n * 3);
	array_copy(mesh->views, data->views, n * sizeof(uint16_t));
	array_copy(mesh->sigma_um, data->sigma_um, n * sizeof(float));
	if (data->placed_sigma_um != NULL && (mesh->placed_sigma_um = array_alloc(n, sizeof(float))) == NULL) {
		enm_mesh_destroy(&mesh);
		return error_set(ENM_E_MEMORY, "mesh: no memory for %zu vertices", n);
	}
	array_copy(mesh->placed_sigma_um, data->placed_sigma_um, n * sizeof(float));
	array_copy(mesh->triangles, data->triangles, data->triangle_count * 3 * sizeof(uint32_t));
	mesh->islands_removed = data->islands_removed;
	*out_mesh = mesh;
	return ENM_OK;
}

void enm_mesh_destroy(enm_mesh **mesh)
{
	if (mesh == NULL || *mesh == NULL)
		return;
	free((*mesh)->positions_mm);
	free((*mesh)->normals);
	free((*mesh)->colors_rgb);
	free((*mesh)->views);
	free((*mesh)->sigma_um);
	free((*mesh)->placed_sigma_um);
	free((*mesh)->triangles);
	free(*mesh);
	*mesh = NULL;
}

enm_result enm_mesh_get(const enm_mesh *mesh, enm_mesh_data *out_data)
{
	if (out_data == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_get: out_data is NULL");
	*out_data = (enm_mesh_data){0};
	if (mesh == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_get: mesh is NULL");
	*out_data = (enm_mesh_data){
		.vertex_count = mesh->vertex_count,
		.triangle_count = mesh->triangle_count,
		.positions_mm = mesh->positions_mm,
		.normals = mesh->normals,
		.colors_rgb = mesh->colors_rgb,
		.views = mesh->views,
		.sigma_um = mesh->sigma_um,
		.placed_sigma_um = mesh->placed_sigma_um,
		.triangles = mesh->triangles,
		.islands_removed = mesh->islands_removed,
	};
	return ENM_OK;
}
