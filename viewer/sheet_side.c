/* SPDX-License-Identifier: Apache-2.0
 * At the sides of the picture: what its colours stand for, how long a millimetre is, the profile of a section, and words. */
#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vector.h"

#define MARGIN 14.0
#define RAMP_HEIGHT 150.0
#define RAMP_STEPS 64
#define INSET_WIDTH 300.0
#define INSET_HEIGHT 190.0
#define BESIDE 0.3 /* of the points' distance: how much of the profile is shown on either side */
#define LINE_BYTES 192

static double unit_width(const sheet_content *s)
{
	return (double)s->width / s->scale;
}

static double unit_height(const sheet_content *s)
{
	return (double)s->height / s->scale;
}

/* ---- legend ---- */

static void draw_ramp(cairo_t *c, const sheet_content *s, const enm_view_def *view, const enm_legend *legend)
{
	double left = unit_width(s) - MARGIN - 116.0, top = MARGIN + 30.0;
	canvas_panel(c, s->theme, left - 10.0, MARGIN - 6.0, 126.0, RAMP_HEIGHT + 50.0);
	canvas_font(c, true, 12.0);
	char title[LINE_BYTES];
	snprintf(title, sizeof title, "%s", legend->title);
	canvas_fit(c, title, sizeof title, 112.0);
	canvas_write(c, left, MARGIN + 14.0, s->theme->text, title);
	for (int i = 0; i < RAMP_STEPS; i++) {
		double value = legend->high - (legend->high - legend->low) * ((double)i + 0.5) / RAMP_STEPS;
		uint8_t rgb8[3] = {0};
		if (enm_view_legend_color(view, value, rgb8) < 0)
			return;
		cairo_set_source_rgb(c, rgb8[0] / 255.0, rgb8[1] / 255.0, rgb8[2] / 255.0);
		cairo_rectangle(c, left, top + RAMP_HEIGHT * i / RAMP_STEPS, 18.0, RAMP_HEIGHT / RAMP_STEPS + 0.5);
		cairo_fill(c);
	}
	canvas_font(c, false, 12.0);
	for (int i = 0; i < 3; i++) {
		char text[LINE_BYTES];
		double value = legend->high - (legend->high - legend->low) * i / 2.0;
		snprintf(text, sizeof text, "%.4g %s", value, legend->unit);
		canvas_write(c, left + 26.0, top + RAMP_HEIGHT * i / 2.0 + 4.0, s->theme->text, text);
	}
}

static void draw_kinds(cairo_t *c, const sheet_content *s, const enm_legend *legend)
{
	double left = unit_width(s) - MARGIN - 186.0;
	canvas_panel(c, s->theme, left - 10.0, MARGIN - 6.0, 196.0, 30.0 + 20.0 * legend->entry_count);
	canvas_font(c, true, 12.0);
	canvas_write(c, left, MARGIN + 12.0, s->theme->text, legend->title);
	canvas_font(c, false, 12.0);
	for (uint32_t i = 0; i < legend->entry_count; i++) {
		const uint8_t *rgb8 = legend->entries[i].rgb;
		double y = MARGIN + 22.0 + 20.0 * i;
		cairo_set_source_rgb(c, rgb8[0] / 255.0, rgb8[1] / 255.0, rgb8[2] / 255.0);
		cairo_rectangle(c, left, y, 14.0, 14.0);
		cairo_fill(c);
		canvas_write(c, left + 22.0, y + 11.5, s->theme->text, legend->entries[i].name);
	}
}

void sheet_draw_legend(cairo_t *c, const sheet_content *s)
{
	enm_view_def view = look_view(s->look, s->width, s->height, NULL);
	enm_legend legend;
	if (!s->legend || enm_view_legend(&view, &legend) < 0)
		return;
	if (legend.kind == ENM_LEGEND_RAMP)
		draw_ramp(c, s, &view, &legend);
	else if (legend.kind == ENM_LEGEND_KINDS)
		draw_kinds(c, s, &legend);
}

/* ---- ruler ---- */

/* The longest of 1, 2, 5, 10, ... mm that is no longer than `mm`. */
static double round_length(double mm)
{
	double ten = pow(10.0, floor(log10(mm)));
	return mm >= 5.0 * ten ? 5.0 * ten : mm >= 2.0 * ten ? 2.0 * ten : ten;
}

