/* SPDX-License-Identifier: Apache-2.0
 * What people measure and mark on a model: data that the viewer makes, the host keeps in a file, and text says. World is
 * that of the model; lengths in mm, angles in rad. Nothing here needs a window. */
#ifndef ENM_VIEWER_MARKS_H
#define ENM_VIEWER_MARKS_H

#include "enamel.h"

#define MARK_POINTS_MAX 32
#define MARKS_MAX 256
#define MARK_TEXT_BYTES 160

typedef enum mark_kind {
	MARK_DISTANCE = 0, /* two points, straight */
	MARK_SURFACE = 1,  /* from a point to the surface: the nearest one of another body, else through the body */
	MARK_ANGLE = 2,    /* three points, the corner is the second */
	MARK_PATH = 3,     /* along the surface: between successive points the curve in which a plane cuts it */
	MARK_SECTION = 4   /* the profile in the plane through two points and `direction`; the figure is the points' distance */
} mark_kind;
#define MARK_KINDS 5

/* A place on the surface. */
typedef struct mark_point {
	double position_mm[3];
	double normal[3]; /* unit, outward */
	double sigma_um;  /* standard deviation along the normal; NaN where the model does not tell */
	uint32_t views;   /* frames that saw it; 0 where the model does not tell */
	uint32_t body;    /* which of the models shown: 0 or 1 */
	uint32_t triangle;
} mark_point;

typedef struct mark {
	mark_kind kind;
	uint32_t number; /* unique in its list, 1 and up */
	uint32_t point_count;
	mark_point points[MARK_POINTS_MAX];
	double direction[3]; /* of a section: unit; else 0 */
	double value;        /* mm, or rad of an angle */
	/* One standard deviation of it, by what the points' sigmas say: each point's error is taken along its normal and as
	 * independent of the others'. It holds the noise of the surface only: neither drift of the scan nor an error of scale. NaN
	 * where a sigma is not known. */
	double value_sigma;
} mark;

/* Zero it before use; free(entries) gives it back. */
typedef struct mark_list {
	mark *entries;
	size_t count, capacity;
} mark_list;

/* "distance", "to surface", "angle", "path", "section"; "" for no kind. */
const char *mark_kind_name(mark_kind kind);
/* False when no kind has the name. */
bool mark_kind_of(const char *name, mark_kind *out_kind);
/* How many points a mark of the kind has: of a path, at least. A mark to a surface has two: where it begins and what was found. */
uint32_t mark_points_least(mark_kind kind);
uint32_t mark_points_most(mark_kind kind);

/* The figure: "12.345 mm ± 0.006", "87.31° ± 0.05"; "±" is left out where it is not known, and "±
 * <0.001" where it is less than what is written. */
void mark_text(const mark *m, char out_text[MARK_TEXT_BYTES]);

/* Copies the mark to the end. False when MARKS_MAX are there or there is no memory. */
bool mark_list_add(mark_list *list, const mark *m);
void mark_list_remove(mark_list *list, size_t index);

#endif
