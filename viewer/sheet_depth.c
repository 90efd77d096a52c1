/* SPDX-License-Identifier: Apache-2.0
 * The last depth picture in the upper left corner, and beside it how far away the surface is. */
#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEFT 14.0
#define TOP 14.0
#define PICTURE_WIDTH 160.0
#define GAUGE_WIDTH 12.0
#define SPAN 0.35      /* of the median, to either side: what the greys of the picture stand for where no range is known */
#define EDGE_SHARE 0.1 /* of the working range: so near to its ends people should move */

/* Near is bright. */
static uint32_t grey_of(float mm, double near_mm, double far_mm)
{
	if (!(mm > 0.0f))
		return 0xff000000u;
	double share = fmin(fmax((far_mm - (double)mm) / (far_mm - near_mm), 0.0), 1.0);
	uint32_t g = (uint32_t)lround(50.0 + 200.0 * share);
	return 0xff000000u | g << 16 | g << 8 | g;
}

static cairo_surface_t *make_picture(const depth_picture *d)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)d->width, (int)d->height);
	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		return surface;
	unsigned char *pixels = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	double middle = d->median_mm > 0.0 ? d->median_mm : 1.0;
	cairo_surface_flush(surface);
	for (uint32_t y = 0; y < d->height; y++) {
		for (uint32_t x = 0; x < d->width; x++) {
			uint32_t word = grey_of(d->mm[y * d->width + x], middle * (1.0 - SPAN), middle * (1.0 + SPAN));
			memcpy(pixels + y * stride + 4 * (size_t)x, &word, sizeof word);
		}
	}
	cairo_surface_mark_dirty(surface);
	return surface;
}

static void draw_gauge(cairo_t *c, const sheet_content *s, double x, double height)
{
	double near_mm = s->def->working_mm[0], far_mm = s->def->working_mm[1], at_mm = s->depth->median_mm;
	double edge = EDGE_SHARE * height;
	canvas_color(c, s->theme->weak, 0.9);
	cairo_rectangle(c, x, TOP, GAUGE_WIDTH, height);
	cairo_fill(c);
	canvas_color(c, s->theme->tracked, 1.0);
	cairo_rectangle(c, x, TOP + edge, GAUGE_WIDTH, height - 2.0 * edge);
	cairo_fill(c);
	if (at_mm <= 0.0)
		return;
	double share = fmin(fmax((at_mm - near_mm) / (far_mm - near_mm), 0.0), 1.0), y = TOP + share * height;
	cairo_new_path(c);
	cairo_move_to(c, x - 1.0, y);
	cairo_line_to(c, x + GAUGE_WIDTH + 9.0, y - 6.0);
	cairo_line_to(c, x + GAUGE_WIDTH + 9.0, y + 6.0);
	cairo_close_path(c);
	canvas_color(c, s->theme->text, 1.0);
	cairo_fill_preserve(c);
	canvas_color(c, s->theme->halo, 1.0);
	cairo_set_line_width(c, 1.0);
	cairo_stroke(c);
}

static void write_distance(cairo_t *c, const sheet_content *s, double y)
{
	double near_mm = s->def->working_mm[0], far_mm = s->def->working_mm[1], at_mm = s->depth->median_mm;
	double edge_mm = EDGE_SHARE * (far_mm - near_mm);
	const char *word = "";
	rgb color = s->theme->text;
	char text[64];
	if (far_mm > near_mm && at_mm > 0.0) {
		bool close = at_mm < near_mm + edge_mm, far = at_mm > far_mm - edge_mm;
		word = close ? ": too near" : far ? ": too far" : ": good";
		color = close || far ? s->theme->weak : s->theme->tracked;
	}
	if (at_mm > 0.0)
		snprintf(text, sizeof text, "%.1f mm away%s", at_mm, word);
	else
		snprintf(text, sizeof text, "no depth readings");
	canvas_font(c, true, 13.0);
	canvas_write(c, LEFT, y, at_mm > 0.0 ? color : s->theme->lost, text);
}

void sheet_draw_depth(cairo_t *c, const sheet_content *s)
{
	const depth_picture *d = s->depth;
	if (!d->version || !s->show_depth || s->state->ended)
		return;
	double zoom = PICTURE_WIDTH / (double)d->width, height = zoom * (double)d->height;
	bool gauge = s->def->working_mm[1] > s->def->working_mm[0];
	canvas_panel(c, s->theme, LEFT - 8.0, TOP - 8.0, PICTURE_WIDTH + (gauge ? 46.0 : 16.0), height + 40.0);
	cairo_surface_t *picture = make_picture(d);
	cairo_save(c);
	cairo_translate(c, LEFT, TOP);
	cairo_scale(c, zoom, zoom);
	cairo_set_source_surface(c, picture, 0.0, 0.0);
	cairo_paint(c);
	cairo_restore(c);
	cairo_surface_destroy(picture);
	if (gauge)
		draw_gauge(c, s, LEFT + PICTURE_WIDTH + 8.0, height);
	write_distance(c, s, TOP + height + 20.0);
}
