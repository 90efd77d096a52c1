/* SPDX-License-Identifier: Apache-2.0
 * What the sheet draws where the model is: marks, gaps and the wand. Hidden lines are drawn too: a mark behind a tooth is to be seen. */
#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vector.h"

#define POINT_RADIUS 3.5
#define LABEL_SIZE 13.0
#define LABEL_HEIGHT 20.0
#define LABELS_MAX 64
#define MARK_TRIES 8
#define GAPS_NAMED 8u      /* the longest; of the others there is a ring */
#define RING_MOST 32.0     /* a gap may be as long as the jaw */
#define LABEL_BYTES (MARK_TEXT_BYTES + 32)
#define WAND_LEAST_MM 1.0 /* near end of the frustum where the working range is not known */

static void point(cairo_t *c, const sheet_content *s, const double world_mm[3], rgb color)
{
	double at[2];
	if (!sheet_project(s, world_mm, at))
		return;
	cairo_new_path(c);
	cairo_arc(c, at[0], at[1], POINT_RADIUS, 0.0, 6.2831853);
	canvas_color(c, color, 1.0);
	cairo_fill_preserve(c);
	canvas_color(c, s->theme->halo, 1.0);
	cairo_set_line_width(c, 1.2);
	cairo_stroke(c);
}

/* Goes on from where the pen is; a point behind the eye lifts it. */
static void line_to(cairo_t *c, const sheet_content *s, const double world_mm[3], bool *down)
{
	double at[2];
	bool seen = sheet_project(s, world_mm, at);
	if (seen && *down)
		cairo_line_to(c, at[0], at[1]);
	else if (seen)
		cairo_move_to(c, at[0], at[1]);
	*down = seen;
}

/* Where labels are, so that none covers another: the first comes first. */
typedef struct labels {
	double box[LABELS_MAX][4];
	size_t count;
} labels;

static bool is_free(const labels *l, double x, double y, double width)
{
	for (size_t i = 0; i < l->count; i++)
		if (x < l->box[i][2] && x + width > l->box[i][0] && y < l->box[i][3] && y + LABEL_HEIGHT > l->box[i][1])
			return false;
	return l->count < LABELS_MAX;
}

/* Beside the point, moved down past others up to `tries` times; left out where there is no room then. */
static void label(cairo_t *c, const sheet_content *s, labels *l, const double world_mm[3], rgb color, int tries, const char *text)
{
	double at[2];
	if (!sheet_project(s, world_mm, at))
		return;
	canvas_font(c, true, LABEL_SIZE);
	double width = canvas_text_width(c, text) + 12.0, x = at[0] + 10.0, y = at[1] - 26.0;
	for (; tries > 0 && !is_free(l, x, y, width); tries--)
		y += LABEL_HEIGHT + 2.0;
	if (!is_free(l, x, y, width))
		return;
	const double box[4] = {x, y, x + width, y + LABEL_HEIGHT};
	memcpy(l->box[l->count++], box, sizeof box);
	canvas_panel(c, s->theme, x, y, width, LABEL_HEIGHT);
	canvas_write(c, x + 6.0, y + 14.5, color, text);
}

/* Of a path its polyline, of a section its pieces, else the points in order. */
static void trace(cairo_t *c, const sheet_content *s, const mark *m, const cut_curve *curve)
{
	bool down = false;
	cairo_new_path(c);
	if (m->kind == MARK_SECTION) {
		for (size_t i = 0; i < curve->count; i++) {
			down = down && i % 2;
			line_to(c, s, curve->points[i].position_mm, &down);
		}
		canvas_stroke(c, s->theme, s->theme->wand, 1.0);
		down = false;
	}
	if (m->kind == MARK_PATH && curve->count) {
		for (size_t i = 0; i < curve->count; i++)
			line_to(c, s, curve->points[i].position_mm, &down);
	} else {
		for (uint32_t i = 0; i < m->point_count; i++)
			line_to(c, s, m->points[i].position_mm, &down);
	}
	canvas_stroke(c, s->theme, s->theme->mark, 1.8);
	for (uint32_t i = 0; i < m->point_count; i++)
		point(c, s, m->points[i].position_mm, s->theme->mark);
}

