/* SPDX-License-Identifier: Apache-2.0 */
#include "live/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "json.h"
#include "progress.h"

#define WAIT_FOR_SOURCE_S 60.0
#define FOLDERS_MOST 9999
#define RECORDING_NICE (-5) /* before the engine, where that computes on the same cores */

/* ---- before the first frame ---- */

/* Frames are pushed as camera.json says, from memory as the source says. */
static host_status check_source(const source_facts *f)
{
	camera_file c;
	const enm_camera *camera = &f->camera.camera;
	host_status status = camera_parse("--source: camera", f->camera_json, &c);
	if (!status && (c.camera.width != camera->width || c.camera.height != camera->height))
		status = host_fail(HOST_USAGE, "--source: camera: width, height: %ux%u, but the source's frames are %ux%u",
			c.camera.width, c.camera.height, camera->width, camera->height);
	return status;
}

static host_status open_source(live *l)
{
	const source_open_def def = {.fps = l->o->fps,
		.timeout_s = l->o->wait_s > 0.0 ? l->o->wait_s : WAIT_FOR_SOURCE_S,
		.duration_s = l->o->duration_s,
		.stop = l->stop};
	host_status status = source_open(l->o->source, &def, &l->source);
	return status ? status : check_source(&l->source.facts);
}

/* What a replay needs to give the same bits goes into the recording itself. */
static host_status make_settings(const live *l, char **out)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "source", json_foreign(l->o->source), &ok);
	json_put(root, "session", json_foreign(path_base(l->session.folder)), &ok);
	json_put(root, "color", json_boolean(l->session.color), &ok);
	json_put(root, "live", scan_settings_json(&l->session.settings, l->session.color, &ok), &ok);
	host_status status = ok ? json_text_write(root, out) : host_fail_memory("the header");
	json_decref(root);
	return status;
}

static host_status create_writer(live *l, const char *settings, writer **out)
{
	char program[64];
	const enm_camera *camera = &l->source.facts.camera.camera;
	snprintf(program, sizeof program, "enamel %s", enm_version());
	writer_def def = writer_def_default();
	def.header = (recording_header){l->source.facts.camera_json, settings, program};
	def.width = camera->width;
	def.height = camera->height;
	def.path = l->recording;
	def.descriptor = open(l->recording, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (def.descriptor < 0)
		return host_fail_file(HOST_IO, l->recording, "cannot write: %s", strerror(errno));
	l->descriptor = def.descriptor;
	file_sync_folder(l->recording);
	return writer_create(&def, out);
}

static host_status begin_recording(live *l)
{
	char *settings = NULL;
	const enm_camera *camera = &l->source.facts.camera.camera;
	recorder_def def = {.width = camera->width,
		.height = camera->height,
		.color = l->source.facts.has_color,
		.queue_frames = l->o->record_queue,
		.nice = RECORDING_NICE};
	host_status status = live_session_add_recording(&l->session, l->recording);
	if (!status)
		status = make_settings(l, &settings);
	if (!status)
		status = create_writer(l, settings, &def.writer);
	if (!status)
		status = recorder_create(&def, &l->recorder);
	free(settings);
	if (status && def.writer) {
		char text[512];
		snprintf(text, sizeof text, "%s", host_error_text());
		(void)writer_close(&def.writer, 0, NULL);
		return host_fail(status, "%s", text);
	}
	return status;
}

static host_status begin_capture(live *l)
{
	const source_facts *facts = &l->source.facts;
	l->policy = live_policy_for(facts->camera.fps);
	host_status status = live_queue_create(
		facts->camera.camera.width, facts->camera.camera.height, facts->has_color, &l->policy, &l->queue);
	if (!status)
		status = begin_recording(l);
	if (status)
		return status;
	const live_capture_def def = {.source = &l->source,
		.recorder = l->recorder,
		.queue = l->queue,
		.events = &l->session.events,
		.data = &l->model.data,
		.capacity = &l->model.capacity,
		.left_out = &l->model.result.left_out,
		.fresh = l->fresh,
		.duration_s = l->o->duration_s,
		.stop = l->stop};
	return live_capture_start(&def, &l->capture);
}

/* The scale of a scan comes from its first usable frame; those that follow wait meanwhile. */
static host_status begin_model(live *l, bool resumed)
{
	uint16_t median;
	if (resumed)
		return HOST_OK;
	if (!live_capture_wait_first(&l->capture, &median)) {
		host_status status = live_capture_join(&l->capture);
		if (!status && *l->stop)
			status = host_fail(HOST_INTERRUPTED, "interrupted before a frame came that can be used");
		return status ? status : host_fail(HOST_DATA, "--source: no frame came that can be used");
	}
	return live_model_begin(&l->model, &l->session, median * l->model.data.depth_mm_per_unit, l->engine, false);
}

/* ---- the end ---- */

/* Ends the capture and closes the recording, with its index. */
static host_status close_recording(live *l)
{
	host_status captured = live_capture_stop(&l->capture);
	char text[512];
	snprintf(text, sizeof text, "%s", host_error_text());
	host_status closed = recorder_close(&l->recorder, &l->recorded);
	if (captured)
		return host_fail(captured, "%s", text);
	return closed;
}

static json_t *counts_json(const live *l, const char *ended_by)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "ended_by", json_string(ended_by), &ok);
	json_put(root, "frames", json_integer((json_int_t)(l->frames_before + l->recorded.written.frames)), &ok);
	json_put(root, "refused", json_integer((json_int_t)l->capture.counts.refused), &ok);
	json_put(root, "skipped", json_integer((json_int_t)live_queue_look(l->queue).skipped), &ok);
	return root;
}

