/* SPDX-License-Identifier: Apache-2.0
 * The fourteen teeth of the built-in lower arch: their measures, where they stand, and the shape of each. */
#ifndef ENM_SIMULATE_TEETH_H
#define ENM_SIMULATE_TEETH_H

#include <stdbool.h>
#include <stdint.h>

#include "vec.h"

#define TEETH_COUNT 14
#define TOOTH_CUSPS_MAX 5

typedef enum tooth_kind { TOOTH_INCISOR, TOOTH_CANINE, TOOTH_PREMOLAR, TOOTH_MOLAR } tooth_kind;

/* In the tooth's frame: m towards the midline, b towards the cheek, h towards the other jaw from the neck. */
typedef struct cusp {
	const char *name; /* "mb" of "36_mb" */
	double m_mm, b_mm, h_mm;
} cusp;

typedef struct tooth {
	int fdi;
	tooth_kind kind;
	bool prepared;
	double width_mm, depth_mm, height_mm; /* mesiodistal, buccolingual, neck to highest point */
	double s_mm;                   /* place of its middle along the arch, 0 at the midline, 4th quadrant positive */
	v3 origin, mesial, buccal, up; /* tooth frame in the world */
	cusp cusps[TOOTH_CUSPS_MAX];
	int cusp_count;
} tooth;

/* Half-ellipse on which the teeth stand: x to the patient's right, y forward, z up. */
void teeth_arch_point(double s_mm, v3 *out_point, v3 *out_tangent);

/* Places the teeth, each a little turned, tilted, shifted and sunk as the seed says. `prepared_fdi` 0 for none. */
void teeth_layout(uint64_t seed, int prepared_fdi, tooth teeth[TEETH_COUNT]);

/* Arch length from the midline to the distal face of the last molar. */
double teeth_arch_half_mm(void);

/* Signed distance to the crown, roughly in mm, below zero inside. Exact at zero; elsewhere within a factor of two. */
double tooth_distance(const tooth *t, v3 world);

v3 tooth_to_world(const tooth *t, double m_mm, double b_mm, double h_mm);
v3 tooth_from_world(const tooth *t, v3 world);

/* Point of a prepared tooth's margin at an angle around it. */
v3 tooth_margin_point(const tooth *t, double angle);

/* Largest and smallest of two with the corner rounded over a width of k. */
static inline double smooth_max(double a, double b, double k)
{
	double h = fmax(k - fabs(a - b), 0) / k;
	return fmax(a, b) + h * h * k / 4;
}

static inline double smooth_min(double a, double b, double k)
{
	return -smooth_max(-a, -b, k);
}

#endif
