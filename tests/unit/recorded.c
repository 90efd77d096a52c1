/* SPDX-License-Identifier: Apache-2.0 */
#include "recorded.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "scratch.h"

#define FRAME_S 0.25

static const char camera[] =
	"{\"width\": 16, \"height\": 16, \"intrinsic_matrix\": [20, 0, 0, 0, 20, 0, 7.5, 7.5, 1],\n"
	" \"depth_scale\": 1000, \"depth_unit\": \"mm\", \"row_time_s\": 1e-5,\n"
	" \"distortion\": [0.1, 0, 0, 0, 0], \"depth_residual\": {\"bow_um\": 5}}\n";

static bool has_color(const recorded *def, size_t frame)
{
	return def->color && frame % 3 != 2;
}

void recorded_picture(const recorded *def, size_t frame, uint16_t *depth, uint8_t *rgb)
{
	uint32_t state = 2654435761u * (uint32_t)(frame + 1);
	for (size_t i = 0; i < (size_t)def->width * def->height; i++) {
		state = 1664525u * state + 1013904223u;
		depth[i] = (uint16_t)(state >> 28 ? 13000 + 3 * (i % def->width) + (state >> 20) % 64 : 0);
		for (size_t k = 0; k < 3; k++)
			rgb[3 * i + k] = (uint8_t)(100 + 20 * k + (state >> 24) % 32);
	}
}

recording_frame recorded_frame(const recorded *def, size_t frame, const uint16_t *depth, const uint8_t *rgb)
{
	return (recording_frame){.number = 2 * frame,
		.time_s = FRAME_S * (double)frame,
		.color_time_s = FRAME_S * (double)frame + 0.001,
		.width = def->width,
		.height = def->height,
		.depth = depth,
		.rgb = has_color(def, frame) ? rgb : NULL};
}

writer_def recorded_begin(const recorded *def)
{
	writer_def w = writer_def_default();
	w.path = def->name;
	w.descriptor = open(scratch_path(def->name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(w.descriptor >= 0);
	w.system = def->system;
	w.header = (recording_header){camera, "{\"source\": \"test\"}", "test 1"};
	w.width = def->width;
	w.height = def->height;
	w.sync_s = def->sync_s;
	return w;
}

void recorded_make(const recorded *def)
{
	uint16_t depth[RECORDED_PIXELS_MAX];
	uint8_t rgb[3 * RECORDED_PIXELS_MAX];
	writer_def wanted = recorded_begin(def);
	writer *w;
	assert_int_equal(writer_create(&wanted, &w), HOST_OK);
	assert_int_equal(
		writer_file(w, "groundtruth.txt", (const uint8_t *)RECORDED_TRUTH, strlen(RECORDED_TRUTH)), HOST_OK);
	for (size_t i = 0; i < def->frames; i++) {
		recorded_picture(def, i, depth, rgb);
		const recording_frame frame = recorded_frame(def, i, depth, rgb);
		assert_int_equal(writer_frame(w, &frame), HOST_OK);
	}
	size_t bytes = (size_t)writer_so_far(w)->bytes;
	assert_int_equal(writer_close(&w, 0, NULL), HOST_OK);
	close(wanted.descriptor);
	if (def->open)
		scratch_cut(def->name, bytes);
}

uint8_t *recorded_bytes(const char *name, size_t *out_size)
{
	uint8_t *bytes;
	if (file_read(scratch_path(name), SIZE_MAX / 2, &bytes, out_size))
		fail_msg("%s", host_error_text());
	return bytes;
}

recording *recorded_open(const char *name, recording_open_mode mode)
{
	recording *r;
	if (recording_open(scratch_path(name), mode, NULL, &r))
		fail_msg("%s", host_error_text());
	return r;
}

void assert_recorded_frame(const recorded *def, const recording *r, size_t entry, size_t frame)
{
	uint16_t depth[RECORDED_PIXELS_MAX], read_depth[RECORDED_PIXELS_MAX];
	uint8_t rgb[3 * RECORDED_PIXELS_MAX], read_rgb[3 * RECORDED_PIXELS_MAX];
	size_t pixels = (size_t)def->width * def->height;
	recording_picture p;
	recorded_picture(def, frame, depth, rgb);
	if (recording_read_frame(r, entry, def->width, def->height, read_depth, read_rgb, &p))
		fail_msg("frame %zu: %s", frame, host_error_text());
	assert_int_equal(p.number, 2 * frame);
	assert_true(p.time_s == FRAME_S * (double)frame && p.time_s == r->entries[entry].time_s);
	assert_memory_equal(read_depth, depth, pixels * sizeof *depth);
	assert_int_equal(p.has_color, has_color(def, frame));
	assert_string_equal(p.color_reason, "");
	assert_int_equal(r->entries[entry].flags, has_color(def, frame) ? PACKET_HAS_COLOR : 0);
	if (!p.has_color) {
		assert_true(isnan(p.color_time_s));
		return;
	}
	assert_true(p.color_time_s == FRAME_S * (double)frame + 0.001);
	assert_memory_equal(read_rgb, rgb, 3 * pixels);
}

size_t recorded_frame_of(const recording *r, size_t entry)
{
	double frame = r->entries[entry].time_s / FRAME_S;
	assert_true(frame >= 0.0 && frame == floor(frame) && frame < 1e6);
	return (size_t)frame;
}

size_t assert_recorded_frames(const recorded *def, const recording *r)
{
	size_t count = 0;
	for (size_t i = 0; i < r->entry_count; i++) {
		if (r->entries[i].type != PACKET_FRAME)
			continue;
		assert_recorded_frame(def, r, i, recorded_frame_of(r, i));
		count++;
	}
	assert_int_equal(count, r->frame_count);
	return count;
}
