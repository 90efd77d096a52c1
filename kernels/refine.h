/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps of frames for the refinement, and how a sample of one is compared with another. A map has a sample for every `stride` pixels each way, 8 bytes:
 * the fitted depth in mm (0: none), and the unit normal towards the camera by its octahedron (Cigolle et al. 2014), 16 bits a coordinate. */
#ifndef ENM_REFINE_H
#define ENM_REFINE_H

#include "lanes_of_cpus.h"

#include "geometry.h"

#define NORMAL_AGREES 0.9f /* cosine */

/* ---- samples ---- */

/* LANES vectors. */
typedef struct vectors {
	floatn x, y, z;
} vectors;

static inline floatn vectors_dot(const vectors *a, const vectors *b)
{
	return a->x * b->x + a->y * b->y + a->z * b->z;
}

static inline void vectors_cross(const vectors *a, const vectors *b, vectors *out)
{
	out->x = a->y * b->z - a->z * b->y;
	out->y = a->z * b->x - a->x * b->z;
	out->z = a->x * b->y - a->y * b->x;
}

static inline void vectors_scale(vectors *v, floatn factor)
{
	v->x *= factor;
	v->y *= factor;
	v->z *= factor;
}

static inline void vectors_normalize(vectors *v)
{
	vectors_scale(v, 1.0f / sqrt(vectors_dot(v, v)));
}

static inline void vectors_apply(const enm_k_pose *p, const vectors *v, vectors *out)
{
	out->x = p->r[0] * v->x + p->r[1] * v->y + p->r[2] * v->z + p->t[0];
	out->y = p->r[3] * v->x + p->r[4] * v->y + p->r[5] * v->z + p->t[1];
	out->z = p->r[6] * v->x + p->r[7] * v->y + p->r[8] * v->z + p->t[2];
}

static inline void vectors_turn_back(const enm_k_pose *p, const vectors *v, vectors *out)
{
	out->x = p->r[0] * v->x + p->r[3] * v->y + p->r[6] * v->z;
	out->y = p->r[1] * v->x + p->r[4] * v->y + p->r[7] * v->z;
	out->z = p->r[2] * v->x + p->r[5] * v->y + p->r[8] * v->z;
}

/* By a small turn, `angle` times what it says. */
static inline void vectors_turn(const float *turn, floatn angle, vectors *v)
{
	vectors t = {turn[1] * v->z - turn[2] * v->y, turn[2] * v->x - turn[0] * v->z, turn[0] * v->y - turn[1] * v->x};
	v->x += angle * t.x;
	v->y += angle * t.y;
	v->z += angle * t.z;
}

/* As row_moment. */
static inline floatn moments_of_rows(const enm_k_camera *c, floatn rows)
{
	return (2.0f * rows - (c->height - 1)) / (c->height - 1);
}

/* As skew_apply. */
static inline void vectors_skew(const float *skew, floatn moment, vectors *v)
{
	vectors_turn(skew, moment, v);
	v->x += moment * skew[3];
	v->y += moment * skew[4];
	v->z += moment * skew[5];
}

static inline uintn normals_pack(const vectors *n)
{
	floatn scale = 1.0f / (fabs(n->x) + fabs(n->y) + fabs(n->z)), x = n->x * scale, y = n->y * scale;
	floatn folded_x = select((floatn)(1.0f), (floatn)(-1.0f), n->x < 0.0f) * (1.0f - fabs(y));
	floatn folded_y = select((floatn)(1.0f), (floatn)(-1.0f), n->y < 0.0f) * (1.0f - fabs(x));
	x = select(x, folded_x, n->z < 0.0f);
	y = select(y, folded_y, n->z < 0.0f);
	return (as_uintn(lanes_round(x * 32767.0f)) & 0xFFFFu) | as_uintn(lanes_round(y * 32767.0f)) << 16;
}

static inline void normals_unpack(uintn packed, vectors *out)
{
	floatn x = to_floatn(as_intn(packed << 16) >> 16) / 32767.0f, y = to_floatn(as_intn(packed) >> 16) / 32767.0f;
	floatn z = 1.0f - fabs(x) - fabs(y), fold = fmax(-z, (floatn)(0.0f));
	out->x = x + select(-fold, fold, x < 0.0f);
	out->y = y + select(-fold, fold, y < 0.0f);
	out->z = z;
	vectors_normalize(out);
}

