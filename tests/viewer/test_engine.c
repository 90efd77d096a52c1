/* SPDX-License-Identifier: Apache-2.0
 * The engine's own pictures in the window: a bumpy wall seen from two places, through PoCL. */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers.h"
#include "picture.h"
#include "reference/scene.h"
#include "viewer.h"

#define FRAMES 6
#define WIDTH 512u
#define HEIGHT 384u
#define BAR 44u

static const enm_camera camera_of_the_test = {
	.width = 160, .height = 120, .fx = 150, .fy = 150, .cx = 79.5, .cy = 59.5};

typedef struct work {
	viewer *viewer;
	enm_session *session;
	char failure[256]; /* cmocka is for the main thread */
} work;

static bool good(work *w, enm_result result, const char *what)
{
	if (result < 0)
		snprintf(w->failure, sizeof w->failure, "%s: %s", what, enm_last_error());
	return result >= 0;
}

static bool push_frame(work *w, int i, float *depth)
{
	const ref_scene bumps = {REF_BUMPS, 20.0, 0.6, 1.1, 0.9};
	enm_pose pose = ref_pose_make(0.0, 0.0, 0.0, 0.15 * i, 0.05 * i, 0.0);
	ref_scene_render(&bumps, &camera_of_the_test, &pose, 60.0, depth);
	enm_frame frame = {.depth = depth, .depth_format = ENM_DEPTH_F32_MM, .time_ns = i * (int64_t)33333333};
	uint64_t id;
	enm_report report;
	if (!good(w, enm_session_push(w->session, &frame, &id), "push") ||
		!good(w, enm_session_flush(w->session), "flush") ||
		!good(w, enm_session_next_report(w->session, &report), "report"))
		return false;
	const viewer_source source = viewer_source_of_session(w->session);
	viewer_report(w->viewer, &report);
	return good(w, viewer_offer(w->viewer, &source), "offer");
}

static void *scan(void *user)
{
	work *w = user;
	float *depth = malloc((size_t)camera_of_the_test.width * camera_of_the_test.height * sizeof *depth);
	for (int i = 0; depth && i < FRAMES && push_frame(w, i, depth); i++)
		;
	free(depth);
	viewer_end(w->viewer);
	const viewer_source source = viewer_source_of_session(w->session);
	viewer_serve(w->viewer, &source);
	return NULL;
}

static void shows_what_the_engine_has_fused(void **state)
{
	(void)state;
	enm_context_def context_def = enm_context_def_default();
	enm_context *context = NULL;
	enm_session_def session_def = enm_session_def_default(&camera_of_the_test, ENM_SCALE_TOOTH);
	viewer_def def = viewer_def_default();
	char reason[VIEWER_REASON_BYTES];
	picture shot = {0};
	work w = {0};
	pthread_t thread;
	session_def.voxel_mm = 0.2;
	session_def.truncation_mm = 0.8;
	session_def.device_bytes_max = (uint64_t)128 << 20;
	assert_int_equal(enm_context_create(&context_def, &context), ENM_OK);
	assert_int_equal(enm_session_create(context, &session_def, &w.session), ENM_OK);
	def.width = WIDTH;
	def.height = HEIGHT;
	def.exit_after_s = 0.1;
	def.screenshot = picture_keep;
	def.screenshot_user = &shot;
	assert_int_equal(viewer_create(&def, &w.viewer, reason), VIEWER_OK);
	drivers_keep();
	assert_int_equal(pthread_create(&thread, NULL, scan, &w), 0);
	viewer_run(w.viewer);
	pthread_join(thread, NULL);
	viewer_destroy(&w.viewer);
	enm_session_destroy(&w.session);
	enm_context_destroy(&context);
	assert_string_equal(w.failure, "");
	picture_save(&shot, "engine");
	assert_int_equal(shot.taken, 1);
	double middle[2];
	uint32_t box[4];
	picture_find_bright(&shot, 0, HEIGHT - BAR, 90, middle, box);
	assert_true(picture_count_bright(&shot, 0, HEIGHT - BAR, 90) > WIDTH * (HEIGHT - BAR) / 5);
	assert_true(middle[0] > WIDTH / 3 && middle[0] < 2 * WIDTH / 3);
	picture_free(&shot);
}

int main(void)
{
	enm_device_info device;
	size_t count = 0;
	if (!getenv("DISPLAY")) {
		puts("skipped: no display");
		return 0;
	}
	if (enm_devices(&device, 1, &count) < 0 || !count) {
		puts("skipped: no OpenCL device");
		return 0;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(shows_what_the_engine_has_fused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
