/* SPDX-License-Identifier: Apache-2.0
 * Frames of a vendor's shared library, checked. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "facts.h"
#include "file.h"
#include "notices.h"
#include "plugin_library.h"
#include "source.h"

#define CAMERA_BYTES_MAX ((size_t)1 << 20)
#define OPEN_SLICE_S 0.25   /* that `open` may wait in a row, so that the user can end it */
#define PAUSE_S 0.001       /* before a call that came back early is made again */
#define OVERSTAY_S 0.2      /* beyond the time given, then people are told */
#define STEP_MAX (1u << 20) /* of a frame's number: more is no count of frames */
#define TIME_MAX_S 9e9      /* in nanoseconds it has to fit into 64 bits */

typedef struct plugin_counts {
	uint64_t frames, lost, bad_number, bad_time, bad_color, overstayed;
} plugin_counts;

typedef struct plugin_source {
	char path[FILE_PATH_MAX];
	plugin_library library;
	void *handle; /* the plugin's */
	bool is_open;
	source_facts facts;
	notices notices;
	plugin_counts counts;
	double longest_s;   /* that a call took beyond its time */
	uint64_t bad_run;   /* frames left out in a row */
	bool any;           /* a frame was given out: */
	uint64_t number;    /* its number */
	double time_s;      /* and time */
	source_state state; /* SOURCE_END and SOURCE_FAILED are for good */
	char failure[ENAMEL_PLUGIN_ERROR_BYTES + 64];
} plugin_source;

static void pause_a_moment(void)
{
	const struct timespec moment = {0, (long)(1e9 * PAUSE_S)};
	nanosleep(&moment, NULL);
}

/* Told at the first time, and when one took longer than any before by as much again. */
static void note_overstay(plugin_source *s, const char *call, double given_s, double took_s)
{
	if (took_s <= given_s + OVERSTAY_S)
		return;
	s->counts.overstayed++;
	if (took_s - given_s < 2.0 * s->longest_s)
		return;
	s->longest_s = took_s - given_s;
	notices_add(&s->notices, "%s: %s took %.2f s instead of at most %.2f s; all else waited for it", s->path, call,
		took_s, given_s);
}

static const char *reason_of(int32_t code, const char *error, char out[64])
{
	if (code == ENAMEL_PLUGIN_FAILED)
		return *error ? error : "failed and does not say why";
	snprintf(out, 64, "returned %" PRId32 ", which means nothing", code);
	return out;
}

static host_status call_open(plugin_source *s, const char *text, double fps, double slice_s, int32_t *out_code,
	enamel_plugin_facts *out_facts)
{
	char error[ENAMEL_PLUGIN_ERROR_BYTES] = "", unknown[64];
	*out_facts = (enamel_plugin_facts){.size = sizeof *out_facts};
	double began_s = clock_s();
	s->handle = NULL;
	*out_code = s->library.table.open(text, fps, slice_s, &s->handle, out_facts, error);
	error[sizeof error - 1] = 0;
	note_overstay(s, "open", slice_s, clock_s() - began_s);
	s->is_open = *out_code == ENAMEL_PLUGIN_OK;
	if (s->is_open || *out_code == ENAMEL_PLUGIN_WAIT)
		return HOST_OK;
	notices_clean(error);
	return host_fail_file(HOST_USAGE, s->path, "open: %s", reason_of(*out_code, error, unknown));
}

static host_status open_scanner(
	plugin_source *s, const source_open_def *def, const char *text, enamel_plugin_facts *out_facts)
{
	double deadline_s = def->timeout_s > 0.0 ? clock_s() + def->timeout_s : HUGE_VAL;
	for (;;) {
		int32_t code;
		double slice_s = fmax(0.0, fmin(OPEN_SLICE_S, deadline_s - clock_s()));
		host_status status = call_open(s, text, def->fps, slice_s, &code, out_facts);
		if (status || s->is_open)
			return status;
		if (def->stop && *def->stop)
			return host_fail_file(HOST_INTERRUPTED, s->path, "interrupted before the scanner was ready");
		if (clock_s() >= deadline_s)
			return host_fail_file(
				HOST_USAGE, s->path, "open: the scanner is not ready within %.6g s", def->timeout_s);
		pause_a_moment();
	}
}

