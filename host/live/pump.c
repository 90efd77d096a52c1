/* SPDX-License-Identifier: Apache-2.0 */
#include "live/pump.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "progress.h"
#include "report.h"

#define WAIT_FOR_FRAME_S 0.05
#define WAIT_FOR_ENGINE_S 0.0005

static void tell_events(const live_pump *p, const enm_report *report, uint64_t number)
{
	for (size_t i = 0; i < REPORT_EVENTS; i++) {
		bool ok = true;
		char text[256];
		if (!(report->events & report_events[i].bit))
			continue;
		json_t *more = json_object();
		json_put(more, "frame", json_integer((json_int_t)number), &ok);
		if (report->verdict != ENM_VERDICT_TRACKED) {
			enm_report_text(report, text, sizeof text);
			json_put(more, "text", json_string(text), &ok);
		}
		live_event(p->events, report_events[i].name, more);
	}
}

static void note_fate(const live_pump *p, const enm_report *r, uint64_t number, double time_s)
{
	packet_fate fate = {.number = number,
		.time_s = time_s,
		.fate = FATE_PUSHED,
		.verdict = (uint32_t)r->verdict,
		.reason = (uint32_t)r->reason,
		.events = r->events,
		.island = r->island};
	memcpy(fate.t_mm, r->world_from_camera.t_mm, sizeof fate.t_mm);
	memcpy(fate.q_xyzw, r->world_from_camera.q_xyzw, sizeof fate.q_xyzw);
	recorder_note(p->recorder, &fate);
}

static void show(live_pump *p, enm_session *session, const enm_report *report, double arrived_s)
{
	const double now_s = clock_s();
	if (!p->view)
		return;
	if (!live_policy_shows(live_queue_look(p->queue).waiting, now_s - p->shown_s)) {
		view_tell(p->view, report);
		p->shows_skipped++;
		return;
	}
	p->shown_s = now_s;
	if (!view_frame(p->view, session, report))
		return;
	p->shows++;
	(void)samples_add(&p->screen_ms, 1e3 * (clock_s() - arrived_s)); /* without memory one sample is missing */
}

static bool after_report(void *user, enm_session *session, const stitch_result *so_far)
{
	live_pump *p = user;
	const enm_report *report = &so_far->frames[so_far->tracked + so_far->weak + so_far->lost - 1].report;
	const size_t at = report->frame_id % LIVE_ARRIVALS;
	(void)samples_add(&p->pose_ms, 1e3 * (clock_s() - p->arrivals[at].arrived_s));
	live_watch_mark(p->watch, true, true);
	note_fate(p, report, p->arrivals[at].number, p->arrivals[at].time_s);
	live_watch_pause(p->watch, true);
	tell_events(p, report, p->arrivals[at].number);
	live_watch_pause(p->watch, false);
	show(p, session, report, p->arrivals[at].arrived_s);
	return true;
}

static host_status push(live_pump *p, const live_frame *f)
{
	const enm_frame frame = {
		.depth = f->from.depth,
		.depth_format = ENM_DEPTH_U16,
		.color_rgb = p->color && f->from.has_color ? f->from.rgb : NULL,
		.time_ns = f->time_ns,
	};
	const size_t at = p->feed->r->frame_count % LIVE_ARRIVALS; /* the id that it will get */
	p->arrivals[at].arrived_s = f->from.arrived_s;
	p->arrivals[at].time_s = f->time_s;
	p->arrivals[at].number = f->from.number;
	view_depth(p->view, &frame);
	live_watch_mark(p->watch, true, false);
	return feed_push(p->feed, f->index, &frame);
}

static void show_progress(const live_pump *p)
{
	const stitch_result *r = p->feed->r;
	const live_queue_stats q = live_queue_look(p->queue);
	progress_show("%zu frames, %zu tracked, %zu lost, %llu skipped, %u waiting%s", r->frame_count, r->tracked,
		r->lost, (unsigned long long)q.skipped, q.waiting, q.overloaded ? ", the device cannot keep up" : "");
}

/* It came while the user had paused. */
static void leave(live_pump *p, const live_frame *f)
{
	const packet_fate fate = {.number = f->from.number, .time_s = f->time_s, .fate = FATE_SKIPPED};
	recorder_note(p->recorder, &fate);
	p->paused++;
}

/* One turn: what is there is pushed, what is done is read. */
static host_status turn(live_pump *p, bool *out_ended)
{
	host_status status = HOST_OK;
	live_frame *f;
	const bool busy = feed_is_busy(p->feed), paused = view_waits(p->view);
	const double wait_s = !busy ? WAIT_FOR_FRAME_S : p->shares_cpu ? 0.0 : WAIT_FOR_ENGINE_S;
	const live_queue_state state = live_queue_take(p->queue, wait_s, &f);
	if (state == LIVE_QUEUE_FRAME) {
		if (paused)
			leave(p, f);
		else
			status = push(p, f);
		live_queue_give_back(p->queue, f);
	} else if (busy && (p->shares_cpu || state == LIVE_QUEUE_END)) {
		status = feed_wait(p->feed);
	}
	if (!status)
		status = feed_collect(p->feed);
	if (view_wants_new(p->view))
		live_capture_ask_end(p->capture);
	live_watch_mark(p->watch, feed_is_busy(p->feed), false);
	*out_ended = state == LIVE_QUEUE_END && !feed_is_busy(p->feed);
	return status;
}

host_status live_pump_run(live_pump *p)
{
	host_status status = HOST_OK;
	p->feed->after_frame = after_report;
	p->feed->user = p;
	for (bool ended = false; !status && !ended;) {
		status = turn(p, &ended);
		live_watch_pause(p->watch, true);
		show_progress(p);
		live_watch_pause(p->watch, false);
	}
	if (status) { /* frames that were under way may be done all the same */
		char text[512];
		snprintf(text, sizeof text, "%s", host_error_text());
		(void)feed_wait(p->feed);
		host_fail(status, "%s", text);
	}
	live_watch_mark(p->watch, false, true);
	p->feed->after_frame = NULL;
	return status;
}

void live_pump_free(live_pump *p)
{
	samples_free(&p->pose_ms);
	samples_free(&p->screen_ms);
}
