/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "clock.h"
#include "command.h"
#include "device_choice.h"
#include "frame_log.h"
#include "interrupt.h"
#include "json.h"
#include "preview.h"
#include "progress.h"
#include "replay.h"
#include "report.h"
#include "scale.h"
#include "stitch.h"
#include "view.h"

#define TRUTH_TOLERANCE_S 0.02
#define CLOSE_LOOPS_EVERY 200 /* frames */

typedef struct replay {
	const replay_options *options;
	dataset data;
	size_t first, end, first_usable;
	enm_scale scale;
	double median_mm;
	enm_session_def def;
	enm_context *context;
	enm_session *session;
	enm_mesh *mesh;
	stitch_result result;
	replay_facts facts;
	scale_reference reference; /* no spheres: none was given */
	const volatile sig_atomic_t *stop;
} replay;

static host_status choose_frames(replay *p)
{
	const int64_t *range = p->options->frames;
	size_t count = p->data.frame_count;
	if ((uint64_t)range[0] >= count)
		return host_fail(HOST_USAGE, "--frames: begins at %lld, but %s has %zu frames", (long long)range[0],
			p->data.folder, count);
	p->first = (size_t)range[0];
	p->end = (uint64_t)range[1] < count ? (size_t)range[1] : count;
	return HOST_OK;
}

static host_status open_data(replay *p)
{
	const replay_options *o = p->options;
	host_status status = dataset_open(o->folder, o->camera, &p->data);
	if (!status)
		status = choose_frames(p);
	if (!status)
		status = scale_find(&p->data, p->first, p->end, &p->first_usable, &p->median_mm);
	if (status)
		return status;
	if (o->strict && p->first_usable != p->first) {
		dataset_reading reading;
		const enm_camera *c = &p->data.camera.camera;
		uint16_t *depth = malloc((size_t)c->width * c->height * sizeof *depth);
		if (!depth)
			return host_fail_memory("the first frame");
		dataset_read_frame(&p->data, p->first, depth, NULL, &reading);
		free(depth);
		return host_fail_file(HOST_USAGE, p->data.frames[p->first].depth, "%s (--strict)", reading.reason);
	}
	if (o->strict && p->data.damaged)
		return host_fail_file(HOST_USAGE, o->folder, "%s (--strict)", p->data.note);
	if (*p->data.note)
		host_say("%s", p->data.note);
	return HOST_OK;
}

/* What is told of the scan's object, read before the work. */
static host_status open_references(replay *p)
{
	const replay_options *o = p->options;
	host_status status = o->scale_reference ? reference_read(o->scale_reference, &p->reference) : HOST_OK;
	if (!status && o->distances)
		status = distances_read(o->distances, &p->facts.refine.distances);
	return status;
}

static host_status find_start(const replay *p, enm_pose *out)
{
	trajectory truth;
	double time_s = p->data.frames[p->first_usable].time_s;
	host_status status = dataset_read_truth(&p->data, &truth);
	if (status)
		return status;
	const trajectory_pose *nearest = trajectory_nearest(&truth, time_s, TRUTH_TOLERANCE_S);
	if (nearest)
		*out = nearest->world_from_camera;
	else
		status = host_fail_file(HOST_USAGE, p->data.folder,
			"ground truth: no pose within %.2f s of the first frame, which is at %.6f s (--start-at-truth)",
			TRUTH_TOLERANCE_S, time_s);
	trajectory_free(&truth);
	return status;
}

static host_status define_session(replay *p)
{
	const replay_options *o = p->options;
	p->scale = p->median_mm <= SCALE_TOOTH_MAX_MM ? ENM_SCALE_TOOTH : ENM_SCALE_ROOM;
	p->def = enm_session_def_default(&p->data.camera.camera, p->scale);
	double band_voxels = p->def.truncation_mm / p->def.voxel_mm;
	if (o->voxel_mm > 0.0) {
		p->def.voxel_mm = o->voxel_mm;
		p->def.truncation_mm = band_voxels * o->voxel_mm;
	}
	if (o->truncation_mm > 0.0)
		p->def.truncation_mm = o->truncation_mm;
	p->def.depth_mm_per_unit = p->data.depth_mm_per_unit;
	p->def.row_time_s = p->data.camera.row_time_s;
	p->def.color = p->data.has_color;
	p->def.stage_times = true;
	p->def.recover = p->def.recover && !o->no_recover;
	p->def.foreign_bodies = p->def.foreign_bodies && !o->keep_foreign;
	p->def.tracker = (enm_tracker)o->tracker;
	p->def.close_loops_every = p->scale == ENM_SCALE_TOOTH && !o->no_close_loops ? CLOSE_LOOPS_EVERY : 0;
	p->def.keep_frames = o->refine >= 0 || p->def.close_loops_every > 0;
	p->def.frames_spill_path = o->spill;
	host_say("scale: %s (median depth %.1f mm): voxel %.4g mm, truncation %.4g mm",
		p->scale == ENM_SCALE_TOOTH ? "tooth" : "room", p->median_mm, p->def.voxel_mm, p->def.truncation_mm);
	return o->start_at_truth ? find_start(p, &p->def.start_world_from_camera) : HOST_OK;
}

