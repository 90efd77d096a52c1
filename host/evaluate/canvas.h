/* SPDX-License-Identifier: Apache-2.0
 * An RGB picture with plain drawing and small text. */
#ifndef EVALUATE_CANVAS_H
#define EVALUATE_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct canvas {
	int width, height;
	uint8_t *rgb; /* packed rows */
} canvas;

bool canvas_create(int width, int height, const uint8_t background[3], canvas *out_canvas); /* false: no memory */
void canvas_destroy(canvas *c);

/* Clipped at the edges. */
void canvas_fill(canvas *c, int x, int y, int width, int height, const uint8_t color[3]);

/* Small letters, digits and signs of a 5x7 font, each dot `scale` pixels wide; other characters come out as a box. The
 * upper left corner is at (x, y). */
void canvas_text(canvas *c, int x, int y, int scale, const uint8_t color[3], const char *text);
int canvas_text_width(int scale, const char *text);
int canvas_text_height(int scale);

#endif
