/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas.h"

#include <stdio.h>
#include <string.h>

#define CORNER 6.0
#define PANEL_ALPHA 0.84
#define HALO_ALPHA 0.75

const theme theme_dark = {
	.ground = {0.086, 0.098, 0.114},
	.text = {0.95, 0.96, 0.97},
	.detail = {0.72, 0.76, 0.80},
	.help = {0.55, 0.60, 0.65},
	.tracked = {0.16, 0.78, 0.58},
	.weak = {0.96, 0.72, 0.18},
	.lost = {0.94, 0.36, 0.22},
	.idle = {0.58, 0.64, 0.70},
	.mark = {1.0, 0.85, 0.25},
	.gap = {0.98, 0.55, 0.15},
	.wand = {0.35, 0.80, 1.0},
	.halo = {0.05, 0.06, 0.07},
	.behind = {{0.066f, 0.074f, 0.086f}, {0.190f, 0.212f, 0.238f}},
};

const theme theme_light = {
	.ground = {0.93, 0.94, 0.95},
	.text = {0.08, 0.09, 0.11},
	.detail = {0.25, 0.28, 0.32},
	.help = {0.36, 0.40, 0.44},
	.tracked = {0.0, 0.52, 0.38},
	.weak = {0.70, 0.46, 0.0},
	.lost = {0.80, 0.20, 0.05},
	.idle = {0.42, 0.47, 0.53},
	.mark = {0.0, 0.28, 0.62},
	.gap = {0.80, 0.30, 0.0},
	.wand = {0.0, 0.45, 0.70},
	.halo = {1.0, 1.0, 1.0},
	.behind = {{0.74f, 0.76f, 0.78f}, {0.90f, 0.91f, 0.92f}},
};

void canvas_color(cairo_t *c, rgb color, double alpha)
{
	cairo_set_source_rgba(c, color.r, color.g, color.b, alpha);
}

void canvas_font(cairo_t *c, bool bold, double size)
{
	cairo_select_font_face(
		c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, size);
}

double canvas_text_width(cairo_t *c, const char *text)
{
	cairo_text_extents_t extents;
	cairo_text_extents(c, text, &extents);
	return extents.x_advance;
}

void canvas_fit(cairo_t *c, char *text, size_t capacity, double room)
{
	size_t length = strlen(text);
	while (length && canvas_text_width(c, text) > room) {
		do
			length--;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80);
		snprintf(text + length, capacity - length, "\xe2\x80\xa6");
	}
}

double canvas_write(cairo_t *c, double x, double y, rgb color, const char *text)
{
	canvas_color(c, color, 1.0);
	cairo_move_to(c, x, y);
	cairo_show_text(c, text);
	return canvas_text_width(c, text);
}

void canvas_panel(cairo_t *c, const theme *t, double x, double y, double width, double height)
{
	const double quarter = 1.5707963267948966, r = CORNER;
	cairo_new_path(c);
	cairo_arc(c, x + r, y + r, r, 2.0 * quarter, 3.0 * quarter);
	cairo_arc(c, x + width - r, y + r, r, 3.0 * quarter, 4.0 * quarter);
	cairo_arc(c, x + width - r, y + height - r, r, 0.0, quarter);
	cairo_arc(c, x + r, y + height - r, r, quarter, 2.0 * quarter);
	cairo_close_path(c);
	canvas_color(c, t->ground, PANEL_ALPHA);
	cairo_fill(c);
}

void canvas_stroke(cairo_t *c, const theme *t, rgb color, double width)
{
	cairo_set_line_cap(c, CAIRO_LINE_CAP_ROUND);
	cairo_set_line_join(c, CAIRO_LINE_JOIN_ROUND);
	canvas_color(c, t->halo, HALO_ALPHA);
	cairo_set_line_width(c, width + 2.5);
	cairo_stroke_preserve(c);
	canvas_color(c, color, 1.0);
	cairo_set_line_width(c, width);
	cairo_stroke(c);
}
