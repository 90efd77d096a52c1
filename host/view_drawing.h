/* SPDX-License-Identifier: Apache-2.0
 * Meshes as the viewer draws and measures them, and the marks that are kept of them. */
#ifndef ENM_HOST_VIEW_DRAWING_H
#define ENM_HOST_VIEW_DRAWING_H

#include "marks_file.h"
#include "view.h"
#include "viewer.h"

/* Zero it before use. */
typedef struct view_drawing {
	enm_drawing *drawing;
	viewer_source source;
	marks_models models; /* what marks are known by */
	enm_mesh *owned;     /* of a session's surface */
} view_drawing;

/* The meshes must live as long as the drawing. HOST_DEVICE. */
host_status view_drawing_make(enm_context *context, const view_model *models, size_t count, view_drawing *out);

/* The surface of a session as it is now; where there is none, `out` stays zero. `name` is for the marks. */
host_status view_drawing_of_session(enm_context *context, enm_session *session, const char *name, view_drawing *out);
void view_drawing_free(view_drawing *d);

/* Tells the viewer the axes of the first mesh and the gaps of all. Failures are warnings: the model can be looked at without. */
void view_drawing_describe(const view_drawing *d, viewer *v, double gap_least_mm);

#endif
