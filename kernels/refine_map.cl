/* SPDX-License-Identifier: Apache-2.0
 *
 *   refine_map   a frame's map (refine.h): depth and normal by a quadratic fit to the readings around
 */
#include "refine.h"

#define FIT_RADIUS 3
#define FIT_COUNT_MIN 36     /* of 49 */
#define STEEPEST 9.0f        /* readings farther than a slope of so many pixels' widths over the window belong to another surface */
#define COSINE_MIN 0.25f     /* of incidence */
#define MISFIT_MAX 2.5f      /* in sigmas of the readings, which grow with 1 / cosine */
#define UNKNOWNS 6

/* A reading of the frame in mm as it came in; 0: none. The session's residual is quadratic, and so the fit would leave it as it is: it is taken
 * out of what the map says, where the map is read. */
static inline float reading_at(const enm_k_camera *c, int format, __global const uchar *readings, int x, int y)
{
	int at = y * c->width + x;
	float mm = format == ENM_K_DEPTH_U16 ? ((__global const ushort *)readings)[at] * c->mm_per_unit : ((__global const float *)readings)[at];
	return mm >= c->depth_min_mm && mm <= c->depth_max_mm ? mm : 0.0f;
}

/* Sums of powers of x and y over the readings of a window, and of these times what they are off the middle one. */
typedef struct window_sums {
	float n, x, y, xx, xy, yy, xxx, xxy, xyy, yyy, xxxx, xxxy, xxyy, xyyy, yyyy;
	float z, xz, yz, xxz, xyz, yyz, zz;
} window_sums;

static inline void add_row(window_sums *s, float dy, const float *p, const float *q)
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

static inline void sum_window(const enm_k_camera *c, int format, __global const uchar *readings, int px, int py, float z0, window_sums *s)
{
	float jump = STEEPEST * z0 / c->fx + 5.0f * c->sigma_per_mm2 * z0 * z0;
	for (int dy = -FIT_RADIUS; dy <= FIT_RADIUS; dy++) {
		float p[5] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f}, q[3] = {0.0f, 0.0f, 0.0f};
		for (int dx = -FIT_RADIUS; dx <= FIT_RADIUS; dx++) {
			float z = reading_at(c, format, readings, px + dx, py + dy), d = z - z0, x = (float)dx;
			float use = z > 0.0f && fabs(d) < jump ? 1.0f : 0.0f;
			d = use > 0.0f ? d : 0.0f;
			p[0] += use;
			p[1] += use * x;
			p[2] += use * x * x;
			p[3] += use * x * x * x;
			p[4] += use * x * x * x * x;
			q[0] += d;
			q[1] += d * x;
			q[2] += d * x * x;
			s->zz += d * d;
		}
		add_row(s, (float)dy, p, q);
	}
}

/* Least squares by the factors of Cholesky: `m` is symmetric, its lower half is used and overwritten, `b` becomes the solution. */
static inline bool fit_solve(float *m, float *b)
{
	bool good = true;
	for (int i = 0; i < UNKNOWNS; i++) {
		for (int j = 0; j <= i; j++) {
			float t = m[i * UNKNOWNS + j];
			for (int k = 0; k < j; k++)
				t -= m[i * UNKNOWNS + k] * m[j * UNKNOWNS + k];
			good = good && (i != j || t > 1e-6f);
			m[i * UNKNOWNS + j] = i == j ? sqrt(fmax(t, 1e-6f)) : t / m[j * UNKNOWNS + j];
		}
		float t = b[i];
		for (int k = 0; k < i; k++)
			t -= m[i * UNKNOWNS + k] * b[k];
		b[i] = t / m[i * UNKNOWNS + i];
	}
	for (int i = UNKNOWNS - 1; i >= 0; i--) {
		float t = b[i];
		for (int k = i + 1; k < UNKNOWNS; k++)
			t -= m[k * UNKNOWNS + i] * b[k];
		b[i] = t / m[i * UNKNOWNS + i];
	}
	return good;
}