static host_status check_rate(const plugin_source *s, const enamel_plugin_facts *told, double wanted_fps)
{
	if (!(told->fps >= 1e-3 && told->fps <= 1e5))
		return host_fail_file(HOST_USAGE, s->path, "fps: %.6g is not within 0.001 to 100000", told->fps);
	if (wanted_fps > 0.0 && !facts_fps_fits(told->fps, wanted_fps))
		return host_fail_file(
			HOST_USAGE, s->path, "fps: delivers %.6g frames/s, --fps says %.6g", told->fps, wanted_fps);
	return HOST_OK;
}

static host_status check_flags(const plugin_source *s, const enamel_plugin_facts *told)
{
	if (told->has_color > 1)
		return host_fail_file(HOST_USAGE, s->path, "has_color: %u is neither 0 nor 1", told->has_color);
	if (told->paced > 1)
		return host_fail_file(HOST_USAGE, s->path, "paced: %u is neither 0 nor 1", told->paced);
	if (told->reserved)
		return host_fail_file(HOST_USAGE, s->path, "reserved: %u is not 0", told->reserved);
	return HOST_OK;
}

/* Takes a copy of what the plugin tells, and trusts none of it. */
static host_status take_camera(plugin_source *s, const enamel_plugin_facts *told)
{
	char name[FILE_PATH_MAX + 16];
	if (!told->camera_json)
		return host_fail_file(HOST_USAGE, s->path, "camera_json: missing");
	size_t size = strnlen(told->camera_json, CAMERA_BYTES_MAX + 1);
	if (size > CAMERA_BYTES_MAX)
		return host_fail_file(HOST_USAGE, s->path, "camera_json: has no end within 1 MiB");
	char *text = strdup(told->camera_json);
	if (!text)
		return host_fail_memory("camera.json");
	snprintf(name, sizeof name, "%s: camera_json", s->path);
	host_status status = facts_from_text(name, text, told->fps, &s->facts);
	const enm_camera *camera = &s->facts.camera.camera;
	if (!status && (camera->width != told->width || camera->height != told->height))
		status = host_fail_file(HOST_USAGE, s->path, "width, height: %ux%u, but camera_json says %ux%u",
			told->width, told->height, camera->width, camera->height);
	s->facts.has_color = told->has_color;
	s->facts.paced = told->paced;
	return status;
}

/* NULL, or why the frame cannot be given out; then it is counted. */
static const char *check_frame(plugin_source *s, const enamel_plugin_frame *f)
{
	if (s->any && (f->number <= s->number || f->number - s->number > STEP_MAX)) {
		s->counts.bad_number++;
		return f->number <= s->number ? "its number is not above the one before"
					      : "its number is more than a million above the one before";
	}
	bool is_time = f->time_s >= -TIME_MAX_S && f->time_s <= TIME_MAX_S;
	if (!is_time || (s->any && f->time_s <= s->time_s)) {
		s->counts.bad_time++;
		return is_time ? "its time is not later than the one before" : "its time is no number of seconds";
	}
	if (f->has_color > s->facts.has_color) {
		s->counts.bad_color++;
		return s->facts.has_color ? "its has_color is neither 0 nor 1"
					  : "it has colour, which the facts denied";
	}
	return NULL;
}

static bool use_frame(plugin_source *s, const enamel_plugin_frame *f, source_frame *out)
{
	const char *reason = check_frame(s, f);
	if (reason) {
		if (!s->bad_run++)
			notices_add(&s->notices, "%s: frame %" PRIu64 " is left out: %s", s->path, f->number, reason);
		return false;
	}
	if (s->bad_run > 1)
		notices_add(&s->notices, "%s: %" PRIu64 " frames in a row were left out", s->path, s->bad_run);
	s->bad_run = 0;
	s->counts.lost += s->any ? f->number - s->number - 1 : 0;
	s->counts.frames++;
	s->any = true;
	out->number = s->number = f->number;
	out->time_s = s->time_s = f->time_s;
	out->has_color = f->has_color;
	out->arrived_s = clock_s();
	return true;
}

static source_state end_with(plugin_source *s, int32_t code, char *error)
{
	char unknown[64];
	s->state = code == ENAMEL_PLUGIN_END ? SOURCE_END : SOURCE_FAILED;
	notices_clean(error);
	if (s->state == SOURCE_FAILED)
		snprintf(s->failure, sizeof s->failure, "next: %s", reason_of(code, error, unknown));
	return s->state;
}

