/* SPDX-License-Identifier: Apache-2.0 */
#include "global/mend.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/constants.h"
#include "core/error.h"
#include "global/refine.h"

typedef enum mend_phase { MEND_IDLE = 0, MEND_SOLVING, MEND_FUSING } mend_phase;

#define TRACKED_KEPT 4u /* frames whose count is remembered: more than are in flight */

struct mend {
	mend_phase phase;
	gpu_queue *queue; /* of the thread */
	/* when */
	uint64_t tracked, tracked_by[TRACKED_KEPT]; /* frames so far, and up to the frames noted last */
	uint64_t begun, next_at;                    /* so many tracked frames began the last one, and begin the next */
	uint64_t due_at;                            /* the frame before which what is found takes effect */
	bool spoiled;   /* the scan began again, or an island came: what is under way is of no use */
	bool corrected; /* at the end of a scan, which may go on: its next frame tells */
	/* what */
	enm_refine_def def;
	enm_refine_result found;
	refine_run run;
	frame_store snapshot; /* the frames as they were; their inputs are the session's */
	enm_k_camera camera;  /* with the residual found */
	pthread_t thread;
	bool running;
	atomic_bool cancelled, solved; /* asked of the thread; said by it */
	_Atomic(const char *) doing;   /* what it says of how far it is */
	_Atomic(double) done;
	enm_result result; /* of the thread */
	char text[256];
	bool finishing;    /* the caller of enm_session_finish is told how far all is */
	bool enough;       /* said that caller */
	/* the second model */
	refit *refit;
	refit_frame *frames; /* all that are placed */
	size_t placed, fused, capacity;
};

/* The low level of a refinement; a launch is small, since frames wait behind it. */
static const refine_effort effort = {3, 8, 512, 32};

static bool goes_on(void *user, const char *what, double done)
{
	mend *m = user;
	atomic_store(&m->doing, what);
	atomic_store(&m->done, done);
	return !atomic_load(&m->cancelled);
}

/* All that came so far has been solved for, or nothing came. */
static void count_from_here(const enm_session *s, mend *m)
{
	const uint64_t third = m->tracked / 3, every = s->def.close_loops_every;
	m->begun = m->tracked;
	m->next_at = every == ENM_CLOSE_LOOPS_AT_END ? UINT64_MAX : m->tracked + (third > every ? third : every);
}

enm_result mend_create(enm_session *s, mend **out_mend)
{
	*out_mend = NULL;
	if (s->def.close_loops_every == 0)
		return ENM_OK;
	mend *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return error_set(ENM_E_MEMORY, "enm_session_create: no host memory");
	*out_mend = m;
	m->def = enm_refine_def_default();
	m->def.on_progress = goes_on;
	m->def.user = m;
	count_from_here(s, m);
	return gpu_queue_create(s->budget.device, &m->queue);
}

/* ---- the thread ---- */

static void *solve(void *user)
{
	mend *m = user;
	m->result = refine_solve(&m->run, &m->found);
	if (m->result < 0)
		snprintf(m->text, sizeof(m->text), "%s", enm_last_error());
	atomic_store(&m->solved, true);
	return NULL;
}

/* Signals are the program's own threads' to handle. */
static bool start(mend *m)
{
	sigset_t all, before;
	atomic_store(&m->solved, false);
	(void)goes_on(m, "maps", 0.0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	m->running = pthread_create(&m->thread, NULL, solve, m) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return m->running;
}

static void join(mend *m)
{
	if (m->running)
		pthread_join(m->thread, NULL);
	m->running = false;
}

#define LOOK_EVERY_NS 10000000L

/* False where the caller of enm_session_finish has had enough of it. */
static bool tell(enm_session *s, mend *m, const char *what, double done)
{
	if (m->finishing && !session_tell_finish(s, what, done))
		m->enough = true;
	return !m->enough;
}

/* Waits for the thread's answer, and tells the caller on his own thread meanwhile. */
static enm_result answer(enm_session *s, mend *m)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
	while (m->running && m->finishing && s->def.on_finish != NULL && !atomic_load(&m->solved)) {
		if (!tell(s, m, atomic_load(&m->doing), atomic_load(&m->done)))
			atomic_store(&m->cancelled, true);
		(void)nanosleep(&pause, NULL);
	}
	join(m);
	return m->result == ENM_E_DEVICE ? error_set(ENM_E_DEVICE, "%s", m->text) : m->result;
}

