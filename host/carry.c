/* SPDX-License-Identifier: Apache-2.0 */
#include "carry.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "json.h"

static host_status read_text(const char *path, char **out)
{
	size_t size;
	return file_read(path, (size_t)FILE_PLAIN_MAX, (uint8_t **)out, &size);
}

static host_status make_settings(const dataset *d, char **out)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "source", json_string(dataset_layout_name(d->layout)), &ok);
	json_put(root, "dataset", json_foreign(path_base(d->folder)), &ok);
	json_put(root, "frames", json_integer((json_int_t)d->frame_count), &ok);
	json_put(root, "color", json_boolean(d->has_color), &ok);
	host_status status = ok ? json_text_write(root, out) : host_fail_memory("the header");
	json_decref(root);
	return status;
}

host_status carry_header_make(const dataset *d, const char *camera_path, carry_header *out)
{
	char path[FILE_PATH_MAX];
	host_status status = HOST_OK;
	if (camera_path) {
		status = read_text(camera_path, &out->camera);
	} else if (d->layout == DATASET_FOLDER) {
		status = path_join(d->folder, "camera.json", path);
		if (!status)
			status = read_text(path, &out->camera);
	} else {
		status = camera_to_text(&d->camera, &out->camera);
	}
	return status ? status : make_settings(d, &out->settings);
}

void carry_header_free(carry_header *h)
{
	free(h->camera);
	free(h->settings);
	memset(h, 0, sizeof *h);
}

writer_def carry_writer_def(const dataset *d, const carry_header *h)
{
	static char program[64];
	snprintf(program, sizeof program, "enamel %s", enm_version());
	writer_def def = writer_def_default();
	def.header = (recording_header){h->camera, h->settings, program};
	def.width = d->camera.camera.width;
	def.height = d->camera.camera.height;
	return def;
}

static bool is_list(const char *name)
{
	return !strcmp(name, "camera.json") || !strcmp(name, "depth.txt") || !strcmp(name, "rgb.txt");
}

static int is_carried(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !is_list(entry->d_name);
}

static host_status carry_plain_files(const dataset *d, writer *w)
{
	struct dirent **names;
	int count = scandir(d->folder, &names, is_carried, alphasort);
	if (count < 0)
		return host_fail_file(HOST_USAGE, d->folder, "cannot read folder: %s", strerror(errno));
	host_status status = HOST_OK;
	for (int i = 0; i < count; i++) {
		char path[FILE_PATH_MAX];
		struct stat info;
		uint8_t *bytes = NULL;
		size_t size;
		if (!status)
			status = path_join(d->folder, names[i]->d_name, path);
		if (!status && !stat(path, &info) && S_ISREG(info.st_mode)) {
			status = file_read(path, (size_t)FILE_PLAIN_MAX, &bytes, &size);
			if (!status)
				status = writer_file(w, names[i]->d_name, bytes, size);
		}
		free(bytes);
		free(names[i]);
	}
	free(names);
	return status;
}

/* 7-Scenes counts frames instead of seconds. */
static double seconds_of(const dataset *d, double time)
{
	return d->layout == DATASET_SEVEN_SCENES ? time / d->camera.fps : time;
}

static host_status carry_scenes_truth(const dataset *d, writer *w)
{
	trajectory truth;
	host_status status = dataset_read_truth(d, &truth);
	if (status)
		return status;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	for (size_t i = 0; i < truth.count; i++)
		truth.poses[i].time_s = seconds_of(d, truth.poses[i].time_s);
	if (stream)
		trajectory_print(stream, d->camera.mm_per_unit, &truth);
	if (!stream || fclose(stream))
		status = host_fail_memory("the true poses");
	if (!status)
		status = writer_file(w, "groundtruth.txt", (const uint8_t *)text, size);
	free(text);
	trajectory_free(&truth);
	return status;
}

host_status carry_files(const dataset *d, writer *w)
{
	if (d->layout != DATASET_SEVEN_SCENES)
		return carry_plain_files(d, w);
	return d->has_truth ? carry_scenes_truth(d, w) : HOST_OK;
}

host_status carry_buffer_make(const dataset *d, carry_buffer *out)
{
	size_t pixels = (size_t)d->camera.camera.width * d->camera.camera.height;
	out->depth = malloc(pixels * sizeof *out->depth);
	out->rgb = d->has_color ? malloc(3 * pixels) : NULL;
	if (out->depth && (out->rgb || !d->has_color))
		return HOST_OK;
	carry_buffer_free(out);
	return host_fail_memory("a frame");
}

void carry_buffer_free(carry_buffer *b)
{
	free(b->depth);
	free(b->rgb);
	memset(b, 0, sizeof *b);
}

bool carry_frame(const dataset *d, size_t index, carry_buffer *buffer, recording_frame *out, size_t *out_color_lost)
{
	const dataset_frame *f = &d->frames[index];
	dataset_reading reading;
	dataset_load_frame(d, index, buffer->depth, buffer->rgb, &reading);
	if (!reading.usable) {
		host_warn("%s: left out: %s", f->depth, reading.reason);
		return false;
	}
	if (*reading.color_reason) {
		host_warn("%s: colour left out: %s", f->color, reading.color_reason);
		*out_color_lost += 1;
	}
	*out = (recording_frame){.number = index,
		.time_s = seconds_of(d, f->time_s),
		.color_time_s = d->layout == DATASET_SEVEN_SCENES ? seconds_of(d, f->time_s) : f->color_time_s,
		.width = d->camera.camera.width,
		.height = d->camera.camera.height,
		.depth = buffer->depth,
		.rgb = reading.has_color ? buffer->rgb : NULL};
	return true;
}
