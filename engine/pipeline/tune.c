/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds a device's settings: for one after the other, small sessions with each of its values take turns, and the
 * fastest value wins, if by more than the noise. */
#include "pipeline/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/context.h"
#include "core/error.h"
#include "gpu/gpu.h"

#define WIDTH 320
#define HEIGHT 240
#define VIEWS 8 /* pictures, seen to and fro */
#define STEP_MM 0.12
#define FRAMES_MAX 28
#define FRAMES_MIN 6
#define FRAMES_SKIPPED 3 /* of a session: its first take longer */
#define ROUNDS_MAX 7
#define ROUNDS_MIN 3
#define SECONDS 16.0    /* for all settings together */
#define GAIN_LEAST 0.03 /* less than that comes and goes between runs */

typedef struct tuner {
	enm_context *context;
	gpu_device *device;
	enm_session_def def;
	float *depth_mm[VIEWS];
	int frames;                   /* of a session */
	double budget_s;              /* for a setting */
	enm_report first[FRAMES_MAX]; /* of the first session: none may differ */
	bool has_first;
} tuner;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enm_result draw_views(tuner *t)
{
	const enm_camera *c = &t->def.camera;
	for (int k = 0; k < VIEWS; k++) {
		t->depth_mm[k] = malloc(sizeof(float) * WIDTH * HEIGHT);
		if (t->depth_mm[k] == NULL)
			return error_set(ENM_E_MEMORY, "tuning: no host memory");
		for (int p = 0; p < WIDTH * HEIGHT; p++) {
			const double x = (p % WIDTH - c->cx) / c->fx, y = (p / WIDTH - c->cy) / c->fy;
			double z = 14.0;
			for (int i = 0; i < 10; i++) /* closer each time to where the ray meets the surface */
				z = 14.0 + 0.8 * sin(0.9 * (z * x + STEP_MM * k)) * cos(0.7 * z * y);
			t->depth_mm[k][p] = (float)z;
		}
	}
	return ENM_OK;
}

static enm_result push_frames(tuner *t, enm_session *session, double *out_frame_s)
{
	enm_result result = ENM_OK;
	double begin_s = now_s();
	for (int i = 0; i < t->frames && result >= 0; i++) {
		const int turn = i % (2 * VIEWS - 2), view = turn < VIEWS ? turn : 2 * VIEWS - 2 - turn;
		const enm_frame frame = {
			.depth = t->depth_mm[view], .depth_format = ENM_DEPTH_F32_MM, .time_ns = i * INT64_C(33333333)};
		result = enm_session_push(session, &frame, NULL);
		if (i + 1 == FRAMES_SKIPPED && result >= 0) {
			result = enm_session_flush(session);
			begin_s = now_s();
		}
	}
	if (result >= 0)
		result = enm_session_flush(session);
	*out_frame_s = (now_s() - begin_s) / (t->frames - FRAMES_SKIPPED);
	return result < 0 ? result : ENM_OK;
}

/* What a setting must not change. */
static bool is_same(const enm_report *a, const enm_report *b)
{
	return memcmp(&a->world_from_camera, &b->world_from_camera, sizeof(a->world_from_camera)) == 0 &&
	       a->verdict == b->verdict && a->iterations == b->iterations && a->blocks_used == b->blocks_used;
}

static enm_result check_reports(tuner *t, enm_session *session)
{
	for (int i = 0; i < t->frames; i++) {
		enm_report report;
		enm_result result = enm_session_next_report(session, &report);
		if (result != ENM_OK)
			return result < 0 ? result : error_set(ENM_E_DEVICE, "tuning: frame %d has no report", i);
		if (!t->has_first)
			t->first[i] = report;
		else if (!is_same(&t->first[i], &report))
			return error_set(ENM_E_DEVICE, "tuning: frame %d of the same frames came out otherwise", i);
	}
	return ENM_OK;
}

/* Seconds a frame in a session of its own with the device's present settings. */
static enm_result time_session(tuner *t, double *out_frame_s)
{
	enm_session *session = NULL;
	enm_result result = enm_session_create(t->context, &t->def, &session);
	if (result == ENM_OK)
		result = push_frames(t, session, out_frame_s);
	if (result == ENM_OK)
		result = check_reports(t, session);
	t->has_first = t->has_first || result == ENM_OK;
	enm_session_destroy(&session);
	return result;
}

