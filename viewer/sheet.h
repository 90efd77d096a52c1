/* SPDX-License-Identifier: Apache-2.0
 * What lies over the picture: marks, gaps and the wand on the model; depth, gauge, legend, profile and help at the sides. */
#ifndef ENM_VIEWER_SHEET_H
#define ENM_VIEWER_SHEET_H

#include "canvas.h"
#include "exchange.h"

typedef struct sheet_content {
	const theme *theme;
	uint32_t width, height; /* of the picture's area, pixels */
	double scale;           /* pixels per unit of the overlay */
	const look *look;       /* of the picture that is shown */
	const exchange_state *state;
	const tools_shown *shown;   /* NULL: no marks yet */
	const depth_picture *depth; /* version 0: none */
	const viewer_def *def;
	bool help, legend, show_depth, gaps, say; /* `say`: state.said is still to be read */
} sheet_content;

/* What a sheet was drawn for; it is drawn anew when that changes. */
typedef struct sheet_key {
	const theme *theme;
	uint32_t width, height;
	double scale;
	look look;
	const tools_shown *shown;
	uint64_t depth_version, gap_version, frames;
	bool help, legend, show_depth, gaps, say, paused, can_hide, ended;
	char said[SAY_BYTES];
} sheet_key;

/* Zero it before use. */
typedef struct sheet {
	cairo_surface_t *surface;
	sheet_key key;
	bool valid;
} sheet;

/* Draws anew if something has changed; true when it did. */
bool sheet_draw(sheet *s, const sheet_content *content);
/* The pixels for draw_set_sheet, or NULL. */
const uint8_t *sheet_pixels(const sheet *s);
void sheet_free(sheet *s);

/* ---- its parts; cairo's units are those of a content scale of 1 ---- */

/* Where a point of the world is seen. */
bool sheet_project(const sheet_content *s, const double world_mm[3], double out[2]);

void sheet_draw_marks(cairo_t *c, const sheet_content *s);    /* sheet_model.c */
void sheet_draw_gaps(cairo_t *c, const sheet_content *s);
void sheet_draw_wand(cairo_t *c, const sheet_content *s);
void sheet_draw_depth(cairo_t *c, const sheet_content *s);    /* sheet_depth.c */
void sheet_draw_legend(cairo_t *c, const sheet_content *s);   /* sheet_side.c */
void sheet_draw_ruler(cairo_t *c, const sheet_content *s);
void sheet_draw_section(cairo_t *c, const sheet_content *s);
void sheet_draw_words(cairo_t *c, const sheet_content *s);
void sheet_draw_help(cairo_t *c, const sheet_content *s);     /* help.c */

#endif
