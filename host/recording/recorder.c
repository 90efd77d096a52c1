/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* gettid */
#include "recorder.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define QUEUE_FRAMES_MAX 4096u
#define WAIT_MAX_S 86400.0
#define IDLE_S 0.1
#define NOTES_AT_ONCE 64u

typedef struct slot {
	recording_frame frame;
	uint16_t *depth;
	uint8_t *rgb;
} slot;

struct recorder {
	recorder_def def;
	slot *queue;
	packet_fate *notes; /* RECORDER_NOTES */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	uint32_t head, count; /* queue[head] is the oldest of `count` frames */
	uint32_t note_head, note_count;
	bool closing;
	host_status failed;
	char failure[512];
	recorder_stats stats;
};

static double thread_cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void keep_failure(recorder *r, host_status status)
{
	if (!status || r->failed)
		return;
	r->failed = status;
	snprintf(r->failure, sizeof r->failure, "%s", host_error_text());
}

/* Waits a while for a frame; when none comes, what was written still reaches the disk in time. With the lock held. */
static void wait_for_frame(recorder *r)
{
	const struct timespec deadline = clock_after(IDLE_S);
	if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != ETIMEDOUT || r->failed)
		return;
	pthread_mutex_unlock(&r->lock);
	host_status status = writer_idle(r->def.writer);
	pthread_mutex_lock(&r->lock);
	keep_failure(r, status);
}

/* Writes some of the fates that wait. With the lock held, which it gives away meanwhile. */
static void write_notes(recorder *r)
{
	packet_fate some[NOTES_AT_ONCE];
	uint32_t count = r->note_count < NOTES_AT_ONCE ? r->note_count : NOTES_AT_ONCE;
	for (uint32_t i = 0; i < count; i++)
		some[i] = r->notes[(r->note_head + i) % RECORDER_NOTES];
	r->note_head = (r->note_head + count) % RECORDER_NOTES;
	r->note_count -= count;
	if (r->failed)
		return;
	pthread_mutex_unlock(&r->lock);
	host_status status = writer_fates(r->def.writer, some, count);
	pthread_mutex_lock(&r->lock);
	keep_failure(r, status);
	r->stats.written = *writer_so_far(r->def.writer);
}

/* After a failure the queue is emptied without writing, so that nobody waits for room in vain. */
static void *write_frames(void *user)
{
	recorder *r = user;
	if (r->def.nice)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), r->def.nice);
	pthread_mutex_lock(&r->lock);
	while (r->count || r->note_count || !r->closing) {
		if (r->note_count) {
			write_notes(r);
			continue;
		}
		if (!r->count) {
			wait_for_frame(r);
			continue;
		}
		slot *s = &r->queue[r->head];
		bool skip = r->failed != HOST_OK;
		pthread_mutex_unlock(&r->lock);
		host_status status = skip ? HOST_OK : writer_frame(r->def.writer, &s->frame);
		pthread_mutex_lock(&r->lock);
		keep_failure(r, status);
		r->stats.written = *writer_so_far(r->def.writer);
		r->head = (r->head + 1) % r->def.queue_frames;
		r->count--;
		pthread_cond_broadcast(&r->changed);
	}
	r->stats.cpu_s = thread_cpu_s();
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static host_status make_queue(recorder *r)
{
	size_t pixels = (size_t)r->def.width * r->def.height;
	r->queue = calloc(r->def.queue_frames, sizeof *r->queue);
	r->notes = calloc(RECORDER_NOTES, sizeof *r->notes);
	bool good = r->queue && r->notes;
	for (uint32_t i = 0; good && i < r->def.queue_frames; i++) {
		r->queue[i].depth = malloc(pixels * sizeof *r->queue[i].depth);
		r->queue[i].rgb = r->def.color ? malloc(3 * pixels) : NULL;
		good = r->queue[i].depth && (r->queue[i].rgb || !r->def.color);
	}
	return good ? HOST_OK : host_fail_memory("the queue of frames to record");
}

