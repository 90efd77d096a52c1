/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of meshes, triangle by triangle.
 *
 *   draw_vertices    vertices in the eye's frame
 *   draw_triangles   the nearest triangle of each pixel: first how near, then which one (the lowest number of those as near)
 *   draw_picture     a shaded picture for people
 *
 * A pixel's ray is tested with the triangles whose boxes in the picture hold it. The test is that of Woop, Benthin and Wald 2013: neighbours that
 * share vertices leave no gap, and vertices behind the eye need no clipping. In which order depths meet changes nothing: minima of integers.
 */
#include "geometry.h"
#include "lanes.h"
#include "shade.h"

#define ALONE 512 /* pixels of a box that one item tests by itself; larger ones are shared by the group */
#define ALWAYS __attribute__((always_inline)) /* a call costs as much as a small triangle */

/* x and y times the focal length, z, all in the eye's frame, and by what x and y are multiplied to be pixels from the middle. */
static inline float4 vertex_placed(const enm_k_view *view, float3 eye_mm)
{
	return (float4)(eye_mm.xy * view->focal, eye_mm.z, view->orthographic ? 1.0f : 1.0f / eye_mm.z);
}

static inline float3 vertex_point(__global const enm_k_vertex *v)
{
	return (float3)(v->x, v->y, v->z);
}

__kernel void draw_vertices(const enm_k_view view, const enm_k_draw draw, __global const enm_k_vertex *vertices,
			    __global float4 *placed)
{
	uint i = get_global_id(0);
	if (i < draw.vertices)
		placed[i] = vertex_placed(&view, pose_apply(&draw.eye_from_mesh, vertex_point(&vertices[i])));
}

typedef struct triangle {
	float4 a, b, c;
} triangle;

static inline triangle triangle_load(__global const float4 *placed, __global const uint *triangles, uint t)
{
	triangle f = {placed[triangles[3 * (size_t)t]], placed[triangles[3 * (size_t)t + 1]], placed[triangles[3 * (size_t)t + 2]]};
	return f;
}

/* Widens the box by the part of an edge that is in front of the near plane; returns how far off rounding may be, in pixels. */
static inline float clip_edge(const enm_k_view *view, float4 a, float4 b, float2 *low, float2 *high)
{
	float2 s = a.xy * a.w, m = fmax(fabs(a.xy), fabs(b.xy));
	float per_near = view->orthographic ? 1.0f : 1.0f / view->near_mm;
	if (a.z > view->near_mm) {
		*low = fmin(*low, s);
		*high = fmax(*high, s);
	}
	if ((a.z > view->near_mm) == (b.z > view->near_mm))
		return 0.0f;
	s = mix(a.xy, b.xy, (view->near_mm - a.z) / (b.z - a.z)) * per_near;
	*low = fmin(*low, s);
	*high = fmax(*high, s);
	return 1.0f + 2e-7f * fmax(m.x, m.y) * per_near;
}

/* The pixels (x0, y0, x1, y1) that a triangle may cover; x1 < x0 or y1 < y0: none. */
static inline ALWAYS int4 triangle_box(const enm_k_view *view, const triangle *f)
{
	float2 s = f->a.xy * f->a.w, low = fmin(fmin(s, f->b.xy * f->b.w), f->c.xy * f->c.w),
	       high = fmax(fmax(s, f->b.xy * f->b.w), f->c.xy * f->c.w);
	float margin = 0.02f;
	if (!(fmin(fmin(f->a.z, f->b.z), f->c.z) > view->near_mm)) {
		low = (float2)(INFINITY);
		high = (float2)(-INFINITY);
		margin = fmax(margin, clip_edge(view, f->a, f->b, &low, &high));
		margin = fmax(margin, clip_edge(view, f->b, f->c, &low, &high));
		margin = fmax(margin, clip_edge(view, f->c, f->a, &low, &high));
	}
	low += (float2)(view->cx, view->cy) - margin;
	high += (float2)(view->cx, view->cy) + margin;
	if (!(low.x <= view->width - 1 && low.y <= view->height - 1 && high.x >= 0.0f && high.y >= 0.0f))
		return (int4)(0, 0, -1, -1);
	low = ceil(fmax(low, 0.0f));
	high = fmin(high, (float2)(view->width - 1, view->height - 1));
	return (int4)((int)low.x, (int)low.y, (int)high.x, (int)high.y);
}

