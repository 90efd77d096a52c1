/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "file.h"
#include "image.h"
#include "reader.h"

#define PROBED_FRAMES 5
#define RECORDING_EXTENSION ".enmrec"
#define SCENES_PREFIX "frame-"
#define SCENES_SUFFIX ".depth.png"

const char *dataset_layout_name(dataset_layout layout)
{
	switch (layout) {
	case DATASET_FOLDER:
		return "folder form";
	case DATASET_TUM:
		return "TUM RGB-D";
	case DATASET_SEVEN_SCENES:
		return "7-Scenes";
	case DATASET_RECORDING:
		return "recording";
	}
	return "unknown";
}

host_status dataset_add_frame(dataset *d, size_t *capacity, double time_s, const char *depth)
{
	if (d->frame_count == *capacity) {
		size_t wanted = *capacity ? 2 * *capacity : 256;
		dataset_frame *frames = realloc(d->frames, wanted * sizeof *frames);
		if (!frames)
			return host_fail_memory("the list of frames");
		d->frames = frames;
		*capacity = wanted;
	}
	dataset_frame *f = &d->frames[d->frame_count];
	memset(f, 0, sizeof *f);
	f->time_s = time_s;
	f->depth = strdup(depth);
	if (!f->depth)
		return host_fail_memory("the list of frames");
	d->frame_count++;
	return HOST_OK;
}

/* Looks into the folder: is there a frame of the 7-Scenes form? HOST_USAGE when it cannot be read. */
static host_status look_for_scenes(const char *folder, bool *out_found)
{
	*out_found = false;
	DIR *stream = opendir(folder);
	if (!stream)
		return host_fail_file(HOST_USAGE, folder, "cannot read folder: %s", strerror(errno));
	for (struct dirent *entry; !*out_found && (entry = readdir(stream));)
		*out_found = dataset_scenes_number(entry->d_name) >= 0;
	closedir(stream);
	return HOST_OK;
}

static bool folder_has(const char *folder, const char *name)
{
	char path[FILE_PATH_MAX];
	return !path_join(folder, name, path) && file_exists(path);
}

static host_status find_layout(const char *folder, dataset_layout *out)
{
	bool scenes;
	if (!file_exists(folder))
		return host_fail_file(HOST_USAGE, folder, "missing");
	if (!file_is_folder(folder)) {
		*out = DATASET_RECORDING;
		return path_has_extension(folder, RECORDING_EXTENSION)
			       ? HOST_OK
			       : host_fail_file(HOST_USAGE, folder, "is neither a folder nor a recording (*.enmrec)");
	}
	host_status status = look_for_scenes(folder, &scenes);
	if (status)
		return status;
	bool camera = folder_has(folder, "camera.json");
	if (folder_has(folder, "depth.txt"))
		*out = camera ? DATASET_FOLDER : DATASET_TUM;
	else if (scenes)
		*out = DATASET_SEVEN_SCENES;
	else if (camera)
		return host_fail_file(HOST_USAGE, folder, "depth.txt: missing beside camera.json");
	else
		return host_fail_file(HOST_USAGE, folder,
			"no known layout: neither depth.txt (folder form, TUM RGB-D) nor " SCENES_PREFIX
			"NNNNNN" SCENES_SUFFIX " (7-Scenes)");
	return HOST_OK;
}

double dataset_zero_s(const dataset *d, size_t first)
{
	while (first + 1 < d->frame_count && d->frames[first].fault == DATASET_FAULT_TIME)
		first++;
	return d->frames[first].time_s;
}

/* Times that do not grow leave their frame out; the first one of a repeated time stays. */
static void leave_out_late_frames(dataset *d)
{
	const dataset_frame *last = NULL;
	for (size_t i = 0; i < d->frame_count; i++) {
		dataset_frame *f = &d->frames[i];
		if (f->fault)
			continue;
		if (last && f->time_s - last->time_s < DATASET_STEP_MIN_S) {
			f->fault = DATASET_FAULT_ORDER;
			f->after_s = last->time_s;
		} else {
			last = f;
		}
	}
}

void dataset_fault_text(const dataset_frame *f, char out[DATASET_REASON_BYTES])
{
	*out = '\0';
	if (f->fault == DATASET_FAULT_TIME)
		snprintf(out, DATASET_REASON_BYTES, "timestamp is NaN, infinite or beyond 4.5e9 s");
	else if (f->fault == DATASET_FAULT_ORDER)
		snprintf(out, DATASET_REASON_BYTES, "timestamp %.6f %s %.6f", f->time_s,
			f->time_s < f->after_s ? "runs backward: it follows" : "repeats", f->after_s);
}

/* A camera of another size than all of the first pictures is a mistake in the camera, not in the frames. */
static host_status check_camera_size(const dataset *d)
{
	const enm_camera *c = &d->camera.camera;
	uint32_t width = 0, height = 0;
	if (d->recording) /* packets tell their size when they are read */
		return HOST_OK;
	for (size_t i = 0; i < d->frame_count && i < PROBED_FRAMES; i++) {
		char path[FILE_PATH_MAX];
		uint32_t w, h;
		if (path_join(d->folder, d->frames[i].depth, path) || image_read_size(path, &w, &h))
			continue;
		if (w == c->width && h == c->height)
			return HOST_OK;
		width = w;
		height = h;
	}
	if (!width)
		return HOST_OK;
	return host_fail_file(HOST_USAGE, d->folder, "camera: width, height: %ux%u, but the depth pictures are %ux%u",
		c->width, c->height, width, height);
}

