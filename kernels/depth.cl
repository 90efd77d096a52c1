/* SPDX-License-Identifier: Apache-2.0
 *
 * From raw readings to what tracking and fusion use: depth in mm, normals, confidence.
 *
 *   depth_rays      once per session: the ray of each pixel
 *   depth_from_u16, depth_from_f32   units, validity, calibration
 *   depth_fit       filtered depth, normal and weight per pixel
 *   depth_tiles     nearest and farthest depth per tile, for culling
 */
#include "geometry.h"

__kernel void depth_rays(const enm_k_camera camera, __global float2 *rays)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x < camera.width && y < camera.height)
		rays[y * camera.width + x] = camera_ray(&camera, (float2)(x, y));
}

/* Takes the session's systematic error out and drops what is out of range; written so that NaN is dropped too. */
static inline float reading_to_depth(const enm_k_camera *c, float mm, int px, int py)
{
	float x = (2 * px - (c->width - 1)) / (float)(c->width - 1);
	float y = (2 * py - (c->height - 1)) / (float)(c->height - 1);
	float error = c->constant_mm + c->tilt_x_mm * x + c->tilt_y_mm * y + c->bow_mm * (x * x + y * y) +
		      c->astigmatism_mm * (x * x - y * y) + c->twist_mm * x * y;
	bool valid = mm >= c->depth_min_mm && mm <= c->depth_max_mm && mm > error;
	return valid ? mm - error : 0.0f;
}

__kernel void depth_from_u16(const enm_k_camera camera, __global const ushort *raw, __global float *depth)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= camera.width || y >= camera.height)
		return;
	int i = y * camera.width + x;
	depth[i] = reading_to_depth(&camera, raw[i] * camera.mm_per_unit, x, y);
}

__kernel void depth_from_f32(const enm_k_camera camera, __global const float *raw, __global float *depth)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= camera.width || y >= camera.height)
		return;
	int i = y * camera.width + x;
	depth[i] = reading_to_depth(&camera, raw[i], x, y);
}

#define FIT_RADIUS 2
#define FIT_COUNT 25
#define FIT_COUNT_MIN 12
#define COSINE_MIN 0.1f   /* of incidence; full weight from 0.35 */
#define EDGE_WEIGHT 0.2f  /* of readings at steps and sharp edges, whose depth is not averaged and may be mixed */

/* Fits the 5x5 neighbourhood. Readings farther than a steep surface would explain belong to another surface and are left out.
 * Where all 25 are there, a quadratic (Savitzky and Golay 1964) gives the depth: it averages noise and keeps curvature,
 * so that the edges of teeth are not rounded. Elsewhere the reading stays as it is. The normal comes from the
 * linear terms. Output: normal (towards the camera) and weight; weight 0 where there is no usable reading. */
