/* SPDX-License-Identifier: Apache-2.0
 * The picture of `enamel render`: where the eye is, and what is written beside the model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paint.h"
#include "render.h"

#define TEXT_SHARE 0.026 /* of the smaller side: height of letters */
#define TEXT_MIN 9.0     /* pixels */
#define STRIP_LINES 4.8  /* height of the strip with legend and scale bar, in letters */
#define RAMP_STEPS 64
#define BAR_SHARE 0.25 /* of the width: the longest scale bar */

static const paint_color ink = {0.93, 0.93, 0.95}, shade = {0.06, 0.07, 0.08};

/* ---- the view ---- */

/* Puts the plane `at_mm` beyond the middle of the mesh along one of its axes. */
static void set_cut(const enm_mesh_data *mesh, const preview_axes *axes, const render_cut *cut, enm_view_def *view)
{
	const double *axis = axes->axis[cut->axis];
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		const float *p = mesh->positions_mm + 3 * i;
		const double along = (double)p[0] * axis[0] + (double)p[1] * axis[1] + (double)p[2] * axis[2];
		low = fmin(low, along);
		high = fmax(high, along);
	}
	view->cut = true;
	view->cut_mm = cut->sign * 0.5 * (low + high) + cut->at_mm;
	for (int k = 0; k < 3; k++)
		view->cut_normal[k] = cut->sign * axis[k];
}

static host_status find_view(const render_options *o, const uint32_t size[2], const enm_mesh_data *mesh, enm_view_def *out)
{
	const bool given = o->up[0] != 0.0 || o->up[1] != 0.0 || o->up[2] != 0.0;
	preview_axes axes;
	host_status status = preview_find_axes(mesh, given ? o->up : NULL, &axes);
	if (status)
		return status;
	for (int k = 0; k < 3 && o->upper; k++)
		axes.axis[0][k] = -axes.axis[0][k]; /* names only: the pictures are not mirrored */
	*out = preview_view(mesh, &axes, o->side, size, o->orthographic);
	out->shade = o->shade;
	out->shade_low = o->range[0];
	out->shade_high = o->range[1];
	if (o->cut.wanted)
		set_cut(mesh, &axes, &o->cut, out);
	return HOST_OK;
}

/* ---- legend and scale bar ---- */

typedef struct panel {
	cairo_t *c;
	double text, x, y; /* height of letters; the left upper corner */
} panel;

