/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <X11/Xatom.h>
#include <X11/Xlib.h>

#define PATIENCE_MS 120000
#define LOOK_MS 20

static void read_name(int descriptor, char name[16])
{
	struct pollfd said = {descriptor, POLLIN, 0};
	size_t count = 1;
	name[0] = ':';
	while (count < 15 && poll(&said, 1, PATIENCE_MS) == 1 && read(descriptor, name + count, 1) == 1 && name[count] != '\n')
		count++;
	name[count] = '\0';
	if (count < 2)
		fail_msg("Xvfb does not say which display it is");
}

static void set_resource(const char *name, const char *resource)
{
	Display *display = XOpenDisplay(name);
	assert_non_null(display);
	XChangeProperty(display, DefaultRootWindow(display), XA_RESOURCE_MANAGER, XA_STRING, 8, PropModeReplace,
		(const unsigned char *)resource, (int)strlen(resource));
	XCloseDisplay(display);
}

screen screen_open(const char *resource)
{
	int ends[2];
	char number[16];
	assert_int_equal(pipe(ends), 0);
	snprintf(number, sizeof number, "%d", ends[1]);
	screen s = {.server = fork()};
	assert_true(s.server >= 0);
	if (!s.server) {
		close(ends[0]);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* it has much to say about keys */
		execl(XVFB, "Xvfb", "-displayfd", number, "-screen", "0", "1280x1024x24", "-noreset", "-nolisten", "tcp", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	read_name(ends[0], s.name);
	close(ends[0]);
	setenv("DISPLAY", s.name, 1);
	unsetenv("WAYLAND_DISPLAY");
	if (resource)
		set_resource(s.name, resource);
	return s;
}

/* 0: none is shown. */
static Window find_window(Display *display)
{
	Window root, parent, shown = 0, *children = NULL;
	unsigned count = 0;
	if (!XQueryTree(display, DefaultRootWindow(display), &root, &parent, &children, &count))
		return 0;
	for (unsigned i = 0; i < count; i++) {
		XWindowAttributes now;
		if (XGetWindowAttributes(display, children[i], &now) && now.map_state == IsViewable)
			shown = children[i];
	}
	if (children)
		XFree(children);
	return shown;
}

void screen_wait_for_window(const screen *s)
{
	Display *display = XOpenDisplay(s->name);
	assert_non_null(display);
	Window shown = 0;
	for (int waited_ms = 0; !shown && waited_ms < PATIENCE_MS; waited_ms += LOOK_MS) {
		nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
		shown = find_window(display);
	}
	XCloseDisplay(display);
	if (!shown) {
		kill(s->server, SIGKILL);
		fail_msg("no window is shown");
	}
}

void screen_press(const screen *s, char key)
{
	static Time next_ms = 1000; /* GLFW drops keys that do not come after the last */
	Display *display = XOpenDisplay(s->name);
	assert_non_null(display);
	XEvent event = {.xkey = {.type = KeyPress, .root = DefaultRootWindow(display), .same_screen = True}};
	event.xkey.window = find_window(display);
	event.xkey.keycode = XKeysymToKeycode(display, (KeySym)key);
	assert_true(event.xkey.window && event.xkey.keycode);
	for (int i = 0; i < 2; i++) {
		event.type = i ? KeyRelease : KeyPress;
		event.xkey.time = next_ms += 100;
		XSendEvent(display, event.xkey.window, True, i ? KeyReleaseMask : KeyPressMask, &event);
	}
	XSync(display, False);
	XCloseDisplay(display);
}

void screen_kill(screen *s)
{
	kill(s->server, SIGKILL);
	waitpid(s->server, NULL, 0);
	/* what it would have removed itself */
	char path[64];
	snprintf(path, sizeof path, "/tmp/.X%s-lock", s->name + 1);
	unlink(path);
	snprintf(path, sizeof path, "/tmp/.X11-unix/X%s", s->name + 1);
	unlink(path);
	s->server = 0;
}
