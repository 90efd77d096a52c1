/* SPDX-License-Identifier: Apache-2.0
 * The built-in lower arch: fourteen teeth in gum with papillae, or a toothless ridge, as a signed distance function
 * that surface nets turn into triangles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "nets.h"
#include "rng.h"
#include "teeth.h"

#define MAP_CELL_MM 0.25 /* of the table that gives the place along the arch */
#define MAP_HALF_X_MM 46.0
#define MAP_MIN_Y_MM (-34.0)
#define MAP_MAX_Y_MM 60.0
#define GUM_BEHIND_MM 8.5 /* the gum goes on behind the last molar */
#define KEPT_ASIDE_MM 11.5
#define KEPT_BELOW_MM (-8.0)
#define TOP_MM 12.0
#define ALONG_MM 75.0 /* tables along the arch reach this far to both sides of the midline */
#define PROFILE_STEP_MM 0.05
#define PROFILE_COUNT 3001
#define SMOOTH_RELIEF 0.15 /* of the crest's ups and downs is left on a smooth ridge */
#define GUM_ROUGH_MM 1.0   /* farther away than this the gum's relief does not matter */

typedef struct arch {
	const arch_def *def;
	tooth teeth[TEETH_COUNT];
	double half_mm;
	uint64_t gum_key, color_key;
	int map_nx, map_ny;
	float *map;                       /* s and n (towards the cheek) at each grid point */
	double profile[PROFILE_COUNT][2]; /* half width and crest height of the gum, PROFILE_STEP_MM apart */
} arch;

static int nearest(const v3 *points, v3 p, int from, int to, int step)
{
	int best = from;
	double least = 1e30;
	for (int i = from; i <= to; i += step) {
		v3 d = v3_sub(p, points[i]);
		double d2 = d.x * d.x + d.y * d.y;
		if (d2 < least)
			least = d2, best = i;
	}
	return best;
}

/* Nearest place on the arch by search over its samples, once per grid point. */
static bool build_map(arch *a)
{
	enum { SAMPLES = 1200 };
	static const double FROM_MM = -ALONG_MM, TO_MM = ALONG_MM;
	a->map_nx = (int)(2 * MAP_HALF_X_MM / MAP_CELL_MM) + 1;
	a->map_ny = (int)((MAP_MAX_Y_MM - MAP_MIN_Y_MM) / MAP_CELL_MM) + 1;
	a->map = malloc(sizeof(float) * 2 * (size_t)a->map_nx * (size_t)a->map_ny);
	v3 *points = malloc(sizeof(v3) * 2 * (SAMPLES + 1));
	if (!a->map || !points) {
		free(points);
		return false;
	}
	v3 *tangents = points + SAMPLES + 1;
	for (int i = 0; i <= SAMPLES; i++)
		teeth_arch_point(FROM_MM + (TO_MM - FROM_MM) * i / SAMPLES, &points[i], &tangents[i]);
	for (int y = 0; y < a->map_ny; y++)
		for (int x = 0; x < a->map_nx; x++) {
			v3 p = {x * MAP_CELL_MM - MAP_HALF_X_MM, MAP_MIN_Y_MM + y * MAP_CELL_MM, 0};
			int best = nearest(points, p, 0, SAMPLES, 8);
			best = nearest(points, p, best > 8 ? best - 8 : 0, best + 8 < SAMPLES ? best + 8 : SAMPLES, 1);
			v3 d = v3_sub(p, points[best]), t = tangents[best];
			float *out = a->map + 2 * ((size_t)y * (size_t)a->map_nx + (size_t)x);
			out[0] = (float)(FROM_MM + (TO_MM - FROM_MM) * best / SAMPLES + v3_dot(d, t));
			out[1] = (float)(-t.y * d.x + t.x * d.y);
		}
	free(points);
	return true;
}

