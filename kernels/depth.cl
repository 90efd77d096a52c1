/* SPDX-License-Identifier: Apache-2.0
 *
 * From raw readings to what tracking and fusion use: depth in mm, the plane through each reading, its weight.
 *
 *   depth_rays      once per session: the ray of each pixel
 *   depth_prepare   units, validity, calibration, filter, planes, and the nearest and farthest depth per tile
 */
#include "geometry.h"
#include "lanes.h"
#include "pixel.h"

__kernel void depth_rays(const enm_k_camera camera, __global float2 *rays)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x < camera.width && y < camera.height)
		rays[y * camera.width + x] = camera_ray(&camera, (float2)(x, y));
}

#define FIT_RADIUS 2
#define FIT_COUNT 25
#define FIT_COUNT_MIN 12
#define COSINE_MIN 0.1f   /* of incidence; full weight from 0.35 */
#define EDGE_WEIGHT 0.2f  /* of readings at steps and sharp edges, whose depth is not averaged and may be mixed */

/* A group has a rectangle of the picture, of a whole number of tiles, and the readings around it. */
#define HALO 8 /* columns on either side, a multiple of all numbers of lanes; rows: FIT_RADIUS */
#define STAGED_COLUMNS (ENM_K_PART_COLUMNS + 2 * HALO)
#define STAGED_ROWS (ENM_K_PART_ROWS + 2 * FIT_RADIUS)
#define ROW_ITEMS (ENM_K_PART_COLUMNS / LANES)
#define ROWS_AT_ONCE (64 / ROW_ITEMS)
#define PART_TILES (ENM_K_PART_COLUMNS / DEPTH_TILE)
#define TILE_ITEMS (DEPTH_TILE / LANES)

/* Takes the session's systematic error out and drops what is out of range; written so that NaN is dropped too. */
static inline floatn reading_to_depth(const enm_k_camera *c, floatn mm, intn px, int py)
{
	floatn x = to_floatn(2 * px - (c->width - 1)) / (float)(c->width - 1);
	float y = (2 * py - (c->height - 1)) / (float)(c->height - 1);
	floatn error = c->constant_mm + c->tilt_x_mm * x + c->tilt_y_mm * y + c->bow_mm * (x * x + y * y) +
		       c->astigmatism_mm * (x * x - y * y) + c->twist_mm * x * y;
	intn valid = (mm >= c->depth_min_mm) & (mm <= c->depth_max_mm) & (mm > error);
	return select((floatn)(0.0f), mm - error, valid);
}

/* Depth of LANES pixels from column `px` on; 0 outside the picture. */
static inline floatn load_depth(const enm_k_camera *c, int format, __global const uchar *readings, int px, int py)
{
	if (py < 0 || py >= c->height || px + LANES <= 0 || px >= c->width)
		return (floatn)(0.0f);
	floatn mm;
	if (px >= 0 && px + LANES <= c->width) {
		size_t at = (size_t)py * c->width + px;
		if (format == ENM_K_DEPTH_U16)
			mm = to_floatn(lanes_load((__global const ushort *)readings + at)) * c->mm_per_unit;
		else
			mm = lanes_load((__global const float *)readings + at);
	} else {
		float values[LANES];
		for (int i = 0; i < LANES; i++) {
			bool inside = px + i >= 0 && px + i < c->width;
			size_t at = (size_t)py * c->width + (inside ? px + i : 0);
			float value = format == ENM_K_DEPTH_U16 ? ((__global const ushort *)readings)[at] * c->mm_per_unit :
								  ((__global const float *)readings)[at];
			values[i] = inside ? value : 0.0f;
		}
		mm = lanes_load(values);
	}
	return reading_to_depth(c, mm, px + LANE_NUMBERS, py);
}

/* What the fit leaves behind. */
typedef struct fit {
	floatn depth_mm, slope_x, slope_y; /* slopes: mm a pixel */
	floatn share;                      /* of the window that was used */
	intn usable, smooth;
} fit;

/* Fits the 5x5 neighbourhood of LANES readings whose first is `centre`. Readings farther than a steep surface would explain
 * belong to another surface and are left out. Where all 25 are there, a quadratic (Savitzky and Golay 1964) gives the depth:
 * it averages noise and keeps curvature, so that the edges of teeth are not rounded. Elsewhere the reading stays as it is. The
 * slopes come from the linear terms. Sums are by column first, which shares what is even and odd in the rows. */
