/* SPDX-License-Identifier: Apache-2.0
 * The keys of input.h. viewer/help.c has the list that the window shows. */
#include "input.h"

#include <math.h>
#include <string.h>

#include "vector.h"

#define CONFIRM_S 4.0 /* within which a new scan has to be asked for again */

static void look_from(input *in, axes_side side)
{
	double eye[3], up[3];
	exchange_find_side(in->exchange, side, eye, up);
	camera_look(&in->goal, eye, up);
	input_frame_all(in);
	in->gliding = true;
}

/* A plane across the view through its middle; what is nearer goes. */
static void toggle_cut(input *in)
{
	const double ahead[3] = {0, 0, -1};
	in->look.cut = !in->look.cut;
	quaternion_rotate(in->now.q_xyzw, ahead, in->look.cut_normal);
	in->look.cut_mm = vector_dot(in->look.cut_normal, in->now.pivot_mm);
}

static void hold_tool(input *in, int tool)
{
	in->tool = tool == in->tool ? TOOL_NONE : tool;
	input_ask(in, ASK_TOOL, in->tool);
}

static void ask_host(input *in, viewer_event event)
{
	if (in->events & (unsigned)event)
		input_ask(in, ASK_EVENT, (int)event);
}

static void ask_new_scan(input *in, double now_s)
{
	if (!(in->events & VIEWER_EVENT_NEW_SCAN))
		return;
	if (now_s - in->new_scan_s <= CONFIRM_S) {
		in->new_scan_s = -INFINITY;
		in->touched = in->started = false;
		ask_host(in, VIEWER_EVENT_NEW_SCAN);
		return;
	}
	in->new_scan_s = now_s;
	exchange_say(in->exchange, "End this scan and begin a new one? Press N once more");
}

static bool is_shade_key(input *in, int key)
{
	static const struct {
		int key;
		enm_shade shade;
	} shades[] = {{'C', ENM_SHADE_COLOR}, {'G', ENM_SHADE_CLAY}, {'V', ENM_SHADE_VIEWS}, {'Y', ENM_SHADE_QUALITY},
		{'I', ENM_SHADE_INCIDENCE}, {'B', ENM_SHADE_FLAGS}, {'Z', ENM_SHADE_DEVIATION}};
	for (size_t i = 0; i < sizeof shades / sizeof *shades; i++) {
		if (shades[i].key != key)
			continue;
		in->look.shade = shades[i].shade;
		return true;
	}
	return false;
}

static bool is_tool_key(input *in, int key)
{
	static const int keys[MARK_KINDS] = {
		[MARK_DISTANCE] = 'D', [MARK_SURFACE] = 'S', [MARK_ANGLE] = 'A', [MARK_PATH] = 'P', [MARK_SECTION] = 'R'};
	for (int kind = 0; kind < MARK_KINDS; kind++) {
		if (keys[kind] != key)
			continue;
		hold_tool(in, kind);
		return true;
	}
	return false;
}

/* Leaves what is in the way first: the help, a tool; then the window. */
static void escape(input *in)
{
	if (in->help)
		in->help = false;
	else if (in->tool != TOOL_NONE)
		hold_tool(in, TOOL_NONE);
	else
		in->close = true;
}

static void switch_key(input *in, int key, double now_s)
{
	switch (key) {
	case 'F':
		input_take_over(in, now_s);
		input_frame_all(in);
		break;
	case 'O':
		in->look.orthographic = !in->look.orthographic;
		break;
	case 'X':
		toggle_cut(in);
		break;
	case '8':
	case '9':
		in->look.hidden ^= 1u << (key - '8');
		break;
	case 'W':
		in->follow = in->touched || in->follow == VIEWER_FOLLOW_MODEL ? VIEWER_FOLLOW_WAND : VIEWER_FOLLOW_MODEL;
		in->touched = in->follow == VIEWER_FOLLOW_MODEL; /* holds still where it is */
		break;
	case 'H':
		in->help = !in->help;
		break;
	case 'T':
		in->light = !in->light;
		break;
	case 'L':
		in->no_legend = !in->no_legend;
		break;
	case 'E':
		in->no_depth = !in->no_depth;
		break;
	case 'M':
		in->no_gaps = !in->no_gaps;
		break;
	case 'Q':
		in->close = true;
		break;
	default:
		break;
	}
}

void input_key(input *in, int key, unsigned held, double now_s)
{
	if (held & INPUT_CONTROL) {
		if (key == 'Z')
			input_ask(in, ASK_UNDO, 0);
		return;
	}
	if (key >= '1' && key <= '5') {
		input_take_over(in, now_s);
		look_from(in, (axes_side)(key - '1'));
	} else if (key == INPUT_ESCAPE) {
		escape(in);
	} else if (key == INPUT_ENTER) {
		input_ask(in, ASK_FINISH, 0);
	} else if (key == INPUT_BACKSPACE) {
		input_ask(in, ASK_UNDO, 0);
	} else if (key == INPUT_DELETE) {
		input_ask(in, ASK_ERASE, 0);
	} else if (key == ' ') {
		ask_host(in, VIEWER_EVENT_PAUSE);
	} else if (key == 'K') {
		ask_host(in, VIEWER_EVENT_KEEP);
	} else if (key == 'N') {
		ask_new_scan(in, now_s);
	} else if (!is_shade_key(in, key) && !is_tool_key(in, key)) {
		switch_key(in, key, now_s);
	}
}
