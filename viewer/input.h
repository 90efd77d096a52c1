/* SPDX-License-Identifier: Apache-2.0
 * From mouse and keys to a viewpoint. Knows nothing of windows, so that tests can play it. */
#ifndef ENM_VIEWER_INPUT_H
#define ENM_VIEWER_INPUT_H

#include "camera.h"
#include "exchange.h"

typedef enum input_button { INPUT_LEFT = 0, INPUT_MIDDLE = 1, INPUT_OTHER = 2 } input_button;

/* Zero it, then input_init. All positions are in pixels of the framebuffer. */
typedef struct input {
	exchange *exchange;     /* borrowed: for the model's box and axes */
	uint32_t width, height; /* of the area that shows the picture */
	camera now, goal;       /* `now` glides to `goal` */
	enm_shade shade;
	bool touched; /* the user has taken over */
	bool gliding;
	bool ended; /* the scan is over: no more need to follow it calmly */
	bool dragging, panning;
	double x, y;   /* of the cursor */
	double hand_s; /* clock: when the hand last did something */
	bool close;    /* the user wants to leave */
	bool started;  /* the first look at the model was taken */
} input;

void input_init(input *in, exchange *e, enm_shade shade);
void input_resize(input *in, uint32_t width, uint32_t height);
void input_cursor(input *in, double x, double y, double now_s);
void input_press(input *in, input_button button, bool down, bool shift, double now_s);
void input_scroll(input *in, double steps, double now_s);
/* `key`: an upper-case letter, a digit, or 27 for Escape. */
void input_key(input *in, int key, double now_s);

/* Follows the model, and glides; `dt_s` since the last call. True when the viewpoint changed. */
bool input_advance(input *in, double dt_s);

/* The hand is at it, or was a moment ago. */
bool input_is_moving(const input *in, double now_s);

#endif
