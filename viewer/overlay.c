/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

#define ROOM_LEAST 3.0 /* the bar may take at most a third of the window */
#define TEXT_BYTES 768
#define PART_BYTES 128

static const char help_text[] = "H help";

typedef enum sign { SIGN_DOT, SIGN_TRIANGLE, SIGN_CROSS, SIGN_RING } sign;

typedef struct words {
	sign sign;
	rgb color;
	const char *state; /* bold */
	char detail[TEXT_BYTES];
} words;

uint32_t overlay_height(uint32_t framebuffer_height, double content_scale)
{
	double height = round(OVERLAY_HEIGHT * content_scale);
	return height * ROOM_LEAST <= (double)framebuffer_height ? (uint32_t)height : 0;
}

/* ---- words ---- */

/* Puts `more` after what is there, cut to the room. */
static void append(char *text, const char *more)
{
	static const char gap[] = "   ";
	const char *const parts[] = {*text ? gap : "", more};
	size_t used = strlen(text);
	for (size_t i = 0; i < 2; i++)
		for (const char *from = parts[i]; *from && used + 1 < TEXT_BYTES; from++)
			text[used++] = *from;
	text[used] = '\0';
}

static void say_counts(words *w, const overlay_text *t)
{
	const exchange_state *s = &t->state;
	char part[PART_BYTES];
	if (s->ended) {
		snprintf(part, sizeof part, "%llu frames: %llu tracked, %llu weak, %llu lost",
			(unsigned long long)s->frames, (unsigned long long)s->tracked, (unsigned long long)s->weak,
			(unsigned long long)s->lost);
	} else if (t->frames_expected) {
		snprintf(part, sizeof part, "frame %llu of %llu", (unsigned long long)s->frames,
			(unsigned long long)t->frames_expected);
	} else {
		snprintf(part, sizeof part, "frame %llu", (unsigned long long)s->frames);
	}
	append(w->detail, part);
	if (!s->ended && s->frames_per_s > 0.0) {
		snprintf(part, sizeof part, "%.0f frames/s", s->frames_per_s);
		append(w->detail, part);
	}
	if (!s->ended && s->last.latency_ms > 0.0f) {
		snprintf(part, sizeof part, "%.0f ms behind", (double)s->last.latency_ms);
		append(w->detail, part);
	}
	if (s->full)
		append(w->detail, "memory full: the model no longer grows");
}

/* What the hand is to do about a frame that was not tracked. */
static const char *advice(enm_reason reason)
{
	switch (reason) {
	case ENM_REASON_FEW_READINGS:
		return "hold the wand over the teeth, at the right distance";
	case ENM_REASON_FEW_INLIERS:
		return "keep tongue, cheek and finger away, and hold still";
	case ENM_REASON_DEGENERATE:
		return "tilt towards an edge or a cusp";
	case ENM_REASON_DIVERGED:
		return "move more slowly";
	case ENM_REASON_RECOVERING:
		return "hold still here for a moment";
	default:
		return "go back to a tooth with edges that is scanned already";
	}
}

static void say_trouble(const exchange_state *s, words *w)
{
	char text[PART_BYTES];
	append(w->detail, advice(s->reason));
	enm_report_text(&s->last, text, sizeof text);
	const char *why = strstr(text, ": "); /* the verdict is said already */
	append(w->detail, why ? why + 2 : text);
}

static void choose_words(const overlay_text *t, words *w)
{
	const exchange_state *s = &t->state;
	const theme *c = t->theme;
	*w = (words){.sign = SIGN_RING, .color = c->idle, .state = t->scan ? "Waiting for the first frame" : t->title};
	if (!s->any && s->ended && t->scan)
		w->state = "No frames";
	if (s->any && s->ended) {
		w->state = "Finished";
	} else if (s->any && s->paused) {
		w->state = "Paused";
		append(w->detail, "Space goes on");
	} else if (s->any && s->verdict == ENM_VERDICT_TRACKED) {
		*w = (words){.sign = SIGN_DOT, .color = c->tracked, .state = "Tracked"};
	} else if (s->any && s->verdict == ENM_VERDICT_WEAK) {
		*w = (words){.sign = SIGN_TRIANGLE, .color = c->weak, .state = "Weak"};
	} else if (s->any) {
		*w = (words){.sign = SIGN_CROSS, .color = c->lost, .state = "Lost"};
	}
	if (s->any && !s->ended && !s->paused && s->verdict != ENM_VERDICT_TRACKED)
		say_trouble(s, w);
	if (s->any)
		say_counts(w, t);
	if (*s->error) {
		snprintf(w->detail, sizeof w->detail, "%s", s->error);
		w->state = "No picture";
		w->sign = SIGN_CROSS;
		w->color = c->lost;
	}
}

/* ---- drawing, in units of a content scale of 1 ---- */

