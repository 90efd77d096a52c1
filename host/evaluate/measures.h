/* SPDX-License-Identifier: Apache-2.0
 * What studies of scanners measure over an arch: widths, diagonals, sides and angles between named landmarks. */
#ifndef EVALUATE_MEASURES_H
#define EVALUATE_MEASURES_H

#include "marks.h"

#define MEASURES_MAX 12
#define MEASURE_MARKS_MAX 4

typedef enum measure_kind {
	MEASURE_DISTANCE, /* between two landmarks */
	MEASURE_OPENING,  /* angle at the middle of the first two between the last two */
	MEASURE_TWIST /* signed turn from the line through the first two to that through the last two, about the axis
			 between their middles */
} measure_kind;

typedef struct measure {
	const char *name;
	measure_kind kind;
	size_t marks[MEASURE_MARKS_MAX], mark_count; /* indices of landmarks */
} measure;

/* The measures whose landmarks are in the list, by names such as "36_mb" (FDI number and cusp). Canine tips are "c",
 * first premolars "b", molars "mb"; where the first molars have no landmarks on both sides, the second stand for them.
 * Gives how many, MEASURES_MAX at most. */
size_t measures_of(const landmark *landmarks, size_t count, measure out_measures[MEASURES_MAX]);

/* In mm or radians: of the landmarks' true places, and of those in the reconstruction. The latter is false when one of
 * them has no place there. */
double measure_true(const measure *m, const landmark *landmarks);
bool measure_take(const measure *m, const landmark *landmarks, double *out_value);

#endif
