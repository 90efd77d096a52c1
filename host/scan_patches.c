/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "id_table.h"
#include "scan_gaps.h"

#define ROOM_FIRST 1024u
#define ON_GRID 1e-3 /* voxels: what rounding makes of a coordinate that is on the grid */

typedef struct patch {
	uint32_t vertices, triangles;
	float *positions_mm;
	uint16_t *corners;
} patch;

struct scan_patches {
	id_table table;
};

/* A power of two, so that `& (room - 1)` is a place. */
static size_t room_for(size_t entries)
{
	size_t room = ROOM_FIRST;
	while (room < 2 * entries)
		room *= 2;
	return room;
}

/* ---- kept by id ---- */

static void clear(scan_patches *p)
{
	const patch *patches = p->table.entries;
	for (size_t i = 0; i < p->table.count; i++) {
		free(patches[i].positions_mm);
		free(patches[i].corners);
	}
	id_table_clear(&p->table);
}

static bool put(patch *to, const enm_surface_data *d, const enm_patch *from)
{
	float *positions = malloc((3 * (size_t)from->vertex_count + 1) * sizeof *positions);
	uint16_t *corners = malloc((3 * (size_t)from->triangle_count + 1) * sizeof *corners);
	if (!positions || !corners) {
		free(positions);
		free(corners);
		return false;
	}
	for (size_t v = 0; v < from->vertex_count; v++)
		memcpy(positions + 3 * v, d->vertices[from->vertex_first + v].position_mm, 3 * sizeof *positions);
	memcpy(corners, d->triangles + 3 * (size_t)from->triangle_first, 3 * (size_t)from->triangle_count * sizeof *corners);
	free(to->positions_mm);
	free(to->corners);
	*to = (patch){from->vertex_count, from->triangle_count, positions, corners};
	return true;
}

scan_patches *scan_patches_create(void)
{
	scan_patches *p = calloc(1, sizeof *p);
	if (p)
		p->table.bytes = sizeof(patch);
	return p;
}

void scan_patches_destroy(scan_patches **at)
{
	if (!*at)
		return;
	clear(*at);
	free(*at);
	*at = NULL;
}

bool scan_patches_take(scan_patches *p, const enm_surface_data *update)
{
	if (update->cleared)
		clear(p);
	for (size_t i = 0; i < update->patch_count; i++) {
		patch *to = id_table_entry(&p->table, update->patches[i].id);
		if (!to || !put(to, update, &update->patches[i]))
			return false;
	}
	return true;
}

/* ---- joined ---- */

/* The edge of the grid that a vertex lies on: twice the coordinate in voxels where that is on the grid, and one more than that of the lower end where it
 * is between. */
typedef struct edge {
	int32_t at[3];
} edge;

typedef struct joint {
	edge *edges;       /* open addressing */
	uint32_t *numbers; /* of their vertices, and one more; 0: free */
	size_t room;
	float *positions_mm;
	uint32_t *triangles;
	size_t vertex_count, triangle_count;
} joint;

static edge edge_of(const float *position_mm, double voxel_mm)
{
	edge e;
	for (int k = 0; k < 3; k++) {
		const double at = (double)position_mm[k] / voxel_mm, near = round(at);
		e.at[k] = fabs(at - near) <= ON_GRID ? 2 * (int32_t)near : 2 * (int32_t)floor(at) + 1;
	}
	return e;
}

static uint32_t number_of(joint *j, const float *position_mm, double voxel_mm)
{
	const edge e = edge_of(position_mm, voxel_mm);
	const uint32_t hash = (uint32_t)e.at[0] * 73856093u ^ (uint32_t)e.at[1] * 19349663u ^ (uint32_t)e.at[2] * 83492791u;
	size_t at = (size_t)(hash * 2654435769u >> 4) & (j->room - 1);
	while (j->numbers[at] && memcmp(&j->edges[at], &e, sizeof e) != 0)
		at = (at + 1) & (j->room - 1);
	if (!j->numbers[at]) {
		memcpy(j->positions_mm + 3 * j->vertex_count, position_mm, 3 * sizeof *position_mm);
		j->edges[at] = e;
		j->numbers[at] = (uint32_t)++j->vertex_count;
	}
	return j->numbers[at] - 1;
}

static void add(joint *j, const patch *p, double voxel_mm)
{
	for (size_t t = 0; t < p->triangles; t++) {
		uint32_t *to = j->triangles + 3 * j->triangle_count;
		for (size_t c = 0; c < 3; c++)
			to[c] = number_of(j, p->positions_mm + 3 * (size_t)p->corners[3 * t + c], voxel_mm);
		j->triangle_count += to[0] != to[1] && to[1] != to[2] && to[2] != to[0];
	}
}

enm_mesh *scan_patches_join(const scan_patches *p, double voxel_mm)
{
	const patch *patches = p->table.entries;
	size_t vertices = 0, triangles = 0;
	for (size_t i = 0; i < p->table.count; i++) {
		vertices += patches[i].vertices;
		triangles += patches[i].triangles;
	}
	if (!triangles)
		return NULL;
	joint j = {.room = room_for(vertices)};
	j.edges = malloc(j.room * sizeof *j.edges);
	j.numbers = calloc(j.room, sizeof *j.numbers);
	j.positions_mm = malloc(3 * vertices * sizeof *j.positions_mm);
	j.triangles = malloc(3 * triangles * sizeof *j.triangles);
	enm_mesh *mesh = NULL;
	if (j.edges && j.numbers && j.positions_mm && j.triangles) {
		for (size_t i = 0; i < p->table.count; i++)
			add(&j, &patches[i], voxel_mm);
		const enm_mesh_data data = {.vertex_count = j.vertex_count,
			.triangle_count = j.triangle_count,
			.positions_mm = j.positions_mm,
			.triangles = j.triangles};
		if (enm_mesh_create(&data, &mesh) < 0)
			mesh = NULL;
	}
	free(j.edges);
	free(j.numbers);
	free(j.positions_mm);
	free(j.triangles);
	return mesh;
}