static inline void fit_window(const enm_k_camera *camera, __local const float *centre, fit *out)
{
	floatn z0 = lanes_load(centre);
	floatn sigma = camera->sigma_per_mm2 * z0 * z0;
	floatn jump = 4.0f * z0 / camera->fx + 5.0f * sigma; /* two pixels of a surface at 63 degrees, and noise */
	floatn n = 0.0f, sx = 0.0f, sy = 0.0f, sxx = 0.0f, sxy = 0.0f, syy = 0.0f;
	floatn sz = 0.0f, sxz = 0.0f, syz = 0.0f, sqz = 0.0f, szz = 0.0f;
#pragma unroll
	for (int dx = -FIT_RADIUS; dx <= FIT_RADIUS; dx++) {
		floatn use[5], d[5];
#pragma unroll
		for (int i = 0; i < 5; i++) {
			floatn z = lanes_load(centre + (i - FIT_RADIUS) * STAGED_COLUMNS + dx);
			floatn off = z - z0;
			intn used = (z > 0.0f) & (fabs(off) < jump);
			use[i] = select((floatn)(0.0f), (floatn)(1.0f), used);
			d[i] = select((floatn)(0.0f), off, used);
			szz += d[i] * d[i];
		}
		floatn outer = use[0] + use[4], inner = use[1] + use[3];
		floatn count = outer + inner + use[2], odd = 2.0f * (use[4] - use[0]) + (use[3] - use[1]), even = 4.0f * outer + inner;
		floatn outer_z = d[0] + d[4], inner_z = d[1] + d[3];
		floatn sum_z = outer_z + inner_z + d[2], odd_z = 2.0f * (d[4] - d[0]) + (d[3] - d[1]);
		n += count;
		sx += (float)dx * count;
		sxx += (float)(dx * dx) * count;
		sy += odd;
		sxy += (float)dx * odd;
		syy += even;
		sz += sum_z;
		sxz += (float)dx * sum_z;
		syz += odd_z;
		sqz += (float)(dx * dx) * sum_z + (4.0f * outer_z + inner_z);
	}
	/* plane through the used readings: normal equations about their mean */
	floatn inverse_n = 1.0f / n;
	floatn cxx = sxx - sx * sx * inverse_n, cxy = sxy - sx * sy * inverse_n, cyy = syy - sy * sy * inverse_n;
	floatn cxz = sxz - sx * sz * inverse_n, cyz = syz - sy * sz * inverse_n;
	floatn determinant = cxx * cyy - cxy * cxy;
	out->usable = (z0 > 0.0f) & (n > FIT_COUNT_MIN - 0.5f) & (determinant > 1.0f);
	floatn per_determinant = 1.0f / select((floatn)(1.0f), determinant, out->usable);
	out->slope_x = (cxz * cyy - cyz * cxy) * per_determinant;
	out->slope_y = (cyz * cxx - cxz * cxy) * per_determinant;
	floatn misfit = (szz - sz * sz * inverse_n - out->slope_x * cxz - out->slope_y * cyz) * inverse_n;
	out->smooth = (n > FIT_COUNT - 0.5f) & (misfit < 9.0f * sigma * sigma + 0.02f * jump * jump);
	/* quadratic at the centre of a whole window: the fixed kernel 27/175 - (dx2 + dy2)/35 */
	floatn filtered = z0 + (27.0f / 175.0f) * sz - sqz * (1.0f / 35.0f);
	out->depth_mm = select(z0, filtered, out->smooth);
	out->share = n * (1.0f / FIT_COUNT);
}

/* Makes the pixels of LANES fits from column `px` on; depth 0 where there is no usable reading. */
static inline void make_pixels(const enm_k_camera *c, const fit *f, __global const float2 *rays, int px, int py, pixels *out)
{
	floatn ray[2], ray_x[2], ray_y[2];
	rays_load(c, rays, px, py, ray);
	rays_step(c, rays, px, py, ray_x, ray_y);
	/* dz/dpixel to a normal: the surface's tangents are d(z * ray)/dpixel; their product points to the camera */
	floatn z = f->depth_mm;
	floatn ax = ray[0] * f->slope_x + z * ray_x[0], ay = ray[1] * f->slope_x + z * ray_x[1], az = f->slope_x;
	floatn bx = ray[0] * f->slope_y + z * ray_y[0], by = ray[1] * f->slope_y + z * ray_y[1], bz = f->slope_y;
	floatn nx = by * az - bz * ay, ny = bz * ax - bx * az, nz = bx * ay - by * ax;
	floatn squared = nx * nx + ny * ny + nz * nz;
	floatn per_length = 1.0f / sqrt(select((floatn)(1.0f), squared, squared > 0.0f));
	floatn across = -(nx * ray[0] + ny * ray[1] + nz) * per_length;
	floatn cosine = across / sqrt(ray[0] * ray[0] + ray[1] * ray[1] + 1.0f);
	/* Axial noise grows with 1 / cosine of incidence, its part along the normal does not, and that is what alignment and
	 * fusion average: incidence only takes out what is grazing. */
	floatn relative = c->sigma_ref_mm / (c->sigma_per_mm2 * z * z);
	floatn weight = fmin(relative * relative, 4.0f) * clamp((cosine - COSINE_MIN) * 4.0f, 0.0f, 1.0f);
	weight *= f->share * f->share * select((floatn)(EDGE_WEIGHT), (floatn)(1.0f), f->smooth);
	intn columns = px + LANE_NUMBERS;
	bool row_inside = py >= FIT_RADIUS && py < c->height - FIT_RADIUS;
	intn usable = f->usable & (cosine > COSINE_MIN) & (columns >= FIT_RADIUS) & (columns < c->width - FIT_RADIUS);
	usable = row_inside ? usable : (intn)(0);
	pixels_make(z, ray[0], ray[1], nx * per_length, ny * per_length, nz * per_length, weight, usable, out);
}

