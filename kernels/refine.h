/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps of frames for the refinement, and how a sample of one is compared with another. A map has a sample for every `stride` pixels each way, 8 bytes:
 * the fitted depth in mm (0: none), and the unit normal towards the camera by its octahedron (Cigolle et al. 2014), 16 bits a coordinate. */
#ifndef ENM_REFINE_H
#define ENM_REFINE_H

#include "geometry.h"

#define NORMAL_AGREES 0.9f /* cosine */

/* ---- samples ---- */

static inline uint normal_pack(float3 n)
{
	float2 p = n.xy / (fabs(n.x) + fabs(n.y) + fabs(n.z));
	if (n.z < 0.0f)
		p = (1.0f - fabs(p.yx)) * (float2)(n.x < 0.0f ? -1.0f : 1.0f, n.y < 0.0f ? -1.0f : 1.0f);
	int x = convert_int_rte(p.x * 32767.0f), y = convert_int_rte(p.y * 32767.0f);
	return (uint)(x & 0xFFFF) | (uint)y << 16;
}

static inline float3 normal_unpack(uint packed)
{
	float x = (float)((int)(packed << 16) >> 16) / 32767.0f, y = (float)((int)packed >> 16) / 32767.0f;
	float z = 1.0f - fabs(x) - fabs(y), fold = fmax(-z, 0.0f);
	return normalize((float3)(x + (x < 0.0f ? fold : -fold), y + (y < 0.0f ? fold : -fold), z));
}

/* The terms of the depth residual at a pixel, without their factors. */
static inline void residual_terms(const enm_k_camera *c, float2 pixel, float *out)
{
	float x = (2.0f * pixel.x - (c->width - 1)) / (c->width - 1), y = (2.0f * pixel.y - (c->height - 1)) / (c->height - 1);
	out[0] = x * x + y * y;
	out[1] = x * x - y * y;
	out[2] = x * y;
	out[3] = x;
	out[4] = y;
	out[5] = 1.0f;
}

static inline float residual_at(const enm_k_refine *g, const float *terms)
{
	float error = 0.0f;
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		error += g->residual_mm[i] * terms[i];
	return error;
}

/* ---- from one frame to another ---- */

/* A frame's map with what is needed to read it. */
typedef struct map_view {
	__global const uint2 *samples;
	float skew[6];
} map_view;

/* A sample of a frame, and what the other frame has at its place. */
typedef struct refine_match {
	float terms_from[ENM_K_RESIDUAL_TERMS], terms_to[ENM_K_RESIDUAL_TERMS];
	float3 point_from, point_to;   /* the sample, in the frames of both cameras (of their middle rows) */
	float3 normal_from, normal_to; /* of the other frame's surface, in both */
	float3 ray_from, ray_to;       /* along which depths change */
	float3 own_normal;             /* of the sample, in its own frame */
	float depth_from, depth_to;
	float distance_mm; /* of the sample from the other frame's surface */
	float sigma_mm;    /* of that, by noise */
} refine_match;

/* Reads another frame's surface where a ray meets it: between the mean of four depths and the mean of four planes, since a curved surface lies
 * half way between its chord and its tangents. False where there is no surface, or where it is not smooth. */
static inline bool surface_at(const enm_k_camera *c, const enm_k_refine *g, __global const float2 *rays, __global const uint2 *map,
			      float2 pixel, float3 ray, float *out_depth, float3 *out_normal)
{
	float2 at = pixel / (float)g->stride;
	if (!(at.x >= 0.0f && at.y >= 0.0f && at.x < (float)(g->columns - 1) && at.y < (float)(g->rows - 1)))
		return false;
	int x = (int)at.x, y = (int)at.y;
	float fx = at.x - (float)x, fy = at.y - (float)y;
	float chord = 0.0f, tangent = 0.0f, low = INFINITY, high = -INFINITY;
	float3 normal = (float3)(0.0f);
	bool whole = true;
	for (int k = 0; k < 4; k++) {
		int column = x + (k & 1), row = y + (k >> 1);
		uint2 s = map[row * g->columns + column];
		float z = as_float(s.x), share = ((k & 1) != 0 ? fx : 1.0f - fx) * ((k >> 1) != 0 ? fy : 1.0f - fy);
		float3 n = normal_unpack(s.y);
		float2 own = rays[row * g->stride * c->width + column * g->stride];
		float plane = z * dot(n, (float3)(own, 1.0f)) / dot(n, ray);
		whole = whole && z > 0.0f;
		chord += share * z;
		tangent += share * plane;
		normal += share * n;
		low = fmin(low, plane);
		high = fmax(high, plane);
	}
	float depth = 0.5f * (chord + tangent), tolerance = 8.0f * g->sigma_per_mm2 * depth * depth;
	*out_depth = depth;
	*out_normal = normalize(normal);
	return whole && high - low < tolerance;
}

