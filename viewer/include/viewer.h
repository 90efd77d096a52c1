/* SPDX-License-Identifier: Apache-2.0
 *
 * A window in which a model is looked at and measured, while it is scanned or afterwards. The engine draws the pictures; the
 * viewer shows them, turns the hand's wishes into viewpoints and marks, and says how the tracking goes. The way through it:
 *
 *     main thread                        owner thread: the one that uses what is drawn
 *     viewer_create
 *     start the owner thread  ------->   after each report:  viewer_report, viewer_offer
 *     viewer_run, until the              after the last:     viewer_end, viewer_serve
 *       window is closed                 viewer_serve returns when the window is closed
 *     join the owner thread
 *     viewer_destroy
 *
 * What is drawn is a viewer_source: a session, a drawing of meshes, a test's stand-in. Since a session may be used by one thread at a
 * time, the viewer never touches a source by itself: its owner offers it between two frames, and viewer_offer does what the window has
 * asked for: places under the cursor, marks, events, and one picture if one is wanted and due. Neither thread waits for the other; of
 * several pictures the latest wins. While the scan runs, pictures take at most about two fifths of the owner's time (half while the user
 * turns the model) and are made smaller rather than later; at rest they have full size.
 *
 * Mouse, touch-pad and keys are those of MeshLab where it has them; the window shows them on H or F1 (viewer/help.c has the list).
 */
#ifndef ENM_VIEWER_H
#define ENM_VIEWER_H

#include <signal.h>

#include "enamel.h"
#include "marks.h"

#define VIEWER_REASON_BYTES 512
#define VIEWER_BODIES_MAX 2
#define VIEWER_GAPS_MAX 32

typedef enum viewer_result {
	VIEWER_OK = 0,
	VIEWER_E_ARGUMENT = -1, /* a bad argument; a caller's mistake */
	VIEWER_E_DISPLAY = -2,  /* no display, no window, no OpenGL 3.3: go on without */
	VIEWER_E_MEMORY = -3    /* no host memory */
} viewer_result;

/* A mesh among what is drawn. The mesh is the owner's and lives as long as the source is used; it lies where its coordinates say. */
typedef struct viewer_body {
	const enm_mesh *mesh; /* what distances to the surface, paths and profiles are taken of */
	uint32_t id;          /* enm_hit.mesh of a place on it */
} viewer_body;

/* What draws. All functions are called on the owner thread, from viewer_offer and viewer_serve, with `object`. They are those of the engine
 * (enm_session_render and its like) or behave as these do. */
typedef struct viewer_source {
	void *object;
	enm_result (*render)(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);
	enm_result (*bounds)(void *object, double out_min_mm[3], double out_max_mm[3]);
	enm_result (*pick)(void *object, const enm_view_def *def, double x, double y, enm_hit *out_hit);
	enm_result (*show)(void *object, uint32_t id, bool visible); /* NULL: nothing can be hidden */
	viewer_body bodies[VIEWER_BODIES_MAX];
	uint32_t body_count; /* 0: no mesh is at hand; then distances and angles can be measured, and nothing else */
} viewer_source;

viewer_source viewer_source_of_session(enm_session *session);
/* Without bodies: the caller adds those of the meshes that the drawing holds. */
viewer_source viewer_source_of_drawing(enm_drawing *drawing);

/* What the user wants of the host, as bits. */
typedef enum viewer_event {
	VIEWER_EVENT_PAUSE = 1,      /* the scan is to wait, or to go on: each time the other */
	VIEWER_EVENT_KEEP = 2,       /* the model is to be kept as it is now */
	VIEWER_EVENT_NEW_SCAN = 4,   /* the scan is to end and another to begin; the user has confirmed it */
	VIEWER_EVENT_MARKS = 8       /* marks have changed: viewer_marks has them */
} viewer_event;

/* On the owner thread, from within viewer_offer or viewer_serve; it may use the source. */
typedef struct viewer viewer;
typedef void (*viewer_event_fn)(void *user, viewer *v, viewer_event event);

/* Of the whole window, `height` packed rows from the top of `width` R, G, B, A bytes. Runs on the main thread. */
typedef void (*viewer_screenshot_fn)(void *user, const uint8_t *rgba, uint32_t width, uint32_t height);

/* What the view does until the user takes over. */
typedef enum viewer_follow {
	VIEWER_FOLLOW_MODEL = 0, /* keeps the whole model in view */
	VIEWER_FOLLOW_WAND = 1   /* looks from behind the wand while frames come, then at the whole model */
} viewer_follow;

