/* SPDX-License-Identifier: Apache-2.0
 * Stage "draw": pictures of meshes, triangle by triangle (kernels/draw.cl). */
#ifndef ENM_SURFACE_DRAW_H
#define ENM_SURFACE_DRAW_H

#include "gpu/gpu.h"
#include "layout.h"
#include "surface/mesh.h"

/* A mesh on the device. Without triangles it has no buffers. */
typedef struct draw_mesh {
	uint32_t vertices, triangles, has; /* ENM_K_HAS_ */
	gpu_buffer vertex;   /* enm_k_vertex */
	gpu_buffer triangle; /* three uints */
	gpu_buffer placed;   /* float4 a vertex: in the eye's frame of the picture in hand */
	gpu_buffer seen;     /* a byte a triangle: it may be seen in the picture in hand */
	gpu_buffer value;    /* float a vertex, or none */
} draw_mesh;

/* A mesh in a picture. */
typedef struct draw_item {
	const draw_mesh *mesh;
	enm_k_pose eye_from_mesh;
} draw_item;

typedef struct draw_stage {
	gpu_kernel k_vertices, k_triangles, k_picture;
	gpu_buffer depths;  /* bits of a float a pixel */
	gpu_buffer numbers; /* of the triangle seen in a pixel, counted over all meshes of the picture */
	gpu_buffer picture; /* RGBA a pixel; like those before of the largest so far */
} draw_stage;

ENM_MUST_CHECK enm_result draw_create(gpu_device *device, draw_stage *out_stage);
void draw_destroy(draw_stage *stage);

/* Device memory that a mesh takes. */
uint64_t draw_mesh_bytes(const enm_mesh *mesh);
/* Copies a mesh to the device and waits. */
ENM_MUST_CHECK enm_result draw_mesh_create(gpu_budget *budget, gpu_queue *queue, const enm_mesh *mesh, draw_mesh *out_mesh);
void draw_mesh_destroy(draw_mesh *mesh);
/* Copies a value for each vertex to the device and waits; NULL: takes them away. */
ENM_MUST_CHECK enm_result draw_mesh_values(gpu_budget *budget, gpu_queue *queue, draw_mesh *mesh, const float *values);

/* Draws the items into `out_rgba` and waits. Triangles, of all together, must be fewer than ENM_K_DRAW_NONE. */
ENM_MUST_CHECK enm_result draw_render(draw_stage *stage, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view,
	const draw_item *items, uint32_t count, uint8_t *out_rgba);

/* Finds the triangle of each pixel, counted over all items, and waits; ENM_K_DRAW_NONE where there is none. */
ENM_MUST_CHECK enm_result draw_find(draw_stage *stage, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view,
	const draw_item *items, uint32_t count, uint32_t *out_numbers);

#endif
