/* SPDX-License-Identifier: Apache-2.0
 * Where GLFW knows X. After a lost connection Xlib (1.7 and later) lets every call return without doing anything, provided that the two handlers
 * do not end the process. */
#include "display.h"

#include <stdatomic.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <X11/Xlib.h>

/* As in GLFW/glfw3native.h, which would bring in the headers of Xrandr. */
Display *glfwGetX11Display(void);

static atomic_bool lost;
static XIOErrorHandler before;
static bool watching;

static int keep_quiet(Display *display)
{
	(void)display;
	atomic_store(&lost, true);
	return 0;
}

static void stay(Display *display, void *user)
{
	(void)display;
	(void)user;
}

void display_watch(void)
{
	Display *display = glfwGetX11Display();
	atomic_store(&lost, false);
	if (!display)
		return; /* another window system, in which GLFW closes the window by itself */
	watching = true;
	before = XSetIOErrorHandler(keep_quiet);
	XSetIOErrorExitHandler(display, stay, NULL);
}

bool display_is_lost(void)
{
	return atomic_load(&lost);
}

void display_unwatch(void)
{
	if (watching)
		XSetIOErrorHandler(before);
	watching = false;
}
