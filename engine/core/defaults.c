/* SPDX-License-Identifier: Apache-2.0
 * Definitions and their checks. */
#include "core/defaults.h"

#include <math.h>
#include <string.h>

#include "core/constants.h"
#include "core/error.h"
#include "core/pose.h"

#define COOKIE_SESSION 0x5E551022u
#define COOKIE_VIEW 0x71E30022u
#define COOKIE_MESH 0x3E540021u
#define COOKIE_SURFACE 0x50F0021Eu
#define COOKIE_REFINE 0x4EF10021u

enm_session_def enm_session_def_default(const enm_camera *camera, enm_scale scale)
{
	const bool tooth = scale == ENM_SCALE_TOOTH;
	enm_session_def def;
	memset(&def, 0, sizeof(def));
	def.cookie = COOKIE_SESSION;
	if (camera != NULL)
		def.camera = *camera;
	def.depth_mm_per_unit = tooth ? 0.001 : 1.0;
	def.depth_min_mm = tooth ? 2.0 : 300.0;
	def.depth_max_mm = tooth ? 40.0 : 5000.0;
	/* intraoral: an active stereo wand; room: structured light at 1 m (Nguyen et al. 2012) */
	def.depth_sigma_mm = tooth ? 0.02 : 2.0;
	def.depth_sigma_at_mm = tooth ? 13.0 : 1000.0;
	def.voxel_mm = tooth ? 0.1 : 10.0;
	def.truncation_mm = 4.0 * def.voxel_mm;
	def.start_world_from_camera = enm_pose_identity();
	def.tracker = ENM_TRACKER_FIELD;
	def.recover = true;
	def.foreign_bodies = tooth && ENM_FOREIGN;
	def.stage_times = true;
	def.close_loops_moved_mm = 0.25 * def.voxel_mm;
	def.frames_bytes_max = FRAMES_BYTES_DEFAULT;
	return def;
}

enm_view_def enm_view_def_default(uint32_t width, uint32_t height)
{
	enm_view_def def;
	memset(&def, 0, sizeof(def));
	def.cookie = COOKIE_VIEW;
	def.width = width;
	def.height = height;
	def.world_from_eye = enm_pose_identity();
	def.focal_pixels = width > 0 ? (double)width : 1.0;
	def.background_rgb[0] = 24;
	def.background_rgb[1] = 26;
	def.background_rgb[2] = 30;
	return def;
}

enm_mesh_def enm_mesh_def_default(void)
{
	return (enm_mesh_def){.cookie = COOKIE_MESH, .views_min = 3, .island_triangles_min = 200};
}

enm_surface_def enm_surface_def_default(void)
{
	return (enm_surface_def){
		.cookie = COOKIE_SURFACE, .views_min = 3, .bytes_max = SURFACE_BYTES_DEFAULT, .apart_ms = 40.0};
}

enm_refine_def enm_refine_def_default(void)
{
	return (enm_refine_def){
		.cookie = COOKIE_REFINE,
		.level = ENM_REFINE_STANDARD,
		.seed = 1,
		.prior_um = {.bow_um = 10, .astigmatism_um = 10, .twist_um = 10, .tilt_x_um = 2, .tilt_y_um = 2, .constant_um = 5},
	};
}

/* True for finite values in [low, high]; false for NaN. */
static bool in_range(double value, double low, double high)
{
	return value >= low && value <= high;
}

static enm_result out_of_range(const char *field, double value, double low, double high)
{
	return error_set(ENM_E_ARGUMENT, "%s: %g is not in %g to %g", field, value, low, high);
}

