/* SPDX-License-Identifier: Apache-2.0
 * The window itself: pictures of a toy session, input, sizes, closing. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <epoxy/gl.h>

#include "events.h"
#include "stand.h"

static void find_model(stand *s, double middle[2], uint32_t box[4])
{
	picture_find_bright(&s->shot, 0, s->shot.height - STAND_BAR, 100, middle, box);
}

/* Mean brightness of a square of 20 pixels at the left edge. */
static double ground_at(const picture *p, uint32_t top)
{
	double sum = 0.0;
	for (uint32_t y = top; y < top + 20; y++)
		for (uint32_t x = 2; x < 22; x++)
			for (uint32_t c = 0; c < 3; c++)
				sum += p->rgba[4 * ((size_t)y * p->width + x) + c];
	return sum / (20.0 * 20.0 * 3.0);
}

static void shows_the_model_and_the_bar(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 40);
	stand_start(&s);
	stand_settle(&s);
	stand_see(&s, "finished");
	double middle[2];
	uint32_t box[4];
	find_model(&s, middle, box);
	/* The whole arch: it fills the height or the width, and is cut nowhere. */
	assert_true(box[0] > 2 && box[1] > 2 && box[2] < STAND_WIDTH - 3 && box[3] < STAND_HEIGHT - STAND_BAR - 3);
	assert_true(box[2] - box[0] > STAND_WIDTH * 7 / 10 || box[3] - box[1] > (STAND_HEIGHT - STAND_BAR) * 7 / 10);
	assert_true(picture_count_bright(&s.shot, 0, STAND_HEIGHT - STAND_BAR, 100) > 5000);
	/* The light of the ground comes from above. */
	assert_true(ground_at(&s.shot, 2) > ground_at(&s.shot, STAND_HEIGHT - STAND_BAR - 22) + 0.5);
	/* Words in the bar. */
	assert_true(picture_count_bright(&s.shot, STAND_HEIGHT - STAND_BAR, STAND_HEIGHT, 130) > 300);
	stand_close(&s);
}

static void says_how_the_tracking_goes(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enm_verdict verdict;
		enm_reason reason;
		uint8_t rgb[3];
	} cases[] = {
		{"tracked", ENM_VERDICT_TRACKED, ENM_REASON_NONE, {41, 199, 148}},
		{"weak", ENM_VERDICT_WEAK, ENM_REASON_DEGENERATE, {245, 184, 46}},
		{"lost", ENM_VERDICT_LOST, ENM_REASON_NO_OVERLAP, {240, 92, 56}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		stand s;
		stand_open(&s, 12);
		s.scan.ends = false;
		s.scan.last_verdict = cases[i].verdict;
		s.scan.last_reason = cases[i].reason;
		stand_start(&s);
		double until_s = exchange_clock_s() + STAND_PATIENCE_S;
		while (s.viewer->overlay.shown.state.frames < 12 || s.viewer->front.model < 12) {
			assert_true(viewer_step(s.viewer, 0.02));
			assert_true(exchange_clock_s() < until_s);
		}
		stand_see(&s, cases[i].name);
		/* The line over the bar and the sign in it. */
		assert_true(picture_count_color(&s.shot, STAND_HEIGHT - STAND_BAR, STAND_HEIGHT - STAND_BAR + 3, cases[i].rgb) > 2 * STAND_WIDTH);
		assert_true(picture_count_color(&s.shot, STAND_HEIGHT - STAND_BAR + 4, STAND_HEIGHT, cases[i].rgb) > 50);
		stand_close(&s);
	}
}

