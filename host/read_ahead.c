/* SPDX-License-Identifier: Apache-2.0 */
#include "read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define RING_FRAMES_MAX 32
#define RING_FRAMES_MIN 2
#define RING_BYTES_MAX ((size_t)64 << 20)

struct read_ahead {
	read_ahead_def def;
	read_ahead_frame *ring;
	size_t capacity;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	size_t head, count; /* ring[head] is the oldest of `count` frames */
	bool granted;       /* the thread may read */
	bool ended, stopped;
	double read_s;
};

/* Waits for room and leave to read; false at the end. Called with the lock held. */
static bool wait_for_room(read_ahead *s)
{
	while (!s->stopped && (s->count == s->capacity || !s->granted))
		pthread_cond_wait(&s->changed, &s->lock);
	return !s->stopped;
}

static void *read_frames(void *user)
{
	read_ahead *s = user;
	pthread_mutex_lock(&s->lock);
	for (size_t index = s->def.first; index < s->def.end && wait_for_room(s); index++) {
		if (s->def.data->frames[index].skipped)
			continue;
		/* Only this thread writes behind the filled part, so the place needs no lock. */
		read_ahead_frame *place = &s->ring[(s->head + s->count) % s->capacity];
		pthread_mutex_unlock(&s->lock);
		double begun_s = clock_s();
		place->index = index;
		dataset_read_frame(s->def.data, index, place->depth, place->rgb, &place->reading);
		double spent_s = clock_s() - begun_s;
		pthread_mutex_lock(&s->lock);
		s->read_s += spent_s;
		s->count++;
		pthread_cond_broadcast(&s->changed);
	}
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static host_status make_ring(read_ahead *s)
{
	const enm_camera *c = &s->def.data->camera.camera;
	size_t pixels = (size_t)c->width * c->height, bytes = pixels * (s->def.color ? 5 : 2);
	s->capacity = RING_BYTES_MAX / bytes;
	if (s->capacity > RING_FRAMES_MAX)
		s->capacity = RING_FRAMES_MAX;
	if (s->capacity < RING_FRAMES_MIN)
		s->capacity = RING_FRAMES_MIN;
	s->ring = calloc(s->capacity, sizeof *s->ring);
	bool good = s->ring != NULL;
	for (size_t i = 0; good && i < s->capacity; i++) {
		s->ring[i].depth = malloc(pixels * sizeof *s->ring[i].depth);
		s->ring[i].rgb = s->def.color ? malloc(pixels * 3) : NULL;
		good = s->ring[i].depth && (s->ring[i].rgb || !s->def.color);
	}
	return good ? HOST_OK : host_fail_memory("frames read ahead");
}

host_status read_ahead_create(const read_ahead_def *def, read_ahead **out)
{
	*out = NULL;
	read_ahead *s = calloc(1, sizeof *s);
	if (!s)
		return host_fail_memory("frames read ahead");
	s->def = *def;
	s->granted = !def->shares_cpu;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	host_status status = make_ring(s);
	if (!status) {
		int error = pthread_create(&s->thread, NULL, read_frames, s);
		s->started = !error;
		if (error)
			status = host_fail(HOST_IO, "cannot start the reading thread: %s", strerror(error));
	}
	if (status)
		read_ahead_destroy(&s);
	*out = s;
	return status;
}

void read_ahead_destroy(read_ahead **address)
{
	read_ahead *s = address ? *address : NULL;
	if (!s)
		return;
	if (s->started) {
		pthread_mutex_lock(&s->lock);
		s->stopped = true;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	for (size_t i = 0; s->ring && i < s->capacity; i++) {
		free(s->ring[i].depth);
		free(s->ring[i].rgb);
	}
	free(s->ring);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*address = NULL;
}

/* Is there what the caller waits for? A refill, once begun, goes on until the ring is full. */
static bool is_ready(const read_ahead *s)
{
	if (s->ended)
		return true;
	return s->def.shares_cpu && s->granted ? s->count == s->capacity : s->count > 0;
}

read_ahead_state read_ahead_next(read_ahead *s, bool engine_idle, double timeout_s, const read_ahead_frame **out)
{
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->def.shares_cpu && !s->count && !s->ended && !engine_idle) {
		pthread_mutex_unlock(&s->lock);
		return READ_AHEAD_WAIT;
	}
	if (s->def.shares_cpu && !s->count && !s->ended && !s->granted) {
		s->granted = true;
		pthread_cond_broadcast(&s->changed);
	}
	struct timespec deadline = clock_after(timeout_s);
	while (!is_ready(s))
		if (pthread_cond_timedwait(&s->changed, &s->lock, &deadline) == ETIMEDOUT)
			break;
	read_ahead_state state = READ_AHEAD_WAIT;
	if (is_ready(s)) {
		s->granted = !s->def.shares_cpu;
		state = s->count ? READ_AHEAD_FRAME : READ_AHEAD_END;
		*out = s->count ? &s->ring[s->head] : NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return state;
}

void read_ahead_release(read_ahead *s)
{
	pthread_mutex_lock(&s->lock);
	s->head = (s->head + 1) % s->capacity;
	s->count--;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

double read_ahead_read_s(read_ahead *s)
{
	pthread_mutex_lock(&s->lock);
	double read_s = s->read_s;
	pthread_mutex_unlock(&s->lock);
	return read_s;
}
