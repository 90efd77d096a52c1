/* SPDX-License-Identifier: Apache-2.0
 * The engine's own pictures in the window, through PoCL: a bumpy wall seen from two places, and meshes that are measured. */
#include "cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "drivers.h"
#include "picture.h"
#include "reference/scene.h"
#include "viewer_internal.h"

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

/* ---- a drawing ---- */

#define PATIENCE_S 60.0

typedef struct show {
	viewer *viewer;
	viewer_source source;
} show;

static void *serve(void *user)
{
	show *w = user;
	viewer_end(w->viewer);
	viewer_serve(w->viewer, &w->source);
	return NULL;
}

static void step_until_complete(viewer *v)
{
	double until_s = exchange_clock_s() + PATIENCE_S;
	do {
		assert_true(viewer_step(v, 0.02));
		assert_true(exchange_clock_s() < until_s);
	} while (v->front.serial != v->wish.serial || v->front.scale < 1.0 || v->input.gliding || v->wish.moving);
}

static void click(viewer *v, const double world_mm[3])
{
	double at[2];
	look l = input_look(&v->input);
	assert_true(look_project(&l, v->input.width, v->input.height, world_mm, at));
	input_cursor(&v->input, at[0], at[1], exchange_clock_s());
	input_press(&v->input, INPUT_LEFT, true, 0, exchange_clock_s());
	input_press(&v->input, INPUT_LEFT, false, 0, exchange_clock_s());
}

static void measure(viewer *v, int key, const double a[3], const double b[3], size_t marks)
{
	double until_s = exchange_clock_s() + PATIENCE_S;
	input_key(&v->input, key, 0, exchange_clock_s());
	click(v, a);
	click(v, b);
	input_key(&v->input, INPUT_ENTER, 0, exchange_clock_s());
	while (!v->shown || v->shown->marks.count < marks) {
		assert_true(viewer_step(v, 0.02));
		if (exchange_clock_s() > until_s)
			fail_msg("%zu marks; %s", marks - 1, v->shown ? v->shown->message : "");
	}
	input_key(&v->input, INPUT_ESCAPE, 0, exchange_clock_s());
}

/* Two balls in one mesh, 20 mm apart, whose tops are vertices; a third in a mesh of its own. */
static void measures_meshes_to_ten_micrometres(void **state)
{
	(void)state;
	static const double centres[2][3] = {{0, 0, 0}, {20, 0, 0}}, other[3] = {10, 9, 0};
	static const double a[3] = {0, 0, -5}, b[3] = {20, 0, -5}, aside[3] = {3, 0, -4};
	enm_mesh *meshes[2] = {body_two_balls(centres, 5.0, 60, 6.0f), body_ball(other, 3.0, 40, 6.0f)};
	enm_context_def context_def = enm_context_def_default();
	enm_context *context = NULL;
	enm_drawing *drawing = NULL;
	viewer_def def = viewer_def_default();
	char reason[VIEWER_REASON_BYTES];
	picture shot = {0};
	show w = {0};
	pthread_t thread;
	assert_int_equal(enm_context_create(&context_def, &context), ENM_OK);
	assert_int_equal(enm_drawing_create(context, 0, &drawing), ENM_OK);
	w.source = viewer_source_of_drawing(drawing);
	for (int i = 0; i < 2; i++) {
		viewer_body *body = &w.source.bodies[w.source.body_count++];
		body->mesh = meshes[i];
		assert_int_equal(enm_drawing_add(drawing, meshes[i], NULL, &body->id), ENM_OK);
	}
	def.width = 800;
	def.height = 600;
	def.scan = false;
	def.screenshot = picture_keep;
	def.screenshot_user = &shot;
	assert_int_equal(viewer_create(&def, &w.viewer, reason), VIEWER_OK);
	drivers_keep();
	assert_int_equal(pthread_create(&thread, NULL, serve, &w), 0);
	step_until_complete(w.viewer);
	measure(w.viewer, 'D', a, b, 1);
	measure(w.viewer, 'P', a, aside, 2);
	measure(w.viewer, 'R', a, b, 3);
	measure(w.viewer, 'S', b, b, 4);
	const mark *marks = w.viewer->shown->marks.entries;
	assert_true(fabs(marks[0].value - 20.0) < 0.01);
	assert_true(fabs(marks[1].value - 5.0 * atan2(3.0, 4.0)) < 0.02);
	assert_true(fabs(marks[2].value - 20.0) < 0.01);
	/* From the second ball's top to the ball of 3 mm. */
	assert_true(fabs(marks[3].value - (sqrt(100.0 + 81.0 + 25.0) - 3.0)) < 0.01);
	assert_int_equal(marks[3].points[1].body, 1);

	input_key(&w.viewer->input, '9', 0, exchange_clock_s()); /* the ball of its own goes */
	step_until_complete(w.viewer);
	const double top[3] = {10, 9, -3};
	input_key(&w.viewer->input, 'D', 0, exchange_clock_s());
	click(w.viewer, top);
	double until_s = exchange_clock_s() + PATIENCE_S;
	while (!strstr(w.viewer->shown->message, "no surface")) {
		assert_true(viewer_step(w.viewer, 0.02));
		assert_true(exchange_clock_s() < until_s);
	}
	input_key(&w.viewer->input, '9', 0, exchange_clock_s());
	step_until_complete(w.viewer);
	viewer_close(w.viewer);
	viewer_run(w.viewer);
	pthread_join(thread, NULL);
	viewer_destroy(&w.viewer);
	picture_save(&shot, "measured");
	picture_free(&shot);
	enm_drawing_destroy(&drawing);
	enm_context_destroy(&context);
	for (int i = 0; i < 2; i++)
		enm_mesh_destroy(&meshes[i]);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_what_the_engine_has_fused),
		cmocka_unit_test(measures_meshes_to_ten_micrometres),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