/* The engine's thread is stuck in the driver and cannot be helped: what was recorded is made safe, and the process
 * goes. */
static void end_hung(void *user)
{
	live *l = user;
	char text[128];
	snprintf(text, sizeof text, "the device hangs: nothing was done for %.1f s while %s", l->o->hang_s,
		l->finishing ? "the scan was brought to its end" : "frames were with it");
	live_event_text(&l->session.events, "device hangs", text);
	host_status status = close_recording(l);
	if (status)
		host_warn("%s", host_error_text());
	if (live_session_save(&l->session, "hung", counts_json(l, "device hangs")))
		host_warn("%s", host_error_text());
	live_events_flush(&l->session.events);
	source_close(&l->source); /* what it has put into the file system */
	host_fail(HOST_DEVICE, "%s; the recording is closed, and 'enamel resume %s' builds the model again", text,
		l->session.folder);
	_exit(host_report_failure(HOST_DEVICE));
}

/* What is missing in the recording is an error, however good the model is. */
static host_status judge_recording(const live *l)
{
	const live_capture_counts *c = &l->capture.counts;
	if (c->refused)
		return host_fail_file(HOST_IO, l->recording,
			"%llu of %llu frames are missing in the recording: the disk did not keep up (events.jsonl "
			"names them)",
			(unsigned long long)c->refused, (unsigned long long)c->captured);
	if (l->recorded.notes_refused)
		return host_fail_file(HOST_IO, l->recording,
			"does not say of %llu frames what became of them, so that a replay may give other bits: the "
			"disk did not keep up",
			(unsigned long long)l->recorded.notes_refused);
	return HOST_OK;
}

static host_status write_outputs(live *l)
{
	host_status first = HOST_OK;
	char text[HOST_TEXT_BYTES] = "";
	json_t *report = live_report_json(l);
	if (!report)
		host_keep_first(&first, text, host_fail_memory("what the report says of the live scan"));
	l->model.result.skipped += live_queue_look(l->queue).skipped;
	host_keep_first(&first, text, live_model_write(&l->model, &l->files, l->session.folder, report));
	if (report && !l->files.json)
		live_report_print(l, report);
	json_decref(report);
	return first ? host_fail(first, "%s", text) : HOST_OK;
}

/* Of enm_session_finish: that it calls is no progress, that it has got on is. */
static bool watch_finish(void *user, const char *what, double done)
{
	live *l = user;
	char text[64];
	snprintf(text, sizeof text, PREPARE_FINISH_FORMAT, 100.0 * done, what);
	if (l->finishing)
		live_watch_pause(&l->watch, true);
	progress_show("%s", text);
	if (l->finishing) {
		live_watch_pause(&l->watch, false);
		live_watch_mark(&l->watch, true, done != l->finished);
	}
	view_say(l->pump.view, text);
	l->finished = done;
	return true;
}

static host_status finish_watched(live *l)
{
	progress_begin(!l->files.json);
	l->finishing = true;
	live_watch_scanned(&l->watch);
	host_status status = feed_finish(&l->model.feed);
	live_watch_mark(&l->watch, false, true);
	progress_end();
	return status;
}

/* Does all that is left to do, whatever fails. */
static host_status end_scan(live *l, host_status pumped)
{
	host_status first = HOST_OK;
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, pumped);
	host_keep_first(&first, text, close_recording(l));
	if (!pumped)
		host_keep_first(&first, text, finish_watched(l));
	live_watch_end(&l->watch);
	feed_settle(&l->model.result);
	const char *state = first ? "failed" : "complete", *ended_by = live_ends[l->capture.counts.end];
	host_keep_first(&first, text, write_outputs(l));
	live_event_text(&l->session.events, "ended", ended_by);
	host_keep_first(&first, text, live_session_save(&l->session, state, counts_json(l, ended_by)));
	if (first)
		return host_fail(first, "%s", text);
	host_status status = judge_recording(l);
	return status ? status : report_judge(&l->model.facts);
}

