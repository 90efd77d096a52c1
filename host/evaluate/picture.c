/* SPDX-License-Identifier: Apache-2.0
 * The deviation map: occlusal view and three others in parallel projection, with a legend. */
#include "canvas.h"
#include "evaluate.h"
#include "image.h"
#include "parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_WIDTH = 800, TILE_HEIGHT = 560, LEGEND_HEIGHT = 130, VIEWS = 4, RAYS_A_SIDE = 2 };

static const uint8_t background_rgb[3] = {255, 255, 255};
static const uint8_t ink_rgb[3] = {30, 30, 30};

typedef struct view {
	const char *title;
	double right[3], down[3], forward[3]; /* axes of the picture in the reconstruction's frame */
	double centre[3], pixels_per_mm;
	int left, top; /* of its tile */
} view;

typedef struct rendering {
	const surface *recon;
	const float *deviation_mm;
	double range_mm; /* of the colours, both ways */
	view views[VIEWS];
	canvas *canvas;
} rendering;

/* ---- colours ---------------------------------------------------------------------------------------------------- */

/* From blue (inside) over near white to orange and brown (outside): told apart with every common colour blindness, and
 * by lightness alone how far off a place is. */
static void color_of(double share, double out[3])
{
	static const double stops[5][3] = {
		{12, 44, 132}, {96, 160, 226}, {240, 240, 236}, {240, 160, 64}, {128, 48, 8}};
	const double at = (share < -1 ? 0 : share > 1 ? 2 : share + 1) * 2;
	const int low = at >= 4 ? 3 : (int)at;
	for (int i = 0; i < 3; i++)
		out[i] = stops[low][i] + (at - low) * (stops[low + 1][i] - stops[low][i]);
}