static host_status open_layout(dataset *d, const char *camera_path)
{
	host_status status = HOST_OK;
	switch (d->layout) {
	case DATASET_FOLDER:
	case DATASET_TUM:
		status = dataset_read_lists(d);
		break;
	case DATASET_SEVEN_SCENES:
		status = dataset_read_scenes(d);
		break;
	case DATASET_RECORDING:
		return dataset_open_recording(d, camera_path);
	}
	/* The camera comes second: 7-Scenes guesses it from a picture. */
	return status ? status : dataset_find_camera(d, camera_path);
}

host_status dataset_open(const char *folder, const char *camera_path, dataset *out)
{
	memset(out, 0, sizeof *out);
	host_status status = find_layout(folder, &out->layout);
	if (status)
		return status;
	out->folder = strdup(folder);
	if (!out->folder)
		return host_fail_memory(folder);
	status = open_layout(out, camera_path);
	if (!status && !out->frame_count)
		status = host_fail_file(
			HOST_USAGE, folder, out->recording ? "holds no frame" : "depth.txt: lists no frame");
	if (!status)
		status = check_camera_size(out);
	if (status) {
		dataset_close(out);
		return status;
	}
	out->depth_mm_per_unit = out->camera.mm_per_unit / out->camera.depth_scale;
	out->unit = out->camera.mm_per_unit == 1.0 ? "mm" : "m";
	leave_out_late_frames(out);
	return HOST_OK;
}

void dataset_close(dataset *d)
{
	for (size_t i = 0; i < d->frame_count; i++) {
		free(d->frames[i].depth);
		free(d->frames[i].color);
	}
	free(d->frames);
	free(d->folder);
	recording_close(&d->recording);
	memset(d, 0, sizeof *d);
}

void dataset_take_skipped(dataset *d)
{
	for (size_t i = 0; i < d->frame_count; i++)
		d->frames[i].skipped = false;
}

const char *dataset_no_reading(const uint16_t *depth, size_t count)
{
	uint16_t first = depth[0];
	if (first != 0 && first != UINT16_MAX)
		return NULL;
	for (size_t i = 1; i < count; i++)
		if (depth[i] != 0 && depth[i] != UINT16_MAX)
			return NULL;
	for (size_t i = 1; i < count; i++)
		if (depth[i] != first)
			return "no reading: every pixel is 0 or 65535";
	return first ? "no reading: every pixel is 65535" : "no reading: every pixel is 0";
}

static void keep_reason(char out[DATASET_REASON_BYTES], const char *reason)
{
	snprintf(out, DATASET_REASON_BYTES, "%s", reason);
}

static void read_color(const dataset *d, const dataset_frame *f, uint8_t *out_rgb, dataset_reading *out)
{
	char path[FILE_PATH_MAX];
	const enm_camera *c = &d->camera.camera;
	if (path_join(d->folder, f->color, path) || image_read_rgb(path, c->width, c->height, out_rgb))
		keep_reason(out->color_reason, host_error_reason());
	else
		out->has_color = true;
}

void dataset_load_frame(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out)
{
	memset(out, 0, sizeof *out);
	const dataset_frame *f = &d->frames[index];
	const enm_camera *c = &d->camera.camera;
	size_t count = (size_t)c->width * c->height;
	char path[FILE_PATH_MAX];
	if (d->recording) {
		dataset_load_recorded(d, index, out_depth, out_rgb, out);
		return;
	}
	if (path_join(d->folder, f->depth, path) || image_read_depth(path, c->width, c->height, out_depth)) {
		keep_reason(out->reason, host_error_reason());
		return;
	}
	if (d->max_is_no_reading)
		for (size_t i = 0; i < count; i++)
			if (out_depth[i] == UINT16_MAX)
				out_depth[i] = 0;
	out->usable = true;
	if (out_rgb && f->color)
		read_color(d, f, out_rgb, out);
}

void dataset_read_frame(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out)
{
	const dataset_frame *f = &d->frames[index];
	if (f->fault) {
		memset(out, 0, sizeof *out);
		dataset_fault_text(f, out->reason);
		return;
	}
	dataset_load_frame(d, index, out_depth, out_rgb, out);
	const char *reason =
		out->usable ? dataset_no_reading(out_depth, (size_t)d->camera.camera.width * d->camera.camera.height)
			    : NULL;
	if (!reason)
		return;
	memset(out, 0, sizeof *out);
	keep_reason(out->reason, reason);
}

host_status dataset_read_truth(const dataset *d, trajectory *out)
{
	memset(out, 0, sizeof *out);
	if (d->layout == DATASET_SEVEN_SCENES)
		return dataset_read_scenes_truth(d, out);
	if (d->recording)
		return dataset_read_recorded_truth(d, out);
	char path[FILE_PATH_MAX];
	host_status status = path_join(d->folder, "groundtruth.txt", path);
	return status ? status : trajectory_read(path, d->camera.mm_per_unit, out);
}
