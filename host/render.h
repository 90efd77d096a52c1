/* SPDX-License-Identifier: Apache-2.0
 * `enamel render` behind its options: one picture of a model, with a legend. */
#ifndef ENM_HOST_RENDER_H
#define ENM_HOST_RENDER_H

#include <stdbool.h>

#include "preview.h"

/* What is cut away, by the model's axes: everything farther than `at_mm` from its middle along an axis. */
typedef struct render_cut {
	bool wanted;
	int axis; /* of preview_axes */
	double sign, at_mm;
} render_cut;

typedef struct render_options {
	const char *model, *out, *device, *camera;
	const char *compare; /* a mesh file that the model's deviation is taken from; NULL: none */
	preview_side side;
	enm_shade shade;
	uint32_t size[2];
	double up[3];      /* 0 0 0: find it */
	bool upper;        /* an upper jaw: left and right are the other way about */
	bool orthographic, scale_bar, legend;
	double range[2];   /* of the shade's map; 0 0: its own */
	render_cut cut;
} render_options;

/* What draws: a session or a drawing, as enm_session_render does. */
typedef struct render_source {
	enm_result (*render)(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);
	void *object;
} render_source;

/* Renders, adds legend and scale bar, writes. `mesh` is for the axes and the place of the eye. HOST_DATA, HOST_DEVICE, HOST_IO. */
host_status render_write(const render_options *o, const render_source *source, const enm_mesh_data *mesh);

/* The same of the model of a session. */
host_status render_session(const render_options *o, enm_session *session, const enm_mesh_data *mesh);

#endif
