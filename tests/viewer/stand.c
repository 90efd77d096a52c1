/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "drivers.h"
#include "stand.h"

void stand_prepare(stand *s, unsigned frames)
{
	memset(s, 0, sizeof *s);
	s->def = viewer_def_default();
	s->def.title = "Enamel (test)";
	s->def.width = STAND_WIDTH;
	s->def.height = STAND_HEIGHT;
	s->def.screenshot = picture_keep;
	s->def.screenshot_user = &s->shot;
	s->session.full_width = STAND_WIDTH;
	s->session.full_height = STAND_HEIGHT - STAND_BAR;
	s->scan = (toy_scan){.frames = frames, .frame_ms = 4, .last_verdict = ENM_VERDICT_TRACKED, .ends = true};
	s->scan.source = toy_source(&s->session);
}

void stand_show(stand *s)
{
	char reason[VIEWER_REASON_BYTES];
	viewer_result result = viewer_create(&s->def, &s->viewer, reason);
	if (result)
		print_error("%s\n", reason);
	assert_int_equal(result, VIEWER_OK);
	drivers_keep();
	s->scan.viewer = s->viewer;
}

void stand_open(stand *s, unsigned frames)
{
	stand_prepare(s, frames);
	stand_show(s);
}

void stand_start(stand *s)
{
	assert_true(toy_scan_start(&s->scan));
}

/* Ends as a user does. */
void stand_close(stand *s)
{
	input_key(&s->viewer->input, 'Q', 0, exchange_clock_s());
	while (viewer_step(s->viewer, 0.01))
		;
	toy_scan_join(&s->scan);
	assert_true(viewer_closed(s->viewer));
	assert_false(atomic_load(&s->session.used_by_two));
	viewer_destroy(&s->viewer);
	assert_null(s->viewer);
	picture_free(&s->shot);
}

/* Runs until the window shows all there is in full size. */
void stand_settle(stand *s)
{
	double until_s = exchange_clock_s() + STAND_PATIENCE_S;
	for (;;) {
		assert_true(viewer_step(s->viewer, 0.02));
		exchange_state state;
		exchange_get_state(&s->viewer->exchange, &state);
		const exchange_picture *front = &s->viewer->front;
		if (state.ended && front->scale >= 1.0 && front->serial == s->viewer->wish.serial &&
			front->model == state.model && !s->viewer->input.gliding && !s->viewer->wish.moving)
			return;
		if (exchange_clock_s() >= until_s)
			fail_msg("not settled: ended %d, scale %g, picture %llu of %llu, model %llu of %llu, gliding %d, moving %d, %s", state.ended,
				front->scale, (unsigned long long)front->serial, (unsigned long long)s->viewer->wish.serial,
				(unsigned long long)front->model, (unsigned long long)state.model, s->viewer->input.gliding,
				s->viewer->wish.moving, state.error);
	}
}

void stand_rest(stand *s)
{
	const viewer *v = s->viewer;
	double until_s = exchange_clock_s() + STAND_PATIENCE_S;
	while (v->overlay.shown.state.frames < 20 || v->front.model < 20 || v->input.gliding || v->front.serial != v->wish.serial) {
		assert_true(viewer_step(s->viewer, 0.02));
		assert_true(exchange_clock_s() < until_s);
	}
}

/* What the window shows now; with or without what lies over the model. */
void stand_take(stand *s, const char *name, bool with_sheet)
{
	uint32_t width = s->viewer->layout.width, height = s->viewer->layout.height;
	uint8_t *rgba = malloc((size_t)width * height * 4);
	assert_non_null(rgba);
	bool had = s->viewer->draw.has_sheet;
	s->viewer->draw.has_sheet = had && with_sheet;
	draw_frame(&s->viewer->draw, &s->viewer->layout);
	draw_read(&s->viewer->layout, rgba);
	s->viewer->draw.has_sheet = had;
	picture_keep(&s->shot, rgba, width, height);
	free(rgba);
	picture_save(&s->shot, name);
}

void stand_see(stand *s, const char *name)
{
	stand_take(s, name, false);
}

void stand_drag(stand *s, double from_x, double from_y, double to_x, double to_y, input_button button, unsigned held)
{
	input *in = &s->viewer->input;
	input_cursor(in, from_x, from_y, exchange_clock_s());
	input_press(in, button, true, held, exchange_clock_s());
	for (int i = 1; i <= 8; i++) {
		double t = i / 8.0;
		input_cursor(in, from_x + t * (to_x - from_x), from_y + t * (to_y - from_y), exchange_clock_s());
		assert_true(viewer_step(s->viewer, 0.004));
	}
	input_press(in, button, false, held, exchange_clock_s());
}
