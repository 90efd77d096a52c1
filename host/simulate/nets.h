/* SPDX-License-Identifier: Apache-2.0
 * A triangle mesh of the zero surface of a signed distance function, by naive surface nets (Gibson 1998): one vertex
 * per grid cell that the surface crosses, one quad per crossed grid edge. */
#ifndef ENM_SIMULATE_NETS_H
#define ENM_SIMULATE_NETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vec.h"

typedef struct nets_def {
	v3 min_mm, max_mm;
	double cell_mm;
	double slope_max; /* the function changes by at most this much per mm; cells far from zero are skipped by it */
	double (*distance)(const void *user, v3 point); /* below zero inside */
	bool (*keep)(const void *user, v3 point);       /* a vertex outside is left out with its triangles */
	const void *user;
} nets_def;

typedef struct nets_mesh {
	size_t vertex_count, triangle_count;
	float *positions_mm; /* 3 per vertex */
	uint32_t *triangles; /* counter-clockwise seen from outside */
} nets_mesh;

/* False when memory runs out. Vertices and triangles come in the order of the grid. */
bool nets_build(const nets_def *def, nets_mesh *out_mesh);
void nets_free(nets_mesh *mesh);

#endif
