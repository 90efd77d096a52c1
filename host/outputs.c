/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"

#include <stdio.h>

#include "certificate.h"
#include "clock.h"
#include "command.h"
#include "frame_log.h"
#include "json.h"
#include "preview.h"

double process_start_s;

/* The surface, when there is one. */
static host_status make_mesh(const outputs *p, enm_mesh **out)
{
	const enm_mesh_def def = enm_mesh_def_default();
	double begun_s = clock_s();
	enm_result result = enm_session_mesh(p->session, &def, out);
	if (result >= 0 && *out)
		p->facts->mesh_ms = 1e3 * (clock_s() - begun_s);
	if (result >= 0 && *out)
		result = enm_mesh_get(*out, &p->facts->mesh);
	host_status status = host_fail_result(result, enm_last_error());
	return status || !*out ? status : quality_measure(*out, p->facts->session_def.voxel_mm, &p->facts->surface);
}

static host_status write_trajectory(const outputs *p)
{
	const stitch_result *r = p->facts->result;
	const dataset *d = p->facts->data;
	trajectory t = {0};
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < r->frame_count; i++) {
		const stitch_frame *f = &r->frames[i];
		if (f->reported && f->report.verdict == ENM_VERDICT_TRACKED && !f->apart)
			status = trajectory_append(&t, d->frames[f->index].time_s, &f->report.world_from_camera);
	}
	if (!status)
		status = trajectory_write(p->def->trajectory, d->camera.mm_per_unit, &t);
	trajectory_free(&t);
	return status;
}

static host_status write_report(const outputs *p)
{
	replay_facts *f = p->facts;
	enm_result result = enm_context_get_stats(p->context, &f->context);
	if (result >= 0)
		result = enm_session_get_stats(p->session, &f->session);
	host_status status = host_fail_result(result, enm_last_error());
	if (status)
		return status;
	f->startup_ms = f->result->first_push_s > 0.0 ? 1e3 * (f->result->first_push_s - process_start_s) : 0.0;
	f->wall_s = clock_s() - process_start_s;
	json_t *root = report_json(f);
	if (!root)
		return host_fail_memory("the report");
	if (p->def->report)
		status = json_file_write(p->def->report, root);
	if (p->def->json) {
		host_status printed = json_print(root, stdout);
		status = status ? status : printed;
	} else {
		report_print(f);
	}
	json_decref(root);
	return status;
}

static void save_mesh(
	const outputs *p, const enm_mesh *mesh, const char *path, host_status *first, char text[HOST_TEXT_BYTES])
{
	if (!path)
		return;
	enm_result saved = enm_mesh_save(mesh, path, p->facts->data->camera.mm_per_unit);
	host_keep_first(first, text, host_fail_result(saved, enm_last_error()));
}

static host_status keep_calibration(const outputs *p)
{
	const refine_facts *f = &p->facts->refine;
	const scale_facts *scale = &f->scale;
	if (!p->def->calibration || (!f->done && p->facts->result->interrupted))
		return HOST_OK;
	if (!f->done)
		return host_fail(HOST_DATA, "--keep-calibration: %s was not refined: not written", p->facts->data->folder);
	return calibration_keep(p->def->calibration, &p->facts->data->camera, &f->result, scale->gain_percent, scale->done ? scale->sigma_percent : 0.0);
}

host_status outputs_write(const outputs *p, host_status stitched)
{
	const outputs_def *o = p->def;
	replay_facts *f = p->facts;
	enm_mesh *mesh = NULL;
	host_status first = HOST_OK;
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, stitched);
	if (f->session_def.keep_frames) /* some may have been corrected since their reports */
		host_keep_first(&first, text, stitch_take_poses(p->session, f->result));
	host_keep_first(&first, text, make_mesh(p, &mesh));
	host_keep_first(&first, text, refine_rate(p->session, &f->data->camera, p->reference, mesh, &f->refine));
	host_keep_first(&first, text, keep_calibration(p));
	if (f->mesh.triangle_count) {
		save_mesh(p, mesh, o->out, &first, text);
		save_mesh(p, mesh, o->also, &first, text);
	}
	if (o->trajectory)
		host_keep_first(&first, text, write_trajectory(p));
	if (o->frame_log)
		host_keep_first(&first, text, frame_log_write(o->frame_log, f->data, f->result));
	if (o->preview && f->mesh.triangle_count)
		host_keep_first(&first, text, preview_write(o->preview, p->session, &f->mesh, f->session_def.color));
	host_keep_first(&first, text, write_report(p));
	if (o->certificate)
		host_keep_first(&first, text, certificate_write(o->certificate, f, &f->surface, p->session, &f->mesh));
	quality_free(&f->surface);
	enm_mesh_destroy(&mesh);
	return first ? host_fail(first, "%s", text) : HOST_OK;
}
