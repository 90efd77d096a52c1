/* SPDX-License-Identifier: Apache-2.0
 * Frames of a V4L2 depth camera, and what becomes of the source when its cable is pulled. */
#include "v4l2.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>

#include "facts.h"
#include "file.h"
#include "notices.h"
#include "v4l2_device.h"

#define RETRY_S 0.5         /* between two attempts to open a device that went away */
#define SILENCE_S 5.0       /* without a frame, then people are told */
#define STAMP_AHEAD_S 1.0   /* of the clock: drivers that estimate the exposure's time err by milliseconds */
#define STEP_MAX (1u << 20) /* of the driver's count: more is no count of frames */

typedef struct v4l2_counts {
	uint64_t frames, lost, damaged, not_whole, bad_time, reopened;
} v4l2_counts;

typedef struct v4l2_source {
	const v4l2_system *system;
	char path[FILE_PATH_MAX], camera_path[FILE_PATH_MAX];
	v4l2_wish wish;
	source_facts facts;
	v4l2_device device;        /* closed while it is gone */
	char card[32], driver[16]; /* of the first time it was opened */
	notices notices;
	v4l2_counts counts;

	double gone_s, retry_s;                 /* since when, and when it is looked for again */
	char retry_reason[SOURCE_REASON_BYTES]; /* told last */
	double heard_s;                         /* the last frame, or when streaming began */
	bool silent;                            /* told */
	uint64_t bad_run;                       /* frames left out in a row */

	bool counting;     /* `sequence` is of this stream */
	uint32_t sequence; /* the driver's, of the last buffer */
	uint64_t number;   /* ours, of the next frame if none is lost */
	double time_s;     /* of the last frame given out; below 0: none */
	bool uncounted_told, unstamped_told;
	const char *stamps; /* what the last frame's time is, for the report */
} v4l2_source;

static void begin_stream(v4l2_source *s)
{
	s->heard_s = s->system->now_s();
	s->silent = false;
	s->counting = false;
}

/* The caller has host_error_text(). */
static void lose_device(v4l2_source *s)
{
	v4l2_device_close(&s->device);
	s->gone_s = s->system->now_s();
	s->retry_reason[0] = 0;
	notices_add(&s->notices, "%s; waiting for the device to come back", host_error_text());
}

/* The same path may be another camera's by now, which has another lens and unit. */
static host_status reopen(v4l2_source *s)
{
	host_status status = v4l2_device_open(s->system, &s->wish, &s->device);
	if (!status && strcmp(s->device.card, s->card)) {
		status = host_fail_file(HOST_USAGE, s->path, "is '%s' now and was '%s'", s->device.card, s->card);
		v4l2_device_close(&s->device);
	}
	return status;
}

/* Asks no more often than every RETRY_S, and sleeps until then, at most until the deadline. */
static bool find_device(v4l2_source *s, double deadline_s)
{
	double wait_s = fmin(s->retry_s, deadline_s) - s->system->now_s();
	if (wait_s > 0.0 && s->system->poll(NULL, 0, (int)ceil(1000.0 * wait_s)) < 0)
		return false; /* a signal: the caller may want to end */
	double now_s = s->system->now_s();
	if (now_s < s->retry_s)
		return false;
	s->retry_s = now_s + RETRY_S;
	if (!reopen(s)) {
		s->counts.reopened++;
		notices_add(&s->notices, "%s: the device is back after %.1f s", s->path, now_s - s->gone_s);
		begin_stream(s);
		return true;
	}
	if (strncmp(s->retry_reason, host_error_text(), sizeof s->retry_reason - 1)) {
		snprintf(s->retry_reason, sizeof s->retry_reason, "%s", host_error_text());
		notices_add(&s->notices, "%s", s->retry_reason);
	}
	return false;
}

/* The frame's number, with the gaps of the driver's own count. */
static uint64_t count_frame(v4l2_source *s, uint32_t sequence)
{
	uint32_t step = s->counting ? sequence - s->sequence : 1;
	if (step == 0 || step > STEP_MAX) {
		step = 1;
		if (!s->uncounted_told)
			notices_add(&s->notices, "%s: the driver does not count its frames: lost ones may go unnoticed",
				s->path);
		s->uncounted_told = true;
	}
	s->counting = true;
	s->sequence = sequence;
	s->counts.lost += step - 1;
	s->number += step - 1;
	return s->number++;
}

