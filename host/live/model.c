/* SPDX-License-Identifier: Apache-2.0 */
#include "live/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "progress.h"
#include "reader.h"
#include "scale.h"

/* Before frames come: a device that computes wrongly spoils a scan, and some build a kernel when it first runs, which takes PoCL 17 s in all on a
 * new machine. */
static host_status check_device(enm_context *context)
{
	bool passed = false;
	const enm_result result = enm_context_self_check(context, &passed);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	return passed ? HOST_OK : host_fail(HOST_DEVICE, "the device computes wrongly: %s", enm_last_error());
}

host_status live_model_device(live_model *m, const char *wish)
{
	char reason[PREPARE_REASON_BYTES];
	host_status status = prepare_device(wish, &m->context, &m->facts.device, reason);
	if (!status)
		prepare_say_device(&m->facts.device, reason);
	return status ? status : check_device(m->context);
}

host_status live_model_camera(live_model *m, const char *folder, const char *name, const char *text, bool color)
{
	dataset *d = &m->data;
	host_status status = camera_parse(name, text, &d->camera);
	if (status)
		return status;
	d->layout = DATASET_RECORDING;
	d->folder = strdup(folder);
	d->depth_mm_per_unit = d->camera.mm_per_unit / d->camera.depth_scale;
	d->unit = d->camera.mm_per_unit == 1.0 ? "mm" : "m";
	d->has_color = color;
	m->has_camera = true;
	m->facts.data = d;
	m->facts.result = &m->result;
	return d->folder ? HOST_OK : host_fail_memory("a session");
}

/* So that memory stays flat from the first minute on. */
#define FRAMES_BYTES_MOST (256u << 20)
#define FRAMES_EXPECTED 36000u

static host_status create(
	live_model *m, const live_session *s, double median_mm, const feed_engine *engine, bool keep_frames)
{
	enm_session_def *def = &m->facts.session_def;
	prepare_session(
		&s->settings, &m->data.camera, m->data.depth_mm_per_unit, s->color, median_mm, &m->facts.scale, def);
	enm_session_destroy(&m->session);
	def->keep_frames = def->keep_frames || keep_frames;
	if (def->keep_frames) {
		host_status status = live_session_path(s, "frames.spill", m->spill);
		if (status)
			return status;
		def->frames_spill_path = m->spill;
		def->frames_bytes_max = FRAMES_BYTES_MOST;
		def->frames_expected = FRAMES_EXPECTED;
	}
	if (m->on_finish) {
		def->on_finish = m->on_finish;
		def->finish_user = m->finish_user;
	}
	enm_result result = enm_session_create(m->context, def, &m->session);
	m->feed = (feed){.engine = engine, .session = m->session, .r = &m->result};
	return host_fail_result(result, enm_last_error());
}

/* Pages that nobody touched are not there yet. */
static void *touched(size_t count, size_t bytes)
{
	void *room = malloc(count * bytes);
	return room ? memset(room, 1, count * bytes) : NULL;
}

host_status live_model_expect_frames(live_model *m)
{
	m->data.frames = touched(FRAMES_EXPECTED, sizeof *m->data.frames);
	m->capacity = m->data.frames ? FRAMES_EXPECTED : 0;
	m->result.frames = touched(FRAMES_EXPECTED, sizeof *m->result.frames);
	m->result.frame_capacity = m->result.frames ? FRAMES_EXPECTED : 0;
	return m->capacity && m->result.frame_capacity ? HOST_OK : host_fail_memory("the notes of frames");
}

host_status live_model_expect(live_model *m, const live_session *s, const feed_engine *engine)
{
	return create(m, s, SCALE_TOOTH_MAX_MM, engine, false);
}

host_status live_model_begin(
	live_model *m, const live_session *s, double median_mm, const feed_engine *engine, bool keep_frames)
{
	const enm_scale scale = median_mm <= SCALE_TOOTH_MAX_MM ? ENM_SCALE_TOOTH : ENM_SCALE_ROOM;
	host_status status =
		m->session && scale == m->facts.scale ? HOST_OK : create(m, s, median_mm, engine, keep_frames);
	if (!status)
		prepare_say(scale, median_mm, &m->facts.session_def);
	return status;
}

/* ---- from recordings ---- */

static host_status add_frames(live_model *m, const dataset *part)
{
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < part->frame_count; i++) {
		char name[320];
		snprintf(name, sizeof name, "%.255s: %s", path_base(part->folder), part->frames[i].depth);
		status = dataset_add_frame(&m->data, &m->capacity, part->frames[i].time_s, name);
	}
	return status;
}

