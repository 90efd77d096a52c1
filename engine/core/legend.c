/* SPDX-License-Identifier: Apache-2.0
 * What the colours of pictures stand for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/defaults.h"
#include "core/error.h"
#include "core/picture.h"
#include "shade_table.h"

#define MICROMETRES "\302\265m"

/* Of the shades' maps; -1: none. */
static int ramp_of(enm_shade shade)
{
	switch (shade) {
	case ENM_SHADE_VIEWS:
		return ENM_K_RAMP_FEW_MANY;
	case ENM_SHADE_QUALITY:
	case ENM_SHADE_INCIDENCE:
		return ENM_K_RAMP_GOOD_BAD;
	case ENM_SHADE_DEVIATION:
		return ENM_K_RAMP_SIGNED;
	case ENM_SHADE_CLAY:
	case ENM_SHADE_COLOR:
	case ENM_SHADE_NORMAL:
	case ENM_SHADE_FLAGS:
		break;
	}
	return -1;
}

static void to_bytes(const double rgb[3], uint8_t out_rgb[3])
{
	for (int i = 0; i < 3; i++)
		out_rgb[i] = (uint8_t)(fmin(fmax(rgb[i], 0.0), 1.0) * 255.0 + 0.5);
}

static void flag_rgb(uint32_t flags, uint8_t out_rgb[3])
{
	const float *c = enm_k_flag_colors + 3 * (size_t)(flags & ENM_K_FLAGS_ALL);
	const double rgb[3] = {(double)c[0], (double)c[1], (double)c[2]};
	to_bytes(rgb, out_rgb);
}

static void ramp_rgb(int ramp, double share, uint8_t out_rgb[3])
{
	const double at = fmin(fmax(share, 0.0), 1.0) * (ENM_K_RAMP_POINTS - 1);
	const int low = at < ENM_K_RAMP_POINTS - 2 ? (int)at : ENM_K_RAMP_POINTS - 2;
	const float *c = enm_k_ramps + 3 * (size_t)(ramp * ENM_K_RAMP_POINTS + low);
	double rgb[3];
	for (int i = 0; i < 3; i++)
		rgb[i] = (double)c[i] + ((double)c[i + 3] - (double)c[i]) * (at - low);
	to_bytes(rgb, out_rgb);
}

static void list_flags(enm_legend *out)
{
	out->kind = ENM_LEGEND_KINDS;
	out->entry_count = ENM_K_FLAGS_ALL + 1;
	snprintf(out->title, sizeof(out->title), "doubtful places");
	snprintf(out->entries[0].name, sizeof(out->entries[0].name), "none");
	snprintf(out->entries[1].name, sizeof(out->entries[1].name), "fewer than %d frames", ENM_K_FEW_VIEWS);
	snprintf(out->entries[2].name, sizeof(out->entries[2].name), "noise above %.0f " MICROMETRES, (double)ENM_K_LOW_CONFIDENCE_UM);
	snprintf(out->entries[3].name, sizeof(out->entries[3].name), "both");
	for (uint32_t i = 0; i < out->entry_count; i++) {
		out->entries[i].flags = i;
		flag_rgb(i, out->entries[i].rgb);
	}
}

enm_result enm_view_legend(const enm_view_def *def, enm_legend *out_legend)
{
	static const struct {
		const char *title, *unit;
	} names[] = {[ENM_SHADE_VIEWS] = {"frames that saw it", ""}, [ENM_SHADE_QUALITY] = {"noise (1 sigma)", MICROMETRES},
		[ENM_SHADE_INCIDENCE] = {"incidence", "\302\260"}, [ENM_SHADE_DEVIATION] = {"deviation", MICROMETRES}};
	if (out_legend == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_view_legend: out_legend is NULL");
	memset(out_legend, 0, sizeof(*out_legend));
	enm_result result = view_def_check(def);
	if (result != ENM_OK)
		return result;
	if (def->shade == ENM_SHADE_FLAGS)
		list_flags(out_legend);
	if (ramp_of(def->shade) < 0)
		return ENM_OK;
	out_legend->kind = ENM_LEGEND_RAMP;
	snprintf(out_legend->title, sizeof(out_legend->title), "%s", names[def->shade].title);
	snprintf(out_legend->unit, sizeof(out_legend->unit), "%s", names[def->shade].unit);
	picture_range(def, &out_legend->low, &out_legend->high);
	return ENM_OK;
}

enm_result enm_view_legend_color(const enm_view_def *def, double value, uint8_t out_rgb[3])
{
	if (out_rgb == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_view_legend_color: out_rgb is NULL");
	memset(out_rgb, 0, 3);
	enm_result result = view_def_check(def);
	if (result != ENM_OK)
		return result;
	const int ramp = ramp_of(def->shade);
	double low, high;
	picture_range(def, &low, &high);
	flag_rgb(0, out_rgb);
	if (def->shade == ENM_SHADE_FLAGS && value >= 0.0 && value <= ENM_K_FLAGS_ALL)
		flag_rgb((uint32_t)value, out_rgb);
	if (ramp >= 0 && !isnan(value) && !(def->shade == ENM_SHADE_VIEWS && value <= 0.0))
		ramp_rgb(ramp, (value - low) / (high - low), out_rgb);
	return ENM_OK;
}
