/* SPDX-License-Identifier: Apache-2.0
 * What needs no display: camera, axes, pace, hand-over, bar, and the refusal where there is none. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axes.h"
#include "camera.h"
#include "exchange.h"
#include "input.h"
#include "overlay.h"
#include "owner.h"
#include "pace.h"
#include "toy.h"
#include "vector.h"

#define W 800u
#define H 600u

static bool near(double a, double b, double limit)
{
	return fabs(a - b) <= limit;
}

/* Pixel, from the middle, at which the camera sees a point. */
static void project(const camera *c, const double world[3], double out[2])
{
	enm_pose pose = camera_world_from_eye(c);
	double to[3], eye[3];
	vector_combine(1.0, world, -1.0, pose.t_mm, to);
	quaternion_rotate_back(pose.q_xyzw, to, eye);
	for (int k = 0; k < 2; k++)
		out[k] = camera_focal_pixels(W, H) * eye[k] / eye[2];
}

static camera some_camera(void)
{
	camera c = camera_default();
	const double eye[3] = {0.48, -0.6, 0.64}, up[3] = {0, 1, 0};
	camera_look(&c, eye, up);
	c.pivot_mm[0] = 5.0;
	c.pivot_mm[1] = -7.0;
	c.pivot_mm[2] = 11.0;
	c.distance_mm = 80.0;
	return c;
}

static void look_puts_up_upward(void **state)
{
	(void)state;
	camera c = some_camera();
	const double eye[3] = {0.48, -0.6, 0.64}, up[3] = {0, 1, 0};
	const double ahead[3] = {0, 0, 1};
	double direction[3], above[3], at[2];
	quaternion_rotate(c.q_xyzw, ahead, direction);
	for (int k = 0; k < 3; k++)
		assert_true(near(direction[k], -eye[k], 1e-12));
	vector_combine(1.0, c.pivot_mm, 2.0, up, above);
	project(&c, above, at);
	assert_true(near(at[0], 0.0, 1e-9) && at[1] < -1.0);
	project(&c, c.pivot_mm, at);
	assert_true(near(at[0], 0.0, 1e-9) && near(at[1], 0.0, 1e-9));
}

static void pan_moves_the_middle_by_the_pixels(void **state)
{
	(void)state;
	camera c = some_camera();
	double pivot[3], at[2];
	memcpy(pivot, c.pivot_mm, sizeof pivot);
	camera_pan(&c, 37.0, -22.0, camera_focal_pixels(W, H));
	project(&c, pivot, at);
	assert_true(near(at[0], 37.0, 1e-6) && near(at[1], -22.0, 1e-6));
}

static void zoom_keeps_what_is_under_the_cursor(void **state)
{
	(void)state;
	camera c = some_camera();
	double focal = camera_focal_pixels(W, H), point[3], at[2];
	/* The point of the pivot's plane at pixel (120, -90). */
	const double off[3] = {120.0 * c.distance_mm / focal, -90.0 * c.distance_mm / focal, 0.0};
	quaternion_rotate(c.q_xyzw, off, point);
	vector_combine(1.0, point, 1.0, c.pivot_mm, point);
	camera_zoom(&c, 0.5, 120.0, -90.0, focal);
	project(&c, point, at);
	assert_true(near(at[0], 120.0, 1e-6) && near(at[1], -90.0, 1e-6));
	assert_true(near(c.distance_mm, 40.0, 1e-9));
	for (int i = 0; i < 2000; i++)
		camera_zoom(&c, 0.5, 120.0, -90.0, focal);
	assert_true(c.distance_mm > 0.0 && isfinite(c.pivot_mm[0]));
	for (int i = 0; i < 2000; i++)
		camera_zoom(&c, 2.0, 120.0, -90.0, focal);
	assert_true(isfinite(c.distance_mm) && isfinite(c.pivot_mm[0]));
}

static void turn_drags_the_near_side_along(void **state)
{
	(void)state;
	camera c = some_camera();
	const double from[2] = {0, 0}, right[2] = {0.2, 0.0}, ahead[3] = {0, 0, 1};
	double point[3], at[2];
	quaternion_rotate(c.q_xyzw, ahead, point); /* a point before the pivot, on the eye's side */
	vector_combine(1.0, c.pivot_mm, -10.0, point, point);
	camera_turn(&c, from, right);
	project(&c, point, at);
	assert_true(at[0] > 5.0 && near(at[1], 0.0, 1e-6));
	project(&c, c.pivot_mm, at);
	assert_true(near(at[0], 0.0, 1e-9) && near(at[1], 0.0, 1e-9));
	camera still = c;
	camera_turn(&c, right, right);
	assert_memory_equal(&c, &still, sizeof c);
}