static void turns_pans_and_zooms(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 10);
	stand_start(&s);
	stand_settle(&s);
	stand_see(&s, "before");
	double before[2], after[2];
	uint32_t box[4], wide[4];
	find_model(&s, before, box);

	stand_drag(&s, 300, 200, 360, 170, INPUT_MIDDLE, 0);
	stand_settle(&s);
	stand_see(&s, "panned");
	find_model(&s, after, wide);
	assert_true(fabs(after[0] - before[0] - 60.0) < 6.0 && fabs(after[1] - before[1] + 30.0) < 6.0);

	stand_drag(&s, 300, 200, 240, 230, INPUT_LEFT, INPUT_CONTROL); /* and back */
	stand_settle(&s);
	stand_see(&s, "back");
	find_model(&s, after, wide);
	assert_true(fabs(after[0] - before[0]) < 3.0 && fabs(after[1] - before[1]) < 3.0);

	input_cursor(&s.viewer->input, 320, 218, exchange_clock_s());
	input_scroll(&s.viewer->input, -6.0, 0, exchange_clock_s());
	stand_settle(&s);
	stand_see(&s, "far");
	find_model(&s, after, wide);
	assert_true((wide[2] - wide[0]) * 10 < (box[2] - box[0]) * 6);

	input_key(&s.viewer->input, 'F', 0, exchange_clock_s());
	stand_settle(&s);
	stand_drag(&s, 320, 120, 320, 330, INPUT_LEFT, 0);
	stand_settle(&s);
	stand_see(&s, "turned");
	find_model(&s, after, wide);
	/* The flat arch is now seen from the side. */
	assert_true((wide[3] - wide[1]) * 10 < (box[3] - box[1]) * 8);
	stand_close(&s);
}

/* The same hand, but through the X server and GLFW. */
static void obeys_the_window_system(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 20);
	stand_start(&s);
	stand_settle(&s);
	GLFWwindow *window = s.viewer->window;
	camera *now = &s.viewer->input.now, before = *now;
	events_move(window, 300, 200, EVENTS_CONTROL);
	events_button(window, 1, true, 300, 200, EVENTS_CONTROL);
	events_move(window, 340, 200, EVENTS_CONTROL);
	events_button(window, 1, false, 340, 200, EVENTS_CONTROL);
	stand_settle(&s);
	assert_true(fabs(now->pivot_mm[0] - before.pivot_mm[0]) > 0.5);
	assert_memory_equal(now->q_xyzw, before.q_xyzw, sizeof before.q_xyzw);
	before = *now;
	events_button(window, 1, true, 340, 200, 0);
	events_move(window, 400, 260, 0);
	events_button(window, 1, false, 400, 260, 0);
	events_move(window, 100, 100, 0); /* not dragging any more */
	stand_settle(&s);
	assert_memory_not_equal(now->q_xyzw, before.q_xyzw, sizeof before.q_xyzw);
	assert_memory_equal(now->pivot_mm, before.pivot_mm, sizeof before.pivot_mm);
	events_button(window, 4, true, 100, 100, 0);
	events_button(window, 4, false, 100, 100, 0);
	stand_settle(&s);
	assert_true(now->distance_mm < before.distance_mm);
	events_key(window, 'c');
	assert_true(viewer_step(s.viewer, 0.05));
	stand_settle(&s);
	assert_int_equal(s.session.last.shade, ENM_SHADE_COLOR);
	events_close(window);
	viewer_run(s.viewer);
	stand_close(&s);
}

static void keys_choose_side_and_shade(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 40);
	stand_start(&s);
	stand_settle(&s);
	uint32_t heights[4];
	static const char *const names[] = {"occlusal", "front", "left", "right"};
	for (int i = 0; i < 4; i++) {
		double middle[2];
		uint32_t box[4];
		input_key(&s.viewer->input, '1' + i, 0, exchange_clock_s());
		stand_settle(&s);
		stand_see(&s, names[i]);
		find_model(&s, middle, box);
		heights[i] = box[3] - box[1];
		assert_true(box[2] > box[0] && fabs(middle[0] - 320.0) < 60.0);
	}
	assert_true(heights[0] > heights[1] && heights[0] > heights[2]);
	static const struct {
		int key;
		enm_shade shade;
	} shades[] = {{'C', ENM_SHADE_COLOR}, {'V', ENM_SHADE_VIEWS}, {'G', ENM_SHADE_CLAY}};
	for (size_t i = 0; i < 3; i++) {
		input_key(&s.viewer->input, shades[i].key, 0, exchange_clock_s());
		assert_true(viewer_step(s.viewer, 0.0));
		stand_settle(&s);
		assert_int_equal(s.session.last.shade, shades[i].shade);
	}
	stand_close(&s);
}

