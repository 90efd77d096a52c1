/* SPDX-License-Identifier: Apache-2.0
 * Draws the newest picture, what lies over it and the bar with OpenGL 3.3. Main thread, with the window's context current. */
#ifndef ENM_VIEWER_DRAW_H
#define ENM_VIEWER_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct draw_texture {
	unsigned texture;
	uint32_t width, height;
} draw_texture;

/* Zero it before use. */
typedef struct draw {
	unsigned ground_program, texture_program, vertices, ground_frame;
	int ground_area, ground_edge, ground_middle, ground_grain;
	unsigned staging[2]; /* pixel buffers, in turn: one may still be read while the other is filled */
	unsigned turn;
	draw_texture ground, picture, sheet, bar;
	bool has_sheet;
	bool tells_loss;    /* the driver says when the context is lost */
	bool plain;         /* no noise in the ground: for pictures that are to be packed */
	float behind[2][3]; /* colours behind the model, at the edge and in the middle */
	float painted[2][3]; /* the same of the ground as it is */
	bool painted_plain;
} draw;

/* Where things lie in the framebuffer; the bar is at the foot. */
typedef struct draw_layout {
	uint32_t width, height, bar_height;
} draw_layout;

/* False with one line in `reason` when the device does not do what OpenGL 3.3 asks. */
bool draw_init(draw *d, char *reason, size_t reason_bytes);
void draw_free(draw *d);

/* True once the driver has lost the context: nothing that belongs to it can be used any more. */
bool draw_is_lost(const draw *d);

/* Packed rows of R, G, B, A from the top; colours premultiplied by A. False when there is no memory for it. */
bool draw_set_picture(draw *d, const uint8_t *rgba, uint32_t width, uint32_t height);
bool draw_set_bar(draw *d, const uint8_t *rgba, uint32_t width, uint32_t height);

/* What lies over the picture, as cairo keeps it: native 32-bit words of premultiplied A, R, G, B. NULL: nothing. */
bool draw_set_sheet(draw *d, const uint8_t *argb, uint32_t width, uint32_t height);

/* The picture is letterboxed into the area above the bar. */
void draw_frame(draw *d, const draw_layout *layout);

/* Reads the frame just drawn; `out_rgba` has packed rows from the top. */
void draw_read(const draw_layout *layout, uint8_t *out_rgba);

#endif
