/* SPDX-License-Identifier: Apache-2.0
 * A display that goes away while the window is open: with X, the library would end the whole process. */
#ifndef ENM_VIEWER_DISPLAY_H
#define ENM_VIEWER_DISPLAY_H

#include <stdbool.h>

/* All on the main thread. From display_watch, after glfwInit, to display_unwatch, after glfwTerminate, the loss is noted instead. */
void display_watch(void);
bool display_is_lost(void);
void display_unwatch(void);

#endif
