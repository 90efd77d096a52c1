/* SPDX-License-Identifier: Apache-2.0
 *
 *   refine_map    a frame's map (refine.h): depth and normal by a quadratic fit to the readings around
 *   refine_rays   the rays of a map's samples, side by side
 */
#include "refine.h"

#define FIT_RADIUS 3
#define FIT_COUNT_MIN 36     /* of 49 */
#define STEEPEST 9.0f        /* readings farther than a slope of so many pixels' widths over the window belong to another surface */
#define COSINE_MIN 0.25f     /* of incidence */
#define MISFIT_MAX 2.5f      /* in sigmas of the readings, which grow with 1 / cosine */
#define UNKNOWNS 6

/* LANES readings in mm as they came in, `stride` pixels apart, 0 where there is none. The session's residual is quadratic, and so the fit would leave it as
 * it is: it is taken out of what the map says, where the map is read. */
static inline floatn readings_at(const enm_k_camera *c, int format, __global const uchar *readings, int stride, int x, int y)
{
	__global const ushort *units = (__global const ushort *)readings;
	__global const float *distances = (__global const float *)readings;
	float mm[LANES];
	int row = clamp(y, 0, c->height - 1) * c->width;
	if (format == ENM_K_DEPTH_U16) {
#pragma unroll
		for (int i = 0; i < LANES; i++)
			mm[i] = units[row + clamp(x + i * stride, 0, c->width - 1)] * c->mm_per_unit;
	} else {
#pragma unroll
		for (int i = 0; i < LANES; i++)
			mm[i] = distances[row + clamp(x + i * stride, 0, c->width - 1)];
	}
	floatn z = lanes_load(mm);
	return select((floatn)(0.0f), z, (z >= c->depth_min_mm) & (z <= c->depth_max_mm));
}

static inline void rays_at(const enm_k_camera *c, __global const float2 *rays, int stride, int x, int y, floatn *out_x, floatn *out_y)
{
	float ray_x[LANES], ray_y[LANES];
	int row = clamp(y, 0, c->height - 1) * c->width;
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		float2 ray = rays[row + clamp(x + i * stride, 0, c->width - 1)];
		ray_x[i] = ray.x;
		ray_y[i] = ray.y;
	}
	*out_x = lanes_load(ray_x);
	*out_y = lanes_load(ray_y);
}

/* Sums of powers of x and y over the readings of windows, and of these times what they are off the middle ones. */
typedef struct window_sums {
	floatn n, x, y, xx, xy, yy, xxx, xxy, xyy, yyy, xxxx, xxxy, xxyy, xyyy, yyyy;
	floatn z, xz, yz, xxz, xyz, yyz, zz;
} window_sums;

static inline void add_row(window_sums *s, float dy, const floatn *p, const floatn *q)
{
	float dy2 = dy * dy;
	s->n += p[0];
	s->x += p[1];
	s->y += dy * p[0];
	s->xx += p[2];
	s->xy += dy * p[1];
	s->yy += dy2 * p[0];
	s->xxx += p[3];
	s->xxy += dy * p[2];
	s->xyy += dy2 * p[1];
	s->yyy += dy * dy2 * p[0];
	s->xxxx += p[4];
	s->xxxy += dy * p[3];
	s->xxyy += dy2 * p[2];
	s->xyyy += dy * dy2 * p[1];
	s->yyyy += dy2 * dy2 * p[0];
	s->z += q[0];
	s->xz += q[1];
	s->yz += dy * q[0];
	s->xxz += q[2];
	s->xyz += dy * q[1];
	s->yyz += dy2 * q[0];
}

