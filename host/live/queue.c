/* SPDX-License-Identifier: Apache-2.0 */
#include "live/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"

struct live_queue {
	live_policy policy;
	live_frame *frames;
	uint32_t frame_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	live_frame **blanks, **ring; /* room for all frames each */
	uint32_t blank_count, head, waiting, waiting_max;
	live_backlog backlog;
	uint64_t skipped;
	bool ended;
};

static host_status make_frames(live_queue *q, size_t pixels, bool color)
{
	q->frames = calloc(q->frame_count, sizeof *q->frames);
	q->blanks = calloc(q->frame_count, sizeof *q->blanks);
	q->ring = calloc(q->frame_count, sizeof *q->ring);
	bool good = q->frames && q->blanks && q->ring;
	for (uint32_t i = 0; good && i < q->frame_count; i++) {
		source_frame *f = &q->frames[i].from;
		f->depth = calloc(pixels, sizeof *f->depth);
		f->rgb = color ? calloc(pixels, 3) : NULL;
		q->blanks[q->blank_count++] = &q->frames[i];
		good = f->depth && (f->rgb || !color);
	}
	return good ? HOST_OK : host_fail_memory("the frames that wait for the engine");
}

host_status live_queue_create(uint32_t width, uint32_t height, bool color, const live_policy *policy, live_queue **out)
{
	*out = NULL;
	live_queue *q = calloc(1, sizeof *q);
	if (!q)
		return host_fail_memory("the frames that wait for the engine");
	q->policy = *policy;
	q->frame_count = policy->burst + 3; /* one joins, one is filled, one is with the engine's thread */
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	host_status status = make_frames(q, (size_t)width * height, color);
	if (status)
		live_queue_destroy(&q);
	*out = q;
	return status;
}

void live_queue_destroy(live_queue **address)
{
	live_queue *q = *address;
	if (!q)
		return;
	for (uint32_t i = 0; q->frames && i < q->frame_count; i++) {
		free(q->frames[i].from.depth);
		free(q->frames[i].from.rgb);
	}
	free(q->frames);
	free(q->blanks);
	free(q->ring);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	free(q);
	*address = NULL;
}

live_frame *live_queue_blank(live_queue *q)
{
	pthread_mutex_lock(&q->lock);
	live_frame *f = q->blanks[--q->blank_count];
	pthread_mutex_unlock(&q->lock);
	return f;
}

void live_queue_give_back(live_queue *q, live_frame *frame)
{
	pthread_mutex_lock(&q->lock);
	q->blanks[q->blank_count++] = frame;
	pthread_mutex_unlock(&q->lock);
}

/* With the lock held and at least one that waits. */
static live_frame *pop(live_queue *q)
{
	live_frame *f = q->ring[q->head];
	q->head = (q->head + 1) % q->frame_count;
	q->waiting--;
	return f;
}

uint32_t live_queue_put(live_queue *q, live_frame *frame, double now_s, live_dropped out_dropped[LIVE_DROP_MAX])
{
	pthread_mutex_lock(&q->lock);
	q->ring[(q->head + q->waiting++) % q->frame_count] = frame;
	const uint32_t drop = live_policy_drop(&q->policy, &q->backlog, q->waiting, now_s);
	for (uint32_t i = 0; i < drop; i++) {
		live_frame *f = pop(q);
		out_dropped[i] = (live_dropped){f->from.number, f->time_s};
		q->blanks[q->blank_count++] = f;
	}
	q->skipped += drop;
	if (q->waiting > q->waiting_max)
		q->waiting_max = q->waiting;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	return drop;
}

void live_queue_end(live_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

live_queue_state live_queue_take(live_queue *q, double timeout_s, live_frame **out)
{
	const struct timespec deadline = clock_after(timeout_s);
	pthread_mutex_lock(&q->lock);
	while (!q->waiting && !q->ended && timeout_s > 0.0)
		if (pthread_cond_timedwait(&q->changed, &q->lock, &deadline) == ETIMEDOUT)
			break;
	live_queue_state state = q->waiting ? LIVE_QUEUE_FRAME : q->ended ? LIVE_QUEUE_END : LIVE_QUEUE_WAIT;
	*out = q->waiting ? pop(q) : NULL;
	pthread_mutex_unlock(&q->lock);
	return state;
}

live_queue_stats live_queue_look(live_queue *q)
{
	pthread_mutex_lock(&q->lock);
	const live_queue_stats stats = {q->waiting, q->waiting_max, q->frame_count, q->skipped, q->backlog.overloaded};
	pthread_mutex_unlock(&q->lock);
	return stats;
}
