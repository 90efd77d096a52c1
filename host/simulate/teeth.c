/* SPDX-License-Identifier: Apache-2.0
 * Measures are the usual means of lower teeth (Wheeler's Dental Anatomy, table of measurements), crowns shortened to
 * what stands out of the gum. */
#include "teeth.h"

#include "rng.h"

#define ARCH_HALF_WIDTH_MM 26.5
#define ARCH_DEPTH_MM 42.0
#define ARCH_SAMPLES 2048
#define PREPARATION_MARGIN_H_MM 1.7 /* above the neck: just over the gum */
#define PREPARATION_CHAMFER_MM 0.8
#define PREPARATION_TAPER_DEGREES 7.0 /* each side */
#define PREPARATION_REDUCTION_MM 1.8  /* of the height of the crown */

typedef struct tooth_spec {
	tooth_kind kind;
	double width_mm, depth_mm, height_mm;
	int cusp_count;
	cusp cusps[TOOTH_CUSPS_MAX]; /* m and b as shares of half the width and depth, h in mm below the highest */
} tooth_spec;

static const tooth_spec SPECS[7] = {
	{TOOTH_INCISOR, 5.3, 5.8, 8.6, 1, {{"inc", 0, 0.25, 0}}},
	{TOOTH_INCISOR, 5.8, 6.1, 8.8, 1, {{"inc", 0, 0.25, 0}}},
	{TOOTH_CANINE, 6.9, 7.5, 9.8, 1, {{"c", 0.05, 0.22, 0}}},
	{TOOTH_PREMOLAR, 7.0, 7.6, 8.4, 2, {{"b", 0.02, 0.22, 0}, {"l", 0.1, -0.52, 2.3}}},
	{TOOTH_PREMOLAR, 7.2, 8.2, 7.9, 3, {{"b", 0.02, 0.36, 0}, {"ml", 0.32, -0.5, 0.7}, {"dl", -0.36, -0.48, 1.1}}},
	{TOOTH_MOLAR, 11.2, 10.4, 7.5, 5,
		{{"mb", 0.5, 0.44, 0.3}, {"db", -0.12, 0.48, 0.4}, {"d", -0.62, 0.2, 0.8}, {"ml", 0.46, -0.52, 0},
			{"dl", -0.4, -0.52, 0.15}}},
	{TOOTH_MOLAR, 10.6, 10.1, 7.1, 4,
		{{"mb", 0.44, 0.45, 0.3}, {"db", -0.44, 0.43, 0.5}, {"ml", 0.44, -0.5, 0}, {"dl", -0.42, -0.48, 0.3}}},
};

double teeth_arch_half_mm(void)
{
	double sum = 0;
	for (int i = 0; i < 7; i++)
		sum += SPECS[i].width_mm;
	return sum;
}

static void ellipse(double phi, v3 *out_point, v3 *out_tangent)
{
	*out_point = v3_make(ARCH_HALF_WIDTH_MM * sin(phi), ARCH_DEPTH_MM * cos(phi), 0);
	*out_tangent = v3_make(ARCH_HALF_WIDTH_MM * cos(phi), -ARCH_DEPTH_MM * sin(phi), 0);
}

void teeth_arch_point(double s_mm, v3 *out_point, v3 *out_tangent)
{
	double phi = 0, left = fabs(s_mm), step = SIM_PI / 2 / ARCH_SAMPLES;
	v3 middle, tangent;
	for (int i = 0; i < ARCH_SAMPLES && left > 0; i++) {
		ellipse(phi + step / 2, &middle, &tangent);
		double length = v3_length(tangent) * step;
		phi += length <= left ? step : step * left / length;
		left -= length;
	}
	ellipse(phi, out_point, out_tangent);
	*out_tangent = v3_unit(*out_tangent);
	if (left > 0) /* past the widest place the arch runs straight back */
		*out_point = v3_mad(*out_point, *out_tangent, left);
	if (s_mm < 0) {
		out_point->x = -out_point->x;
		out_tangent->y = -out_tangent->y;
	}
}

/* Turns the tooth's frame about one of its axes. */
static void turn(tooth *t, v3 axis, double angle)
{
	quat q = quat_axis_angle(axis, angle);
	t->mesial = quat_rotate(q, t->mesial);
	t->buccal = quat_rotate(q, t->buccal);
	t->up = quat_rotate(q, t->up);
}

