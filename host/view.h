/* SPDX-License-Identifier: Apache-2.0
 * The viewer beside the work: the window on the main thread, the work that uses the session on a second one. view.c
 * with the viewer, view_none.c in builds without it. */
#ifndef ENM_HOST_VIEW_H
#define ENM_HOST_VIEW_H

#include <signal.h>
#include <stdbool.h>

#include "error.h"

typedef struct view view;

typedef struct view_options {
	uint64_t frames_expected;
	bool color;
	const volatile sig_atomic_t *stop; /* closes the window */
	double close_after_s;              /* after the work is done; 0: the user closes it */
	const char *screenshot;            /* a PNG of what the window shows when it closes; NULL for none */
} view_options;

/* Does this build have the viewer? */
bool view_is_built(void);

/* Opens a window, runs `work` on a second thread, and keeps the model in view until the window is closed; closing it
 * early does not stop the work. Where no window can be opened, says why in one line and works without one: `v` is NULL
 * then. Returns what the work returned, with its text. */
host_status view_run(const view_options *o, enm_session *session, host_status (*work)(void *user, view *v), void *user);

/* Shows what became of a frame, and a picture if one is due. On the work's thread; `v` may be NULL. True when a picture was drawn. */
bool view_frame(view *v, enm_session *session, const enm_report *report);
/* Only the former. */
void view_tell(view *v, const enm_report *report);

#endif
