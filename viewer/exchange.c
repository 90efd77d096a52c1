/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	free(e->back.rgba);
	free(e->ready.rgba);
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

void exchange_find_side(exchange *e, axes_side side, double out_eye[3], double out_up[3])
{
	pthread_mutex_lock(&e->lock);
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
	e->model++;
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

/* ---- owner thread ---- */

/* What to render; under the lock. */
static bool is_due(const exchange *e, double now_s)
{
	if (atomic_load(&e->closed) || !e->wish.width || !e->wish.height)
		return false;
	if (!e->state.ended && !pace_is_due(&e->pace, e->wish.moving, now_s))
		return false;
	bool asked = e->wish.serial != e->served_serial, grown = e->model != e->served_model;
	bool refine = e->state.ended && !e->wish.moving && e->served_scale < 1.0;
	return asked || grown || refine;
}

static bool reserve(exchange_picture *p, size_t bytes)
{
	if (p->capacity >= bytes)
		return true;
	uint8_t *rgba = realloc(p->rgba, bytes);
	if (!rgba)
		return false;
	p->rgba = rgba;
	p->capacity = bytes;
	return true;
}

static uint32_t scaled(uint32_t pixels, double scale)
{
	double n = round((double)pixels * scale);
	return n < 1.0 ? 1u : (uint32_t)n;
}

static enm_view_def view_of(const exchange_wish *wish, uint32_t width, uint32_t height)
{
	enm_view_def view = enm_view_def_default(width, height);
	view.world_from_eye = camera_world_from_eye(&wish->from);
	view.focal_pixels = camera_focal_pixels(width, height);
	view.orthographic = false;
	view.shade = wish->shade;
	/* Black where there is no model: the colours are then premultiplied, also after they were interpolated. */
	memset(view.background_rgb, 0, sizeof view.background_rgb);
	return view;
}

static enm_result render(
	exchange *e, const viewer_def *def, enm_session *session, const exchange_wish *wish, bool ended)
{
	/* The bounds come first, for they wait for the frames under way, which is not the picture's time. */
	camera_box box;
	enm_result bounded = def->bounds(session, box.min_mm, box.max_mm);
	if (bounded < 0)
		return bounded;
	if (bounded != ENM_EMPTY) {
		pthread_mutex_lock(&e->lock);
		e->box = box;
		e->has_box = true;
		pthread_mutex_unlock(&e->lock);
	}
	double scale = pace_scale(&e->pace, (uint64_t)wish->width * wish->height, wish->moving, ended);
	exchange_picture *p = &e->back;
	p->width = scaled(wish->width, scale);
	p->height = scaled(wish->height, scale);
	p->scale = scale;
	size_t bytes = (size_t)p->width * p->height * 4;
	if (!reserve(p, bytes))
		return ENM_E_MEMORY;
	enm_view_def view = view_of(wish, p->width, p->height);
	double began_s = exchange_clock_s();
	enm_result result = def->render(session, &view, p->rgba, bytes);
	double now_s = exchange_clock_s();
	pace_note(&e->pace, scale, (uint64_t)p->width * p->height, now_s - began_s, now_s);
	return result;
}

/* Hands the picture, or the reason why there is none, to the main thread. */
static void publish(exchange *e, enm_result result)
{
	char reason[VIEWER_REASON_BYTES] = "";
	if (result == ENM_E_MEMORY)
		snprintf(reason, sizeof reason, "no host memory for the picture");
	else if (result < 0)
		snprintf(reason, sizeof reason, "%s", enm_last_error());
	if (result < 0 && !*reason)
		snprintf(reason, sizeof reason, "%s", enm_result_name(result));
	pthread_mutex_lock(&e->lock);
	memcpy(e->state.error, reason, sizeof reason);
	if (result >= 0) {
		exchange_picture old = e->ready;
		e->ready = e->back;
		e->back = old;
		e->fresh = true;
	}
	pthread_mutex_unlock(&e->lock);
}

enm_result exchange_offer(exchange *e, const viewer_def *def, enm_session *session, bool *out_made)
{
	*out_made = false;
	pthread_mutex_lock(&e->lock);
	bool due = is_due(e, exchange_clock_s()), ended = e->state.ended;
	const exchange_wish wish = e->wish;
	uint64_t model = e->model;
	pthread_mutex_unlock(&e->lock);
	if (!due)
		return ENM_OK;
	e->back.serial = wish.serial;
	e->back.model = model;
	enm_result result = render(e, def, session, &wish, ended);
	e->served_serial = wish.serial; /* also after a failure, lest it be tried for ever */
	e->served_model = model;
	e->served_scale = result < 0 ? 1.0 : e->back.scale;
	publish(e, result);
	*out_made = true;
	return result < 0 ? result : ENM_OK;
}

void exchange_wait(exchange *e, double wait_s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	double end_s = (double)until.tv_nsec * 1e-9 + wait_s;
	until.tv_sec += (time_t)floor(end_s);
	until.tv_nsec = (long)((end_s - floor(end_s)) * 1e9);
	pthread_mutex_lock(&e->lock);
	int waited = 0;
	while (!waited && !atomic_load(&e->closed) && !is_due(e, exchange_clock_s()))
		waited = pthread_cond_timedwait(&e->changed, &e->lock, &until);
	pthread_mutex_unlock(&e->lock);
}
