/* SPDX-License-Identifier: Apache-2.0
 * A display of Xvfb's that belongs to the test, so that it can be taken away. */
#ifndef ENM_TEST_SCREEN_H
#define ENM_TEST_SCREEN_H

#include <sys/types.h>

typedef struct screen {
	pid_t server;
	char name[16]; /* what DISPLAY is set to */
} screen;

/* With an X resource such as "Xft.dpi: 192", or NULL. Sets DISPLAY. */
screen screen_open(const char *resource);
/* Until a window is shown on it. */
void screen_wait_for_window(const screen *s);
/* Presses and releases a key in the window that is shown: one of Latin-1, as a user's keyboard would. */
void screen_press(const screen *s, char key);
/* The server is gone at once, with all its connections. */
void screen_kill(screen *s);

#endif
