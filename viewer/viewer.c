/* SPDX-License-Identifier: Apache-2.0 */
#include "viewer.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "display.h"
#include "viewer_internal.h"

#define COOKIE 0x76696577u
#define WINDOW_MAX 8192u /* also what the engine renders at most */
#define STEP_LEAST_S 1e-4
#define FRAME_S (1.0 / 60.0)
#define SHOW_S 0.1 /* between redraws without a new picture while a scan runs: drawn in software, a window costs as much as a picture does */
#define IDLE_S 0.1 /* between looks at the stop flag and the frame count */
#define SAY_S 5.0 /* that a line said is shown */
#define SHOT_PATIENCE_S 30.0 /* for the last full picture on a slow device */

static atomic_flag in_use = ATOMIC_FLAG_INIT; /* GLFW is one for the whole process */

viewer_def viewer_def_default(void)
{
	return (viewer_def){
		.cookie = COOKIE,
		.title = "Enamel",
		.width = 1280,
		.height = 840,
		.shade = ENM_SHADE_CLAY,
		.scan = true,
	};
}

/* ---- create and destroy ---- */

static viewer_result check(const viewer_def *def, char *reason)
{
	const char *wrong = NULL;
	if (!def || def->cookie != COOKIE)
		wrong = "def does not come from viewer_def_default";
	else if (!def->title)
		wrong = "def.title is NULL";
	else if (def->width < 1 || def->width > WINDOW_MAX || def->height < 1 || def->height > WINDOW_MAX)
		wrong = "def.width and def.height must be 1 to 8192";
	else if (!(def->exit_after_s >= 0.0))
		wrong = "def.exit_after_s must not be negative";
	else if (!(def->working_mm[0] >= 0.0 && def->working_mm[1] >= def->working_mm[0] && isfinite(def->working_mm[1])))
		wrong = "def.working_mm must rise from 0 or more";
	else if (def->events && !def->on_event)
		wrong = "def.on_event is NULL, but def.events is not 0";
	if (!wrong)
		return VIEWER_OK;
	snprintf(reason, VIEWER_REASON_BYTES, "viewer_create: %s", wrong);
	return VIEWER_E_ARGUMENT;
}

viewer_result viewer_create(const viewer_def *def, viewer **out_viewer, char out_reason[VIEWER_REASON_BYTES])
{
	if (!out_viewer || !out_reason)
		return VIEWER_E_ARGUMENT;
	*out_viewer = NULL;
	*out_reason = '\0';
	viewer_result result = check(def, out_reason);
	if (result)
		return result;
	if (atomic_flag_test_and_set(&in_use)) {
		snprintf(out_reason, VIEWER_REASON_BYTES, "viewer_create: this process has a viewer already");
		return VIEWER_E_ARGUMENT;
	}
	viewer *v = calloc(1, sizeof *v);
	bool good = v && exchange_init(&v->exchange);
	if (good && !owner_init(&v->owner, &v->exchange, def->marks)) {
		owner_free(&v->owner);
		exchange_free(&v->exchange);
		good = false;
	}
	if (!good) {
		snprintf(out_reason, VIEWER_REASON_BYTES, "no host memory for the viewer");
		free(v);
		atomic_flag_clear(&in_use);
		return VIEWER_E_MEMORY;
	}
	v->def = *def;
	v->def.marks = NULL; /* copied */
	v->dirty = true;
	v->stepped_s = exchange_clock_s();
	input_init(&v->input, &v->exchange, def);
	result = window_open(v, out_reason);
	if (result)
		viewer_destroy(&v);
	*out_viewer = v;
	return result;
}

void viewer_destroy(viewer **viewer_at)
{
	if (!viewer_at || !*viewer_at)
		return;
	viewer *v = *viewer_at;
	window_close(v);
	overlay_free(&v->overlay);
	sheet_free(&v->sheet);
	tools_shown_free(&v->shown);
	free(v->front.rgba);
	owner_free(&v->owner);
	exchange_free(&v->exchange);
	free(v);
	atomic_flag_clear(&in_use);
	*viewer_at = NULL;
}

/* ---- one step ---- */

static bool fits(int width, int height)
{
	return width > 0 && height > 0;
}

