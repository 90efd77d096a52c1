/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <math.h>
#include <string.h>

#define ZOOM_PER_STEP 0.88
#define GLIDE_S 0.09  /* time constant after a key */
#define FOLLOW_S 0.25 /* time constant of following the model: calmer */
#define REST_S 0.18   /* the hand rests after so long without a movement */

void input_init(input *in, exchange *e, enm_shade shade)
{
	memset(in, 0, sizeof *in);
	in->exchange = e;
	in->shade = shade;
	in->now = in->goal = camera_default();
	in->width = in->height = 1;
	in->hand_s = -INFINITY;
}

void input_resize(input *in, uint32_t width, uint32_t height)
{
	in->width = width ? width : 1;
	in->height = height ? height : 1;
}

static double focal(const input *in)
{
	return camera_focal_pixels(in->width, in->height);
}

/* The hand moves what is seen now; a glide under way ends there. */
static void take_over(input *in, double now_s)
{
	in->touched = true;
	in->gliding = false;
	in->hand_s = now_s;
}

static void to_ball(const input *in, double x, double y, double out[2])
{
	double radius = 0.5 * (double)(in->width < in->height ? in->width : in->height);
	out[0] = (x - 0.5 * (double)in->width) / radius;
	out[1] = (y - 0.5 * (double)in->height) / radius;
}

void input_cursor(input *in, double x, double y, double now_s)
{
	double dx = x - in->x, dy = y - in->y;
	if (in->dragging && (dx != 0.0 || dy != 0.0)) {
		take_over(in, now_s);
		if (in->panning) {
			camera_pan(&in->now, dx, dy, focal(in));
		} else {
			double from[2], to[2];
			to_ball(in, in->x, in->y, from);
			to_ball(in, x, y, to);
			camera_turn(&in->now, from, to);
		}
		in->goal = in->now;
	}
	in->x = x;
	in->y = y;
}

void input_press(input *in, input_button button, bool down, bool shift, double now_s)
{
	if (button == INPUT_OTHER)
		return;
	in->dragging = down;
	in->panning = button == INPUT_MIDDLE || shift;
	if (!down)
		in->hand_s = fmin(in->hand_s, now_s - REST_S); /* letting go is a wish for the full picture */
}

void input_scroll(input *in, double steps, double now_s)
{
	if (steps == 0.0)
		return;
	take_over(in, now_s);
	double x = in->x - 0.5 * (double)in->width, y = in->y - 0.5 * (double)in->height;
	camera_zoom(&in->now, pow(ZOOM_PER_STEP, steps), x, y, focal(in));
	in->goal = in->now;
}

static void frame_all(input *in)
{
	camera_box box;
	if (!exchange_get_box(in->exchange, &box))
		return;
	camera_frame(&in->goal, &box, in->width, in->height);
	in->gliding = true;
}

static void look_from(input *in, axes_side side)
{
	double eye[3], up[3];
	exchange_find_side(in->exchange, side, eye, up);
	camera_look(&in->goal, eye, up);
	frame_all(in);
	in->gliding = true;
}

void input_key(input *in, int key, double now_s)
{
	if (key >= '1' && key <= '4') {
		take_over(in, now_s);
		look_from(in, (axes_side)(key - '1'));
		return;
	}
	switch (key) {
	case 'F':
		take_over(in, now_s);
		frame_all(in);
		break;
	case 'C':
		in->shade = ENM_SHADE_COLOR;
		break;
	case 'G':
		in->shade = ENM_SHADE_CLAY;
		break;
	case 'V':
		in->shade = ENM_SHADE_VIEWS;
		break;
	case 'Q':
	case 27:
		in->close = true;
		break;
	default:
		break;
	}
}

/* Keeps the whole model in view, from where the first frame was taken. */
static void follow(input *in)
{
	camera_box box;
	if (in->touched || !exchange_get_box(in->exchange, &box))
		return;
	if (!in->started)
		exchange_get_first_view(in->exchange, in->goal.q_xyzw);
	camera_frame(&in->goal, &box, in->width, in->height);
	if (!in->started)
		in->now = in->goal;
	in->gliding = in->gliding || !in->started || !camera_is_close(&in->now, &in->goal);
	in->started = true;
}

bool input_advance(input *in, double dt_s)
{
	follow(in);
	if (!in->gliding)
		return false;
	camera_approach(&in->now, &in->goal, 1.0 - exp(-dt_s / (in->touched || in->ended ? GLIDE_S : FOLLOW_S)));
	if (camera_is_close(&in->now, &in->goal)) {
		in->now = in->goal;
		in->gliding = false;
	}
	return true;
}

bool input_is_moving(const input *in, double now_s)
{
	return (in->gliding && in->touched) || now_s - in->hand_s < REST_S;
}
