/* SPDX-License-Identifier: Apache-2.0
 * The insides of a viewer, for its own files and its tests. */
#ifndef ENM_VIEWER_INTERNAL_H
#define ENM_VIEWER_INTERNAL_H

#include "draw.h"
#include "exchange.h"
#include "input.h"
#include "overlay.h"
#include "owner.h"
#include "sheet.h"

struct GLFWwindow;

struct viewer {
	viewer_def def;
	exchange exchange;
	owner owner; /* the owner thread's */
	struct GLFWwindow *window;
	draw draw;
	overlay overlay;
	sheet sheet;
	input input;
	const theme *theme;
	tools_shown *shown; /* the newest marks; NULL before there are any */
	depth_picture depth;
	exchange_picture front;
	exchange_wish wish;
	draw_layout layout;
	double content_scale;
	double pixels_per_unit[2]; /* of the framebuffer, per unit of the window's coordinates */
	double stepped_s;          /* clock of the last step */
	double shown_s;            /* clock of the last redraw */
	bool dirty;                /* what is shown is out of date */
	bool closing;
	bool shot; /* the screenshot was handed out */
	const char *lost; /* why there is nothing left to draw on; NULL: there is */
};

/* window.c. VIEWER_E_DISPLAY with one line in `reason`. */
viewer_result window_open(viewer *v, char *reason);
void window_close(viewer *v);

#endif
