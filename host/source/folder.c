/* SPDX-License-Identifier: Apache-2.0
 * A dataset folder or a recording as a scanner would deliver it: in real time, decoded ahead. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "pace.h"
#include "read_ahead.h"
#include "reader.h"
#include "source.h"

typedef struct folder_source {
	dataset data;
	carry_header header;
	read_ahead *files;
	const read_ahead_frame *next; /* decoded and not yet due */
	bool waited;                  /* `next` was not there when it was asked for */
	double fps;                   /* 0: the frames' own times */
	source_pace pace;
	uint64_t given, left_out;
	char note[SOURCE_REASON_BYTES]; /* to be told; "" for none */
} folder_source;

/* Seconds since the first frame. With a rate of its own a frame that cannot be read leaves its gap. */
static double due_s(const folder_source *s, size_t index)
{
	const dataset *d = &s->data;
	if (s->fps > 0.0)
		return (double)index / s->fps;
	double ticks = d->frames[index].time_s - dataset_zero_s(d, 0);
	return d->layout == DATASET_SEVEN_SCENES ? ticks / d->camera.fps : ticks;
}

static void leave_out(folder_source *s, const read_ahead_frame *f)
{
	s->left_out++;
	snprintf(s->note, sizeof s->note, "%.60s: left out: %.180s", s->data.frames[f->index].depth, f->reading.reason);
	read_ahead_release(s->files);
}

/* Decodes up to the next usable frame. One notice is kept at a time, so it returns after each frame left out. */
static source_state find_next(folder_source *s, double timeout_s)
{
	const read_ahead_frame *f;
	switch (read_ahead_next(s->files, true, 0.0, &f)) {
	case READ_AHEAD_END:
		return SOURCE_END;
	case READ_AHEAD_WAIT:
		s->waited = s->pace.begun;
		if (read_ahead_next(s->files, true, timeout_s, &f) != READ_AHEAD_FRAME)
			return SOURCE_WAIT;
		break;
	case READ_AHEAD_FRAME:
		break;
	}
	if (f->reading.usable) {
		s->next = f;
		return SOURCE_FRAME;
	}
	leave_out(s, f);
	return SOURCE_WAIT;
}

static source_state next_frame(void *state, double timeout_s, source_frame *out)
{
	folder_source *s = state;
	const enm_camera *c = &s->data.camera.camera;
	const size_t pixels = (size_t)c->width * c->height;
	double due;
	source_state found = s->next ? SOURCE_FRAME : find_next(s, timeout_s);
	if (found != SOURCE_FRAME)
		return found;
	const read_ahead_frame *f = s->next;
	if (!source_pace_wait(&s->pace, due_s(s, f->index), timeout_s, &due))
		return SOURCE_WAIT;
	memcpy(out->depth, f->depth, pixels * sizeof *out->depth);
	out->has_color = s->data.has_color && f->reading.has_color;
	if (out->has_color)
		memcpy(out->rgb, f->rgb, 3 * pixels);
	out->number = f->index;
	out->time_s = s->fps > 0.0 || s->data.layout == DATASET_SEVEN_SCENES ? due_s(s, f->index)
									     : s->data.frames[f->index].time_s;
	out->arrived_s = s->waited ? clock_s() : due; /* decoded too late, it was not there when it was due */
	s->given++;
	s->next = NULL;
	s->waited = false;
	read_ahead_release(s->files);
	return SOURCE_FRAME;
}

static bool notice(void *state, char text[SOURCE_REASON_BYTES])
{
	folder_source *s = state;
	memcpy(text, s->note, SOURCE_REASON_BYTES);
	s->note[0] = 0;
	return *text != 0;
}

static json_t *report(void *state)
{
	const folder_source *s = state;
	return source_pace_report(&s->pace, s->given, "left_out", s->left_out);
}

static void destroy(void *state)
{
	folder_source *s = state;
	read_ahead_destroy(&s->files);
	carry_header_free(&s->header);
	dataset_close(&s->data);
	free(s);
}

static const source_ops ops = {"folder", next_frame, notice, report, destroy};

static host_status open_header(folder_source *s)
{
	if (!s->data.recording)
		return carry_header_make(&s->data, NULL, &s->header);
	s->header.camera = strdup(s->data.recording->camera); /* word for word */
	return s->header.camera ? HOST_OK : host_fail_memory("the camera");
}

host_status source_open_folder(const source_open_def *def, source *out)
{
	folder_source *s = calloc(1, sizeof *s);
	if (!s)
		return host_fail_memory("a source of frames");
	s->fps = def->fps;
	host_status status = dataset_open(def->what, NULL, &s->data);
	dataset_take_skipped(&s->data);
	if (!status)
		status = open_header(s);
	const read_ahead_def files = {.data = &s->data, .end = s->data.frame_count, .color = s->data.has_color};
	if (!status)
		status = read_ahead_create(&files, &s->files);
	if (status) {
		destroy(s);
		return status;
	}
	snprintf(s->note, sizeof s->note, "%.*s", SOURCE_REASON_BYTES - 1, s->data.note);
	out->ops = &ops;
	out->state = s;
	out->facts = (source_facts){.camera = s->data.camera,
		.camera_json = s->header.camera,
		.depth_mm_per_unit = s->data.depth_mm_per_unit,
		.has_color = s->data.has_color};
	if (def->fps > 0.0)
		out->facts.camera.fps = def->fps;
	return HOST_OK;
}
