/* SPDX-License-Identifier: Apache-2.0
 * The engine's two kinds of things that draw, as sources. */
#include "viewer.h"

static enm_result session_render(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	return enm_session_render(object, def, out_rgba, out_bytes);
}

static enm_result session_bounds(void *object, double out_min_mm[3], double out_max_mm[3])
{
	return enm_session_bounds(object, out_min_mm, out_max_mm);
}

static enm_result session_pick(void *object, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	return enm_session_pick(object, def, x, y, out_hit);
}

viewer_source viewer_source_of_session(enm_session *session)
{
	return (viewer_source){
		.object = session, .render = session_render, .bounds = session_bounds, .pick = session_pick};
}

static enm_result drawing_render(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	return enm_drawing_render(object, def, out_rgba, out_bytes);
}

static enm_result drawing_bounds(void *object, double out_min_mm[3], double out_max_mm[3])
{
	return enm_drawing_bounds(object, out_min_mm, out_max_mm);
}

static enm_result drawing_pick(void *object, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	return enm_drawing_pick(object, def, x, y, out_hit);
}

static enm_result drawing_show(void *object, uint32_t id, bool visible)
{
	return enm_drawing_show(object, id, visible);
}

viewer_source viewer_source_of_drawing(enm_drawing *drawing)
{
	return (viewer_source){.object = drawing,
		.render = drawing_render,
		.bounds = drawing_bounds,
		.pick = drawing_pick,
		.show = drawing_show};
}