static double frame_time(v4l2_source *s, const v4l2_taken *taken, double arrived_s)
{
	if (taken->stamped) {
		s->stamps = taken->stamped_at_start ? "start of exposure" : "end of frame";
		return taken->stamp_s;
	}
	s->stamps = "arrival";
	if (!s->unstamped_told)
		notices_add(&s->notices, "%s: the driver gives no usable times: those of arrival are taken", s->path);
	s->unstamped_told = true;
	return arrived_s;
}

static const char *check_time(const v4l2_source *s, double time_s, double arrived_s)
{
	if (!(time_s >= 0.0 && time_s <= arrived_s + STAMP_AHEAD_S))
		return "has a time that is none of the system's clock";
	return time_s > s->time_s ? NULL : "is not later than the one before";
}

/* Told at the first of a row of such frames and, when that ends, how many they were. */
static void leave_out(v4l2_source *s, const v4l2_taken *taken, uint64_t number, const char *reason, bool of_time)
{
	uint64_t *count = of_time ? &s->counts.bad_time : taken->damaged ? &s->counts.damaged : &s->counts.not_whole;
	++*count;
	if (!s->bad_run++)
		notices_add(
			&s->notices, "%s: frame %llu is left out: it %s", s->path, (unsigned long long)number, reason);
}

static void end_bad_run(v4l2_source *s)
{
	if (s->bad_run > 1)
		notices_add(
			&s->notices, "%s: %llu frames in a row were left out", s->path, (unsigned long long)s->bad_run);
	s->bad_run = 0;
}

/* False when the buffer holds nothing that can be given out. */
static bool use_frame(v4l2_source *s, const v4l2_taken *taken, source_frame *frame)
{
	double arrived_s = s->system->now_s();
	s->heard_s = arrived_s;
	s->silent = false;
	uint64_t number = count_frame(s, taken->sequence);
	double time_s = frame_time(s, taken, arrived_s);
	const char *bad_picture = v4l2_device_check(&s->device, taken);
	const char *bad_time = check_time(s, time_s, arrived_s);
	if (bad_picture || bad_time) {
		leave_out(s, taken, number, bad_picture ? bad_picture : bad_time, !bad_picture);
		return false;
	}
	end_bad_run(s);
	v4l2_device_copy(&s->device, taken, frame->depth);
	frame->has_color = false;
	frame->number = number;
	frame->time_s = s->time_s = time_s;
	frame->arrived_s = arrived_s;
	s->counts.frames++;
	return true;
}

static void note_silence(v4l2_source *s)
{
	double silence_s = s->system->now_s() - s->heard_s;
	if (s->silent || silence_s < SILENCE_S)
		return;
	s->silent = true;
	notices_add(&s->notices, "%s: no frame for %.1f s", s->path, silence_s);
}

static source_state next_frame(void *state, double timeout_s, source_frame *frame)
{
	v4l2_source *s = state;
	double deadline_s = s->system->now_s() + timeout_s;
	do {
		v4l2_taken taken;
		if (s->device.descriptor < 0 && !find_device(s, deadline_s))
			return SOURCE_WAIT;
		v4l2_answer answer = v4l2_device_take(&s->device, deadline_s, &taken);
		if (answer == V4L2_NONE) {
			note_silence(s);
			return SOURCE_WAIT;
		}
		bool good = answer == V4L2_TAKEN && use_frame(s, &taken, frame);
		if (answer == V4L2_LOST || !v4l2_device_give_back(&s->device, &taken))
			lose_device(s);
		if (good)
			return SOURCE_FRAME;
	} while (s->system->now_s() < deadline_s);
	return SOURCE_WAIT;
}

static bool take_notice(void *state, char text[SOURCE_REASON_BYTES])
{
	v4l2_source *s = state;
	return notices_take(&s->notices, text);
}

