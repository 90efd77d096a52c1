/* SPDX-License-Identifier: Apache-2.0
 * From mouse and keys to a viewpoint, and to questions for the owner thread. Knows nothing of windows, so that tests can play it. */
#ifndef ENM_VIEWER_INPUT_H
#define ENM_VIEWER_INPUT_H

#include "exchange.h"

typedef enum input_button { INPUT_LEFT = 0, INPUT_MIDDLE = 1, INPUT_OTHER = 2 } input_button;

/* Keys that are no letter, digit or space. */
enum { INPUT_BACKSPACE = 8, INPUT_ENTER = 13, INPUT_ESCAPE = 27, INPUT_DELETE = 127 };

/* What is held down meanwhile, as bits. */
enum { INPUT_SHIFT = 1, INPUT_CONTROL = 2 };

typedef enum input_drag { INPUT_DRAG_NONE = 0, INPUT_DRAG_TURN, INPUT_DRAG_PAN, INPUT_DRAG_ZOOM } input_drag;

/* Zero it, then input_init. All positions are in pixels of the framebuffer. */
typedef struct input {
	exchange *exchange;     /* borrowed: for the model's box and axes, and to ask */
	uint32_t width, height; /* of the area that shows the picture */
	camera now, goal;       /* `now` glides to `goal` */
	look look;              /* all but `from`, which is `now` */
	unsigned events;        /* bits of viewer_event that the host understands */
	viewer_follow follow;
	bool touched; /* the user has taken over */
	bool gliding;
	bool ended;   /* the scan is over: no more need to follow it calmly */
	input_drag drag;
	double x, y;             /* of the cursor */
	double press_x, press_y; /* where the button went down */
	double click_x, click_y, click_s; /* of the last click, which may be the first of two */
	double hand_s;           /* clock: when the hand last did something */
	bool close;              /* the user wants to leave */
	bool started;            /* the first look at the model was taken */
	int tool;                /* a mark_kind or TOOL_NONE */
	bool help, light, no_legend, no_depth, no_gaps; /* what the overlay shows, and how */
	double new_scan_s;       /* clock: when a new scan was asked for the first time */
	/* The wheel turns about what is under the cursor, which only the owner thread knows: steps wait for it a moment. */
	uint64_t place_serial;   /* of the last question; 0 before */
	bool place_centres;      /* the answer becomes the middle of the view; else the wheel waits for it */
	bool anchored;           /* `anchor_mm` is what is under the cursor */
	double anchor_mm[3];
	double steps, waited_s;  /* of the wheel, not yet done */
	bool waiting;
} input;

void input_init(input *in, exchange *e, const viewer_def *def);
void input_resize(input *in, uint32_t width, uint32_t height);
void input_cursor(input *in, double x, double y, double now_s);
void input_press(input *in, input_button button, bool down, unsigned held, double now_s);
void input_scroll(input *in, double steps, unsigned held, double now_s);
/* `key`: an upper-case letter, a digit, a space or one of the above. */
void input_key(input *in, int key, unsigned held, double now_s);

/* Follows the model or the wand, hears answers, and glides; `dt_s` since the last call. True when the viewpoint changed. */
bool input_advance(input *in, double dt_s);

/* The hand is at it, or was a moment ago. */
bool input_is_moving(const input *in, double now_s);

/* What the picture is to show. */
look input_look(const input *in);

/* The hand moves what is seen now; a glide under way ends there. */
void input_take_over(input *in, double now_s);
/* Glides to where the whole model is in view. */
void input_frame_all(input *in);

/* Asks the owner about the place under the cursor, as the picture is to be now. */
void input_ask(input *in, ask_kind kind, int value);

#endif
