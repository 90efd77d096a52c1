/* SPDX-License-Identifier: Apache-2.0
 * What pictures with words on them have in common. */
#ifndef ENM_HOST_PAINT_H
#define ENM_HOST_PAINT_H

#include <cairo.h>
#include <stdbool.h>

#include "error.h"

typedef struct paint_color {
	double r, g, b;
} paint_color;

void paint_set(cairo_t *c, paint_color of);

/* One line of text from (x, y), the left end of its foot. */
void paint_text(cairo_t *c, double x, double y, double size, bool bold, paint_color of, const char *format, ...)
	__attribute__((format(printf, 7, 8)));

/* The engine's picture, packed R, G, B, A rows, as a surface; cairo_surface_destroy() it. HOST_IO when there is no memory. */
host_status paint_surface(const uint8_t *rgba, uint32_t width, uint32_t height, cairo_surface_t **out_surface);

/* Writes a surface (RGB24) as a PNG, whole or not at all. HOST_IO, also when drawing on `c`, its context, has failed. */
host_status paint_write(const char *path, cairo_t *c, cairo_surface_t *surface);

#endif