#define SPOILED "there is an island, or the scan has begun again"
#define CANCELLED "the caller gave it up"

/* Back to rest; what was not taken is gone. */
static void give_up(enm_session *s, mend *m)
{
	atomic_store(&m->cancelled, true);
	join(m);
	atomic_store(&m->cancelled, false);
	if (m->refit != NULL && gpu_finish(s->queue) != ENM_OK)
		gpu_log(s->budget.device, ENM_LOG_WARNING, "loop closure: %s", enm_last_error());
	refit_destroy(s, &m->refit);
	if (m->phase != MEND_IDLE)
		refine_close(&m->run);
	free(m->frames);
	free(m->snapshot.frames);
	m->frames = NULL;
	memset(&m->snapshot, 0, sizeof(m->snapshot));
	m->placed = m->fused = m->capacity = 0;
	m->phase = MEND_IDLE;
	m->spoiled = false;
}

void mend_cancel(enm_session *s)
{
	if (s->mend == NULL)
		return;
	give_up(s, s->mend);
	s->mend->tracked = 0;
	s->mend->corrected = false;
	count_from_here(s, s->mend);
	memset(s->mend->tracked_by, 0, sizeof(s->mend->tracked_by));
}

void mend_destroy(enm_session *s, mend **m)
{
	if (*m == NULL)
		return;
	give_up(s, *m);
	gpu_queue_destroy(&(*m)->queue);
	free(*m);
	*m = NULL;
}

void mend_is_done(enm_session *s)
{
	if (s->mend != NULL)
		count_from_here(s, s->mend);
}

void mend_note(mend *m, uint64_t frame_id, const enm_k_track *t)
{
	if (m == NULL)
		return;
	m->tracked += t->verdict == ENM_K_VERDICT_TRACKED && t->island == 0;
	m->tracked_by[frame_id % TRACKED_KEPT] = m->tracked;
	m->spoiled = m->spoiled || (t->events & ENM_K_EVENT_BEGUN_AGAIN) != 0 || t->island != 0 || t->islands_open != 0;
}

static void drop(enm_session *s, mend *m, const char *why)
{
	gpu_log(s->budget.device, ENM_LOG_INFO, "loop closure: dropped at frame %llu: %s (parts %u, misfit %.3f, then %.3f)", (unsigned long long)s->frames_pushed, why, m->run.parts,
		m->found.misfit_before, m->found.misfit_after);
	s->stats.corrections_dropped++;
	give_up(s, m);
}

bool mend_yield(enm_session *s)
{
	mend *m = s->mend;
	if (m == NULL || m->phase == MEND_IDLE)
		return false;
	drop(s, m, "others need the room");
	m->begun = 0;
	return true;
}

/* What cannot be done is no failure of the scan, whose own model is as it was; a device that has failed is. */
static enm_result survive(enm_session *s, mend *m, enm_result result)
{
	if (result >= 0 || result == ENM_E_DEVICE)
		return result;
	drop(s, m, enm_last_error());
	return ENM_OK;
}

/* ---- begin ---- */

/* With the poses of `placed`, unless that is NULL. */
static enm_result take_snapshot(enm_session *s, mend *m, const refit_frame *placed)
{
	m->snapshot = s->store;
	m->snapshot.frames = malloc((s->store.count + 1) * sizeof(*m->snapshot.frames));
	if (m->snapshot.frames == NULL)
		return error_set(ENM_E_MEMORY, "loop closure: no host memory for %zu frames", s->store.count);
	memcpy(m->snapshot.frames, s->store.frames, s->store.count * sizeof(*m->snapshot.frames));
	for (size_t i = 0; i < s->store.count && placed != NULL; i++) {
		m->snapshot.frames[i].world_from_camera = placed[i].world_from_camera;
		memcpy(m->snapshot.frames[i].skew, placed[i].skew, sizeof(placed[i].skew));
	}
	return ENM_OK;
}

/* Frames that are compared: about so many at the most. */
static uint32_t step_of(uint64_t tracked)
{
	const uint64_t step = tracked / MEND_NODES;
	return step > effort.step ? (uint32_t)step : effort.step;
}

/* After how many frames what is found takes effect: a thread of two CPU cores solves for 60 frames compared a second, beside the scan. */
static uint64_t due_in(const enm_session *s, const mend *m)
{
	const uint64_t least = s->def.close_loops_every / 2;
	return m->run.node_count > least ? m->run.node_count : least;
}