static void draw_length(cairo_t *c, const sheet_content *s, double right, double foot, double units_per_mm, double room)
{
	double mm = round_length(room / units_per_mm), length = mm * units_per_mm;
	char text[LINE_BYTES];
	if (mm >= 0.1)
		snprintf(text, sizeof text, "%g mm", mm);
	else
		snprintf(text, sizeof text, "%g \302\265m", 1e3 * mm);
	cairo_new_path(c);
	cairo_move_to(c, right - length, foot - 4.0);
	cairo_line_to(c, right - length, foot);
	cairo_line_to(c, right, foot);
	cairo_line_to(c, right, foot - 4.0);
	canvas_stroke(c, s->theme, s->theme->text, 1.5);
	canvas_font(c, false, 12.0);
	canvas_write(c, right - 0.5 * (length + canvas_text_width(c, text)), foot - 8.0, s->theme->text, text);
}

/* With perspective a millimetre has its length at the middle of the view only, which is said. */
void sheet_draw_ruler(cairo_t *c, const sheet_content *s)
{
	double per_mm = look_pixels_per_mm(s->look, s->width, s->height) / s->scale;
	double right = unit_width(s) - MARGIN, foot = unit_height(s) - MARGIN;
	if (!s->legend)
		return;
	const double high = s->look->orthographic ? 32.0 : 46.0; /* the note's line */
	canvas_panel(c, s->theme, right - 136.0, foot + 8.0 - high, 144.0, high);
	draw_length(c, s, right, foot, per_mm, 120.0);
	if (s->look->orthographic)
		return;
	canvas_font(c, false, 10.0);
	const char *note = "in the middle of the view";
	canvas_write(c, right - canvas_text_width(c, note), foot - 24.0, s->theme->help, note);
}

/* ---- profile ---- */

typedef struct profile {
	double along[3], up[3]; /* axes of the inset, in the world */
	const double *origin;
	double length_mm; /* between the points */
	double left_mm, right_mm, low_mm, high_mm;
} profile;

static void to_inset(const profile *p, const double world_mm[3], double out[2])
{
	double off[3];
	vector_combine(1.0, world_mm, -1.0, p->origin, off);
	out[0] = vector_dot(off, p->along);
	out[1] = vector_dot(off, p->up);
}

static bool is_beside(const profile *p, const cut_curve *curve, size_t i, double a[2], double b[2])
{
	to_inset(p, curve->points[i].position_mm, a);
	to_inset(p, curve->points[i + 1].position_mm, b);
	return fmax(a[0], b[0]) >= p->left_mm && fmin(a[0], b[0]) <= p->right_mm;
}

static bool find_profile(const mark *m, const cut_curve *curve, profile *p)
{
	vector_combine(1.0, m->points[1].position_mm, -1.0, m->points[0].position_mm, p->along);
	p->length_mm = sqrt(vector_dot(p->along, p->along));
	vector_normalize(p->along);
	vector_combine(-1.0, m->direction, vector_dot(m->direction, p->along), p->along, p->up);
	p->origin = m->points[0].position_mm;
	p->left_mm = -BESIDE * p->length_mm;
	p->right_mm = (1.0 + BESIDE) * p->length_mm;
	p->low_mm = INFINITY;
	p->high_mm = -INFINITY;
	if (!vector_normalize(p->up))
		return false;
	for (size_t i = 0; i + 1 < curve->count; i += 2) {
		double a[2], b[2];
		if (!is_beside(p, curve, i, a, b))
			continue;
		p->low_mm = fmin(p->low_mm, fmin(a[1], b[1]));
		p->high_mm = fmax(p->high_mm, fmax(a[1], b[1]));
	}
	return p->high_mm > p->low_mm;
}