static void print_engine_log(void *user, enm_log_level level, const char *text)
{
	(void)user;
	if (level <= ENM_LOG_WARNING)
		host_warn("%s", text);
	else
		host_say("%s", text);
}

static host_status open_engine(replay *p)
{
	enm_context_def def = enm_context_def_default();
	def.log = print_engine_log;
	def.log_level = ENM_LOG_WARNING;
	char reason[320];
	host_status status = device_wish(p->options->device, &def, reason);
	if (status)
		return status;
	enm_result result = enm_context_create(&def, &p->context);
	if (result >= 0)
		result = enm_context_device(p->context, &p->facts.device);
	if (result >= 0)
		result = enm_session_create(p->context, &p->def, &p->session);
	if (result >= 0)
		host_say("device: %s%s%s%s", p->facts.device.name, *reason ? " (" : "", reason, *reason ? ")" : "");
	return host_fail_result(result, enm_last_error());
}

static bool show_frame(void *user, enm_session *session, const stitch_result *so_far)
{
	size_t reported = so_far->tracked + so_far->weak + so_far->lost;
	view_frame(user, session, &so_far->frames[reported - 1].report);
	return true;
}

static host_status stitch(replay *p, view *v)
{
	const stitch_def def = {
		.data = &p->data,
		.session = p->session,
		.first = p->first,
		.end = p->end,
		.color = p->def.color,
		.shares_cpu = p->facts.device.kind == ENM_DEVICE_CPU,
		.strict = p->options->strict,
		.stop = p->stop,
		.after_frame = v ? show_frame : NULL,
		.user = v,
	};
	progress_begin(!p->options->json);
	host_status status = stitch_run(&def, &p->result);
	if (!status && p->def.close_loops_every > 0)
		status = stitch_take_poses(p->session, &p->result);
	p->facts.refine.wanted = p->options->refine >= 0;
	if (!status && p->facts.refine.wanted && !p->result.interrupted) {
		p->facts.refine.level = (enm_refine_level)p->options->refine;
		status = refine_scan(p->session, &p->data.camera, p->stop, &p->facts.refine, &p->result);
	}
	p->result.interrupted = p->result.interrupted || p->facts.refine.cancelled;
	progress_end();
	return status;
}

/* The surface, when there is one. */
static host_status make_mesh(replay *p)
{
	const enm_mesh_def def = enm_mesh_def_default();
	double begun_s = clock_s();
	enm_result result = enm_session_mesh(p->session, &def, &p->mesh);
	if (result >= 0 && p->mesh)
		p->facts.mesh_ms = 1e3 * (clock_s() - begun_s);
	if (result >= 0 && p->mesh)
		result = enm_mesh_get(p->mesh, &p->facts.mesh);
	host_status status = host_fail_result(result, enm_last_error());
	return status || !p->mesh ? status : quality_measure(p->mesh, p->def.voxel_mm, &p->facts.surface);
}

static host_status write_trajectory(const replay *p)
{
	trajectory t = {0};
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < p->result.frame_count; i++) {
		const stitch_frame *f = &p->result.frames[i];
		if (f->reported && f->report.verdict == ENM_VERDICT_TRACKED && !f->apart)
			status = trajectory_append(&t, p->data.frames[f->index].time_s, &f->report.world_from_camera);
	}
	if (!status)
		status = trajectory_write(p->options->trajectory, p->data.camera.mm_per_unit, &t);
	trajectory_free(&t);
	return status;
}

static host_status write_report(replay *p)
{
	const replay_options *o = p->options;
	enm_result result = enm_context_get_stats(p->context, &p->facts.context);
	if (result >= 0)
		result = enm_session_get_stats(p->session, &p->facts.session);
	host_status status = host_fail_result(result, enm_last_error());
	if (status)
		return status;
	p->facts.data = &p->data;
	p->facts.result = &p->result;
	p->facts.session_def = p->def;
	p->facts.scale = p->scale;
	p->facts.startup_ms = p->result.first_push_s > 0.0 ? 1e3 * (p->result.first_push_s - process_start_s) : 0.0;
	p->facts.wall_s = clock_s() - process_start_s;
	json_t *root = report_json(&p->facts);
	if (!root)
		return host_fail_memory("the report");
	if (o->report)
		status = json_file_write(o->report, root);
	if (o->json) {
		host_status printed = json_print(root, stdout);
		status = status ? status : printed;
	} else {
		report_print(&p->facts);
	}
	json_decref(root);
	return status;
}

