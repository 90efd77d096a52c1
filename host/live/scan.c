/* SPDX-License-Identifier: Apache-2.0 */
#include "live/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "progress.h"

#define RECORDING_NICE (-5) /* before the engine, where that computes on the same cores */

/* ---- before the first frame ---- */

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
bool live_scan_finishing(void *user, const char *what, double done)
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

/* ---- the scan ---- */

/* With source, session and device at hand: frames are recorded from then on, and the model can take them. */
host_status live_scan_begin(live *l)
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

/* All that uses the session. */
host_status live_scan_run(live *l, view *v)
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