/* Looks up the window's size; false while there is nothing to draw on (iconified). */
static bool lay_out(viewer *v)
{
	int width, height, window_width, window_height;
	float scale_x, scale_y;
	glfwGetFramebufferSize(v->window, &width, &height);
	glfwGetWindowSize(v->window, &window_width, &window_height);
	glfwGetWindowContentScale(v->window, &scale_x, &scale_y);
	if (!fits(width, height) || !fits(window_width, window_height))
		return false;
	v->pixels_per_unit[0] = (double)width / (double)window_width;
	v->pixels_per_unit[1] = (double)height / (double)window_height;
	v->content_scale = scale_y > 0.0f ? (double)scale_y : 1.0;
	draw_layout now = {(uint32_t)width, (uint32_t)height, overlay_height((uint32_t)height, v->content_scale)};
	if (memcmp(&now, &v->layout, sizeof now))
		v->dirty = true;
	v->layout = now;
	return true;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
	return n < most ? n : most;
}

/* Tells the owner thread what to render, when that has changed. */
static void wish_for(viewer *v, const exchange_state *state, double now_s)
{
	exchange_wish wish = {
		.width = at_most(v->layout.width, WINDOW_MAX),
		.height = at_most(v->layout.height - v->layout.bar_height, WINDOW_MAX),
		.look = input_look(&v->input),
		.moving = input_is_moving(&v->input, now_s) || (state->ended && v->input.gliding),
		.serial = v->wish.serial,
	};
	bool same = wish.width == v->wish.width && wish.height == v->wish.height && look_is_same(&wish.look, &v->wish.look);
	if (same && wish.moving == v->wish.moving)
		return;
	wish.serial += !same;
	v->wish = wish;
	exchange_set_wish(&v->exchange, &wish);
}

static void fetch_bar(viewer *v, const exchange_state *state)
{
	const overlay_text text = {*state, v->def.frames_expected, v->theme, v->def.scan, v->def.title};
	if (!overlay_draw(&v->overlay, v->layout.width, v->layout.bar_height, &text))
		return;
	draw_set_bar(&v->draw, v->overlay.rgba, v->overlay.width, v->overlay.height);
	v->dirty = true;
}

/* The marks as the owner has them now: an answer to the hand. */
static void fetch_marks(viewer *v)
{
	tools_shown *shown = exchange_take_shown(&v->exchange);
	if (!shown)
		return;
	tools_shown_free(&v->shown);
	v->shown = shown;
	v->input.tool = shown->tool;
	v->dirty = true;
}

/* What lies over the picture is projected as the picture that is shown, which may be older than the wish. */
static void fetch_sheet(viewer *v, const exchange_state *state, double now_s)
{
	exchange_take_depth(&v->exchange, &v->depth);
	const sheet_content content = {
		.theme = v->theme,
		.width = v->wish.width,
		.height = v->wish.height,
		.scale = v->content_scale,
		.look = v->front.width ? &v->front.look : &v->wish.look,
		.state = state,
		.shown = v->shown,
		.depth = &v->depth,
		.def = &v->def,
		.help = v->input.help,
		.legend = !v->input.no_legend,
		.show_depth = !v->input.no_depth,
		.gaps = !v->input.no_gaps,
		.say = now_s - state->said_s < SAY_S,
	};
	if (!sheet_draw(&v->sheet, &content))
		return;
	draw_set_sheet(&v->draw, sheet_pixels(&v->sheet), v->wish.width, v->wish.height);
	v->dirty = true;
}

/* While a scan runs, what changes without a new picture is drawn a few times a second: each frame changes some of it. */
static bool is_show_due(const viewer *v, const exchange_state *state, double now_s)
{
	return v->closing || state->ended || state->paused || now_s >= v->shown_s + SHOW_S;
}

/* Brings the textures up to date. */
static void fetch(viewer *v, const exchange_state *state, double now_s)
{
	const theme *wanted = v->input.light ? &theme_light : &theme_dark;
	if (v->theme != wanted) {
		v->theme = wanted;
		memcpy(v->draw.behind, wanted->behind, sizeof v->draw.behind);
		v->dirty = true;
	}
	if (exchange_take(&v->exchange, &v->front)) {
		draw_set_picture(&v->draw, v->front.rgba, v->front.width, v->front.height);
		v->dirty = true;
	}
	fetch_marks(v);
	if (!v->dirty && !is_show_due(v, state, now_s))
		return;
	fetch_bar(v, state);
	fetch_sheet(v, state, now_s);
}