static void draw_profile(cairo_t *c, const sheet_content *s, const mark *m, const cut_curve *curve, const profile *p)
{
	double left = MARGIN, top = unit_height(s) - MARGIN - INSET_HEIGHT, room_x = INSET_WIDTH - 24.0, room_y = INSET_HEIGHT - 62.0;
	double zoom = fmin(room_x / (p->right_mm - p->left_mm), room_y / (p->high_mm - p->low_mm));
	double x0 = left + 0.5 * INSET_WIDTH - 0.5 * zoom * (p->left_mm + p->right_mm);
	double y0 = top + 28.0 + 0.5 * room_y + 0.5 * zoom * (p->low_mm + p->high_mm);
	char title[LINE_BYTES], figure[MARK_TEXT_BYTES];
	canvas_panel(c, s->theme, left - 6.0, top - 6.0, INSET_WIDTH + 12.0, INSET_HEIGHT + 12.0);
	mark_text(m, figure);
	snprintf(title, sizeof title, "section %u: %s", m->number, figure);
	canvas_font(c, true, 12.0);
	canvas_write(c, left + 4.0, top + 12.0, s->theme->text, title);
	cairo_save(c);
	cairo_rectangle(c, left, top + 20.0, INSET_WIDTH, INSET_HEIGHT - 46.0);
	cairo_clip(c);
	cairo_new_path(c);
	for (size_t i = 0; i + 1 < curve->count; i += 2) {
		double a[2], b[2];
		if (!is_beside(p, curve, i, a, b))
			continue;
		cairo_move_to(c, x0 + zoom * a[0], y0 - zoom * a[1]);
		cairo_line_to(c, x0 + zoom * b[0], y0 - zoom * b[1]);
	}
	canvas_stroke(c, s->theme, s->theme->wand, 1.6);
	for (int k = 0; k < 2; k++) {
		double at[2];
		to_inset(p, m->points[k].position_mm, at);
		cairo_new_path(c);
		cairo_arc(c, x0 + zoom * at[0], y0 - zoom * at[1], 3.5, 0.0, 6.2831853);
		canvas_color(c, s->theme->mark, 1.0);
		cairo_fill(c);
	}
	cairo_restore(c);
	draw_length(c, s, left + INSET_WIDTH - 6.0, top + INSET_HEIGHT - 4.0, zoom, 90.0);
}

/* The newest section has the inset; false when there is none, or no room. */
static bool find_section(const sheet_content *s, size_t *out_index, profile *out)
{
	bool room = unit_width(s) > 2.0 * INSET_WIDTH && unit_height(s) > 1.6 * INSET_HEIGHT;
	size_t i = s->shown && room ? s->shown->marks.count : 0;
	while (i > 0 && s->shown->marks.entries[i - 1].kind != MARK_SECTION)
		i--;
	*out_index = i - 1;
	return i > 0 && find_profile(&s->shown->marks.entries[i - 1], &s->shown->curves[i - 1], out);
}

void sheet_draw_section(cairo_t *c, const sheet_content *s)
{
	size_t i;
	profile p;
	if (find_section(s, &i, &p))
		draw_profile(c, s, &s->shown->marks.entries[i], &s->shown->curves[i], &p);
}

/* ---- words ---- */

/* Between `left` and the right side. */
static void line(cairo_t *c, const sheet_content *s, double left, double y, rgb color, const char *words)
{
	char text[LINE_BYTES];
	canvas_font(c, true, 14.0);
	snprintf(text, sizeof text, "%s", words);
	canvas_fit(c, text, sizeof text, fmax(unit_width(s) - left - 4.0 * MARGIN, 0.0));
	double width = canvas_text_width(c, text), x = 0.5 * (left + unit_width(s) - width);
	canvas_panel(c, s->theme, x - 12.0, y - 18.0, width + 24.0, 26.0);
	canvas_write(c, x, y, color, text);
}

/* What the tool in hand waits for at the foot, what was said above it. */
void sheet_draw_words(cairo_t *c, const sheet_content *s)
{
	double foot = unit_height(s) - MARGIN - 10.0;
	size_t i;
	profile p;
	double left = find_section(s, &i, &p) ? INSET_WIDTH + MARGIN : 0.0;
	if (s->shown && *s->shown->message)
		line(c, s, left, foot, s->theme->mark, s->shown->message);
	if (s->say && *s->state->said)
		line(c, s, left, foot - 34.0, s->theme->text, s->state->said);
	if (s->state->paused)
		line(c, s, 0.0, MARGIN + 20.0, s->theme->weak, "Paused");
}
