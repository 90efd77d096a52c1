/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

const feed_engine feed_engine_real = {enm_session_push, enm_session_next_report, enm_session_flush, enm_session_finish};

host_status feed_leave_out(stitch_left_out_list *list, size_t index, const char *reason)
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

bool feed_is_busy(const feed *s)
{
	return s->reported < s->r->frame_count;
}

host_status feed_collect(feed *s)
{
	while (feed_is_busy(s)) {
		enm_report report;
		enm_result result = s->engine->next_report(s->session, &report);
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
		if (!feed_is_busy(s))
			s->r->engine_s += clock_s() - s->busy_since_s;
		if (s->after_frame && !s->after_frame(s->user, s->session, s->r))
			s->r->interrupted = true;
	}
	return HOST_OK;
}

host_status feed_push(feed *s, size_t index, const enm_frame *frame)
{
	host_status status = add_frame(s->r, index);
	if (status)
		return status;
	double now_s = clock_s();
	if (s->r->first_push_s <= 0.0)
		s->r->first_push_s = now_s;
	if (!feed_is_busy(s))
		s->busy_since_s = now_s;
	s->r->frames[s->r->frame_count].pushed_s = now_s;
	uint64_t id;
	enm_result result = s->engine->push(s->session, frame, &id);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	s->r->frame_count++;
	return HOST_OK;
}

host_status feed_wait(feed *s)
{
	if (!feed_is_busy(s))
		return HOST_OK;
	enm_result result = s->engine->flush(s->session);
	host_status status = host_fail_result(result, enm_last_error());
	return status ? status : feed_collect(s);
}

host_status feed_finish(feed *s)
{
	host_status status = feed_wait(s);
	if (status)
		return status;
	const enm_result finished = s->engine->finish(s->session);
	if (finished == ENM_FULL)
		note_full(s->r);
	return host_fail_result(finished, enm_last_error());
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

void feed_settle(stitch_result *r)
{
	for (size_t i = 0; i < r->frame_count; i++) {
		const enm_report *report = &r->frames[i].report;
		r->frames[i].apart = report->island != 0 && report->verdict == ENM_VERDICT_TRACKED;
		for (size_t k = 0; k < i && (report->events & ENM_EVENT_BEGUN_AGAIN); k++)
			r->frames[k].apart =
				r->frames[k].reported && r->frames[k].report.verdict == ENM_VERDICT_TRACKED;
		if (!(report->events & ENM_EVENT_ISLAND_JOINED))
			continue;
		for (size_t k = 0; k < i; k++) {
			enm_report *of_island = &r->frames[k].report;
			if (of_island->island != report->joined_island || !r->frames[k].reported)
				continue;
			of_island->world_from_camera =
				pose_after(&report->first_from_island, &of_island->world_from_camera);
			of_island->island = 0;
			r->frames[k].apart = false;
		}
	}
	r->apart = 0;
	for (size_t i = 0; i < r->frame_count; i++)
		r->apart += r->frames[i].apart;
}