/* Where a sample lies on the other frame. False where it does not, or where nothing can be compared. */
static inline bool match_sample(const enm_k_camera *c, const enm_k_refine *g, __global const float2 *rays, const map_view *from,
				const map_view *to, const enm_k_pose *to_from, int cell, refine_match *m)
{
	uint2 s = from->samples[cell];
	float z = as_float(s.x);
	if (!(z > 0.0f))
		return false;
	int column = cell % g->columns * g->stride, row = cell / g->columns * g->stride;
	residual_terms(c, (float2)(column, row), m->terms_from);
	m->depth_from = z - residual_at(g, m->terms_from);
	m->ray_from = (float3)(rays[row * c->width + column], 1.0f);
	m->own_normal = normal_unpack(s.y);
	m->point_from = m->ray_from * m->depth_from;
	if (c->rolling)
		m->point_from = skew_apply(from->skew, row_moment(c, row), m->point_from);
	m->point_to = pose_apply(to_from, m->point_from);
	float3 point = m->point_to;
	if (!(point.z > 0.25f * c->depth_min_mm))
		return false;
	float2 pixel = camera_project(c, point);
	float moment = 0.0f;
	if (c->rolling) { /* the first look tells the row well enough */
		moment = row_moment(c, clamp(pixel.y, 0.0f, c->height - 1.0f));
		point = skew_apply(to->skew, -moment, m->point_to);
		pixel = camera_project(c, point);
	}
	float3 normal;
	m->ray_to = point / point.z;
	if (!surface_at(c, g, rays, to->samples, pixel, m->ray_to, &m->depth_to, &normal))
		return false;
	residual_terms(c, pixel, m->terms_to);
	m->depth_to -= residual_at(g, m->terms_to);
	m->distance_mm = dot(normal, m->ray_to) * (point.z - m->depth_to);
	if (c->rolling)
		normal += moment * cross((float3)(to->skew[0], to->skew[1], to->skew[2]), normal);
	float of_from = g->sigma_per_mm2 * m->depth_from * m->depth_from, of_to = g->sigma_per_mm2 * m->depth_to * m->depth_to;
	m->sigma_mm = sqrt(of_from * of_from + of_to * of_to);
	m->normal_to = normal;
	m->normal_from = pose_rotate_back(to_from, normal);
	return true;
}

static inline void pose_invert(const enm_k_pose *p, enm_k_pose *out)
{
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			out->r[3 * i + j] = p->r[3 * j + i];
	float3 t = -pose_rotate_back(p, pose_translation(p));
	out->t[0] = t.x;
	out->t[1] = t.y;
	out->t[2] = t.z;
}

static inline void map_open(const enm_k_refine *g, __global const uint2 *maps, __global const enm_k_node *nodes, uint node, map_view *out)
{
	out->samples = maps + (size_t)node * (size_t)(g->columns * g->rows);
	for (int i = 0; i < 6; i++)
		out->skew[i] = nodes[node].skew[i];
}

/* Mixes bits (the finaliser of MurmurHash3, Appleby 2011). */
static inline uint mix(uint h)
{
	h ^= h >> 16;
	h *= 0x85EBCA6Bu;
	h ^= h >> 13;
	h *= 0xC2B2AE35u;
	return h ^ h >> 16;
}

/* The n-th of `count` samples: one of each of as many stretches of the map, the same in every round. */
static inline int sample_cell(const enm_k_refine *g, uint from, uint to, int n, int count)
{
	int cells = g->columns * g->rows, first = (int)((float)n / (float)count * (float)cells), width = max(cells / count, 1);
	uint h = mix(mix(mix(g->seed + 0x9E3779B9u * from) ^ to) + (uint)n);
	return min(first + (int)(h % (uint)width), cells - 1);
}

#endif
