/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vector.h"

#define ERASE_PIXELS 40.0 /* the cursor is at a mark when one of its points is that near */

bool owner_init(owner *o, exchange *e, const mark_list *marks)
{
	memset(o, 0, sizeof *o);
	o->exchange = e;
	return tools_init(&o->tools, marks);
}

void owner_free(owner *o)
{
	free(o->back.rgba);
	tools_free(&o->tools);
}

/* ---- pictures ---- */

/* What to render; under the lock. */
static bool is_due(const owner *o, double now_s)
{
	const exchange *e = o->exchange;
	if (atomic_load(&e->closed) || !e->wish.width || !e->wish.height)
		return false;
	bool running = !e->state.ended && !e->state.paused;
	if (running && !pace_is_due(&o->pace, e->wish.moving, now_s))
		return false;
	bool asked = e->wish.serial != o->served_serial, grown = e->state.model != o->served_model;
	bool refine = !running && !e->wish.moving && o->served_scale < 1.0;
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

/* The model's box, which is also kept for the window. `out_box` is zero-sized where there is no model. */
static enm_result find_box(owner *o, const viewer_source *source, camera_box *out_box, bool *out_has)
{
	exchange *e = o->exchange;
	enm_result bounded = source->bounds(source->object, out_box->min_mm, out_box->max_mm);
	*out_has = bounded >= 0 && bounded != ENM_EMPTY;
	if (*out_has) {
		pthread_mutex_lock(&e->lock);
		e->box = *out_box;
		e->has_box = true;
		pthread_mutex_unlock(&e->lock);
	}
	return bounded;
}

/* Hides and shows bodies as the window wants them. */
static enm_result hide(owner *o, const viewer_source *source, uint32_t hidden)
{
	for (uint32_t b = 0; b < source->body_count && source->show; b++) {
		if (((o->hidden ^ hidden) >> b & 1u) == 0)
			continue;
		enm_result result = source->show(source->object, source->bodies[b].id, !(hidden >> b & 1u));
		if (result < 0)
			return result;
		o->hidden ^= 1u << b;
	}
	return ENM_OK;
}

static enm_result render(owner *o, const viewer_source *source, const exchange_wish *wish, bool rests)
{
	/* The bounds come first, for they wait for the frames under way, which is not the picture's time. */
	camera_box box;
	bool has_box;
	enm_result result = hide(o, source, wish->look.hidden);
	if (result >= 0)
		result = find_box(o, source, &box, &has_box);
	if (result < 0)
		return result;
	double scale = pace_scale(&o->pace, (uint64_t)wish->width * wish->height, wish->moving, rests);
	exchange_picture *p = &o->back;
	p->width = scaled(wish->width, scale);
	p->height = scaled(wish->height, scale);
	p->scale = scale;
	p->look = wish->look;
	size_t bytes = (size_t)p->width * p->height * 4;
	if (!reserve(p, bytes))
		return ENM_E_MEMORY;
	enm_view_def view = look_view(&wish->look, p->width, p->height, has_box ? &box : NULL);
	double began_s = exchange_clock_s();
	result = source->render(source->object, &view, p->rgba, bytes);
	double now_s = exchange_clock_s();
	pace_note(&o->pace, scale, (uint64_t)p->width * p->height, now_s - began_s, now_s);
	return result;
}

/* Hands the picture, or the reason why there is none, to the main thread. */
static void publish(owner *o, enm_result result)
{
	exchange *e = o->exchange;
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
		e->ready = o->back;
		o->back = old;
		e->fresh = true;
	}
	pthread_mutex_unlock(&e->lock);
}

static enm_result make_picture(owner *o, const viewer_source *source, bool *out_made)
{
	exchange *e = o->exchange;
	pthread_mutex_lock(&e->lock);
	bool due = is_due(o, exchange_clock_s()), rests = e->state.ended || e->state.paused;
	const exchange_wish wish = e->wish;
	uint64_t model = e->state.model;
	pthread_mutex_unlock(&e->lock);
	if (!due)
		return ENM_OK;
	o->back.serial = wish.serial;
	o->back.model = model;
	enm_result result = render(o, source, &wish, rests);
	o->served_serial = wish.serial; /* also after a failure, lest it be tried for ever */
	o->served_model = model;
	o->served_scale = result < 0 ? 1.0 : o->back.scale;
	publish(o, result);
	*out_made = true;
	return result < 0 ? result : ENM_OK;
}

/* ---- questions ---- */

static enm_result pick(owner *o, const viewer_source *source, const exchange_ask *ask, enm_hit *out_hit)
{
	camera_box box;
	bool has_box;
	enm_result result = hide(o, source, ask->wish.look.hidden);
	if (result >= 0)
		result = find_box(o, source, &box, &has_box);
	if (result < 0)
		return result;
	const enm_view_def view = look_view(&ask->wish.look, ask->wish.width, ask->wish.height, has_box ? &box : NULL);
	return source->pick(source->object, &view, ask->x, ask->y, out_hit);
}