/* One call of the plugin. SOURCE_WAIT also for a frame that was left out. */
static source_state ask_once(plugin_source *s, double timeout_s, source_frame *frame)
{
	char error[ENAMEL_PLUGIN_ERROR_BYTES] = "";
	enamel_plugin_frame f = {
		.size = sizeof f, .depth = frame->depth, .rgb = s->facts.has_color ? frame->rgb : NULL};
	double began_s = clock_s();
	int32_t code = s->library.table.next(s->handle, timeout_s, &f, error);
	error[sizeof error - 1] = 0;
	note_overstay(s, "next", timeout_s, clock_s() - began_s);
	if (code == ENAMEL_PLUGIN_OK)
		return use_frame(s, &f, frame) ? SOURCE_FRAME : SOURCE_WAIT;
	return code == ENAMEL_PLUGIN_WAIT ? SOURCE_WAIT : end_with(s, code, error);
}

static source_state next_frame(void *state, double timeout_s, source_frame *frame)
{
	plugin_source *s = state;
	double deadline_s = clock_s() + timeout_s, left_s = timeout_s;
	source_state answer = s->state;
	while (answer != SOURCE_END && answer != SOURCE_FAILED) {
		answer = ask_once(s, left_s, frame);
		left_s = deadline_s - clock_s();
		if (answer == SOURCE_FRAME || (answer == SOURCE_WAIT && left_s <= 0.0))
			return answer;
		if (answer == SOURCE_WAIT)
			pause_a_moment();
	}
	if (answer == SOURCE_FAILED)
		(void)host_fail_file(HOST_USAGE, s->path, "%s", s->failure);
	return answer;
}

static bool take_notice(void *state, char text[SOURCE_REASON_BYTES])
{
	plugin_source *s = state;
	return notices_take(&s->notices, text);
}

static json_t *make_report(void *state)
{
	const plugin_source *s = state;
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "kind", json_string("plugin"), &ok);
	json_put(root, "file", json_foreign(s->path), &ok);
	json_put(root, "name", json_string(s->library.name), &ok);
	json_put(root, "frames", json_integer((json_int_t)s->counts.frames), &ok);
	json_put(root, "lost_before", json_integer((json_int_t)s->counts.lost), &ok);
	json_put(root, "bad_number", json_integer((json_int_t)s->counts.bad_number), &ok);
	json_put(root, "bad_time", json_integer((json_int_t)s->counts.bad_time), &ok);
	json_put(root, "bad_color", json_integer((json_int_t)s->counts.bad_color), &ok);
	json_put(root, "overstayed", json_integer((json_int_t)s->counts.overstayed), &ok);
	json_put(root, "overstayed_by_s", json_finite(s->longest_s), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

static void destroy(void *state)
{
	plugin_source *s = state;
	if (s->is_open)
		s->library.table.close(s->handle);
	plugin_library_close(&s->library);
	facts_free(&s->facts);
	free(s);
}

static const source_ops ops = {"plugin", next_frame, take_notice, make_report, destroy};

/* FILE.so[,TEXT]; the text is all behind the first comma. */
static host_status parse(plugin_source *s, const char *what, const char **out_text)
{
	size_t length = strcspn(what, ",");
	if (!length || length >= FILE_PATH_MAX)
		return host_fail(HOST_USAGE, "plugin: file: its name is %s", length ? "too long" : "empty");
	memcpy(s->path, what, length);
	*out_text = what + length + (what[length] == ',');
	return HOST_OK;
}

host_status source_open_plugin(const source_open_def *def, source *out)
{
	plugin_source *s = calloc(1, sizeof *s);
	if (!s)
		return host_fail_memory("the source");
	const char *text = "";
	enamel_plugin_facts told;
	host_status status = parse(s, def->what, &text);
	if (!status)
		status = plugin_library_open(s->path, &s->library);
	if (!status)
		status = open_scanner(s, def, text, &told);
	if (!status)
		status = check_rate(s, &told, def->fps);
	if (!status)
		status = check_flags(s, &told);
	if (!status)
		status = take_camera(s, &told);
	if (status) {
		destroy(s);
		return status;
	}
	*out = (source){&ops, s, s->facts};
	return HOST_OK;
}
