/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_APART_S (1.0 / 15.0)

double exchange_clock_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool exchange_init(exchange *e)
{
	memset(e, 0, sizeof *e);
	pthread_condattr_t attributes;
	if (pthread_mutex_init(&e->lock, NULL))
		return false;
	bool good = !pthread_condattr_init(&attributes);
	if (good) {
		good = !pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) &&
		       !pthread_cond_init(&e->changed, &attributes);
		pthread_condattr_destroy(&attributes);
	}
	if (!good)
		pthread_mutex_destroy(&e->lock);
	atomic_init(&e->closed, false);
	atomic_init(&e->leave, false);
	return good;
}

void exchange_free(exchange *e)
{
	free(e->ready.rgba);
	tools_shown_free(&e->shown);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
}

/* ---- main thread ---- */

void exchange_set_wish(exchange *e, const exchange_wish *wish)
{
	pthread_mutex_lock(&e->lock);
	e->wish = *wish;
	pthread_cond_signal(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

bool exchange_send(exchange *e, const exchange_ask *ask)
{
	pthread_mutex_lock(&e->lock);
	bool room = e->ask_count < ASKS_MAX;
	if (room)
		e->asks[(e->ask_first + e->ask_count++) % ASKS_MAX] = *ask;
	pthread_cond_signal(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return room;
}

bool exchange_take(exchange *e, exchange_picture *front)
{
	pthread_mutex_lock(&e->lock);
	bool fresh = e->fresh;
	if (fresh) {
		exchange_picture old = *front;
		*front = e->ready;
		e->ready = old;
		e->fresh = false;
	}
	pthread_mutex_unlock(&e->lock);
	return fresh;
}

tools_shown *exchange_take_shown(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	tools_shown *shown = e->shown;
	e->shown = NULL;
	pthread_mutex_unlock(&e->lock);
	return shown;
}

bool exchange_take_depth(exchange *e, depth_picture *out)
{
	pthread_mutex_lock(&e->lock);
	bool newer = e->depth.version != out->version;
	if (newer)
		*out = e->depth;
	pthread_mutex_unlock(&e->lock);
	return newer;
}

exchange_answer exchange_get_answer(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	const exchange_answer answer = e->answer;
	pthread_mutex_unlock(&e->lock);
	return answer;
}

void exchange_get_state(exchange *e, exchange_state *out)
{
	pthread_mutex_lock(&e->lock);
	*out = e->state;
	pthread_mutex_unlock(&e->lock);
}

bool exchange_get_box(exchange *e, camera_box *out)
{
	pthread_mutex_lock(&e->lock);
	bool has = e->has_box;
	*out = e->box;
	pthread_mutex_unlock(&e->lock);
	return has;
}

bool exchange_has_axes(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	bool has = e->has_axes;
	pthread_mutex_unlock(&e->lock);
	return has;
}

void exchange_find_side(exchange *e, axes_side side, double out_eye[3], double out_up[3])
{
	pthread_mutex_lock(&e->lock);
	if (e->has_axes)
		axes_aim(e->axes, side, out_eye, out_up);
	else
		axes_find(&e->way, side, out_eye, out_up);
	pthread_mutex_unlock(&e->lock);
}

void exchange_get_first_view(exchange *e, double q_xyzw[4])
{
	pthread_mutex_lock(&e->lock);
	if (e->way.count)
		memcpy(q_xyzw, e->way.first_q_xyzw, sizeof e->way.first_q_xyzw);
	pthread_mutex_unlock(&e->lock);
}

void exchange_close(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->closed, true);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

/* ---- any thread ---- */

static void count_verdict(exchange_state *s, const enm_report *r)
{
	s->any = true;
	s->full = s->full || r->full;
	s->verdict = r->verdict;
	s->reason = r->reason;
	s->last = *r;
	if (r->verdict == ENM_VERDICT_TRACKED && !r->island) {
		s->wand = r->world_from_camera;
		s->has_wand = true;
	}
	s->frames++;
	s->tracked += r->verdict == ENM_VERDICT_TRACKED;
	s->weak += r->verdict == ENM_VERDICT_WEAK;
	s->lost += r->verdict == ENM_VERDICT_LOST;
}

bool exchange_report(exchange *e, const enm_report *report)
{
	double now_s = exchange_clock_s();
	pthread_mutex_lock(&e->lock);
	uint64_t n = e->state.frames;
	bool news = !n || e->state.verdict != report->verdict;
	count_verdict(&e->state, report);
	if (report->verdict == ENM_VERDICT_TRACKED)
		axes_add(&e->way, &report->world_from_camera);
	double *slot = &e->report_s[n % RATE_FRAMES]; /* holds the oldest, once the ring is full */
	uint64_t spans = n < RATE_FRAMES ? n : RATE_FRAMES;
	double since_s = n < RATE_FRAMES ? e->report_s[0] : *slot;
	e->state.frames_per_s = spans && now_s > since_s ? (double)spans / (now_s - since_s) : 0.0;
	*slot = now_s;
	e->state.model++;
	pthread_mutex_unlock(&e->lock);
	return news;
}

void exchange_end(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	if (!e->state.ended) {
		e->state.ended = true;
		e->state.ended_s = exchange_clock_s();
	}
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

void exchange_restart(exchange *e)
{
	pthread_mutex_lock(&e->lock);
	exchange_state *s = &e->state;
	*s = (exchange_state){.model = s->model + 1, .paused = s->paused, .can_hide = s->can_hide};
	memset(&e->way, 0, sizeof e->way);
	e->has_box = false;
	e->depth.version = 0;
	pthread_mutex_unlock(&e->lock);
}

void exchange_say(exchange *e, const char *text)
{
	pthread_mutex_lock(&e->lock);
	snprintf(e->state.said, sizeof e->state.said, "%s", text);
	e->state.said_s = exchange_clock_s();
	pthread_mutex_unlock(&e->lock);
}

void exchange_set_paused(exchange *e, bool paused)
{
	pthread_mutex_lock(&e->lock);
	e->state.paused = paused;
	pthread_mutex_unlock(&e->lock);
}

/* The picture is made outside the lock: no other thread makes one. */
void exchange_set_depth(exchange *e, const enm_frame *frame, const enm_camera *wand, double mm_per_unit)
{
	double now_s = exchange_clock_s();
	depth_picture *made = &e->depth_made;
	if (now_s - made->taken_s < DEPTH_APART_S)
		return;
	depth_picture_make(frame, wand, mm_per_unit, made);
	made->taken_s = now_s;
	made->version++;
	pthread_mutex_lock(&e->lock);
	e->depth = *made;
	e->state.depth_mm = made->median_mm;
	pthread_mutex_unlock(&e->lock);
}

void exchange_set_gaps(exchange *e, const enm_gap *gaps, size_t count)
{
	pthread_mutex_lock(&e->lock);
	e->state.gap_count = 0;
	e->state.gap_version++;
	for (size_t i = 0; i < count && e->state.gap_count < VIEWER_GAPS_MAX; i++)
		if (!gaps[i].rim)
			e->state.gaps[e->state.gap_count++] = gaps[i];
	pthread_mutex_unlock(&e->lock);
}

void exchange_set_axes(exchange *e, const double axes[9])
{
	pthread_mutex_lock(&e->lock);
	memcpy(e->axes, axes, sizeof e->axes);
	e->has_axes = true;
	pthread_mutex_unlock(&e->lock);
}