static host_status begin_part(live_model *m, const live_session *s, const dataset *part, const feed_engine *engine,
	bool keep_frames, bool *out_usable)
{
	size_t usable;
	double median_mm;
	host_status status = HOST_OK;
	*out_usable = true;
	if (!m->has_camera)
		status = live_model_camera(m, s->folder, part->folder, part->recording->camera, s->color);
	if (!status)
		status = add_frames(m, part);
	if (status || m->session)
		return status;
	status = scale_find(part, 0, part->frame_count, &usable, &median_mm);
	*out_usable = status != HOST_DATA;
	if (status)
		return status == HOST_DATA ? HOST_OK : status;
	return live_model_begin(m, s, median_mm, engine, keep_frames);
}

static host_status rebuild_part(live_model *m, const live_session *s, const dataset *part, const feed_engine *engine,
	bool keep_frames, const volatile sig_atomic_t *stop)
{
	bool usable;
	const size_t base = m->data.frame_count;
	host_status status = begin_part(m, s, part, engine, keep_frames, &usable);
	if (status || !usable)
		return status;
	const double zero_s = dataset_zero_s(&m->data, 0);
	const stitch_def def = {.data = part,
		.end = part->frame_count,
		.color = s->color,
		.shares_cpu = m->facts.device.kind == ENM_DEVICE_CPU,
		.stop = stop,
		.index_base = base,
		.zero_s = &zero_s};
	status = stitch_part(&def, &m->feed);
	return status ? status : feed_wait(&m->feed);
}

/* Says why it is left out: the session takes all frames for pictures of one camera. */
static bool open_part(const live_model *m, const char *path, dataset *out)
{
	if (dataset_open(path, NULL, out)) {
		host_warn("left out: %s", host_error_text());
		return false;
	}
	const char *reason = !out->recording ? "is no recording"
			     : m->has_camera && !camera_is_same(&out->camera, &m->data.camera)
				     ? "its camera is not that of the recordings before it"
				     : NULL;
	if (!reason)
		return true;
	host_warn("left out: %s: %s", path, reason);
	dataset_close(out);
	return false;
}

host_status live_model_rebuild(live_model *m, const live_session *s, const feed_engine *engine, bool keep_frames,
	const volatile sig_atomic_t *stop)
{
	host_status status = HOST_OK;
	for (size_t i = 0; !status && !m->result.interrupted && i < live_session_recordings(s); i++) {
		char path[FILE_PATH_MAX];
		dataset part;
		status = live_session_recording(s, i, path);
		if (status)
			break;
		if (!open_part(m, path, &part))
			continue;
		if (*part.note)
			host_say("%s: %s", path_base(path), part.note);
		status = rebuild_part(m, s, &part, engine, keep_frames, stop);
		dataset_close(&part);
	}
	if (status)
		return status;
	return m->result.interrupted ? host_fail(HOST_INTERRUPTED,
					       "interrupted while the model was built again: the session is as it was")
				     : HOST_OK;
}

/* ---- what is left of it ---- */

static host_status choose(
	const char *wish, const char *folder, const char *name, char path[FILE_PATH_MAX], const char **out)
{
	host_status status = wish ? HOST_OK : path_join(folder, name, path);
	*out = wish ? wish : path;
	return status;
}

host_status live_model_write(live_model *m, const outputs_def *o, const char *folder, json_t *live)
{
	outputs_def files = *o;
	char mesh[FILE_PATH_MAX], poses[FILE_PATH_MAX], report[FILE_PATH_MAX];
	host_status status = choose(o->out, folder, "mesh.ply", mesh, &files.out);
	if (!status)
		status = choose(o->trajectory, folder, "trajectory.txt", poses, &files.trajectory);
	if (!status)
		status = choose(o->report, folder, "report.json", report, &files.report);
	if (status)
		return status;
	m->facts.live = live;
	const outputs all = {&files, m->context, m->session, &m->facts, NULL};
	return outputs_write(&all, HOST_OK);
}

void live_model_renew(live_model *m)
{
	const live_model kept = {.context = m->context,
		.facts.device = m->facts.device,
		.on_finish = m->on_finish,
		.finish_user = m->finish_user};
	enm_session_destroy(&m->session);
	stitch_free(&m->result);
	dataset_close(&m->data);
	*m = kept;
}

void live_model_free(live_model *m)
{
	live_model_renew(m);
	enm_context_destroy(&m->context);
	memset(m, 0, sizeof *m);
}