static void arch_place(const arch *a, v3 p, double *out_s, double *out_n)
{
	double fx = clamp((p.x + MAP_HALF_X_MM) / MAP_CELL_MM, 0, a->map_nx - 1.001);
	double fy = clamp((p.y - MAP_MIN_Y_MM) / MAP_CELL_MM, 0, a->map_ny - 1.001);
	int x = (int)fx, y = (int)fy;
	double tx = fx - x, ty = fy - y, s = 0, n = 0;
	for (int c = 0; c < 4; c++) {
		double w = (c & 1 ? tx : 1 - tx) * (c >> 1 ? ty : 1 - ty);
		const float *at = a->map + 2 * ((size_t)(y + (c >> 1)) * (size_t)a->map_nx + (size_t)(x + (c & 1)));
		s += w * (double)at[0], n += w * (double)at[1];
	}
	*out_s = s, *out_n = n;
}

/* Half width and crest height of the gum at a place along the arch. */
static void gum_profile(const arch *a, double s, double *out_half_width, double *out_crest)
{
	double along = fabs(s), width = 0, crest = 0, weights = 1e-12;
	for (int i = 0; i < TEETH_COUNT; i++) {
		const tooth *t = &a->teeth[i];
		double off = (s - t->s_mm) / (t->width_mm / 2);
		double near = exp(-off * off);
		double scallop = 1 - 0.5 * (1 + cos(SIM_PI * clamp(off, -1, 1)));
		weights += near;
		width += near * (t->depth_mm / 2 + 0.2 + 0.35 * (1 - scallop));
		double papilla = t->prepared                 ? 0.2
				 : t->kind >= TOOTH_PREMOLAR ? 1.9
							     : 2.7; /* pushed back from a margin */
		crest += near * (t->origin.z + (t->prepared ? 0.75 : 1.15) + papilla * scallop * scallop);
	}
	double last = a->teeth[6].origin.z + 1.0, behind = smoothstep(a->half_mm - 1.5, a->half_mm + 2, along);
	*out_half_width = (1 - behind) * width / weights + behind * 4.2;
	*out_crest = (1 - behind) * crest / weights + behind * (last + 1.2 - 0.28 * fmax(along - a->half_mm, 0));
	if (a->def->toothless) {
		double relief = a->def->smooth ? SMOOTH_RELIEF : 1;
		double sag = relief * noise_1d(a->gum_key, s / 11), flare = relief * noise_1d(a->gum_key + 1, s / 13);
		*out_half_width = 2.6 + 1.6 * smoothstep(8, 45, along) + 0.6 * flare;
		*out_crest = 2.4 + 0.9 * sag - 0.03 * fmax(along - a->half_mm, 0);
	}
}

static void build_profile(arch *a)
{
	for (int i = 0; i < PROFILE_COUNT; i++)
		gum_profile(a, i * PROFILE_STEP_MM - ALONG_MM, &a->profile[i][0], &a->profile[i][1]);
}

static double gum_distance(const arch *a, v3 p)
{
	double s, n;
	arch_place(a, p, &s, &n);
	double f = clamp((s + ALONG_MM) / PROFILE_STEP_MM, 0, PROFILE_COUNT - 1.001), t = f - floor(f);
	const double *lo = a->profile[(int)f], *hi = a->profile[(int)f + 1];
	double half = lo[0] + (hi[0] - lo[0]) * t, crest = lo[1] + (hi[1] - lo[1]) * t;
	double below = crest - p.z;
	double flare = (n > 0 ? 0.28 : 0.16) * fmax(below, 0);
	double aside = a->def->toothless ? sqrt(n * n + 2) : fabs(n); /* no edge along a bare crest */
	double ridge = smooth_max((aside - half - flare) * 0.95, -below, a->def->toothless ? 5.0 : 2.2);
	double floor_mm =
		p.z + (n > 0 ? 7.0 : 6.2) - (a->def->smooth ? 0 : 0.5) * noise_3d(a->gum_key + 2, v3_scale(p, 1 / 6.0));
	double d = smooth_min(ridge, floor_mm, 4.0);
	d = smooth_max(d, fabs(s) - (a->half_mm + GUM_BEHIND_MM), 5.0);
	if (fabs(d) > GUM_ROUGH_MM || a->def->smooth)
		return d;
	d -= 0.10 * noise_3d(a->gum_key + 3, v3_scale(p, 1 / 2.3));
	return d - 0.025 * noise_3d(a->gum_key + 4, v3_scale(p, 1 / 0.7));
}