/* Frames that needed colour beside the shape, as on a smooth ridge: comparisons, which know no colour, would let them slide. */
#define COLORED_MOST 0.1

static bool shape_is_enough(const frame_store *store)
{
	size_t usable = 0, colored = 0;
	for (size_t i = 0; i < store->count; i++) {
		usable += store_usable(&store->frames[i]);
		colored += store_usable(&store->frames[i]) && store->frames[i].colored != 0;
	}
	return (double)colored <= COLORED_MOST * (double)usable;
}

#define LOOK_AGAIN_AFTER 20u /* frames until an island that is in the way is looked at again */

static enm_result open_run(enm_session *s, mend *m, const enm_k_camera *camera, const refit_frame *placed)
{
	memset(&m->found, 0, sizeof(m->found));
	m->run = (refine_run){.session = s,
		.queue = m->queue,
		.store = &m->snapshot,
		.camera = *camera,
		.def = &m->def,
		.effort = effort};
	m->run.effort.step = step_of(m->tracked);
	enm_result result = take_snapshot(s, m, placed);
	return result == ENM_OK ? refine_open(&m->run, &m->found) : result;
}

/* With nothing under way. What cannot be done now is no failure of the scan. An island that is open lies in the model that would go: while the scan goes on it is
 * waited for, at the end it has had its time. */
static enm_result begin(enm_session *s, mend *m, bool at_end)
{
	if (!at_end && (island_waits(&s->island, UINT64_MAX) || island_is_open(&s->island))) {
		s->stats.corrections_dropped++;
		m->next_at = m->tracked + LOOK_AGAIN_AFTER;
		return ENM_OK;
	}
	m->spoiled = false;
	count_from_here(s, m);
	/* a model without the frames that had no room would be worse */
	if (s->store.not_kept > 0 || !shape_is_enough(&s->store)) {
		s->stats.corrections_dropped++;
		return ENM_OK;
	}
	m->phase = MEND_SOLVING;
	enm_result result = open_run(s, m, &s->depth.camera, NULL);
	if (result == ENM_OK) {
		m->due_at = s->frames_pushed + due_in(s, m);
		if (!start(m))
			result = error_set(ENM_E_MEMORY, "the thread cannot be started");
	}
	if (result != ENM_OK)
		drop(s, m, result < 0 ? enm_last_error() : "nothing to compare");
	return result == ENM_E_DEVICE ? result : ENM_OK;
}

/* ---- take effect ---- */

/* What hangs together with the first frame moves by what was found; another part of the scan, which nothing ties to it, goes with the last frame before it, as a
 * whole: by what takes the part's first frame from where it is by now to where it would go. */
static enm_result attach_parts(refine_run *run)
{
	const uint32_t main_part = run->node[0].part;
	const refine_node *last = &run->node[0];
	rigid *by = malloc(run->node_count * sizeof(*by));
	if (by == NULL)
		return error_set(ENM_E_MEMORY, "loop closure: no host memory for %u frames", run->node_count);
	for (uint32_t i = 0; i < run->node_count; i++) {
		refine_node *n = &run->node[i];
		if (n->out)
			continue;
		if (n->part == main_part) {
			last = n;
			continue;
		}
		if (n->part == i) {
			const rigid last_back = rigid_inverse(&last->before), move = rigid_after(&last->pose, &last_back);
			const rigid back = rigid_inverse(&n->pose), to = rigid_after(&move, &n->before);
			by[i] = rigid_after(&to, &back);
		}
		n->pose = rigid_after(&by[n->part], &n->pose);
	}
	free(by);
	return ENM_OK;
}

static bool is_better(mend *m)
{
	const enm_refine_result *f = &m->found;
	return !m->run.node[0].out && f->misfit_after <= f->misfit_before * 1.02 && f->inliers_after >= f->inliers_before - 0.02f;
}

/* Places all frames up to `count`. */
static enm_result place(enm_session *s, mend *m, size_t count)
{
	if (count > m->capacity) {
		const size_t capacity = count + count / 2 + 256;
		refit_frame *frames = realloc(m->frames, capacity * sizeof(*frames));
		if (frames == NULL)
			return error_set(ENM_E_MEMORY, "loop closure: no host memory for %zu frames", capacity);
		m->frames = frames;
		m->capacity = capacity;
	}
	enm_result result = ENM_OK;
	if (m->placed == 0)
		result = refine_place(&m->run, &m->snapshot, m->frames);
	if (result == ENM_OK && m->placed == 0)
		m->placed = m->snapshot.count;
	if (result == ENM_OK && count > m->placed)
		result = refine_place_later(&m->run, &s->store, m->placed, count, m->frames);
	m->placed = count > m->placed ? count : m->placed;
	return result;
}

