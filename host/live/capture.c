/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* gettid */
#include "live/capture.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "dataset_layout.h"
#include "feed.h"
#include "json.h"
#include "scale.h"

#define WAIT_S 0.1
#define SPAN_MAX_S 1e9  /* of a session, so that its nanoseconds can be counted */
#define RESUMED_AFTER_S 1.0
#define TELL_SKIPPED_EVERY_S 1.0
#define NICE (-5)

/* Little work at a low real-time priority: it must not wait for a core while frames come. */
static void take_priority(live_capture_counts *counts)
{
	const struct sched_param low = {.sched_priority = 1};
	int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &low);
	if (!error) {
		snprintf(counts->priority, sizeof counts->priority, "SCHED_FIFO 1");
		return;
	}
	if (!setpriority(PRIO_PROCESS, (id_t)gettid(), NICE)) {
		snprintf(counts->priority, sizeof counts->priority, "nice %d", NICE);
		return;
	}
	snprintf(counts->priority, sizeof counts->priority, "normal: neither SCHED_FIFO nor nice %d is allowed (%s)",
		NICE, strerror(error));
	host_say("capture runs at normal priority: real-time priority is not allowed here (%s)", strerror(error));
}

/* ---- events ---- */

static void tell_frame(const live_capture *c, const char *event, uint64_t number, const char *reason)
{
	bool ok = true;
	json_t *more = json_object();
	json_put(more, "frame", json_integer((json_int_t)number), &ok);
	if (reason)
		json_put(more, "reason", json_string(reason), &ok);
	live_event(c->def.events, event, more);
}

/* One line for those of a second, each by its number. */
static void tell_skipped(live_capture *c)
{
	if (!c->skipped_count)
		return;
	bool ok = true;
	json_t *more = json_object(), *frames = json_array();
	for (size_t i = 0; i < c->skipped_count; i++)
		ok = !json_array_append_new(frames, json_integer((json_int_t)c->skipped[i])) && ok;
	json_put(more, "frames", frames, &ok);
	live_event(c->def.events, "skipped", more);
	c->skipped_count = 0;
}

static void note_skipped(live_capture *c, const live_dropped *dropped)
{
	const packet_fate fate = {.number = dropped->number, .time_s = dropped->time_s, .fate = FATE_SKIPPED};
	recorder_note(c->def.recorder, &fate);
	if (!c->skipped_count)
		c->skipped_told_s = clock_s();
	c->skipped[c->skipped_count++] = dropped->number;
	if (c->skipped_count == sizeof c->skipped / sizeof *c->skipped)
		tell_skipped(c);
}

static void tell_notices(live_capture *c)
{
	char text[SOURCE_REASON_BYTES];
	while (c->def.source->ops->notice(c->def.source->state, text)) {
		host_say("source: %s", text);
		live_event_text(c->def.events, "source", text);
	}
	if (c->skipped_count && clock_s() - c->skipped_told_s > TELL_SKIPPED_EVERY_S)
		tell_skipped(c);
}

/* ---- one frame ---- */

static void fail(live_capture *c, host_status status)
{
	c->failed = status;
	snprintf(c->failure, sizeof c->failure, "%s", host_error_text());
	live_event_text(c->def.events, "failed", c->failure);
}

/* The source's clock begins anew with each source; the session's goes on. */
static void set_clock(live_capture *c, const live_frame *f)
{
	const dataset *d = c->def.data;
	c->begun = true;
	c->first_arrived_s = f->from.arrived_s;
	c->last_number = f->from.number;
	c->last_time_s = -INFINITY;
	c->zero_s = f->from.time_s;
	if (!d->frame_count)
		return;
	for (size_t i = 0; i < d->frame_count; i++)
		if (fabs(d->frames[i].time_s) <= DATASET_TIME_MAX_S)
			c->last_time_s = fmax(c->last_time_s, d->frames[i].time_s);
	c->zero_s = dataset_zero_s(d, 0);
	c->offset_s = c->last_time_s + RESUMED_AFTER_S - f->from.time_s;
}