static void answer_place(owner *o, const exchange_ask *ask, enm_result result, const enm_hit *hit)
{
	exchange *e = o->exchange;
	exchange_answer answer = {.serial = ask->serial, .hit = result == ENM_OK};
	if (answer.hit)
		memcpy(answer.position_mm, hit->position_mm, sizeof answer.position_mm);
	pthread_mutex_lock(&e->lock);
	e->answer = answer;
	pthread_mutex_unlock(&e->lock);
}

static void answer_pick(owner *o, const viewer_source *source, const exchange_ask *ask)
{
	enm_hit hit = {0};
	enm_result result = pick(o, source, ask, &hit);
	if (ask->kind == ASK_PLACE) {
		answer_place(o, ask, result, &hit);
	} else if (result == ENM_OK) {
		const double axis[3] = {0, 0, 1};
		double ahead[3];
		quaternion_rotate(ask->wish.look.from.q_xyzw, axis, ahead);
		tools_use(&o->tools, source, o->hidden);
		tools_point(&o->tools, &hit, ahead);
	} else {
		tools_miss(&o->tools);
	}
	if (result < 0)
		exchange_say(o->exchange, enm_last_error());
}

static void erase_nearest(owner *o, const exchange_ask *ask)
{
	double least = ERASE_PIXELS;
	uint32_t number = 0; /* no mark's */
	for (size_t i = 0; i < o->tools.marks.count; i++) {
		const mark *m = &o->tools.marks.entries[i];
		for (uint32_t k = 0; k < m->point_count; k++) {
			double at[2];
			if (!look_project(&ask->wish.look, ask->wish.width, ask->wish.height, m->points[k].position_mm, at))
				continue;
			double off = hypot(at[0] - ask->x, at[1] - ask->y);
			number = off < least ? m->number : number;
			least = fmin(off, least);
		}
	}
	tools_erase(&o->tools, number);
}

static void answer(owner *o, viewer *v, const viewer_def *def, const viewer_source *source, const exchange_ask *ask)
{
	switch (ask->kind) {
	case ASK_PLACE:
	case ASK_POINT:
		answer_pick(o, source, ask);
		break;
	case ASK_TOOL:
		tools_choose(&o->tools, ask->value);
		break;
	case ASK_FINISH:
		tools_finish(&o->tools);
		break;
	case ASK_UNDO:
		tools_undo(&o->tools);
		break;
	case ASK_ERASE:
		erase_nearest(o, ask);
		break;
	case ASK_EVENT:
		if (def->on_event)
			def->on_event(def->event_user, v, (viewer_event)ask->value);
		break;
	}
}

static bool next_ask(exchange *e, exchange_ask *out)
{
	pthread_mutex_lock(&e->lock);
	bool any = e->ask_count > 0 && !atomic_load(&e->closed);
	if (any) {
		*out = e->asks[e->ask_first];
		e->ask_first = (e->ask_first + 1) % ASKS_MAX;
		e->ask_count--;
	}
	pthread_mutex_unlock(&e->lock);
	return any;
}

/* Hands the marks to the window, and tells the host. */
static bool publish_marks(owner *o, viewer *v, const viewer_def *def)
{
	exchange *e = o->exchange;
	bool edited = o->tools.edited;
	o->tools.edited = false;
	if (edited && (def->events & VIEWER_EVENT_MARKS))
		def->on_event(def->event_user, v, VIEWER_EVENT_MARKS);
	tools_shown *shown = o->tools.changed ? tools_show(&o->tools) : NULL;
	if (!shown)
		return false; /* without memory: tried again next time */
	o->tools.changed = false;
	pthread_mutex_lock(&e->lock);
	tools_shown *old = e->shown;
	e->shown = shown;
	pthread_mutex_unlock(&e->lock);
	tools_shown_free(&old);
	return true;
}

static void note_source(owner *o, const viewer_source *source)
{
	exchange *e = o->exchange;
	pthread_mutex_lock(&e->lock);
	e->state.model += o->drawn && o->drawn != source->object;
	e->state.can_hide = source->show && source->body_count > 1;
	pthread_mutex_unlock(&e->lock);
	o->drawn = source->object;
	tools_use(&o->tools, source, o->hidden);
}

enm_result owner_offer(owner *o, viewer *v, const viewer_def *def, const viewer_source *source, bool *out_made)
{
	exchange_ask ask;
	*out_made = false;
	note_source(o, source);
	while (next_ask(o->exchange, &ask)) {
		answer(o, v, def, source, &ask);
		*out_made = true;
	}
	bool marked = publish_marks(o, v, def); /* before the picture, with which the window is complete */
	enm_result result = make_picture(o, source, out_made);
	*out_made = *out_made || marked;
	return result;
}

void owner_wait(owner *o, double wait_s)
{
	exchange *e = o->exchange;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	double end_s = (double)until.tv_nsec * 1e-9 + wait_s;
	until.tv_sec += (time_t)floor(end_s);
	until.tv_nsec = (long)((end_s - floor(end_s)) * 1e9);
	pthread_mutex_lock(&e->lock);
	int waited = 0;
	while (!waited && !atomic_load(&e->closed) && !e->ask_count && !is_due(o, exchange_clock_s()))
		waited = pthread_cond_timedwait(&e->changed, &e->lock, &until);
	pthread_mutex_unlock(&e->lock);
}
