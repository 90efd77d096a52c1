/* SPDX-License-Identifier: Apache-2.0 */
#include "live/run.h"

#include "clock.h"
#include "progress.h"

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
	live *l = live_create(o, engine);
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
		status = live_open_source(l);
		if (!status)
			status = l->model.has_camera ? check_camera(l)
						     : live_model_camera(&l->model, o->session, "--source: camera",
							       l->source.facts.camera_json, l->session.color);
		if (!status)
			status = live_scan_all(l);
	}
	live_destroy(l);
	return status;
}