/* Distance to the nearest tooth, and which; 1e9 when none is within reach. */
static double teeth_distance(const arch *a, v3 p, int *out_tooth)
{
	double least = 1e9;
	for (int i = 0; i < TEETH_COUNT && !a->def->toothless; i++) {
		const tooth *t = &a->teeth[i];
		double dx = p.x - t->origin.x, dy = p.y - t->origin.y,
		       reach = t->width_mm * 0.5 + t->depth_mm * 0.3 + 3;
		if (dx * dx + dy * dy > reach * reach)
			continue;
		double d = tooth_distance(t, p);
		if (d < least)
			least = d, *out_tooth = i;
	}
	return least;
}

static double arch_distance(const void *user, v3 p)
{
	int which;
	const arch *a = user;
	double gum = gum_distance(a, p), teeth = teeth_distance(a, p, &which);
	return smooth_min(gum, teeth, 0.3);
}

static bool arch_keep(const void *user, v3 p)
{
	double s, n;
	const arch *a = user;
	arch_place(a, p, &s, &n);
	return p.z > KEPT_BELOW_MM && fabs(n) < KEPT_ASIDE_MM && fabs(s) < a->half_mm + GUM_BEHIND_MM - 0.3;
}

static void mix_color(const double from[3], const double to[3], double k, double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = from[i] + (to[i] - from[i]) * k;
}

/* Vessels: the lines along which a field of noise is zero, wide ones and a net of fine ones. Returns 0 to 1. */
static double vessel(const arch *a, v3 p)
{
	double wide = fabs(noise_3d(a->color_key + 2, v3_scale(p, 1 / 2.6)));
	double fine = fabs(noise_3d(a->color_key + 3, v3_scale(p, 1 / 1.1)));
	return fmax(0.9 * smoothstep(0.09, 0.02, wide), 0.5 * smoothstep(0.16, 0.04, fine));
}

static void vertex_color(const arch *a, v3 p, uint8_t out_rgb[3])
{
	static const double IVORY[3] = {233, 218, 187}, NECK[3] = {218, 190, 138}, EDGE[3] = {206, 208, 204};
	static const double PINK[3] = {214, 128, 124}, RED[3] = {186, 84, 88}, PALE[3] = {228, 160, 150};
	static const double VESSEL[3] = {150, 48, 62};
	static const double FISSURE[3] = {196, 164, 116}, DENTINE[3] = {226, 196, 138};
	double rgb[3];
	int which = 0;
	double gum = gum_distance(a, p), teeth = teeth_distance(a, p, &which);
	double blotch = noise_3d(a->color_key, v3_scale(p, 1 / 1.7)),
	       fine = noise_3d(a->color_key + 1, v3_scale(p, 1 / 0.5));
	if (teeth < gum) {
		const tooth *t = &a->teeth[which];
		v3 q = tooth_from_world(t, p);
		double u = q.z / t->height_mm;
		mix_color(NECK, IVORY, smoothstep(0.1, 0.6, u), rgb);
		if (t->kind < TOOTH_PREMOLAR)
			mix_color(rgb, EDGE, 0.7 * smoothstep(0.72, 1, u), rgb);
		else
			mix_color(
				rgb, FISSURE, 0.8 * smoothstep(-0.4, -2.4, q.z - t->height_mm + 0.08 * q.y * q.y), rgb);
		if (t->prepared)
			mix_color(rgb, DENTINE, 0.8, rgb);
	} else {
		mix_color(RED, PINK, smoothstep(0.1, 1.4, fmin(teeth, 5)), rgb);
		mix_color(rgb, PALE, 0.5 * smoothstep(0.2, 0.9, blotch), rgb);
		mix_color(rgb, RED, smoothstep(-3, -7, p.z), rgb);
		if (a->def->smooth)
			mix_color(rgb, VESSEL, 0.7 * vessel(a, p), rgb);
	}
	for (int i = 0; i < 3; i++)
		out_rgb[i] = (uint8_t)clamp(rgb[i] * (1 + 0.03 * blotch + 0.02 * fine), 0, 255);
}

