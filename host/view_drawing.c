/* SPDX-License-Identifier: Apache-2.0 */
#include "view_drawing.h"

#include <string.h>

#include "preview.h"

#define GAPS_MAX 256

static host_status add_deviation(view_drawing *d, uint32_t id, const view_model *model)
{
	enm_mesh_data data;
	enm_result result = enm_mesh_get(model->mesh, &data);
	if (result >= 0)
		result = enm_drawing_set_deviation(d->drawing, id, model->deviation_um, data.vertex_count);
	return host_fail_result(result, enm_last_error());
}

static host_status add(view_drawing *d, const view_model *model)
{
	viewer_body *body = &d->source.bodies[d->source.body_count];
	enm_result result = enm_drawing_add(d->drawing, model->mesh, NULL, &body->id);
	host_status status = host_fail_result(result, enm_last_error());
	if (!status)
		status = marks_models_add(&d->models, model->file, model->mesh);
	if (!status && model->deviation_um)
		status = add_deviation(d, body->id, model);
	body->mesh = model->mesh;
	d->source.body_count += !status;
	return status;
}

host_status view_drawing_make(enm_context *context, const view_model *models, size_t count, view_drawing *out)
{
	enm_mesh *owned = out->owned;
	memset(out, 0, sizeof *out);
	out->owned = owned;
	host_status status = host_fail_result(enm_drawing_create(context, 0, &out->drawing), enm_last_error());
	if (!status)
		out->source = viewer_source_of_drawing(out->drawing);
	for (size_t i = 0; !status && i < count && i < VIEWER_BODIES_MAX; i++)
		status = add(out, &models[i]);
	return status;
}

host_status view_drawing_of_session(enm_context *context, enm_session *session, const char *name, view_drawing *out)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_result result = enm_session_mesh(session, &def, &out->owned);
	if (result != ENM_OK)
		return host_fail_result(result, enm_last_error());
	const view_model model = {.file = name, .mesh = out->owned};
	return view_drawing_make(context, &model, 1, out);
}

void view_drawing_free(view_drawing *d)
{
	enm_drawing_destroy(&d->drawing);
	enm_mesh_destroy(&d->owned);
	memset(d, 0, sizeof *d);
}

static void tell_axes(const view_drawing *d, viewer *v)
{
	enm_mesh_data data;
	preview_axes axes;
	double rows[9];
	if (!d->source.body_count || enm_mesh_get(d->source.bodies[0].mesh, &data) < 0)
		return;
	if (preview_find_axes(&data, NULL, &axes)) {
		host_warn("%s", host_error_text());
		return;
	}
	memcpy(rows, axes.axis, sizeof rows);
	viewer_axes(v, rows);
}

void view_drawing_describe(const view_drawing *d, viewer *v, double gap_least_mm)
{
	enm_gap gaps[GAPS_MAX];
	size_t count = 0;
	tell_axes(d, v);
	for (uint32_t b = 0; b < d->source.body_count && count < GAPS_MAX; b++) {
		size_t found;
		enm_result result =
			enm_mesh_gaps(d->source.bodies[b].mesh, gap_least_mm, gaps + count, GAPS_MAX - count, &found);
		if (result < 0) {
			host_warn("gaps: %s", enm_last_error());
			return;
		}
		count += found < GAPS_MAX - count ? found : GAPS_MAX - count;
	}
	viewer_gaps(v, gaps, count);
}
