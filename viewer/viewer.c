/* SPDX-License-Identifier: Apache-2.0 */
#include "viewer.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "viewer_internal.h"

#define COOKIE 0x76696577u
#define WINDOW_MAX 8192u /* also what the engine renders at most */
#define STEP_LEAST_S 1e-4
#define FRAME_S (1.0 / 60.0)
#define IDLE_S 0.1 /* between looks at the stop flag and the frame count */
#define SERVE_S 0.25
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
		.render = enm_session_render,
		.bounds = enm_session_bounds,
	};
}

/* ---- GLFW's callbacks ---- */

static viewer *of(GLFWwindow *window)
{
	return glfwGetWindowUserPointer(window);
}

static void on_cursor(GLFWwindow *window, double x, double y)
{
	viewer *v = of(window);
	input_cursor(&v->input, x * v->pixels_per_unit[0], y * v->pixels_per_unit[1], exchange_clock_s());
}

static void on_button(GLFWwindow *window, int button, int action, int mods)
{
	input_button which = button == GLFW_MOUSE_BUTTON_LEFT     ? INPUT_LEFT
			     : button == GLFW_MOUSE_BUTTON_MIDDLE ? INPUT_MIDDLE
								  : INPUT_OTHER;
	input_press(&of(window)->input, which, action == GLFW_PRESS, mods & GLFW_MOD_SHIFT, exchange_clock_s());
}

static void on_scroll(GLFWwindow *window, double dx, double dy)
{
	(void)dx;
	input_scroll(&of(window)->input, dy, exchange_clock_s());
}

static void on_key(GLFWwindow *window, int key, int scancode, int action, int mods)
{
	(void)scancode;
	if (action == GLFW_PRESS && !(mods & (GLFW_MOD_CONTROL | GLFW_MOD_ALT | GLFW_MOD_SUPER)))
		input_key(&of(window)->input, key == GLFW_KEY_ESCAPE ? 27 : key, exchange_clock_s());
}

static void on_refresh(GLFWwindow *window)
{
	of(window)->dirty = true;
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
	else if (!def->render || !def->bounds)
		wrong = "def.render or def.bounds is NULL";
	if (!wrong)
		return VIEWER_OK;
	snprintf(reason, VIEWER_REASON_BYTES, "viewer_create: %s", wrong);
	return VIEWER_E_ARGUMENT;
}

static viewer_result fail_window(const char *what, char *reason)
{
	const char *text = NULL;
	glfwGetError(&text);
	snprintf(reason, VIEWER_REASON_BYTES, "%s: %s", what, text ? text : "GLFW gives no reason");
	return VIEWER_E_DISPLAY;
}

static viewer_result open_window(viewer *v, char *reason)
{
	if (!glfwInit())
		return fail_window("no display for the viewer's window", reason);
	glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
	glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
	glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
	glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
	glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
	glfwWindowHint(GLFW_DEPTH_BITS, 0);
	glfwWindowHint(GLFW_STENCIL_BITS, 0);
	v->window = glfwCreateWindow((int)v->def.width, (int)v->def.height, v->def.title, NULL, NULL);
	if (!v->window)
		return fail_window("cannot open the viewer's window with OpenGL 3.3", reason);
	glfwSetWindowUserPointer(v->window, v);
	glfwMakeContextCurrent(v->window);
	glfwSwapInterval(1);
	if (!draw_init(&v->draw, reason, VIEWER_REASON_BYTES))
		return VIEWER_E_DISPLAY;
	glfwSetCursorPosCallback(v->window, on_cursor);
	glfwSetMouseButtonCallback(v->window, on_button);
	glfwSetScrollCallback(v->window, on_scroll);
	glfwSetKeyCallback(v->window, on_key);
	glfwSetWindowRefreshCallback(v->window, on_refresh);
	return VIEWER_OK;
}