static void frame_shows_the_whole_box(void **state)
{
	(void)state;
	const camera_box box = {{-30, -5, 10}, {40, 25, 80}};
	camera c = some_camera();
	camera_frame(&c, &box, W, H);
	double most = 0.0;
	for (int i = 0; i < 8; i++) {
		const double corner[3] = {i & 1 ? box.max_mm[0] : box.min_mm[0], i & 2 ? box.max_mm[1] : box.min_mm[1],
			i & 4 ? box.max_mm[2] : box.min_mm[2]};
		double at[2];
		project(&c, corner, at);
		assert_true(fabs(at[0]) < 0.5 * W && fabs(at[1]) < 0.5 * H);
		most = fmax(most, fmax(fabs(at[0]) / (0.5 * W), fabs(at[1]) / (0.5 * H)));
	}
	assert_true(most > 0.85);
	const camera_box nothing = {{3, 3, 3}, {3, 3, 3}};
	camera_frame(&c, &nothing, 1, 1);
	assert_true(c.distance_mm > 0.0 && isfinite(c.distance_mm));
}

static void approach_arrives(void **state)
{
	(void)state;
	camera c = camera_default(), goal = some_camera();
	for (int i = 0; i < 200 && !camera_is_close(&c, &goal); i++)
		camera_approach(&c, &goal, 0.2);
	assert_true(camera_is_close(&c, &goal));
	camera_approach(&c, &goal, 1.0);
	for (int k = 0; k < 3; k++)
		assert_true(near(c.pivot_mm[k], goal.pivot_mm[k], 1e-9));
}

/* A horseshoe whose closed side is at -y, scanned from -z: up is -z, front -y, right hence -y x -z = +x. */
static void axes_are_those_of_a_horseshoe(void **state)
{
	(void)state;
	static axes_way way;
	memset(&way, 0, sizeof way);
	for (uint64_t i = 0; i < 3000; i++) {
		enm_pose pose = enm_pose_identity();
		double angle = 3.14159265 * (double)i / 2999.0;
		pose.t_mm[0] = 24.0 * cos(angle);
		pose.t_mm[1] = -30.0 * sin(angle);
		axes_add(&way, &pose);
	}
	assert_true(way.count <= AXES_POINTS_MAX && way.count >= AXES_POINTS_MAX / 2);
	double eye[3], up[3];
	axes_find(&way, AXES_OCCLUSAL, eye, up);
	assert_true(near(eye[2], -1.0, 1e-9) && near(up[1], -1.0, 0.05));
	axes_find(&way, AXES_FRONT, eye, up);
	assert_true(eye[1] < -0.5 && eye[2] < -0.3 && near(eye[0], 0.0, 0.05));
	axes_find(&way, AXES_LEFT, eye, up);
	assert_true(eye[0] < -0.5);
	axes_find(&way, AXES_RIGHT, eye, up);
	assert_true(eye[0] > 0.5 && near(vector_dot(eye, up), 0.0, 1e-9));
	axes_find(&way, AXES_LINGUAL, eye, up);
	assert_true(eye[1] > 0.5 && eye[2] < -0.3 && near(vector_dot(eye, up), 0.0, 1e-9));
}

static void axes_of_nothing_are_still_axes(void **state)
{
	(void)state;
	static axes_way way;
	memset(&way, 0, sizeof way);
	for (int side = AXES_OCCLUSAL; side <= AXES_LINGUAL; side++) {
		double eye[3], up[3];
		axes_find(&way, (axes_side)side, eye, up);
		assert_true(near(vector_dot(eye, eye), 1.0, 1e-9) && near(vector_dot(up, up), 1.0, 1e-9));
		assert_true(near(vector_dot(eye, up), 0.0, 1e-9));
	}
}

static void pace_fits_pictures_into_their_time(void **state)
{
	(void)state;
	pace p = {0};
	const uint64_t pixels = 1000000;
	assert_true(pace_scale(&p, pixels, true, false) < 1.0); /* nothing is known yet */
	assert_true(pace_scale(&p, pixels, false, true) == 1.0);
	for (int i = 0; i < 10; i++) { /* 10 ns a pixel: full size in 10 ms */
		double scale = pace_scale(&p, pixels, true, false);
		pace_note(&p, scale, (uint64_t)((double)pixels * scale * scale), 0.01 * scale * scale, 0.0);
	}
	assert_true(pace_scale(&p, pixels, true, false) == 1.0);
	pace_note(&p, 1.0, pixels, 0.4, 100.0); /* forty times slower */
	assert_true(pace_scale(&p, pixels, true, false) <= 0.25);
	assert_false(pace_is_due(&p, false, 100.5));
	assert_true(pace_is_due(&p, false, 100.7));
	assert_false(pace_is_due(&p, true, 100.3));
	assert_true(pace_is_due(&p, true, 100.5));
}

