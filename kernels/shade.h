/* SPDX-License-Identifier: Apache-2.0
 * How a place of a picture is painted and lit, of a volume and of a mesh alike. All directions are in the eye's frame: x right, y down, z ahead. */
#ifndef ENM_SHADE_H
#define ENM_SHADE_H

#include "layout.h"
#include "shade_table.h"

/* What is known of a place. */
typedef struct place {
	float3 point_mm, normal; /* the normal is outward */
	uint rgba;               /* red lowest; an alpha of 0: no colour */
	int views;               /* 0: not known */
	float sigma_um, value;   /* NaN: not known */
	bool from_behind;
} place;

/* At `t` from 0 to 1 of a map. */
static inline float3 ramp_color(int ramp, float t)
{
	float at = clamp(t, 0.0f, 1.0f) * (ENM_K_RAMP_POINTS - 1);
	int low = min((int)at, ENM_K_RAMP_POINTS - 2);
	__constant const float *c = enm_k_ramps + 3 * (ramp * ENM_K_RAMP_POINTS + low);
	return mix((float3)(c[0], c[1], c[2]), (float3)(c[3], c[4], c[5]), at - low);
}

static inline float3 flag_color(int flags)
{
	__constant const float *c = enm_k_flag_colors + 3 * (flags & ENM_K_FLAGS_ALL);
	return (float3)(c[0], c[1], c[2]);
}

static inline int place_flags(const place *p)
{
	int few = p->views > 0 && p->views < ENM_K_FEW_VIEWS ? ENM_K_FLAG_FEW_VIEWS : 0;
	return few | (p->sigma_um > ENM_K_LOW_CONFIDENCE_UM ? ENM_K_FLAG_LOW_CONFIDENCE : 0);
}

static inline float3 rgb_color(uint rgb)
{
	return (float3)(rgb & 255u, rgb >> 8 & 255u, rgb >> 16 & 255u) / 255.0f;
}

/* The colour of a map, or clay for what is not known. */
static inline float3 map_color(const enm_k_view *view, int ramp, float value)
{
	return isnan(value) ? flag_color(0) : ramp_color(ramp, (value - view->shade_low) / (view->shade_high - view->shade_low));
}

/* The colour before it is lit; `facing` is the cosine of the incidence. */
static inline float3 place_color(const enm_k_view *view, const place *p, float facing)
{
	switch (view->shade) {
	case ENM_K_SHADE_COLOR:
		return p->rgba >> 24 != 0 ? rgb_color(p->rgba) : flag_color(0);
	case ENM_K_SHADE_VIEWS:
		return map_color(view, ENM_K_RAMP_FEW_MANY, p->views > 0 ? (float)p->views : NAN);
	case ENM_K_SHADE_QUALITY:
		return map_color(view, ENM_K_RAMP_GOOD_BAD, p->sigma_um);
	case ENM_K_SHADE_INCIDENCE:
		return map_color(view, ENM_K_RAMP_GOOD_BAD, acos(clamp(facing, 0.0f, 1.0f)) * (180.0f / M_PI_F));
	case ENM_K_SHADE_FLAGS:
		return flag_color(place_flags(p));
	case ENM_K_SHADE_DEVIATION:
		return map_color(view, ENM_K_RAMP_SIGNED, p->value);
	default:
		return flag_color(0);
	}
}

/* How far inside the cut a place lies, in mm: below 0 it is left out. */
static inline float cut_inside(const enm_k_view *view, float3 point_mm)
{
	return view->cut_mm - dot((float3)(view->cut_normal[0], view->cut_normal[1], view->cut_normal[2]), point_mm);
}

/* The cut is a line of some pixels along the surface. */
static inline bool on_cut(const enm_k_view *view, const place *p)
{
	if (!view->cut)
		return false;
	float along = dot((float3)(view->cut_normal[0], view->cut_normal[1], view->cut_normal[2]), p->normal);
	float pixel_mm = (view->orthographic ? 1.0f : p->point_mm.z) / view->focal;
	return cut_inside(view, p->point_mm) < ENM_K_CUT_PIXELS * pixel_mm * sqrt(fmax(1.0f - along * along, 0.01f));
}

/* pow() takes longer than all the rest. */
static inline float to_40th(float x)
{
	float x2 = x * x, x4 = x2 * x2, x8 = x4 * x4, x16 = x8 * x8;
	return x16 * x16 * x8;
}

/* Two lights that move with the eye: a key from the upper left and a fill from the front. */
static inline float3 place_lit(const enm_k_view *view, const place *p, float3 to_eye)
{
	if (view->shade == ENM_K_SHADE_NORMAL)
		return 0.5f + 0.5f * p->normal * (float3)(1.0f, -1.0f, -1.0f);
	float3 n = p->from_behind ? -p->normal : p->normal, key = normalize((float3)(-0.4f, -0.6f, -0.7f));
	float facing = dot(n, to_eye);
	float lit = 0.15f + 0.45f * fmax(dot(n, key), 0.0f) + 0.40f * fmax(facing, 0.0f), gloss = 0.0f;
	if (view->shade <= ENM_K_SHADE_COLOR)
		gloss = 0.12f * to_40th(fmax(dot(n, normalize(key + to_eye)), 0.0f));
	else
		lit = 0.45f + 0.55f * lit; /* so that the hue is that of the legend */
	float3 c = place_color(view, p, facing) * lit + gloss;
	return p->from_behind ? c * (float3)(0.55f, 0.42f, 0.42f) : c;
}

/* The pixel of a place: R, G, B, A, red lowest. */
static inline uint place_pixel(const enm_k_view *view, const place *p, float3 to_eye)
{
	float3 c = on_cut(view, p) ? (float3)(enm_k_cut_color[0], enm_k_cut_color[1], enm_k_cut_color[2]) : place_lit(view, p, to_eye);
	c = clamp(c, 0.0f, 1.0f) * 255.0f + 0.5f;
	return (uint)c.x | (uint)c.y << 8 | (uint)c.z << 16 | 255u << 24;
}

/* Where a pixel's ray begins and where it goes; the direction's z is 1. */
static inline void eye_ray(const enm_k_view *view, int x, int y, float3 *from_mm, float3 *direction)
{
	float2 at = ((float2)(x, y) - (float2)(view->cx, view->cy)) / view->focal;
	*from_mm = view->orthographic ? (float3)(at, 0.0f) : (float3)(0.0f);
	*direction = view->orthographic ? (float3)(0.0f, 0.0f, 1.0f) : (float3)(at, 1.0f);
}

#endif