/* The smallest of 1, 2, 5 times a power of ten (um) that holds 95 % of the deviations. */
static double choose_range(const trueness *t)
{
	const double want_mm = fmax(t->distance_mm.p95, 0.01);
	for (double decade = 0.01;; decade *= 10) {
		static const double steps[] = {1, 2, 5};
		for (int i = 0; i < 3; i++)
			if (decade * steps[i] >= want_mm * (1 - 1e-9))
				return decade * steps[i];
	}
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

/* Where the scan looks on average; without frames, against the mean normal of the truth. */
static void looking(const inputs *in, double out[3])
{
	double sum[3] = {0};
	for (size_t i = 0; i < in->true_frames.count; i++) {
		const enm_pose *pose = &in->true_frames.poses[i].world_from_camera;
		const rigid world_from_camera = rigid_from_quaternion(pose->t_mm, pose->q_xyzw);
		for (int k = 0; k < 3; k++)
			sum[k] += world_from_camera.r[3 * k + 2];
	}
	for (size_t v = 0; in->true_frames.count == 0 && v < in->truth.data.vertex_count; v++)
		for (int k = 0; k < 3; k++)
			sum[k] -= in->truth.normals[v][k];
	const double length = vec_length(sum);
	for (int k = 0; k < 3; k++)
		out[k] = length > 1e-9 ? sum[k] / length : (k == 2 ? -1 : 0);
}

/* The longest extent of the truth across `forward`, so that an arch lies wide in the picture. */
static void widest_across(const surface *truth, const double forward[3], double out[3])
{
	double c[9] = {0}, values[3], vectors[9];
	for (size_t v = 0; v < truth->data.vertex_count; v++) {
		double p[3], d[3];
		surface_vertex(truth, v, p);
		vec_sub(p, truth->centre, d);
		const double along = vec_dot(d, forward);
		for (int i = 0; i < 3; i++)
			d[i] -= along * forward[i];
		for (int i = 0; i < 9; i++)
			c[i] += d[i / 3] * d[i % 3];
	}
	symmetric_eigen(3, c, values, vectors);
	for (int i = 0; i < 3; i++)
		out[i] = vectors[3 * i + 2];
	const double along = vec_dot(out, forward);
	for (int i = 0; i < 3; i++)
		out[i] -= along * forward[i];
	const double length = vec_length(out);
	for (int i = 0; i < 3; i++)
		out[i] /= length > 0 ? length : 1;
}

/* A view whose line of sight is the occlusal one, tilted so that it comes from `side`: an axis of the occlusal picture.
 */
static void tilt(view *v, const double occlusal[3], const double side[3], double degrees)
{
	const double angle = degrees * 3.14159265358979323846 / 180;
	for (int i = 0; i < 3; i++) {
		v->forward[i] = cos(angle) * occlusal[i] - sin(angle) * side[i];
		v->down[i] = sin(angle) * occlusal[i] + cos(angle) * side[i];
	}
	vec_cross(v->down, v->forward, v->right);
}

/* Scales and centres a view on the reconstruction. */
static void frame_view(view *v, const surface *recon)
{
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
	for (size_t k = 0; k < recon->data.vertex_count; k++) {
		double p[3], d[3];
		if (!recon->used[k])
			continue;
		surface_vertex(recon, k, p);
		vec_sub(p, recon->centre, d);
		const double at[2] = {vec_dot(d, v->right), vec_dot(d, v->down)};
		for (int i = 0; i < 2; i++) {
			low[i] = fmin(low[i], at[i]);
			high[i] = fmax(high[i], at[i]);
		}
	}
	const double wide = (TILE_WIDTH - 60) / fmax(high[0] - low[0], 1e-6);
	const double tall = (TILE_HEIGHT - 90) / fmax(high[1] - low[1], 1e-6);
	v->pixels_per_mm = fmin(wide, tall);
	for (int i = 0; i < 3; i++)
		v->centre[i] = recon->centre[i] + 0.5 * (low[0] + high[0]) * v->right[i] +
			       0.5 * (low[1] + high[1]) * v->down[i];
}

static void choose_views(const inputs *in, const evaluation *e, rendering *r)
{
	static const char *const titles[VIEWS] = {
		"occlusal", "from the lower edge of the occlusal view", "from its left edge", "from its right edge"};
	const rigid recon_from_truth = rigid_inverse(&e->best_fit.truth_from_recon);
	double forward[3], right[3], down[3], left[3];
	looking(in, forward);
	widest_across(&in->truth, forward, right);
	rigid_direction(&recon_from_truth, forward, forward);
	rigid_direction(&recon_from_truth, right, right);
	vec_cross(forward, right, down);
	for (int i = 0; i < 3; i++)
		left[i] = -right[i];
	tilt(&r->views[0], forward, down, 0);
	tilt(&r->views[1], forward, down, 60);
	tilt(&r->views[2], forward, left, 60);
	tilt(&r->views[3], forward, right, 60);
	for (int i = 0; i < VIEWS; i++) {
		r->views[i].title = titles[i];
		r->views[i].left = i % 2 * TILE_WIDTH;
		r->views[i].top = i / 2 * TILE_HEIGHT;
		frame_view(&r->views[i], &in->recon);
	}
}

/* ---- rendering -------------------------------------------------------------------------------------------------- */

/* The colour of one ray, 0 to 255. */
static void shade(const rendering *r, const view *v, double x, double y, double out[3])
{
	double from[3], weights[3], normal[3] = {0}, deviation_mm = 0;
	uint32_t triangle;
	for (int i = 0; i < 3; i++) {
		out[i] = background_rgb[i];
		from[i] = v->centre[i] + (x * v->right[i] + y * v->down[i]) / v->pixels_per_mm -
			  2 * r->recon->size_mm * v->forward[i];
	}
	if (!surface_cast(r->recon, from, v->forward, &triangle, weights))
		return;
	for (size_t c = 0; c < 3; c++) {
		const size_t vertex = r->recon->data.triangles[3 * triangle + c];
		deviation_mm += weights[c] * (double)r->deviation_mm[vertex];
		for (int i = 0; i < 3; i++)
			normal[i] += weights[c] * r->recon->normals[vertex][i];
	}
	const double length = vec_length(normal);
	const double facing = length > 0 ? fabs(vec_dot(normal, v->forward)) / length : 1;
	color_of(deviation_mm / r->range_mm, out);
	for (int i = 0; i < 3; i++)
		out[i] *= 0.35 + 0.65 * facing;
}

/* Items are rows of all tiles, one after the other. */
static void render_rows(void *user, size_t first, size_t last)
{
	const rendering *r = user;
	for (size_t item = first; item < last; item++) {
		const view *v = &r->views[item / TILE_HEIGHT];
		const int row = (int)(item % TILE_HEIGHT);
		for (int column = 0; column < TILE_WIDTH; column++) {
			double sum[3] = {0}, one[3];
			for (int k = 0; k < RAYS_A_SIDE * RAYS_A_SIDE; k++) {
				const double x = column + (k % RAYS_A_SIDE + 0.5) / RAYS_A_SIDE - TILE_WIDTH / 2;
				const double y = row + (k / RAYS_A_SIDE + 0.5) / RAYS_A_SIDE - TILE_HEIGHT / 2 - 15;
				shade(r, v, x, y, one);
				for (int i = 0; i < 3; i++)
					sum[i] += one[i] / (RAYS_A_SIDE * RAYS_A_SIDE);
			}
			uint8_t *to = r->canvas->rgb + 3 * ((size_t)(v->top + row) * (size_t)r->canvas->width +
								   (size_t)(v->left + column));
			for (int i = 0; i < 3; i++)
				to[i] = (uint8_t)lround(sum[i]);
		}
	}
}

/* ---- legend ----------------------------------------------------------------------------------------------------- */

static void centred_text(canvas *c, int x, int y, int scale, const char *text)
{
	canvas_text(c, x - canvas_text_width(scale, text) / 2, y, scale, ink_rgb, text);
}

static void draw_legend(const rendering *r, const evaluation *e, bool room)
{
	enum { BAR_WIDTH = 1000, BAR_HEIGHT = 26, TICKS = 4 };
	canvas *c = r->canvas;
	const int left = (c->width - BAR_WIDTH) / 2, top = c->height - LEGEND_HEIGHT + 36;
	const double unit_per_mm = room ? 1 : 1e3;
	const char *unit = room ? "mm" : "um";
	for (int x = 0; x < BAR_WIDTH; x++) {
		double color[3];
		color_of((x + 0.5) / BAR_WIDTH * 2 - 1, color);
		const uint8_t rgb[3] = {(uint8_t)color[0], (uint8_t)color[1], (uint8_t)color[2]};
		canvas_fill(c, left + x, top, 1, BAR_HEIGHT, rgb);
	}
	for (int k = -TICKS; k <= TICKS; k++) {
		char text[32];
		const int x = left + BAR_WIDTH / 2 + k * BAR_WIDTH / (2 * TICKS);
		if (k == 0)
			snprintf(text, sizeof(text), "0 %s", unit);
		else
			snprintf(text, sizeof(text), "%+g", k * r->range_mm * unit_per_mm / TICKS);
		canvas_fill(c, x - 1, top + BAR_HEIGHT, 2, 8, ink_rgb);
		centred_text(c, x, top + BAR_HEIGHT + 12, 2, text);
	}
	char text[160];
	snprintf(text, sizeof(text), "best-fit: mean %.1f, p95 %.1f, bias %+.1f %s",
		e->best_fit.distance_mm.mean * unit_per_mm, e->best_fit.distance_mm.p95 * unit_per_mm,
		e->best_fit.bias_mm * unit_per_mm, unit);
	centred_text(c, c->width / 2, top - 26, 2, text);
	canvas_text(c, left - 20 - canvas_text_width(2, "inside"), top + 6, 2, ink_rgb, "inside");
	canvas_text(c, left + BAR_WIDTH + 20, top + 6, 2, ink_rgb, "outside");
}

host_status picture_write(const char *path, const inputs *in, const evaluation *e)
{
	canvas c;
	if (!canvas_create(2 * TILE_WIDTH, 2 * TILE_HEIGHT + LEGEND_HEIGHT, background_rgb, &c))
		return host_fail_memory("the picture");
	rendering r = {.recon = &in->recon,
		.deviation_mm = e->deviation_mm,
		.canvas = &c,
		.range_mm = choose_range(&e->best_fit)};
	choose_views(in, e, &r);
	parallel_for(VIEWS * TILE_HEIGHT, render_rows, &r);
	for (int i = 0; i < VIEWS; i++)
		canvas_text(&c, r.views[i].left + 16, r.views[i].top + 14, 2, ink_rgb, r.views[i].title);
	draw_legend(&r, e, in->mm_per_unit > 1);
	const host_status status =
		image_write_color(path, (uint32_t)c.width, (uint32_t)c.height, 3, c.rgb, IMAGE_SMALL);
	canvas_destroy(&c);
	return status;
}
