/* SPDX-License-Identifier: Apache-2.0 */
#include "stitch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "feed.h"
#include "progress.h"
#include "read_ahead.h"

#define WAIT_FOR_FILE_S 0.05
#define WAIT_FOR_ENGINE_S 0.0002

typedef struct stitcher {
	const stitch_def *def;
	feed *feed;
	read_ahead *files;
	size_t skipped, before; /* frames of this dataset that are; frames that were done before it */
} stitcher;

int64_t stitch_ns(double seconds)
{
	return llround(seconds * 1e9);
}

int64_t stitch_time_ns(const dataset *d, size_t first, size_t index)
{
	double ticks = d->frames[index].time_s - dataset_zero_s(d, first);
	return stitch_ns(d->layout == DATASET_SEVEN_SCENES ? ticks / d->camera.fps : ticks);
}

static host_status push(stitcher *s, const read_ahead_frame *f)
{
	const stitch_def *def = s->def;
	const enm_frame frame = {
		.depth = f->depth,
		.depth_format = ENM_DEPTH_U16,
		.color_rgb = def->color && f->reading.has_color ? f->rgb : NULL,
		.time_ns = def->zero_s ? stitch_ns(def->data->frames[f->index].time_s - *def->zero_s)
				       : stitch_time_ns(def->data, def->first, f->index),
	};
	if (def->before_frame)
		def->before_frame(def->user, &frame);
	return feed_push(s->feed, def->index_base + f->index, &frame);
}

static host_status take_frame(stitcher *s, const read_ahead_frame *f)
{
	const dataset_frame *named = &s->def->data->frames[f->index];
	host_status status = HOST_OK;
	if (!f->reading.usable) {
		if (s->def->strict)
			return host_fail_file(HOST_USAGE, named->depth, "%s (--strict)", f->reading.reason);
		host_warn("%s: left out: %s", named->depth, f->reading.reason);
		return feed_leave_out(&s->feed->r->left_out, s->def->index_base + f->index, f->reading.reason);
	}
	if (*f->reading.color_reason) {
		if (s->def->strict)
			return host_fail_file(HOST_USAGE, named->color, "%s (--strict)", f->reading.color_reason);
		host_warn("%s: colour left out: %s", named->color, f->reading.color_reason);
		status = feed_leave_out(
			&s->feed->r->colors_left_out, s->def->index_base + f->index, f->reading.color_reason);
	}
	return status ? status : push(s, f);
}

static void show_progress(const stitcher *s)
{
	const stitch_result *r = s->feed->r;
	double engine_s = r->engine_s + (feed_is_busy(s->feed) ? clock_s() - s->feed->busy_since_s : 0.0);
	progress_show("%zu of %zu frames, %zu tracked, %zu lost, %.1f frames/s",
		r->frame_count + r->left_out.count - s->before, s->def->end - s->def->first - s->skipped,
		r->tracked, r->lost, engine_s > 0.0 ? (double)s->feed->reported / engine_s : 0.0);
}

static host_status run_loop(stitcher *s)
{
	host_status status = HOST_OK;
	while (!status && !s->feed->r->interrupted) {
		if (*s->def->stop) {
			s->feed->r->interrupted = true;
			break;
		}
		const read_ahead_frame *f;
		bool busy = feed_is_busy(s->feed);
		read_ahead_state state = read_ahead_next(s->files, !busy, busy ? WAIT_FOR_ENGINE_S : WAIT_FOR_FILE_S, &f);
		if (state == READ_AHEAD_END)
			break;
		if (state == READ_AHEAD_FRAME) {
			status = take_frame(s, f);
			read_ahead_release(s->files);
		} else if (busy && s->def->shares_cpu) {
			status = feed_wait(s->feed);
		}
		if (!status)
			status = feed_collect(s->feed);
		show_progress(s);
	}
	return status;
}

host_status stitch_part(const stitch_def *def, feed *f)
{
	stitcher s = {.def = def, .feed = f, .before = f->r->frame_count + f->r->left_out.count};
	const read_ahead_def files = {def->data, def->first, def->end, def->color, def->shares_cpu};
	host_status status = read_ahead_create(&files, &s.files);
	if (status)
		return status;
	for (size_t i = def->first; i < def->end; i++)
		s.skipped += def->data->frames[i].skipped;
	f->r->skipped += s.skipped;
	status = run_loop(&s);
	f->r->read_s += read_ahead_read_s(s.files);
	read_ahead_destroy(&s.files);
	return status;
}

host_status stitch_run(const stitch_def *def, stitch_result *out)
{
	memset(out, 0, sizeof *out);
	feed f = {.engine = &feed_engine_real,
		.session = def->session,
		.r = out,
		.after_frame = def->after_frame,
		.user = def->user};
	host_status status = stitch_part(def, &f);
	host_status finished = feed_finish(&f);
	feed_settle(out);
	return status ? status : finished;
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