/* Root mean square, by which the frames move that are fused: the place they look at. */
static double moved_mm(const mend *m)
{
	double sum = 0.0, count = 0.0;
	for (size_t i = 0; i < m->placed; i++) {
		const store_frame *f = &m->snapshot.frames[i];
		const enm_k_pose *from = &f->world_from_camera, *to = &m->frames[i].world_from_camera;
		for (int k = 0; k < 3 && m->frames[i].fused; k++) {
			const double step = (double)(to->t[k] - from->t[k]) + (double)(to->r[3 * k + 2] - from->r[3 * k + 2]) * (double)f->pivot_mm;
			sum += step * step;
		}
		count += m->frames[i].fused;
	}
	return count > 0.0 ? sqrt(sum / count) : 0.0;
}

/* The thread's answer. With nothing under way. */
static enm_result hear(enm_session *s, mend *m)
{
	enm_result result = answer(s, m);
	if (result == ENM_E_DEVICE)
		return result;
	if (result != ENM_OK || m->spoiled || !is_better(m)) {
		drop(s, m, result < 0 ? m->text : result == ENM_CANCELLED ? CANCELLED : m->spoiled ? SPOILED : "frames do not agree better");
		return ENM_OK;
	}
	result = attach_parts(&m->run);
	refine_release_device(&m->run);
	m->camera = refine_camera(&m->run);
	m->phase = MEND_FUSING;
	if (result == ENM_OK)
		result = place(s, m, m->snapshot.count);
	return survive(s, m, result);
}