/* The highest vertex near where a cusp was meant to be. */
static bool find_tip(const body *b, const tooth *t, const cusp *c, v3 *out_tip)
{
	double highest = -1e30;
	for (size_t i = 0; i < b->vertex_count; i++) {
		const float *f = b->positions_mm + 3 * i;
		v3 p = {(double)f[0], (double)f[1], (double)f[2]}, q = tooth_from_world(t, p);
		double dm = q.x - c->m_mm, db = q.y - c->b_mm;
		if (dm * dm + db * db < 0.8 * 0.8 && q.z > highest)
			highest = q.z, *out_tip = p;
	}
	return highest > 0;
}

static bool add_landmarks(const arch *a, body *b)
{
	b->landmarks = calloc(TEETH_COUNT * TOOTH_CUSPS_MAX, sizeof(landmark));
	b->margin_mm = calloc(120, sizeof(v3));
	if (!b->landmarks || !b->margin_mm)
		return false;
	for (int i = 0; i < TEETH_COUNT && !a->def->toothless; i++) {
		const tooth *t = &a->teeth[i];
		for (int k = 0; t->prepared && k < 120; k++)
			b->margin_mm[b->margin_count++] = tooth_margin_point(t, 2 * SIM_PI * k / 120);
		for (int c = 0; c < t->cusp_count && !t->prepared; c++) {
			landmark *mark = &b->landmarks[b->landmark_count];
			snprintf(mark->name, sizeof mark->name, "%d_%s", t->fdi, t->cusps[c].name);
			if (find_tip(b, t, &t->cusps[c], &mark->at_mm))
				b->landmark_count++;
		}
	}
	return true;
}

/* The scan line runs over the crest at the height of the fissures, from the last molar of one side to the other's. */
static bool add_curve(const arch *a, body *b)
{
	enum { POINTS = 121 };
	v3 points[POINTS], tangent;
	double end_mm = a->half_mm + (a->def->toothless ? 1 : -1.5);
	for (int i = 0; i < POINTS; i++) {
		double s = end_mm * (2.0 * i / (POINTS - 1) - 1);
		teeth_arch_point(s, &points[i], &tangent);
		double half, crest;
		gum_profile(a, s, &half, &crest);
		points[i].z = a->def->toothless ? crest - 0.5 : 6.2 + 1.0 * smoothstep(28, 12, fabs(s));
	}
	return curve_from_polyline(points, POINTS, v3_make(0, 0, 1), v3_make(0, 0, 0), 4.0, &b->line);
}

static bool build(arch *a, body *b)
{
	nets_def def = {.min_mm = {-40, -18, -8.6},
		.max_mm = {40, 55, TOP_MM},
		.cell_mm = a->def->cell_mm,
		.slope_max = 2.2,
		.distance = arch_distance,
		.keep = arch_keep,
		.user = a};
	nets_mesh mesh;
	if (!build_map(a) || !nets_build(&def, &mesh))
		return false;
	b->vertex_count = mesh.vertex_count, b->triangle_count = mesh.triangle_count;
	b->positions_mm = mesh.positions_mm, b->triangles = mesh.triangles;
	b->colors_rgb = malloc(3 * b->vertex_count + 1);
	if (!b->colors_rgb)
		return false;
	for (size_t i = 0; i < b->vertex_count; i++) {
		const float *p = b->positions_mm + 3 * i;
		vertex_color(a, v3_make((double)p[0], (double)p[1], (double)p[2]), b->colors_rgb + 3 * i);
	}
	return body_finish_surface(b) && add_landmarks(a, b) && add_curve(a, b);
}

bool body_from_arch(const arch_def *def, body *out_body, char *out_error)
{
	arch *a = calloc(1, sizeof *a);
	*out_body = (body){0};
	if (!a) {
		snprintf(out_error, BODY_ERROR_BYTES, "arch: no memory");
		return false;
	}
	a->def = def, a->half_mm = teeth_arch_half_mm();
	a->gum_key = rng_key(def->seed, RNG_GUM, 0), a->color_key = rng_key(def->seed, RNG_COLOR, 0);
	teeth_layout(def->seed, def->prepared_fdi, a->teeth);
	build_profile(a);
	bool good = build(a, out_body);
	if (!good)
		snprintf(out_error, BODY_ERROR_BYTES, "arch: no memory for the mesh at %g mm", def->cell_mm);
	free(a->map);
	free(a);
	return good;
}
