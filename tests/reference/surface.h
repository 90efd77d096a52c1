/* SPDX-License-Identifier: Apache-2.0
 * Reference of stage "surface" (kernels/surface.cl): its vertices, and what makes a mesh whole. */
#ifndef ENM_REFERENCE_SURFACE_H
#define ENM_REFERENCE_SURFACE_H

#include "reference/volume.h"

typedef struct ref_vertex {
	double p[3], sigma_um, rgb[3];
	uint8_t views;
} ref_vertex;

/* A vertex for each edge between neighbouring observed voxels that the surface crosses; in the order of x, then y, then
 * z of the position. Returns their number; free() the array. */
uint32_t ref_surface_vertices(
	const ref_volume *volume, uint32_t views_min, double sigma_ref_mm, ref_vertex **out_vertices);

typedef struct ref_topology {
	size_t edges;                /* pairs of vertices with a triangle between them */
	size_t open;                 /* edges whose triangles do not pair up, one in each direction */
	size_t crowded;              /* edges with more than two triangles */
	double area_mm2, volume_mm3; /* the volume counts from the origin: only that of closed meshes means something */
} ref_topology;

ref_topology ref_mesh_topology(const enm_mesh_data *mesh);

#endif