static void close_window(viewer *v)
{
	if (v->window) {
		draw_free(&v->draw);
		glfwDestroyWindow(v->window);
	}
	glfwTerminate();
	v->window = NULL;
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
	if (!v || !exchange_init(&v->exchange)) {
		snprintf(out_reason, VIEWER_REASON_BYTES, "no host memory for the viewer");
		free(v);
		atomic_flag_clear(&in_use);
		return VIEWER_E_MEMORY;
	}
	v->def = *def;
	v->dirty = true;
	v->stepped_s = exchange_clock_s();
	input_init(&v->input, &v->exchange, def->shade);
	result = open_window(v, out_reason);
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
	close_window(v);
	overlay_free(&v->overlay);
	free(v->front.rgba);
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
		.from = v->input.now,
		.shade = v->input.shade,
		.moving = input_is_moving(&v->input, now_s) || (state->ended && v->input.gliding),
		.serial = v->wish.serial,
	};
	bool same = wish.width == v->wish.width && wish.height == v->wish.height && wish.shade == v->wish.shade &&
		    !memcmp(&wish.from, &v->wish.from, sizeof wish.from);
	if (same && wish.moving == v->wish.moving)
		return;
	wish.serial += !same;
	v->wish = wish;
	exchange_set_wish(&v->exchange, &wish);
}

/* Brings the textures up to date. */
static void fetch(viewer *v, const exchange_state *state)
{
	if (exchange_take(&v->exchange, &v->front)) {
		draw_set_picture(&v->draw, v->front.rgba, v->front.width, v->front.height);
		v->dirty = true;
	}
	const overlay_text text = {*state, v->def.frames_expected};
	if (overlay_draw(&v->overlay, v->layout.width, v->layout.bar_height, &text)) {
		draw_set_bar(&v->draw, v->overlay.rgba, v->overlay.width, v->overlay.height);
		v->dirty = true;
	}
}

static void take_screenshot(viewer *v)
{
	v->shot = true;
	if (!v->def.screenshot || !v->layout.width)
		return;
	uint8_t *rgba = malloc((size_t)v->layout.width * v->layout.height * 4);
	if (!rgba)
		return;
	draw_frame(&v->draw, &v->layout);
	draw_read(&v->layout, rgba);
	v->def.screenshot(v->def.screenshot_user, rgba, v->layout.width, v->layout.height);
	free(rgba);
}

/* The window shows the finished model in full size, or why there is no picture. */
static bool is_complete(const viewer *v, const exchange_state *state)
{
	return *state->error || (v->front.serial == v->wish.serial && v->front.model == state->frames &&
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
	return over_s >= 0.0 && (is_complete(v, state) || !state->frames || over_s >= SHOT_PATIENCE_S);
}

static double wait_for(const viewer *v, double wait_s)
{
	double most_s = v->input.gliding || input_is_moving(&v->input, exchange_clock_s()) ? FRAME_S : IDLE_S;
	return fmin(wait_s, most_s);
}

static void show(viewer *v)
{
	draw_frame(&v->draw, &v->layout);
	glfwSwapBuffers(v->window);
	v->dirty = false;
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
	double now_s = exchange_clock_s(), dt_s = fmin(now_s - v->stepped_s, IDLE_S);
	v->stepped_s = now_s;
	exchange_state state;
	exchange_get_state(&v->exchange, &state);
	if (lay_out(v)) {
		input_resize(&v->input, v->layout.width, v->layout.height - v->layout.bar_height);
		v->input.ended = state.ended;
		input_advance(&v->input, dt_s);
		wish_for(v, &state, now_s);
		fetch(v, &state);
		if (v->dirty)
			show(v);
	}
	if (!wants_to_close(v, &state, now_s))
		return true;
	if (!v->shot)
		take_screenshot(v);
	v->closing = true;
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

/* ---- other threads ---- */

bool viewer_closed(const viewer *v)
{
	return atomic_load(&v->exchange.closed);
}

void viewer_report(viewer *v, const enm_report *report)
{
	if (exchange_report(&v->exchange, report))
		glfwPostEmptyEvent();
}

enm_result viewer_offer(viewer *v, enm_session *session)
{
	bool made;
	enm_result result = exchange_offer(&v->exchange, &v->def, session, &made);
	if (made)
		glfwPostEmptyEvent();
	return result;
}

void viewer_end(viewer *v)
{
	exchange_end(&v->exchange);
	glfwPostEmptyEvent();
}

void viewer_close(viewer *v)
{
	atomic_store(&v->exchange.leave, true);
	glfwPostEmptyEvent();
}

void viewer_serve(viewer *v, enm_session *session)
{
	while (!viewer_closed(v)) {
		enm_result shown_in_the_window = viewer_offer(v, session);
		(void)shown_in_the_window;
		exchange_wait(&v->exchange, SERVE_S);
	}
}