/* After a failure before the loop: what was recorded until then stays. */
static host_status give_up(live *l, host_status status)
{
	host_status first = HOST_OK;
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, status);
	host_status closed = close_recording(l);
	if (strcmp(text, host_error_text())) /* else it is the capture's, told already */
		host_keep_first(&first, text, closed);
	live_event_text(&l->session.events, "failed", text);
	host_keep_first(
		&first, text, live_session_save(&l->session, "failed", l->queue ? counts_json(l, "failure") : NULL));
	return host_fail(first, "%s", text);
}

/* With source, session and device at hand: frames are recorded from then on, and the model can take them. */
static host_status begin_scan(live *l)
{
	const bool resumed = l->model.session != NULL;
	host_status status = resumed ? HOST_OK : live_model_expect(&l->model, &l->session, l->engine);
	if (!status && l->files.out)
		snprintf(l->mesh, sizeof l->mesh, "%s", l->files.out);
	else if (!status)
		status = path_join(l->session.folder, "mesh.ply", l->mesh);
	if (!status)
		status = begin_capture(l);
	if (!status)
		status = begin_model(l, resumed);
	if (status)
		return give_up(l, status);
	l->watch = (live_watch){.hang_s = l->o->hang_s, .on_hang = end_hung, .user = l};
	status = live_watch_begin(&l->watch);
	return status ? give_up(l, status) : HOST_OK;
}

/* ---- one scan after another ---- */

/* Two CPU cores that keep up with 30 frames/s have no time left to fuse all frames again beside them. */
static host_status create_session(live *l)
{
	const enm_device_info *device = &l->model.facts.device;
	if (l->settings.close_loops == LOOPS_AUTO)
		l->settings.close_loops = device->kind == ENM_DEVICE_CPU ? LOOPS_END : LOOPS_SCANNING;
	return live_session_create(l->folder, l->o->source, device->name, &l->settings, l->color, &l->session);
}

/* The next scan's folder: "SESSION-2", or the first number after it that is free. */
static host_status find_folder(live *l)
{
	struct stat there;
	size_t stem = strlen(l->o->session);
	while (stem > 1 && l->o->session[stem - 1] == '/')
		stem--;
	for (int n = 2; n <= FOLDERS_MOST; n++) {
		if (snprintf(l->folder, sizeof l->folder, "%.*s-%d", (int)stem, l->o->session, n) >= (int)sizeof l->folder)
			return host_fail(HOST_USAGE, "--session: its name is too long");
		if (lstat(l->folder, &there) && errno == ENOENT)
			return HOST_OK;
	}
	return host_fail_file(HOST_IO, l->o->session, "%d scans lie beside it already", FOLDERS_MOST);
}

static void end_parts(live *l)
{
	live_pump_free(&l->pump);
	live_queue_destroy(&l->queue);
	live_session_close(&l->session);
	if (l->descriptor > 0)
		close(l->descriptor);
	l->descriptor = 0;
}

/* Another scan from the same source, whose outputs all go into a folder of its own. */
static host_status begin_again(live *l)
{
	l->settings = l->session.settings;
	l->color = l->session.color;
	end_parts(l);
	live_model_renew(&l->model);
	l->fresh = true;
	l->files = (outputs_def){.json = l->files.json};
	l->recorded = (recorder_stats){0};
	l->frames_before = 0;
	l->finishing = false;
	host_status status = find_folder(l);
	if (!status)
		status = live_model_expect_frames(&l->model);
	if (!status)
		status = live_model_camera(&l->model, l->folder, "--source: camera", l->source.facts.camera_json, l->color);
	if (!status)
		status = create_session(l);
	if (status)
		return status;
	host_say("a new scan: %s", l->folder);
	return begin_scan(l);
}

/* All that uses the session. */
static host_status scan_once(live *l, view *v)
{
	l->pump = (live_pump){.feed = &l->model.feed,
		.queue = l->queue,
		.capture = &l->capture,
		.recorder = l->recorder,
		.events = &l->session.events,
		.watch = &l->watch,
		.view = v,
		.color = l->session.color,
		.shares_cpu = l->model.facts.device.kind == ENM_DEVICE_CPU};
	progress_begin(!l->files.json);
	host_status status = live_pump_run(&l->pump);
	progress_end();
	return end_scan(l, status);
}

/* A failure of one scan that another may follow: of what was seen, or of its files. */
static bool is_past(host_status status)
{
	return !status || status == HOST_DATA || status == HOST_IO;
}