/* Writes it down; false when it goes no further. */
static bool record(live_capture *c, const live_frame *f)
{
	const camera_file *camera = &c->def.source->facts.camera;
	const recording_frame frame = {.number = f->from.number,
		.time_s = f->time_s,
		.color_time_s = f->time_s,
		.width = camera->camera.width,
		.height = camera->camera.height,
		.depth = f->from.depth,
		.rgb = f->from.has_color ? f->from.rgb : NULL};
	char name[48];
	switch (recorder_push(c->def.recorder, &frame, 0.0)) {
	case RECORDER_FULL:
		if (!c->counts.refused++)
			host_warn("frame %llu is not recorded, and not tracked either: the disk does not keep up",
				(unsigned long long)frame.number);
		tell_frame(c, "refused", frame.number, "the recording's queue is full");
		return false;
	case RECORDER_FAILED:
		fail(c, HOST_IO);
		return false;
	case RECORDER_TAKEN:
		break;
	}
	c->counts.recorded++;
	snprintf(name, sizeof name, "frame %llu", (unsigned long long)frame.number);
	if (dataset_add_frame(c->def.data, c->def.capacity, frame.time_s, name))
		fail(c, HOST_IO);
	return !c->failed;
}

/* Why it is of no use, or "": as dataset_read_frame judges frames of a recording, so that a replay leaves the same ones
 * out. */
static void find_fault(live_capture *c, const live_frame *f, size_t pixels, char reason[DATASET_REASON_BYTES])
{
	reason[0] = 0;
	if (f->time_s - c->last_time_s < DATASET_STEP_MIN_S) {
		const dataset_frame listed = {.time_s = f->time_s, .fault = DATASET_FAULT_ORDER, .after_s = c->last_time_s};
		dataset_fault_text(&listed, reason);
		return;
	}
	c->last_time_s = f->time_s;
	const char *no_reading = dataset_no_reading(f->from.depth, pixels);
	if (no_reading)
		snprintf(reason, DATASET_REASON_BYTES, "%s", no_reading);
}

static void leave_out(live_capture *c, const live_frame *f, const char *reason)
{
	const packet_fate fate = {.number = f->from.number, .time_s = f->time_s, .fate = FATE_LEFT_OUT};
	recorder_note(c->def.recorder, &fate);
	c->counts.left_out++;
	if (feed_leave_out(c->def.left_out, f->index, reason))
		fail(c, HOST_IO);
}