/* Joins `count` ranges, from `from` on every `step`, to the one at `to`. */
static inline void join_ranges(__local float *nearest, __local float *farthest, __local float *readings, int to, int from,
			       int step, int count)
{
	float low = nearest[to], high = farthest[to], n = readings[to];
	for (int i = 0; i < count; i++) {
		low = fmin(low, nearest[from + i * step]);
		high = fmax(high, farthest[from + i * step]);
		n += readings[from + i * step];
	}
	nearest[to] = low;
	farthest[to] = high;
	readings[to] = n;
}

__kernel __attribute__((reqd_work_group_size(ROW_ITEMS, ROWS_AT_ONCE, 1)))
void depth_prepare(const enm_k_camera camera, int format, __global const float2 *rays, __global const uchar *input,
		   __global uint4 *pixel_map, __global float4 *tiles)
{
	__local float staged[STAGED_ROWS * STAGED_COLUMNS];
	__local float nearest[ENM_K_PART_ROWS * ROW_ITEMS], farthest[ENM_K_PART_ROWS * ROW_ITEMS], readings[ENM_K_PART_ROWS * ROW_ITEMS];
	int column = get_local_id(0), row = get_local_id(1), item = row * ROW_ITEMS + column;
	int left = get_group_id(0) * ENM_K_PART_COLUMNS, top = get_group_id(1) * ENM_K_PART_ROWS;
	for (int i = item; i < STAGED_ROWS * (STAGED_COLUMNS / LANES); i += 64) {
		int y = i / (STAGED_COLUMNS / LANES), x = i % (STAGED_COLUMNS / LANES) * LANES;
		floatn depth = load_depth(&camera, format, input + ENM_K_INPUT_DEPTH, left + x - HALO, top + y - FIT_RADIUS);
		lanes_store(depth, staged + y * STAGED_COLUMNS + x);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = row; r < ENM_K_PART_ROWS; r += ROWS_AT_ONCE) {
		fit f;
		pixels p;
		int px = left + column * LANES, py = top + r;
		fit_window(&camera, staged + (r + FIT_RADIUS) * STAGED_COLUMNS + HALO + column * LANES, &f);
		make_pixels(&camera, &f, rays, px, py, &p);
		if (py < camera.height)
			pixels_store(&p, camera.width - px, pixel_map + (size_t)py * camera.width + px);
		pixels_range(&p, nearest + r * ROW_ITEMS + column, farthest + r * ROW_ITEMS + column,
			     readings + r * ROW_ITEMS + column);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	/* a tile has DEPTH_TILE columns and all rows: first along each row of a tile, then over the rows */
	if (item < ENM_K_PART_ROWS * PART_TILES) {
		int at = item / PART_TILES * ROW_ITEMS + item % PART_TILES * TILE_ITEMS;
		join_ranges(nearest, farthest, readings, at, at + 1, 1, TILE_ITEMS - 1);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	int tiles_x = (camera.width + DEPTH_TILE - 1) / DEPTH_TILE, tile_x = left / DEPTH_TILE + item, at = item * TILE_ITEMS;
	if (item >= PART_TILES || tile_x >= tiles_x)
		return;
	join_ranges(nearest, farthest, readings, at, at + ROW_ITEMS, ROW_ITEMS, ENM_K_PART_ROWS - 1);
	tiles[get_group_id(1) * tiles_x + tile_x] =
		readings[at] > 0.0f ? (float4)(nearest[at], farthest[at], readings[at], 0.0f) : (float4)(0.0f);
}
