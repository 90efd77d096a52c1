/* SPDX-License-Identifier: Apache-2.0 */
#include "live/watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"

#define LOOK_EVERY_S 0.2
#define MINUTE_S 60.0

/* Of the process; 0 where the kernel does not tell. */
static double resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f)
		return 0.0;
	const int found = fscanf(f, "%llu %llu", &size, &resident);
	fclose(f);
	return found == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0.0;
}

static void sample_memory(live_watch *w, double now_s)
{
	if (now_s < w->next_sample_s)
		return;
	if (w->rss_count == LIVE_WATCH_SAMPLES) {
		for (size_t i = 0; i < LIVE_WATCH_SAMPLES / 2; i++)
			w->rss_bytes[i] = w->rss_bytes[2 * i];
		w->rss_count = LIVE_WATCH_SAMPLES / 2;
		w->sample_every_s *= 2.0;
	}
	w->rss_bytes[w->rss_count++] = resident_bytes();
	w->next_sample_s = w->begun_s + (double)w->rss_count * w->sample_every_s;
	if (w->rss_minute_bytes <= 0.0 && now_s - w->begun_s >= MINUTE_S)
		w->rss_minute_bytes = w->rss_bytes[w->rss_count - 1];
}

bool live_watch_look(live_watch *w, double now_s)
{
	if (w->busy && !w->paused)
		w->waited_s += fmin(now_s - w->looked_s, 2.0 * LOOK_EVERY_S);
	w->looked_s = now_s;
	return w->busy && w->waited_s > w->hang_s;
}

static void *watch(void *user)
{
	live_watch *w = user;
	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		const struct timespec t = clock_after(LOOK_EVERY_S);
		pthread_cond_timedwait(&w->changed, &w->lock, &t);
		const double now_s = clock_s();
		sample_memory(w, now_s);
		if (live_watch_look(w, now_s) && !w->stop)
			w->on_hang(w->user); /* with the lock: whoever marks or ends now waits for the process to end */
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

host_status live_watch_begin(live_watch *w)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	w->begun_s = w->looked_s = w->next_sample_s = clock_s();
	w->sample_every_s = 1.0;
	int error = pthread_create(&w->thread, NULL, watch, w);
	w->started = !error;
	return error ? host_fail(HOST_IO, "cannot start the watching thread: %s", strerror(error)) : HOST_OK;
}

void live_watch_mark(live_watch *w, bool busy, bool progress)
{
	pthread_mutex_lock(&w->lock);
	if (progress || !busy || !w->busy) {
		w->looked_s = clock_s();
		w->waited_s = 0.0;
	}
	w->busy = busy;
	pthread_mutex_unlock(&w->lock);
}

void live_watch_pause(live_watch *w, bool paused)
{
	pthread_mutex_lock(&w->lock);
	w->paused = paused;
	pthread_mutex_unlock(&w->lock);
}

void live_watch_scanned(live_watch *w)
{
	live_watch_mark(w, true, true);
	w->rss_scanned_bytes = resident_bytes();
}

void live_watch_end(live_watch *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

json_t *live_watch_json(live_watch *w, bool *ok)
{
	double max = 0.0;
	json_t *root = json_object();
	for (size_t i = 0; i < w->rss_count; i++)
		max = w->rss_bytes[i] > max ? w->rss_bytes[i] : max;
	json_put(root, "every_s", json_finite(w->sample_every_s), ok);
	json_put(root, "resident_bytes", json_numbers(w->rss_bytes, w->rss_count), ok);
	json_put(root, "max_bytes", json_finite(max), ok);
	json_put(root, "after_a_minute_bytes",
		w->rss_minute_bytes > 0.0 ? json_finite(w->rss_minute_bytes) : json_null(), ok);
	json_put(root, "scanned_bytes", w->rss_scanned_bytes > 0.0 ? json_finite(w->rss_scanned_bytes) : json_null(), ok);
	json_put(root, "end_bytes", json_finite(resident_bytes()), ok);
	return root;
}