/* Where a full picture of 960x540 takes 100 ms, the window follows the scan with 20 smaller ones a second. */
static void a_growing_model_is_followed(void **state)
{
	(void)state;
	pace p = {0};
	const uint64_t pixels = 960 * 540;
	double now_s = 0.0;
	for (int i = 0; i < 10; i++) {
		const double scale = pace_scale(&p, pixels, false, false), took_s = 0.1 * scale * scale;
		pace_note(&p, scale, (uint64_t)((double)pixels * scale * scale), took_s, now_s);
		assert_true(i < 2 || pace_is_due(&p, false, now_s + 1.0 / 20.0 - took_s));
		assert_false(pace_is_due(&p, false, now_s + 1.4 * took_s));
		now_s += 1.0;
	}
	assert_true(p.scale >= 0.25 && p.scale < 0.5);
}

static void latest_picture_wins(void **state)
{
	(void)state;
	static exchange e;
	toy session = {.balls = TOY_BALLS};
	exchange_picture front = {0};
	bool made;
	const viewer_def def = viewer_def_default();
	const viewer_source source = toy_source(&session);
	static owner o;
	assert_true(exchange_init(&e) && owner_init(&o, &e, NULL));
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	assert_false(made); /* nobody asked */
	exchange_wish wish = {.width = 32, .height = 24, .look = {.from = camera_default()}};
	exchange_end(&e);
	for (wish.serial = 1; wish.serial <= 5; wish.serial++) {
		exchange_set_wish(&e, &wish);
		assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
		assert_true(made);
	}
	assert_true(exchange_take(&e, &front));
	assert_int_equal(front.serial, 5);
	assert_int_equal(front.width, 32);
	assert_false(exchange_take(&e, &front));
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	assert_false(made); /* nothing has changed */
	exchange_close(&e);
	wish.serial = 9;
	exchange_set_wish(&e, &wish);
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	assert_false(made); /* the window is closed */
	free(front.rgba);
	owner_free(&o);
	exchange_free(&e);
}

static void failure_is_told_once(void **state)
{
	(void)state;
	static exchange e;
	toy session = {.balls = 1, .fail = ENM_E_DEVICE};
	exchange_state told;
	bool made;
	const viewer_def def = viewer_def_default();
	const viewer_source source = toy_source(&session);
	static owner o;
	assert_true(exchange_init(&e) && owner_init(&o, &e, NULL));
	exchange_end(&e);
	exchange_wish wish = {.width = 8, .height = 8, .look = {.from = camera_default()}, .serial = 1};
	exchange_set_wish(&e, &wish);
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_E_DEVICE);
	exchange_get_state(&e, &told);
	assert_string_equal(told.error, "ENM_E_DEVICE");
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	assert_false(made);
	session.fail = ENM_OK;
	wish.serial = 2;
	exchange_set_wish(&e, &wish);
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	exchange_get_state(&e, &told);
	assert_string_equal(told.error, "");
	owner_free(&o);
	exchange_free(&e);
}

static void user_takes_over_from_following(void **state)
{
	(void)state;
	static exchange e;
	toy session = {.balls = 3};
	input in;
	bool made;
	const viewer_def def = viewer_def_default();
	const viewer_source source = toy_source(&session);
	static owner o;
	assert_true(exchange_init(&e) && owner_init(&o, &e, NULL));
	input_init(&in, &e, &def);
	input_resize(&in, W, H);
	assert_false(input_advance(&in, 0.02)); /* nothing to follow */
	input_key(&in, 'F', 0, 0.0);
	assert_false(input_advance(&in, 0.02)); /* nothing to frame either */
	in.touched = false;
	exchange_end(&e);
	exchange_wish wish = {.width = 8, .height = 8, .look = {.from = camera_default()}, .serial = 1};
	exchange_set_wish(&e, &wish);
	assert_int_equal(owner_offer(&o, NULL, &def, &source, &made), ENM_OK);
	assert_true(input_advance(&in, 0.02));
	assert_true(in.now.pivot_mm[2] > 50.0);
	input_cursor(&in, 100, 100, 1.0);
	assert_false(in.touched); /* moving the mouse alone is no wish */
	input_press(&in, INPUT_LEFT, true, 0, 1.0);
	input_cursor(&in, 120, 100, 1.1);
	assert_true(in.touched && input_is_moving(&in, 1.15));
	input_press(&in, INPUT_LEFT, false, 0, 1.2);
	assert_false(input_is_moving(&in, 1.21));
	input_key(&in, INPUT_ESCAPE, 0, 2.0);
	assert_true(in.close);
	owner_free(&o);
	exchange_free(&e);
}

