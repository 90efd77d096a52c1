/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scale.h"

/* The session that `enamel replay` would make of the dataset. */
static void define_session(const frames_options *o, const dataset *d, double median_mm, frames_input *in)
{
	const enm_scale scale = median_mm <= SCALE_TOOTH_MAX_MM ? ENM_SCALE_TOOTH : ENM_SCALE_ROOM;
	enm_session_def *def = &in->def;
	*def = enm_session_def_default(&d->camera.camera, scale);
	const double band_voxels = def->truncation_mm / def->voxel_mm;
	if (o->voxel_mm > 0.0) {
		def->voxel_mm = o->voxel_mm;
		def->truncation_mm = band_voxels * o->voxel_mm;
	}
	if (o->truncation_mm > 0.0)
		def->truncation_mm = o->truncation_mm;
	def->depth_mm_per_unit = d->depth_mm_per_unit;
	def->row_time_s = d->camera.row_time_s;
	def->color = o->color == FRAMES_AUTO ? d->has_color : o->color == FRAMES_ON;
	def->stage_times = false;
}

static host_status allocate(frames_input *in, size_t frames)
{
	const size_t depth_bytes = frames * in->pixels * sizeof(*in->depth);
	const size_t rgb_bytes = in->def.color ? frames * in->pixels * 3 : 0;
	in->depth = malloc(depth_bytes);
	in->rgb = in->def.color ? malloc(rgb_bytes) : NULL;
	in->has_color = calloc(frames, sizeof(*in->has_color));
	in->time_ns = calloc(frames, sizeof(*in->time_ns));
	in->bytes = depth_bytes + rgb_bytes;
	bool good = in->depth && in->has_color && in->time_ns && (in->rgb || !in->def.color);
	return good ? HOST_OK : host_fail_memory("the frames");
}

/* As `enamel replay` counts: the stamps of 7-Scenes are frame numbers. */
static int64_t frame_time_ns(const dataset *d, size_t first, size_t index)
{
	double ticks = d->frames[index].time_s - d->frames[first].time_s;
	return llround(1e9 * (d->layout == DATASET_SEVEN_SCENES ? ticks / d->camera.fps : ticks));
}

static void read_frames(const dataset *d, size_t first, size_t end, frames_input *in)
{
	for (size_t i = first; i < end; i++) {
		const size_t n = in->count;
		dataset_reading reading;
		dataset_read_frame(
			d, i, in->depth + n * in->pixels, in->rgb ? in->rgb + 3 * n * in->pixels : NULL, &reading);
		if (!reading.usable) {
			host_warn("%s: left out: %s", d->frames[i].depth, reading.reason);
			in->left_out++;
			continue;
		}
		in->has_color[n] = in->rgb && reading.has_color;
		in->time_ns[n] = frame_time_ns(d, first, i);
		in->count++;
	}
}

static host_status load(const frames_options *o, const dataset *d, frames_input *in)
{
	const enm_camera *c = &d->camera.camera;
	size_t first = (size_t)o->frames[0], end = d->frame_count, first_usable;
	double median_mm;
	if ((uint64_t)o->frames[0] >= d->frame_count)
		return host_fail(HOST_USAGE, "--frames: begins at %lld, but %s has %zu frames", (long long)o->frames[0],
			d->folder, d->frame_count);
	if ((uint64_t)o->frames[1] < end)
		end = (size_t)o->frames[1];
	host_status status = scale_find(d, first, end, &first_usable, &median_mm);
	if (status)
		return status;
	in->pixels = (size_t)c->width * c->height;
	define_session(o, d, median_mm, in);
	status = allocate(in, end - first);
	if (!status)
		read_frames(d, first, end, in);
	return status;
}

host_status frames_input_load(const frames_options *o, frames_input *out)
{
	dataset d;
	memset(out, 0, sizeof(*out));
	host_status status = dataset_open(o->folder, NULL, &d);
	if (!status && o->color == FRAMES_ON && !d.has_color)
		status = host_fail(HOST_USAGE, "--color on: %s has no colour", d.folder);
	if (!status)
		status = load(o, &d, out);
	dataset_close(&d);
	if (status)
		frames_input_free(out);
	return status;
}

void frames_input_free(frames_input *in)
{
	free(in->depth);
	free(in->rgb);
	free(in->has_color);
	free(in->time_ns);
	memset(in, 0, sizeof(*in));
}
