/* SPDX-License-Identifier: Apache-2.0 */
#include "live/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"

#define WAIT_FOR_SOURCE_S 60.0
#define FOLDERS_MOST 9999

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

host_status live_open_source(live *l)
{
	const source_open_def def = {.fps = l->o->fps,
		.timeout_s = l->o->wait_s > 0.0 ? l->o->wait_s : WAIT_FOR_SOURCE_S,
		.duration_s = l->o->duration_s,
		.stop = l->stop};
	host_status status = source_open(l->o->source, &def, &l->source);
	return status ? status : check_source(&l->source.facts);
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

live *live_create(const live_options *o, const feed_engine *engine)
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
	l->model.on_finish = live_scan_finishing;
	l->model.finish_user = l;
	return l;
}

void live_destroy(live *l)
{
	source_close(&l->source);
	end_parts(l);
	live_model_free(&l->model);
	free(l);
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
	return live_scan_begin(l);
}

/* A failure of one scan that another may follow: of what was seen, or of its files. */
static bool is_past(host_status status)
{
	return !status || status == HOST_DATA || status == HOST_IO;
}

static host_status scan(void *user, view *v)
{
	live *l = user;
	host_status first = HOST_OK, status = live_scan_run(l, v);
	char text[HOST_TEXT_BYTES] = "";
	host_keep_first(&first, text, status);
	while (is_past(status) && l->capture.counts.end == LIVE_END_NEW_SCAN && !*l->stop) {
		view_restart(v);
		status = begin_again(l);
		if (!status) {
			view_say(v, path_base(l->session.folder));
			status = live_scan_run(l, v);
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

host_status live_scan_all(live *l)
{
	host_status status = live_scan_begin(l);
	if (status)
		return status;
	return l->o->view ? scan_in_view(l) : scan(l, NULL);
}

host_status live_run(const live_options *o, const feed_engine *engine)
{
	live *l = live_create(o, engine);
	if (!l)
		return host_fail_memory("the scan");
	host_status status = live_session_check(o->session);
	if (!status)
		status = live_model_expect_frames(&l->model);
	if (!status)
		status = live_model_device(&l->model, o->device);
	if (!status)
		status = live_open_source(l);
	if (!status)
		status = live_model_camera(&l->model, o->session, "--source: camera", l->source.facts.camera_json,
			l->source.facts.has_color);
	l->color = l->source.facts.has_color;
	if (!status)
		status = create_session(l);
	if (!status)
		status = live_scan_all(l);
	live_destroy(l);
	return status;
}