static host_status scan(void *user, view *v)
{
	live *l = user;
	host_status first = HOST_OK, status = scan_once(l, v);
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, status);
	while (is_past(status) && l->capture.counts.end == LIVE_END_NEW_SCAN && !*l->stop) {
		view_restart(v);
		status = begin_again(l);
		if (!status) {
			view_say(v, path_base(l->session.folder));
			status = scan_once(l, v);
		}
		host_keep_first(&first, text, status);
	}
	return first ? host_fail(first, "%s", text) : HOST_OK;
}

static host_status scan_in_view(live *l)
{
	const view_options options = {
		.color = l->session.color,
		.stop = l->stop,
		.close_after_s = l->o->view_close_s,
		.screenshot = l->o->view_screenshot,
		.size = {l->o->view_size[0], l->o->view_size[1]},
		.scan = &l->model.facts.session_def,
		.context = l->model.context,
		.pausable = true,
		.goes_on = true,
		.renewable = true,
		.keep = l->mesh,
		.mm_per_unit = l->model.data.camera.mm_per_unit,
	};
	return view_run(&options, l->model.session, scan, l);
}

static host_status scan_live(live *l)
{
	host_status status = begin_scan(l);
	if (status)
		return status;
	return l->o->view ? scan_in_view(l) : scan(l, NULL);
}

static live *create(const live_options *o, const feed_engine *engine)
{
	live *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->o = o;
	l->files = o->files;
	l->settings = o->settings;
	snprintf(l->folder, sizeof l->folder, "%s", o->session);
	l->engine = engine;
	l->stop = interrupt_watch_both();
	l->model.on_finish = watch_finish;
	l->model.finish_user = l;
	return l;
}

static void destroy(live *l)
{
	source_close(&l->source);
	end_parts(l);
	live_model_free(&l->model);
	free(l);
}

host_status live_run(const live_options *o, const feed_engine *engine)
{
	live *l = create(o, engine);
	if (!l)
		return host_fail_memory("the scan");
	host_status status = live_session_check(o->session);
	if (!status)
		status = live_model_expect_frames(&l->model);
	if (!status)
		status = live_model_device(&l->model, o->device);
	if (!status)
		status = open_source(l);
	if (!status)
		status = live_model_camera(&l->model, o->session, "--source: camera", l->source.facts.camera_json,
			l->source.facts.has_color);
	l->color = l->source.facts.has_color;
	if (!status)
		status = create_session(l);
	if (!status)
		status = scan_live(l);
	destroy(l);
	return status;
}

/* ---- resume ---- */

static host_status check_camera(const live *l)
{
	camera_file c;
	host_status status = camera_parse("--source: camera", l->source.facts.camera_json, &c);
	if (status)
		return status;
	if (!camera_is_same(&c, &l->model.data.camera))
		return host_fail(HOST_USAGE, "--source: its camera is not that of the session");
	if (l->session.color && !l->source.facts.has_color)
		return host_fail(HOST_USAGE, "--source: has no colour, which the session has");
	return HOST_OK;
}

static host_status write_rebuilt(live *l)
{
	host_status first = HOST_OK;
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, feed_finish(&l->model.feed));
	feed_settle(&l->model.result);
	const char *state = first ? "failed" : "complete";
	host_keep_first(&first, text, live_model_write(&l->model, &l->files, l->session.folder, NULL));
	live_event_text(&l->session.events, "ended", "rebuilt");
	host_keep_first(&first, text, live_session_save(&l->session, state, NULL));
	return first ? host_fail(first, "%s", text) : report_judge(&l->model.facts);
}

static host_status rebuild(live *l)
{
	const double begun_s = clock_s();
	progress_begin(!l->files.json);
	host_status status = live_model_rebuild(&l->model, &l->session, l->engine, false, l->stop);
	progress_end();
	l->frames_before = l->model.data.frame_count;
	if (!status)
		host_say("built again from %zu recordings: %zu frames in %.1f s", live_session_recordings(&l->session),
			l->frames_before, clock_s() - begun_s);
	return status;
}

host_status live_resume(const live_options *o, const feed_engine *engine)
{
	live *l = create(o, engine);
	if (!l)
		return host_fail_memory("the scan");
	host_status status = live_session_open(o->session, &l->session);
	if (!status)
		status = live_model_expect_frames(&l->model);
	if (!status)
		status = live_model_device(&l->model, o->device);
	if (!status)
		status = rebuild(l);
	if (!status && !o->source)
		status = l->model.session
				 ? write_rebuilt(l)
				 : host_fail_file(HOST_DATA, o->session, "no frame of the session can be used");
	if (!status && o->source) {
		live_event_text(&l->session.events, "resumed", o->source);
		status = open_source(l);
		if (!status)
			status = l->model.has_camera ? check_camera(l)
						     : live_model_camera(&l->model, o->session, "--source: camera",
							       l->source.facts.camera_json, l->session.color);
		if (!status)
			status = scan_live(l);
	}
	destroy(l);
	return status;
}
