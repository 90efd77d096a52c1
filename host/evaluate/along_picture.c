/* SPDX-License-Identifier: Apache-2.0
 * The shift of the arch's pieces as a curve a placement, over the place along the arch. */
#include "canvas.h"
#include "evaluate.h"
#include "image.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 1200, HEIGHT = 640, LEFT = 110, RIGHT = 40, TOP = 90, BOTTOM = 90, DOT = 9, STROKE = 4 };

static const uint8_t background_rgb[3] = {255, 255, 255}, ink_rgb[3] = {30, 30, 30}, grid_rgb[3] = {224, 224, 224};

/* Told apart with every common colour blindness, and by lightness (Okabe, Ito). */
static const uint8_t curve_rgb[PLACEMENTS_MAX][3] = {{0, 158, 115}, {213, 94, 0}, {0, 84, 160}};

typedef struct plot {
	canvas canvas;
	double length_mm, top_um, step_um, step_mm;
} plot;

static int x_of(const plot *p, double mm)
{
	return LEFT + (int)lround(mm / p->length_mm * (WIDTH - LEFT - RIGHT));
}

static int y_of(const plot *p, double um)
{
	return HEIGHT - BOTTOM - (int)lround(um / p->top_um * (HEIGHT - TOP - BOTTOM));
}

/* 1, 2 or 5 times a power of ten, at least a fifth of `range`. */
static double choose_step(double range)
{
	static const double steps[] = {1, 2, 5};
	for (double decade = 1;; decade *= 10)
		for (int i = 0; i < 3; i++)
			if (decade * steps[i] >= range / 5 * (1 - 1e-9))
				return decade * steps[i];
}

static void draw_axes(plot *p)
{
	char text[64];
	canvas *c = &p->canvas;
	for (int k = 0; k * p->step_um <= p->top_um * (1 + 1e-9); k++) {
		const int y = y_of(p, k * p->step_um);
		canvas_fill(c, LEFT, y, WIDTH - LEFT - RIGHT, 1, k == 0 ? ink_rgb : grid_rgb);
		snprintf(text, sizeof(text), "%g", k * p->step_um);
		canvas_text(c, LEFT - 12 - canvas_text_width(2, text), y - canvas_text_height(2) / 2, 2, ink_rgb, text);
	}
	for (int k = 0; k * p->step_mm <= p->length_mm; k++) {
		const int x = x_of(p, k * p->step_mm);
		canvas_fill(c, x, HEIGHT - BOTTOM, 1, 8, ink_rgb);
		snprintf(text, sizeof(text), "%g", k * p->step_mm);
		canvas_text(c, x - canvas_text_width(2, text) / 2, HEIGHT - BOTTOM + 16, 2, ink_rgb, text);
	}
	const char *below = "mm along the arch from the end nearer to where the scan began";
	canvas_text(c, (WIDTH - canvas_text_width(2, below)) / 2, HEIGHT - 34, 2, ink_rgb, below);
	canvas_text(c, 16, 20, 2, ink_rgb, "um: shift of each piece as a rigid body");
}

/* A straight stroke, column by column. */
static void draw_line(canvas *c, int x0, int y0, int x1, int y1, const uint8_t rgb[3])
{
	for (int x = x0; x < x1; x++) {
		const int a = y0 + (y1 - y0) * (x - x0) / (x1 - x0), b = y0 + (y1 - y0) * (x + 1 - x0) / (x1 - x0);
		const int low = a < b ? a : b, high = a < b ? b : a;
		canvas_fill(c, x, low - STROKE / 2, 1, high - low + STROKE, rgb);
	}
}

/* Neighbours are joined; where a piece was not placed the curve is broken. */
static void draw_curve(plot *p, const arch_error *a, size_t placement)
{
	int last_x = 0, last_y = 0;
	bool joined = false;
	for (size_t k = 0; k < a->count; k++) {
		const along_piece *piece = &a->pieces[k];
		const bool placed = piece->patch.state == PATCH_PLACED;
		if (placed) {
			const int x = x_of(p, 0.5 * (piece->from_mm + piece->to_mm));
			const int y = y_of(p, 1e3 * vec_length(piece->shift_mm[placement]));
			if (joined)
				draw_line(&p->canvas, last_x, last_y, x, y, curve_rgb[placement]);
			canvas_fill(&p->canvas, x - DOT / 2, y - DOT / 2, DOT, DOT, curve_rgb[placement]);
			last_x = x;
			last_y = y;
		}
		joined = placed;
	}
}

static void draw_start(plot *p, const arch_error *a)
{
	const char *text = "scan began";
	const int x = x_of(p, a->start_mm), width = canvas_text_width(2, text);
	const int left = x + 6 + width < WIDTH ? x + 6 : x - 6 - width;
	for (int y = TOP; y < HEIGHT - BOTTOM; y += 12)
		canvas_fill(&p->canvas, x, y, 2, 6, ink_rgb);
	canvas_text(&p->canvas, left, TOP + 8, 2, ink_rgb, text);
}

static void draw_legend(plot *p, const evaluation *e)
{
	int x = LEFT;
	for (size_t k = 0; k < e->placing_count; k++) {
		canvas_fill(&p->canvas, x, 56, 30, STROKE, curve_rgb[k]);
		canvas_text(&p->canvas, x + 40, 51, 2, ink_rgb, e->placings[k].title);
		x += 80 + canvas_text_width(2, e->placings[k].title);
	}
}

host_status along_picture_write(const char *path, const evaluation *e)
{
	double most_mm = 0.01;
	for (size_t k = 0; k < e->placing_count; k++) {
		size_t piece;
		double shift_mm;
		if (along_worst(&e->along, k, &piece, &shift_mm))
			most_mm = fmax(most_mm, shift_mm);
	}
	plot p = {.length_mm = e->along.length_mm, .step_um = choose_step(1e3 * most_mm)};
	p.top_um = p.step_um * ceil(1e3 * most_mm / p.step_um);
	p.step_mm = choose_step(0.5 * p.length_mm);
	if (!canvas_create(WIDTH, HEIGHT, background_rgb, &p.canvas))
		return host_fail_memory("the picture");
	draw_axes(&p);
	if (e->along.has_start)
		draw_start(&p, &e->along);
	for (size_t k = e->placing_count; k-- > 0;)
		draw_curve(&p, &e->along, k);
	draw_legend(&p, e);
	const host_status status = image_write_color(path, WIDTH, HEIGHT, 3, p.canvas.rgb, IMAGE_SMALL);
	canvas_destroy(&p.canvas);
	return status;
}