static void survives_any_size(void **state)
{
	(void)state;
	static const int sizes[][2] = {{1, 1}, {2, 300}, {700, 3}, {333, 517}, {(int)STAND_WIDTH, (int)STAND_HEIGHT}};
	stand s;
	stand_open(&s, 150);
	stand_start(&s);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		glfwSetWindowSize(s.viewer->window, sizes[i][0], sizes[i][1]);
		for (int k = 0; k < 12; k++)
			assert_true(viewer_step(s.viewer, 0.01));
	}
	stand_settle(&s);
	assert_int_equal(s.viewer->layout.width, STAND_WIDTH);
	assert_int_equal(s.viewer->layout.height, STAND_HEIGHT);
	assert_int_equal(s.viewer->front.width, STAND_WIDTH);
	assert_int_equal(s.viewer->front.height, STAND_HEIGHT - STAND_BAR);
	stand_close(&s);
}

static void closing_does_not_stop_the_frames(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 100);
	stand_start(&s);
	while (atomic_load(&s.scan.frames_done) < 10)
		assert_true(viewer_step(s.viewer, 0.01));
	glfwSetWindowShouldClose(s.viewer->window, GLFW_TRUE);
	assert_false(viewer_step(s.viewer, 0.01));
	assert_false(viewer_step(s.viewer, 0.01));
	assert_int_equal(s.shot.taken, 1);
	unsigned pictures = atomic_load(&s.session.pictures);
	toy_scan_join(&s.scan);
	assert_int_equal(atomic_load(&s.scan.frames_done), 100);
	assert_true(atomic_load(&s.session.pictures) <= pictures + 1);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);
}

static void slow_pictures_leave_time_for_the_scan(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 300);
	s.session.delay_ms = 20;
	const double begun_s = exchange_clock_s();
	stand_start(&s);
	while (atomic_load(&s.scan.frames_done) < 300)
		assert_true(viewer_step(s.viewer, 0.02));
	/* frames for 30 ms or more between two pictures of 20 ms or more */
	const double pictures = atomic_load(&s.session.pictures);
	assert_true(pictures >= 3.0);
	assert_true(pictures <= (exchange_clock_s() - begun_s) / 0.05 + 2.0);
	stand_close(&s);
}

static bool is_said(const stand *s, const char *text)
{
	return !strcmp(s->viewer->sheet.key.said, text);
}

/* While a scan runs, the window is drawn with new pictures, and else ten times a second; at its end as all is then. */
static void redraws_are_few_but_not_forgotten(void **state)
{
	(void)state;
	stand s;
	stand_prepare(&s, 20);
	s.scan.ends = false;
	stand_show(&s);
	stand_start(&s);
	stand_rest(&s);
	s.viewer->dirty = true;
	assert_true(viewer_step(s.viewer, 0.0)); /* drawn right now */
	const double drawn_s = s.viewer->shown_s;
	viewer_say(s.viewer, "first");
	while (!is_said(&s, "first"))
		assert_true(viewer_step(s.viewer, 1.0)); /* which waits no longer than until the next redraw */
	assert_true(s.viewer->shown_s >= drawn_s + 0.1);
	assert_true(s.viewer->shown_s < drawn_s + 0.5);
	viewer_say(s.viewer, "last");
	glfwSetWindowShouldClose(s.viewer->window, GLFW_TRUE);
	assert_false(viewer_step(s.viewer, 0.0));
	assert_int_equal(s.shot.taken, 1);
	assert_true(is_said(&s, "last")); /* the screenshot has it */
	stand_close(&s);
}

static void leaves_by_itself_with_a_full_picture(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 20);
	s.viewer->def.exit_after_s = 0.05;
	stand_start(&s);
	viewer_run(s.viewer);
	toy_scan_join(&s.scan);
	assert_int_equal(s.shot.taken, 1);
	assert_int_equal(s.shot.width, STAND_WIDTH);
	assert_true(atomic_load(&s.session.full_pictures) >= 1);
	assert_true(picture_count_bright(&s.shot, 0, STAND_HEIGHT - STAND_BAR, 100) > 5000);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);
}