/* As many frames a session as the time allows, and no reports of a shorter one to compare with. */
static enm_result size_sessions(tuner *t)
{
	double frame_s = 0.0;
	uint32_t values[GPU_TUNING_CANDIDATES_MAX], sessions = 0, settings = 0;
	for (int i = 0; i < GPU_TUNING_COUNT; i++) {
		const uint32_t count = gpu_tuning_candidates(t->device, (gpu_tuning)i, values);
		sessions += count > 1 ? count * ROUNDS_MAX : 0;
		settings += count > 1;
	}
	t->frames = FRAMES_MIN;
	enm_result result = time_session(t, &frame_s); /* compiles the kernels where need be */
	if (result == ENM_OK)
		result = time_session(t, &frame_s);
	t->has_first = false;
	const double frames = sessions > 0 && frame_s > 0.0 ? SECONDS / (sessions * frame_s) : FRAMES_MAX;
	t->frames = frames < FRAMES_MIN ? FRAMES_MIN : frames > FRAMES_MAX ? FRAMES_MAX : (int)frames;
	t->budget_s = settings > 0 ? SECONDS / settings : 0.0;
	return result;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* The value of the least time, if that is less than the first value's by more than GAIN_LEAST and most rounds agree;
 * else the first. The least is what a frame costs: the rest is what else the machine does. */
static uint32_t choose(const tuner *t, gpu_tuning which, const uint32_t *values, uint32_t count,
	double times[GPU_TUNING_CANDIDATES_MAX][ROUNDS_MAX], size_t rounds)
{
	double least[GPU_TUNING_CANDIDATES_MAX];
	uint32_t best = 0;
	for (uint32_t v = 0; v < count; v++) {
		double ratios[ROUNDS_MAX];
		least[v] = times[v][0];
		for (size_t r = 0; r < rounds; r++) {
			least[v] = fmin(least[v], times[v][r]);
			ratios[r] = times[v][r] / times[0][r];
		}
		qsort(ratios, rounds, sizeof(ratios[0]), compare);
		gpu_log(t->device, ENM_LOG_INFO,
			"tuning: %s %u: %.3f ms a frame at least, median ratio %.3f in %zu rounds",
			gpu_tuning_name(which), values[v], 1e3 * least[v], ratios[rounds / 2], rounds);
		if (least[v] < least[best] && least[v] < (1.0 - GAIN_LEAST) * least[0] && ratios[rounds / 2] < 1.0)
			best = v;
	}
	return values[best];
}

static enm_result tune_setting(tuner *t, gpu_tuning which)
{
	uint32_t values[GPU_TUNING_CANDIDATES_MAX];
	double times[GPU_TUNING_CANDIDATES_MAX][ROUNDS_MAX];
	const uint32_t count = gpu_tuning_candidates(t->device, which, values);
	const uint32_t initial = gpu_tuning_initial(t->device, which);
	const double end_s = now_s() + t->budget_s;
	enm_result result = ENM_OK;
	size_t rounds = 0;
	for (uint32_t v = 1; v < count; v++) /* the initial one first */
		if (values[v] == initial) {
			values[v] = values[0];
			values[0] = initial;
		}
	while (count > 1 && rounds < ROUNDS_MAX && result == ENM_OK && (rounds < ROUNDS_MIN || now_s() < end_s)) {
		for (uint32_t v = 0; v < count && result == ENM_OK; v++) {
			gpu_tuning_set(t->device, which, values[v]);
			result = time_session(t, &times[v][rounds]);
		}
		rounds++;
	}
	gpu_tuning_set(t->device, which,
		result == ENM_OK && rounds > 0 ? choose(t, which, values, count, times, rounds) : initial);
	return result;
}

enm_result tune_run(enm_context *context)
{
	const enm_camera camera = {
		.width = WIDTH, .height = HEIGHT, .fx = 240.0, .fy = 240.0, .cx = 159.5, .cy = 119.5};
	tuner t = {.context = context, .device = context_device(context)};
	uint32_t before[GPU_TUNING_COUNT];
	t.def = enm_session_def_default(&camera, ENM_SCALE_TOOTH);
	t.def.stage_times = false;
	for (int i = 0; i < GPU_TUNING_COUNT; i++) {
		before[i] = gpu_tuning_get(t.device, (gpu_tuning)i);
		gpu_tuning_set(t.device, (gpu_tuning)i, gpu_tuning_initial(t.device, (gpu_tuning)i));
	}
	enm_result result = draw_views(&t);
	if (result == ENM_OK)
		result = size_sessions(&t);
	for (int i = 0; i < GPU_TUNING_COUNT && result == ENM_OK; i++)
		result = tune_setting(&t, (gpu_tuning)i);
	if (result == ENM_OK)
		result = gpu_tuning_save(t.device);
	for (int i = 0; i < GPU_TUNING_COUNT && result != ENM_OK; i++)
		gpu_tuning_set(t.device, (gpu_tuning)i, before[i]);
	for (int k = 0; k < VIEWS; k++)
		free(t.depth_mm[k]);
	return result;
}
