/* SPDX-License-Identifier: Apache-2.0
 * Input as a window gets it from the X server. */
#ifndef ENM_TEST_VIEWER_EVENTS_H
#define ENM_TEST_VIEWER_EVENTS_H

#include <stdbool.h>

struct GLFWwindow;

/* Buttons as X counts them: 1 left, 2 middle, 4 and 5 the wheel. `held`: bits. */
enum { EVENTS_SHIFT = 1, EVENTS_CONTROL = 2 };
void events_move(struct GLFWwindow *window, int x, int y, unsigned held);
void events_button(struct GLFWwindow *window, unsigned button, bool down, int x, int y, unsigned held);
/* A lower-case letter, a digit, or 27 for Escape: pressed and released. */
void events_key(struct GLFWwindow *window, int key);
/* What a window manager sends when the close button is clicked. */
void events_close(struct GLFWwindow *window);

#endif