static void find_median(live_capture *c, const live_frame *f, size_t pixels)
{
	uint16_t median = 0;
	if (scale_median(f->from.depth, pixels, &median)) {
		fail(c, HOST_IO);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->first_known = true;
	c->first_median = median;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static bool is_time(const live_capture *c, double time_s)
{
	return fabs(time_s) <= DATASET_TIME_MAX_S && (!c->begun || fabs(time_s + c->offset_s - c->zero_s) <= SPAN_MAX_S);
}

static void take(live_capture *c, live_frame *f)
{
	const enm_camera *camera = &c->def.source->facts.camera.camera;
	const size_t pixels = (size_t)camera->width * camera->height;
	live_dropped dropped[LIVE_DROP_MAX];
	char reason[DATASET_REASON_BYTES];
	c->counts.captured++;
	if (!is_time(c, f->from.time_s)) {
		c->counts.no_time++;
		c->last_number = c->begun ? f->from.number : c->last_number;
		tell_frame(c, "left out", f->from.number, "its time is NaN, infinite or decades off");
		live_queue_give_back(c->def.queue, f);
		return;
	}
	if (!c->begun)
		set_clock(c, f);
	if (f->from.number > c->last_number + 1)
		c->counts.lost_before += f->from.number - c->last_number - 1;
	c->last_number = f->from.number;
	f->time_s = f->from.time_s + c->offset_s;
	f->index = c->def.data->frame_count;
	if (!record(c, f)) {
		live_queue_give_back(c->def.queue, f);
		return;
	}
	find_fault(c, f, pixels, reason);
	if (*reason) {
		leave_out(c, f, reason);
		live_queue_give_back(c->def.queue, f);
		return;
	}
	f->time_ns = stitch_ns(f->time_s - c->zero_s);
	if (!c->first_known)
		find_median(c, f, pixels);
	const uint32_t count = live_queue_put(c->def.queue, f, clock_s(), dropped);
	for (uint32_t i = 0; i < count; i++)
		note_skipped(c, &dropped[i]);
}

/* ---- the thread ---- */

#define DRAIN_MOST_S 1.0

/* What came while nobody took it shows where the wand was then. A source may stamp it with the moment at which it is taken. */
static bool is_stale(const live_capture *c, const live_frame *f)
{
	return !c->drained || (c->def.fresh && f->from.arrived_s < c->started_s);
}

static live_end find_end(const live_capture *c)
{
	if (*c->def.stop)
		return LIVE_END_SIGNAL;
	if (c->failed || atomic_load(&c->stop))
		return LIVE_END_FAILURE;
	if (atomic_load(&c->asked))
		return LIVE_END_NEW_SCAN;
	if (c->begun && c->def.duration_s > 0.0 && clock_s() - c->first_arrived_s >= c->def.duration_s)
		return LIVE_END_DURATION;
	return LIVE_END_NONE;
}

static void *capture(void *user)
{
	live_capture *c = user;
	const source_ops *ops = c->def.source->ops;
	take_priority(&c->counts);
	c->started_s = clock_s();
	c->drained = !c->def.fresh;
	while (!(c->counts.end = find_end(c))) {
		live_frame *f = live_queue_blank(c->def.queue);
		const source_state state = ops->next(c->def.source->state, c->drained ? WAIT_S : 0.0, &f->from);
		tell_notices(c);
		if (state == SOURCE_FRAME && !is_stale(c, f)) {
			take(c, f);
			continue;
		}
		live_queue_give_back(c->def.queue, f);
		c->drained = c->drained || state != SOURCE_FRAME || clock_s() - c->started_s > DRAIN_MOST_S;
		if (state == SOURCE_FAILED)
			fail(c, HOST_IO);
		if (state == SOURCE_END) {
			c->counts.end = LIVE_END_SOURCE;
			break;
		}
	}
	tell_skipped(c);
	live_queue_end(c->def.queue);
	pthread_mutex_lock(&c->lock);
	c->ended = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

host_status live_capture_start(const live_capture_def *def, live_capture *out)
{
	memset(out, 0, sizeof *out);
	out->def = *def;
	atomic_init(&out->stop, false);
	atomic_init(&out->asked, false);
	pthread_mutex_init(&out->lock, NULL);
	pthread_cond_init(&out->changed, NULL);
	int error = pthread_create(&out->thread, NULL, capture, out);
	out->started = !error;
	return error ? host_fail(HOST_IO, "cannot start the capturing thread: %s", strerror(error)) : HOST_OK;
}

bool live_capture_wait_first(live_capture *c, uint16_t *out_median)
{
	pthread_mutex_lock(&c->lock);
	while (!c->first_known && !c->ended)
		pthread_cond_wait(&c->changed, &c->lock);
	const bool known = c->first_known;
	*out_median = c->first_median;
	pthread_mutex_unlock(&c->lock);
	return known;
}

host_status live_capture_join(live_capture *c)
{
	if (c->started && !c->joined) {
		pthread_join(c->thread, NULL);
		c->joined = true;
	}
	return c->failed ? host_fail(c->failed, "%s", c->failure) : HOST_OK;
}

void live_capture_ask_end(live_capture *c)
{
	atomic_store(&c->asked, true);
}

host_status live_capture_stop(live_capture *c)
{
	if (!c->started)
		return HOST_OK;
	atomic_store(&c->stop, true);
	return live_capture_join(c);
}