/* The terms of the depth residual at pixels, without their factors. */
static inline void residual_terms(const enm_k_camera *c, floatn u, floatn v, floatn *out)
{
	floatn x = (2.0f * u - (c->width - 1)) / (c->width - 1), y = (2.0f * v - (c->height - 1)) / (c->height - 1);
	out[0] = x * x + y * y;
	out[1] = x * x - y * y;
	out[2] = x * y;
	out[3] = x;
	out[4] = y;
	out[5] = 1.0f;
}

static inline floatn residual_at(const enm_k_refine *g, const floatn *terms)
{
	floatn error = 0.0f;
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

/* LANES samples of a frame, and what the other frame has at their places. */
typedef struct refine_match {
	floatn terms_from[ENM_K_RESIDUAL_TERMS], terms_to[ENM_K_RESIDUAL_TERMS];
	vectors point_from, point_to;   /* the samples, in the frames of both cameras (of their middle rows) */
	vectors normal_from, normal_to; /* of the other frame's surface, in both */
	vectors ray_from, ray_to;       /* along which depths change */
	vectors own_normal;             /* of the samples, in their own frame */
	floatn depth_from, depth_to;
	floatn distance_mm; /* of the samples from the other frame's surface */
	floatn sigma_mm;    /* of that, by noise */
	intn has, hit;      /* where there are samples, and where the other frame has something to compare with */
} refine_match;

/* LANES samples of a map, with their rays on the plane z = 1. */
typedef struct map_samples {
	floatn depth, ray_x, ray_y;
	uintn normal;
} map_samples;

static inline void samples_gather(__global const float2 *rays, __global const uint2 *map, intn cells, map_samples *out)
{
	int index[LANES];
	float ray_x[LANES], ray_y[LANES];
	uint depth[LANES], normal[LANES];
	lanes_store(cells, index);
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		uint2 s = map[index[i]];
		float2 ray = rays[index[i]];
		depth[i] = s.x;
		normal[i] = s.y;
		ray_x[i] = ray.x;
		ray_y[i] = ray.y;
	}
	out->depth = as_floatn(lanes_load(depth));
	out->normal = lanes_load(normal);
	out->ray_x = lanes_load(ray_x);
	out->ray_y = lanes_load(ray_y);
}

/* Reads another frame's surface where rays meet it: between the mean of four depths and the mean of four planes, since a curved surface lies
 * half way between its chord and its tangents. Not where there is no surface, nor where it is not smooth. */
static inline intn surface_at(const enm_k_refine *g, __global const float2 *rays, __global const uint2 *map, floatn u, floatn v,
			      const vectors *ray, floatn *out_depth, vectors *out_normal)
{
	floatn at_x = u / (float)g->stride, at_y = v / (float)g->stride;
	intn inside = (at_x >= 0.0f) & (at_y >= 0.0f) & (at_x < (float)(g->columns - 1)) & (at_y < (float)(g->rows - 1));
	at_x = select((floatn)(0.0f), at_x, inside);
	at_y = select((floatn)(0.0f), at_y, inside);
	intn x = to_intn(at_x), y = to_intn(at_y), cell = y * g->columns + x;
	floatn fx = at_x - to_floatn(x), fy = at_y - to_floatn(y);
	floatn chord = 0.0f, tangent = 0.0f, low = INFINITY, high = -INFINITY;
	vectors normal = {(floatn)(0.0f), (floatn)(0.0f), (floatn)(0.0f)};
	for (int k = 0; k < 4; k++) {
		map_samples s;
		vectors n;
		samples_gather(rays, map, cell + (k & 1) + (k >> 1) * g->columns, &s);
		normals_unpack(s.normal, &n);
		floatn share = ((k & 1) != 0 ? fx : 1.0f - fx) * ((k >> 1) != 0 ? fy : 1.0f - fy);
		floatn plane = s.depth * (n.x * s.ray_x + n.y * s.ray_y + n.z) / vectors_dot(&n, ray);
		inside &= s.depth > 0.0f;
		chord += share * s.depth;
		tangent += share * plane;
		normal.x += share * n.x;
		normal.y += share * n.y;
		normal.z += share * n.z;
		low = fmin(low, plane);
		high = fmax(high, plane);
	}
	floatn depth = 0.5f * (chord + tangent), tolerance = 8.0f * g->sigma_per_mm2 * depth * depth;
	*out_depth = depth;
	vectors_normalize(&normal);
	*out_normal = normal;
	return inside & (high - low < tolerance);
}

