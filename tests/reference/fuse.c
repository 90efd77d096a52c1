/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/fuse.h"

#include <math.h>

/* What fuse.cl states about the evidence of a reading. */
#define FADE_FROM 0.375  /* truncations behind the surface */
#define FADE_TO 0.625
#define FREE_WEIGHT 0.25 /* of places farther than a truncation in front of it */
#define COLOR_SHARE_MIN (1.0 / 32.0)

static bool close_to(double value, double limit, double slack)
{
	return fabs(value - limit) < slack;
}

/* The pixel's row that sees a point, or the nearest that there is. */
static double row_of(const enm_camera *c, const double p[3], bool *unsure)
{
	double uv[2];
	ref_project(c, p, uv);
	const double row = fmin(fmax(floor(uv[1] + 0.5), 0.0), c->height - 1.0);
	*unsure = *unsure || close_to(uv[1] + 0.5 - row, 0, 1e-3) || close_to(uv[1] + 0.5 - row, 1, 1e-3);
	return row;
}

/* From the middle row's frame to when the point was exposed. A first look tells about when that was: from there the point is looked for
 * in the picture (`out_seen`); the row where it is found tells the moment. */
static void at_its_row(const ref_frame *f, double p[3], double out_seen[3], bool *unsure)
{
	double row = 0.0;
	for (int i = 0; i < 3; i++)
		out_seen[i] = p[i];
	if (f->skew == NULL || p[2] <= 1e-3)
		return;
	row = row_of(f->camera, p, unsure);
	ref_skew(f, -ref_moment(f, row), out_seen);
	if (out_seen[2] <= 1e-3)
		return;
	row = row_of(f->camera, out_seen, unsure);
	ref_skew(f, -ref_moment(f, row), p);
}

/* Pixel that sees a point of the camera's frame; false outside the picture. */
static bool seen_by(const enm_camera *c, const double p[3], uint32_t *out_pixel, bool *unsure)
{
	double uv[2];
	if (p[2] <= 1e-3)
		return false;
	ref_project(c, p, uv);
	const double x = floor(uv[0] + 0.5), y = floor(uv[1] + 0.5);
	*unsure = *unsure || close_to(uv[0] + 0.5 - x, 0, 1e-3) || close_to(uv[0] + 0.5 - x, 1, 1e-3) ||
		  close_to(uv[1] + 0.5 - y, 0, 1e-3) || close_to(uv[1] + 0.5 - y, 1, 1e-3);
	if (x < 0 || y < 0 || x >= c->width || y >= c->height)
		return false;
	*out_pixel = (uint32_t)y * c->width + (uint32_t)x;
	return true;
}

ref_fused ref_fuse_voxel(const ref_frame *f, const uint8_t *colors, const ref_pose *pose, double voxel_mm,
	double truncation_mm, const int at[3], const enm_k_voxel *old)
{
	ref_fused out = {
		.sdf = old->sdf, .weight = old->weight, .rgb = {old->red, old->green, old->blue}, .views = old->views};
	const double world[3] = {at[0] * voxel_mm, at[1] * voxel_mm, at[2] * voxel_mm};
	double p[3], seen[3], ray[2], d = 0.0;
	uint32_t pixel;
	ref_pose_apply_back(pose, world, p);
	at_its_row(f, p, seen, &out.unsure);
	if (!seen_by(f->camera, seen, &pixel, &out.unsure))
		return out;
	const double z = (double)f->depth[pixel];
	if (z == 0.0)
		return out;
	ref_ray(f->camera, pixel % f->camera->width, pixel / f->camera->width, ray);
	const double reading[3] = {ray[0] * z, ray[1] * z, z};
	for (int i = 0; i < 3; i++)
		d += (p[i] - reading[i]) * (double)f->normals[4 * pixel + (uint32_t)i] / truncation_mm;
	out.unsure = out.unsure || close_to(d, -1, 1e-4) || close_to(d, 1, 1e-4);
	if (d <= -1.0)
		return out;
	double weight = (double)f->normals[4 * pixel + 3];
	if (d < -FADE_FROM)
		weight *= fmax((FADE_TO + d) / (FADE_TO - FADE_FROM), 0.0);
	if (d > 1.0)
		weight *= FREE_WEIGHT;
	const double scaled = weight * (double)ENM_K_WEIGHT_ONE, add = fmax(round(scaled), 1.0),
		     share = add / (old->weight + add);
	out.unsure = out.unsure || close_to(scaled - floor(scaled), 0.5, 0.02);
	out.touched = true;
	out.sdf += share * (fmin(d, 1.0) * (double)ENM_K_SDF_ONE - out.sdf);
	out.weight = fmin(old->weight + add, 65535.0);
	if (fabs(d) >= 1.0)
		return out;
	out.views = (uint8_t)(old->views < 255 ? old->views + 1 : 255);
	for (int i = 0; i < 3 && colors != NULL; i++)
		out.rgb[i] += fmax(share, COLOR_SHARE_MIN) * (colors[3 * pixel + (uint32_t)i] - out.rgb[i]);
	return out;
}

uint32_t ref_fuse_reaches(
	const ref_frame *f, const ref_pose *pose, double voxel_mm, double truncation_mm, const int block[3])
{
	const enm_k_voxel empty = {0};
	uint32_t touched = 0;
	for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
		const int at[3] = {8 * block[0] + i % 8, 8 * block[1] + i / 8 % 8, 8 * block[2] + i / 64};
		if (ref_fuse_voxel(f, NULL, pose, voxel_mm, truncation_mm, at, &empty).touched)
			touched++;
	}
	return touched;
}