static inline void sum_windows(const enm_k_camera *c, int format, __global const uchar *readings, int stride, int px, int py, floatn z0, window_sums *s)
{
	const floatn none = 0.0f;
	floatn jump = STEEPEST * z0 / c->fx + 5.0f * c->sigma_per_mm2 * z0 * z0;
	for (int dy = -FIT_RADIUS; dy <= FIT_RADIUS; dy++) {
		floatn p[5] = {none, none, none, none, none}, q[3] = {none, none, none};
		for (int dx = -FIT_RADIUS; dx <= FIT_RADIUS; dx++) {
			floatn z = readings_at(c, format, readings, stride, px + dx, py + dy), d = z - z0;
			float x = (float)dx;
			intn used = (z > 0.0f) & (fabs(d) < jump);
			floatn use = select(none, (floatn)(1.0f), used);
			d = select(none, d, used);
			p[0] += use;
			p[1] += use * x;
			p[2] += use * (x * x);
			p[3] += use * (x * x * x);
			p[4] += use * (x * x * x * x);
			q[0] += d;
			q[1] += d * x;
			q[2] += d * (x * x);
			s->zz += d * d;
		}
		add_row(s, (float)dy, p, q);
	}
}

/* Least squares by the factors of Cholesky: `m` is symmetric, its lower half is used and overwritten, `b` becomes the solution. */
static inline intn fit_solve(floatn *m, floatn *b)
{
	intn good = (intn)(0) == (intn)(0); /* true, in scalars and in vectors */
	for (int i = 0; i < UNKNOWNS; i++) {
		floatn t, scale;
		for (int j = 0; j < i; j++) {
			t = m[i * UNKNOWNS + j];
			for (int k = 0; k < j; k++)
				t -= m[i * UNKNOWNS + k] * m[j * UNKNOWNS + k];
			m[i * UNKNOWNS + j] = t * m[j * UNKNOWNS + j];
		}
		t = m[i * UNKNOWNS + i];
		for (int k = 0; k < i; k++)
			t -= m[i * UNKNOWNS + k] * m[i * UNKNOWNS + k];
		good &= t > 1e-6f;
		scale = 1.0f / sqrt(fmax(t, (floatn)(1e-6f)));
		m[i * UNKNOWNS + i] = scale; /* one over the factor */
		t = b[i];
		for (int k = 0; k < i; k++)
			t -= m[i * UNKNOWNS + k] * b[k];
		b[i] = t * scale;
	}
	for (int i = UNKNOWNS - 1; i >= 0; i--) {
		floatn t = b[i];
		for (int k = i + 1; k < UNKNOWNS; k++)
			t -= m[k * UNKNOWNS + i] * b[k];
		b[i] = t * m[i * UNKNOWNS + i];
	}
	return good;
}

/* Depth at the middle off `z0`, and slopes in mm a pixel. */
typedef struct window_fit {
	floatn off, slope_x, slope_y, misfit;
	intn good;
} window_fit;

static inline void fit_quadratics(const window_sums *s, window_fit *out)
{
	floatn m[UNKNOWNS * UNKNOWNS] = {
		s->n, s->x, s->y, s->xx, s->xy, s->yy, s->x, s->xx, s->xy, s->xxx, s->xxy, s->xyy,
		s->y, s->xy, s->yy, s->xxy, s->xyy, s->yyy, s->xx, s->xxx, s->xxy, s->xxxx, s->xxxy, s->xxyy,
		s->xy, s->xxy, s->xyy, s->xxxy, s->xxyy, s->xyyy, s->yy, s->xyy, s->yyy, s->xxyy, s->xyyy, s->yyyy};
	floatn right[UNKNOWNS] = {s->z, s->xz, s->yz, s->xxz, s->xyz, s->yyz}, b[UNKNOWNS];
	for (int i = 0; i < UNKNOWNS; i++)
		b[i] = right[i];
	out->good = (s->n > FIT_COUNT_MIN - 0.5f) & fit_solve(m, b);
	floatn explained = 0.0f;
	for (int i = 0; i < UNKNOWNS; i++)
		explained += b[i] * right[i];
	out->off = b[0];
	out->slope_x = b[1];
	out->slope_y = b[2];
	out->misfit = fmax(s->zz - explained, (floatn)(0.0f)) / fmax(s->n - UNKNOWNS, (floatn)(1.0f));
}