typedef struct viewer_def {
	uint32_t cookie; /* set by viewer_def_default; do not touch */
	const char *title;
	uint32_t width, height;            /* of the window, 1 to 8192 */
	enm_shade shade;                   /* at the start */
	bool orthographic, light;          /* at the start: without perspective; with the colours for a light room */
	viewer_follow follow;              /* at the start */
	bool scan;                         /* frames are to come (default); else a finished model is looked at */
	uint64_t frames_expected;          /* shown as "frame 12 of 300"; 0: unknown */
	enm_camera wand;                   /* its field of view is drawn; a width of 0: none */
	double working_mm[2];              /* the range of depths that the wand works in; 0 and 0: unknown */
	const volatile sig_atomic_t *stop; /* the window closes soon after this is not zero (Ctrl-C); may be NULL */
	/* For scripts and tests: closes the window this long after viewer_end; 0: never. It waits for a full picture.
	 */
	double exit_after_s;
	/* Called once with what the window shows when it closes; may be NULL. */
	viewer_screenshot_fn screenshot;
	void *screenshot_user;
	viewer_event_fn on_event; /* may be NULL when `events` is 0 */
	void *event_user;
	unsigned events;         /* bits of viewer_event that the host understands; others are not offered to the user */
	const mark_list *marks;  /* to begin with; copied; may be NULL */
} viewer_def;

viewer_def viewer_def_default(void);

/* Opens the window. Main thread; one viewer at a time in a process. After a failure `out_viewer` is NULL and
 * `out_reason` holds one line of text, such as what GLFW says is wrong with the display. */
ENM_MUST_CHECK viewer_result viewer_create(
	const viewer_def *def, viewer **out_viewer, char out_reason[VIEWER_REASON_BYTES]);

/* Main thread, after the owner thread has left the viewer's functions. Accepts NULL and the address of NULL. */
void viewer_destroy(viewer **v);

/* Handles input and draws until the window is closed. Main thread. */
void viewer_run(viewer *v);

/* One turn of viewer_run, waiting at most `wait_s` (0: not at all) for something to do. False once the window is
 * closed. Main thread. */
bool viewer_step(viewer *v, double wait_s);

/* Why the window closed without anybody's wish, one line: the display went away, or the driver lost the OpenGL context. There is no screenshot then.
 * NULL when it did not. Main thread. */
const char *viewer_lost(const viewer *v);

/* True once the window is closed. Any thread. */
bool viewer_closed(const viewer *v);

/* Tells what became of a frame. Any thread. */
void viewer_report(viewer *v, const enm_report *report);

/* Shows the depth of a frame in a corner, and how far away the surface is. Copies a thinned picture, and returns at once when the last was
 * less than a fifteenth of a second ago. `mm_per_unit`: of 16-bit depth. Any thread, but always the same. */
void viewer_depth(viewer *v, const enm_frame *frame, const enm_camera *wand, double mm_per_unit);

/* Marks gaps of the surface on the model; the first VIEWER_GAPS_MAX that are no rims, in place of those before. Any thread. */
void viewer_gaps(viewer *v, const enm_gap *gaps, size_t count);

/* The model's axes for the standard views: unit, right-handed: right, front, up, three numbers each. Without, they are guessed from the wand's way. Any thread. */
void viewer_axes(viewer *v, const double right_front_up[9]);

/* One line that is shown for a few seconds. Any thread. */
void viewer_say(viewer *v, const char *text);

/* Shows that the scan waits, or goes on. Any thread. */
void viewer_paused(viewer *v, bool paused);

/* Forgets reports, gaps and depth, after a new scan was begun. Marks stay. Any thread. */
void viewer_restart(viewer *v);

/* Lets the viewer use the source: answers what the window asks, and renders one picture if one is wanted and due, else returns at once. Owner
 * thread. A failure to render is also shown in the window, and not tried again before something has changed. */
ENM_MUST_CHECK enm_result viewer_offer(viewer *v, const viewer_source *source);

/* As viewer_offer, then waits for at most `wait_s` until there is something to do. Owner thread: for a host that is paused. */
void viewer_idle(viewer *v, const viewer_source *source, double wait_s);

/* The marks as they are; valid until the next viewer_offer, viewer_idle or viewer_serve. Owner thread. */
const mark_list *viewer_marks(const viewer *v);

/* No more frames will come; the window stays open. Any thread. */
void viewer_end(viewer *v);

/* Closes the window as its user would. Any thread. */
void viewer_close(viewer *v);

/* Serves the viewer until the window is closed. Owner thread, when it has nothing else to do. */
void viewer_serve(viewer *v, const viewer_source *source);

#endif
