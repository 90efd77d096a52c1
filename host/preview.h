/* SPDX-License-Identifier: Apache-2.0
 * Four shaded views of the model in one picture. */
#ifndef ENM_HOST_PREVIEW_H
#define ENM_HOST_PREVIEW_H

#include "error.h"

#define PREVIEW_TILE_WIDTH 640u
#define PREVIEW_TILE_HEIGHT 480u

typedef enum preview_side {
	PREVIEW_OCCLUSAL = 0,
	PREVIEW_FRONT,
	PREVIEW_LEFT,
	PREVIEW_RIGHT,
	PREVIEW_LINGUAL, /* from the tongue's side: the opposite of the front */
	PREVIEW_SIDES
} preview_side;

/* The axes of a body in the order right, front, up, as unit vectors: by the spread of its vertices, up being along the least spread to where most
 * normals point (those of vertices, else of triangles), which of a jaw is occlusal, and front where a horseshoe is closed. Right is that of a lower jaw's owner. Any body
 * gets some. */
typedef struct preview_axes {
	double axis[3][3];
} preview_axes;

/* `up` (a unit vector, or NULL) is taken for up instead. HOST_DATA when the mesh has no vertices. */
host_status preview_find_axes(const enm_mesh_data *mesh, const double up[3], preview_axes *out);

/* A view in which the whole mesh fills the picture. */
enm_view_def preview_view(
	const enm_mesh_data *mesh, const preview_axes *axes, preview_side side, const uint32_t size[2], bool orthographic);

/* Renders and writes a PNG of 2 x 2 tiles: occlusal, front; left, right. HOST_DATA, HOST_DEVICE, HOST_IO. */
host_status preview_write(const char *path, enm_session *session, const enm_mesh_data *mesh, bool color);

#endif