/* Of pixels that can be fitted: wholly inside, and not hidden. */
static inline intn may_fit(const enm_k_camera *c, int stride, int tile, __global const uchar *hidden, int px, int py)
{
	intn x = px + stride * LANE_NUMBERS;
	intn inside = (x >= FIT_RADIUS) & (x < c->width - FIT_RADIUS) & (intn)(py >= FIT_RADIUS && py < c->height - FIT_RADIUS ? -1 : 0);
	if (tile > 0) {
		int tiles_across = (c->width + tile - 1) / tile, row = min(py, c->height - 1) / tile * tiles_across, taken[LANES];
#pragma unroll
		for (int i = 0; i < LANES; i++)
			taken[i] = hidden[row + min(px + i * stride, c->width - 1) / tile];
		inside &= lanes_load(taken) == 0;
	}
	return inside;
}

/* An item has LANES samples of a row. `hidden`: a byte for each tile of `tile` pixels each way, not 0 where something moved through the view; for a
 * `tile` of 0 there are none. */
__kernel void refine_map(const enm_k_camera camera, const enm_k_refine g, int format, uint node, int tile, __global const float2 *rays,
			 __global const uchar *input, __global const uchar *hidden, __global uint2 *maps)
{
	int column = get_global_id(0) * LANES, row = get_global_id(1), px = column * g.stride, py = row * g.stride;
	if (column >= g.columns || row >= g.rows)
		return;
	__global const uchar *readings = input + ENM_K_INPUT_DEPTH;
	const floatn none = 0.0f;
	floatn z0 = readings_at(&camera, format, readings, g.stride, px, py), depth = none;
	uintn normal = 0;
	z0 = select(none, z0, may_fit(&camera, g.stride, tile, hidden, px, py));
	if (lanes_any(z0 > 0.0f)) {
		window_sums s = {none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none};
		window_fit f;
		sum_windows(&camera, format, readings, g.stride, px, py, z0, &s);
		fit_quadratics(&s, &f);
		/* the surface's tangents are d(z * ray)/dpixel; their product points to the camera */
		floatn ray_x, ray_y, left_x, left_y, right_x, right_y, above_x, above_y, below_x, below_y, z = z0 + f.off;
		rays_at(&camera, rays, g.stride, px, py, &ray_x, &ray_y);
		rays_at(&camera, rays, g.stride, px - 1, py, &left_x, &left_y);
		rays_at(&camera, rays, g.stride, px + 1, py, &right_x, &right_y);
		rays_at(&camera, rays, g.stride, px, py - 1, &above_x, &above_y);
		rays_at(&camera, rays, g.stride, px, py + 1, &below_x, &below_y);
		vectors along_x = {ray_x * f.slope_x + 0.5f * z * (right_x - left_x), ray_y * f.slope_x + 0.5f * z * (right_y - left_y), f.slope_x};
		vectors along_y = {ray_x * f.slope_y + 0.5f * z * (below_x - above_x), ray_y * f.slope_y + 0.5f * z * (below_y - above_y), f.slope_y};
		vectors n;
		vectors_cross(&along_y, &along_x, &n);
		vectors_normalize(&n);
		floatn cosine = -(n.x * ray_x + n.y * ray_y + n.z) / sqrt(ray_x * ray_x + ray_y * ray_y + 1.0f);
		floatn sigma = MISFIT_MAX * camera.sigma_per_mm2 * z * z / fmax(cosine, (floatn)(COSINE_MIN));
		intn good = (z0 > 0.0f) & f.good & (cosine > COSINE_MIN) & (f.misfit < sigma * sigma);
		depth = select(none, z, good);
		normal = select((uintn)(0u), normals_pack(&n), good);
	}
	float depths[LANES];
	uint normals[LANES];
	lanes_store(depth, depths);
	lanes_store(normal, normals);
	__global uint2 *map = maps + (size_t)node * (size_t)(g.columns * g.rows) + row * g.columns;
	for (int i = 0; i < LANES && column + i < g.columns; i++)
		map[column + i] = (uint2)(as_uint(depths[i]), normals[i]);
}

__kernel void refine_rays(const enm_k_camera camera, const enm_k_refine g, __global const float2 *rays, __global float2 *map_rays)
{
	int column = get_global_id(0), row = get_global_id(1);
	if (column < g.columns && row < g.rows)
		map_rays[row * g.columns + column] = rays[row * g.stride * camera.width + column * g.stride];
}
