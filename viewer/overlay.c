/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>

#define ROOM_LEAST 3.0 /* the bar may take at most a third of the window */
#define TEXT_BYTES 768
#define PART_BYTES 128

typedef struct rgb {
	double r, g, b;
} rgb;

/* Apart in hue and brightness for every kind of colour vision (after Okabe and Ito), and each with its own shape. */
static const rgb color_tracked = {0.16, 0.78, 0.58};
static const rgb color_weak = {0.96, 0.72, 0.18};
static const rgb color_lost = {0.94, 0.36, 0.22};
static const rgb color_idle = {0.58, 0.64, 0.70};
static const rgb color_ground = {0.086, 0.098, 0.114};
static const rgb color_text = {0.95, 0.96, 0.97};
static const rgb color_detail = {0.72, 0.76, 0.80};
static const rgb color_help = {0.55, 0.60, 0.65};

static const char help_long[] = "drag turn   shift+drag pan   wheel zoom   F all   1\xe2\x80\x93"
				"4 sides   C G V shade   Q close";
static const char help_short[] = "F all   1\xe2\x80\x93"
				 "4 sides   C G V shade   Q close";

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
	if (s->full)
		append(w->detail, "memory full: the model no longer grows");
}

static void choose_words(const overlay_text *t, words *w)
{
	const exchange_state *s = &t->state;
	*w = (words){.sign = SIGN_RING, .color = color_idle, .state = "Waiting for the first frame"};
	if (!s->any && s->ended)
		w->state = "No frames";
	if (!s->any)
		return;
	if (s->ended) {
		w->state = "Finished";
	} else if (s->verdict == ENM_VERDICT_TRACKED) {
		*w = (words){.sign = SIGN_DOT, .color = color_tracked, .state = "Tracked"};
	} else if (s->verdict == ENM_VERDICT_WEAK) {
		*w = (words){.sign = SIGN_TRIANGLE, .color = color_weak, .state = "Weak"};
	} else {
		*w = (words){.sign = SIGN_CROSS, .color = color_lost, .state = "Lost"};
	}
	if (!s->ended && s->verdict != ENM_VERDICT_TRACKED)
		append(w->detail, enm_reason_text(s->reason));
	say_counts(w, t);
	if (*s->error) {
		snprintf(w->detail, sizeof w->detail, "%s", s->error);
		w->state = "No picture";
		w->sign = SIGN_CROSS;
		w->color = color_lost;
	}
}

/* ---- drawing, in units of a content scale of 1 ---- */

static void set_color(cairo_t *c, rgb color)
{
	cairo_set_source_rgb(c, color.r, color.g, color.b);
}

static void draw_sign(cairo_t *c, sign which, rgb color, double x, double y)
{
	const double r = 8.0;
	set_color(c, color);
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

static double text_width(cairo_t *c, const char *text)
{
	cairo_text_extents_t extents;
	cairo_text_extents(c, text, &extents);
	return extents.x_advance;
}

/* Cuts `text` until it fits, at the start of a UTF-8 character, and ends it with an ellipsis. */
static void fit(cairo_t *c, char *text, double room)
{
	size_t length = strlen(text);
	while (length && text_width(c, text) > room) {
		do
			length--;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80);
		snprintf(text + length, TEXT_BYTES - length, "\xe2\x80\xa6");
	}
}

static void set_font(cairo_t *c, bool bold, double size)
{
	cairo_select_font_face(
		c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, size);
}

static void draw_bar(cairo_t *c, double width, const words *said)
{
	const double middle = 0.5 * (OVERLAY_HEIGHT + 3.0), base = middle + 5.5, margin = 18.0;
	char text[TEXT_BYTES];
	set_color(c, color_ground);
	cairo_paint(c);
	set_color(c, said->color);
	cairo_rectangle(c, 0.0, 0.0, width, 3.0);
	cairo_fill(c);
	draw_sign(c, said->sign, said->color, margin + 8.0, middle);

	double x = margin + 28.0;
	set_font(c, true, 16.0);
	snprintf(text, sizeof text, "%s", said->state);
	fit(c, text, width - x - margin);
	set_color(c, color_text);
	cairo_move_to(c, x, base);
	cairo_show_text(c, text);
	x += text_width(c, text) + 16.0;

	set_font(c, false, 14.0);
	snprintf(text, sizeof text, "%s", said->detail);
	fit(c, text, fmax(width - x - margin, 0.0));
	set_color(c, color_detail);
	cairo_move_to(c, x, base - 0.5);
	cairo_show_text(c, text);
	x += text_width(c, text) + 32.0;

	set_font(c, false, 12.0);
	const char *help = text_width(c, help_long) <= width - x - margin ? help_long : help_short;
	if (text_width(c, help) > width - x - margin)
		return;
	set_color(c, color_help);
	cairo_move_to(c, width - margin - text_width(c, help), base - 1.0);
	cairo_show_text(c, help);
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
	return o->valid && o->width == width && o->height == height && a->any == b->any && a->full == b->full &&
	       a->ended == b->ended && a->verdict == b->verdict && a->reason == b->reason && a->frames == b->frames &&
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
	draw_bar(c, (double)width / scale, &said);
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
