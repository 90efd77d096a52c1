/* SPDX-License-Identifier: Apache-2.0
 * Colours of the overlay and how its parts write, with cairo; lengths in units of a content scale of 1. */
#ifndef ENM_VIEWER_CANVAS_H
#define ENM_VIEWER_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cairo.h>

typedef struct rgb {
	double r, g, b;
} rgb;

/* Dark grounds for dark rooms, light ones for light rooms. Signal colours are apart in hue and brightness for every kind of colour
 * vision (after Okabe and Ito 2008). */
typedef struct theme {
	rgb ground, text, detail, help;  /* of bar and panels */
	rgb tracked, weak, lost, idle;
	rgb mark, gap, wand, halo;       /* on the model */
	float behind[2][3];              /* of the model: edge and middle of the window */
} theme;

extern const theme theme_dark, theme_light;

void canvas_color(cairo_t *c, rgb color, double alpha);
void canvas_font(cairo_t *c, bool bold, double size);
double canvas_text_width(cairo_t *c, const char *text);
/* Cuts `text` until it fits, at the start of a UTF-8 character, and ends it with an ellipsis. */
void canvas_fit(cairo_t *c, char *text, size_t capacity, double room);
/* Writes at the left end of the baseline and returns the width. */
double canvas_write(cairo_t *c, double x, double y, rgb color, const char *text);
/* A rounded ground that lets the model shine through a little. */
void canvas_panel(cairo_t *c, const theme *t, double x, double y, double width, double height);
/* Strokes the path twice, so that it is seen on any model. */
void canvas_stroke(cairo_t *c, const theme *t, rgb color, double width);

#endif