__kernel void depth_fit(const enm_k_camera camera, __global const float2 *rays, __global const float *depth,
			__global float *filtered, __global float4 *normals)
{
	int px = get_global_id(0), py = get_global_id(1);
	if (px >= camera.width || py >= camera.height)
		return;
	int centre = py * camera.width + px;
	float z0 = depth[centre];
	bool border = px < FIT_RADIUS || py < FIT_RADIUS || px >= camera.width - FIT_RADIUS || py >= camera.height - FIT_RADIUS;
	if (border || z0 == 0.0f) {
		filtered[centre] = 0.0f;
		normals[centre] = (float4)(0.0f);
		return;
	}
	float sigma = camera.sigma_per_mm2 * z0 * z0;
	float jump = 4.0f * z0 / camera.fx + 5.0f * sigma; /* two pixels of a surface at 63 degrees, and noise */
	float n = 0.0f, sx = 0.0f, sy = 0.0f, sxx = 0.0f, sxy = 0.0f, syy = 0.0f;
	float sz = 0.0f, sxz = 0.0f, syz = 0.0f, sqz = 0.0f, szz = 0.0f;
	for (int dy = -FIT_RADIUS; dy <= FIT_RADIUS; dy++) {
		for (int dx = -FIT_RADIUS; dx <= FIT_RADIUS; dx++) {
			float z = depth[centre + dy * camera.width + dx];
			float d = z - z0;
			float use = (z > 0.0f && fabs(d) < jump) ? 1.0f : 0.0f;
			d *= use;
			n += use;
			sx += use * dx;
			sy += use * dy;
			sxx += use * (dx * dx);
			sxy += use * (dx * dy);
			syy += use * (dy * dy);
			sz += d;
			sxz += d * dx;
			syz += d * dy;
			sqz += d * (dx * dx + dy * dy);
			szz += d * d;
		}
	}
	bool whole = n > FIT_COUNT - 0.5f;
	/* plane through the used readings: normal equations about their mean */
	float inverse_n = 1.0f / n;
	float cxx = sxx - sx * sx * inverse_n, cxy = sxy - sx * sy * inverse_n, cyy = syy - sy * sy * inverse_n;
	float cxz = sxz - sx * sz * inverse_n, cyz = syz - sy * sz * inverse_n;
	float determinant = cxx * cyy - cxy * cxy;
	bool usable = n > FIT_COUNT_MIN - 0.5f && determinant > 1.0f;
	float slope_x = usable ? (cxz * cyy - cyz * cxy) / determinant : 0.0f; /* mm per pixel */
	float slope_y = usable ? (cyz * cxx - cxz * cxy) / determinant : 0.0f;
	/* quadratic at the centre of a whole window: the fixed kernel 27/175 - (dx2 + dy2)/35 */
	float smooth = z0 + (27.0f / 175.0f) * sz - sqz / 35.0f;
	float misfit = (szz - sz * sz * inverse_n - slope_x * cxz - slope_y * cyz) * inverse_n;
	bool curved = !(misfit < 9.0f * sigma * sigma + 0.02f * jump * jump);
	float z = whole && !curved ? smooth : z0;
	/* dz/dpixel to a normal: the surface's tangents are d(z * ray)/dpixel */
	float2 ray = rays[centre];
	float2 ray_x = rays[centre + 1] - rays[centre - 1], ray_y = rays[centre + camera.width] - rays[centre - camera.width];
	float3 tangent_x = (float3)(ray * slope_x + 0.5f * z * ray_x, slope_x);
	float3 tangent_y = (float3)(ray * slope_y + 0.5f * z * ray_y, slope_y);
	float3 normal = normalize(cross(tangent_y, tangent_x)); /* towards the camera */
	float3 view = normalize((float3)(ray, 1.0f));
	float cosine = -dot(normal, view);
	usable = usable && cosine > COSINE_MIN;
	/* Axial noise grows with 1 / cosine, its part along the normal does not, and that is what alignment and fusion
	 * average: incidence only takes out what is grazing. */
	float weight = camera.sigma_ref_mm * camera.sigma_ref_mm / (sigma * sigma);
	weight = fmin(weight, 4.0f) * clamp((cosine - COSINE_MIN) * 4.0f, 0.0f, 1.0f);
	weight *= (n / FIT_COUNT) * (n / FIT_COUNT) * (whole && !curved ? 1.0f : EDGE_WEIGHT);
	filtered[centre] = usable ? z : 0.0f;
	normals[centre] = usable ? (float4)(normal, weight) : (float4)(0.0f);
}

/* Of each tile of `tile` pixels: nearest depth, farthest depth, number of readings; all zero for a tile without any. */
__kernel void depth_tiles(const enm_k_camera camera, int tile, __global const float *filtered, __global float4 *tiles)
{
	int tiles_x = (camera.width + tile - 1) / tile, tiles_y = (camera.height + tile - 1) / tile;
	int tx = get_global_id(0), ty = get_global_id(1);
	if (tx >= tiles_x || ty >= tiles_y)
		return;
	float nearest = INFINITY, farthest = 0.0f, count = 0.0f;
	for (int y = ty * tile; y < min((ty + 1) * tile, camera.height); y++) {
		for (int x = tx * tile; x < min((tx + 1) * tile, camera.width); x++) {
			float z = filtered[y * camera.width + x];
			nearest = fmin(nearest, z > 0.0f ? z : INFINITY);
			farthest = fmax(farthest, z);
			count += z > 0.0f ? 1.0f : 0.0f;
		}
	}
	tiles[ty * tiles_x + tx] = farthest > 0.0f ? (float4)(nearest, farthest, count, 0.0f) : (float4)(0.0f);
}