static double text_width(const panel *p, const char *text)
{
	cairo_text_extents_t extents;
	cairo_select_font_face(p->c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(p->c, p->text);
	cairo_text_extents(p->c, text, &extents);
	return extents.x_advance;
}

static enm_result draw_ramp(panel *p, const enm_view_def *view, const enm_legend *legend)
{
	const double width = fmax(14.0 * p->text, text_width(p, legend->title)), step = width / RAMP_STEPS;
	char low[32], high[64];
	snprintf(low, sizeof low, "%g", legend->low);
	snprintf(high, sizeof high, "%g%s%s", legend->high, *legend->unit ? " " : "", legend->unit);
	paint_text(p->c, p->x, p->y + p->text, p->text, false, ink, "%s", legend->title);
	for (int i = 0; i < RAMP_STEPS; i++) {
		uint8_t rgb[3];
		const double value = legend->low + (legend->high - legend->low) * (i + 0.5) / RAMP_STEPS;
		enm_result result = enm_view_legend_color(view, value, rgb);
		if (result != ENM_OK)
			return result;
		paint_set(p->c, (paint_color){rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0});
		cairo_rectangle(p->c, p->x + i * step, p->y + 1.4 * p->text, step + 0.5, 0.9 * p->text);
		cairo_fill(p->c);
	}
	paint_text(p->c, p->x, p->y + 3.5 * p->text, p->text, false, ink, "%s", low);
	paint_text(p->c, p->x + width - text_width(p, high), p->y + 3.5 * p->text, p->text, false, ink, "%s", high);
	return ENM_OK;
}

/* In two columns. */
static void draw_kinds(panel *p, const enm_legend *legend)
{
	double wide = 0.0;
	for (uint32_t i = 0; i < legend->entry_count; i++)
		wide = fmax(wide, 3.0 * p->text + text_width(p, legend->entries[i].name));
	paint_text(p->c, p->x, p->y + p->text, p->text, false, ink, "%s", legend->title);
	for (uint32_t i = 0; i < legend->entry_count; i++) {
		const uint8_t *rgb = legend->entries[i].rgb;
		const double x = p->x + i % 2 * wide, y = p->y + (1.3 * (i / 2) + 1.4) * p->text;
		paint_set(p->c, (paint_color){rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0});
		cairo_rectangle(p->c, x, y, p->text, p->text);
		cairo_fill(p->c);
		paint_text(p->c, x + 1.6 * p->text, y + 0.95 * p->text, p->text, false, ink, "%s", legend->entries[i].name);
	}
}

static host_status draw_legend(cairo_t *c, double text, double top, const enm_view_def *view)
{
	enm_legend legend;
	panel p = {c, text, text, top + 0.7 * text};
	enm_result result = enm_view_legend(view, &legend);
	if (result == ENM_OK && legend.kind == ENM_LEGEND_RAMP)
		result = draw_ramp(&p, view, &legend);
	if (result == ENM_OK && legend.kind == ENM_LEGEND_KINDS)
		draw_kinds(&p, &legend);
	return host_fail_result(result, enm_last_error());
}

/* 1, 2 or 5 times a power of ten mm, as long as there is room for. */
static void draw_scale_bar(cairo_t *c, double text, double top, const enm_view_def *view)
{
	const double most_mm = BAR_SHARE * view->width / view->focal_pixels;
	double mm = pow(10.0, floor(log10(most_mm)));
	mm *= most_mm >= 5.0 * mm ? 5.0 : most_mm >= 2.0 * mm ? 2.0 : 1.0;
	char name[64];
	snprintf(name, sizeof name, "%g mm", mm);
	panel p = {c, text, 0.0, top + 1.5 * text};
	const double bar = mm * view->focal_pixels, width = fmax(bar, text_width(&p, name));
	p.x = view->width - text - width;
	paint_text(c, p.x + 0.5 * (width - text_width(&p, name)), p.y + text, text, false, ink, "%s", name);
	paint_set(c, ink);
	cairo_rectangle(c, p.x + 0.5 * (width - bar), p.y + 1.5 * text, bar, fmax(2.0, 0.2 * text));
	cairo_fill(c);
}

static double text_height(const render_options *o)
{
	return fmax(TEXT_MIN, TEXT_SHARE * (o->size[0] < o->size[1] ? o->size[0] : o->size[1]));
}

/* Rows under the model that words take: none where there is nothing to say, or no room to say it. */
static uint32_t strip_height(const render_options *o)
{
	const bool has_values = o->shade != ENM_SHADE_CLAY && o->shade != ENM_SHADE_COLOR && o->shade != ENM_SHADE_NORMAL;
	const uint32_t rows = (uint32_t)ceil(STRIP_LINES * text_height(o));
	return ((o->legend && has_values) || o->scale_bar) && 3 * rows <= o->size[1] ? rows : 0;
}

static host_status paint(const render_options *o, const enm_view_def *view, const uint8_t *rgba)
{
	cairo_surface_t *surface;
	host_status status = paint_surface(rgba, o->size[0], o->size[1], &surface);
	if (status)
		return status;
	cairo_t *c = cairo_create(surface);
	const double text = text_height(o), top = view->height;
	if (view->height < o->size[1]) {
		paint_set(c, shade);
		cairo_rectangle(c, 0.0, top, view->width, o->size[1] - top);
		cairo_fill(c);
		if (o->legend)
			status = draw_legend(c, text, top, view);
		if (!status && o->scale_bar)
			draw_scale_bar(c, text, top, view);
	}
	if (!status)
		status = paint_write(o->out, c, surface);
	cairo_destroy(c);
	cairo_surface_destroy(surface);
	return status;
}

host_status render_write(const render_options *o, const render_source *source, const enm_mesh_data *mesh)
{
	const uint32_t size[2] = {o->size[0], o->size[1] - strip_height(o)};
	enm_view_def view;
	host_status status = find_view(o, size, mesh, &view);
	if (status)
		return status;
	const size_t bytes = (size_t)o->size[0] * o->size[1] * 4;
	uint8_t *rgba = calloc(1, bytes);
	if (!rgba)
		return host_fail_memory("the picture");
	status = host_fail_result(source->render(source->object, &view, rgba, bytes), enm_last_error());
	if (!status)
		status = paint(o, &view, rgba);
	free(rgba);
	return status;
}
