/* SPDX-License-Identifier: Apache-2.0
 * Rays against a body: Embree finds the triangle or sphere; on a sphere the place is then solved exactly in double. */
#ifndef ENM_SIMULATE_CASTER_H
#define ENM_SIMULATE_CASTER_H

#include <stdbool.h>

#include "body.h"

typedef struct caster caster;

typedef struct caster_hit {
	double t;  /* the place is origin + t direction */
	v3 normal; /* unit, of the triangle or sphere, towards the ray's origin */
	v3 smooth; /* unit, between the corners' normals, on the same side */
	double hollow_mm;
	double rgb[3]; /* 0 to 255 */
} caster_hit;

/* The body must outlive the caster. NULL with one line in `out_error` (BODY_ERROR_BYTES). */
caster *caster_create(const body *b, char *out_error);
void caster_destroy(caster *c);
const body *caster_body(const caster *c);

/* All may be called by several threads at once. */
bool caster_meets(const caster *c, v3 origin, v3 direction, double t_max, caster_hit *out_hit);
bool caster_blocked(const caster *c, v3 from, v3 to);

/* The same for CASTER_GROUP rays side by side, in two thirds of the time: only those wanted are cast, and `out_met` or
 * `out_blocked` is false for the others. */
#define CASTER_GROUP 8
void caster_meets_group(const caster *c, v3 origin, const v3 directions[CASTER_GROUP], const bool wanted[CASTER_GROUP],
	double t_max, caster_hit out_hits[CASTER_GROUP], bool out_met[CASTER_GROUP]);
void caster_blocked_group(const caster *c, const v3 from[CASTER_GROUP], v3 to, const bool wanted[CASTER_GROUP],
	bool out_blocked[CASTER_GROUP]);

#endif
