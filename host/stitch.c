/* SPDX-License-Identifier: Apache-2.0 */
#include "stitch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "progress.h"
#include "read_ahead.h"

#define WAIT_FOR_FILE_S 0.05
#define WAIT_FOR_ENGINE_S 0.0002

typedef struct stitcher {
	const stitch_def *def;
	stitch_result *r;
	read_ahead *files;
	size_t reported;     /* frames whose report was read */
	double busy_since_s; /* clock; of a stretch in which frames are with the engine */
} stitcher;

int64_t stitch_time_ns(const dataset *d, size_t first, size_t index)
{
	double ticks = d->frames[index].time_s - d->frames[first].time_s;
	double seconds = d->layout == DATASET_SEVEN_SCENES ? ticks / d->camera.fps : ticks;
	return llround(seconds * 1e9);
}

static host_status add_left_out(stitch_left_out_list *list, size_t index, const char *reason)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		stitch_left_out *entries = realloc(list->entries, capacity * sizeof *entries);
		if (!entries)
			return host_fail_memory("the frames left out");
		list->entries = entries;
		list->capacity = capacity;
	}
	stitch_left_out *entry = &list->entries[list->count++];
	entry->index = index;
	snprintf(entry->reason, sizeof entry->reason, "%s", reason);
	return HOST_OK;
}

static host_status add_frame(stitch_result *r, size_t index)
{
	if (r->frame_count == r->frame_capacity) {
		size_t capacity = r->frame_capacity ? 2 * r->frame_capacity : 256;
		stitch_frame *frames = realloc(r->frames, capacity * sizeof *frames);
		if (!frames)
			return host_fail_memory("the frames' reports");
		r->frames = frames;
		r->frame_capacity = capacity;
	}
	memset(&r->frames[r->frame_count], 0, sizeof *r->frames);
	r->frames[r->frame_count].index = index;
	return HOST_OK;
}

static void note_full(stitch_result *r)
{
	if (!r->full)
		host_warn("the model has reached its memory bound and no longer grows");
	r->full = true;
}

static void count_report(stitch_result *r, const enm_report *report)
{
	r->tracked += report->verdict == ENM_VERDICT_TRACKED;
	r->weak += report->verdict == ENM_VERDICT_WEAK;
	r->lost += report->verdict == ENM_VERDICT_LOST;
	r->fused += report->fused;
	if (report->full)
		note_full(r);
}

static bool is_busy(const stitcher *s)
{
	return s->reported < s->r->frame_count;
}

/* Reads the reports that are ready. */
static host_status collect(stitcher *s)
{
	while (is_busy(s)) {
		enm_report report;
		enm_result result = enm_session_next_report(s->def->session, &report);
		if (result == ENM_EMPTY)
			return HOST_OK;
		if (result < 0)
			return host_fail_result(result, enm_last_error());
		if (report.frame_id >= s->r->frame_count)
			return host_fail(HOST_DEVICE, "the engine reported a frame that was not pushed");
		stitch_frame *frame = &s->r->frames[report.frame_id];
		frame->report = report;
		frame->reported = true;
		frame->done_s = frame->pushed_s + 1e-3 * (double)report.latency_ms;
		count_report(s->r, &report);
		s->reported++;
		if (!is_busy(s))
			s->r->engine_s += clock_s() - s->busy_since_s;
		if (s->def->after_frame && !s->def->after_frame(s->def->user, s->def->session, s->r))
			s->r->interrupted = true;
	}
	return HOST_OK;
}

static host_status push(stitcher *s, const read_ahead_frame *f)
{
	const dataset *d = s->def->data;
	host_status status = add_frame(s->r, f->index);
	if (status)
		return status;
	const enm_frame frame = {
		.depth = f->depth,
		.depth_format = ENM_DEPTH_U16,
		.color_rgb = s->def->color && f->reading.has_color ? f->rgb : NULL,
		.time_ns = stitch_time_ns(d, s->def->first, f->index),
	};
	double now_s = clock_s();
	if (!s->r->frame_count)
		s->r->first_push_s = now_s;
	if (!is_busy(s))
		s->busy_since_s = now_s;
	s->r->frames[s->r->frame_count].pushed_s = now_s;
	uint64_t id;
	enm_result result = enm_session_push(s->def->session, &frame, &id);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	s->r->frame_count++;
	return HOST_OK;
}

static host_status take_frame(stitcher *s, const read_ahead_frame *f)
{
	const dataset_frame *named = &s->def->data->frames[f->index];
	host_status status = HOST_OK;
	if (!f->reading.usable) {
		if (s->def->strict)
			return host_fail_file(HOST_USAGE, named->depth, "%s (--strict)", f->reading.reason);
		host_warn("%s: left out: %s", named->depth, f->reading.reason);
		return add_left_out(&s->r->left_out, f->index, f->reading.reason);
	}
	if (*f->reading.color_reason) {
		if (s->def->strict)
			return host_fail_file(HOST_USAGE, named->color, "%s (--strict)", f->reading.color_reason);
		host_warn("%s: colour left out: %s", named->color, f->reading.color_reason);
		status = add_left_out(&s->r->colors_left_out, f->index, f->reading.color_reason);
	}
	return status ? status : push(s, f);
}

