/* SPDX-License-Identifier: Apache-2.0 */
#include "core/picture.h"

#include <math.h>

#include "core/constants.h"
#include "core/defaults.h"
#include "core/error.h"
#include "core/pose.h"

#define NEAR_MM 1e-3f
#define FAR_MM 1e9f
#define PLACE_MAX_PIXELS 1e6

static int tiles(uint32_t pixels)
{
	return (int)((pixels + VIEW_TILE - 1) / VIEW_TILE);
}

void picture_range(const enm_view_def *def, double *out_low, double *out_high)
{
	static const double own[][2] = {[ENM_SHADE_VIEWS] = {1, 30}, [ENM_SHADE_QUALITY] = {0, 20}, [ENM_SHADE_INCIDENCE] = {0, 90},
		[ENM_SHADE_DEVIATION] = {-100, 100}};
	const bool given = def->shade_low != 0.0 || def->shade_high != 0.0;
	*out_low = given ? def->shade_low : own[def->shade][0];
	*out_high = given ? def->shade_high : own[def->shade][1];
}

static void cut(const enm_view_def *def, enm_k_view *view)
{
	double normal[3], at_mm = def->cut_mm;
	pose_turn_back(&def->world_from_eye, def->cut_normal, normal);
	view->cut = 1;
	for (int i = 0; i < 3; i++) {
		view->cut_normal[i] = (float)normal[i];
		at_mm -= def->cut_normal[i] * def->world_from_eye.t_mm[i];
	}
	view->cut_mm = (float)at_mm;
}

enm_k_view picture_view(const enm_view_def *def)
{
	double low, high;
	picture_range(def, &low, &high);
	enm_k_view view = {
		.world_from_eye = pose_to_device(&def->world_from_eye),
		.focal = (float)def->focal_pixels,
		.cx = 0.5f * ((float)def->width - 1.0f),
		.cy = 0.5f * ((float)def->height - 1.0f),
		.near_mm = NEAR_MM,
		.far_mm = FAR_MM,
		.orthographic = def->orthographic,
		.width = (int)def->width,
		.height = (int)def->height,
		.shade = (int)def->shade,
		.background = (uint32_t)def->background_rgb[0] | (uint32_t)def->background_rgb[1] << 8 |
			      (uint32_t)def->background_rgb[2] << 16,
		.tile = VIEW_TILE,
		.tiles_x = tiles(def->width),
		.tiles_y = tiles(def->height),
		.shade_low = (float)low,
		.shade_high = (float)high,
	};
	if (def->cut)
		cut(def, &view);
	return view;
}

enm_k_view picture_view_pixel(const enm_view_def *def, const double at[2])
{
	enm_k_view view = picture_view(def);
	view.cx = (float)(0.5 * (def->width - 1.0) - at[0]);
	view.cy = (float)(0.5 * (def->height - 1.0) - at[1]);
	view.width = view.height = view.tiles_x = view.tiles_y = 1;
	view.shade = ENM_SHADE_QUALITY;
	return view;
}

enm_result picture_check_place(const char *of, const enm_view_def *def, double x, double y)
{
	enm_result result = view_def_check(def);
	if (result != ENM_OK)
		return result;
	if (!(fabs(x) <= PLACE_MAX_PIXELS && fabs(y) <= PLACE_MAX_PIXELS))
		return error_set(ENM_E_ARGUMENT, "%s: (%g, %g) is not within %g pixels", of, x, y, PLACE_MAX_PIXELS);
	return ENM_OK;
}

enm_result picture_check_bytes(const enm_view_def *def, size_t out_bytes)
{
	enm_result result = view_def_check(def);
	if (result != ENM_OK)
		return result;
	const size_t need = (size_t)def->width * def->height * 4;
	if (out_bytes < need)
		return error_set(ENM_E_ARGUMENT, "out_bytes: %zu is less than the %zu of the picture", out_bytes, need);
	return ENM_OK;
}
