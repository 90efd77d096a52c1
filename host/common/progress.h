/* SPDX-License-Identifier: Apache-2.0
 * One line on a terminal's stderr that tells how far the work is. Nothing where stderr is no terminal. */
#ifndef ENM_HOST_PROGRESS_H
#define ENM_HOST_PROGRESS_H

#include <stdbool.h>

/* `wanted` is false with --json. */
void progress_begin(bool wanted);
/* At most ten times a second, whatever the number of calls. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wipes the line, so that other text can be printed. The next progress_show draws it again. */
void progress_wipe(void);
void progress_end(void);

#endif