static enm_result check_camera(const enm_camera *c)
{
	if (!in_range(c->width, 16, 4096) || !in_range(c->height, 16, 4096))
		return error_set(ENM_E_ARGUMENT, "camera: size %ux%u is not in 16 to 4096", c->width, c->height);
	const struct {
		const char *field;
		double value, low, high;
	} checks[] = {
		{"camera.fx", c->fx, 1.0, 1e5},
		{"camera.fy", c->fy, 1.0, 1e5},
		{"camera.cx", c->cx, -3.0 * c->width, 3.0 * c->width},
		{"camera.cy", c->cy, -3.0 * c->height, 3.0 * c->height},
		{"camera.distortion[0]", c->distortion[0], -10, 10},
		{"camera.distortion[1]", c->distortion[1], -10, 10},
		{"camera.distortion[2]", c->distortion[2], -10, 10},
		{"camera.distortion[3]", c->distortion[3], -10, 10},
		{"camera.distortion[4]", c->distortion[4], -10, 10},
		{"camera.residual.bow_um", (double)c->residual.bow_um, -1e4, 1e4},
		{"camera.residual.astigmatism_um", (double)c->residual.astigmatism_um, -1e4, 1e4},
		{"camera.residual.twist_um", (double)c->residual.twist_um, -1e4, 1e4},
		{"camera.residual.tilt_x_um", (double)c->residual.tilt_x_um, -1e4, 1e4},
		{"camera.residual.tilt_y_um", (double)c->residual.tilt_y_um, -1e4, 1e4},
		{"camera.residual.constant_um", (double)c->residual.constant_um, -1e4, 1e4},
	};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!in_range(checks[i].value, checks[i].low, checks[i].high))
			return out_of_range(checks[i].field, checks[i].value, checks[i].low, checks[i].high);
	return ENM_OK;
}

enm_result session_def_check(const enm_session_def *d)
{
	if (d == NULL || d->cookie != COOKIE_SESSION)
		return error_set(ENM_E_ARGUMENT, "session definition: not made by enm_session_def_default");
	enm_result result = check_camera(&d->camera);
	if (result != ENM_OK)
		return result;
	const struct {
		const char *field;
		double value, low, high;
	} checks[] = {
		{"depth_mm_per_unit", d->depth_mm_per_unit, 1e-6, 1e3},
		{"depth_min_mm", d->depth_min_mm, 1e-3, 1e6},
		{"depth_max_mm", d->depth_max_mm, d->depth_min_mm, 1e6},
		{"depth_sigma_mm", d->depth_sigma_mm, 1e-5, 1e3},
		{"depth_sigma_at_mm", d->depth_sigma_at_mm, 1e-3, 1e6},
		{"voxel_mm", d->voxel_mm, 1e-3, 1e3},
		{"truncation_mm", d->truncation_mm, 2.0 * d->voxel_mm * (1.0 - 1e-6),
			16.0 * d->voxel_mm * (1.0 + 1e-6)},
		{"row_time_s", d->row_time_s, 0.0, 0.1 / d->camera.height},
	};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!in_range(checks[i].value, checks[i].low, checks[i].high))
			return out_of_range(checks[i].field, checks[i].value, checks[i].low, checks[i].high);
	if (!(d->depth_min_mm < d->depth_max_mm))
		return error_set(ENM_E_ARGUMENT, "depth_max_mm: %g is not above depth_min_mm %g", d->depth_max_mm,
			d->depth_min_mm);
	if (!pose_is_valid(&d->start_world_from_camera))
		return error_set(
			ENM_E_ARGUMENT, "start_world_from_camera: not finite, or its quaternion is not of unit length");
	if (d->close_loops_every != 0 && d->close_loops_every != ENM_CLOSE_LOOPS_AT_END && !in_range(d->close_loops_every, 20.0, 100000.0))
		return out_of_range("close_loops_every", d->close_loops_every, 20.0, 100000.0);
	if (!in_range(d->close_loops_moved_mm, 0.0, 100.0))
		return out_of_range("close_loops_moved_mm", d->close_loops_moved_mm, 0.0, 100.0);
	if (d->frames_expected > FRAMES_EXPECTED_MOST)
		return out_of_range("frames_expected", d->frames_expected, 0.0, FRAMES_EXPECTED_MOST);
	if (d->close_loops_every != 0 && !d->keep_frames)
		return error_set(ENM_E_ARGUMENT, "close_loops_every: wanted only with keep_frames");
	if (d->foreign_bodies && !ENM_FOREIGN)
		return error_set(ENM_E_ARGUMENT, "foreign_bodies: the library was built without (ENAMEL_FOREIGN)");
	if (d->tracker != ENM_TRACKER_FIELD && d->tracker != ENM_TRACKER_RAYCAST)
		return error_set(ENM_E_ARGUMENT, "tracker: %d is none", (int)d->tracker);
	return ENM_OK;
}