/* Keeps the first of several failures and says the others at once. */
static void note_failure(host_status *first, char text[1024], host_status status)
{
	if (!status)
		return;
	if (*first) {
		host_warn("%s", host_error_text());
		return;
	}
	*first = status;
	snprintf(text, 1024, "%s", host_error_text());
}

static host_status keep_calibration(const replay *p)
{
	const refine_facts *f = &p->facts.refine;
	const scale_facts *scale = &f->scale;
	if (!p->options->keep_calibration || (!f->done && p->result.interrupted))
		return HOST_OK;
	if (!f->done)
		return host_fail(HOST_DATA, "--keep-calibration: %s was not refined: not written", p->data.folder);
	return calibration_keep(p->options->keep_calibration, &p->data.camera, &f->result, scale->gain_percent, scale->done ? scale->sigma_percent : 0.0);
}

/* Writes all it can, also after a failure of the engine: what was stitched until then is worth keeping. */
static host_status write_outputs(replay *p, host_status stitched)
{
	const replay_options *o = p->options;
	host_status first = HOST_OK;
	char text[1024] = "";
	note_failure(&first, text, stitched);
	note_failure(&first, text, make_mesh(p));
	note_failure(&first, text, refine_rate(p->session, &p->data.camera, p->reference.count ? &p->reference : NULL, p->mesh, &p->facts.refine));
	note_failure(&first, text, keep_calibration(p));
	if (p->facts.mesh.triangle_count) {
		enm_result saved = enm_mesh_save(p->mesh, o->out, p->data.camera.mm_per_unit);
		note_failure(&first, text, host_fail_result(saved, enm_last_error()));
		if (o->also) {
			saved = enm_mesh_save(p->mesh, o->also, p->data.camera.mm_per_unit);
			note_failure(&first, text, host_fail_result(saved, enm_last_error()));
		}
	}
	if (o->trajectory)
		note_failure(&first, text, write_trajectory(p));
	if (o->frame_log)
		note_failure(&first, text, frame_log_write(o->frame_log, &p->data, &p->result));
	if (o->preview && p->facts.mesh.triangle_count)
		note_failure(&first, text, preview_write(o->preview, p->session, &p->facts.mesh, p->def.color));
	note_failure(&first, text, write_report(p));
	if (o->certificate)
		note_failure(&first, text, certificate_write(o->certificate, &p->facts, &p->facts.surface, p->session, &p->facts.mesh));
	if (first)
		return host_fail(first, "%s", text);
	if (p->result.interrupted)
		return host_fail(HOST_INTERRUPTED,
			"interrupted after %zu of %zu frames; what was stitched until then is written",
			p->result.frame_count + p->result.left_out.count, p->end - p->first);
	return report_judge(&p->facts);
}

/* All that uses the session. */
static host_status work(void *user, view *v)
{
	replay *p = user;
	host_status status = stitch(p, v);
	/* --strict promises nothing half done. */
	return status == HOST_USAGE ? status : write_outputs(p, status);
}

static host_status work_in_view(replay *p)
{
	const view_options options = {
		.frames_expected = p->end - p->first,
		.color = p->def.color,
		.stop = p->stop,
		.close_after_s = p->options->view_close_s,
		.screenshot = p->options->view_screenshot,
	};
	return view_run(&options, p->session, work, p);
}

host_status replay_run(const replay_options *o)
{
	replay *p = calloc(1, sizeof *p);
	if (!p)
		return host_fail_memory("the replay");
	p->options = o;
	p->stop = interrupt_watch();
	host_status status = open_references(p);
	if (!status)
		status = open_data(p);
	if (!status)
		status = define_session(p);
	if (!status)
		status = open_engine(p);
	if (!status)
		status = o->view ? work_in_view(p) : work(p, NULL);
	reference_free(&p->reference);
	distances_free(&p->facts.refine.distances);
	quality_free(&p->facts.surface);
	enm_mesh_destroy(&p->mesh);
	enm_session_destroy(&p->session);
	enm_context_destroy(&p->context);
	stitch_free(&p->result);
	dataset_close(&p->data);
	free(p);
	return status;
}