/* The second model. With nothing under way. */
static enm_result begin_model(enm_session *s, mend *m)
{
	enm_k_blocks blocks;
	enm_result result = gpu_read(s->queue, &s->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	enm_result finished = gpu_finish(s->queue);
	result = result != ENM_OK ? result : finished;
	if (result == ENM_OK)
		result = refit_create(s, &m->camera, blocks.used, &m->refit);
	return survive(s, m, result);
}

/* Up to `most` of the frames placed. */
static enm_result fuse_some(enm_session *s, mend *m, size_t most)
{
	enm_result result = ENM_OK;
	while (most > 0 && m->fused < m->placed && result == ENM_OK) {
		const refit_frame *f = &m->frames[m->fused++];
		if (!f->fused)
			continue;
		result = refit_fuse(s, m->refit, f);
		most--;
	}
	return result;
}

#define TELL_AFTER 8u /* frames */

/* All frames fused, and whether that has got room. */
static enm_result complete(enm_session *s, mend *m, bool *out_whole)
{
	enm_result result = place(s, m, s->store.count);
	while (result == ENM_OK && m->fused < m->placed) {
		if (!tell(s, m, "fusing", 0.75 + 0.25 * (double)m->fused / (double)m->placed)) {
			drop(s, m, CANCELLED);
			return ENM_OK;
		}
		result = fuse_some(s, m, TELL_AFTER);
	}
	return result == ENM_OK ? refit_is_whole(s, m->refit, out_whole) : result;
}

/* With nothing under way, and all frames fused but perhaps the last. */
static enm_result take(enm_session *s, mend *m, bool *out_corrected)
{
	bool whole = true;
	if (m->spoiled || s->store.not_kept > 0) {
		drop(s, m, m->spoiled ? SPOILED : "there is no room for frames");
		return ENM_OK;
	}
	enm_result result = survive(s, m, complete(s, m, &whole));
	if (result != ENM_OK || m->phase == MEND_IDLE)
		return result;
	if (!whole) {
		drop(s, m, "there is no room for two models");
		return ENM_OK;
	}
	result = refit_take(s, &m->refit, m->frames, m->placed);
	if (result != ENM_OK)
		return result;
	(void)refine_keep_poses(&s->store, m->frames);
	s->stats.corrections++;
	*out_corrected = true;
	give_up(s, m);
	return ENM_OK;
}

/* ---- step by step ---- */

enm_result mend_step(enm_session *s, const enm_k_track *two_before, bool *out_corrected)
{
	mend *m = s->mend;
	*out_corrected = false;
	if (m == NULL || s->frames_pushed < ENM_FRAMES_IN_FLIGHT)
		return ENM_OK;
	*out_corrected = m->corrected;
	m->corrected = false;
	const uint64_t known = s->frames_pushed - ENM_FRAMES_IN_FLIGHT; /* the last frame that is collected in every run */
	enm_result result = ENM_OK;
	switch (m->phase) {
	case MEND_IDLE:
		if (m->tracked_by[known % TRACKED_KEPT] < m->next_at || two_before->island != 0 || two_before->islands_open != 0)
			return ENM_OK;
		result = enm_session_flush(s);
		return result == ENM_OK ? begin(s, m, false) : result;
	case MEND_SOLVING:
		if (s->frames_pushed < m->due_at)
			return ENM_OK;
		result = enm_session_flush(s);
		if (result == ENM_OK)
			result = hear(s, m);
		if (result != ENM_OK || m->phase != MEND_FUSING)
			return result;
		if (moved_mm(m) > s->def.close_loops_moved_mm)
			return begin_model(s, m);
		give_up(s, m);
		return ENM_OK;
	case MEND_FUSING:
		result = place(s, m, known + 1);
		if (result == ENM_OK)
			result = fuse_some(s, m, gpu_device_is_cpu(s->budget.device) ? MEND_FUSED_CPU : MEND_FUSED_GPU);
		result = survive(s, m, result);
		if (result != ENM_OK || m->phase == MEND_IDLE || m->fused < known + 1)
			return result;
		result = enm_session_flush(s);
		return result == ENM_OK ? take(s, m, out_corrected) : result;
	}
	return result;
}

/* ---- the end of a scan ---- */

/* Solves once more from where all frames are placed by now. What was found before stands if that finds nothing better. With nothing under way. */
static enm_result solve_again(enm_session *s, mend *m)
{
	enm_result result = place(s, m, s->store.count);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	if (result != ENM_OK)
		return result;
	refit_destroy(s, &m->refit); /* it would not be used, and the solve needs the room */
	free(m->snapshot.frames);
	m->snapshot.frames = NULL;
	refine_close(&m->run);
	result = open_run(s, m, &m->camera, m->frames);
	if (result == ENM_OK && !start(m))
		result = error_set(ENM_E_MEMORY, "the thread cannot be started");
	if (result == ENM_OK)
		result = answer(s, m);
	refine_release_device(&m->run);
	m->fused = 0;
	if (result == ENM_E_DEVICE)
		return result;
	if (result != ENM_OK || !is_better(m) || attach_parts(&m->run) != ENM_OK)
		return ENM_OK;
	m->camera = refine_camera(&m->run);
	m->placed = 0;
	return place(s, m, s->store.count);
}

#define AT_END_LEAST 20u /* frames, as close_loops_every */

static bool more_came(const enm_session *s, const mend *m)
{
	return m->tracked > m->begun + (s->def.close_loops_every == ENM_CLOSE_LOOPS_AT_END ? AT_END_LEAST : s->def.close_loops_every / 7);
}

/* What was begun, with all that came since; anew where nothing was begun or it came to nothing. */
static enm_result solve_last(enm_session *s, mend *m)
{
	if (m->phase != MEND_IDLE && m->spoiled) {
		drop(s, m, SPOILED);
		m->begun = 0;
	}
	const bool more = more_came(s, m);
	enm_result result = m->phase == MEND_SOLVING ? hear(s, m) : ENM_OK;
	if (result == ENM_OK && m->phase == MEND_FUSING && more)
		return survive(s, m, solve_again(s, m));
	if (result == ENM_OK && m->phase == MEND_IDLE && !m->enough && more_came(s, m)) {
		result = begin(s, m, true);
		if (result == ENM_OK && m->phase == MEND_SOLVING)
			result = hear(s, m);
	}
	return result;
}

enm_result mend_finish(enm_session *s)
{
	mend *m = s->mend;
	if (m == NULL)
		return ENM_OK;
	m->finishing = true;
	enm_result result = solve_last(s, m);
	if (result == ENM_OK && m->enough && m->phase != MEND_IDLE)
		drop(s, m, CANCELLED);
	if (result == ENM_OK && m->phase == MEND_FUSING && m->refit == NULL)
		result = begin_model(s, m);
	if (result == ENM_OK && m->phase == MEND_FUSING) {
		result = take(s, m, &m->corrected);
		count_from_here(s, m);
	}
	if (m->enough)
		m->begun = 0; /* the next time has it all to do */
	m->finishing = m->enough = false;
	return result;
}
