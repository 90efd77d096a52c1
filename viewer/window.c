/* SPDX-License-Identifier: Apache-2.0
 * The window and what GLFW tells of it. */
#include <stdio.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "display.h"
#include "viewer_internal.h"

static viewer *of(GLFWwindow *window)
{
	return glfwGetWindowUserPointer(window);
}

static unsigned held_by(int mods)
{
	return (mods & GLFW_MOD_SHIFT ? INPUT_SHIFT : 0u) | (mods & GLFW_MOD_CONTROL ? INPUT_CONTROL : 0u);
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
	input_press(&of(window)->input, which, action == GLFW_PRESS, held_by(mods), exchange_clock_s());
}

static void on_scroll(GLFWwindow *window, double dx, double dy)
{
	(void)dx;
	bool control = glfwGetKey(window, GLFW_KEY_LEFT_CONTROL) == GLFW_PRESS ||
		       glfwGetKey(window, GLFW_KEY_RIGHT_CONTROL) == GLFW_PRESS;
	input_scroll(&of(window)->input, dy, control ? INPUT_CONTROL : 0u, exchange_clock_s());
}

/* GLFW's keys that are letters, digits or the space are those characters. */
static int name_of_key(int key)
{
	switch (key) {
	case GLFW_KEY_ESCAPE:
		return INPUT_ESCAPE;
	case GLFW_KEY_ENTER:
	case GLFW_KEY_KP_ENTER:
		return INPUT_ENTER;
	case GLFW_KEY_BACKSPACE:
		return INPUT_BACKSPACE;
	case GLFW_KEY_DELETE:
		return INPUT_DELETE;
	case GLFW_KEY_F1:
		return 'H';
	default:
		return key >= GLFW_KEY_KP_0 && key <= GLFW_KEY_KP_9 ? '0' + key - GLFW_KEY_KP_0 : key;
	}
}

static void on_key(GLFWwindow *window, int key, int scancode, int action, int mods)
{
	(void)scancode;
	if (action == GLFW_PRESS && !(mods & (GLFW_MOD_ALT | GLFW_MOD_SUPER)))
		input_key(&of(window)->input, name_of_key(key), held_by(mods), exchange_clock_s());
	of(window)->dirty = true;
}

static void on_refresh(GLFWwindow *window)
{
	of(window)->dirty = true;
}

static viewer_result fail_window(const char *what, char *reason)
{
	const char *text = NULL;
	glfwGetError(&text);
	snprintf(reason, VIEWER_REASON_BYTES, "%s: %s", what, text ? text : "GLFW gives no reason");
	return VIEWER_E_DISPLAY;
}

viewer_result window_open(viewer *v, char *reason)
{
	if (!glfwInit())
		return fail_window("no display for the viewer's window", reason);
	display_watch();
	glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
	glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
	glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
	glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
	glfwWindowHint(GLFW_CONTEXT_ROBUSTNESS, GLFW_LOSE_CONTEXT_ON_RESET); /* where the driver can tell */
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

void window_close(viewer *v)
{
	if (v->window) {
		if (!v->lost)
			draw_free(&v->draw);
		glfwDestroyWindow(v->window);
	}
	glfwTerminate();
	display_unwatch();
	v->window = NULL;
}
