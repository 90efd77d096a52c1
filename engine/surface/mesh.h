/* SPDX-License-Identifier: Apache-2.0
 * What an enm_mesh is inside: arrays that it owns. The surface extraction fills them in place. */
#ifndef ENM_SURFACE_MESH_H
#define ENM_SURFACE_MESH_H

#include "enamel.h"

struct enm_mesh {
	size_t vertex_count, triangle_count;
	float *positions_mm; /* 3 per vertex */
	float *normals;      /* 3 per vertex, or NULL */
	uint8_t *colors_rgb; /* 3 per vertex, or NULL */
	uint16_t *views;     /* 1 per vertex, or NULL */
	float *sigma_um;     /* 1 per vertex, or NULL */
	float *placed_sigma_um; /* 1 per vertex, or NULL; only a rating makes it */
	uint32_t *triangles; /* 3 per triangle */
	uint32_t islands_removed;
};

/* The optional arrays, to be joined by |. */
enum mesh_arrays { MESH_NORMALS = 1, MESH_COLORS = 2, MESH_VIEWS = 4, MESH_SIGMA = 8 };

/* A mesh whose arrays have room for the counts and hold zeros; positions and triangles are there even for a count of 0.
 * ENM_E_CAPACITY when 32-bit indices cannot address the vertices, ENM_E_MEMORY. */
ENM_MUST_CHECK enm_result mesh_alloc(size_t vertex_count, size_t triangle_count, unsigned arrays, enm_mesh **out_mesh);

#endif
