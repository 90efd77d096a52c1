/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <string.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <X11/Xlib.h>
#include <X11/keysym.h>

/* As in GLFW/glfw3native.h, which would bring in the headers of Xrandr. */
Display *glfwGetX11Display(void);
Window glfwGetX11Window(GLFWwindow *window);

static Time next_time = 1000; /* GLFW drops keys that do not come after the last */

static void send(GLFWwindow *window, XEvent *event, long mask)
{
	XSendEvent(glfwGetX11Display(), glfwGetX11Window(window), True, mask, event);
	XSync(glfwGetX11Display(), False);
}

static XEvent make(GLFWwindow *window, int type)
{
	XEvent event;
	memset(&event, 0, sizeof event);
	event.type = type;
	event.xany.display = glfwGetX11Display();
	event.xany.window = glfwGetX11Window(window);
	return event;
}

static unsigned state_of(unsigned held)
{
	return (held & EVENTS_SHIFT ? (unsigned)ShiftMask : 0u) | (held & EVENTS_CONTROL ? (unsigned)ControlMask : 0u);
}

void events_move(GLFWwindow *window, int x, int y, unsigned held)
{
	XEvent event = make(window, MotionNotify);
	event.xmotion.x = x;
	event.xmotion.y = y;
	event.xmotion.state = state_of(held);
	event.xmotion.time = next_time++;
	event.xmotion.same_screen = True;
	send(window, &event, PointerMotionMask);
}

void events_button(GLFWwindow *window, unsigned button, bool down, int x, int y, unsigned held)
{
	XEvent event = make(window, down ? ButtonPress : ButtonRelease);
	event.xbutton.button = button;
	event.xbutton.x = x;
	event.xbutton.y = y;
	event.xbutton.state = state_of(held);
	event.xbutton.time = next_time++;
	event.xbutton.same_screen = True;
	send(window, &event, down ? ButtonPressMask : ButtonReleaseMask);
}

void events_key(GLFWwindow *window, int key)
{
	KeySym symbol = key == 27 ? XK_Escape : (KeySym)key; /* Latin-1 */
	XEvent event = make(window, KeyPress);
	event.xkey.keycode = XKeysymToKeycode(glfwGetX11Display(), symbol);
	event.xkey.root = DefaultRootWindow(glfwGetX11Display());
	event.xkey.time = next_time += 100;
	event.xkey.same_screen = True;
	send(window, &event, KeyPressMask);
	event.type = KeyRelease;
	event.xkey.time = next_time += 100;
	send(window, &event, KeyReleaseMask);
}

void events_close(GLFWwindow *window)
{
	Display *display = glfwGetX11Display();
	XEvent event = make(window, ClientMessage);
	event.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
	event.xclient.format = 32;
	event.xclient.data.l[0] = (long)XInternAtom(display, "WM_DELETE_WINDOW", False);
	send(window, &event, NoEventMask);
}