/* The number and the figure, where the mark has its middle. */
static void name(cairo_t *c, const sheet_content *s, labels *l, const mark *m)
{
	char figure[MARK_TEXT_BYTES], text[LABEL_BYTES];
	double middle[3];
	mark_text(m, figure);
	snprintf(text, sizeof text, "%u: %s", m->number, figure);
	if (m->kind == MARK_DISTANCE || m->kind == MARK_SURFACE || m->kind == MARK_SECTION)
		vector_combine(0.5, m->points[0].position_mm, 0.5, m->points[1].position_mm, middle);
	else
		memcpy(middle, m->points[m->point_count / 2].position_mm, sizeof middle);
	label(c, s, l, middle, s->theme->text, MARK_TRIES, text);
}

void sheet_draw_marks(cairo_t *c, const sheet_content *s)
{
	const cut_curve none = {0};
	labels l = {.count = 0};
	if (!s->shown)
		return;
	for (size_t i = 0; i < s->shown->marks.count; i++)
		trace(c, s, &s->shown->marks.entries[i], &s->shown->curves[i]);
	for (size_t i = 0; i < s->shown->marks.count; i++)
		name(c, s, &l, &s->shown->marks.entries[i]);
	if (s->shown->pending.point_count)
		trace(c, s, &s->shown->pending, &none);
}

static void ring(cairo_t *c, const sheet_content *s, const enm_gap *gap, double line_width)
{
	const double dashes[2] = {5.0, 4.0};
	double at[2], radius = 0.5 * gap->width_mm * look_pixels_per_mm(s->look, s->width, s->height) / s->scale;
	if (!sheet_project(s, gap->centre_mm, at))
		return;
	cairo_new_path(c);
	cairo_arc(c, at[0], at[1], fmin(fmax(radius, 5.0), RING_MOST), 0.0, 6.2831853);
	cairo_set_dash(c, dashes, 2, 0.0);
	canvas_stroke(c, s->theme, s->theme->gap, line_width);
	cairo_set_dash(c, NULL, 0, 0.0);
}

void sheet_draw_gaps(cairo_t *c, const sheet_content *s)
{
	labels l = {.count = 0};
	for (uint32_t i = 0; s->gaps && i < s->state->gap_count; i++)
		ring(c, s, &s->state->gaps[i], i < GAPS_NAMED ? 2.0 : 1.2);
	for (uint32_t i = 0; s->gaps && i < s->state->gap_count && i < GAPS_NAMED; i++) {
		const enm_gap *gap = &s->state->gaps[i];
		char text[LABEL_BYTES];
		snprintf(text, sizeof text, "gap %u: %.1f mm", i + 1, gap->width_mm);
		label(c, s, &l, gap->centre_mm, s->theme->gap, 0, text);
	}
}

/* The wand's corners at a depth, in the world. */
static void find_corner(const sheet_content *s, int corner, double depth_mm, double out[3])
{
	const enm_camera *w = &s->def->wand;
	double x = corner == 1 || corner == 2 ? (double)w->width - 0.5 : -0.5, y = corner >= 2 ? (double)w->height - 0.5 : -0.5;
	const double at[3] = {depth_mm * (x - w->cx) / w->fx, depth_mm * (y - w->cy) / w->fy, depth_mm};
	quaternion_rotate(s->state->wand.q_xyzw, at, out);
	vector_combine(1.0, out, 1.0, s->state->wand.t_mm, out);
}

void sheet_draw_wand(cairo_t *c, const sheet_content *s)
{
	if (!s->def->wand.width || !s->state->has_wand || s->state->ended)
		return;
	double near_mm = fmax(s->def->working_mm[0], WAND_LEAST_MM);
	double far_mm = s->state->depth_mm > 0.0 ? s->state->depth_mm : fmax(s->def->working_mm[1], 2.0 * near_mm);
	bool tracked = s->state->verdict == ENM_VERDICT_TRACKED;
	cairo_new_path(c);
	for (int k = 0; k < 4; k++) {
		double a[3], b[3], next[3];
		bool down = false;
		find_corner(s, k, near_mm, a);
		find_corner(s, k, far_mm, b);
		find_corner(s, (k + 1) % 4, far_mm, next);
		line_to(c, s, a, &down);
		line_to(c, s, b, &down);
		line_to(c, s, next, &down);
		find_corner(s, (k + 1) % 4, near_mm, next);
		down = false;
		line_to(c, s, a, &down);
		line_to(c, s, next, &down);
	}
	canvas_stroke(c, s->theme, tracked ? s->theme->wand : s->theme->lost, 1.4);
}