static void stops_when_told(void **state)
{
	(void)state;
	static volatile sig_atomic_t stop;
	stand s;
	stand_open(&s, 5);
	s.viewer->def.stop = &stop;
	stand_start(&s);
	assert_true(viewer_step(s.viewer, 0.01));
	stop = 1;
	viewer_run(s.viewer);
	toy_scan_join(&s.scan);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);

	stand_open(&s, 5);
	stand_start(&s);
	viewer_close(s.viewer);
	viewer_run(s.viewer);
	toy_scan_join(&s.scan);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);
}

static void says_why_there_is_no_picture(void **state)
{
	(void)state;
	static const uint8_t red[3] = {240, 92, 56};
	stand s;
	stand_open(&s, 10);
	s.session.fail = ENM_E_DEVICE;
	s.viewer->def.exit_after_s = 0.05;
	stand_start(&s);
	viewer_run(s.viewer);
	toy_scan_join(&s.scan);
	assert_true(atomic_load(&s.scan.failed_offers) >= 1);
	assert_true(atomic_load(&s.scan.failed_offers) <= 10);
	picture_save(&s.shot, "failed");
	assert_true(picture_count_color(&s.shot, STAND_HEIGHT - STAND_BAR, STAND_HEIGHT - STAND_BAR + 3, red) > 2 * STAND_WIDTH);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);
}

static GLenum lost_context(void)
{
	return GL_UNKNOWN_CONTEXT_RESET_ARB;
}

static void a_lost_context_closes_the_window_and_nothing_else(void **state)
{
	(void)state;
	stand s;
	stand_open(&s, 100);
	assert_true(s.viewer->draw.tells_loss); /* Mesa's software OpenGL does */
	stand_start(&s);
	while (atomic_load(&s.scan.frames_done) < 10)
		assert_true(viewer_step(s.viewer, 0.01));
	assert_null(viewer_lost(s.viewer));
	PFNGLGETGRAPHICSRESETSTATUSARBPROC before = epoxy_glGetGraphicsResetStatusARB;
	epoxy_glGetGraphicsResetStatusARB = lost_context;
	assert_false(viewer_step(s.viewer, 0.01));
	epoxy_glGetGraphicsResetStatusARB = before;
	assert_string_equal(viewer_lost(s.viewer), "the driver has lost the window's OpenGL context");
	assert_true(viewer_closed(s.viewer));
	assert_int_equal(s.shot.taken, 0);
	toy_scan_join(&s.scan);
	assert_int_equal(atomic_load(&s.scan.frames_done), 100);
	viewer_destroy(&s.viewer);
	picture_free(&s.shot);
}

static void there_is_one_viewer_at_a_time(void **state)
{
	(void)state;
	stand s;
	char reason[VIEWER_REASON_BYTES];
	viewer *second;
	stand_open(&s, 1);
	assert_int_equal(viewer_create(&s.def, &second, reason), VIEWER_E_ARGUMENT);
	assert_null(second);
	assert_non_null(strstr(reason, "viewer already"));
	stand_start(&s);
	stand_close(&s);
}

int main(void)
{
	if (!getenv("DISPLAY")) {
		puts("skipped: no display");
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_model_and_the_bar),
		cmocka_unit_test(says_how_the_tracking_goes),
		cmocka_unit_test(turns_pans_and_zooms),
		cmocka_unit_test(obeys_the_window_system),
		cmocka_unit_test(keys_choose_side_and_shade),
		cmocka_unit_test(survives_any_size),
		cmocka_unit_test(closing_does_not_stop_the_frames),
		cmocka_unit_test(slow_pictures_leave_time_for_the_scan),
		cmocka_unit_test(redraws_are_few_but_not_forgotten),
		cmocka_unit_test(leaves_by_itself_with_a_full_picture),
		cmocka_unit_test(stops_when_told),
		cmocka_unit_test(says_why_there_is_no_picture),
		cmocka_unit_test(a_lost_context_closes_the_window_and_nothing_else),
		cmocka_unit_test(there_is_one_viewer_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
