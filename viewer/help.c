/* SPDX-License-Identifier: Apache-2.0
 * The keys, as the window shows them on demand. */
#include "sheet.h"

#include <math.h>

#define LINE 18.0
#define LEFT_WIDTH 470.0
#define RIGHT_WIDTH 410.0
#define KEY_WIDTH 118.0
#define ALWAYS 0u
#define IF_HIDE (1u << 16) /* beside viewer_event's bits: two models */

typedef struct help_line {
	const char *keys, *what; /* no keys: a heading */
	unsigned needs;          /* of the host or the source; else the line is left out */
} help_line;

static const help_line left_lines[] = {
	{NULL, "Look (mouse and touch-pad as in MeshLab)", ALWAYS},
	{"drag", "turn", ALWAYS},
	{"Ctrl or middle drag", "pan", ALWAYS},
	{"wheel, Shift drag", "zoom, the wheel about the point under the cursor", ALWAYS},
	{"double click", "that point becomes the middle", ALWAYS},
	{"F", "all in view", ALWAYS},
	{"1 2 3 4 5", "occlusal, front, left, right, lingual", ALWAYS},
	{"O", "with or without perspective", ALWAYS},
	{"X, Ctrl wheel", "cut across the view; move the cut", ALWAYS},
	{"8 9", "hide or show the first, the second model", IF_HIDE},
	{NULL, "Colours", ALWAYS},
	{"G C", "clay, colour", ALWAYS},
	{"V Y I", "views, noise, incidence", ALWAYS},
	{"B Z", "flags, deviation", ALWAYS},
	{"M", "gaps (what is missing)", ALWAYS},
	{"T L E", "light or dark, legend and ruler, depth picture", ALWAYS},
};

static const help_line right_lines[] = {
	{NULL, "Measure (click on the surface)", ALWAYS},
	{"D", "distance of two points", ALWAYS},
	{"S", "to the other model, or through this one", ALWAYS},
	{"A", "angle of three points", ALWAYS},
	{"P", "path along the surface", ALWAYS},
	{"R", "section with its profile", ALWAYS},
	{"Enter", "ends a path", ALWAYS},
	{"Backspace, Ctrl Z", "take back", ALWAYS},
	{"Delete", "erase the mark at the cursor", ALWAYS},
	{NULL, "Scan", VIEWER_EVENT_PAUSE | VIEWER_EVENT_KEEP | VIEWER_EVENT_NEW_SCAN},
	{"Space", "pause, go on", VIEWER_EVENT_PAUSE},
	{"K", "keep the model as it is now", VIEWER_EVENT_KEEP},
	{"N N", "end it and begin a new scan", VIEWER_EVENT_NEW_SCAN},
	{"W", "follow the wand, or hold still", VIEWER_EVENT_PAUSE},
	{NULL, "Window", ALWAYS},
	{"H F1", "this help", ALWAYS},
	{"Esc", "leave the tool, then the window", ALWAYS},
	{"Q", "close", ALWAYS},
};

static unsigned offers(const sheet_content *s)
{
	return s->def->events | (s->state->can_hide ? IF_HIDE : 0u);
}

static bool is_offered(const sheet_content *s, const help_line *l)
{
	return !l->needs || (l->needs & offers(s));
}

static double step_of(const help_line *l)
{
	return l->keys ? LINE : LINE + 8.0;
}

static double height_of(const sheet_content *s, const help_line *lines, size_t count)
{
	double height = 0.0;
	for (size_t i = 0; i < count; i++)
		height += is_offered(s, &lines[i]) ? step_of(&lines[i]) : 0.0;
	return height;
}

static void draw_column(cairo_t *c, const sheet_content *s, double x, double y, const help_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const help_line *l = &lines[i];
		if (!is_offered(s, l))
			continue;
		y += step_of(l);
		canvas_font(c, !l->keys, 13.0);
		if (l->keys)
			canvas_write(c, x, y, s->theme->mark, l->keys);
		canvas_write(c, l->keys ? x + KEY_WIDTH + 8.0 : x, y, l->keys ? s->theme->text : s->theme->detail, l->what);
	}
}

void sheet_draw_help(cairo_t *c, const sheet_content *s)
{
	const size_t left = sizeof left_lines / sizeof *left_lines, right = sizeof right_lines / sizeof *right_lines;
	if (!s->help)
		return;
	double width = LEFT_WIDTH + RIGHT_WIDTH + 48.0;
	double height = fmax(height_of(s, left_lines, left), height_of(s, right_lines, right)) + 26.0;
	double room_x = (double)s->width / s->scale, room_y = (double)s->height / s->scale;
	double zoom = fmin(1.0, fmin((room_x - 16.0) / width, (room_y - 16.0) / height));
	cairo_save(c);
	cairo_translate(c, 0.5 * (room_x - zoom * width), 0.5 * (room_y - zoom * height));
	cairo_scale(c, zoom, zoom);
	for (int layer = 0; layer < 2; layer++) /* denser than other panels */
		canvas_panel(c, s->theme, 0.0, 0.0, width, height);
	draw_column(c, s, 20.0, 4.0, left_lines, left);
	draw_column(c, s, LEFT_WIDTH + 40.0, 4.0, right_lines, right);
	cairo_restore(c);
}
