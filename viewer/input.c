/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <math.h>
#include <string.h>

#include "vector.h"

#define ZOOM_PER_STEP 0.88
#define GLIDE_S 0.09  /* time constant after a key */
#define FOLLOW_S 0.25 /* time constant of following the model: calmer */
#define WAND_S 0.6    /* and of following the wand, which trembles */
#define REST_S 0.18   /* the hand rests after so long without a movement */
#define PLACE_WAIT_S 0.15    /* that the wheel waits for what is under the cursor */
#define CLICK_PIXELS 4.0     /* a click moves less */
#define DOUBLE_CLICK_S 0.35
#define CUT_STEP 0.01        /* of the distance to the model, for a step of the wheel */
#define WAND_VIEW 3.0        /* the view behind the wand is so many times as wide as the wand's own */
#define WAND_DEPTH_MM 15.0   /* where the depth is not known */

void input_init(input *in, exchange *e, const viewer_def *def)
{
	memset(in, 0, sizeof *in);
	in->exchange = e;
	in->look.shade = def->shade;
	in->look.orthographic = def->orthographic;
	in->light = def->light;
	in->follow = def->follow;
	in->events = def->events;
	in->now = in->goal = camera_default();
	in->width = in->height = 1;
	in->hand_s = in->click_s = in->new_scan_s = -INFINITY;
	in->tool = TOOL_NONE;
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

look input_look(const input *in)
{
	look l = in->look;
	l.from = in->now;
	return l;
}

void input_ask(input *in, ask_kind kind, int value)
{
	exchange_ask ask = {.kind = kind, .x = in->x, .y = in->y, .value = value};
	ask.wish = (exchange_wish){.width = in->width, .height = in->height, .look = input_look(in)};
	if (kind == ASK_PLACE)
		ask.serial = ++in->place_serial;
	if (!exchange_send(in->exchange, &ask))
		exchange_say(in->exchange, "Too much at once: the device is busy");
}

void input_take_over(input *in, double now_s)
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

static void turn(input *in, double x, double y)
{
	double from[2], to[2];
	to_ball(in, in->x, in->y, from);
	to_ball(in, x, y, to);
	camera_turn(&in->now, from, to);
}

void input_cursor(input *in, double x, double y, double now_s)
{
	double dx = x - in->x, dy = y - in->y;
	bool moved = dx != 0.0 || dy != 0.0;
	if (in->drag && moved) {
		input_take_over(in, now_s);
		if (in->drag == INPUT_DRAG_PAN)
			camera_pan(&in->now, dx, dy, focal(in));
		else if (in->drag == INPUT_DRAG_ZOOM)
			camera_zoom(&in->now, pow(ZOOM_PER_STEP, -dy / 20.0), 0.0, 0.0, focal(in));
		else
			turn(in, x, y);
		in->goal = in->now;
	}
	in->anchored = in->anchored && !moved;
	in->x = x;
	in->y = y;
}

/* A click without movement: a point for the tool in hand; the second soon after it, the middle of the view. */
static void click(input *in, double now_s)
{
	bool twice = now_s - in->click_s < DOUBLE_CLICK_S && fabs(in->x - in->click_x) < CLICK_PIXELS &&
		     fabs(in->y - in->click_y) < CLICK_PIXELS;
	in->click_s = twice ? (double)-INFINITY : now_s;
	in->click_x = in->x;
	in->click_y = in->y;
	if (in->tool != TOOL_NONE) {
		input_ask(in, twice && in->tool == MARK_PATH ? ASK_FINISH : ASK_POINT, 0);
	} else if (twice) {
		in->place_centres = true;
		input_ask(in, ASK_PLACE, 0);
	}
}

void input_press(input *in, input_button button, bool down, unsigned held, double now_s)
{
	if (button == INPUT_OTHER)
		return;
	if (down) {
		in->press_x = in->x;
		in->press_y = in->y;
		in->drag = button == INPUT_MIDDLE || (held & INPUT_CONTROL) ? INPUT_DRAG_PAN
			   : held & INPUT_SHIFT				    ? INPUT_DRAG_ZOOM
									    : INPUT_DRAG_TURN;
		return;
	}
	bool still = fabs(in->x - in->press_x) < CLICK_PIXELS && fabs(in->y - in->press_y) < CLICK_PIXELS;
	if (in->drag == INPUT_DRAG_TURN && still)
		click(in, now_s);
	in->drag = INPUT_DRAG_NONE;
	in->hand_s = fmin(in->hand_s, now_s - REST_S); /* letting go is a wish for the full picture */
}

static void zoom(input *in)
{
	double factor = pow(ZOOM_PER_STEP, in->steps);
	double x = in->x - 0.5 * ((double)in->width - 1.0), y = in->y - 0.5 * ((double)in->height - 1.0);
	if (in->anchored)
		camera_zoom_about(&in->now, factor, in->anchor_mm);
	else
		camera_zoom(&in->now, factor, x, y, focal(in));
	in->goal = in->now;
	in->steps = 0.0;
	in->waiting = false;
}

void input_scroll(input *in, double steps, unsigned held, double now_s)
{
	if (steps == 0.0)
		return;
	if (held & INPUT_CONTROL) {
		if (in->look.cut)
			in->look.cut_mm += steps * CUT_STEP * in->now.distance_mm;
		in->hand_s = now_s;
		return;
	}
	input_take_over(in, now_s);
	in->steps += steps;
	if (in->anchored) {
		zoom(in);
	} else if (!in->waiting) {
		in->waiting = true;
		in->waited_s = 0.0;
		in->place_centres = false;
		input_ask(in, ASK_PLACE, 0);
	}
}

/* What the owner has found under the cursor. */
static bool hear(input *in, double dt_s)
{
	exchange_answer answer = exchange_get_answer(in->exchange);
	bool fresh = in->place_serial && answer.serial == in->place_serial;
	if (in->place_centres && fresh) {
		in->place_centres = false;
		if (answer.hit) {
			in->goal = in->now;
			memcpy(in->goal.pivot_mm, answer.position_mm, sizeof in->goal.pivot_mm);
			in->touched = in->gliding = true;
		}
	}
	if (!in->waiting)
		return false;
	in->waited_s += dt_s;
	if (!fresh && in->waited_s < PLACE_WAIT_S)
		return false;
	in->anchored = fresh && answer.hit;
	if (in->anchored)
		memcpy(in->anchor_mm, answer.position_mm, sizeof in->anchor_mm);
	zoom(in);
	return true;
}

void input_frame_all(input *in)
{
	camera_box box;
	if (!exchange_get_box(in->exchange, &box))
		return;
	camera_frame(&in->goal, &box, in->width, in->height);
	in->gliding = true;
	in->anchored = false;
}

/* Behind the wand, upright as the wand holds its picture. */
static bool aim_at_wand(input *in)
{
	exchange_state s;
	exchange_get_state(in->exchange, &s);
	if (!s.has_wand)
		return false;
	const double axis[3] = {0, 0, 1};
	double ahead[3];
	quaternion_rotate(s.wand.q_xyzw, axis, ahead);
	double depth_mm = s.depth_mm > 0.0 ? s.depth_mm : WAND_DEPTH_MM;
	vector_combine(1.0, s.wand.t_mm, depth_mm, ahead, in->goal.pivot_mm);
	memcpy(in->goal.q_xyzw, s.wand.q_xyzw, sizeof in->goal.q_xyzw);
	in->goal.distance_mm = WAND_VIEW * depth_mm;
	return true;
}

/* From above where the axes are known, else as the first frame was taken. */
static void look_first(input *in)
{
	double eye[3], up[3];
	if (exchange_has_axes(in->exchange)) {
		exchange_find_side(in->exchange, AXES_OCCLUSAL, eye, up);
		camera_look(&in->goal, eye, up);
	} else {
		exchange_get_first_view(in->exchange, in->goal.q_xyzw);
	}
}

/* Keeps in view what grows, from where the first frame was taken. */
static void follow(input *in)
{
	camera_box box;
	if (in->touched || !exchange_get_box(in->exchange, &box))
		return;
	if (in->follow == VIEWER_FOLLOW_MODEL || in->ended || !aim_at_wand(in)) {
		if (!in->started)
			look_first(in);
		camera_frame(&in->goal, &box, in->width, in->height);
	}
	if (!in->started)
		in->now = in->goal;
	in->gliding = in->gliding || !in->started || !camera_is_close(&in->now, &in->goal);
	in->started = true;
}

bool input_advance(input *in, double dt_s)
{
	bool zoomed = hear(in, dt_s);
	follow(in);
	if (!in->gliding)
		return zoomed;
	double calm_s = in->follow == VIEWER_FOLLOW_WAND ? WAND_S : FOLLOW_S;
	camera_approach(&in->now, &in->goal, 1.0 - exp(-dt_s / (in->touched || in->ended ? GLIDE_S : calm_s)));
	if (camera_is_close(&in->now, &in->goal)) {
		in->now = in->goal;
		in->gliding = false;
	}
	return true;
}

bool input_is_moving(const input *in, double now_s)
{
	return (in->gliding && in->touched) || in->waiting || now_s - in->hand_s < REST_S;
}