/* Where samples lie on the other frame, and what is there. */
static inline void match_samples(const enm_k_camera *c, const enm_k_refine *g, __global const float2 *rays, const map_view *from,
				 const map_view *to, const enm_k_pose *to_from, intn cells, refine_match *m)
{
	map_samples own;
	samples_gather(rays, from->samples, cells, &own);
	intn rows = cells / g->columns;
	floatn column = to_floatn((cells - rows * g->columns) * g->stride), row = to_floatn(rows * g->stride);
	m->has = own.depth > 0.0f;
	residual_terms(c, column, row, m->terms_from);
	m->depth_from = own.depth - residual_at(g, m->terms_from);
	m->ray_from.x = own.ray_x;
	m->ray_from.y = own.ray_y;
	m->ray_from.z = 1.0f;
	normals_unpack(own.normal, &m->own_normal);
	m->point_from = m->ray_from;
	vectors_scale(&m->point_from, m->depth_from);
	if (c->rolling)
		vectors_skew(from->skew, moments_of_rows(c, row), &m->point_from);
	vectors_apply(to_from, &m->point_from, &m->point_to);
	vectors point = m->point_to;
	intn before = m->has & (point.z > 0.25f * c->depth_min_mm);
	floatn u, v, moment = 0.0f;
	image_lanes(c, point.x, point.y, point.z, &u, &v);
	if (c->rolling) { /* the first look tells the row well enough */
		moment = moments_of_rows(c, clamp(v - 0.5f, 0.0f, c->height - 1.0f));
		vectors_skew(to->skew, -moment, &point);
		image_lanes(c, point.x, point.y, point.z, &u, &v);
	}
	u -= 0.5f;
	v -= 0.5f;
	vectors normal;
	m->ray_to = point;
	vectors_scale(&m->ray_to, 1.0f / point.z);
	m->hit = before & surface_at(g, rays, to->samples, u, v, &m->ray_to, &m->depth_to, &normal);
	residual_terms(c, u, v, m->terms_to);
	m->depth_to -= residual_at(g, m->terms_to);
	m->distance_mm = vectors_dot(&normal, &m->ray_to) * (point.z - m->depth_to);
	if (c->rolling)
		vectors_turn(to->skew, moment, &normal);
	floatn of_from = g->sigma_per_mm2 * m->depth_from * m->depth_from, of_to = g->sigma_per_mm2 * m->depth_to * m->depth_to;
	m->sigma_mm = sqrt(of_from * of_from + of_to * of_to);
	m->normal_to = normal;
	vectors_turn_back(to_from, &normal, &m->normal_from);
}

/* Whether samples look the same way as what they hit. */
static inline intn matches_agree(const refine_match *m)
{
	return m->hit & (vectors_dot(&m->own_normal, &m->normal_from) > NORMAL_AGREES);
}

static inline void map_open(const enm_k_refine *g, __global const uint2 *maps, __global const enm_k_node *nodes, uint node, map_view *out)
{
	out->samples = maps + (size_t)node * (size_t)(g->columns * g->rows);
	for (int i = 0; i < 6; i++)
		out->skew[i] = nodes[node].skew[i];
}

/* Mixes bits (the finaliser of MurmurHash3, Appleby 2011). */
static inline uintn mix(uintn h)
{
	h ^= h >> 16;
	h *= 0x85EBCA6Bu;
	h ^= h >> 13;
	h *= 0xC2B2AE35u;
	return h ^ h >> 16;
}

/* LANES of `count` samples, from the n-th on: one of each of as many stretches of the map, the same in every round. */
static inline intn sample_cells(const enm_k_refine *g, uint from, uint to, int n, int count)
{
	int cells = g->columns * g->rows, width = max(cells / count, 1);
	intn lane = n + LANE_NUMBERS, first = to_intn(to_floatn(lane) / (float)count * (float)cells);
	uintn h = mix(mix(mix((uintn)(g->seed + 0x9E3779B9u * from)) ^ to) + as_uintn(lane));
	return min(first + as_intn(mul_hi(h, (uintn)((uint)width))), (intn)(cells - 1));
}

#endif