/* Depth at the middle off `z0`, and slopes in mm a pixel. */
static inline bool fit_quadratic(const window_sums *s, float *out_depth, float *out_slope_x, float *out_slope_y, float *out_misfit)
{
	float m[UNKNOWNS * UNKNOWNS] = {
		s->n, s->x, s->y, s->xx, s->xy, s->yy, s->x, s->xx, s->xy, s->xxx, s->xxy, s->xyy,
		s->y, s->xy, s->yy, s->xxy, s->xyy, s->yyy, s->xx, s->xxx, s->xxy, s->xxxx, s->xxxy, s->xxyy,
		s->xy, s->xxy, s->xyy, s->xxxy, s->xxyy, s->xyyy, s->yy, s->xyy, s->yyy, s->xxyy, s->xyyy, s->yyyy};
	float right[UNKNOWNS] = {s->z, s->xz, s->yz, s->xxz, s->xyz, s->yyz}, b[UNKNOWNS];
	for (int i = 0; i < UNKNOWNS; i++)
		b[i] = right[i];
	bool good = s->n > FIT_COUNT_MIN - 0.5f && fit_solve(m, b);
	float explained = 0.0f;
	for (int i = 0; i < UNKNOWNS; i++)
		explained += b[i] * right[i];
	*out_depth = b[0];
	*out_slope_x = b[1];
	*out_slope_y = b[2];
	*out_misfit = fmax(s->zz - explained, 0.0f) / fmax(s->n - UNKNOWNS, 1.0f);
	return good;
}

/* `hidden`: a byte for each tile of `tile` pixels each way, not 0 where something moved through the view; for a `tile` of 0 there are none. */
__kernel void refine_map(const enm_k_camera camera, const enm_k_refine g, int format, uint node, int tile, __global const float2 *rays,
			 __global const uchar *input, __global const uchar *hidden, __global uint2 *maps)
{
	int column = get_global_id(0), row = get_global_id(1), px = column * g.stride, py = row * g.stride;
	if (column >= g.columns || row >= g.rows)
		return;
	__global const uchar *readings = input + ENM_K_INPUT_DEPTH;
	bool inside = px >= FIT_RADIUS && py >= FIT_RADIUS && px < camera.width - FIT_RADIUS && py < camera.height - FIT_RADIUS;
	if (tile > 0)
		inside = inside && hidden[py / tile * ((camera.width + tile - 1) / tile) + px / tile] == 0;
	float z0 = inside ? reading_at(&camera, format, readings, px, py) : 0.0f, depth = 0.0f;
	uint normal = 0;
	if (z0 > 0.0f) {
		window_sums s = {0.0f};
		float off, slope_x, slope_y, misfit;
		sum_window(&camera, format, readings, px, py, z0, &s);
		bool good = fit_quadratic(&s, &off, &slope_x, &slope_y, &misfit);
		/* the surface's tangents are d(z * ray)/dpixel; their product points to the camera */
		float z = z0 + off;
		float2 ray = rays[py * camera.width + px];
		float2 ray_x = 0.5f * (rays[py * camera.width + px + 1] - rays[py * camera.width + px - 1]);
		float2 ray_y = 0.5f * (rays[(py + 1) * camera.width + px] - rays[(py - 1) * camera.width + px]);
		float3 along_x = (float3)(ray * slope_x + z * ray_x, slope_x), along_y = (float3)(ray * slope_y + z * ray_y, slope_y);
		float3 n = normalize(cross(along_y, along_x));
		float cosine = -dot(n, (float3)(ray, 1.0f)) / length((float3)(ray, 1.0f));
		float sigma = MISFIT_MAX * camera.sigma_per_mm2 * z * z / fmax(cosine, COSINE_MIN);
		if (good && cosine > COSINE_MIN && misfit < sigma * sigma) {
			depth = z;
			normal = normal_pack(n);
		}
	}
	maps[(size_t)node * (size_t)(g.columns * g.rows) + row * g.columns + column] = (uint2)(as_uint(depth), normal);
}