static enm_result check_map_and_cut(const enm_view_def *d)
{
	const bool own = d->shade_low == 0.0 && d->shade_high == 0.0;
	if (!in_range(d->shade_low, -1e9, 1e9) || !in_range(d->shade_high, -1e9, 1e9) || (!own && !(d->shade_low < d->shade_high)))
		return error_set(ENM_E_ARGUMENT, "shade_low, shade_high: %g to %g is no range within -1e9 to 1e9", d->shade_low, d->shade_high);
	if (!d->cut)
		return ENM_OK;
	const double *n = d->cut_normal;
	if (!in_range(sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), 1.0 - 1e-6, 1.0 + 1e-6))
		return error_set(ENM_E_ARGUMENT, "cut_normal: (%g, %g, %g) is not of unit length", n[0], n[1], n[2]);
	if (!in_range(d->cut_mm, -1e9, 1e9))
		return out_of_range("cut_mm", d->cut_mm, -1e9, 1e9);
	return ENM_OK;
}

enm_result view_def_check(const enm_view_def *d)
{
	if (d == NULL || d->cookie != COOKIE_VIEW)
		return error_set(ENM_E_ARGUMENT, "view definition: not made by enm_view_def_default");
	if (!in_range(d->width, 1, 8192) || !in_range(d->height, 1, 8192))
		return error_set(ENM_E_ARGUMENT, "view: size %ux%u is not in 1 to 8192", d->width, d->height);
	if (!in_range(d->focal_pixels, 1e-3, 1e6))
		return out_of_range("focal_pixels", d->focal_pixels, 1e-3, 1e6);
	if (!pose_is_valid(&d->world_from_eye))
		return error_set(ENM_E_ARGUMENT, "world_from_eye: not finite, or its quaternion is not of unit length");
	if ((int)d->shade < ENM_SHADE_CLAY || d->shade > ENM_SHADE_DEVIATION)
		return error_set(ENM_E_ARGUMENT, "shade: %d is none", (int)d->shade);
	return check_map_and_cut(d);
}

enm_result mesh_def_check(const enm_mesh_def *d)
{
	if (d == NULL || d->cookie != COOKIE_MESH)
		return error_set(ENM_E_ARGUMENT, "mesh definition: not made by enm_mesh_def_default");
	if (d->views_min < 1 || d->views_min > 255)
		return error_set(ENM_E_ARGUMENT, "views_min: %u is not in 1 to 255", d->views_min);
	return ENM_OK;
}

enm_result surface_def_check(const enm_surface_def *d)
{
	if (d == NULL || d->cookie != COOKIE_SURFACE)
		return error_set(ENM_E_ARGUMENT, "surface definition: not made by enm_surface_def_default");
	if (d->views_min < 1 || d->views_min > 255)
		return error_set(ENM_E_ARGUMENT, "views_min: %u is not in 1 to 255", d->views_min);
	if (d->bytes_max < SURFACE_BYTES_LEAST || d->bytes_max > SURFACE_BYTES_MOST)
		return error_set(ENM_E_ARGUMENT, "bytes_max: %llu is not in %llu to %llu",
			(unsigned long long)d->bytes_max, (unsigned long long)SURFACE_BYTES_LEAST,
			(unsigned long long)SURFACE_BYTES_MOST);
	if (!in_range(d->apart_ms, 0.0, 1000.0))
		return out_of_range("apart_ms", d->apart_ms, 0.0, 1000.0);
	return ENM_OK;
}

enm_result refine_def_check(const enm_refine_def *d)
{
	if (d == NULL || d->cookie != COOKIE_REFINE)
		return error_set(ENM_E_ARGUMENT, "refine definition: not made by enm_refine_def_default");
	if ((int)d->level < ENM_REFINE_LOW || d->level > ENM_REFINE_HIGH)
		return error_set(ENM_E_ARGUMENT, "level: %d is none", (int)d->level);
	const struct {
		const char *field;
		float value;
	} checks[] = {
		{"prior_um.bow_um", d->prior_um.bow_um},
		{"prior_um.astigmatism_um", d->prior_um.astigmatism_um},
		{"prior_um.twist_um", d->prior_um.twist_um},
		{"prior_um.tilt_x_um", d->prior_um.tilt_x_um},
		{"prior_um.tilt_y_um", d->prior_um.tilt_y_um},
		{"prior_um.constant_um", d->prior_um.constant_um},
	};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!in_range((double)checks[i].value, 0.0, 1000.0))
			return out_of_range(checks[i].field, (double)checks[i].value, 0.0, 1000.0);
	return ENM_OK;
}
