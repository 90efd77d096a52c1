/* SPDX-License-Identifier: Apache-2.0
 * The viewer beside the work: the window on the main thread, the work that uses the session on a second one. view.c
 * with the viewer, view_none.c in builds without it. */
#ifndef ENM_HOST_VIEW_H
#define ENM_HOST_VIEW_H

#include <signal.h>
#include <stdbool.h>

#include "error.h"

typedef struct view view;

/* Zero what is not wanted. */
typedef struct view_options {
	uint64_t frames_expected;
	bool color;
	const volatile sig_atomic_t *stop; /* closes the window */
	double close_after_s;              /* after the work is done; 0: the user closes it */
	const char *screenshot;            /* a PNG of what the window shows when it closes; NULL for none */
	const char *option;                /* that asked for the window, for messages; NULL: "--view" */
	uint32_t size[2];                  /* of the window; 0: the viewer's own */
	bool orthographic, light;
	const enm_shade *shade;            /* NULL: colour where there is some, else clay */
	const enm_session_def *scan;       /* of the frames that come: the wand's field of view and range are drawn */
	enm_context *context;              /* the surface is taken as a mesh when the work is done, to be measured; NULL: it is not */
	bool pausable;                     /* view_frame may wait for the user */
	bool goes_on;                      /* frames come all the same: it does not wait, and its caller asks view_waits */
	bool renewable;                    /* the user may begin a new scan: its caller asks view_wants_new */
	/* Where the model is kept on the user's wish: the file's name with "-kept-1" and so on before its extension. NULL: not offered. */
	const char *keep;
	double mm_per_unit;                /* of that file; 0: 1 */
	const char *marks;                 /* where marks are saved and found; NULL: they are not kept */
	bool only;                         /* nothing but what is looked at comes of the work: it is not done without a window */
} view_options;

/* Does this build have the viewer? */
bool view_is_built(void);

/* Opens a window, runs `work` on a second thread, and keeps the model in view until the window is closed; closing it
 * early does not stop the work. Where there can be no window or no second thread, says why in one line and works without them: `v` is NULL
 * then. Where the window is lost (viewer_lost), says so in one line, and the work goes on. Returns what the work returned, with its text; with
 * o->only HOST_DEVICE (no window) or HOST_IO (no memory or thread) in place of working without a window. */
host_status view_run(const view_options *o, enm_session *session, host_status (*work)(void *user, view *v), void *user);

/* Shows what became of a frame, and a picture if one is due; waits while the user pauses. On the work's thread; `v` may be NULL. True
 * when a picture was drawn. */
bool view_frame(view *v, enm_session *session, const enm_report *report);
/* True while the user wants no frames; does meanwhile what the window asks for. For o->goes_on; on the work's thread; `v` may be NULL. */
bool view_waits(view *v);
/* True once after the user has wished for a new scan, while there is a window. On the work's thread; `v` may be NULL. */
bool view_wants_new(view *v);
/* Before the session shown so far is destroyed: its picture stays until the first frame of another. On the work's thread; `v` may be NULL. */
void view_restart(view *v);
/* A line that is shown for a few seconds; `v` may be NULL. */
void view_say(view *v, const char *text);
/* Only what became of a frame. */
void view_tell(view *v, const enm_report *report);
/* Pixels of the mean picture that was drawn of the session; 0 before the first. */
double view_pixels(const view *v);
/* True when nobody looks any more and nothing else is wanted (o->only): the work may end. */
bool view_is_over(const view *v);
/* Shows the depth of a frame that is pushed. */
void view_depth(view *v, const enm_frame *frame);

/* A model to look at. */
typedef struct view_model {
	const char *file; /* its name, for the marks and for people */
	const enm_mesh *mesh;
	const float *deviation_um; /* a vertex each, for ENM_SHADE_DEVIATION; NULL: none */
} view_model;

/* Shows models until the window is closed, with marks from and to o->marks. Needs o->context. HOST_DEVICE: no window, or the device cannot
 * draw them. HOST_USAGE: marks that are none, or of another model; a shade that the models have no values for. */
host_status view_models(const view_options *o, const view_model *models, size_t count);

#endif