static void show_progress(const stitcher *s)
{
	const stitch_result *r = s->r;
	double engine_s = r->engine_s + (is_busy(s) ? clock_s() - s->busy_since_s : 0.0);
	progress_show("%zu of %zu frames, %zu tracked, %zu lost, %.1f frames/s", r->frame_count + r->left_out.count,
		s->def->end - s->def->first, r->tracked, r->lost,
		engine_s > 0.0 ? (double)s->reported / engine_s : 0.0);
}

static host_status wait_for_engine(stitcher *s)
{
	if (!is_busy(s))
		return HOST_OK;
	enm_result result = enm_session_flush(s->def->session);
	host_status status = host_fail_result(result, enm_last_error());
	return status ? status : collect(s);
}

static host_status run_loop(stitcher *s)
{
	host_status status = HOST_OK;
	while (!status && !s->r->interrupted) {
		if (*s->def->stop) {
			s->r->interrupted = true;
			break;
		}
		const read_ahead_frame *f;
		bool busy = is_busy(s);
		read_ahead_state state = read_ahead_next(s->files, !busy, busy ? WAIT_FOR_ENGINE_S : WAIT_FOR_FILE_S, &f);
		if (state == READ_AHEAD_END)
			break;
		if (state == READ_AHEAD_FRAME) {
			status = take_frame(s, f);
			read_ahead_release(s->files);
		} else if (busy && s->def->shares_cpu) {
			status = wait_for_engine(s);
		}
		if (!status)
			status = collect(s);
		show_progress(s);
	}
	host_status waited = wait_for_engine(s);
	if (!waited) {
		const enm_result finished = enm_session_finish(s->def->session);
		if (finished == ENM_FULL)
			note_full(s->r);
		waited = host_fail_result(finished, enm_last_error());
	}
	return status ? status : waited;
}

/* The pose `inner` taken on by `outer`. */
static enm_pose pose_after(const enm_pose *outer, const enm_pose *inner)
{
	const double *a = outer->q_xyzw, *b = inner->q_xyzw, *t = inner->t_mm;
	enm_pose p = *outer;
	p.q_xyzw[0] = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
	p.q_xyzw[1] = a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0];
	p.q_xyzw[2] = a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3];
	p.q_xyzw[3] = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
	/* t turned: t + 2 w (v x t) + 2 v x (v x t) */
	const double c[3] = {a[1] * t[2] - a[2] * t[1], a[2] * t[0] - a[0] * t[2], a[0] * t[1] - a[1] * t[0]};
	const double d[3] = {a[1] * c[2] - a[2] * c[1], a[2] * c[0] - a[0] * c[2], a[0] * c[1] - a[1] * c[0]};
	for (int i = 0; i < 3; i++)
		p.t_mm[i] += t[i] + 2.0 * (a[3] * c[i] + d[i]);
	return p;
}

/* Takes the poses of joined islands into the first model, and marks the frames of those that were not, and of a model that was forgotten. */
static void settle_islands(stitch_result *r)
{
	uint32_t island = 0; /* the last seen */
	for (size_t i = 0; i < r->frame_count; i++) {
		const enm_report *report = &r->frames[i].report;
		r->frames[i].apart = report->island != 0 && report->verdict == ENM_VERDICT_TRACKED;
		island = report->island != 0 ? report->island : island;
		for (size_t k = 0; k < i && (report->events & ENM_EVENT_BEGUN_AGAIN); k++)
			r->frames[k].apart = r->frames[k].reported && r->frames[k].report.verdict == ENM_VERDICT_TRACKED;
		if (!(report->events & ENM_EVENT_ISLAND_JOINED))
			continue;
		for (size_t k = 0; k < i; k++) {
			enm_report *of_island = &r->frames[k].report;
			if (of_island->island != island || !r->frames[k].reported)
				continue;
			of_island->world_from_camera = pose_after(&report->first_from_island, &of_island->world_from_camera);
			of_island->island = 0;
			r->frames[k].apart = false;
		}
	}
	for (size_t i = 0; i < r->frame_count; i++)
		r->apart += r->frames[i].apart;
}

host_status stitch_run(const stitch_def *def, stitch_result *out)
{
	memset(out, 0, sizeof *out);
	stitcher s = {.def = def, .r = out};
	const read_ahead_def files = {def->data, def->first, def->end, def->color, def->shares_cpu};
	host_status status = read_ahead_create(&files, &s.files);
	if (status)
		return status;
	status = run_loop(&s);
	settle_islands(out);
	out->read_s = read_ahead_read_s(s.files);
	read_ahead_destroy(&s.files);
	return status;
}

host_status stitch_take_poses(const enm_session *session, stitch_result *scan)
{
	enm_result result = ENM_OK;
	scan->fused = 0;
	for (size_t i = 0; i < scan->frame_count && result >= 0; i++) {
		enm_report *report = &scan->frames[i].report;
		enm_pose pose;
		bool fused;
		if (!scan->frames[i].reported)
			continue;
		result = enm_session_pose(session, i, &pose, &fused);
		if (result == ENM_OK) {
			report->world_from_camera = pose;
			report->fused = fused;
		}
		scan->fused += report->fused;
	}
	return host_fail_result(result, enm_last_error());
}

void stitch_free(stitch_result *r)
{
	free(r->frames);
	free(r->left_out.entries);
	free(r->colors_left_out.entries);
	memset(r, 0, sizeof *r);
}
