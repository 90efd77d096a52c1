/* SPDX-License-Identifier: Apache-2.0 */
#include "prepare.h"

#include <stdio.h>
#include <string.h>

#include "device_choice.h"
#include "progress.h"
#include "scale.h"

#define VOXEL_MAX_MM 1e3
#define TRUNCATION_MAX_MM 1.6e4
#define CLOSE_LOOPS_EVERY 200 /* frames */

const char *const loops_names[] = {"auto", "scanning", "end", "never", NULL};

static uint32_t close_loops_every(const scan_settings *s, enm_scale scale)
{
	if (scale != ENM_SCALE_TOOTH || s->close_loops == LOOPS_NEVER)
		return 0;
	return s->close_loops == LOOPS_END ? ENM_CLOSE_LOOPS_AT_END : CLOSE_LOOPS_EVERY;
}

static bool show_finish(void *user, const char *what, double done)
{
	(void)user;
	progress_show(PREPARE_FINISH_FORMAT, 100.0 * done, what);
	return true;
}

void prepare_session(const scan_settings *s, const camera_file *camera, double depth_mm_per_unit, bool color,
	double median_mm, enm_scale *out_scale, enm_session_def *out_def)
{
	*out_scale = median_mm <= SCALE_TOOTH_MAX_MM ? ENM_SCALE_TOOTH : ENM_SCALE_ROOM;
	enm_session_def def = enm_session_def_default(&camera->camera, *out_scale);
	double band_voxels = def.truncation_mm / def.voxel_mm;
	if (s->voxel_mm > 0.0) {
		def.close_loops_moved_mm *= s->voxel_mm / def.voxel_mm;
		def.voxel_mm = s->voxel_mm;
		def.truncation_mm = band_voxels * s->voxel_mm;
	}
	if (s->truncation_mm > 0.0)
		def.truncation_mm = s->truncation_mm;
	def.depth_mm_per_unit = depth_mm_per_unit;
	def.row_time_s = camera->row_time_s;
	def.color = color;
	def.stage_times = true;
	def.recover = def.recover && !s->no_recover;
	def.foreign_bodies = def.foreign_bodies && !s->keep_foreign;
	def.tracker = (enm_tracker)s->tracker;
	def.close_loops_every = close_loops_every(s, *out_scale);
	def.keep_frames = def.close_loops_every > 0;
	def.on_finish = show_finish;
	*out_def = def;
}

loops_when prepare_loops(const enm_session_def *def)
{
	const uint32_t every = def->close_loops_every;
	return every == 0 ? LOOPS_NEVER : every == ENM_CLOSE_LOOPS_AT_END ? LOOPS_END : LOOPS_SCANNING;
}

void prepare_say(enm_scale scale, double median_mm, const enm_session_def *def)
{
	host_say("scale: %s (median depth %.1f mm): voxel %.4g mm, truncation %.4g mm",
		scale == ENM_SCALE_TOOTH ? "tooth" : "room", median_mm, def->voxel_mm, def->truncation_mm);
}

static void print_engine_log(void *user, enm_log_level level, const char *text)
{
	(void)user;
	if (level <= ENM_LOG_WARNING)
		host_warn("%s", text);
	else
		host_say("%s", text);
}

host_status prepare_device(
	const char *wish, enm_context **out_context, enm_device_info *out_device, char out_reason[PREPARE_REASON_BYTES])
{
	enm_context_def def = enm_context_def_default();
	def.log = print_engine_log;
	def.log_level = ENM_LOG_WARNING;
	host_status status = device_wish(wish, &def, out_reason);
	if (status)
		return status;
	enm_result result = enm_context_create(&def, out_context);
	if (result >= 0)
		result = enm_context_device(*out_context, out_device);
	return host_fail_result(result, enm_last_error());
}

void prepare_say_device(const enm_device_info *device, const char *reason)
{
	host_say("device: %s%s%s%s", device->name, *reason ? " (" : "", reason, *reason ? ")" : "");
}

json_t *scan_settings_json(const scan_settings *s, bool color, bool *ok)
{
	json_t *root = json_object();
	json_put(root, "voxel_mm", json_finite(s->voxel_mm), ok);
	json_put(root, "truncation_mm", json_finite(s->truncation_mm), ok);
	json_put(root, "tracker", json_string(s->tracker == ENM_TRACKER_RAYCAST ? "raycast" : "field"), ok);
	json_put(root, "recover", json_boolean(!s->no_recover), ok);
	json_put(root, "keep_foreign", json_boolean(s->keep_foreign), ok);
	json_put(root, "close_loops", json_string(loops_names[s->close_loops]), ok);
	json_put(root, "color", json_boolean(color), ok);
	return root;
}

static host_status read_bool(json_place place, const char *key, bool *out)
{
	const json_t *value = json_object_get(place.object, key);
	if (!json_is_boolean(value))
		return host_fail_file(HOST_USAGE, place.file, "%s: %s: wanted true or false", place.where, key);
	*out = json_is_true(value);
	return HOST_OK;
}

static host_status read_tracker(json_place place, int *out)
{
	const char *name;
	host_status status = json_read_text(place, "tracker", &name);
	if (status)
		return status;
	*out = strcmp(name, "raycast") ? ENM_TRACKER_FIELD : ENM_TRACKER_RAYCAST;
	if (*out == ENM_TRACKER_FIELD && strcmp(name, "field"))
		return host_fail_file(
			HOST_USAGE, place.file, "%s: tracker: '%s' is neither field nor raycast", place.where, name);
	return HOST_OK;
}

static host_status read_loops(json_place place, int *out)
{
	const char *name;
	host_status status = json_read_text(place, "close_loops", &name);
	for (int i = 0; !status && loops_names[i]; i++)
		if (!strcmp(name, loops_names[i])) {
			*out = i;
			return HOST_OK;
		}
	return status ? status : host_fail_file(HOST_USAGE, place.file, "%s: close_loops: '%s' is not auto, scanning, end or never", place.where, name);
}

host_status scan_settings_read(json_place place, scan_settings *out, bool *out_color)
{
	scan_settings s = {0};
	bool recover = true;
	host_status status = json_read_number(place, "voxel_mm", 0.0, VOXEL_MAX_MM, &s.voxel_mm);
	if (!status)
		status = json_read_number(place, "truncation_mm", 0.0, TRUNCATION_MAX_MM, &s.truncation_mm);
	if (!status)
		status = read_tracker(place, &s.tracker);
	if (!status)
		status = read_bool(place, "recover", &recover);
	if (!status)
		status = read_bool(place, "keep_foreign", &s.keep_foreign);
	if (!status)
		status = read_loops(place, &s.close_loops);
	if (!status)
		status = read_bool(place, "color", out_color);
	s.no_recover = !recover;
	if (!status)
		*out = s;
	return status;
}

host_status recorded_settings(const char *file, const char *text, bool *out_live, scan_settings *out, bool *out_color)
{
	char name[512];
	json_t *root = json_loads(text, 0, NULL);
	json_place place = {name, "", root}, live = {0};
	*out_live = false;
	if (!json_is_object(root)) { /* another program's choice */
		json_decref(root);
		return HOST_OK;
	}
	snprintf(name, sizeof name, "%s: header: settings", file);
	host_status status = json_read_object_if(place, "live", &live);
	*out_live = !status && live.object;
	if (*out_live)
		status = scan_settings_read(live, out, out_color);
	json_decref(root);
	return status;
}