static void take_screenshot(viewer *v, const exchange_state *state, double now_s)
{
	v->shot = true;
	if (!v->def.screenshot || !v->layout.width)
		return;
	uint8_t *rgba = malloc((size_t)v->layout.width * v->layout.height * 4);
	if (!rgba)
		return;
	v->draw.plain = true;
	fetch(v, state, now_s);
	draw_frame(&v->draw, &v->layout);
	draw_read(&v->layout, rgba);
	v->def.screenshot(v->def.screenshot_user, rgba, v->layout.width, v->layout.height);
	free(rgba);
}

/* The window shows the finished model in full size, or why there is no picture. */
static bool is_complete(const viewer *v, const exchange_state *state)
{
	return *state->error || (v->front.serial == v->wish.serial && v->front.model == state->model &&
					v->front.scale >= 1.0 && !v->input.gliding);
}

static bool wants_to_close(const viewer *v, const exchange_state *state, double now_s)
{
	if (v->input.close || atomic_load(&v->exchange.leave) || glfwWindowShouldClose(v->window) ||
		(v->def.stop && *v->def.stop))
		return true;
	if (v->def.exit_after_s <= 0.0 || !state->ended)
		return false;
	double over_s = now_s - state->ended_s - v->def.exit_after_s;
	return over_s >= 0.0 && (is_complete(v, state) || (v->def.scan && !state->frames) || over_s >= SHOT_PATIENCE_S);
}

static double wait_for(const viewer *v, double wait_s)
{
	double now_s = exchange_clock_s(), most_s = v->input.gliding || input_is_moving(&v->input, now_s) ? FRAME_S : IDLE_S;
	double until_shown_s = v->shown_s + SHOW_S - now_s;
	return fmin(wait_s, until_shown_s > 0.0 ? fmin(most_s, until_shown_s) : most_s);
}

static void show(viewer *v, double now_s)
{
	v->shown_s = now_s;
	draw_frame(&v->draw, &v->layout);
	glfwSwapBuffers(v->window);
	v->dirty = false;
}

/* Asked after what may have met the loss, before anything is made of what came of it. */
static bool is_lost(viewer *v)
{
	if (v->lost)
		return true;
	if (display_is_lost())
		v->lost = "the display has gone away";
	else if (draw_is_lost(&v->draw))
		v->lost = "the driver has lost the window's OpenGL context";
	if (!v->lost)
		return false;
	v->closing = true;
	exchange_close(&v->exchange);
	return true;
}

const char *viewer_lost(const viewer *v)
{
	return v->lost;
}

static void refresh(viewer *v, const exchange_state *state, double now_s)
{
	input_resize(&v->input, v->layout.width, v->layout.height - v->layout.bar_height);
	v->input.ended = state->ended;
	input_advance(&v->input, fmin(now_s - v->stepped_s, IDLE_S));
	wish_for(v, state, now_s);
	fetch(v, state, now_s);
	if (v->dirty)
		show(v, now_s);
}

bool viewer_step(viewer *v, double wait_s)
{
	if (v->closing)
		return false;
	double pause_s = wait_for(v, wait_s);
	if (pause_s > STEP_LEAST_S && !v->dirty)
		glfwWaitEventsTimeout(pause_s);
	else
		glfwPollEvents();
	double now_s = exchange_clock_s();
	exchange_state state;
	exchange_get_state(&v->exchange, &state);
	if (!is_lost(v) && lay_out(v) && !is_lost(v))
		refresh(v, &state, now_s);
	v->stepped_s = now_s;
	if (is_lost(v))
		return false;
	if (!wants_to_close(v, &state, now_s))
		return true;
	v->closing = true;
	if (!v->shot)
		take_screenshot(v, &state, now_s);
	glfwHideWindow(v->window);
	glfwPollEvents(); /* sends that on its way: no other step follows */
	exchange_close(&v->exchange);
	return false;
}

void viewer_run(viewer *v)
{
	while (viewer_step(v, IDLE_S))
		;
}
