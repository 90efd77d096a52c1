/* SPDX-License-Identifier: Apache-2.0
 * The marching-cubes table, made at run time instead of typed in. */
#ifndef ENM_CASES_H
#define ENM_CASES_H

#include <stdint.h>

#define CASES_ROW 16                   /* edges of up to five triangles, then 255 */
#define CASES_COUNTS (256 * CASES_ROW) /* where the numbers of triangles begin, a byte a case */
#define CASES_BYTES (CASES_COUNTS + 256)

/* Corner c of a cell is at (c & 1, c >> 1 & 1, c >> 2); bit c of a case says that it is inside. Edge = 4 axis +
 * position, the position being that of its lower end in the plane across the axis (first remaining axis lowest).
 * Triangles are counter-clockwise seen from outside. Where a face has two inside corners at a diagonal they are kept
 * apart, on both cells that share it, so that the surface has no cracks. */
void cases_make(uint8_t table[CASES_BYTES]);

#endif
