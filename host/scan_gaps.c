/* SPDX-License-Identifier: Apache-2.0 */
#include "scan_gaps.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define GAPS_MAX 256
#define LOOK_APART_MS 1000.0 /* between looks for what of the surface has changed: each costs the device some frames' time */
#define REST_SHARE 15.0      /* of the thread, in the time that it has looked for gaps: it takes that from the scan where there are few cores */
#define REST_MOST_S 3.0
#define WAITING_MAX 64u      /* updates; the thread is far behind then, and the surface can wait */

struct scan_gaps {
	scan_gaps_found found;
	void *user;
	enm_surface_def def;
	bool failed;
	/* the thread's */
	pthread_t thread;
	scan_patches *patches;
	double next_s; /* clock: when gaps may be looked for again */
	bool unseen;   /* the whole surface has changed since they were */
	/* under `lock` */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enm_surface *waiting[WAITING_MAX];
	size_t waiting_count;
	double voxel_mm;
	bool stop;
};

static void look(scan_gaps *g, double voxel_mm)
{
	enm_gap gaps[GAPS_MAX];
	size_t count;
	const double began_s = clock_s();
	enm_mesh *mesh = scan_patches_join(g->patches, voxel_mm);
	if (!mesh)
		g->found(g->user, NULL, 0);
	else if (enm_mesh_gaps(mesh, SCAN_GAPS_MIN_VOXELS * voxel_mm, gaps, GAPS_MAX, &count) >= 0)
		g->found(g->user, gaps, count < GAPS_MAX ? count : GAPS_MAX);
	enm_mesh_destroy(&mesh);
	const double now_s = clock_s();
	g->next_s = now_s + fmin(REST_SHARE * (now_s - began_s), REST_MOST_S);
	g->unseen = false;
}

/* Only a surface that holds the same frames everywhere has no borders but its own. */
static void take(scan_gaps *g, enm_surface *update, double voxel_mm)
{
	enm_surface_data data;
	const bool good = enm_surface_get(update, &data) >= 0 && scan_patches_take(g->patches, &data);
	g->unseen = good && data.frames_complete == data.frames;
	if (g->unseen && clock_s() >= g->next_s)
		look(g, voxel_mm);
	enm_surface_destroy(&update);
}

/* Waits for an update; false when there is none, but what the last ones brought is still to be looked at. Under the lock. */
static bool wait_for_update(scan_gaps *g)
{
	while (!g->stop && !g->waiting_count) {
		if (!g->unseen) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		const struct timespec until = {(time_t)floor(g->next_s), (long)((g->next_s - floor(g->next_s)) * 1e9)};
		if (pthread_cond_timedwait(&g->changed, &g->lock, &until) == ETIMEDOUT && !g->waiting_count)
			return false;
	}
	return true;
}

static void *work(void *user)
{
	scan_gaps *g = user;
	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		if (!wait_for_update(g)) {
			const double at_mm = g->voxel_mm;
			pthread_mutex_unlock(&g->lock);
			look(g, at_mm);
			pthread_mutex_lock(&g->lock);
			continue;
		}
		if (g->stop)
			break;
		enm_surface *update = g->waiting[0];
		const double voxel_mm = g->voxel_mm;
		memmove(g->waiting, g->waiting + 1, --g->waiting_count * sizeof *g->waiting);
		pthread_mutex_unlock(&g->lock);
		take(g, update, voxel_mm);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

host_status scan_gaps_create(scan_gaps_found found, void *user, scan_gaps **out)
{
	scan_gaps *g = calloc(1, sizeof *g);
	*out = NULL;
	if (!g)
		return host_fail_memory("the gaps");
	*g = (scan_gaps){.found = found, .user = user, .def = enm_surface_def_default(), .patches = scan_patches_create()};
	g->def.apart_ms = LOOK_APART_MS;
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (g->patches && !pthread_create(&g->thread, NULL, work, g)) {
		*out = g;
		return HOST_OK;
	}
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	scan_patches_destroy(&g->patches);
	free(g);
	return host_fail(HOST_IO, "cannot start the thread that looks for gaps");
}

host_status scan_gaps_follow(scan_gaps *g, enm_session *session, double voxel_mm)
{
	enm_surface *update = NULL;
	pthread_mutex_lock(&g->lock);
	const bool full = g->waiting_count == WAITING_MAX;
	g->voxel_mm = voxel_mm;
	pthread_mutex_unlock(&g->lock);
	if (g->failed || full)
		return HOST_OK;
	const enm_result result = enm_session_surface_update(session, &g->def, &update);
	g->failed = result < 0;
	if (!update)
		return host_fail_result(result, enm_last_error());
	pthread_mutex_lock(&g->lock);
	g->waiting[g->waiting_count++] = update;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return HOST_OK;
}

void scan_gaps_destroy(scan_gaps **at)
{
	scan_gaps *g = *at;
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->thread, NULL);
	for (size_t i = 0; i < g->waiting_count; i++)
		enm_surface_destroy(&g->waiting[i]);
	scan_patches_destroy(&g->patches);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
	*at = NULL;
}
