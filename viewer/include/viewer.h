/* SPDX-License-Identifier: Apache-2.0
 *
 * A window in which the model grows while it is scanned. The engine draws the pictures (enm_session_render); the viewer
 * shows them, turns the mouse into a viewpoint, and says how the tracking goes. The way through it:
 *
 *     main thread                        owner thread: the one that uses the session
 *     viewer_create
 *     start the owner thread  ------->   after each report:  viewer_report, viewer_offer
 *     viewer_run, until the              after the last:     viewer_end, viewer_serve
 *       window is closed                 viewer_serve returns when the window is closed
 *     join the owner thread
 *     viewer_destroy
 *
 * Since a session may be used by one thread at a time, the viewer never touches it by itself: its owner offers it
 * between two frames, and viewer_offer renders one picture if one is wanted and due. Neither thread waits for the
 * other; of several pictures the latest wins. While the scan runs, pictures take at most about a fifth of the owner's
 * time (half while the user turns the model) and are made smaller rather than later; at rest they have full size.
 *
 * Input
 *   left drag turns about the middle of the view, middle or shift + left drag pans, the wheel zooms about the cursor;
 *   F shows all, 1 to 4 look from above (occlusal), front, left, right; C, G, V shade by colour, clay, views;
 *   Escape or Q closes. Until the first of them the camera follows the growing model.
 */
#ifndef ENM_VIEWER_H
#define ENM_VIEWER_H

#include <signal.h>

#include "enamel.h"

#define VIEWER_REASON_BYTES 512

typedef enum viewer_result {
	VIEWER_OK = 0,
	VIEWER_E_ARGUMENT = -1, /* a bad argument; a caller's mistake */
	VIEWER_E_DISPLAY = -2,  /* no display, no window, no OpenGL 3.3: go on without */
	VIEWER_E_MEMORY = -3    /* no host memory */
} viewer_result;

/* Of the whole window, `height` packed rows from the top of `width` R, G, B, A bytes. Runs on the main thread. */
typedef void (*viewer_screenshot_fn)(void *user, const uint8_t *rgba, uint32_t width, uint32_t height);

typedef struct viewer_def {
	uint32_t cookie; /* set by viewer_def_default; do not touch */
	const char *title;
	uint32_t width, height;            /* of the window, 1 to 8192 */
	enm_shade shade;                   /* at the start */
	uint64_t frames_expected;          /* shown as "frame 12 of 300"; 0: unknown */
	const volatile sig_atomic_t *stop; /* the window closes soon after this is not zero (Ctrl-C); may be NULL */
	/* For scripts and tests: closes the window this long after viewer_end; 0: never. It waits for a full picture.
	 */
	double exit_after_s;
	/* Called once with what the window shows when it closes; may be NULL. */
	viewer_screenshot_fn screenshot;
	void *screenshot_user;
	/* Where pictures come from: the engine's functions, unless a test puts its own in their place. */
	enm_result (*render)(enm_session *session, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);
	enm_result (*bounds)(enm_session *session, double out_min_mm[3], double out_max_mm[3]);
} viewer_def;

typedef struct viewer viewer;

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

/* True once the window is closed. Any thread. */
bool viewer_closed(const viewer *v);

/* Tells what became of a frame. Any thread. */
void viewer_report(viewer *v, const enm_report *report);

/* Lets the viewer use the session: renders one picture if one is wanted and due, else returns at once. Owner thread.
 * A failure to render is also shown in the window, and not tried again before something has changed. */
ENM_MUST_CHECK enm_result viewer_offer(viewer *v, enm_session *session);

/* No more frames will come; the window stays open. Any thread. */
void viewer_end(viewer *v);

/* Closes the window as its user would. Any thread. */
void viewer_close(viewer *v);

/* Serves the viewer with pictures until the window is closed. Owner thread, when it has nothing else to do. */
void viewer_serve(viewer *v, enm_session *session);

#endif