static void draw_sign(cairo_t *c, sign which, rgb color, double x, double y)
{
	const double r = 8.0;
	canvas_color(c, color, 1.0);
	cairo_new_path(c);
	switch (which) {
	case SIGN_DOT:
		cairo_arc(c, x, y, r, 0.0, 6.2831853);
		cairo_fill(c);
		break;
	case SIGN_TRIANGLE:
		cairo_move_to(c, x, y - r);
		cairo_line_to(c, x + 1.1 * r, y + 0.85 * r);
		cairo_line_to(c, x - 1.1 * r, y + 0.85 * r);
		cairo_close_path(c);
		cairo_fill(c);
		break;
	case SIGN_CROSS:
		cairo_set_line_width(c, 4.0);
		cairo_set_line_cap(c, CAIRO_LINE_CAP_ROUND);
		cairo_move_to(c, x - 0.75 * r, y - 0.75 * r);
		cairo_line_to(c, x + 0.75 * r, y + 0.75 * r);
		cairo_move_to(c, x - 0.75 * r, y + 0.75 * r);
		cairo_line_to(c, x + 0.75 * r, y - 0.75 * r);
		cairo_stroke(c);
		break;
	case SIGN_RING:
		cairo_set_line_width(c, 2.5);
		cairo_arc(c, x, y, r - 1.5, 0.0, 6.2831853);
		cairo_stroke(c);
		break;
	}
}

static void draw_bar(cairo_t *c, const theme *t, double width, const words *said)
{
	const double middle = 0.5 * (OVERLAY_HEIGHT + 3.0), base = middle + 5.5, margin = 18.0;
	char text[TEXT_BYTES];
	canvas_color(c, t->ground, 1.0);
	cairo_paint(c);
	canvas_color(c, said->color, 1.0);
	cairo_rectangle(c, 0.0, 0.0, width, 3.0);
	cairo_fill(c);
	draw_sign(c, said->sign, said->color, margin + 8.0, middle);

	double x = margin + 28.0;
	canvas_font(c, true, 16.0);
	snprintf(text, sizeof text, "%s", said->state);
	canvas_fit(c, text, sizeof text, fmax(width - x - margin, 0.0));
	x += canvas_write(c, x, base, t->text, text) + 16.0;

	canvas_font(c, false, 12.0);
	double help = canvas_text_width(c, help_text), right = width - margin;
	if (x + help < right) {
		right -= help + 16.0;
		canvas_write(c, right + 16.0, base - 1.0, t->help, help_text);
	}

	canvas_font(c, false, 14.0);
	snprintf(text, sizeof text, "%s", said->detail);
	canvas_fit(c, text, sizeof text, fmax(right - x, 0.0));
	canvas_write(c, x, base - 0.5, t->detail, text);
}

/* cairo keeps a pixel as a native 32-bit word with alpha on top. */
static void copy_pixels(cairo_surface_t *surface, overlay *o)
{
	const unsigned char *from = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	for (uint32_t y = 0; y < o->height; y++) {
		uint8_t *to = o->rgba + (size_t)y * o->width * 4;
		for (uint32_t x = 0; x < o->width; x++) {
			uint32_t word;
			memcpy(&word, from + y * stride + 4 * (size_t)x, sizeof word);
			to[4 * x] = (uint8_t)(word >> 16);
			to[4 * x + 1] = (uint8_t)(word >> 8);
			to[4 * x + 2] = (uint8_t)word;
			to[4 * x + 3] = 255;
		}
	}
}

static bool is_shown(const overlay *o, uint32_t width, uint32_t height, const overlay_text *t)
{
	const exchange_state *a = &o->shown.state, *b = &t->state;
	return o->valid && o->width == width && o->height == height && o->shown.theme == t->theme && a->any == b->any &&
	       a->full == b->full && a->ended == b->ended && a->paused == b->paused && a->verdict == b->verdict && a->reason == b->reason && a->frames == b->frames &&
	       !strcmp(a->error, b->error);
}

bool overlay_draw(overlay *o, uint32_t width, uint32_t height, const overlay_text *text)
{
	if (!width || !height || is_shown(o, width, height, text))
		return false;
	size_t bytes = (size_t)width * height * 4;
	if (o->capacity < bytes) {
		uint8_t *rgba = realloc(o->rgba, bytes);
		if (!rgba)
			return false;
		o->rgba = rgba;
		o->capacity = bytes;
	}
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	cairo_t *c = cairo_create(surface);
	double scale = (double)height / OVERLAY_HEIGHT;
	words said;
	choose_words(text, &said);
	cairo_scale(c, scale, scale);
	draw_bar(c, text->theme, (double)width / scale, &said);
	cairo_destroy(c);
	cairo_surface_flush(surface);
	o->valid = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
	o->width = width;
	o->height = height;
	o->shown = *text;
	if (o->valid)
		copy_pixels(surface, o);
	cairo_surface_destroy(surface);
	return o->valid;
}

void overlay_free(overlay *o)
{
	free(o->rgba);
	memset(o, 0, sizeof *o);
}