static void destroy(recorder *r)
{
	for (uint32_t i = 0; r->queue && i < r->def.queue_frames; i++) {
		free(r->queue[i].depth);
		free(r->queue[i].rgb);
	}
	free(r->queue);
	free(r->notes);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

host_status recorder_create(const recorder_def *def, recorder **out)
{
	*out = NULL;
	if (!def->queue_frames || def->queue_frames > QUEUE_FRAMES_MAX)
		return host_fail(
			HOST_USAGE, "queue: %u frames are not within 1 to %u", def->queue_frames, QUEUE_FRAMES_MAX);
	if (!def->width || !def->height)
		return host_fail(HOST_USAGE, "queue: pictures of %ux%u pixels", def->width, def->height);
	recorder *r = calloc(1, sizeof *r);
	if (!r)
		return host_fail_memory("a recording");
	r->def = *def;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	host_status status = make_queue(r);
	int error = status ? 0 : pthread_create(&r->thread, NULL, write_frames, r);
	if (error)
		status = host_fail(HOST_IO, "cannot start the recording thread: %s", strerror(error));
	if (status)
		destroy(r);
	else
		*out = r;
	return status;
}

static bool wait_for_room(recorder *r, double wait_s)
{
	const struct timespec deadline = clock_after(fmin(wait_s, WAIT_MAX_S));
	while (r->count == r->def.queue_frames && !r->failed && wait_s > 0.0)
		if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == ETIMEDOUT)
			break;
	return r->count < r->def.queue_frames;
}

/* Only the pushing thread writes behind the filled part, so the copy needs no lock. */
static void fill_slot(recorder *r, slot *s, const recording_frame *frame)
{
	size_t pixels = (size_t)r->def.width * r->def.height;
	s->frame = *frame;
	s->frame.depth = s->depth;
	s->frame.rgb = frame->rgb ? s->rgb : NULL;
	memcpy(s->depth, frame->depth, pixels * sizeof *s->depth);
	if (frame->rgb)
		memcpy(s->rgb, frame->rgb, 3 * pixels);
}

recorder_answer recorder_push(recorder *r, const recording_frame *frame, double wait_s)
{
	if (frame->width != r->def.width || frame->height != r->def.height || (frame->rgb && !r->def.color)) {
		host_fail(HOST_USAGE, "frame %llu: is %ux%u%s instead of %ux%u%s", (unsigned long long)frame->number,
			frame->width, frame->height, frame->rgb ? " with colour" : "", r->def.width, r->def.height,
			r->def.color ? "" : " without");
		return RECORDER_FAILED;
	}
	if (!isfinite(frame->time_s) || (frame->rgb && !isfinite(frame->color_time_s))) {
		host_fail(HOST_USAGE, "frame %llu: its time is no number", (unsigned long long)frame->number);
		return RECORDER_FAILED;
	}
	pthread_mutex_lock(&r->lock);
	bool room = wait_for_room(r, wait_s);
	if (r->failed)
		host_fail(r->failed, "%s", r->failure);
	recorder_answer answer = r->failed ? RECORDER_FAILED : room ? RECORDER_TAKEN : RECORDER_FULL;
	r->stats.refused += answer == RECORDER_FULL;
	slot *s = &r->queue[(r->head + r->count) % r->def.queue_frames];
	pthread_mutex_unlock(&r->lock);
	if (answer != RECORDER_TAKEN)
		return answer;
	fill_slot(r, s, frame);
	pthread_mutex_lock(&r->lock);
	r->stats.taken++;
	if (++r->count > r->stats.queue_max)
		r->stats.queue_max = r->count;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return RECORDER_TAKEN;
}

uint64_t recorder_written(recorder *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t frames = r->stats.written.frames;
	pthread_mutex_unlock(&r->lock);
	return frames;
}

bool recorder_note(recorder *r, const packet_fate *fate)
{
	pthread_mutex_lock(&r->lock);
	bool room = r->note_count < RECORDER_NOTES;
	if (room) {
		r->notes[(r->note_head + r->note_count++) % RECORDER_NOTES] = *fate;
		if (r->note_count > r->stats.notes_max)
			r->stats.notes_max = r->note_count;
		pthread_cond_broadcast(&r->changed);
	}
	r->stats.notes_refused += !room;
	pthread_mutex_unlock(&r->lock);
	return room;
}

host_status recorder_close(recorder **address, recorder_stats *out_stats)
{
	recorder *r = *address;
	if (!r)
		return HOST_OK;
	pthread_mutex_lock(&r->lock);
	r->closing = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	host_status status = writer_close(&r->def.writer, r->stats.refused, &r->stats.written);
	if (r->failed) /* also one that is not the disk's */
		status = host_fail(r->failed, "%s", r->failure);
	if (out_stats)
		*out_stats = r->stats;
	destroy(r);
	*address = NULL;
	return status;
}
