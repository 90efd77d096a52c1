/* SPDX-License-Identifier: Apache-2.0
 * What is scanned: a surface of triangles or of exact spheres, the curve to scan it along, and what is known about it.
 */
#ifndef ENM_SIMULATE_BODY_H
#define ENM_SIMULATE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curve.h"
#include "vec.h"

typedef struct landmark {
	char name[16];
	v3 at_mm;
} landmark;

typedef struct body {
	size_t vertex_count, triangle_count; /* of spheres too: their fine tessellation, for truth.ply only */
	float *positions_mm, *normals;       /* 3 per vertex */
	uint8_t *colors_rgb;                 /* 3 per vertex */
	float *hollow_mm;                    /* how deep the vertex lies in a groove, for saliva; NULL for spheres */
	uint32_t *triangles;
	size_t sphere_count;
	float *spheres_mm; /* x, y, z, radius; when there are any, rays meet these and not the triangles */
	curve line;
	landmark *landmarks;
	size_t landmark_count;
	v3 *margin_mm;
	size_t margin_count;
	size_t skipped_triangles; /* of the file, without area */
} body;

typedef struct arch_def {
	uint64_t seed;
	int prepared_fdi; /* this tooth is ground to a stump; 0 for none */
	bool toothless;
	bool smooth;    /* toothless, without relief: a place along the ridge is hard to tell by its form */
	double cell_mm; /* of the mesh */
} arch_def;

/* Each returns false and leaves one line in `out_error` (of BODY_ERROR_BYTES). The body is given back by body_free,
 * also after a failure. */
#define BODY_ERROR_BYTES 512
#define BODY_SIZE_MIN_MM 8.0
#define BODY_SIZE_MAX_MM 300.0
#define BODY_TRIANGLES_MAX 20000000
bool body_from_arch(const arch_def *def, body *out_body, char *out_error);
bool body_from_phantom(body *out_body, char *out_error);
bool body_from_file(const char *path, v3 up, body *out_body, char *out_error);
void body_free(body *b);

/* A copy of the surface as a mirror at x = 0 shows it, without landmarks, margin and line. False without memory. */
bool body_mirror(const body *b, body *out_body);

/* Fills in normals by the triangles' areas and how hollow each vertex lies. False when memory runs out. */
bool body_finish_surface(body *b);

#endif