static void place(tooth *t, uint64_t key)
{
	v3 point, tangent;
	teeth_arch_point(t->s_mm, &point, &tangent);
	t->up = v3_make(0, 0, 1);
	t->mesial = t->s_mm > 0 ? v3_scale(tangent, -1) : tangent;
	t->buccal = v3_unit(
		v3_make(point.x * ARCH_DEPTH_MM * ARCH_DEPTH_MM, point.y * ARCH_HALF_WIDTH_MM * ARCH_HALF_WIDTH_MM, 0));
	if (point.y < 0)
		t->buccal = v3_make(t->s_mm > 0 ? 1 : -1, 0, 0);
	t->buccal = v3_unit(v3_mad(t->buccal, tangent, -v3_dot(t->buccal, tangent)));
	double irregular = t->kind == TOOTH_INCISOR ? 1.6 : 1.0;
	turn(t, t->up, radians(rng_between(key, 0, -3.5, 3.5)) * irregular);
	turn(t, t->mesial, radians(rng_between(key, 1, -3, 3)));
	turn(t, t->buccal, radians(rng_between(key, 2, -2, 2)));
	if (t->kind == TOOTH_MOLAR) /* lower molars lean towards the tongue */
		turn(t, t->mesial, t->s_mm > 0 ? radians(-6) : radians(6));
	double curve_of_spee_mm = 0.0011 * (t->s_mm * t->s_mm) * 0.5;
	t->origin = v3_mad(point, t->buccal, rng_between(key, 3, -0.25, 0.25) * irregular);
	t->origin.z +=
		rng_between(key, 4, -0.2, 0.2) + (t->kind >= TOOTH_PREMOLAR ? 0.4 : -0.3) + 0.2 * curve_of_spee_mm;
}

void teeth_layout(uint64_t seed, int prepared_fdi, tooth teeth[TEETH_COUNT])
{
	for (int side = 0; side < 2; side++) {
		double s_mm = 0;
		for (int i = 0; i < 7; i++) {
			const tooth_spec *spec = &SPECS[i];
			tooth *t = &teeth[side * 7 + i];
			*t = (tooth){.fdi = (side ? 41 : 31) + i, .kind = spec->kind, .cusp_count = spec->cusp_count};
			uint64_t key = rng_key(seed, RNG_TEETH, (uint64_t)t->fdi);
			t->prepared = t->fdi == prepared_fdi;
			t->width_mm = spec->width_mm;
			t->depth_mm = spec->depth_mm * rng_between(key, 5, 0.97, 1.03);
			t->height_mm = spec->height_mm * rng_between(key, 6, 0.97, 1.03);
			t->s_mm = (s_mm + spec->width_mm / 2) * (side ? 1 : -1);
			s_mm += spec->width_mm;
			for (int c = 0; c < spec->cusp_count; c++) {
				uint64_t at = 16 + 4 * (uint64_t)c;
				t->cusps[c] = (cusp){spec->cusps[c].name,
					(spec->cusps[c].m_mm + rng_between(key, at, -0.03, 0.03)) * t->width_mm / 2,
					(spec->cusps[c].b_mm + rng_between(key, at + 1, -0.03, 0.03)) * t->depth_mm / 2,
					t->height_mm - spec->cusps[c].h_mm - rng_between(key, at + 2, 0, 0.2)};
			}
			place(t, key);
		}
	}
}

v3 tooth_to_world(const tooth *t, double m_mm, double b_mm, double h_mm)
{
	return v3_mad(v3_mad(v3_mad(t->origin, t->mesial, m_mm), t->buccal, b_mm), t->up, h_mm);
}

v3 tooth_from_world(const tooth *t, v3 world)
{
	v3 d = v3_sub(world, t->origin);
	return v3_make(v3_dot(d, t->mesial), v3_dot(d, t->buccal), v3_dot(d, t->up));
}

/* Distance to an upright prism whose section is a superellipse with the half axes rm and rb. */
static double section_distance(double m, double b, double rm, double rb, double power)
{
	double q = pow(pow(fabs(m) / rm, power) + pow(fabs(b) / rb, power), 1 / power);
	return (q - 1) * fmin(rm, rb);
}

/* Height of the chewing surface: rounded cones under the cusps and ridges along the two marginal edges. Where two of
 * them meet lies a fissure, cut a little deeper than the meeting itself. */
static double occlusal_height(const tooth *t, double m, double b)
{
	double first = -1e9, second = -1e9, blended = -1e9;
	int count = t->cusp_count + 2;
	for (int i = 0; i < count; i++) {
		double height;
		if (i < t->cusp_count) {
			double dm = m - t->cusps[i].m_mm, db = b - t->cusps[i].b_mm;
			height = t->cusps[i].h_mm - 0.68 * (sqrt(dm * dm + db * db + 0.36) - 0.6);
		} else {
			double across = m + (i == t->cusp_count ? -1 : 1) * 0.43 * t->width_mm;
			height = t->height_mm - 1.35 - 0.6 * (sqrt(across * across + 0.16) - 0.4) - 0.05 * b * b;
		}
		second = height > first ? first : fmax(second, height);
		first = fmax(first, height);
		blended = i ? smooth_max(blended, height, 0.25) : height;
	}
	double gap = (first - second) / 0.22;
	return blended - 0.3 * exp(-gap * gap);
}