static json_t *make_report(void *state)
{
	const v4l2_source *s = state;
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "kind", json_string("v4l2"), &ok);
	json_put(root, "device", json_foreign(s->path), &ok);
	json_put(root, "card", json_foreign(s->card), &ok);
	json_put(root, "driver", json_foreign(s->driver), &ok);
	json_put(root, "format", json_string(v4l2_format_name(s->wish.pixelformat)), &ok);
	json_put(root, "times", json_string(s->stamps), &ok);
	json_put(root, "present", json_boolean(s->device.descriptor >= 0), &ok);
	json_put(root, "frames", json_integer((json_int_t)s->counts.frames), &ok);
	json_put(root, "lost_before", json_integer((json_int_t)s->counts.lost), &ok);
	json_put(root, "damaged", json_integer((json_int_t)s->counts.damaged), &ok);
	json_put(root, "not_whole", json_integer((json_int_t)s->counts.not_whole), &ok);
	json_put(root, "bad_time", json_integer((json_int_t)s->counts.bad_time), &ok);
	json_put(root, "reopened", json_integer((json_int_t)s->counts.reopened), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

static void destroy(void *state)
{
	v4l2_source *s = state;
	v4l2_device_close(&s->device);
	facts_free(&s->facts);
	free(s);
}

static const source_ops ops = {"v4l2", next_frame, take_notice, make_report, destroy};

static host_status parse_format(const char *value, uint32_t *out)
{
	if (!strcmp(value, "Z16"))
		*out = V4L2_PIX_FMT_Z16;
	else if (!strcmp(value, "Y16"))
		*out = V4L2_PIX_FMT_Y16;
	else
		return host_fail(HOST_USAGE,
			"v4l2: format: '%s' is neither Z16 nor Y16 (16 bits a pixel, little-endian)", value);
	return HOST_OK;
}

static host_status keep_path(const char *name, const char *value, char out[FILE_PATH_MAX])
{
	if (!*value || strlen(value) >= FILE_PATH_MAX)
		return host_fail(HOST_USAGE, "v4l2: %s: its name is %s", name, *value ? "too long" : "empty");
	strcpy(out, value);
	return HOST_OK;
}

/* Ends the text at its first comma; what stands behind it, or NULL. */
static char *cut(char *text)
{
	char *comma = strchr(text, ',');
	if (comma)
		*comma++ = 0;
	return comma;
}

static host_status parse_option(v4l2_source *s, char *text)
{
	char *value = strchr(text, '=');
	if (value)
		*value++ = 0;
	bool camera = !strcmp(text, "camera"), format = !strcmp(text, "format");
	if (value && camera && !*s->camera_path)
		return keep_path("camera", value, s->camera_path);
	if (value && format && !s->wish.pixelformat)
		return parse_format(value, &s->wish.pixelformat);
	return host_fail(HOST_USAGE, "v4l2: '%s' %s (camera=FILE, format=Z16 or format=Y16)", text,
		!camera && !format ? "is no option"
		: value            ? "is given twice"
				   : "has no value");
}

/* DEVICE,camera=FILE[,format=Z16] */
static host_status parse(v4l2_source *s, const char *what)
{
	char *text = strdup(what);
	if (!text)
		return host_fail_memory("--source");
	char *option = cut(text);
	host_status status = keep_path("device", text, s->path);
	while (!status && option) {
		char *next = cut(option);
		status = parse_option(s, option);
		option = next;
	}
	free(text);
	if (!status && !*s->camera_path)
		status = host_fail_file(
			HOST_USAGE, s->path, "camera=FILE is missing: V4L2 tells neither lens nor unit of depth");
	if (!s->wish.pixelformat)
		s->wish.pixelformat = V4L2_PIX_FMT_Z16;
	return status;
}

static host_status open_device(v4l2_source *s, double fps)
{
	const enm_camera *camera = &s->facts.camera.camera;
	s->wish = (v4l2_wish){s->path, s->camera_path, fps > 0.0 ? "--fps" : s->camera_path, camera->width,
		camera->height, s->wish.pixelformat, s->facts.camera.fps};
	host_status status = v4l2_device_open(s->system, &s->wish, &s->device);
	if (status)
		return status;
	snprintf(s->card, sizeof s->card, "%s", s->device.card);
	snprintf(s->driver, sizeof s->driver, "%s", s->device.driver);
	if (s->device.fps == 0.0)
		notices_add(&s->notices, "%s: does not tell its frame rate; taken to be %.6g as %s says", s->path,
			s->wish.fps, s->wish.fps_from);
	begin_stream(s);
	return HOST_OK;
}

host_status source_open_v4l2_by(const v4l2_system *system, const source_open_def *def, source *out)
{
	v4l2_source *s = calloc(1, sizeof *s);
	if (!s)
		return host_fail_memory("the source");
	s->system = system;
	s->device.descriptor = -1;
	s->time_s = -1.0;
	s->stamps = "none yet";
	host_status status = parse(s, def->what);
	if (!status)
		status = facts_from_file(s->camera_path, def->fps, &s->facts);
	if (!status)
		status = open_device(s, def->fps);
	if (status) {
		destroy(s);
		return status;
	}
	s->facts.paced = true;
	*out = (source){&ops, s, s->facts};
	return HOST_OK;
}

host_status source_open_v4l2(const source_open_def *def, source *out)
{
	return source_open_v4l2_by(&v4l2_system_real, def, out);
}