/* Shares of the corners, not yet divided by their sum, of the points where the rays through `x`, `y` (pixels from the middle) meet the triangle's plane:
 * of one sign within it. Returns the sum. */
static inline floatn triangle_shares(const triangle *f, floatn x, float y, int orthographic, floatn *of_a, floatn *of_b, floatn *of_c)
{
	float3 w = orthographic ? (float3)(1.0f) : (float3)(f->a.z, f->b.z, f->c.z);
	floatn ax = f->a.x - x * w.x, bx = f->b.x - x * w.y, cx = f->c.x - x * w.z;
	float ay = f->a.y - y * w.x, by = f->b.y - y * w.y, cy = f->c.y - y * w.z;
	*of_a = cx * by - cy * bx;
	*of_b = ax * cy - ay * cx;
	*of_c = bx * ay - by * ax;
	return *of_a + *of_b + *of_c;
}

/* Tests the pixels x .. x + LANES - 1 of a row, as far as `end`. True when the triangle may be the nearest of one of them: so far none was nearer. */
static inline ALWAYS bool test_lanes(const enm_k_view *view, const triangle *f, int x, int end, int y, uint number,
	int naming, volatile __global int *depths, volatile __global uint *numbers)
{
	floatn across = to_floatn(x + (intn)(LANE_NUMBERS)) - view->cx, a, b, c;
	float down = y - view->cy;
	floatn sum = triangle_shares(f, across, down, view->orthographic, &a, &b, &c);
	intn within = (x + (intn)(LANE_NUMBERS) <= end) & (((a >= 0.0f) & (b >= 0.0f) & (c >= 0.0f)) | ((a <= 0.0f) & (b <= 0.0f) & (c <= 0.0f)));
	if (!lanes_any(within & (sum != 0.0f)))
		return false;
	floatn z = (a * f->a.z + b * f->b.z + c * f->c.z) / sum;
	within &= (sum != 0.0f) & (z > view->near_mm) & (z < view->far_mm);
	if (view->cut) {
		floatn per = view->orthographic ? (floatn)(1.0f) : z;
		floatn inside = view->cut_mm - view->cut_normal[0] * across / view->focal * per - view->cut_normal[1] * down / view->focal * per -
				view->cut_normal[2] * z;
		within &= inside >= 0.0f;
	}
	int near[LANES], i = y * view->width + x;
	lanes_store(as_intn(select((floatn)(INFINITY), z, within)), near);
	bool nearest = false;
	for (int k = 0; k < LANES; k++) {
		if (near[k] == (int)ENM_K_DRAW_INFINITE)
			continue;
		if (!naming)
			nearest |= atomic_min(&depths[i + k], near[k]) >= near[k];
		else if (depths[i + k] == near[k])
			atomic_min(&numbers[i + k], number);
	}
	return nearest;
}

/* One kernel for both rounds, so that both compute the same bits. `seen` says of each triangle whether the second round has to look at it: which of those
 * that are hidden in the end are among them is a matter of order, and of no consequence. */
__kernel __attribute__((reqd_work_group_size(ENM_K_DRAW_GROUP, 1, 1)))
void draw_triangles(const enm_k_view view, const enm_k_draw draw, int naming, __global const float4 *placed,
		    __global const uint *triangles, __global uchar *seen, volatile __global int *depths, volatile __global uint *numbers)
{
	__local uint shared_mask[2];
	uint item = get_local_id(0);
	if (item < 2)
		shared_mask[item] = 0;
	barrier(CLK_LOCAL_MEM_FENCE);
	uint t = get_global_id(0);
	if (t < draw.triangles && (!naming || seen[t] != 0)) {
		triangle f = triangle_load(placed, triangles, t);
		int4 box = triangle_box(&view, &f);
		int wide = box.z - box.x + 1, high = box.w - box.y + 1;
		bool large = wide > 0 && high > 0 && wide * high > ALONE, nearest = large; /* at most 8192 x 8192 */
		if (large)
			atomic_or(&shared_mask[item >> 5], 1u << (item & 31u));
		for (int y = box.y; y <= box.w && !large; y++)
			for (int x = box.x; x <= box.z; x += LANES)
				nearest |= test_lanes(&view, &f, x, box.z, y, draw.first + t, naming, depths, numbers);
		if (!naming)
			seen[t] = nearest;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int half_of = 0; half_of < 2; half_of++) {
		for (uint rest = shared_mask[half_of]; rest != 0; rest &= rest - 1) {
			uint other = get_group_id(0) * ENM_K_DRAW_GROUP + 32u * half_of + 31u - clz(rest & -rest);
			triangle f = triangle_load(placed, triangles, other);
			int4 box = triangle_box(&view, &f);
			int wide = (box.z - box.x + LANES) / LANES, parts = wide * (box.w - box.y + 1);
			for (int p = item; p < parts; p += ENM_K_DRAW_GROUP)
				test_lanes(&view, &f, box.x + p % wide * LANES, box.z, box.y + p / wide, draw.first + other, naming, depths, numbers);
		}
	}
}

