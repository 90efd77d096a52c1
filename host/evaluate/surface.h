/* SPDX-License-Identifier: Apache-2.0
 * A triangle mesh that can be asked for its closest point and for what a ray meets (Embree). */
#ifndef EVALUATE_SURFACE_H
#define EVALUATE_SURFACE_H

#include "enamel.h"
#include "error.h"
#include "rigid.h"

typedef struct surface {
	enm_mesh *mesh;
	enm_mesh_data data;   /* of mesh */
	double (*normals)[3]; /* per vertex: angle-weighted mean of its triangles', unit; 0 where there is none */
	bool *used;           /* per vertex: a triangle has it */
	size_t used_count;
	double centre[3], size_mm; /* middle and diagonal of the box around it */
	void *device, *scene;      /* Embree's */
} surface;

typedef struct surface_hit {
	double point[3], normal[3]; /* normal: of the triangle, unit (0 for a triangle without area) */
	double smooth_normal[3];    /* interpolated from the vertices, not unit */
	double distance_mm;
	uint32_t triangle;
} surface_hit;

/* Takes the mesh over, also when it fails (HOST_IO: no memory). `name` is for error texts. */
host_status surface_open(enm_mesh *mesh, const char *name, surface *out_surface);
void surface_close(surface *s); /* accepts a zeroed one */

/* The closest point of the surface within `radius_mm` (may be INFINITY) of `p`; false when there is none. Thread-safe.
 */
bool surface_closest(const surface *s, const double p[3], double radius_mm, surface_hit *out_hit);

/* The closest point however far, for distances that count only up to a limit: exact up to `exact_mm`, else any point
 * farther off than that by at most a tenth more than the closest. Far from a surface nearly everything is about equally
 * close, and looking for the very closest takes ten times as long. False without triangles. Thread-safe. */
bool surface_near(const surface *s, const double p[3], double exact_mm, surface_hit *out_hit);

/* Whether something lies between `from` and `to`, `margin_mm` left out at both ends. Thread-safe. */
bool surface_blocks(const surface *s, const double from[3], const double to[3], double margin_mm);

/* The first triangle that the ray meets, with the weights of its corners; false when none. Thread-safe. */
bool surface_cast(const surface *s, const double from[3], const double direction[3], uint32_t *out_triangle,
	double out_weights[3]);

/* The mean of its vertices, and as axes: two in the plane in which they lie most, third that plane's normal. */
rigid surface_flat_frame(const surface *s);

void surface_vertex(const surface *s, size_t vertex, double out[3]);

#endif