static double posterior_distance(const tooth *t, v3 p)
{
	double u = clamp(p.z / t->height_mm, 0, 1.2);
	double rm = t->width_mm / 2 * (1.045 - 0.55 * (u - 0.62) * (u - 0.62));
	double rb = t->depth_mm / 2 * (1 - 0.42 * (u - 0.32) * (u - 0.32));
	double side = section_distance(p.x, p.y, rm, rb, 2.7);
	double top = (p.z - occlusal_height(t, p.x, p.y)) / 1.2;
	return smooth_max(side, top, t->kind == TOOTH_MOLAR ? 1.5 : 1.3);
}

static double anterior_distance(const tooth *t, v3 p)
{
	double u = clamp(p.z / t->height_mm, 0, 1.1), canine = t->kind == TOOTH_CANINE;
	double edge_mm = canine ? 0.95 : 0.6; /* half thickness at the edge */
	double rb = edge_mm + (t->depth_mm / 2 - edge_mm) * pow(fmax(1 - u, 0), 1.15);
	double labial = t->depth_mm / 2 * (1 - 0.5 * u - 0.05 * u * u);
	double rm = t->width_mm / 2 * (1.06 - 0.42 * (u - 0.82) * (u - 0.82));
	double side = section_distance(p.x, p.y - (labial - rb), rm, rb, 2.3);
	double off = p.x - t->cusps[0].m_mm, edge = t->cusps[0].h_mm;
	if (canine)
		edge -= 0.55 * (sqrt(off * off + 0.25) - 0.5);
	else
		edge += 0.07 * cos(off * (2 * SIM_PI * 3 / t->width_mm)) - 0.012 * off * off;
	return smooth_max(side, (p.z - edge) / 1.1, canine ? 1.1 : 0.8);
}

static void preparation_axes(const tooth *t, double *out_rm, double *out_rb)
{
	double u = PREPARATION_MARGIN_H_MM / t->height_mm;
	*out_rm = t->width_mm / 2 * (1.0 - 0.5 * (u - 0.6) * (u - 0.6)) * 0.94;
	*out_rb = t->depth_mm / 2 * (1.0 - 0.4 * (u - 0.32) * (u - 0.32)) * 0.97;
}

/* The margin follows the gum: lower at cheek and tongue than between the teeth. */
static double margin_height(double m, double b, double rm, double rb)
{
	double along = m / rm, across = b / rb, r2 = along * along + across * across + 1e-9;
	return PREPARATION_MARGIN_H_MM + 0.5 * (along * along - across * across) / r2;
}

/* A root stump with a sharp outer edge (the margin), and a tapered core rising from it behind a hollow chamfer. */
static double preparation_distance(const tooth *t, v3 p)
{
	double rm, rb;
	preparation_axes(t, &rm, &rb);
	double root = 0.2 * fmax(PREPARATION_MARGIN_H_MM - 0.6 - p.z, 0); /* the root narrows below the margin */
	double base =
		fmax(section_distance(p.x, p.y, rm - root, rb - root, 2.5), p.z - margin_height(p.x, p.y, rm, rb));
	double inset = PREPARATION_CHAMFER_MM +
		       fmax(p.z - PREPARATION_MARGIN_H_MM, 0) * tan(radians(PREPARATION_TAPER_DEGREES));
	double top = t->height_mm - PREPARATION_REDUCTION_MM;
	double roof = top - 0.35 + 0.3 * fabs(p.y) / rb - 0.1 * fabs(p.x) / rm;
	double core = smooth_max(section_distance(p.x, p.y, rm - inset, rb - inset, 2.3), p.z - roof, 0.9);
	return smooth_min(base, core, 0.35);
}

v3 tooth_margin_point(const tooth *t, double angle)
{
	double rm, rb, c = cos(angle), s = sin(angle);
	preparation_axes(t, &rm, &rb);
	double k = 1 / pow(pow(fabs(c) / rm, 2.5) + pow(fabs(s) / rb, 2.5), 1 / 2.5);
	return tooth_to_world(t, k * c, k * s, margin_height(k * c, k * s, rm, rb));
}

double tooth_distance(const tooth *t, v3 world)
{
	v3 p = tooth_from_world(t, world);
	double d;
	if (t->prepared)
		d = preparation_distance(t, p);
	else if (t->kind >= TOOTH_PREMOLAR)
		d = posterior_distance(t, p);
	else
		d = anterior_distance(t, p);
	return smooth_max(d, -p.z - 4, 0.5); /* what lies deeper in the gum does not matter */
}