/* What the three vertices say of a place, by their shares `w`. */
static inline place place_between(const enm_k_draw *draw, __global const enm_k_vertex *a, __global const enm_k_vertex *b,
				  __global const enm_k_vertex *c, float3 w, float3 value)
{
	place p;
	float3 n = w.x * (float3)(a->nx, a->ny, a->nz) + w.y * (float3)(b->nx, b->ny, b->nz) + w.z * (float3)(c->nx, c->ny, c->nz);
	float3 face = cross(vertex_point(b) - vertex_point(a), vertex_point(c) - vertex_point(a));
	bool smooth = (draw->has & ENM_K_HAS_NORMALS) != 0 && dot(n, n) > 0.0f;
	p.normal = pose_rotate(&draw->eye_from_mesh, normalize(smooth ? n : face));
	float3 rgb = w.x * rgb_color(a->color_views) + w.y * rgb_color(b->color_views) + w.z * rgb_color(c->color_views);
	uint3 bytes = convert_uint3(rgb * 255.0f + 0.5f);
	p.rgba = (draw->has & ENM_K_HAS_COLORS) != 0 ? bytes.x | bytes.y << 8 | bytes.z << 16 | 255u << 24 : 0u;
	float3 seen = (float3)(a->color_views >> 24, b->color_views >> 24, c->color_views >> 24);
	p.views = (draw->has & ENM_K_HAS_VIEWS) != 0 ? (int)(dot(w, seen) + 0.5f) : 0;
	p.sigma_um = (draw->has & ENM_K_HAS_SIGMA) != 0 ? dot(w, (float3)(a->sigma_um, b->sigma_um, c->sigma_um)) : NAN;
	p.value = (draw->has & ENM_K_HAS_VALUES) != 0 ? dot(w, value) : NAN;
	return p;
}

/* Pixels of this mesh; the others keep what they have. `values` may be anything where the mesh has none. */
__kernel void draw_picture(const enm_k_view view, const enm_k_draw draw, __global const float4 *placed, __global const uint *triangles,
			   __global const enm_k_vertex *vertices, __global const float *values, __global const uint *numbers,
			   __global uint *picture)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= view.width || y >= view.height)
		return;
	uint t = numbers[y * view.width + x] - draw.first; /* of another mesh: too large */
	if (t >= draw.triangles)
		return;
	uint a = triangles[3 * (size_t)t], b = triangles[3 * (size_t)t + 1], c = triangles[3 * (size_t)t + 2];
	triangle f = {placed[a], placed[b], placed[c]};
	floatn of_a, of_b, of_c;
	float sum = lanes_first(triangle_shares(&f, (floatn)(x - view.cx), y - view.cy, view.orthographic, &of_a, &of_b, &of_c));
	float3 w = (float3)(lanes_first(of_a), lanes_first(of_b), lanes_first(of_c)) / sum, from, direction, value = 0.0f;
	if ((draw.has & ENM_K_HAS_VALUES) != 0)
		value = (float3)(values[a], values[b], values[c]);
	place p = place_between(&draw, &vertices[a], &vertices[b], &vertices[c], w, value);
	eye_ray(&view, x, y, &from, &direction);
	p.point_mm = from + direction * dot(w, (float3)(f.a.z, f.b.z, f.c.z));
	p.from_behind = sum < 0.0f;
	picture[y * view.width + x] = place_pixel(&view, &p, normalize(-direction));
}