static void bar_fits_any_window(void **state)
{
	(void)state;
	overlay o = {0};
	overlay_text text = {.frames_expected = 831, .theme = &theme_dark, .scan = true, .title = ""};
	assert_int_equal(overlay_height(480, 1.0), 44);
	assert_int_equal(overlay_height(960, 2.0), 88);
	assert_int_equal(overlay_height(100, 1.0), 0);
	assert_int_equal(overlay_height(1, 1.0), 0);
	text.state = (exchange_state){.any = true,
		.verdict = ENM_VERDICT_LOST,
		.reason = ENM_REASON_NO_OVERLAP,
		.frames = 12,
		.full = true,
		.frames_per_s = 25.0};
	memset(text.state.error, 'x', sizeof text.state.error - 1);
	for (uint32_t width = 1; width < 3000; width = width * 3 + 1) {
		assert_true(overlay_draw(&o, width, 44, &text));
		assert_false(overlay_draw(&o, width, 44, &text)); /* unchanged */
		for (size_t i = 3; i < (size_t)width * 44 * 4; i += 4)
			assert_int_equal(o.rgba[i], 255);
	}
	assert_false(overlay_draw(&o, 0, 0, &text));
	text.state.frames++;
	assert_true(overlay_draw(&o, 1280, 44, &text));
	overlay_free(&o);
}

static void expect_refusal(const viewer_def *def, viewer_result wanted, const char *part)
{
	char reason[VIEWER_REASON_BYTES];
	viewer *v = (viewer *)&reason; /* must be overwritten */
	assert_int_equal(viewer_create(def, &v, reason), wanted);
	assert_null(v);
	assert_non_null(strstr(reason, part));
	assert_null(strchr(reason, '\n'));
}

static void bad_definitions_are_named(void **state)
{
	(void)state;
	viewer_def def = viewer_def_default(), other = def;
	char reason[VIEWER_REASON_BYTES];
	assert_int_equal(viewer_create(&def, NULL, reason), VIEWER_E_ARGUMENT);
	expect_refusal(NULL, VIEWER_E_ARGUMENT, "viewer_def_default");
	other.cookie = 0;
	expect_refusal(&other, VIEWER_E_ARGUMENT, "viewer_def_default");
	other = def;
	other.width = 0;
	expect_refusal(&other, VIEWER_E_ARGUMENT, "def.width");
	other = def;
	other.exit_after_s = (double)NAN;
	expect_refusal(&other, VIEWER_E_ARGUMENT, "def.exit_after_s");
	other = def;
	other.working_mm[1] = (double)NAN;
	expect_refusal(&other, VIEWER_E_ARGUMENT, "def.working_mm");
	other = def;
	other.events = VIEWER_EVENT_PAUSE;
	expect_refusal(&other, VIEWER_E_ARGUMENT, "def.on_event");
	viewer *none = NULL;
	viewer_destroy(&none);
	viewer_destroy(NULL);
}

static void no_display_is_one_clear_line(void **state)
{
	(void)state;
	const viewer_def def = viewer_def_default();
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	expect_refusal(&def, VIEWER_E_DISPLAY, "no display for the viewer's window: ");
	setenv("DISPLAY", ":987", 1); /* nobody answers there */
	expect_refusal(&def, VIEWER_E_DISPLAY, ":987");
	unsetenv("DISPLAY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(look_puts_up_upward),
		cmocka_unit_test(pan_moves_the_middle_by_the_pixels),
		cmocka_unit_test(zoom_keeps_what_is_under_the_cursor),
		cmocka_unit_test(turn_drags_the_near_side_along),
		cmocka_unit_test(frame_shows_the_whole_box),
		cmocka_unit_test(approach_arrives),
		cmocka_unit_test(axes_are_those_of_a_horseshoe),
		cmocka_unit_test(axes_of_nothing_are_still_axes),
		cmocka_unit_test(pace_fits_pictures_into_their_time),
		cmocka_unit_test(a_growing_model_is_followed),
		cmocka_unit_test(latest_picture_wins),
		cmocka_unit_test(failure_is_told_once),
		cmocka_unit_test(user_takes_over_from_following),
		cmocka_unit_test(bar_fits_any_window),
		cmocka_unit_test(bad_definitions_are_named),
		cmocka_unit_test(no_display_is_one_clear_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
