/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "marks_file.h"
#include "outputs.h"
#include "prepare.h"
#include "progress.h"
#include "reader.h"
#include "render.h"
#include "replay.h"
#include "scale.h"
#include "stitch.h"
#include "view.h"

#define TRUTH_TOLERANCE_S 0.02

typedef struct replay {
	const replay_options *options;
	dataset data;
	size_t first, end, first_usable;
	enm_scale scale;
	scan_settings settings;
	char spill[FILE_PATH_MAX]; /* where none is given */
	bool color;
	double median_mm;
	enm_session_def def;
	enm_context *context;
	enm_session *session;
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
	if (!status && o->all_frames)
		dataset_take_skipped(&p->data);
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

/* A live scan's recording holds how it was defined; what is given here goes before. */
static host_status find_settings(replay *p)
{
	const replay_options *o = p->options;
	p->settings = (scan_settings){.tracker = ENM_TRACKER_FIELD};
	p->color = p->data.has_color;
	host_status status = HOST_OK;
	if (p->data.recording && p->data.recording->settings) {
		bool live;
		status = recorded_settings(p->data.folder, p->data.recording->settings, &live, &p->settings, &p->color);
		if (!status && live)
			host_say("settings: those of the live scan%s", o->voxel_mm > 0.0 || o->truncation_mm > 0.0 ? ", but for the options given" : "");
	}
	if (o->voxel_mm > 0.0)
		p->settings.truncation_mm = 0.0;
	p->settings.voxel_mm = o->voxel_mm > 0.0 ? o->voxel_mm : p->settings.voxel_mm;
	p->settings.truncation_mm = o->truncation_mm > 0.0 ? o->truncation_mm : p->settings.truncation_mm;
	p->settings.tracker = o->tracker >= 0 ? o->tracker : p->settings.tracker;
	p->settings.no_recover = p->settings.no_recover || o->no_recover;
	p->settings.keep_foreign = p->settings.keep_foreign || o->keep_foreign;
	p->settings.close_loops = o->close_loops ? o->close_loops : p->settings.close_loops;
	return status;
}

static host_status define_session(replay *p)
{
	const replay_options *o = p->options;
	host_status status = find_settings(p);
	if (status)
		return status;
	prepare_session(&p->settings, &p->data.camera, p->data.depth_mm_per_unit, p->color, p->median_mm, &p->scale, &p->def);
	prepare_say(p->scale, p->median_mm, &p->def);
	p->def.keep_frames = o->refine >= 0 || p->def.keep_frames;
	if (!o->spill && p->def.keep_frames && o->out && snprintf(p->spill, sizeof p->spill, "%s.%ld.spill", o->out, (long)getpid()) >= (int)sizeof p->spill)
		return host_fail(HOST_USAGE, "--out: its name is too long");
	p->def.frames_spill_path = o->spill ? o->spill : p->def.keep_frames && o->out ? p->spill : NULL;
	return o->start_at_truth ? find_start(p, &p->def.start_world_from_camera) : HOST_OK;
}

static host_status open_engine(replay *p)
{
	char reason[PREPARE_REASON_BYTES];
	host_status status = prepare_device(p->options->device, &p->context, &p->facts.device, reason);
	if (!status)
		status = host_fail_result(enm_session_create(p->context, &p->def, &p->session), enm_last_error());
	if (!status)
		prepare_say_device(&p->facts.device, reason);
	return status;
}

static bool show_frame(void *user, enm_session *session, const stitch_result *so_far)
{
	size_t reported = so_far->tracked + so_far->weak + so_far->lost;
	view_frame(user, session, &so_far->frames[reported - 1].report);
	return !view_is_over(user);
}

static void show_depth(void *user, const enm_frame *frame)
{
	view_depth(user, frame);
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
		.before_frame = v ? show_depth : NULL,
		.after_frame = v ? show_frame : NULL,
		.user = v,
	};
	progress_begin(!p->options->json);
	host_status status = stitch_run(&def, &p->result);
	p->facts.refine.wanted = p->options->refine >= 0;
	if (p->facts.refine.wanted) {
		p->facts.refine.level = (enm_refine_level)p->options->refine;
		p->facts.refine.poses_only = p->options->poses_only;
		p->facts.refine.interrupted = p->result.interrupted;
	}
	if (!status && p->facts.refine.wanted && !p->result.interrupted)
		status = refine_scan(p->session, &p->data.camera, NULL, p->stop, &p->facts.refine);
	p->result.interrupted = p->result.interrupted || p->facts.refine.cancelled;
	progress_end();
	return status;
}

/* Only a picture. */
static host_status write_picture(replay *p, host_status stitched)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data = {0};
	if (stitched)
		return stitched;
	if (p->result.interrupted)
		return host_fail(HOST_INTERRUPTED, "interrupted after %zu of %zu frames: no picture is written", p->result.frame_count, p->end - p->first);
	enm_result result = enm_session_mesh(p->session, &def, &mesh);
	if (result >= 0 && mesh)
		result = enm_mesh_get(mesh, &data);
	host_status status = host_fail_result(result, enm_last_error());
	if (!status)
		status = render_session(p->options->render, p->session, &data);
	enm_mesh_destroy(&mesh);
	return status;
}

static host_status write_outputs(replay *p, host_status stitched)
{
	const replay_options *o = p->options;
	const outputs_def files = {o->out, o->also, o->trajectory, o->frame_log, o->report, o->preview, o->certificate, o->keep_calibration, o->json};
	p->facts.data = &p->data;
	p->facts.result = &p->result;
	p->facts.session_def = p->def;
	p->facts.scale = p->scale;
	const outputs all = {&files, p->context, p->session, &p->facts, p->reference.count ? &p->reference : NULL};
	host_status status = outputs_write(&all, stitched);
	if (status)
		return status;
	if (p->result.interrupted && o->look && !*p->stop)
		return HOST_OK; /* nobody looks any more */
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
	if (p->options->render)
		return write_picture(p, status);
	/* --strict promises nothing half done. */
	return status == HOST_USAGE ? status : write_outputs(p, status);
}

static host_status work_in_view(replay *p)
{
	const replay_options *o = p->options;
	view_options options = {.stop = p->stop, .close_after_s = o->view_close_s, .screenshot = o->view_screenshot,
		.size = {o->view_size[0], o->view_size[1]}};
	char marks[FILE_PATH_MAX];
	host_status status = HOST_OK;
	if (o->look)
		options = *o->look;
	else
		status = marks_file_beside(o->out, marks);
	if (status)
		return status;
	options.frames_expected = p->end - p->first;
	options.color = p->def.color;
	options.scan = &p->def;
	options.context = p->context;
	options.pausable = true;
	options.keep = o->out;
	options.mm_per_unit = p->data.camera.mm_per_unit;
	options.marks = o->look ? options.marks : marks;
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
	enm_session_destroy(&p->session);
	enm_context_destroy(&p->context);
	stitch_free(&p->result);
	dataset_close(&p->data);
	free(p);
	return status;
}
